// What stands in a chart: lines and points, bars, contours.  Each trace knows how to draw itself
// under two axes, which labels it wants written, and what it says where the pointer is.

import { symbol } from "../marks.js"
import { rgba } from "../theme.js"
import { across, at, fill, heightOf, levelsOf, lines } from "./contours.js"
import { project, stroke } from "./strokes.js"
import { format } from "./ticks.js"
import { measure } from "./words.js"

const REACH = 14 // pixels from the pointer to a point or line that it reads
const LABEL_GAP = 3
const HATCH = 7 // pixels between two strokes of a hatching

// Entry i of what may be one value for all.
export const entry = (value, i) =>
  value !== null && typeof value === "object" ? value[i] : value

export function trace(spec) {
  if (spec.type === "bar") return new Bars(spec)
  if (spec.type === "contour") return new Contours(spec)
  return new Points(spec)
}

// The text of a hover template: %{x:.3g}, %{y}, %{text}, %{customdata:.2f}.
function hover(spec, i, x, y, z) {
  const values = { x, y, z, text: entry(spec.text, i), customdata: entry(spec.customdata, i) }
  const template = spec.hovertemplate
  if (!template) return `${spec.name ? `${spec.name}\n` : ""}${format(x)}, ${format(y)}`
  return template
    .replace(/<extra>.*?<\/extra>/s, "")
    .replace(/%\{(\w+)(?::([^}]*))?\}/g, (_, name, how) => format(values[name], how || ".4g"))
    .replace(/<br\s*\/?>/g, "\n")
    .replace(/<[^>]+>/g, "")
}

const silent = (spec) => spec.hoverinfo === "skip" || spec.hoverinfo === "none"

// Lines, points and their words ------------------------------------------------------------------

class Points {
  constructor(spec) {
    this.spec = spec
    this.order = 2
    const { mode = "lines" } = spec
    this.hasLine = mode.includes("lines")
    this.hasMarks = mode.includes("markers")
    this.hasText = mode.includes("text")
    this.unclipped = spec.cliponaxis === false
  }

  get xs() {
    return this.spec.x ?? Float64Array.from(this.spec.y, (_, i) => i)
  }

  draw(pen, chart) {
    const { spec } = this
    const { x, y, theme } = chart
    project(this, this.xs, spec.y, x, y)
    pen.globalAlpha = spec.opacity ?? 1
    if (spec.fill && spec.fill !== "none") this.shade(pen, chart)
    const { line = {} } = spec
    if (this.hasLine && line.width !== 0) {
      stroke(pen, this, 0, this.px.length - 1, {
        colour: line.color ?? theme.text, width: line.width ?? 2, dash: line.dash, box: chart.reach,
      })
    }
    if (this.hasMarks && !this.unclipped) this.drawMarks(pen, theme)
    pen.globalAlpha = 1
  }

  // What may stand over the edge of the picture.
  drawOver(pen, chart) {
    if (!this.hasMarks || !this.unclipped) return
    pen.globalAlpha = this.spec.opacity ?? 1
    this.drawMarks(pen, chart.theme, chart)
    pen.globalAlpha = 1
  }

  shade(pen, { y, bottom }) {
    const { px, py, spec } = this
    const base = y.log ? bottom : y.pixel(0)
    pen.fillStyle = spec.fillcolor ?? spec.line?.color
    pen.beginPath()
    let begun = -1
    for (let i = 0; i <= px.length; i++) {
      const there = i < px.length && px[i] - px[i] === 0 && py[i] - py[i] === 0
      if (there && begun < 0) {
        begun = i
        if (spec.fill === "tozeroy") pen.moveTo(px[i], base)
        else pen.moveTo(px[i], py[i])
      }
      if (there) pen.lineTo(px[i], py[i])
      else if (begun >= 0) {
        if (spec.fill === "tozeroy") pen.lineTo(px[i - 1], base)
        pen.closePath()
        begun = -1
      }
    }
    pen.fill()
  }

