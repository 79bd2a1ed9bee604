// Where an axis has its marks and what they are called: round steps of 1, 2 or 5, and decades.
// Numbers are written as everywhere (words.js), powers of ten in markup.

import { written } from "../words.js"

const LARGE = 1e6 // from here on, and below SMALL, an axis counts in powers of ten
const SMALL = 1e-5
const MOST = 400 // marks on an axis: a guard against a step that does not suit its range

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
const lowered = (power) => [...power].map((c) => (c === "⁻" ? "−" : RAISED.indexOf(c))).join("")

// The least 1, 2 or 5 times a power of ten that is not below `rough`.
function roundStep(rough) {
  const decade = 10 ** Math.floor(Math.log10(rough))
  return clean([1, 2, 5, 10].find((m) => m * decade >= rough * (1 - 1e-9)) * decade)
}

// Without the round-off of a multiplication, and never −0.
const clean = (value) => Number(value.toPrecision(12)) + 0

export function multiples(low, high, step) {
  const slack = 1e-9 * (high - low)
  const first = Math.ceil((low - slack) / step)
  const count = Math.min(MOST, Math.floor((high + slack) / step) - first + 1)
  return Array.from({ length: Math.max(0, count) }, (_, k) => clean((first + k) * step))
}

// The marks of a linear axis: {value, label}, `room` steps at most.
export function linearTicks(low, high, room, { step = 0, format: spec = "" } = {}) {
  const span = high - low
  if (!(span > 0) || !Number.isFinite(span)) return []
  const least = span / Math.max(1, room)
  let by = step || roundStep(least)
  while (step && by < least * (1 - 1e-9)) by = by === step ? 2 * step : by === 2 * step ? 5 * step : 2 * by
  const values = multiples(low, high, by)
  if (spec) return values.map((value) => ({ value, label: format(value, spec, true) }))
  const labels = stepLabels(values, by)
  return values.map((value, i) => ({ value, label: labels[i] }))
}

// Labels with the decimals that their step needs and no zeros after them.
function stepLabels(values, step) {
  const largest = Math.max(...values.map(Math.abs), step)
  if (largest < LARGE && step > SMALL) {
    return values.map((value) => format(Number(value.toFixed(decimals(step))), "~g"))
  }
  const exponent = Math.floor(Math.log10(largest) + 1e-9)
  const unit = 10 ** exponent
  const digits = decimals(step / unit)
  return values.map((value) => {
    if (value === 0) return "0"
    const head = format(Number((value / unit).toFixed(digits)), "~g")
    const tail = decadeLabel(exponent)
    return head === "1" ? tail : head === "−1" ? `−${tail}` : `${head} × ${tail}`
  })
}

function decimals(step) {
  for (let digits = 0; digits < 12; digits++) {
    const scaled = step * 10 ** digits
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return digits
  }
  return 12
}

// The marks of a logarithmic axis between two exponents: {value, label, minor}.  Decades get
// labels, at least `every` apart and `room` of them at most; a range within a decade and a half
// is labelled inside it too, and one that has no two decades as a linear one is.
export function logTicks(low, high, room, { every = 1, format: spec = "" } = {}) {
  const span = high - low
  if (!(span > 0) || !Number.isFinite(span)) return []
  const name = (value, exponent) => spec ? format(value, spec, true) : decadeLabel(exponent)
  let by = Math.max(1, Math.round(every))
  const least = span / Math.max(1, room)
  if (by < least) by = Math.ceil(least)
  const within = span <= 1.6 && room >= 4
  const marks = []
  for (let e = Math.floor(low); e <= Math.ceil(high); e++) {
    for (let m = 1; m < 10; m++) {
      if (m > 1 && span > 9) break
      const at = e + Math.log10(m)
      if (at < low - 1e-9 || at > high + 1e-9) continue
      const value = clean(m * 10 ** e)
      const labelled = m === 1 ? e % by === 0 : within && (m === 2 || m === 5)
      const label = !labelled ? "" : m === 1 ? name(value, e) : format(value, "~g", true)
      marks.push({ value, label, minor: !labelled })
    }
  }
  if (marks.filter((mark) => mark.label).length > 1) return marks
  // Within a decade the axis is nearly a linear one.
  return linearTicks(10 ** low, 10 ** high, Math.min(room, 5)).filter(({ value }) => value > 0)
}

// 10⁰ and 10¹ are written out.
const decadeLabel = (exponent) =>
  exponent === 0 ? "1" : exponent === 1 ? "10" : `10<sup>${String(exponent).replace("-", "−")}</sup>`

// A number as d3's formats say that figures use (.3g, ~g, .2f, .1e, .0%, ",.0f"), with `rich`
// markup for powers of ten or superscript characters.
export function format(value, spec = ".4g", rich = false) {
  if (value === null || value === undefined) return "—"
  if (typeof value !== "number") return String(value)
  if (Number.isNaN(value)) return "—"
  const [, digits] = /^,?(?:\.(\d+))?~?g?$/.exec(spec) ?? []
  const general = /g$|^$/.test(spec)
  const text = written(value, general ? digits ?? "12" : spec.replace("~", ""))
  return rich ? text.replace(/[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+$/, (power) => `<sup>${lowered(power)}</sup>`) : text
}
