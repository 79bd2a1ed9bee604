// A reader's own run, from a file: a trajectory, a training log, a run saved here. It becomes tracks
// that are laid over the pictures; nothing of it leaves the browser.

import { cellsOf, jsonOf } from "../reading.js"
import { isEvents, scalarsOf } from "./tensorboard.js"

const KNOWN = {
  step: /^(steps?|iter(ation)?s?)$/i,
  x: /^(x|w_?1|w\[?0\]?|theta_?[01]|p_?1)$/i,
  y: /^(y|w_?2|w\[?1\]|theta_?2|p_?2)$/i,
  loss: /^(loss|value|train[_/ ]?loss|objective|f)$/i,
}

// Runs {label, x, y, loss, step} (arrays, or null where the file has none) from a file's name and
// bytes, none longer than `most` steps; an Error says what is wrong with it.
export function runsOf(name, bytes, most) {
  const label = name.replace(/\.\w+$/, "")
  const runs = isEvents(bytes) ? ofEvents(scalarsOf(bytes), label) : ofText(new TextDecoder().decode(bytes), label)
  const holds = (values) => values?.some(Number.isFinite)
  const usable = runs.filter((run) => (holds(run.x) && holds(run.y)) || holds(run.loss))
  if (!usable.length) throw new Error("it has neither columns x and y nor a column loss")
  for (const run of usable) {
    if (Math.max(run.x?.length ?? 0, run.loss?.length ?? 0) > most) throw new Error(`it is longer than ${most} steps`)
  }
  return usable
}

const ofText = (text, label) =>
  /^\s*[[{]/.test(text) ? ofJson(jsonOf(text), label) : ofColumns(cellsOf(text), label)

// TensorBoard's scalars: every tag whose last part is a loss, and a path where there are x and y.
function ofEvents(scalars, label) {
  const last = (tag) => tag.split("/").at(-1)
  const values = (tag) => scalars.get(tag).map(({ value }) => value)
  const tags = [...scalars.keys()]
  const losses = tags.filter((tag) => KNOWN.loss.test(last(tag)) || /loss/i.test(tag)).slice(0, LOOKS.length)
  const [x, y] = ["x", "y"].map((way) => tags.find((tag) => KNOWN[way].test(last(tag))))
  const runs = losses.map((tag) => ({
    label: `${tag} (${label.slice(0, 24)})`, x: null, y: null, loss: values(tag),
    step: scalars.get(tag).map(({ step }) => step),
  }))
  if (x && y) runs.push({ label, x: values(x), y: values(y), loss: null, step: null })
  return runs
}

const numbers = (values) => Array.from(values, (value) => (value === null || value === "" ? NaN : Number(value)))

// Columns by their names; without names two columns are x and y, one is the loss.
function ofColumns([first = [], ...rest], label) {
  const named = first.some((cell) => Number.isNaN(Number(cell)))
  const rows = named ? rest : [first, ...rest]
  const column = (i) => (i < 0 ? null : numbers(rows.map((row) => row[i] ?? "")))
  if (!named) {
    return first.length === 1 ? [{ label, x: null, y: null, loss: column(0), step: null }]
      : [{ label, x: column(0), y: column(1), loss: first.length > 2 ? column(2) : null, step: null }]
  }
  const [x, y, loss, step] = ["x", "y", "loss", "step"].map((way) =>
    column(first.findIndex((cell) => KNOWN[way].test(cell))))
  return [{ label, x, y, loss, step }]
}

// A run saved here; {x, y, loss} as lists; a list of points, of objects, or of TensorBoard's
// [wall time, step, value].
function ofJson(found, label) {
  if (found?.descentLab) return ofSaved(found, label)
  if (Array.isArray(found)) {
    const [first] = found
    if (Array.isArray(first)) {
      const column = (i) => numbers(found.map((row) => row?.[i]))
      if (first.length === 3 && first[0] > 1e8) return [{ label, x: null, y: null, loss: column(2), step: column(1) }]
      return [{ label, x: column(0), y: column(1), loss: first.length > 2 ? column(2) : null, step: null }]
    }
    if (typeof first === "number") return [{ label, x: null, y: null, loss: numbers(found), step: null }]
    if (first && typeof first === "object") {
      const names = Object.keys(first)
      return ofColumns([names, ...found.map((row) => names.map((name) => row?.[name]))], label)
    }
  }
  if (found && typeof found === "object") {
    const key = (way) => Object.keys(found).find((name) => KNOWN[way].test(name) && Array.isArray(found[name]))
    const [x, y, loss, step] = ["x", "y", "loss", "step"].map((way) => (key(way) ? numbers(found[key(way)]) : null))
    return [{ label, x, y, loss, step }]
  }
  return []
}

function ofSaved({ pictures }, label) {
  const runs = new Map()
  const list = (some) => (Array.isArray(some) ? some.filter((one) => one && typeof one === "object") : [])
  for (const { panels } of list(pictures)) {
    for (const { id, tracks } of list(panels)) {
      for (const track of list(tracks)) {
        const run = runs.get(track.label) ?? { label: `${track.label} (${label})`, x: null, y: null, loss: null, step: null }
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
    if (kind === "chart" && id === "loss" && run.loss) return [{ ...look, x: run.step && column(run.step), y: column(run.loss), mode: "curve" }]
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
