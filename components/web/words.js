// The one way of writing numbers, the same as engine.emit.picture.written: true minus signs, powers
// of ten as powers, narrow spaces between thousands and before a percent sign; and of reading them.

const NARROW = "\u202f"
const TIMES = "\u00a0×\u00a0" // a number is never torn apart at the end of a line
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
const LOWERED = Object.fromEntries([...SUPERSCRIPTS].map((c, digit) => [c, digit]))

const raised = (power) =>
  (power < 0 ? "⁻" : "") + [...String(Math.abs(power))].map((d) => SUPERSCRIPTS[d]).join("")
const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text)
const grouped = (text) => {
  const [whole, ...rest] = text.split(".")
  const spaced = whole.length > 4 ? whole.replace(/\B(?=(?:\d{3})+$)/g, NARROW) : whole
  return [spaced, ...rest].join(".")
}

// `spec` is Python's (.3f, +.3f, .1%, .2e, d), or a bare number of significant digits, which a "b"
// after it puts into brackets where it is negative; "t" writes a truth value.
export function written(value, spec = "") {
  if (spec === "t") return value ? "true" : "false"
  if (/^\d+b$/.test(spec)) {
    const text = written(value, spec.slice(0, -1))
    return text.startsWith("−") ? `(${text})` : text
  }
  if (Number.isNaN(value)) return "not a number"
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞"
  if (spec && !/^\d+$/.test(spec)) return formatted(value, spec)
  if (value === 0) return "0"
  const digits = Number(spec || 4)
  const [mantissa, exponent] = Math.abs(value).toExponential(digits - 1).split("e")
  const power = Number(exponent)
  const sign = value < 0 ? "−" : ""
  if (power >= -4 && power < 6) {
    return sign + grouped(trimmed(Math.abs(value).toFixed(Math.max(digits - 1 - power, 0))))
  }
  const head = trimmed(mantissa)
  return sign + (head === "1" ? "" : `${head}${TIMES}`) + `10${raised(power)}`
}

function formatted(value, spec) {
  const [, plus, digits, kind] = /^(\+?),?(?:\.(\d+))?([fe%dg]?)$/.exec(spec) ?? []
  if (kind === undefined) return written(value)
  const size = Math.abs(kind === "%" ? value * 100 : value)
  const places = digits === undefined ? (kind === "d" ? 0 : 6) : Number(digits)
  let text
  if (kind === "e") text = scientific(size, places)
  else if (kind === "g" || kind === "") text = written(size, String(places || 1))
  else text = grouped(size.toFixed(places)) // the exact binary value, as Python, up to 1e21
  if (kind === "%") text += `${NARROW}%`
  const zero = !/[1-9]/.test(text.split(TIMES)[0])
  if (value < 0 && !zero) return `−${text}`
  return plus ? `+${text}` : text
}

function scientific(size, places) {
  const [mantissa, exponent] = size.toExponential(places).split("e")
  return size === 0 ? mantissa : `${mantissa}${TIMES}10${raised(Number(exponent))}`
}

// The number that a reader typed, as above or as on any keyboard; NaN where it is none.
export function read(text) {
  const plain = text
    .replace(/10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/g, (_, power) => `1e${[...power].map((c) => LOWERED[c] ?? "-").join("")}`)
    .replace(/[\s\u202f]/g, "")
    .replaceAll("−", "-")
    .replace(",", ".")
    .replace(/[×*·]1e/, "e")
  return plain === "" ? NaN : Number(plain)
}

// Pieces of a sentence: texts, and [spec] where the next number stands; what follows ["?"] is left
// out where its number is 0.
export function sentence(pieces, numbers) {
  let k = 0
  let said = true
  let text = ""
  for (const piece of pieces) {
    const isText = typeof piece === "string"
    const number = isText ? NaN : numbers[k++]
    if (!isText && piece[0] === "?") said = Boolean(number)
    else if (said) text += isText ? piece : written(number, piece[0])
  }
  return text
}
