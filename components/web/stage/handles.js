// Points that the reader drags, by mouse, touch or arrow keys.

import { mark } from "../marks.js"
import { isLive } from "./figure.js"
import { format } from "./ticks.js"
import { measure } from "./words.js"

const SETTLED_MS = 450 // after the last arrow key the move counts as done
const KEY_STEP = 0.01 // of the axis; ten times that with shift
const ANSWER_MS = 1500 // for which a dropped handle waits for Python to take its place over
const LABEL = { size: 12, gap: 14, up: 14 } // a label's font, and how far it stands from the handle's middle

const short = (value) => format(value, ".3g")
// Decimals, as ARIA wants its numbers: a power of ten is none to it.
const plain = (value) =>
  String(value).includes("e") ? value.toLocaleString("en", { useGrouping: false, maximumSignificantDigits: 6 }) : String(value)
const coarse = () => matchMedia("(pointer: coarse)").matches

export class Handles {
  constructor(layer, panel) {
    this.layer = layer
    this.panel = panel
    this.byId = new Map()
  }

  update(specs, theme, resolve) {
    const ids = new Set(specs.map((spec) => spec.id))
    for (const [id, handle] of this.byId) if (!ids.has(id)) this.drop(id, handle)
    for (const spec of specs) {
      const handle = this.byId.get(spec.id) ?? this.create(spec.id)
      handle.update(spec, theme, resolve)
    }
  }

  // Values moved.
  refresh(resolve) {
    for (const handle of this.byId.values()) handle.refresh(resolve)
  }

  create(id) {
    const handle = new Handle(this.panel, id)
    this.byId.set(id, handle)
    this.layer.append(handle.button)
    return handle
  }

  drop(id, handle) {
    handle.dispose()
    this.byId.delete(id)
  }

  place() {
    for (const handle of this.byId.values()) handle.place()
  }

  get held() {
    return Array.from(this.byId.values()).some((handle) => handle.held)
  }

  dispose() {
    for (const [id, handle] of this.byId) this.drop(id, handle)
  }
}

class Handle {
  constructor(panel, id) {
    this.panel = panel
    this.id = id
    this.button = document.createElement("button")
    this.button.type = "button"
    this.button.className = "dl-handle"
    this.button.dataset.handle = id
    this.button.setAttribute("aria-roledescription", "draggable point")
    this.canvas = document.createElement("canvas")
    this.label = document.createElement("span")
    this.label.setAttribute("aria-hidden", "true")
    this.button.append(this.canvas, this.label)
    this.held = false
    this.timer = 0
    this.dropped = null // where Python had it as the hand let go, and when
    this.said = new Map() // attribute -> value
    this.button.onpointerdown = (event) => this.grab(event)
    this.button.onpointermove = (event) => this.held && this.move(event)
    this.button.onpointerup = () => this.release()
    this.button.onlostpointercapture = () => this.release()
    this.button.onkeydown = (event) => this.key(event)
    this.button.onblur = () => this.settle()
  }

  update(spec, theme, resolve) {
    this.given = spec
    this.button.dataset.axis = spec.axis
    this.draw(theme)
    this.refresh(resolve)
  }

  // Looks its leaves up again: while a hand holds it, the hand's place wins.
  refresh(resolve) {
    const { given } = this
    const bounds = (pair) => pair?.map(resolve) ?? null
    this.spec = {
      ...given, label: resolve(given.label) ?? "", min: bounds(given.min), max: bounds(given.max),
      curve: given.curve?.map(resolve),
    }
    const [x, y] = [resolve(given.x) ?? 0, resolve(given.y) ?? 0]
    const hand = this.x !== undefined && (this.held || this.timer || this.waits(x, y))
    if (!hand || given.axis === "y") this.x = x
    if (!hand || given.axis === "x") this.y = y
    this.curve()
    if (this.label.textContent !== this.spec.label) this.label.textContent = this.spec.label
    this.place()
  }

  // Whether Python has yet to hear of the drop; what is live follows the hand at once.
  waits(x, y) {
    const { given, dropped } = this
    if (!dropped || (isLive(given.x) && isLive(given.y))) return false
    const same = dropped.x === x && dropped.y === y
    if (same && performance.now() - dropped.at < ANSWER_MS) return true
    this.dropped = null
    return false
  }

  draw(theme) {
    const ratio = Math.min(3, devicePixelRatio || 1)
    const size = coarse() ? 44 : 32
    const colour = theme.colour(this.given.color)
    const look = [ratio, size, colour, this.given.marker, theme.key].join()
    if (look === this.look) return
    this.look = look
    this.font = { size: LABEL.size, family: theme.font }
    this.canvas.width = this.canvas.height = size * ratio
    this.canvas.style.width = this.canvas.style.height = `${size}px`
    const pen = this.canvas.getContext("2d")
    pen.scale(ratio, ratio)
    mark(pen, this.given.marker, size / 2, size / 2, 6, colour, theme.background)
  }

  place() {
    const { panel, button, spec } = this
    if (!spec || !panel.ready) return
    const x = panel.toX(this.x)
    const y = panel.toY(this.y)
    const seen = panel.inside(Math.round(x), Math.round(y)) || this.held
    if (seen !== this.seen) button.style.visibility = seen ? "" : "hidden"
    this.seen = seen
    const at = `translate(${x}px, ${y}px)`
    if (at !== this.at) button.style.transform = at
    this.at = at
    const flip = this.leans(x, y)
    if (flip !== this.flip) button.classList.toggle("dl-flip", flip)
    this.flip = flip
    this.describe()
  }

