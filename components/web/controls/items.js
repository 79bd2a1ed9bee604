// One control each: a slider with its number field, a switch, a list of choices.
//
// `panel` is told what the hand did: panel.moved(name, value, committed).

import { read, written } from "../words.js"

const STEPS = 1000 // of the range input; a log scale is mapped onto these
const KEYS_MS = 450 // after the last key the value counts as settled

class Item {
  constructor(element, spec, panel) {
    this.element = element
    this.panel = panel
    this.name = spec.name
    element.dataset.name = spec.name
    element.querySelector(".dc-text").textContent = spec.label
    const help = element.querySelector(".dc-help")
    const why = element.querySelector(".dc-why")
    why.hidden = !spec.help
    why.setAttribute("aria-label", `About ${spec.label}`)
    help.textContent = spec.help
    why.onclick = () => {
      help.hidden = !help.hidden
      why.setAttribute("aria-expanded", String(!help.hidden))
    }
    element.classList.toggle("dc-locked", spec.locked)
    this.spec = spec
  }

  named(input) {
    input.setAttribute("aria-label", this.spec.label)
    input.disabled = this.spec.locked
    return input
  }

  get busy() {
    return false
  }
}

export class Slider extends Item {
  constructor(element, spec, panel) {
    super(element, spec, panel)
    element.querySelector(".dc-symbol").textContent = spec.symbol
    element.querySelector(".dc-unit").textContent = spec.unit
    this.range = this.named(element.querySelector(".dc-range"))
    this.number = this.named(element.querySelector(".dc-number"))
    this.message = element.querySelector(".dc-message")
    this.tick = element.querySelector(".dc-tick")
    this.held = false // a pointer is on the thumb
    this.unsettled = false // moved, and not yet sent as committed
    this.timer = 0
    const stepped = spec.scale === "linear" && spec.step
    this.range.min = stepped ? spec.min : 0
    this.range.max = stepped ? spec.max : STEPS
    this.range.step = stepped ? spec.step : 1
    this.stepped = stepped
    this.value = typeof spec.value === "number" ? spec.value : spec.min
    const tick = spec.default === null ? -1 : this.part(spec.default)
    this.tick.hidden = !(tick >= 0 && tick <= 1)
    this.tick.style.left = this.across(tick)
    this.listen()
  }

  listen() {
    const { range, number } = this
    const label = this.element.querySelector(".dc-label")
    if (this.spec.default !== null && !this.spec.locked) {
      label.title = `Double-click: back to ${this.text(this.spec.default)}`
      label.ondblclick = () => this.set(this.spec.default, true)
    }
    range.onpointerdown = () => (this.held = true)
    const release = () => {
      this.held = false
      if (!this.timer) this.settle()
    }
    range.onpointerup = range.onpointercancel = range.onlostpointercapture = release
    range.oninput = () => {
      this.set(this.fromRange(), false)
      // Keys have no release: they are settled after a while without any.
      if (!this.held) this.later()
    }
    range.onchange = release // the last word where a pointer's release goes unseen
    range.onblur = () => this.settle()
    range.onkeydown = (event) => this.rangeKey(event)
    number.onfocus = () => number.select()
    number.onchange = () => this.read()
    number.onkeydown = (event) => this.numberKey(event)
  }

