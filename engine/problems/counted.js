// Random numbers by counting, as counted.py draws them: a hash of seed, stream and place.

export function make() {
  const GOLDEN = 0x9e3779b9

  const mixed = (x) => {
    x ^= x >>> 16
    x = Math.imul(x, 0x7feb352d)
    x ^= x >>> 15
    x = Math.imul(x, 0x846ca68b)
    return (x ^ (x >>> 16)) >>> 0
  }

  const keyOf = (seed, stream) => mixed(mixed((seed + GOLDEN) >>> 0) ^ stream)

  const bit = (key, i) => mixed((key + Math.imul(i, GOLDEN)) >>> 0)

  return {
    // A permutation of 0 … size − 1: places sorted by their bits, equal ones by place.
    order(seed, stream, size) {
      const key = keyOf(seed, stream)
      const sorted = new Float64Array(size) // 32 bits, then 21 for the place: exact in a double
      for (let i = 0; i < size; i++) sorted[i] = bit(key, i) * 2097152 + i
      sorted.sort()
      return Int32Array.from(sorted, (value) => value % 2097152)
    },

    signs(out, seed, stream) {
      const key = keyOf(seed, stream)
      for (let i = 0; i < out.length; i++) out[i] = bit(key, i) & 1 ? 1 : -1
    },

    // 0 with probability p, else 1/(1 − p).
    masks(out, seed, stream, p) {
      const key = keyOf(seed, stream)
      const kept = 1 / (1 - p)
      for (let i = 0; i < out.length; i++) out[i] = bit(key, i) / 4294967296 >= p ? kept : 0
    },
  }
}