  drawMarks(pen, theme, bounds = null) {
    const { px, py, spec } = this
    const { marker = {} } = spec
    const colours = this.colours(theme)
    const before = pen.globalAlpha
    pen.globalAlpha = before * (marker.opacity ?? 1)
    for (let i = 0; i < px.length; i++) {
      const size = entry(marker.size, i) ?? 6
      if (!(size > 1) || px[i] - px[i] !== 0 || py[i] - py[i] !== 0) continue
      if (bounds && !bounds.inside(px[i], py[i], 1)) continue
      const { width = 0, color } = marker.line ?? {}
      symbol(pen, entry(marker.symbol, i) ?? "circle", px[i], py[i], size, colours(i),
        { width: entry(width, i), color: entry(color, i) ?? colours(i) })
    }
    pen.globalAlpha = before
  }

  // The colour of point i: its own, or where its number lies on the scale.
  colours(theme) {
    const { marker = {}, line } = this.spec
    const { color, colorscale, cmin = 0, cmax = 1 } = marker
    if (!colorscale || !color || typeof color !== "object") {
      return (i) => entry(color, i) ?? line?.color ?? theme.text
    }
    const scale = scaleOf(colorscale)
    return (i) => css(scale, (color[i] - cmin) / (cmax - cmin))
  }

  // Words at points, as boxes to be placed.
  labels(pen, chart) {
    if (!this.hasText || !this.spec.text) return []
    const { spec, px, py } = this
    const { textfont = {}, textposition = "middle center" } = spec
    const font = { size: textfont.size ?? chart.font.size, family: chart.font.family }
    const found = []
    for (let i = 0; i < px.length; i++) {
      const text = entry(spec.text, i)
      if (!text || !chart.inside(px[i], py[i], 1)) continue
      const { width, height } = measure(pen, text, font)
      const [down, side] = (entry(textposition, i) ?? "middle center").split(" ")
      const gap = this.hasMarks ? (entry(spec.marker?.size, i) ?? 6) / 2 + 2 : 0
      const off = side === "center" ? 0 : down === "middle" ? gap + 2 : gap * 0.7
      const left = px[i] - off - width
      const right = px[i] + off
      const x = side === "left" ? (left < 0 ? right : left)
        : side === "right" ? (right + width > chart.width ? left : right) : px[i] - width / 2
      const y = down === "top" ? py[i] - gap - height : down === "bottom" ? py[i] + gap : py[i] - height / 2
      const inside = down === "middle" && side === "center"
      found.push({
        text, font, x, y, width, height, fixed: inside, halo: !inside, align: "center",
        colour: entry(textfont.color, i) ?? chart.theme.text,
      })
    }
    return found
  }

  read(px, py, chart) {
    const { spec } = this
    if (silent(spec) || !this.px) return null
    let best = REACH ** 2
    let found = null
    const xs = this.xs
    const take = (distance, i, atX, atY, x, y) => {
      if (distance >= best) return
      best = distance
      found = { distance, i, atX, atY, x, y }
    }
    for (let i = 0; i < this.px.length; i++) {
      const x1 = this.px[i]
      const y1 = this.py[i]
      if (x1 - x1 !== 0 || y1 - y1 !== 0) continue
      if (!this.hasLine || this.hasMarks) {
        if (entry(spec.marker?.size, i) === 0) continue
        take((x1 - px) ** 2 + (y1 - py) ** 2, i, x1, y1, xs[i], spec.y[i])
      }
      if (!this.hasLine || !i || this.hasMarks) continue
      const x0 = this.px[i - 1]
      const y0 = this.py[i - 1]
      if (x0 - x0 !== 0 || y0 - y0 !== 0) continue
      const [dx, dy] = [x1 - x0, y1 - y0]
      const t = Math.min(1, Math.max(0, ((px - x0) * dx + (py - y0) * dy) / (dx * dx + dy * dy || 1)))
      const [atX, atY] = [x0 + t * dx, y0 + t * dy]
      // At a point its own numbers, between two of them what the line shows.
      const near = t < 0.5 ? i - 1 : i
      const exact = t === 0 || t === 1
      take((atX - px) ** 2 + (atY - py) ** 2, near, atX, atY,
        exact ? xs[near] : chart.x.value(atX),
        exact || y0 === y1 ? spec.y[near] : chart.y.value(atY))
    }
    if (!found || !chart.inside(found.atX, found.atY, this.unclipped ? 8 : 1)) return null
    return { ...found, text: hover(spec, found.i, found.x, found.y) }
  }
}