  // Whether the label stands to the left: where the panel ends on the right, or another word is.
  leans(x, y) {
    const { panel, spec } = this
    if (!spec.label) return false
    const { width, height } = measure(panel.chart.pen, spec.label, this.font)
    const right = { x: x + LABEL.gap, y: y - LABEL.up, width, height }
    const left = { ...right, x: x - LABEL.gap - width }
    if (left.x < 0) return false
    const edge = panel.chart.bar ? panel.chart.right : panel.width
    return right.x + width > edge || (panel.chart.meets(right) && !panel.chart.meets(left))
  }

  describe() {
    this.say("aria-disabled", String(this.locked))
    const { axis, label, id, min, max, spoken } = this.spec
    const name = spoken || label || id
    if (axis === "xy") {
      const at = `x ${short(this.x)}, y ${short(this.y)}`
      this.say("aria-label", `${name}: ${at}. Arrow keys move it.`)
      return
    }
    const way = axis === "x" ? 0 : 1
    const value = axis === "x" ? this.x : this.y
    this.say("role", "slider")
    this.say("aria-label", name)
    this.say("aria-valuenow", plain(value))
    this.say("aria-valuetext", short(value))
    this.say("aria-orientation", axis === "x" ? "horizontal" : "vertical")
    if (min) this.say("aria-valuemin", plain(min[way]))
    if (max) this.say("aria-valuemax", plain(max[way]))
  }

  // Writes an attribute if it is another than before.
  say(name, value) {
    if (this.said.get(name) === value) return
    this.said.set(name, value)
    this.button.setAttribute(name, value)
  }

  // A handle whose values are locked stands where it is.
  get locked() {
    const { store } = this.panel.stage
    return Object.keys(this.given.sets ?? {}).some((name) => store?.isLocked(name))
  }

  grab(event) {
    if (event.button !== 0 || this.locked) return
    event.stopPropagation()
    this.held = true
    const box = this.panel.plot.getBoundingClientRect()
    // Keep hold of the very spot that was grabbed.
    this.offset = [
      event.clientX - box.left - this.panel.toX(this.x),
      event.clientY - box.top - this.panel.toY(this.y),
    ]
    this.moved = false
    this.dropped = null
    this.button.setPointerCapture(event.pointerId)
    this.button.classList.add("dl-held")
    this.button.focus({ preventScroll: true })
  }

  move(event) {
    const box = this.panel.plot.getBoundingClientRect()
    this.to(event.clientX - box.left - this.offset[0], event.clientY - box.top - this.offset[1])
    this.tell("drag")
  }

  release() {
    if (!this.held) return
    this.held = false
    this.button.classList.remove("dl-held")
    if (this.moved) this.tell("drop")
    this.place()
  }

  key(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
    const step = by[event.key]
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
    if (this.locked) return
    const { panel } = this
    const size = KEY_STEP * (event.shiftKey ? 10 : 1)
    // On a one-way handle both pairs of arrows move it.
    const [dx, dy] = { xy: step, x: [step[0] - step[1], 0], y: [0, step[1] - step[0]] }[
      this.spec.axis
    ]
    this.to(
      panel.toX(this.x) + dx * size * (panel.right - panel.left),
      panel.toY(this.y) + dy * size * (panel.bottom - panel.top),
    )
    this.tell("drag")
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.settle(), SETTLED_MS)
  }

  settle() {
    if (!this.timer) return
    clearTimeout(this.timer)
    this.timer = 0
    this.tell("drop")
  }

  // Moves to a pixel, as far as the axes and the bounds allow.
  to(px, py) {
    const { panel, spec } = this
    const within = (value, way) => {
      const low = spec.min?.[way] ?? -Infinity
      const high = spec.max?.[way] ?? Infinity
      return Math.min(high, Math.max(low, value))
    }
    const x = Math.min(panel.right, Math.max(panel.left, px))
    const y = Math.min(panel.bottom, Math.max(panel.top, py))
    if (spec.axis !== "y") this.x = within(panel.chart.x.neat(x), 0)
    if (spec.axis !== "x") this.y = within(panel.chart.y.neat(y), 1)
    this.curve()
    this.moved = true
    this.place()
  }

  // Keeps y on the handle's curve.
  curve() {
    const { curve } = this.spec
    if (!curve) return
    const [xs, ys] = curve
    let low = 0
    let high = xs.length - 1
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (xs[middle] <= this.x) low = middle
      else high = middle
    }
    const part = Math.min(1, Math.max(0, (this.x - xs[low]) / (xs[high] - xs[low] || 1)))
    this.y = ys[low] + (ys[high] - ys[low]) * part
  }

  tell(kind) {
    const { panel, id, given } = this
    if (kind === "drop" && typeof given.x === "number" && typeof given.y === "number") {
      this.dropped = { x: given.x, y: given.y, at: performance.now() }
    }
    panel.stage.say({ panel: panel.spec.id, id, kind, x: this.x, y: this.y })
  }

  dispose() {
    clearTimeout(this.timer)
    this.button.remove()
  }
}
