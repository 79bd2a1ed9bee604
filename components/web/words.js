// The one way of writing numbers, the same as engine.emit.picture.written.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
const raised = (power) =>
  (power < 0 ? "⁻" : "") + [...String(Math.abs(power))].map((d) => SUPERSCRIPTS[d]).join("")
const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text)

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
    return sign + trimmed(Math.abs(value).toFixed(Math.max(digits - 1 - power, 0)))
  }
  const head = trimmed(mantissa)
  return sign + (head === "1" ? "" : `${head} × `) + `10${raised(power)}`
}

function formatted(value, spec) {
  const [, plus, comma, digits, kind] = /^(\+?)(,?)(?:\.(\d+))?([fe%dg]?)$/.exec(spec) ?? []
  if (kind === undefined) return written(value)
  const scaled = kind === "%" ? value * 100 : value
  const places = digits === undefined ? (kind === "d" ? 0 : 6) : Number(digits)
  let text
  if (kind === "e") text = Math.abs(scaled).toExponential(places)
  else if (kind === "g" || kind === "") return signed(value, written(Math.abs(value), String(places || 1)), plus)
  else text = rounded(Math.abs(scaled), places)
  if (comma) text = text.replace(/\B(?=(\d{3})+(?!\d))/g, ",")
  if (kind === "%") text += "%"
  return signed(value, text, plus)
}

// toFixed rounds the exact binary value, as Python does, up to 1e21.
const rounded = (size, places) => size.toFixed(places)

function signed(value, text, plus) {
  const zero = !/[1-9]/.test(text)
  if (value < 0 && !zero) return `−${text}`
  return plus ? `+${text}` : text
}

// Pieces of a sentence: texts, and [spec] where the next number stands.
export function sentence(pieces, numbers) {
  let k = 0
  return pieces.map((piece) => (Array.isArray(piece) ? written(numbers[k++], piece[0]) : piece)).join("")
}