  rangeKey(event) {
    const fine = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key]
    const coarse = { PageDown: -1, PageUp: 1 }[event.key]
    if ((!fine && !coarse) || this.stepped) return
    // A thousandth of the way is too little for a key: go by a hundredth, or a tenth.
    event.preventDefault()
    const by = fine ? fine * (event.shiftKey ? 0.1 : 0.01) : coarse * 0.1
    this.set(this.at(Math.min(1, Math.max(0, this.part(this.value) + by))), false)
    this.later()
  }

  numberKey(event) {
    if (event.key === "Enter") this.read()
    else if (event.key === "Escape") this.show()
    else return
    event.stopPropagation()
    if (event.key === "Enter") this.number.select()
  }

  // 0 to 1 along the scale.
  part(value) {
    const { min, max, scale } = this.spec
    if (scale === "log") return Math.log(value / min) / Math.log(max / min)
    return (value - min) / (max - min)
  }

  at(part) {
    const { min, max, scale, integer, step } = this.spec
    if (part <= 0) return min
    if (part >= 1) return max
    let value = scale === "log" ? min * (max / min) ** part : min + part * (max - min)
    if (step && scale === "linear") value = min + Math.round((value - min) / step) * step
    value = integer ? Math.round(value) : Number(value.toPrecision(4))
    return Math.min(max, Math.max(min, value))
  }

  fromRange() {
    if (!this.stepped) return this.at(this.range.valueAsNumber / STEPS)
    return Number(this.range.valueAsNumber.toPrecision(12))
  }

  // Where the thumb's middle stands, for the tick: the thumb stays inside the track.
  across(part) {
    return `calc(${(part * 100).toFixed(2)}% + ${((0.5 - part) * 14).toFixed(1)}px)`
  }

  // Whole numbers with all of their digits, others with four.
  text(value) {
    return written(value, this.spec.integer ? "d" : "")
  }

  read() {
    const { number, spec } = this
    if (number.value === this.text(this.value)) return
    const asked = read(number.value)
    if (!Number.isFinite(asked)) {
      this.say(`“${number.value}” is not a number; kept ${this.text(this.value)}.`)
      this.show()
      return
    }
    let value = Math.min(spec.max, Math.max(spec.min, asked))
    if (spec.integer) value = Math.round(value)
    const range = `${this.text(spec.min)} to ${this.text(spec.max)}`
    this.say(value === asked ? "" : spec.integer && value === Math.round(asked)
      ? "Whole numbers only." : `The range is ${range}.`)
    this.set(value, true)
  }

  say(text) {
    this.message.textContent = text
    this.number.setAttribute("aria-invalid", String(Boolean(text)))
  }

  set(value, committed) {
    if (!committed) this.say("")
    const changed = value !== this.value
    this.value = value
    this.show()
    if (!changed) return
    this.unsettled = !committed
    this.panel.moved(this.name, value, committed)
  }

  later() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.settle(), KEYS_MS)
  }

  settle() {
    clearTimeout(this.timer)
    this.timer = 0
    if (!this.unsettled) return
    this.unsettled = false
    this.panel.moved(this.name, this.value, true)
  }

  get busy() {
    return this.held || this.timer > 0
  }

  take(value) {
    if (value === this.shown) return // most of a rerun's values: writing them costs a layout
    if (value !== this.value) this.say("")
    this.value = value
    this.show()
  }

  // Where the unstable part of the track begins, shaded from there on.
  bound(limit) {
    const part = Number.isFinite(limit) ? this.part(limit) : NaN
    const at = part >= 0 && part <= 1 ? this.across(part) : ""
    if (at === this.limit) return
    this.limit = at
    this.range.classList.toggle("dc-bounded", Boolean(at))
    this.range.style.setProperty("--limit", at || "100%")
  }

  show() {
    const { range, number, value, spec } = this
    const part = this.part(value)
    this.shown = value
    range.value = this.stepped ? value : Math.round(part * STEPS)
    range.style.setProperty("--fill", this.across(part))
    range.setAttribute("aria-valuetext", `${this.text(value)}${spec.unit ? ` ${spec.unit}` : ""}`)
    number.value = this.text(value)
  }

  brief() {
    return `${this.spec.symbol || this.spec.label} ${this.text(this.value)}`
  }

  dispose() {
    clearTimeout(this.timer)
  }
}

export class Toggle extends Item {
  constructor(element, spec, panel) {
    super(element, spec, panel)
    this.input = this.named(element.querySelector(".dc-switch"))
    this.input.onchange = () => panel.moved(this.name, this.input.checked, true)
  }

  take(value) {
    this.input.checked = value
  }

  brief() {
    return this.input.checked ? this.spec.label : ""
  }

  dispose() {}
}

export class Choice extends Item {
  constructor(element, spec, panel) {
    super(element, spec, panel)
    this.input = this.named(element.querySelector(".dc-select"))
    this.input.append(...spec.options.map(([value, label]) => new Option(label, value)))
    this.input.onchange = () => panel.moved(this.name, this.input.value, true)
  }

  take(value) {
    this.input.value = value
  }

  brief() {
    return this.input.selectedOptions[0]?.textContent ?? ""
  }

  dispose() {}
}
