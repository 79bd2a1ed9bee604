// Typed arrays from the wire (or, in a page that was taken along, from the file: `bytes`).  A large
// one may come by name alone; those seen before are kept
// for as long as the page lives, so that remounting a component costs nothing.

const KINDS = { f4: Float32Array, f8: Float64Array, u1: Uint8Array, i4: Int32Array }
const KEPT = 128
const held = new Map() // ref -> typed array, least recently used first

export class Missing extends Error {
  constructor(refs) {
    super(`arrays not held: ${refs.join(", ")}`)
    this.refs = refs
  }
}

function bytes(b64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(b64)
  const text = atob(b64)
  const out = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i)
  return out
}

// Notes every array that is sent in full, and throws Missing if any named one is not held.
export function receive(data) {
  const absent = new Set()
  const visit = (value) => {
    if (value === null || typeof value !== "object") return
    if (value.dtype && value.shape) {
      if (!value.ref) return
      if (value.b64 !== undefined && !held.has(value.ref)) keep(value.ref, decode(value))
      else if (held.has(value.ref)) keep(value.ref, held.get(value.ref))
      else absent.add(value.ref)
      return
    }
    for (const entry of Array.isArray(value) ? value : Object.values(value)) visit(entry)
  }
  visit(data)
  if (absent.size) throw new Missing([...absent])
}

function keep(ref, array) {
  held.delete(ref)
  held.set(ref, array)
  if (held.size > KEPT) held.delete(held.keys().next().value)
}

const decode = (blob) => {
  const raw = blob.bytes ?? bytes(blob.b64)
  const size = KINDS[blob.dtype].BYTES_PER_ELEMENT
  const out = new KINDS[blob.dtype](raw.buffer, 0, raw.length / size)
  out.shape = blob.shape
  return out
}

const text = (blob) => new TextDecoder().decode(array(blob))

export function array(blob) {
  if (!blob) return null
  return blob.ref ? held.get(blob.ref) : decode(blob)
}

// A constant of a program as it came: an array, a number, or the name of one that JSON lacks.
const UNSPOKEN = { inf: Infinity, "-inf": -Infinity, nan: NaN }
const constant = (c) => (c?.dtype ? array(c) : c?.$number ? UNSPOKEN[c.$number] : c)

// A picture's program as it came, ready for Program: arrays and modules decoded.
export const decoded = (spec) => ({
  lines: spec.lines,
  constants: spec.constants.map(constant),
  modules: Object.fromEntries(Object.entries(spec.modules).map(([n, blob]) => [n, text(blob)])),
})