// Bars -------------------------------------------------------------------------------------------

class Bars {
  constructor(spec) {
    this.spec = spec
    this.order = 1
    this.across = spec.orientation === "h" // bars that lie
  }

  // Rectangles in pixels; `floors` are the tops of the bars below, where bars are stacked.
  lay(chart, floors) {
    const { spec } = this
    const { x, y, ratio } = chart
    const lengths = this.across ? spec.x : spec.y
    const places = this.across ? spec.y : spec.x
    const along = this.across ? x : y
    const side = this.across ? y : x
    const n = lengths.length
    const whole = spacing(places, n) * (1 - (chart.layout.bargap ?? 0.2))
    const snap = (pixel) => Math.round(pixel * ratio) / ratio
    this.rects = []
    for (let i = 0; i < n; i++) {
      const at = entry(places, i) ?? i
      const width = entry(spec.width, i) ?? whole
      const length = lengths[i]
      if (length === null || Number.isNaN(length)) continue
      const base = entry(spec.base, i) ?? floors?.get(at) ?? 0
      floors?.set(at, base + length)
      const begin = at + (entry(spec.offset, i) ?? -width / 2)
      const foot = along.log && base <= 0 ? (this.across ? chart.left : chart.bottom) : along.pixel(base)
      const tip = along.pixel(base + length)
      if (!Number.isFinite(foot + tip)) continue
      const a = snap(Math.min(side.pixel(begin), side.pixel(begin + width)))
      const b = snap(Math.max(side.pixel(begin), side.pixel(begin + width)))
      const c = snap(Math.min(foot, tip))
      const d = snap(Math.max(foot, tip))
      const rect = this.across
        ? { x: c, y: a, width: d - c, height: b - a } : { x: a, y: c, width: b - a, height: d - c }
      this.rects.push({ ...rect, i, tip, foot, at, value: length })
    }
  }

  draw(pen, chart) {
    const { marker = {}, opacity } = this.spec
    const { pattern, line } = marker
    pen.globalAlpha = opacity ?? 1
    for (const rect of this.rects) {
      const colour = entry(marker.color, rect.i) ?? chart.theme.text
      if (entry(pattern?.shape, rect.i)) hatch(pen, rect, colour)
      else {
        pen.fillStyle = colour
        pen.fillRect(rect.x, rect.y, rect.width, rect.height)
      }
      if (!line?.width) continue
      pen.strokeStyle = line.color
      pen.lineWidth = line.width
      pen.strokeRect(rect.x, rect.y, rect.width, rect.height)
    }
    pen.globalAlpha = 1
  }

  drawOver() {}

  labels(pen, chart) {
    const { spec, across } = this
    if (!spec.text || spec.textposition === "none") return []
    const inside = spec.textposition === "inside"
    const { textfont = {} } = spec
    const found = []
    let size = textfont.size ?? chart.font.size
    const font = () => ({ size, family: chart.font.family })
    const room = across ? Infinity : spacing(this.rects.map((r) => r.x + r.width / 2), this.rects.length)
    const widest = Math.max(0, ...this.rects.map(({ i }) => measure(pen, entry(spec.text, i) ?? "", font()).width))
    if (widest > room) size = Math.max(9, Math.floor((size * room) / widest))
    for (const rect of this.rects) {
      const text = entry(spec.text, rect.i)
      if (!text) continue
      const { width, height } = measure(pen, text, font())
      const centre = { x: rect.x + (rect.width - width) / 2, y: rect.y + (rect.height - height) / 2 }
      // A bar too small for its words has none, rather than words that nobody can read.
      if (inside && (width > rect.width - 2 || height > rect.height)) continue
      const down = rect.tip > rect.foot || (rect.tip === rect.foot && rect.value < 0)
      if (!inside && across) centre.x = down ? rect.x + rect.width + LABEL_GAP : rect.x - width - LABEL_GAP
      if (!inside && !across) {
        if (Math.min(rect.tip, rect.foot) > chart.bottom + 1 || Math.max(rect.tip, rect.foot) < chart.top - 1) continue
        centre.y = down ? rect.y + rect.height + 1 : rect.y - height - 1
      }
      found.push({
        text, font: font(), ...centre, width, height, fixed: inside, halo: !inside, align: "center",
        colour: entry(textfont.color, rect.i) ?? chart.theme.text,
      })
    }
    return found
  }

