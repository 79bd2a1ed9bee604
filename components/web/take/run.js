// A run in numbers: what every track and curve of the pictures goes through, what a drawn graph says,
// how networks learned, with all that it takes to do it again.

const VERSION = 1

const plain = (value) => (value === null || typeof value === "number" ? value : Array.from(value))
const told = (value) => (typeof value === "string" || Number.isFinite(value) ? value : null)
const finite = (values) => plain(values)?.map?.(told) ?? null

// The lines, points and bars that a chart draws; surfaces are left out.
const curvesOf = (panel) => (panel?.chart?.traces ?? [])
  .map(({ spec }) => spec)
  .filter(({ type, y }) => type !== "contour" && y?.length)
  .map(({ name, x, y }) => ({ name: name ?? "", x: finite(x ?? null), y: finite(y) }))

// {descentLab, page, title, link, values, pictures, graphs, trainings}: the link and the values restore the
// experiment.
export function record({ page, title, link, store, stages, graphs, trainings }) {
  return {
    descentLab: VERSION,
    page,
    title,
    link,
    values: Object.fromEntries(store.values),
    pictures: stages.map((stage) => ({
      frames: stage.clock.frames,
      frame: stage.data.frameName,
      says: Array.from(stage.lines.children, (line) => line.textContent).filter(Boolean),
      panels: stage.data.panels.map((panel) => ({
        id: panel.id,
        title: stage.find(panel.title) ?? "",
        tracks: panel.tracks.map((track) => ({
          label: track.label,
          x: track.x ? finite(stage.find(track.x)) : null,
          y: finite(stage.find(track.y)),
          z: track.z ? finite(stage.find(track.z)) : null,
          stop: track.stop === null ? null : finite([stage.find(track.stop)])[0],
        })),
        curves: curvesOf(stage.panels.get(panel.id)),
      })),
    })),
    graphs: graphs.map((graph) => graph.record()),
    trainings: trainings.map((training) => training.record()),
  }
}

const quoted = (cell) => (/[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell ?? "")

// The same as CSV: lines of comments that say what it is, then a row for each node of a graph; or a
// row for each point of a training's curves; or a column for each coordinate of each track and a row
// for each frame; or, where nothing runs, a column for each coordinate of each curve.
export function csv(found) {
  const head = [
    `# Descent Lab: ${found.title}`,
    `# page: ${found.page}`,
    `# link: ${found.link}`,
    `# values: ${JSON.stringify(found.values)}`,
  ]
  const { graphs: [table], trainings: [training] } = found
  const lines = table ? nodesOf(table) : training ? stepsOf(training) : columnsOf(found)
  return [...head, ...lines.map((row) => row.map(quoted).join(",")), ""].join("\n")
}

const nodesOf = ({ nodes }) =>
  [["node", "formula", "value", "swept"], ...nodes.map((node) => [node.name, node.formula, node.value, node.swept])]

function stepsOf({ runs }) {
  const columns = runs.flatMap(({ name, step, ...run }) =>
    Object.entries(run).filter(([, list]) => Array.isArray(list)).map(([what, list]) => [`${name} ${what}`, list]))
  return [["step", ...columns.map(([name]) => name)], ...runs[0].step.map((step, i) => [step, ...columns.map(([, list]) => list[i])])]
}

function columnsOf({ pictures }) {
  const panels = pictures.flatMap((picture) => picture.panels)
  const moving = panels.some(({ tracks }) => tracks.length)
  const columns = []
  for (const { id, tracks, curves } of panels) {
    for (const [k, drawn] of (moving ? tracks : curves).entries()) {
      for (const way of ["x", "y", "z"]) {
        const numbers = drawn[way]
        const drawnOver = moving && way === "x" && numbers?.every((v, i) => v === i)
        const name = drawn.label ?? (drawn.name || k + 1)
        if (numbers && !drawnOver) columns.push([`${id} ${name} ${way}`.replace(/\s+/g, " "), numbers])
      }
    }
  }
  const rows = Math.max(0, ...columns.map(([, numbers]) => numbers.length))
  const first = moving ? pictures[0].frame ?? "step" : "row"
  const row = (i) => [i, ...columns.map(([, numbers]) => numbers[i])]
  return [[first, ...columns.map(([name]) => name)], ...Array.from({ length: rows }, (_, i) => row(i))]
}
