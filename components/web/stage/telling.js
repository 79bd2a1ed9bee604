// What a picture shows now, in words, for those who do not see it: derived from what it is drawn
// from, so that a page writes nothing. Sentences on the axes, each curve with its ends and extremes,
// bars and marks, runs at the moment of the clock, cells, and the words that stand on it.

import { written } from "../words.js"
import { heightOf } from "./contours.js"
import { plain } from "./words.js"

const EACH = 8 // bars, points or runs that are told one by one
const CURVES = 10
const WORDS = 8 // written on a picture
const BESIDE = 0.45 // of what has a name, in the units of its axis, which are one apart
const LEAST_SHARE = 0.005 // of the cells that are worth a word

const said = (value) => written(value, "3")
const at = (...values) => `(${values.map(said).join(", ")})`
const textOf = (title) => plain(String((typeof title === "string" ? title : title?.text) ?? "")).trim()
const entry = (value, i) => (value !== null && typeof value === "object" ? value[i] : value)
const more = (count) => (count > 0 ? [`and ${count} more`] : [])

// What the things of some panels are called by their look: a legend, where a curve has no name of its own.
export function legendOf(panels) {
  const legend = new Map() // colour, and colour with dash -> the names that have it
  const note = (name, colour, dash) => {
    for (const look of [colour, `${colour} ${dash}`]) legend.set(look, (legend.get(look) ?? new Set()).add(name))
  }
  for (const { overlay } of panels) {
    for (const { label, css, dash } of overlay.tracks) if (label) note(plain(String(label)), css, dash)
  }
  return (colour, dash = "solid") => {
    const found = [colour, `${colour} ${dash}`].map((look) => legend.get(look)).find((names) => names?.size === 1)
    return found ? [...found][0] : ""
  }
}

// The sentences of a panel, with its clock at `frame`; `frameName` is what a frame is called.
export function tell(panel, frame = 0, frameName = "step", called = legendOf([panel])) {
  const { overlay, rasters, handles, chart } = panel
  const { data = [], layout = {} } = panel.figure ?? panel.surface ?? {}
  if (!panel.spec) return []
  const [x, y] = ["xaxis", "yaxis"].map((way) => layout[way] ?? layout.scene?.[way])
  const axes = { x: new Names(chart?.x, x), y: new Names(chart?.y, y) }
  return [
    ...tellAxes(axes),
    ...rasters.flatMap((raster) => tellCells(raster, chart)),
    ...tellTraces(data, axes, called),
    ...tellTracks(overlay.tracks, panel.spec.kind, frame, frameName, called),
    ...overlay.arrows.flatMap((group) => tellArrows(group, frame)),
    ...tellBoxes(overlay.boxes, frame),
    ...tellWords(layout.annotations ?? []),
    ...tellHandles(handles.byId.values()),
  ].map((sentence) => sentence.replace(/\s+/g, " ").replace(/([^.!?…])$/, "$1."))
}

// An axis, which calls some of its places by names.
class Names {
  constructor(axis, given = {}) {
    this.axis = axis
    this.title = axis?.visible === false ? "" : textOf(given.title)
    this.names = new Map()
    if (given.ticktext) Array.from(given.tickvals, (value, i) => this.names.set(value, plain(String(given.ticktext[i]))))
  }

  of(value) {
    return this.name(value) || said(value)
  }

  // A name, also of what stands beside its place: one of several bars.
  name(value) {
    if (typeof value === "string") return plain(value)
    const [near] = [...this.names.keys()].filter((at) => Math.abs(at - value) < BESIDE).sort((a, b) => Math.abs(a - value) - Math.abs(b - value))
    return this.names.get(near) ?? ""
  }

  // From where to where it goes, unless names stand there.
  get ends() {
    if (!this.axis?.visible || this.names.size) return ""
    const { log, range } = this.axis
    const [a, b] = Array.from(range, (end) => said(log ? 10 ** end : end))
    return `from ${a} to ${b}${log ? ", logarithmic" : ""}`
  }
}

function tellAxes({ x, y }) {
  const ways = [["Across", x], ["up", y]].filter(([, axis]) => axis.title)
  return ways.length ? [ways.map(([way, { title, ends }]) => `${way}: ${title}${ends && ` ${ends}`}`).join("; ")] : []
}

// Curves, points, bars, contours ------------------------------------------------------------------

function tellTraces(data, axes, called) {
  const told = data.flatMap((trace) => {
    if (trace.type === "contour" || trace.type === "surface") return tellHeights(trace, axes)
    if (trace.type === "bar") return tellBars(trace, axes)
    return tellPoints(trace, axes, called)
  })
  return [...told.slice(0, CURVES), ...more(told.length - CURVES)]
}

