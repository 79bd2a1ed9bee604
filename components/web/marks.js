// Drawing on canvas: markers, dashes and arrows, in CSS pixels.

export const DASHES = {
  solid: [],
  dash: [8, 5],
  dot: [2, 3.5],
  dashdot: [8, 4, 2, 4],
  longdash: [14, 6],
}

const polygon = (n, turn, inner = 1) =>
  Array.from({ length: inner === 1 ? n : 2 * n }, (_, i, all = inner === 1 ? n : 2 * n) => {
    const angle = turn + (2 * Math.PI * i) / all
    const radius = inner !== 1 && i % 2 ? inner : 1
    return [radius * Math.cos(angle), radius * Math.sin(angle)]
  })

const UP = -Math.PI / 2
const cross = (w) =>
  [[-w, -1], [w, -1], [w, -w], [1, -w], [1, w], [w, w], [w, 1], [-w, 1], [-w, w], [-1, w],
    [-1, -w], [-w, -w]]
const turned = (points) =>
  points.map(([x, y]) => [(x - y) * Math.SQRT1_2, (x + y) * Math.SQRT1_2])

// Outlines in a unit circle, grown a little where the shape would look smaller than a disc.
const OUTLINES = {
  square: [polygon(4, Math.PI / 4), 1.25],
  diamond: [polygon(4, 0), 1.3],
  triangle: [polygon(3, UP), 1.35],
  "triangle-down": [polygon(3, -UP), 1.35],
  star: [polygon(5, UP, 0.45), 1.5],
  cross: [cross(0.36), 1.2],
  plus: [cross(0.22), 1.2],
  x: [turned(cross(0.3)), 1.2],
  hexagon: [polygon(6, UP), 1.15],
  pentagon: [polygon(5, UP), 1.2],
}

function outline(pen, marker, x, y, size) {
  pen.beginPath()
  const shape = OUTLINES[marker]
  if (!shape) return pen.arc(x, y, size, 0, 2 * Math.PI)
  const [points, grow] = shape
  for (let i = 0; i < points.length; i++) {
    const px = x + points[i][0] * size * grow
    const py = y + points[i][1] * size * grow
    if (i) pen.lineTo(px, py)
    else pen.moveTo(px, py)
  }
  pen.closePath()
}

// A filled marker with a halo of the background, so that it stands off the lines below it.
export function mark(pen, marker, x, y, size, colour, halo) {
  outline(pen, marker, x, y, size)
  pen.lineJoin = "round"
  if (marker === "ring") {
    pen.fillStyle = halo
    pen.fill()
    pen.lineWidth = 2.5
    pen.strokeStyle = colour
    pen.stroke()
    return
  }
  pen.lineWidth = 3
  pen.strokeStyle = halo
  pen.stroke()
  pen.fillStyle = colour
  pen.fill()
}

// A figure's symbol under Plotly's name ("circle-open", "x-thin", "triangle-up"), `size` across:
// an open one is an outline, a thin one is strokes alone.
export function symbol(pen, name, x, y, size, fill, { width = 0, color = fill } = {}) {
  const open = name.endsWith("-open")
  const base = name.replace(/-(open|dot|up)/g, "")
  const radius = size / 2
  pen.lineJoin = "round"
  if (base.endsWith("-thin")) {
    const arm = base === "x-thin" ? radius : radius * 1.4
    const [ax, ay] = base === "x-thin" ? [arm, arm] : [arm, 0]
    pen.beginPath()
    pen.moveTo(x - ax, y - ay)
    pen.lineTo(x + ax, y + ay)
    pen.moveTo(x - ay, y + ax)
    pen.lineTo(x + ay, y - ax)
    pen.lineCap = "round"
    pen.lineWidth = width || 1.5
    pen.strokeStyle = open ? fill : color
    pen.stroke()
    pen.lineCap = "butt"
    return
  }
  outline(pen, base, x, y, radius)
  if (!open) {
    pen.fillStyle = fill
    pen.fill()
  }
  if (!open && !width) return
  pen.lineWidth = width || 1.5
  pen.strokeStyle = open ? fill : color
  pen.stroke()
}

// Where a track ended for good.
export function endMark(pen, x, y, size, colour, halo) {
  pen.beginPath()
  pen.moveTo(x - size, y - size)
  pen.lineTo(x + size, y + size)
  pen.moveTo(x + size, y - size)
  pen.lineTo(x - size, y + size)
  pen.lineCap = "round"
  pen.lineWidth = 5.5
  pen.strokeStyle = halo
  pen.stroke()
  pen.lineWidth = 2.5
  pen.strokeStyle = colour
  pen.stroke()
  pen.lineCap = "butt"
}

export function arrow(pen, x0, y0, x1, y1, width, colour, halo) {
  const length = Math.hypot(x1 - x0, y1 - y0)
  if (length < 1) return
  const ux = (x1 - x0) / length
  const uy = (y1 - y0) / length
  const head = Math.min(4 + 2.5 * width, length)
  const half = head * 0.45
  pen.beginPath()
  pen.moveTo(x0, y0)
  pen.lineTo(x1 - ux * head * 0.8, y1 - uy * head * 0.8)
  pen.lineWidth = width + 2.5
  pen.strokeStyle = halo
  pen.stroke()
  pen.lineWidth = width
  pen.strokeStyle = colour
  pen.stroke()
  pen.beginPath()
  pen.moveTo(x1, y1)
  pen.lineTo(x1 - ux * head - uy * half, y1 - uy * head + ux * half)
  pen.lineTo(x1 - ux * head + uy * half, y1 - uy * head - ux * half)
  pen.closePath()
  pen.fillStyle = colour
  pen.fill()
}

// A small drawing of a track's line and marker, for legends.  It is a picture rather than a
// canvas: a browser composes every canvas anew in every frame, whether it changed or not.
export function swatch({ color, dash, marker }, theme) {
  const ratio = Math.min(2, devicePixelRatio || 1)
  const [width, height] = [28, 14]
  const canvas = document.createElement("canvas")
  canvas.width = width * ratio
  canvas.height = height * ratio
  const pen = canvas.getContext("2d")
  pen.scale(ratio, ratio)
  const colour = theme.colour(color)
  const [on, off, ...more] = DASHES[dash] ?? []
  pen.setLineDash(DASHES[dash] ?? [])
  // The marker stands in a gap, so that the line is seen on both sides of it.
  if (on && !more.length) pen.lineDashOffset = on + off / 2 - (width / 2 - 1)
  pen.strokeStyle = colour
  pen.lineWidth = 2
  pen.beginPath()
  pen.moveTo(1, height / 2)
  pen.lineTo(width - 1, height / 2)
  pen.stroke()
  pen.setLineDash([])
  if (marker) mark(pen, marker, width / 2, height / 2, 3.6, colour, theme.background)
  const image = new Image(width, height)
  image.src = canvas.toDataURL()
  image.alt = ""
  return image
}
