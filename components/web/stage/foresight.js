// A question on a stage: its truth is taken out of the pictures, the reader's hand puts a guess in,
// and revealed, both stand side by side with the distance between them. Guesses are drawn in an
// element of their own over the panel, in data coordinates: they stay in place under zoom and size.

import { format } from "./ticks.js"

const SVG = "http://www.w3.org/2000/svg"
const LEAST_PX = 3 // between two points of a stroke
const SAMPLES = 64 // of either path, evenly along it, whose distances are averaged
const GUESS = "guess"

const short = (value) => format(value, ".3g").replace("-", "−")
const place = (x, y) => `(${short(x)}, ${short(y)})`

export class Foresight {
  // `stage` finds leaves and has panels; `asked` is the page's.
  constructor(stage, asked) {
    Object.assign(this, { stage, asked })
    this.handles = new Map() // panel id -> the specs of its handles, kept so that they keep their place
    this.stroke = []
    this.layer = null
    this.hid = false // as the pictures are shown now
  }

  get question() {
    return this.asked.question
  }

  get open() {
    return Boolean(this.question) && !this.question.revealed
  }

  // Whether the pictures of the page keep back what answers the question.
  get hides() {
    return this.open && this.question.kind !== "edge"
  }

  // The panel that is asked about, of this data; undefined where this stage knows nothing of it.
  panelOf(data) {
    const { question } = this
    if (!question || !data) return undefined
    if (question.kind === "bars") return data.panels.find(({ id }) => id === question.panel)
    if (question.kind === "edge") return undefined
    const run = question.run ?? 0
    return data.panels.find(({ kind, tracks }) => kind === "plane" && tracks.length > run)
  }

  // The data as it is shown while the question is open: without what answers it, in this stage and
  // in the others of the page.
  dress(data) {
    this.whole = data
    this.hid = this.hides
    if (!this.question) this.stroke = []
    if (!this.hides) return data
    const about = this.panelOf(data)
    if (about && this.turned !== this.question) {
      // Where one picture is shown at a time it is the one that is asked about.
      this.turned = this.question
      this.stage.tab = data.panels.indexOf(about)
    }
    const strip = (panel) => {
      const { layout } = panel.figure
      const bars = this.question.kind === "bars" && panel === about
      const kept = about && panel.kind === "plane" && !bars
      const xaxis = { ...layout.xaxis, ...(bars ? { visible: true, showgrid: true, range: [0, 1.05] } : {}) }
      const bare = { data: [], layout: { ...layout, xaxis, annotations: [], shapes: [] } }
      return {
        ...panel, figure: kept ? panel.figure : bare, hash: `${panel.hash}?`, tracks: [], arrows: [], boxes: [],
        rasters: kept ? panel.rasters : [], handles: panel === about ? this.handlesOn(panel) : [], clicks: {}, cursor: false,
      }
    }
    return { ...data, panels: data.panels.map(strip), playback: false, lines: [], captions: [], autoplay: false }
  }

  handlesOn(panel) {
    const { question, stage } = this
    const key = `${panel.id}.${question.kind}`
    if (this.handles.has(key) && question.guess !== null) return this.handles.get(key)
    const handle = (more) => ({
      label: "", spoken: "", axis: "xy", sets: {}, min: null, max: null, curve: null,
      color: "var(--st-primary-color)", marker: "cross", ...more,
    })
    let made = []
    if (question.kind === "bars") {
      const truth = this.bars()
      made = truth.map((_, i) => handle({
        id: `${GUESS}${i}`, x: 1 / truth.length, y: i, axis: "x", min: [0, 0], marker: "ring",
        spoken: `your bar ${i + 1}`,
      }))
    } else if (question.kind === "point" || question.kind === "path") {
      const { x, y } = this.track()
      const label = question.kind === "path" ? "drag to draw" : "your guess"
      made = [handle({ id: GUESS, x: x[0], y: y[0], label, spoken: label })]
      this.stroke = question.kind === "path" ? [[x[0], y[0]]] : []
      stage.clock.pause()
    }
    this.handles.set(key, made)
    return made
  }

  // The run that is asked about: {x, y, stop, end}, its points up to where it ends.
  track(run = this.question.run ?? 0) {
    const { stage } = this
    const { tracks } = this.panelOf(this.whole)
    const [x, y, stop] = [tracks[run].x, tracks[run].y, tracks[run].stop].map((leaf) => leaf === null ? null : stage.find(leaf))
    const frames = stage.find(this.whole.frames)
    const gone = Number.isFinite(stop) && stop >= 0 ? stop : null
    return { x, y, stop: gone, end: Math.min(y.length - 1, frames - 1, gone === null ? Infinity : Math.max(gone - 1, 0)) }
  }

  // What the last bars of the panel stand for, or how long they are.
  bars() {
    const { customdata, x } = this.panelOf(this.whole).figure.data.findLast(({ type }) => type === "bar")
    return Array.from(this.stage.find(customdata ?? x))
  }

  // What a hand does; true where it was on a guess.
  say({ id, x, y }) {
    if (!this.open || !id.startsWith(GUESS)) return false
    const { question, asked } = this
    const handles = this.handles.get(`${this.panelOf(this.whole)?.id}.${question.kind}`) ?? []
    const handle = handles.find((one) => one.id === id)
    if (!handle) return false
    handle.x = x
    handle.y = y
    if (question.kind === "path") {
      const panel = this.panel()
      const [px, py] = this.stroke.at(-1)
      const far = Math.hypot(panel.toX(x) - panel.toX(px), panel.toY(y) - panel.toY(py))
      if (far >= LEAST_PX) this.stroke.push([x, y])
      if (this.stroke.length > 1) asked.guess(this.stroke)
    } else if (question.kind === "bars") {
      asked.guess(handles.map((one) => one.x))
    } else {
      asked.guess([x, y])
    }
    this.draw()
    return true
  }

