// Points that the reader drags, by mouse, touch or arrow keys.

import { mark } from "../marks.js"
import { array } from "./arrays.js"

const SETTLED_MS = 450 // after the last arrow key the move counts as done
const KEY_STEP = 0.01 // of the axis; ten times that with shift

const short = (value) => Number(value.toPrecision(3)).toString()

export class Handles {
  constructor(layer, panel) {
    this.layer = layer
    this.panel = panel
    this.byId = new Map()
  }

  update(specs, theme) {
    const ids = new Set(specs.map((spec) => spec.id))
    for (const [id, handle] of this.byId) if (!ids.has(id)) this.drop(id, handle)
    for (const spec of specs) {
      const handle = this.byId.get(spec.id) ?? this.create(spec.id)
      handle.update(spec, theme)
    }
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
    this.canvas = document.createElement("canvas")
    this.label = document.createElement("span")
    this.label.setAttribute("aria-hidden", "true")
    this.button.append(this.canvas, this.label)
    this.held = false
    this.awaited = 0 // until Python has seen this, its position is older than the hand's
    this.timer = 0
    this.button.onpointerdown = (event) => this.grab(event)
    this.button.onpointermove = (event) => this.held && this.move(event)
    this.button.onpointerup = () => this.release()
    this.button.onlostpointercapture = () => this.release()
    this.button.onkeydown = (event) => this.key(event)
    this.button.onblur = () => this.settle()
  }

  update(spec, theme) {
    const before = this.spec
    this.spec = { ...spec, curve: spec.curve?.map(array) }
    const ours = this.held || this.timer || this.awaited > this.panel.stage.gate.echoed
    if (!ours || !before) {
      this.x = spec.x
      this.y = spec.y
    } else {
      if (spec.axis === "x") this.y = spec.y
      if (spec.axis === "y") this.x = spec.x
    }
    this.curve()
    this.button.dataset.axis = spec.axis
    this.label.textContent = spec.label
    this.draw(theme)
    this.place()
  }

  draw(theme) {
    const ratio = Math.min(2, devicePixelRatio || 1)
    const size = this.button.offsetWidth || 32
    this.canvas.width = this.canvas.height = size * ratio
    this.canvas.style.width = this.canvas.style.height = `${size}px`
    const pen = this.canvas.getContext("2d")
    pen.scale(ratio, ratio)
    const colour = theme.colour(this.spec.color)
    mark(pen, this.spec.marker, size / 2, size / 2, 6, colour, theme.background)
  }

  place() {
    const { panel, button } = this
    if (!this.spec || panel.sx === undefined) return
    const x = panel.toX(this.x)
    const y = panel.toY(this.y)
    const seen = panel.inside(Math.round(x), Math.round(y))
    button.style.visibility = seen || this.held ? "" : "hidden"
    button.style.transform = `translate(${x}px, ${y}px)`
    button.classList.toggle("dl-flip", x > panel.right - 70)
    this.describe()
  }

  describe() {
    const { axis, label, id, min, max } = this.spec
    const at = { xy: `x ${short(this.x)}, y ${short(this.y)}`, x: short(this.x), y: short(this.y) }
    const set = (name, value) => this.button.setAttribute(name, value)
    set("aria-roledescription", "draggable point")
    if (axis === "xy") {
      set("aria-label", `${label || id}: ${at.xy}. Arrow keys move it.`)
      return
    }
    const way = axis === "x" ? 0 : 1
    set("role", "slider")
    set("aria-label", label || id)
    set("aria-valuenow", axis === "x" ? this.x : this.y)
    set("aria-valuetext", at[axis])
    set("aria-orientation", axis === "x" ? "horizontal" : "vertical")
    if (min) set("aria-valuemin", min[way])
    if (max) set("aria-valuemax", max[way])
  }

  grab(event) {
    if (event.button !== 0) return
    event.stopPropagation()
    this.held = true
    const box = this.panel.plot.getBoundingClientRect()
    // Keep hold of the very spot that was grabbed.
    this.offset = [
      event.clientX - box.left - this.panel.toX(this.x),
      event.clientY - box.top - this.panel.toY(this.y),
    ]
    this.moved = false
    this.button.setPointerCapture(event.pointerId)
    this.button.classList.add("dl-held")
    this.button.focus({ preventScroll: true })
  }

  move(event) {
    const box = this.panel.plot.getBoundingClientRect()
    this.to(event.clientX - box.left - this.offset[0], event.clientY - box.top - this.offset[1])
    this.say("drag")
  }

  release() {
    if (!this.held) return
    this.held = false
    this.button.classList.remove("dl-held")
    if (this.moved) this.say("drop")
    this.place()
  }

  key(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
    const step = by[event.key]
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
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
    this.say("drag")
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.settle(), SETTLED_MS)
  }

  settle() {
    if (!this.timer) return
    clearTimeout(this.timer)
    this.timer = 0
    this.say("drop")
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
    if (spec.axis !== "y") this.x = within(panel.fromX(x), 0)
    if (spec.axis !== "x") this.y = within(panel.fromY(y), 1)
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

  say(kind) {
    const { panel, id } = this
    this.awaited = panel.stage.say({ panel: panel.spec.id, id, kind, x: this.x, y: this.y })
  }

  dispose() {
    clearTimeout(this.timer)
    this.button.remove()
  }
}
