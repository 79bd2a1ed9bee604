// A packed page as export.document writes it: the length of a JSON text, the text, and then the
// arrays that it names by number. What occurs in the states again stands in `same`, once.

const KINDS = { f4: 4, f8: 8, u1: 1, i4: 4 }

export function read(buffer) {
  const length = new DataView(buffer).getUint32(0, true)
  const page = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)))
  let at = 4 + length
  const known = [] // lines of programs, as they first came
  const blobs = page.blobs.map(([dtype, shape, size, way]) => {
    const bytes = new Uint8Array(buffer, at, size)
    at += size
    if (way === "lines") return blob(dtype, shape, text(bytes, known))
    if (way === "smooth") return blob("f4", shape, smooth(together(bytes, 4), shape))
    return blob(dtype, shape, together(bytes, KINDS[dtype]))
  })
  for (const name of ["states", "lineUps"]) page[name] = whole(page[name] ?? [], blobs, page.same)
  return page
}

// An array as the stage knows it, which is but a name where it is told from others by its JSON.
let count = 0
const blob = (dtype, shape, bytes) => {
  const name = ++count
  return Object.defineProperty({ dtype, shape, bytes }, "toJSON", { value: () => name })
}

function whole(value, blobs, same) {
  if (value === null || typeof value !== "object") return value
  if (value.$blob !== undefined) return blobs[value.$blob]
  if (value.$same !== undefined) return whole(same[value.$same], blobs, same)
  if (Array.isArray(value)) return value.map((entry) => whole(entry, blobs, same))
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, whole(entry, blobs, same)]))
}

// The text of a program: pieces that are new, and [first, count] of the lines that were known.
function text(bytes, known) {
  const lines = JSON.parse(new TextDecoder().decode(bytes)).flatMap((piece) => {
    if (typeof piece !== "string") return known.slice(piece[0], piece[0] + piece[1])
    const more = piece.split("\n")
    known.push(...more)
    return more
  })
  return new TextEncoder().encode(lines.join("\n"))
}

// Bytes that were sorted by their place in a number, each number together again.
function together(bytes, width) {
  const out = new Uint8Array(bytes.length)
  const count = bytes.length / width
  for (let k = 0; k < width; k++) for (let i = 0; i < count; i++) out[i * width + k] = bytes[k * count + i]
  return out
}

// A smooth surface: the leading bits of its numbers, as differences both ways.
function smooth(bytes, [rows, columns]) {
  const steps = new Uint32Array(bytes.buffer)
  const out = new Int32Array(steps.length)
  for (let i = 0; i < rows; i++) {
    let along = 0
    for (let j = 0; j < columns; j++) {
      const k = i * columns + j
      along = (along + ((steps[k] >>> 1) ^ -(steps[k] & 1))) | 0
      out[k] = ((i ? out[k - columns] : 0) + along) | 0
    }
  }
  for (let k = 0; k < out.length; k++) out[k] <<= 9
  return new Uint8Array(out.buffer)
}