  panel() {
    const about = this.panelOf(this.whole)
    return about && this.stage.panels.get(about.id)
  }

  // How far the guess is from what the picture finds.
  judge() {
    const { question } = this
    if (question.kind === "point") return this.judgePoint()
    if (question.kind === "path") return this.judgePath()
    if (question.kind === "bars") return this.judgeBars()
    return this.judgeRuns()
  }

  judgePoint() {
    const { guess, at, within } = this.question
    const { x, y, end } = this.track()
    const k = Math.min(at, end)
    this.truth = [x[k], y[k]]
    const off = Math.hypot(guess[0] - x[k], guess[1] - y[k])
    let way = 0
    for (let i = 1; i <= k; i++) way += Math.hypot(x[i] - x[i - 1], y[i] - y[i - 1])
    const share = way > 0 ? `, ${short((100 * off) / way)} % of the way it went` : ""
    return { near: off <= within, text: `It is at ${place(x[k], y[k])}; yours is ${short(off)} away${share}.` }
  }

  judgePath() {
    const { within } = this.question
    const { x, y, end } = this.track()
    const truth = along(Array.from({ length: end + 1 }, (_, i) => [x[i], y[i]]))
    const drawn = along(this.stroke)
    const off = truth.reduce((sum, [a, b], i) => sum + Math.hypot(a - drawn[i][0], b - drawn[i][1]), 0) / SAMPLES
    const [a, b] = this.stroke.at(-1)
    const last = Math.hypot(a - x[end], b - y[end])
    return { near: off <= within, text: `On average ${short(off)} from the path, ${short(last)} at its end.` }
  }

  judgeBars() {
    const { guess, within } = this.question
    const truth = this.bars()
    const off = Math.max(...truth.map((value, i) => Math.abs(value - guess[i])))
    const said = (values) => values.map((value) => format(value, ".3f")).join(", ")
    return { near: off <= within, text: `It is ${said(truth)}; yours ${said(guess)}, at most ${short(off)} off.` }
  }

  judgeRuns() {
    const { guess, options } = this.question
    const gone = options.map((_, run) => this.track(run).stop !== null)
    const names = options.filter((_, run) => gone[run])
    const right = gone.filter((away, run) => away === guess[run]).length
    const said = names.length ? `${names.join(" and ")} get${names.length > 1 ? "" : "s"} away` : "None gets away"
    return { near: right === options.length, text: `${said}: ${right} of ${options.length} foreseen.` }
  }

  // The guess over the picture, and beside it the truth once it is shown.
  draw() {
    const { question } = this
    const panel = this.panel()
    const shown = question?.kind !== "runs" && !(question?.kind === "bars" && question.revealed)
    if (!question || !panel?.ready || !shown) return this.clear()
    if (this.layer?.parentElement !== panel.plot) {
      this.clear()
      this.layer = document.createElementNS(SVG, "svg")
      this.layer.setAttribute("class", "dl-foresight")
      this.layer.setAttribute("aria-hidden", "true")
      panel.plot.append(this.layer)
    }
    const at = ([x, y]) => [panel.toX(x), panel.toY(y)]
    const make = (name, attributes) => {
      const element = document.createElementNS(SVG, name)
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
      return element
    }
    const parts = []
    if (question.kind === "path" && this.stroke.length > 1) {
      parts.push(make("polyline", { points: this.stroke.map((point) => at(point).join()).join(" ") }))
    } else if (question.kind === "point" && question.guess) {
      const [x, y] = at(question.guess)
      if (question.revealed && this.truth) {
        const [tx, ty] = at(this.truth)
        parts.push(make("line", { x1: x, y1: y, x2: tx, y2: ty }), make("circle", { cx: tx, cy: ty, r: 8 }))
        parts.push(make("path", { d: `M${x - 6},${y}h12M${x},${y - 6}v12` }))
      }
    } else if (question.kind === "bars") {
      const lengths = question.guess ?? this.bars().map((_, i, all) => 1 / all.length)
      lengths.forEach((length, i) => {
        const [right, one] = at([length, i - 0.31])
        const [left, other] = at([0, i + 0.31])
        parts.push(make("rect", { x: left, y: Math.min(one, other), width: Math.max(0, right - left), height: Math.abs(one - other) }))
      })
    }
    this.layer.replaceChildren(...parts)
  }

  clear() {
    this.layer?.remove()
    this.layer = null
  }
}

// SAMPLES points of a path, evenly by its length.
function along(points) {
  const reached = [0]
  for (let i = 1; i < points.length; i++) {
    const step = Math.hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1])
    reached.push(reached[i - 1] + step)
  }
  const total = reached.at(-1)
  let k = 0
  return Array.from({ length: SAMPLES }, (_, i) => {
    const at = (total * i) / (SAMPLES - 1)
    while (k < points.length - 2 && reached[k + 1] < at) k++
    const part = points.length > 1 && reached[k + 1] > reached[k] ? (at - reached[k]) / (reached[k + 1] - reached[k]) : 0
    const [a, b] = [points[k], points[Math.min(k + 1, points.length - 1)]]
    return [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part]
  })
}
