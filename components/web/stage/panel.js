// One panel: a chart for what stands still, canvases over it for what moves, and the reader's hand
// on them: zoom, clicks, handles, and the numbers under the pointer.

import { rgba } from "../theme.js"
import { Chart } from "./chart.js"
import { Cross } from "./cross.js"
import { Figure, resolved } from "./figure.js"
import { Handles } from "./handles.js"
import { Overlay } from "./overlay.js"
import { project } from "./strokes.js"
import { format } from "./ticks.js"

const MOVING_RATIO = 2 // device pixels to a CSS pixel, at most, of what is redrawn in every frame
const STILL_RATIO = 3
const CLICK_PX = 5
const DOUBLE_MS = 340
const HATCH = 7 // pixels between two lines of hatched paper
const THIN = 12 // pixels: a box thinner than this zooms the other way only

export class Panel {
  constructor(element, stage) {
    this.element = element
    this.stage = stage
    this.title = element.querySelector(".dl-title")
    this.plot = element.querySelector(".dl-plot")
    this.graph = element.querySelector(".dl-graph")
    this.tip = element.querySelector(".dl-tip")
    this.spot = element.querySelector(".dl-spot")
    this.frame = element.querySelector(".dl-zoom")
    this.layers = ["below", "trail", "head"].map((name) => element.querySelector(`.dl-${name}`))
    const [below, trail, head] = this.layers.map((canvas) => canvas.getContext("2d"))
    this.below = below
    this.overlay = new Overlay(trail, head, this)
    this.handles = new Handles(element.querySelector(".dl-handles"), this)
    this.rasters = []
    this.zoom = null
    this.look = "" // what the chart shows now
    this.ready = false // whether there are axes
    this.open()
    this.listen()
  }

  open() {
    const canvas = document.createElement("canvas")
    this.graph.append(canvas)
    this.chart = this.graph.chart = new Chart(canvas)
    this.cross = new Cross(this)
    // Words drawn before their font had come are drawn again.
    this.onFonts = () => this.figure && this.drawChart()
    document.fonts.addEventListener("loadingdone", this.onFonts)
  }

  // Takes new data, and draws what stands still if it is another than before.
  update(spec, theme, width, height, resolve = resolved) {
    this.accept(spec, theme, width, height, resolve)
    const ratio = Math.min(STILL_RATIO, devicePixelRatio || 1)
    const look = [spec.hash, theme.key, width, height, ratio].join()
    if (look !== this.look || !this.figure || this.figure.leaves.length) {
      this.look = look
      this.figure = new Figure(spec.figure, theme, resolve)
      const { uirevision = "" } = this.figure.layout
      if (uirevision !== this.revision) this.zoom = null
      this.revision = uirevision
      this.drawChart()
    }
    this.takeMoving(resolve)
    this.handles.update(spec.handles, theme, resolve)
  }

  accept(spec, theme, width, height, resolve) {
    Object.assign(this, { spec, theme, width, height })
    this.offerKeys(spec.alt || resolve(spec.title) || spec.id)
    this.element.dataset.panel = spec.id
    this.element.dataset.kind = spec.kind
    this.resize(width, height, Math.min(MOVING_RATIO, devicePixelRatio || 1))
    this.name(resolve)
  }

  // A cross where there are cells to be read, or to be clicked what no handle moves.
  offerKeys(name) {
    const { spec, graph, cross, stage } = this
    const moved = new Set(spec.handles.flatMap(({ sets }) => Object.keys(sets)))
    const clicks = spec.kind === "plane" && Object.keys(spec.clicks).some((set) => !moved.has(set))
    const reads = spec.rasters.some(({ readout }) => readout.length)
    if (cross && stage.point) cross.offer(name, { reads, clicks })
    else graph.setAttribute("aria-label", name)
  }

  name(resolve) {
    const title = resolve(this.spec.title) ?? ""
    if (this.title.textContent !== title) this.title.textContent = title
  }

  takeMoving(resolve) {
    const { spec, theme } = this
    this.overlay.take(spec, theme, resolve)
    const before = this.rasters
    this.rasters = spec.rasters.map((given, i) => ({ ...given, given, picture: before[i]?.picture }))
    this.takeRasters(resolve)
    this.paintBelow()
  }

