// Text on canvas: lines (<br>), bold, italic, sub- and superscripts, with a halo of the
// background instead of a plate, so that it never hides the curve beneath.

const LINE = 1.28 // of the font's size
const SMALL = 0.72 // a script's size
const RISE = 0.36 // how far a superscript is raised
const DROP = 0.2
const MIDDLE = 0.35 // from a line's middle down to its baseline
const KEPT = 3000
const ENTITIES = { amp: "&", lt: "<", gt: ">", nbsp: "\u00a0", minus: "−" }

const parsed = new Map()
const widths = new Map()
// What was measured before a font arrived was measured in another.
document.fonts?.addEventListener("loadingdone", () => widths.clear())

// Lines of runs {text, bold, italic, script (−1, 0, 1)}.
function parse(text) {
  let lines = parsed.get(text)
  if (lines) return lines
  lines = [[]]
  const now = { bold: 0, italic: 0, script: 0 }
  for (const piece of text.split(/(<\/?(?:br|b|i|em|strong|sub|sup)\s*\/?>)/i)) {
    const [, close, name] = /^<(\/?)(\w+)/.exec(piece) ?? []
    if (!name) {
      const plain = piece.replace(/&(\w+);/g, (whole, entity) => ENTITIES[entity] ?? whole)
      if (plain) lines.at(-1).push({ ...now, text: plain })
    } else if (/^br$/i.test(name)) lines.push([])
    else if (/^(b|strong)$/i.test(name)) now.bold = close ? 0 : 1
    else if (/^(i|em)$/i.test(name)) now.italic = close ? 0 : 1
    else now.script = close ? 0 : /^sup$/i.test(name) ? 1 : -1
  }
  if (parsed.size > KEPT) parsed.clear()
  parsed.set(text, lines)
  return lines
}

// A text as it is said: in one line, without its markup.
export const plain = (text) =>
  parse(text).map((runs) => runs.map((run) => (run.script > 0 ? `^${run.text}` : run.text)).join("")).join(" ")

const fontOf = (run, size, family) =>
  `${run.italic ? "italic " : ""}${run.bold ? "600 " : ""}` +
  `${run.script ? (size * SMALL).toFixed(1) : size}px ${family}`

function widthOf(pen, text, font) {
  const key = `${font}|${text}`
  let width = widths.get(key)
  if (width === undefined) {
    pen.font = font
    width = pen.measureText(text).width
    if (widths.size > KEPT) widths.clear()
    widths.set(key, width)
  }
  return width
}

// How much room a text takes: {width, height}, and the width of each of its lines.
export function measure(pen, text, { size, family }) {
  const lines = parse(String(text)).map((runs) =>
    runs.reduce((sum, run) => sum + widthOf(pen, run.text, fontOf(run, size, family)), 0))
  return { width: Math.max(0, ...lines), height: lines.length * LINE * size, lines }
}

// Writes a text into the box whose upper left corner is (x, y) and whose size `measure` gave.
export function write(pen, text, x, y, font, colour, { align = "left", halo = "", thick = 3 } = {}) {
  const { size, family } = font
  const lines = parse(String(text))
  const { width, lines: lengths } = measure(pen, text, font)
  const share = { left: 0, center: 0.5, right: 1 }[align]
  pen.textAlign = "left"
  pen.textBaseline = "alphabetic"
  // All halos first: the halo of a line must not eat the line above it.
  for (const stroke of halo ? [true, false] : [false]) {
    if (stroke) {
      pen.lineJoin = "round"
      pen.lineWidth = thick
      pen.strokeStyle = halo
    } else {
      pen.fillStyle = colour
    }
    lines.forEach((runs, i) => {
      let at = x + share * (width - lengths[i])
      const base = y + (i + 0.5) * LINE * size + MIDDLE * size
      for (const run of runs) {
        const face = fontOf(run, size, family)
        pen.font = face
        const line = base - (run.script > 0 ? RISE : run.script < 0 ? -DROP : 0) * size
        if (stroke) pen.strokeText(run.text, at, line)
        else pen.fillText(run.text, at, line)
        at += widthOf(pen, run.text, face)
      }
    })
  }
}
