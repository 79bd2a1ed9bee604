// Contours of a grid of values: bands of colour from a bilinear interpolation at every pixel,
// and lines by marching squares (Lorensen and Cline's idea in two dimensions).  Where a value
// is not finite the picture stays blank.  Fast enough to be drawn anew in every frame.

// Pixels of a grid's lines: where each column (or row) stands, and for each whole pixel from
// `begin` on the cell it lies in (−1 outside) and how far into it.
export function across(at, begin, count, cell, part) {
  const n = at.length
  const rising = at[n - 1] > at[0]
  let c = rising ? 0 : n - 2
  for (let i = 0; i < count; i++) {
    const x = begin + i + 0.5
    if (rising) while (c < n - 2 && at[c + 1] < x) c++
    else while (c > 0 && at[c] < x) c--
    const share = (x - at[c]) / (at[c + 1] - at[c])
    // Half a pixel of slack, for edges that fall between two pixels' middles.
    const slack = 0.6 / Math.abs(at[c + 1] - at[c])
    cell[i] = share >= -slack && share <= 1 + slack ? c : -1
    part[i] = share < 0 ? 0 : share > 1 ? 1 : share
  }
}

// Fills `out` (one word of colour a pixel, width × height) with the bands of `z` (rows × columns,
// row by row): band k + 1 lies above start + k × step; palette[0] is what lies below the start.
export function fill(out, width, height, z, columns, columnOf, partX, rowOf, partY, start, step, palette) {
  const row = new Float64Array(columns)
  const top = palette.length - 1
  const scale = 1 / step
  const offset = 1 - start / step
  for (let j = 0; j < height; j++) {
    const line = j * width
    const r = rowOf[j]
    if (r < 0) {
      out.fill(0, line, line + width)
      continue
    }
    const f = partY[j]
    const upper = r * columns
    const lower = upper + columns
    for (let c = 0; c < columns; c++) {
      const a = z[upper + c]
      row[c] = (a + (z[lower + c] - a) * f) * scale + offset
    }
    for (let i = 0; i < width; i++) {
      const c = columnOf[i]
      if (c < 0) {
        out[line + i] = 0
        continue
      }
      const a = row[c]
      const band = a + (row[c + 1] - a) * partX[i]
      if (band !== band) out[line + i] = 0
      else out[line + i] = palette[band < 0 ? 0 : band > top ? top : band | 0]
    }
  }
}

// The lines of z = level for each of `levels` (rising), as calls of segment(k, x0, y0, x1, y1) in
// pixels; `xs` and `ys` say where columns and rows stand.
export function lines(z, rows, columns, xs, ys, levels, segment) {
  const n = levels.length
  if (!n) return
  const step = n > 1 ? levels[1] - levels[0] : 1
  for (let r = 0; r + 1 < rows; r++) {
    const y0 = ys[r]
    const y1 = ys[r + 1]
    for (let c = 0; c + 1 < columns; c++) {
      const i = r * columns + c
      const a = z[i]
      const b = z[i + 1]
      const d = z[i + columns]
      const e = z[i + columns + 1]
      const low = Math.min(a, b, d, e)
      const high = Math.max(a, b, d, e)
      if (!(high - low > 0)) continue // flat, or not a number
      if (high < levels[0] || low > levels[n - 1]) continue
      const x0 = xs[c]
      const x1 = xs[c + 1]
      for (let k = Math.max(0, Math.ceil((low - levels[0]) / step)); k < n; k++) {
        const level = levels[k]
        if (level > high) break
        if (!(level > low)) continue
        // Where the four sides are crossed.
        const north = x0 + ((level - a) / (b - a)) * (x1 - x0)
        const south = x0 + ((level - d) / (e - d)) * (x1 - x0)
        const west = y0 + ((level - a) / (d - a)) * (y1 - y0)
        const east = y0 + ((level - b) / (e - b)) * (y1 - y0)
        const kind = (a >= level ? 1 : 0) | (b >= level ? 2 : 0) | (e >= level ? 4 : 0) | (d >= level ? 8 : 0)
        switch (kind) {
          case 1: case 14: segment(k, x0, west, north, y0); break
          case 2: case 13: segment(k, north, y0, x1, east); break
          case 3: case 12: segment(k, x0, west, x1, east); break
          case 4: case 11: segment(k, x1, east, south, y1); break
          case 6: case 9: segment(k, north, y0, south, y1); break
          case 7: case 8: segment(k, x0, west, south, y1); break
          case 5: case 10: {
            // A saddle: its middle says which corners belong together.
            const joined = (a + b + d + e) / 4 >= level === (kind === 5)
            segment(k, x0, west, ...(joined ? [south, y1] : [north, y0]))
            segment(k, x1, east, ...(joined ? [north, y0] : [south, y1]))
          }
        }
      }
    }
  }
}

// Levels start, start + step, … up to the end.
export function levelsOf({ start, end, size }) {
  if (!(size > 0) || !(end >= start)) return []
  const count = Math.min(200, Math.floor((end - start) / size + 1e-6) + 1)
  return Float64Array.from({ length: count }, (_, k) => start + k * size)
}

// The height at (x, y) between the four points around it; NaN outside.
export function at(z, rows, columns, xs, ys, x, y) {
  const [i, u] = between(xs, columns, x)
  const [j, v] = between(ys, rows, y)
  const row = (k) => z[k * columns + i] * (1 - u) + z[k * columns + i + 1] * u
  return row(j) * (1 - v) + row(j + 1) * v
}

function between(places, count, value) {
  const place = (i) => (places ? places[i] : i)
  if (!(value >= place(0) && value <= place(count - 1))) return [0, NaN]
  let low = 0
  let high = count - 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (place(middle) <= value) low = middle
    else high = middle
  }
  return [low, (value - place(low)) / (place(high) - place(low))]
}

// What a height stands for: with `meta` it is the logarithm of what a value lies above meta.above;
// what is left of rounding is 0.
export function heightOf({ meta }, z) {
  if (!meta) return z
  const value = 10 ** z + meta.above
  return Math.abs(value) < 1e-5 * 10 ** z ? 0 : value
}