  // True where a raster is another than before.
  takeRasters(resolve) {
    let changed = false
    for (const raster of this.rasters) {
      const { given } = raster
      raster.readout = given.readout.map(([label, values]) => [label, resolve(values)])
      const values = resolve(given.values)
      const bounds = given.bounds.map(resolve)
      const key = [raster.palette.join(), this.theme.key, bounds].join()
      if (raster.cells === values && raster.key === key) continue
      Object.assign(raster, { cells: values, key, bounds, picture: picture(values, raster.palette, this.theme, raster.picture) })
      changed = true
    }
    return changed
  }

  // Values moved: everything live is looked up again, and drawn where it is another than before.
  // What is painted by frames waits for `draw`.
  refresh(resolve) {
    if (!this.spec) return
    this.name(resolve)
    if (this.figure?.refresh(resolve)) this.drawChart()
    this.overlay.refresh(resolve)
    if (this.takeRasters(resolve)) this.paintBelow()
    this.handles.refresh(resolve)
  }

  drawChart() {
    const { chart, width, height, theme, figure } = this
    const ratio = Math.min(STILL_RATIO, devicePixelRatio || 1)
    chart.draw(figure, theme, width, height, ratio, this.zoom)
    const { left, right, top, bottom, x, y } = chart
    Object.assign(this, { left, right, top, bottom })
    this.overlay.drawn = -1 // the chart's words stand over the trails as well
    const view = [x.log, x.origin, x.scale, y.log, y.origin, y.scale, left, right, top, bottom].join()
    if (view === this.view) return
    this.view = view
    this.ready = true
    this.overlay.placeAll()
    this.paintBelow()
    this.handles.place()
  }

