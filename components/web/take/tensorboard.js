// TensorBoard's event files, as far as their scalars go: records of {length, masked crc of the
// length, bytes, masked crc of the bytes}, each a protobuf Event with wall_time, step and a summary
// of {tag, simple_value} or {tag, tensor}.

const CRC = new Uint32Array(256).map((_, i) => {
  let c = i
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1
  return c >>> 0
})

// CRC-32C as TFRecord masks it.
function masked(bytes) {
  let crc = 0xffffffff
  for (const byte of bytes) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8)
  crc = (crc ^ 0xffffffff) >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

// Whether the first bytes are those of a record: the sum of its length is right.
export function isEvents(bytes) {
  if (bytes.length < 12) return false
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true) === masked(bytes.subarray(0, 8))
}

// Scalars by tag: Map of tag -> [{step, value}], in the order of their steps. A file that is still
// being written ends where its last whole record does.
export function scalarsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = new Map()
  for (let at = 0; at + 12 <= bytes.length; ) {
    const length = Number(view.getBigUint64(at, true))
    if (view.getUint32(at + 8, true) !== masked(bytes.subarray(at, at + 8))) throw new Error("a record of it is damaged")
    if (at + 16 + length > bytes.length) break
    const body = bytes.subarray(at + 12, at + 12 + length)
    if (view.getUint32(at + 12 + length, true) !== masked(body)) throw new Error("a record of it is damaged")
    readEvent(body, found)
    at += 16 + length
  }
  for (const points of found.values()) points.sort((a, b) => a.step - b.step)
  return found
}

const STEP = 2, SUMMARY = 5 // of Event
const TAG = 1, SIMPLE = 2, TENSOR = 8 // of Summary.Value
const DTYPE = 1, CONTENT = 4, FLOATS = 5, DOUBLES = 6 // of TensorProto

function readEvent(bytes, found) {
  let step = 0
  const summaries = []
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === STEP) step = Number(value)
    else if (field === SUMMARY) summaries.push(value)
  }
  for (const summary of summaries) {
    for (const { field, value } of fieldsOf(summary)) {
      if (field !== 1) continue
      let tag = ""
      let number = NaN
      for (const part of fieldsOf(value)) {
        if (part.field === TAG) tag = new TextDecoder().decode(part.value)
        else if (part.field === SIMPLE) number = part.value.getFloat32(0, true)
        else if (part.field === TENSOR) number = scalarIn(part.value)
      }
      if (!tag || Number.isNaN(number)) continue
      if (!found.has(tag)) found.set(tag, [])
      found.get(tag).push({ step, value: number })
    }
  }
}

// The number of a tensor that holds one, NaN for any other.
function scalarIn(bytes) {
  let dtype = 0
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === DTYPE) dtype = Number(value)
    if (![CONTENT, FLOATS, DOUBLES].includes(field)) continue
    const view = value instanceof DataView ? value : new DataView(value.buffer, value.byteOffset, value.byteLength)
    const wide = field === DOUBLES || (field === CONTENT && dtype === 2)
    if (view.byteLength !== (wide ? 8 : 4)) return NaN
    if (field === CONTENT && dtype !== 1 && dtype !== 2) return NaN
    return wide ? view.getFloat64(0, true) : view.getFloat32(0, true)
  }
  return NaN
}

// The fields of a protobuf message: a whole number as BigInt, a fixed one as a DataView, else bytes.
function* fieldsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const whole = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      if (at >= bytes.length || shift > 63n) throw new Error("a record of it cannot be read")
      const byte = bytes[at++]
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return BigInt.asIntN(64, value)
    }
  }
  while (at < bytes.length) {
    const key = Number(whole())
    const field = key >>> 3
    const kind = key & 7
    if (kind === 0) {
      yield { field, value: whole() }
      continue
    }
    const size = kind === 1 ? 8 : kind === 5 ? 4 : kind === 2 ? Number(whole()) : -1
    if (size < 0 || at + size > bytes.length) throw new Error("a record of it cannot be read")
    const start = at
    at += size
    yield { field, value: kind === 2 ? bytes.subarray(start, at) : new DataView(view.buffer, view.byteOffset + start, size) }
  }
}