  read(px, py) {
    const { spec } = this
    if (silent(spec)) return null
    const slack = 3 // a bar of no height can be read as well
    const rect = this.rects?.findLast((r) => px >= r.x && px <= r.x + r.width &&
      py >= r.y - slack && py <= r.y + r.height + slack)
    if (!rect) return null
    const [x, y] = this.across ? [rect.value, rect.at] : [rect.at, rect.value]
    return { distance: 1, text: hover(spec, rect.i, x, y) }
  }
}

// The least distance of two neighbours, 1 where there are none.
function spacing(places, n) {
  let least = Infinity
  for (let i = 1; i < n; i++) least = Math.min(least, Math.abs(places[i] - places[i - 1]))
  return Number.isFinite(least) && least > 0 ? least : 1
}

function hatch(pen, { x, y, width, height }, colour) {
  if (!(width > 0 && height > 0)) return
  pen.save()
  pen.beginPath()
  pen.rect(x, y, width, height)
  pen.clip()
  pen.strokeStyle = colour
  pen.lineWidth = 1.8
  pen.beginPath()
  for (let at = -height; at < width; at += HATCH) {
    pen.moveTo(x + at, y + height)
    pen.lineTo(x + at + height, y)
  }
  pen.stroke()
  pen.lineWidth = 2.4 // half of it is clipped away
  pen.strokeRect(x, y, width, height)
  pen.restore()
}

// Contours ---------------------------------------------------------------------------------------

class Contours {
  constructor(spec) {
    this.spec = spec
    this.order = 0
  }

  // Levels, and the bounds of the colours: as given, else some fourteen round bands of what there is.
  levels(z) {
    const { contours = {}, ncontours = 14, zmin, zmax } = this.spec
    let { start, end, size } = contours
    if (start === undefined || end === undefined) {
      let [low, high] = [Infinity, -Infinity]
      for (const value of z) {
        if (value < low) low = value
        if (value > high) high = value
      }
      size ??= (high - low) / (ncontours + 1)
      start ??= low + size
      end ??= high - size / 2
    }
    return { start, size, levels: levelsOf({ start, end, size }), low: zmin ?? start, high: zmax ?? end }
  }

  draw(pen, chart) {
    const { spec } = this
    const { z, rows, columns } = flat(spec.z)
    if (rows < 2 || columns < 2) return
    const xs = Float64Array.from({ length: columns }, (_, i) => chart.x.pixel(spec.x ? spec.x[i] : i))
    const ys = Float64Array.from({ length: rows }, (_, i) => chart.y.pixel(spec.y ? spec.y[i] : i))
    const { contours = {} } = spec
    const coloring = contours.coloring ?? "fill"
    const bands = this.levels(z)
    pen.globalAlpha = spec.opacity ?? 1
    if (coloring === "fill") this.fill(pen, chart, z, columns, xs, ys, bands)
    const { line = {} } = spec
    if (contours.showlines !== false && line.width !== 0) {
      pen.lineWidth = line.width ?? 1
      pen.lineCap = pen.lineJoin = "round"
      if (coloring === "lines") this.strokeEach(pen, z, rows, columns, xs, ys, bands)
      else {
        pen.strokeStyle = line.color ?? chart.theme.text
        pen.beginPath()
        lines(z, rows, columns, xs, ys, bands.levels, (_, x0, y0, x1, y1) => {
          pen.moveTo(x0, y0)
          pen.lineTo(x1, y1)
        })
        pen.stroke()
      }
    }
    pen.globalAlpha = 1
  }

  strokeEach(pen, z, rows, columns, xs, ys, { levels, low, high }) {
    const scale = scaleOf(this.spec.colorscale ?? [])
    const paths = Array.from(levels, () => pen.newPath?.() ?? new Path2D())
    lines(z, rows, columns, xs, ys, levels, (k, x0, y0, x1, y1) => {
      paths[k].moveTo(x0, y0)
      paths[k].lineTo(x1, y1)
    })
    paths.forEach((path, k) => {
      pen.strokeStyle = css(scale, (levels[k] - low) / (high - low))
      pen.stroke(path)
    })
  }