  resize(width, height, ratio) {
    const size = [width, height, ratio].join()
    if (size === this.size) return // to set a canvas' size is to clear it
    this.size = size
    this.plot.style.height = `${height}px`
    for (const canvas of this.layers) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
      canvas.style.width = `${width}px`
      canvas.style.height = `${height}px`
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0)
    }
    this.overlay.drawn = -1
  }

  toX(value) {
    return this.chart.x.pixel(value)
  }

  toY(value) {
    return this.chart.y.pixel(value)
  }

  fromX(pixel) {
    return this.chart.x.value(pixel)
  }

  fromY(pixel) {
    return this.chart.y.value(pixel)
  }

  inside(x, y) {
    return x >= this.left && x <= this.right && y >= this.top && y <= this.bottom
  }

  placeTrack(track) {
    project(track, track.x, track.y, this.chart.x, this.chart.y)
  }

  // Paints the moment `position` of the stage's clock.
  draw(position) {
    if (this.ready) this.overlay.draw(position)
  }

  paintBelow() {
    const { below } = this
    below.canvas.hidden = !this.rasters.length // a canvas that shows nothing costs time as well
    if (!this.rasters.length || !this.ready) return
    below.clearRect(0, 0, this.width, this.height)
    this.overlay.clip(below, 0)
    for (const raster of this.rasters) {
      const [x0, x1, y0, y1] = this.pixels(raster.bounds)
      if (raster.hatched) hatch(below, this.theme, x0, x1, y0, y1)
      below.imageSmoothingEnabled = raster.smooth
      below.save()
      below.translate(x0, y0)
      below.scale((x1 - x0) / raster.picture.width, (y1 - y0) / raster.picture.height)
      below.drawImage(raster.picture, 0, 0)
      below.restore()
    }
    below.restore()
  }

  // Bounds in the axes' own coordinates, as pixels.
  pixels([x0, x1, y0, y1]) {
    const { x, y } = this.chart
    return [
      x.origin + x0 * x.scale, x.origin + x1 * x.scale,
      y.origin + y0 * y.scale, y.origin + y1 * y.scale,
    ]
  }

  // The hand ---------------------------------------------------------------------------------------

  listen() {
    let down = null
    const position = (event) => {
      const box = this.plot.getBoundingClientRect()
      return [event.clientX - box.left, event.clientY - box.top]
    }
    this.plot.addEventListener("pointerdown", (event) => {
      clearTimeout(this.single)
      down = event.button === 0 && !event.target.closest(".dl-handle") ? position(event) : null
      if (down && !this.inside(...down)) down = null
      this.stage.root.focus({ preventScroll: true })
    }, true)
    this.onMove = (event) => {
      if (!down || event.pointerType === "touch" || !this.zooms) return
      const [x, y] = position(event)
      if (Math.hypot(x - down[0], y - down[1]) > CLICK_PX || !this.frame.hidden) this.showZoom(down, [x, y])
    }
    this.onUp = (event) => {
      if (!down) return
      const from = down
      const [x, y] = position(event)
      down = null
      const boxed = !this.frame.hidden
      this.frame.hidden = true
      if (event.type === "pointercancel") return
      if (boxed) this.zoomTo(from, [x, y])
      if (boxed || Math.hypot(x - from[0], y - from[1]) > CLICK_PX || !this.inside(x, y)) return
      // A double click resets the zoom: only where there is one is a click held back.
      if (this.zoom) this.single = setTimeout(() => this.click(x, y), DOUBLE_MS)
      else this.click(x, y)
    }
    window.addEventListener("pointermove", this.onMove)
    window.addEventListener("pointerup", this.onUp, true)
    window.addEventListener("pointercancel", this.onUp, true)
    this.plot.addEventListener("dblclick", () => this.unzoom())
    this.plot.addEventListener("pointermove", (event) => this.read(...position(event)))
    this.plot.addEventListener("pointerleave", () => this.tell(null))
  }

  // Touch keeps scrolling the page: only a fine pointer zooms.
  get zooms() {
    return this.figure && this.figure.layout.dragmode !== false
  }

  // The box from one corner to another, as wide (or high) as the picture where it is thin.
  box([x0, y0], [x1, y1]) {
    const { left, right, top, bottom } = this
    const within = (value, low, high) => Math.min(high, Math.max(low, value))
    let [a, b] = [within(x0, left, right), within(x1, left, right)].sort((p, q) => p - q)
    let [c, d] = [within(y0, top, bottom), within(y1, top, bottom)].sort((p, q) => p - q)
    if (b - a < THIN && d - c >= THIN) [a, b] = [left, right]
    else if (d - c < THIN && b - a >= THIN) [c, d] = [top, bottom]
    return [a, b, c, d]
  }

  showZoom(from, to) {
    const [a, b, c, d] = this.box(from, to)
    const { style } = this.frame
    style.transform = `translate(${a}px, ${c}px)`
    style.width = `${b - a}px`
    style.height = `${d - c}px`
    this.frame.hidden = false
  }

  zoomTo(from, to) {
    const [a, b, c, d] = this.box(from, to)
    if (b - a < THIN && d - c < THIN) return
    const { x, y } = this.chart
    const span = (axis, pixels) => {
      const [low, high] = pixels.map((pixel) => (pixel - axis.origin) / axis.scale).sort((p, q) => p - q)
      return axis.range[0] < axis.range[1] ? [low, high] : [high, low]
    }
    this.zoom = { x: span(x, [a, b]), y: span(y, [c, d]) }
    this.drawChart()
    this.stage.paint()
  }

  unzoom() {
    clearTimeout(this.single)
    if (!this.zoom) return
    this.zoom = null
    this.drawChart()
    this.stage.paint()
  }

  click(x, y) {
    const { spec, overlay } = this
    if (spec.kind === "plane") {
      const at = { x: this.chart.x.neat(x), y: this.chart.y.neat(y) }
      this.stage.say({ panel: spec.id, id: "", kind: "click", ...at })
    } else if (overlay.cursor) {
      this.stage.clock.seek(overlay.frameAt(this.fromX(x)))
    }
  }

  // The numbers under the pointer ------------------------------------------------------------------

  // A raster's, else those of the nearest track, curve, bar or mark; gives the text that it shows.
  read(x, y) {
    const found = this.ready && this.frame.hidden ? this.findAt(x, y) : null
    this.tell(found, x, y)
    return found?.text ?? ""
  }

  findAt(x, y) {
    const near = this.inside(x, y)
    const raster = near ? this.readRaster(x, y) : ""
    if (raster) return { text: raster }
    const track = near ? this.overlay.read(x, y) : null
    const still = this.readChart(x, y)
    return track && !(still?.distance < track.distance) ? this.sayTrack(track) : still
  }

  sayPlace(x, y) {
    return [this.fromX(x), this.fromY(y)].map((value) => format(value, ".3g")).join(", ")
  }

  readChart(x, y) {
    return this.chart.read(x, y)
  }

  tell(found, x, y) {
    const { tip, spot } = this
    tip.hidden = !found
    spot.hidden = found?.atX === undefined
    if (!found) return
    tip.textContent = found.text
    const across = x > this.width / 2 ? `calc(${x - 12}px - 100%)` : `${x + 12}px`
    const down = y > this.height / 2 ? `calc(${y - 12}px - 100%)` : `${y + 12}px`
    tip.style.transform = `translate(${across}, ${down})`
    if (!spot.hidden) spot.style.transform = `translate(${found.atX}px, ${found.atY}px)`
  }

  readRaster(x, y) {
    const raster = this.rasters.findLast((one) => one.readout.length)
    if (!raster) return ""
    const [x0, x1, y0, y1] = this.pixels(raster.bounds)
    const [rows, columns] = raster.cells.shape
    const column = Math.floor(((x - x0) / (x1 - x0)) * columns)
    const row = Math.floor(((y - y0) / (y1 - y0)) * rows)
    if (column < 0 || row < 0 || column >= columns || row >= rows) return ""
    const place = [this.fromX(x), this.fromY(y)]
    const numbers = [
      ...raster.names.map((name, i) => [name, format(place[i])]).filter(([name]) => name),
      ...raster.readout.map(([label, values]) => {
        const value = values[row * columns + column]
        return [label, raster.words[label]?.[value] ?? format(value)]
      }),
    ]
    return numbers.map((pair) => pair.join(" ")).join("\n")
  }

  sayTrack({ track, index }) {
    const value = format(track.y[index])
    const numbers = this.spec.kind === "chart" ? value : `${format(track.x[index])}, ${value}`
    const head = [track.label, `${this.stage.data.frameName} ${index}`].filter(Boolean).join(", ")
    return { text: `${head}\n${numbers}`, atX: track.px[index], atY: track.py[index] }
  }

  dispose() {
    clearTimeout(this.single)
    window.removeEventListener("pointermove", this.onMove)
    window.removeEventListener("pointerup", this.onUp, true)
    window.removeEventListener("pointercancel", this.onUp, true)
    document.fonts.removeEventListener("loadingdone", this.onFonts)
    this.handles.dispose()
    this.gone = true
    this.element.remove()
  }
}

