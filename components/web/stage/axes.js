// One axis of a chart: between data and pixels, on linear and logarithmic scales, and its marks.

import { format, linearTicks, logTicks } from "./ticks.js"
import { measure } from "./words.js"

const APART = { x: 46, y: 27 } // pixels between two marks at least
const LETTERS = 8 // pixels left free between two labels side by side
const DECADE = { x: 30, y: 21 } // pixels between two labels of a logarithmic axis at least
const MINOR = 3.2 // pixels between two minor marks at least

export class Axis {
  // `given` is the figure's axis over the theme's defaults, `way` "x" or "y".
  constructor(given, way) {
    this.given = given
    this.way = way
    this.log = given.type === "log"
    this.visible = given.visible !== false
    this.range = [0, 1]
    this.origin = 0
    this.scale = 1
  }

  // The ends of the axis in its own coordinates, which on a logarithmic one are exponents.
  spread(range) {
    this.range = range
  }

  // Lays it between two pixels, the first belonging to range[0].
  lay(from, to) {
    const [a, b] = this.range
    this.from = from
    this.upto = to
    this.scale = (to - from) / (b - a)
    this.origin = from - a * this.scale
  }

  // Data to the axis' own coordinate, and to a pixel; and back.
  own(value) {
    return this.log ? Math.log10(value) : value
  }

  pixel(value) {
    return this.origin + this.own(value) * this.scale
  }

  value(pixel) {
    const own = (pixel - this.origin) / this.scale
    return this.log ? 10 ** own : own
  }

  // The value at a pixel with the digits that a pixel can tell apart, and one more.
  neat(pixel) {
    const value = this.value(pixel)
    if (this.log) return Number(value.toPrecision(5))
    const digits = Math.max(0, Math.min(15, Math.ceil(Math.log10(Math.abs(this.scale))) + 1))
    return Number(value.toFixed(digits)) + 0
  }

  // Marks as {at (pixel), label, minor}, none of whose labels meet.
  marks(pen, font) {
    const length = Math.abs(this.upto - this.from)
    const { given } = this
    if (!this.visible || !(length > 0)) return []
    if (given.tickvals) return this.named()
    const [low, high] = [Math.min(...this.range), Math.max(...this.range)]
    const most = given.nticks ?? Infinity
    const settings = { format: given.tickformat ?? "" }
    let room = Math.min(most, Math.max(1, length / (this.log ? DECADE : APART)[this.way]))
    for (;;) {
      const marks = this.log
        ? logTicks(low, high, room, { ...settings, every: given.dtick ?? 1 })
        : linearTicks(low, high, room, { ...settings, step: given.dtick ?? 0 })
      const placed = marks.map((mark) => ({ ...mark, at: this.pixel(mark.value) }))
      if (room <= 1 || !this.crowded(placed, pen, font)) return this.thinned(placed)
      room = Math.max(1, room * 0.75)
    }
  }

  named() {
    const { tickvals, ticktext, tickformat } = this.given
    const [low, high] = [Math.min(...this.range), Math.max(...this.range)]
    const slack = 1e-6 * (high - low)
    return Array.from(tickvals, (value, i) => {
      const own = this.own(value)
      const label = ticktext?.[i] ?? format(value, tickformat || ".6g", true)
      return { value, label: String(label), at: this.origin + own * this.scale, own }
    }).filter(({ own }) => own >= low - slack && own <= high + slack)
  }

  crowded(marks, pen, font) {
    let last = -Infinity
    const labelled = marks.filter((mark) => mark.label).sort((a, b) => a.at - b.at)
    for (const { label, at } of labelled) {
      const size = measure(pen, label, font)
      const half = this.way === "x" ? (size.width + LETTERS) / 2 : size.height / 2
      if (at - half < last) return true
      last = at + half
    }
    return false
  }

  // Without minor marks that would stand too close to be told apart.
  thinned(marks) {
    const close = marks.some((mark, i) => i && Math.abs(mark.at - marks[i - 1].at) < MINOR)
    return close ? marks.filter((mark) => !mark.minor || Math.abs(Math.log10(mark.value) % 1) < 1e-9) : marks
  }
}