  // A pixel of the picture for each CSS pixel: thin lines hide the steps between bands.
  fill(pen, { left, right, top, bottom }, z, columns, xs, ys, { start, size, levels, low, high }) {
    const width = Math.round(right - left)
    const height = Math.round(bottom - top)
    if (!(width > 0 && height > 0 && size > 0)) return
    const scale = scaleOf(this.spec.colorscale ?? [])
    const palette = Uint32Array.from({ length: levels.length + 1 }, (_, k) =>
      scale[shade((start + (k - 0.5) * size - low) / (high - low))])
    const { canvas, image, words, columnOf, partX, rowOf, partY } = sheet(width, height)
    across(xs, left, width, columnOf, partX)
    across(ys, top, height, rowOf, partY)
    fill(words, width, height, z, columns, columnOf, partX, rowOf, partY, start, size, palette)
    canvas.getContext("2d").putImageData(image, 0, 0)
    pen.imageSmoothingEnabled = true
    pen.drawImage(canvas, left, top)
  }

  drawOver() {}

  labels() {
    return []
  }

  // The height under the pointer, where nothing that lies on it says more.
  read(px, py, chart) {
    const { spec } = this
    if (silent(spec) || !chart.inside(px, py)) return null
    const { z, rows, columns } = flat(spec.z)
    const [x, y] = [chart.x.value(px), chart.y.value(py)]
    const height = at(z, rows, columns, spec.x, spec.y, x, y)
    if (!Number.isFinite(height)) return null
    return { distance: REACH ** 2, text: hover(spec, 0, x, y, heightOf(spec, height)) }
  }
}

// A matrix as one flat array: it comes with a shape, or as an array of rows.
function flat(z) {
  if (!z?.length) return { z: [], rows: 0, columns: 0 }
  if (z.shape) return { z, rows: z.shape[0], columns: z.shape[1] }
  const columns = z[0].length
  const out = new Float64Array(z.length * columns)
  z.forEach((row, i) => {
    for (let j = 0; j < columns; j++) out[i * columns + j] = row[j] ?? NaN
  })
  return { z: out, rows: z.length, columns }
}

const sheets = new Map() // size -> what a picture of that size is filled in
const SHEETS = 8

function sheet(width, height) {
  const key = `${width} ${height}`
  let found = sheets.get(key)
  if (!found) {
    const canvas = document.createElement("canvas")
    canvas.width = width
    canvas.height = height
    const image = canvas.getContext("2d").createImageData(width, height)
    found = {
      canvas, image, words: new Uint32Array(image.data.buffer),
      columnOf: new Int32Array(width), partX: new Float64Array(width),
      rowOf: new Int32Array(height), partY: new Float64Array(height),
    }
    if (sheets.size >= SHEETS) sheets.delete(sheets.keys().next().value)
    sheets.set(key, found)
  }
  return found
}

// Colour scales ----------------------------------------------------------------------------------

const scales = new WeakMap()
const shade = (share) => (share < 0 ? 0 : share > 1 ? 255 : Math.round(share * 255) || 0)

// 256 colours, a word each as an image holds them, along [[0, css], …, [1, css]].
export function scaleOf(stops) {
  let words = scales.get(stops)
  if (words) return words
  words = new Uint32Array(256)
  const bytes = new Uint8ClampedArray(words.buffer)
  const known = Array.isArray(stops) && stops.length > 1 ? stops : [[0, "#888"], [1, "#ccc"]]
  const colours = known.map(([, colour]) => Array.from(rgba(colour)))
  let k = 0
  for (let i = 0; i < 256; i++) {
    const at = i / 255
    while (k < known.length - 2 && known[k + 1][0] < at) k++
    const part = Math.min(1, Math.max(0, (at - known[k][0]) / (known[k + 1][0] - known[k][0])))
    for (let c = 0; c < 4; c++) bytes[4 * i + c] = colours[k][c] + (colours[k + 1][c] - colours[k][c]) * part
  }
  scales.set(stops, words)
  return words
}

export function css(scale, share) {
  const word = scale[shade(share)]
  return `rgba(${word & 255},${(word >> 8) & 255},${(word >> 16) & 255},${(word >>> 24) / 255})`
}
