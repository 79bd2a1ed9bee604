// GIF (GIF89a, W3C): frames of one size over one palette, each written as the box in which it
// differs from the one before.

const MOST = 255 // colours; one more stands for "as before"
const SAME = 255

// A palette of the most frequent colours of some images (5 bits a channel), and which of it is
// nearest to each.
export function paletteOf(images) {
  const counts = new Float64Array(1 << 15)
  const sums = [0, 1, 2].map(() => new Float64Array(1 << 15))
  for (const { data } of images) {
    for (let i = 0; i < data.length; i += 4) {
      const key = keyOf(data, i)
      counts[key]++
      for (let c = 0; c < 3; c++) sums[c][key] += data[i + c]
    }
  }
  const used = Array.from(counts.keys()).filter((key) => counts[key]).sort((a, b) => counts[b] - counts[a])
  const colours = used.slice(0, MOST).map((key) => sums.map((sum) => Math.round(sum[key] / counts[key])))
  return { colours, nearest: new Int16Array(1 << 15).fill(-1) }
}

const keyOf = (data, i) => ((data[i] >> 3) << 10) | ((data[i + 1] >> 3) << 5) | (data[i + 2] >> 3)

function indexed({ data }, { colours, nearest }) {
  const out = new Uint8Array(data.length / 4)
  for (let i = 0; i < out.length; i++) {
    const key = keyOf(data, 4 * i)
    if (nearest[key] < 0) {
      let least = Infinity
      colours.forEach(([r, g, b], k) => {
        const away = (r - data[4 * i]) ** 2 + (g - data[4 * i + 1]) ** 2 + (b - data[4 * i + 2]) ** 2
        if (away < least) [least, nearest[key]] = [away, k]
      })
    }
    out[i] = nearest[key]
  }
  return out
}

// The writer of a film: `add(image, centiseconds)` frame by frame, then `end()` for its bytes.
export class Gif {
  constructor(width, height, palette) {
    Object.assign(this, { width, height, palette })
    this.bytes = []
    this.before = null
    this.text("GIF89a")
    this.words(width, height)
    this.bytes.push(0xf7, 0, 0) // a palette of 256
    for (let k = 0; k < 256; k++) this.bytes.push(...(palette.colours[k] ?? [0, 0, 0]))
    this.bytes.push(0x21, 0xff, 11)
    this.text("NETSCAPE2.0")
    this.bytes.push(3, 1, 0, 0, 0) // for ever
  }

  text(text) {
    for (const letter of text) this.bytes.push(letter.charCodeAt(0))
  }

  words(...values) {
    for (const value of values) this.bytes.push(value & 255, value >> 8)
  }

  add(image, centiseconds) {
    const cells = indexed(image, this.palette)
    const [x0, y0, x1, y1] = this.changed(cells)
    const box = new Uint8Array((x1 - x0) * (y1 - y0))
    for (let y = y0, k = 0; y < y1; y++) {
      for (let x = x0; x < x1; x++, k++) {
        const at = y * this.width + x
        box[k] = this.before && this.before[at] === cells[at] ? SAME : cells[at]
      }
    }
    this.before = cells
    this.bytes.push(0x21, 0xf9, 4, 0b101) // what is there stays; one index is transparent
    this.words(Math.max(2, Math.round(centiseconds)))
    this.bytes.push(SAME, 0, 0x2c)
    this.words(x0, y0, x1 - x0, y1 - y0)
    this.bytes.push(0)
    this.compress(box)
  }

  // The box in which cells differ from the frame before; a single cell where none does.
  changed(cells) {
    const { width, height, before } = this
    if (!before) return [0, 0, width, height]
    let [x0, y0, x1, y1] = [width, height, 0, 0]
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (cells[y * width + x] === before[y * width + x]) continue
        if (x < x0) x0 = x
        if (x >= x1) x1 = x + 1
        if (y < y0) y0 = y
        y1 = y + 1
      }
    }
    return x1 ? [x0, y0, x1, y1] : [0, 0, 1, 1]
  }

  // Lempel, Ziv and Welch's codes, from 9 bits on, in blocks of at most 255 bytes.
  compress(cells) {
    const { bytes } = this
    bytes.push(8)
    const block = []
    let [bits, held, size] = [0, 0, 9]
    const flush = (least) => {
      while (block.length >= least && block.length) {
        const part = block.splice(0, 255)
        bytes.push(part.length, ...part)
      }
    }
    const put = (code) => {
      held |= code << bits
      bits += size
      while (bits >= 8) {
        block.push(held & 255)
        held >>>= 8
        bits -= 8
      }
      flush(255)
    }
    let known = new Map()
    let next = 258
    put(256)
    let prefix = cells[0]
    for (let i = 1; i < cells.length; i++) {
      const key = (prefix << 8) | cells[i]
      const code = known.get(key)
      if (code !== undefined) {
        prefix = code
        continue
      }
      put(prefix)
      prefix = cells[i]
      if (next === 4096) {
        put(256)
        known = new Map()
        next = 258
        size = 9
        continue
      }
      known.set(key, next)
      if (next++ === 1 << size) size++
    }
    put(prefix)
    put(257)
    if (bits) block.push(held & 255)
    flush(1)
    bytes.push(0)
  }

  end() {
    this.bytes.push(0x3b)
    return new Uint8Array(this.bytes)
  }
}
