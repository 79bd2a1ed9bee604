// A run in numbers: what every track and curve of the pictures goes through, with all that it takes
// to do it again.

const VERSION = 1

const plain = (value) => (value === null || typeof value === "number" ? value : Array.from(value))
const finite = (values) => plain(values)?.map?.((v) => (Number.isFinite(v) ? v : null)) ?? null

// {descentLab, page, title, link, values, pictures}: the link and the values restore the experiment.
export function record({ page, title, link, store, stages }) {
  return {
    descentLab: VERSION,
    page,
    title,
    link,
    values: Object.fromEntries(store.values),
    pictures: stages.map((stage) => ({
      frames: stage.clock.frames,
      frame: stage.data.frameName,
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
      })),
    })),
  }
}

const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

// The same as CSV: lines of comments that say what it is, then a column for each coordinate of each
// track and a row for each frame.
export function csv(found) {
  const head = [
    `# Descent Lab: ${found.title}`,
    `# page: ${found.page}`,
    `# link: ${found.link}`,
    `# values: ${JSON.stringify(found.values)}`,
  ]
  const columns = []
  for (const picture of found.pictures) {
    for (const { id, tracks } of picture.panels) {
      for (const track of tracks) {
        for (const way of ["x", "y", "z"]) {
          const numbers = track[way]
          const drawnOver = way === "x" && numbers?.every((v, i) => v === i)
          if (numbers && !drawnOver) columns.push([`${id} ${track.label} ${way}`.replace(/\s+/g, " "), numbers])
        }
      }
    }
  }
  const rows = Math.max(0, ...columns.map(([, numbers]) => numbers.length))
  const lines = [[found.pictures[0]?.frame ?? "step", ...columns.map(([name]) => quoted(name))].join(",")]
  for (let i = 0; i < rows; i++) {
    lines.push([i, ...columns.map(([, numbers]) => numbers[i] ?? "")].join(","))
  }
  return [...head, ...lines, ""].join("\n")
}