// A trace's own name, else what its readout calls the number: "loss" of "η %{x}<br>loss %{y:.3f}".
function nameOf(trace) {
  const readout = (trace.hovertemplate ?? "").replace(/<extra>.*/s, "")
  const words = [/([^<>{}]*)%\{y/, /([^<>{}]*)%\{/].map((pattern) => pattern.exec(readout)?.[1] ?? "")
  return plain(String(trace.name ?? "")) || words.map((word) => plain(word).replace(/^[\s,)]+|[\s:=(,]+$/g, "")).find(Boolean) || ""
}

// The index of the least and of the greatest of some entries.
const ends = (values, known) =>
  known.reduce(([low, high], i) => [values[i] < values[low] ? i : low, values[i] > values[high] ? i : high], [known[0], known[0]])

function tellPoints(trace, axes, called) {
  const { mode = "lines", marker, line } = trace
  const ys = trace.y ?? []
  const xs = trace.x ?? Array.from(ys, (_, i) => i)
  const known = Array.from(ys.keys()).filter((i) => Number.isFinite(ys[i]) && Number.isFinite(xs[i]) && entry(marker?.size, i) !== 0)
  const name = nameOf(trace) || called(line?.color, line?.dash)
  const texts = mode.includes("text") ? trace.text : null
  const silent = trace.hoverinfo === "skip" || trace.hoverinfo === "none"
  const guide = (silent || trace.fill === "toself") && !trace.name && !texts // to the eye alone
  if (guide) return []
  if (!known.length) return name && ys.length ? [`${name}: none`] : []
  const place = (i) => `(${axes.x.of(xs[i])}, ${axes.y.of(ys[i])})`
  const point = (i) => `${texts && entry(texts, i) ? `${plain(String(entry(texts, i)))} ` : ""}${place(i)}`
  if (known.length <= EACH) return [`${name ? `${name}: ` : ""}${known.map(point).join(", ")}`]
  const [low, high] = ends(ys, known)
  if (!mode.includes("lines")) {
    const [left, right] = ends(xs, known)
    return [`${name || "Points"}: ${known.length}, across ${axes.x.of(xs[left])} to ${axes.x.of(xs[right])}, up ${axes.y.of(ys[low])} to ${axes.y.of(ys[high])}`]
  }
  const parts = known.filter((i, k) => i !== known[k - 1] + 1).length
  if (parts > 1 && known.length <= 2 * parts) return [`${name || "Lines"}: ${parts}`]
  const [first, last] = [known[0], known.at(-1)]
  const inner = [["least", low], ["most", high]].filter(([, i]) => ys[i] !== ys[first] && ys[i] !== ys[last])
  const extremes = inner.map(([word, i]) => `, ${word} ${axes.y.of(ys[i])} at ${axes.x.of(xs[i])}`).join("")
  return [`${name || "Curve"}: from ${place(first)} to ${place(last)}${extremes}`]
}

function tellBars(trace, { x, y }) {
  const lies = trace.orientation === "h"
  const lengths = lies ? trace.x : trace.y
  const places = lies ? trace.y : trace.x
  const side = lies ? y : x
  return summed(nameOf(trace) || "Bars", lengths ?? [], (i, value) => {
    const at = entry(places, i) ?? i
    const name = side.name(at)
    return name ? `${name} ${value}` : `${value} at ${said(at)}`
  })
}

// Bars one by one, or the longest and the shortest of many.
function summed(name, lengths, one) {
  const known = Array.from(lengths.keys()).filter((i) => Number.isFinite(lengths[i]))
  if (!known.length) return []
  if (known.length <= EACH) return [`${name}: ${known.map((i) => one(i, said(lengths[i]))).join(", ")}`]
  const [low, high] = ends(lengths, known)
  return [`${name}: ${known.length}, most ${one(high, said(lengths[high]))}, least ${one(low, said(lengths[low]))}`]
}

// Where a surface is lowest; how low, where its heights have a name.
function tellHeights(trace, { x, y }) {
  const z = trace.z ?? []
  const columns = z.shape ? z.shape[1] : z[0]?.length ?? 0
  const heights = z.shape ? z : Array.from(z).flatMap((row) => Array.from(row))
  let [low, high] = [-1, -1]
  for (let i = 0; i < heights.length; i++) {
    if (!Number.isFinite(heights[i])) continue
    if (low < 0 || heights[i] < heights[low]) low = i
    if (high < 0 || heights[i] > heights[high]) high = i
  }
  if (low < 0 || !columns) return []
  const [px, py] = [trace.x?.[low % columns], trace.y?.[Math.floor(low / columns)]]
  const name = nameOf(trace)
  const place = typeof px === "number" && typeof py === "number" ? ` near (${x.of(px)}, ${y.of(py)})` : ""
  if (name) return [`${name}: lowest ${said(heightOf(trace, heights[low]))}${place}, highest ${said(heightOf(trace, heights[high]))}`]
  return place ? [`Lowest${place}`] : []
}

// What moves --------------------------------------------------------------------------------------

function tellTracks(tracks, kind, frame, frameName, called) {
  const known = tracks.filter(({ y }) => y?.length)
  const told = known.slice(0, CURVES).map((track, k) => {
    const { x, y, z, stop, label, mode, css, dash } = track
    const name = plain(String(label ?? "")) || called(css, dash) || (known.length > 1 ? `Run ${k + 1}` : "The run")
    const last = Math.min(y.length - 1, frame)
    if (stop !== null && stop !== undefined && frame >= stop) return `${name} gets away at ${frameName} ${stop}`
    if (!Number.isFinite(y[last])) return `${name} at ${frameName} ${last}: no number`
    if (kind !== "chart") return `${name} at ${frameName} ${last}: ${at(...[x, y, z].filter(Boolean).map((values) => values[last]))}`
    const place = track.x?.counted ? `${frameName} ${last}` : said(x[last])
    const end = y.findLastIndex(Number.isFinite)
    return `${name} at ${place}: ${said(y[last])}${mode === "curve" && last < end ? `, ${said(y[end])} at the end` : ""}`
  })
  return [...told, ...more(known.length - CURVES)]
}

const now = ({ at: values, frames, of }, frame, j) => values[Math.min(frame, frames - 1) * of + (j % of)]

function tellArrows(group, frame) {
  if (!group.label || group.x.of > EACH) return []
  const name = plain(String(group.label))
  return Array.from({ length: group.x.of }, (_, j) => [now(group.dx, frame, j), now(group.dy, frame, j)])
    .filter((by) => by.every(Number.isFinite)).map((by) => `Arrow ${name}: ${at(...by)}`)
}

function tellBoxes(groups, frame) {
  return groups.flatMap((group) => {
    const of = Math.max(group.x0.of, group.y1.of)
    const heights = Array.from({ length: of }, (_, j) => now(group.y1, frame, j) - now(group.y0, frame, j))
    return of > 1 ? summed("Moving bars", heights, (j, value) => `${value} at ${said((now(group.x0, frame, j) + now(group.x1, frame, j)) / 2)}`) : []
  })
}

// Cells, words, handles ---------------------------------------------------------------------------

// Bounds are in the axes' own coordinates.
function tellCells({ cells, readout, names, words, bounds }, { x, y }) {
  const [rows, columns] = cells.shape
  const along = (axis, a, b, share) => (axis.log ? 10 ** (a + share * (b - a)) : a + share * (b - a))
  return readout.map(([label, values]) => {
    let [low, high, where] = [Infinity, -Infinity, -1]
    const counts = new Map()
    const called = words[label] ?? {}
    values.forEach((value, i) => {
      const word = Number.isFinite(value) && !Number.isInteger(value) ? undefined : called[value] // words are of whole numbers
      if (word) counts.set(word, (counts.get(word) ?? 0) + 1)
      else if (Number.isFinite(value)) {
        if (value < low) [low, where] = [value, i]
        if (value > high) high = value
      }
    })
    const shares = [...counts].filter(([, count]) => count >= LEAST_SHARE * values.length).sort((a, b) => b[1] - a[1]).slice(0, EACH)
      .map(([word, count]) => `${word} in ${written(count / values.length, ".0%")} of the cells`)
    const [column, row] = [where % columns, Math.floor(where / columns)]
    const middle = [along(x, bounds[0], bounds[1], (column + 0.5) / columns), along(y, bounds[2], bounds[3], (row + 0.5) / rows)]
    const place = names.every(Boolean) ? `, least near ${names.map((name, i) => `${name} ${said(middle[i])}`).join(", ")}` : ""
    const range = where < 0 ? [] : [`${low === high ? said(low) : `from ${said(low)} to ${said(high)}`}${place}`]
    return `Map of ${label}: ${[...range, ...shares].join("; ") || "no number"}`
  })
}

function tellWords(annotations) {
  const texts = [...new Set(annotations.map(({ text }) => plain(String(text ?? "")).trim()).filter(Boolean))]
  return texts.length ? [`Written on it: ${[...texts.slice(0, WORDS), ...more(texts.length - WORDS)].join("; ")}`] : []
}

function tellHandles(handles) {
  const told = Array.from(handles, ({ spec, x, y, id }) => {
    const place = spec.axis === "xy" ? at(x, y) : said(spec.axis === "x" ? x : y)
    return `${spec.spoken || plain(String(spec.label)) || id} ${place}`
  })
  return told.length ? [`To be moved: ${[...told.slice(0, EACH), ...more(told.length - EACH)].join("; ")}`] : []
}
