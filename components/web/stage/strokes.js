// Lines through many points on canvas: gaps where a point is missing, and dashes that are cut to
// what can be seen.

import { DASHES } from "../marks.js"

const FAR = 1e5 // pixels; canvases misbehave far beyond this

// Turns data into pixels under two axes; `out` is {px, py, along}, made anew where n changed.
// `along` is the length of the line up to each point, for dashes without a seam.
export function project(out, xs, ys, x, y, n = Math.min(xs.length, ys.length)) {
  if (out.px?.length !== n) {
    out.px = new Float32Array(n)
    out.py = new Float32Array(n)
    out.along = new Float32Array(n)
  }
  for (let i = 0; i < n; i++) {
    // A missing value is null in a list; as a number it would be 0.
    out.px[i] = xs[i] === null ? NaN : near(x.pixel(xs[i]))
    out.py[i] = ys[i] === null ? NaN : near(y.pixel(ys[i]))
  }
  lengths(out)
}

export const near = (pixel) => (pixel > FAR ? FAR : pixel < -FAR ? -FAR : pixel)

export function lengths({ px, py, along }) {
  let last = -1
  for (let i = 0; i < px.length; i++) {
    along[i] = i ? along[i - 1] : 0
    if (px[i] - px[i] !== 0 || py[i] - py[i] !== 0) continue // not finite: a gap
    if (last === i - 1 && i) along[i] += Math.hypot(px[i] - px[last], py[i] - py[last])
    last = i
  }
}

// Strokes points `from` to `to`; `box` {left, right, top, bottom} is what can be seen.
export function stroke(pen, line, from, to, { colour, width, dash, box }) {
  const pattern = DASHES[dash] ?? DASHES.solid
  pen.lineCap = pattern.length ? "butt" : "round"
  pen.lineJoin = "round"
  pen.lineWidth = width
  pen.strokeStyle = colour
  if (!pattern.length) {
    solid(pen, line, from, to)
    return
  }
  pen.setLineDash(pattern)
  dashed(pen, line, from, to, box)
  pen.setLineDash(DASHES.solid)
}

function solid(pen, { px, py }, from, to) {
  pen.beginPath()
  let broken = true
  for (let i = from; i <= to; i++) {
    const x = px[i]
    const y = py[i]
    if (x - x !== 0 || y - y !== 0) {
      broken = true
    } else if (broken) {
      pen.moveTo(x, y)
      broken = false
    } else {
      pen.lineTo(x, y)
    }
  }
  pen.stroke()
}

// Only what can be seen, piece by piece: a run that leaves the picture is so long that cutting
// all of it into dashes takes a tenth of a second.
function dashed(pen, { px, py, along }, from, to, box) {
  let end = null // of the piece under way, if it may go on
  for (let i = from + 1; i <= to; i++) {
    const part = visible(px[i - 1], py[i - 1], px[i], py[i], box)
    if (!part || part[0] > 0) {
      if (end) pen.stroke()
      end = null
    }
    if (!part) continue
    const [t0, t1] = part
    const dx = px[i] - px[i - 1]
    const dy = py[i] - py[i - 1]
    if (!end) {
      pen.lineDashOffset = along[i - 1] + t0 * (along[i] - along[i - 1])
      pen.beginPath()
      pen.moveTo(px[i - 1] + t0 * dx, py[i - 1] + t0 * dy)
    }
    pen.lineTo(px[i - 1] + t1 * dx, py[i - 1] + t1 * dy)
    end = t1 === 1
    if (!end) pen.stroke()
  }
  if (end) pen.stroke()
}

// The part [t0, t1] of a segment that lies in the box (Liang and Barsky), null if none does.
export function visible(x0, y0, x1, y1, { left, right, top, bottom }) {
  let t0 = 0
  let t1 = 1
  const within = (start, change, low, high) => {
    if (change === 0) return start >= low && start <= high
    const a = (low - start) / change
    const b = (high - start) / change
    t0 = Math.max(t0, Math.min(a, b))
    t1 = Math.min(t1, Math.max(a, b))
    return t0 <= t1 // false where a coordinate is not finite
  }
  return within(x0, x1 - x0, left, right) && within(y0, y1 - y0, top, bottom) ? [t0, t1] : null
}
