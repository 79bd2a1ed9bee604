// A film in VP8, encoded frame by frame with the times that it shall have (WebCodecs), in a WebM
// container: a busy machine makes it late, never short of frames.

const CODEC = "vp8"
const BITS = 2.5e6 // a second
const KEY_SECONDS = 2 // between frames that stand by themselves, where a player can begin
const QUEUE = 6 // frames that the encoder may lag behind

export async function canEncode(width, height) {
  if (!globalThis.VideoEncoder) return false // of a page that came over plain HTTP
  const { supported } = await VideoEncoder.isConfigSupported({ codec: CODEC, width, height, bitrate: BITS })
  return supported
}

// The Blob of `count` frames, so many a second, that paint(i) puts on the canvas (of even sides).
export async function film(canvas, count, rate, paint, progress) {
  const { width, height } = canvas
  const chunks = []
  let failed = null
  const encoder = new VideoEncoder({
    output(chunk) {
      const bytes = new Uint8Array(chunk.byteLength)
      chunk.copyTo(bytes)
      chunks.push({ bytes, at: Math.round(chunk.timestamp / 1000), key: chunk.type === "key" })
    },
    error: (problem) => (failed = problem),
  })
  encoder.configure({ codec: CODEC, width, height, bitrate: BITS, framerate: rate })
  for (let i = 0; i < count; i++) {
    paint(i)
    const frame = new VideoFrame(canvas, { timestamp: Math.round((1e6 * i) / rate) })
    encoder.encode(frame, { keyFrame: i % (KEY_SECONDS * rate) === 0 })
    frame.close()
    progress((i + 1) / count)
    do await new Promise((resolve) => setTimeout(resolve))
    while (encoder.encodeQueueSize > QUEUE && !failed)
    if (failed) throw failed
  }
  await encoder.flush()
  encoder.close()
  return container(chunks, width, height, (1000 * count) / rate)
}

// Matroska's elements: an id, how long it is, and what it holds.
function element(id, ...parts) {
  const body = parts.flat()
  const size = body.reduce((sum, part) => sum + part.length, 0)
  return [big(id), big(size, 8, 0x01), ...body]
}

// A whole number, the high byte first, in as few bytes as hold it or in so many, `mark` in the first.
function big(value, bytes = 0, mark = 0) {
  const out = []
  for (let rest = value; rest > 0 || out.length < Math.max(1, bytes); rest = Math.floor(rest / 256)) out.unshift(rest % 256)
  out[0] |= mark
  return Uint8Array.from(out)
}

const text = (value) => new TextEncoder().encode(value)
const lengthOf = (parts) => parts.reduce((sum, part) => sum + part.length, 0)

function real(value) {
  const out = new DataView(new ArrayBuffer(8))
  out.setFloat64(0, value)
  return new Uint8Array(out.buffer)
}

function container(chunks, width, height, milliseconds) {
  const head = element(0x1a45dfa3,
    element(0x4286, big(1)), element(0x42f7, big(1)), element(0x42f2, big(4)), element(0x42f3, big(8)),
    element(0x4282, text("webm")), element(0x4287, big(2)), element(0x4285, big(2)))
  const info = element(0x1549a966,
    element(0x2ad7b1, big(1_000_000)), element(0x4489, real(milliseconds)), // in milliseconds
    element(0x4d80, text("Descent Lab")), element(0x5741, text("Descent Lab")))
  const tracks = element(0x1654ae6b, element(0xae,
    element(0xd7, big(1)), element(0x73c5, big(1)), element(0x83, big(1)), element(0x86, text("V_VP8")),
    element(0xe0, element(0xb0, big(width)), element(0xba, big(height)))))
  const clusters = []
  for (const chunk of chunks) {
    if (chunk.key || !clusters.length) clusters.push({ at: chunk.at, blocks: [] })
    const { at, blocks } = clusters.at(-1)
    const begin = Uint8Array.of(0x81, (chunk.at - at) >> 8, (chunk.at - at) & 255, chunk.key ? 0x80 : 0)
    blocks.push(element(0xa3, [begin, chunk.bytes]))
  }
  const bodies = clusters.map(({ at, blocks }) => element(0x1f43b675, element(0xe7, big(at)), ...blocks))
  const index = (places) => element(0x1c53bb6b, ...clusters.map(({ at }, i) => element(0xbb,
    element(0xb3, big(at, 4)), element(0xb7, element(0xf7, big(1)), element(0xf1, big(places[i], 4))))))
  let place = lengthOf(info) + lengthOf(tracks) + lengthOf(index(clusters.map(() => 0)))
  const places = bodies.map((body) => (place += lengthOf(body)) - lengthOf(body))
  const segment = element(0x18538067, info, tracks, index(places), ...bodies)
  return new Blob([...head, ...segment], { type: "video/webm" })
}
