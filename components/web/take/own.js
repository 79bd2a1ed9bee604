// A reader's own run, from a file: a trajectory, a training log, a run saved here. It becomes tracks
// that are laid over the pictures; nothing of it leaves the browser.

const MOST = 100_000 // numbers of one column
const KNOWN = {
  x: /^(x|w_?1|w\[?0\]?|theta_?[01]|p_?1)$/i,
  y: /^(y|w_?2|w\[?1\]|theta_?2|p_?2)$/i,
  loss: /^(loss|value|train[_/ ]?loss|objective|f)$/i,
}

// Runs {label, x, y, loss} (arrays, or null where the file has none) from a file's name and text;
// an Error says what is wrong with it.
export function runsOf(name, text) {
  const label = name.replace(/\.\w+$/, "")
  const runs = /^\s*[[{]/.test(text) ? ofJson(JSON.parse(text), label) : ofColumns(rowsOf(text), label)
  const holds = (values) => values?.some(Number.isFinite)
  const usable = runs.filter((run) => (holds(run.x) && holds(run.y)) || holds(run.loss))
  if (!usable.length) throw new Error("it has neither columns x and y nor a column loss")
  for (const run of usable) {
    if (Math.max(run.x?.length ?? 0, run.loss?.length ?? 0) > MOST) throw new Error(`it is longer than ${MOST} steps`)
  }
  return usable
}

const numbers = (values) => Array.from(values, (value) => (value === null || value === "" ? NaN : Number(value)))

function rowsOf(text) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() && !line.startsWith("#"))
  const cut = lines[0]?.includes("\t") ? "\t" : lines[0]?.includes(";") ? ";" : ","
  return lines.map((line) => line.split(cut).map((cell) => cell.trim().replace(/^"|"$/g, "")))
}

// Columns by their names; without names two columns are x and y, one is the loss.
function ofColumns([first = [], ...rest], label) {
  const named = first.some((cell) => Number.isNaN(Number(cell)))
  const rows = named ? rest : [first, ...rest]
  const column = (i) => (i < 0 ? null : numbers(rows.map((row) => row[i] ?? "")))
  if (!named) {
    return first.length === 1 ? [{ label, x: null, y: null, loss: column(0) }]
      : [{ label, x: column(0), y: column(1), loss: first.length > 2 ? column(2) : null }]
  }
  const at = (way) => first.findIndex((cell) => KNOWN[way].test(cell))
  return [{ label, x: column(at("x")), y: column(at("y")), loss: column(at("loss")) }]
}

// A run saved here; {x, y, loss} as lists; a list of points, of objects, or of TensorBoard's
// [wall time, step, value].
function ofJson(found, label) {
  if (found?.descentLab) return ofSaved(found, label)
  if (Array.isArray(found)) {
    const [first] = found
    if (Array.isArray(first)) {
      const column = (i) => numbers(found.map((row) => row[i]))
      if (first.length === 3 && first[0] > 1e8) return [{ label, x: null, y: null, loss: column(2) }]
      return [{ label, x: column(0), y: column(1), loss: first.length > 2 ? column(2) : null }]
    }
    if (typeof first === "number") return [{ label, x: null, y: null, loss: numbers(found) }]
    if (first && typeof first === "object") {
      return ofColumns([Object.keys(first), ...found.map(Object.values)], label)
    }
  }
  if (found && typeof found === "object") {
    const key = (way) => Object.keys(found).find((name) => KNOWN[way].test(name) && Array.isArray(found[name]))
    const [x, y, loss] = ["x", "y", "loss"].map((way) => (key(way) ? numbers(found[key(way)]) : null))
    return [{ label, x, y, loss }]
  }
  return []
}

function ofSaved({ pictures = [] }, label) {
  const runs = new Map()
  for (const { panels = [] } of pictures) {
    for (const { id, tracks = [] } of panels) {
      for (const track of tracks) {
        const run = runs.get(track.label) ?? { label: `${track.label} (${label})`, x: null, y: null, loss: null }
        runs.set(track.label, run)
        if (/^plane/.test(id) && track.x && track.y) Object.assign(run, { x: numbers(track.x), y: numbers(track.y) })
        else if (id === "loss" && track.y) run.loss = numbers(track.y)
      }
    }
  }
  return [...runs.values()]
}

const LOOKS = [["#b03a7a|#e58bbd", "star"], ["#6b5b1e|#cdbb6a", "pentagon"], ["#3f6f5f|#8fc9b4", "hexagon"]]

// The runs as tracks of a stage's panels: a path in a plane, a curve where the loss is drawn.
export function laid(runs, { kind, id }) {
  return runs.flatMap((run, i) => {
    const [color, marker] = LOOKS[i % LOOKS.length]
    const look = { color, marker, dash: "dashdot", label: run.label, width: 2, stop: null, z: null }
    if (kind === "plane" && run.x && run.y) return [{ ...look, x: column(run.x), y: column(run.y), mode: "trail" }]
    if (kind === "chart" && id === "loss" && run.loss) return [{ ...look, x: null, y: column(run.loss), mode: "curve" }]
    return []
  })
}

const columns = new WeakMap() // the same array gives the same leaf
function column(values) {
  let leaf = columns.get(values)
  if (!leaf) {
    const bytes = new Uint8Array(Float64Array.from(values).buffer)
    columns.set(values, (leaf = { dtype: "f8", shape: [values.length], bytes }))
  }
  return leaf
}