// Paper with slanted lines: what shows where a raster is transparent. On axes that another picture
// has left behind its bounds may lie far out, or nowhere: only the canvas has lines.
function hatch(pen, theme, x0, x1, y0, y1) {
  const { width, height } = pen.canvas
  const [left, right] = [Math.max(0, Math.min(x0, x1)), Math.min(width, Math.max(x0, x1))]
  const [top, bottom] = [Math.max(0, Math.min(y0, y1)), Math.min(height, Math.max(y0, y1))]
  if (!(right > left && bottom > top)) return
  pen.save()
  pen.beginPath()
  pen.rect(left, top, right - left, bottom - top)
  pen.clip()
  pen.beginPath()
  for (let at = left - (bottom - top); at < right; at += HATCH) {
    pen.moveTo(at, bottom)
    pen.lineTo(at + bottom - top, top)
  }
  pen.lineWidth = 1
  pen.globalAlpha = 0.28
  pen.strokeStyle = theme.text
  pen.stroke()
  pen.restore()
}

// A raster's cells as an image, one pixel a cell, row 0 first.
function picture(cells, palette, theme, before) {
  const [rows, columns] = cells.shape
  const canvas = before ?? document.createElement("canvas")
  if (canvas.width !== columns || canvas.height !== rows) {
    canvas.width = columns
    canvas.height = rows
  }
  const pen = canvas.getContext("2d")
  const image = pen.createImageData(columns, rows)
  const words = new Uint32Array(image.data.buffer)
  const colours = coloursOf(palette, theme)
  for (let i = 0; i < words.length; i++) words[i] = colours[cells[i] | 0]
  pen.putImageData(image, 0, 0)
  return canvas
}

const palettes = new Map() // palette under a theme -> a word of colour for each index
const PALETTES = 24

function coloursOf(palette, theme) {
  const key = `${theme.key}${palette.join()}`
  let colours = palettes.get(key)
  if (colours) return colours
  colours = new Uint32Array(256)
  palette.forEach((colour, i) => {
    colours[i] = new Uint32Array(rgba(theme.colour(colour)).slice().buffer)[0]
  })
  if (palettes.size >= PALETTES) palettes.delete(palettes.keys().next().value)
  palettes.set(key, colours)
  return colours
}
