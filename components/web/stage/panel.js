// One panel: Plotly for what stands still, canvases over it for what moves.
//
// Three canvases share Plotly's axes: `below` holds rasters, `trail` grows by the segments
// that are new in a frame, `head` alone is cleared and redrawn.  Points are turned into pixels
// once for each change of data or view, so a frame only walks along arrays.

import { DASHES, arrow, endMark, mark } from "../marks.js"
import { rgba } from "../theme.js"
import { array, figure } from "./arrays.js"
import { Handles } from "./handles.js"
import { CONFIG, layout } from "./plotly.js"

const FAINT = 0.2 // a curve that the cursor has yet to reach
const COMET = 14 // frames of emphasis behind a moving head
const HEAD = 4.6 // radius of a head, CSS pixels
const EDGE = 7 // heads may stand over the axes' edge by this much
const FAR = 1e5 // pixels; canvases misbehave far beyond this
const LABEL_GAP = 6 // between an arrow and its word
const CLICK_PX = 5
const DOUBLE_MS = 340 // a little more than Plotly waits for a second click
const REACH = 14 // pixels from the pointer to a track that it reads

const significant = (value) =>
  Number.isFinite(value) ? Number(value.toPrecision(4)).toString() : "—"

export class Panel {
  constructor(element, stage) {
    this.element = element
    this.stage = stage
    this.title = element.querySelector(".dl-title")
    this.plot = element.querySelector(".dl-plot")
    this.graph = element.querySelector(".dl-graph")
    this.tip = element.querySelector(".dl-tip")
    this.layers = ["below", "trail", "head"].map((name) => element.querySelector(`.dl-${name}`))
    const [below, trail, head] = this.layers.map((canvas) => canvas.getContext("2d"))
    Object.assign(this, { below, trail, head })
    this.handles = new Handles(element.querySelector(".dl-handles"), this)
    this.tracks = []
    this.arrows = []
    this.boxes = []
    this.rasters = []
    this.cursor = null
    this.drawn = -1
    this.look = "" // what Plotly shows now
    this.listen()
  }

  // Takes new data.  Resolves when Plotly has drawn, if it had to.
  async update(spec, theme, width, height) {
    this.spec = spec
    this.theme = theme
    this.width = width
    this.height = height
    this.title.textContent = spec.title
    this.graph.setAttribute("aria-label", spec.alt || spec.title || spec.id)
    this.element.dataset.panel = spec.id
    this.tracks = spec.tracks.map((track) => {
      const y = array(track.y)
      const x = array(track.x) ?? Float32Array.from(y, (_, i) => i)
      return { ...track, x, y, css: theme.colour(track.color) }
    })
    this.take(spec)
    const look = [spec.hash, theme.key, width, height].join()
    if (look !== this.look) await this.redraw(look)
    else this.measure()
    this.handles.update(spec.handles, theme)
  }

  take(spec) {
    const { theme } = this
    const block = (value) => ({ at: array(value), frames: value.shape[0], of: value.shape[1] })
    const blocks = (value, names) => Object.fromEntries(names.map((n) => [n, block(value[n])]))
    this.arrows = spec.arrows.map((value) => ({
      ...blocks(value, ["x", "y", "dx", "dy"]),
      css: theme.colour(value.color),
      label: value.label,
      labelAt: value.labelAt,
      width: value.width,
    }))
    this.boxes = spec.boxes.map((value) => ({
      ...blocks(value, ["x0", "y0", "x1", "y1"]),
      css: value.colors.map((colour) => theme.colour(colour)),
      opacity: value.opacity,
    }))
    this.rasters = spec.rasters.map((value) => ({
      ...value,
      picture: picture(value, theme),
      readout: value.readout.map(([label, blob]) => [label, array(blob)]),
    }))
    this.cursor = spec.cursor === true ? true : spec.cursor ? array(spec.cursor) : null
  }

  async redraw(look) {
    const { spec, theme, width, height, graph } = this
    this.look = look
    this.resize(width, height, Math.min(2, devicePixelRatio || 1))
    const { data = [], layout: given = {} } = figure(spec.figure, theme)
    const first = !graph.on
    this.drawing = this.stage.Plotly.react(graph, data, layout(given, theme, width, height), CONFIG)
    await this.drawing
    if (this.gone) return
    if (first) {
      const moved = () => {
        this.measure()
        this.stage.paint()
      }
      graph.on("plotly_relayouting", moved)
      graph.on("plotly_relayout", moved)
      graph.on("plotly_doubleclick", () => clearTimeout(this.single))
    }
    this.measure()
  }

  resize(width, height, ratio) {
    this.plot.style.height = `${height}px`
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)]
    for (const canvas of this.layers) {
      if (canvas.width === across && canvas.height === down) continue // to set it is to clear it
      canvas.width = across
      canvas.height = down
      canvas.style.width = `${width}px`
      canvas.style.height = `${height}px`
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0)
    }
  }

  // Reads the axes and turns tracks into pixels.
  measure() {
    const { xaxis, yaxis } = this.graph._fullLayout ?? {}
    if (!xaxis || !yaxis) return
    const [x0, x1] = xaxis.range.map((value) => xaxis.r2l(value))
    const [y0, y1] = yaxis.range.map((value) => yaxis.r2l(value))
    this.left = xaxis._offset
    this.right = xaxis._offset + xaxis._length
    this.top = yaxis._offset
    this.bottom = yaxis._offset + yaxis._length
    this.xlog = xaxis.type === "log"
    this.ylog = yaxis.type === "log"
    this.x0 = x0
    this.y0 = y0
    this.sx = xaxis._length / (x1 - x0)
    this.sy = -yaxis._length / (y1 - y0)
    this.zoomed = [xaxis, yaxis].some(({ range, _rangeInitial0: a, _rangeInitial1: b }) =>
      a !== undefined && (range[0] !== a || range[1] !== b))
    for (const track of this.tracks) this.place(track)
    this.drawn = -1
    this.paintBelow()
    this.handles.place()
  }

  toX(value) {
    return this.left + ((this.xlog ? Math.log10(value) : value) - this.x0) * this.sx
  }

  toY(value) {
    return this.bottom + ((this.ylog ? Math.log10(value) : value) - this.y0) * this.sy
  }

  fromX(pixel) {
    const value = this.x0 + (pixel - this.left) / this.sx
    return this.xlog ? 10 ** value : value
  }

  fromY(pixel) {
    const value = this.y0 + (pixel - this.bottom) / this.sy
    return this.ylog ? 10 ** value : value
  }

  inside(x, y) {
    return x >= this.left && x <= this.right && y >= this.top && y <= this.bottom
  }

  project(track, i) {
    return [this.toX(track.x[i]), this.toY(track.y[i])]
  }

  place(track) {
    const n = Math.min(track.x.length, track.y.length)
    if (track.px?.length !== n) {
      track.px = new Float32Array(n)
      track.py = new Float32Array(n)
      track.along = new Float32Array(n) // pixels along the line, for dashes without a seam
    }
    const { px, py, along } = track
    let last = -1
    for (let i = 0; i < n; i++) {
      const [x, y] = this.project(track, i)
      px[i] = x > FAR ? FAR : x < -FAR ? -FAR : x
      py[i] = y > FAR ? FAR : y < -FAR ? -FAR : y
      along[i] = i ? along[i - 1] : 0
      if (px[i] - px[i] !== 0 || py[i] - py[i] !== 0) continue // not finite: a gap
      if (last === i - 1 && i) along[i] += Math.hypot(px[i] - px[last], py[i] - py[last])
      last = i
    }
    track.end = Math.min(n - 1, track.stop ?? n - 1)
    while (track.end > 0 && !Number.isFinite(px[track.end] + py[track.end])) track.end--
  }

  clip(pen, margin) {
    pen.save()
    pen.beginPath()
    pen.rect(this.left - margin, this.top - margin,
      this.right - this.left + 2 * margin, this.bottom - this.top + 2 * margin)
    pen.clip()
  }

  // Paints the moment `position` (in frames; a fraction lies between two).
  draw(position) {
    if (this.sx === undefined) return
    const frame = Math.floor(position)
    this.growTrails(frame)
    this.drawHeads(frame, position - frame)
  }

  growTrails(frame) {
    if (frame === this.drawn) return
    const { trail } = this
    const afresh = this.drawn < 0 || frame < this.drawn
    if (afresh) trail.clearRect(0, 0, this.width, this.height)
    this.clip(trail, 0)
    for (const track of this.tracks) {
      const from = afresh ? 0 : Math.min(this.drawn, track.end)
      const to = Math.min(frame, track.end)
      if (afresh && track.mode === "curve") {
        trail.globalAlpha = FAINT
        this.stroke(trail, track, to, track.end, track.width)
        trail.globalAlpha = 1
      }
      if (track.mode === "points") this.dots(trail, track, afresh ? 0 : from + 1, to)
      else if (to > from) this.stroke(trail, track, from, to, track.width)
    }
    trail.restore()
    this.drawn = frame
  }

  stroke(pen, track, from, to, width) {
    const dash = DASHES[track.dash] ?? DASHES.solid
    pen.lineCap = dash.length ? "butt" : "round"
    pen.lineJoin = "round"
    pen.lineWidth = width
    pen.strokeStyle = track.css
    if (dash.length) {
      pen.setLineDash(dash)
      this.strokeDashed(pen, track, from, to)
      pen.setLineDash(DASHES.solid)
    } else {
      strokeSolid(pen, track, from, to)
    }
  }

  // Only what can be seen, piece by piece: a run that leaves the picture is so long that cutting
  // all of it into dashes takes a tenth of a second.
  strokeDashed(pen, { px, py, along }, from, to) {
    let end = null // of the piece under way, if it may go on
    for (let i = from + 1; i <= to; i++) {
      const part = this.visible(px[i - 1], py[i - 1], px[i], py[i])
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

  // The part [t0, t1] of a segment that lies in the picture (Liang and Barsky), null if none does.
  visible(x0, y0, x1, y1) {
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
    return within(x0, x1 - x0, this.left - EDGE, this.right + EDGE) &&
      within(y0, y1 - y0, this.top - EDGE, this.bottom + EDGE) ? [t0, t1] : null
  }

  dots(pen, track, from, to) {
    for (let i = from; i <= to; i++) {
      if (Number.isFinite(track.px[i] + track.py[i])) {
        mark(pen, track.marker, track.px[i], track.py[i], 3.2, track.css, this.theme.background)
      }
    }
  }

  drawHeads(frame, part) {
    const { head, theme } = this
    head.clearRect(0, 0, this.width, this.height)
    this.clip(head, 0)
    for (const group of this.boxes) this.drawBoxes(group, frame, part)
    if (this.cursor) this.drawCursor(frame, part)
    this.drawComets(frame)
    head.restore()
    this.clip(head, EDGE)
    for (const group of this.arrows) this.drawArrows(group, frame, part)
    for (const track of this.tracks) {
      if (track.mode === "points") continue
      const at = Math.min(frame, track.end)
      let x = track.px[at]
      let y = track.py[at]
      if (x - x !== 0 || y - y !== 0) continue
      if (track.stop !== null && frame >= track.stop) {
        x = Math.min(this.right, Math.max(this.left, x))
        y = Math.min(this.bottom, Math.max(this.top, y))
        endMark(head, x, y, 5, track.css, theme.background)
        continue
      }
      if (part > 0 && at < track.end && track.px[at + 1] - track.px[at + 1] === 0) {
        const nx = x + (track.px[at + 1] - x) * part
        const ny = y + (track.py[at + 1] - y) * part
        head.lineWidth = track.width
        head.strokeStyle = track.css
        head.beginPath()
        head.moveTo(x, y)
        head.lineTo(nx, ny)
        head.stroke()
        x = nx
        y = ny
      }
      mark(head, track.marker, x, y, HEAD, track.css, theme.background)
    }
    head.restore()
  }

  drawComets(frame) {
    const { head } = this
    head.globalAlpha = 0.45
    for (const track of this.tracks) {
      if (track.mode !== "trail" || frame <= 0 || frame >= track.end) continue
      this.stroke(head, track, Math.max(0, frame - COMET), frame, track.width * 2)
    }
    head.globalAlpha = 1
  }

  drawCursor(frame, part) {
    const { head, cursor, theme } = this
    const value = cursor === true ? frame + part : cursor[Math.min(frame, cursor.length - 1)]
    const x = this.toX(value)
    if (!Number.isFinite(x)) return
    head.strokeStyle = theme.text
    head.globalAlpha = 0.45
    head.lineWidth = 1
    head.beginPath()
    head.moveTo(x, this.top)
    head.lineTo(x, this.bottom)
    head.stroke()
    head.globalAlpha = 1
  }

  drawBoxes(group, frame, part) {
    const { head } = this
    head.globalAlpha = group.opacity
    for (let j = 0; j < group.x0.of; j++) {
      const x0 = this.toX(between(group.x0, frame, part, j))
      const x1 = this.toX(between(group.x1, frame, part, j))
      const y0 = this.toY(between(group.y0, frame, part, j))
      const y1 = this.toY(between(group.y1, frame, part, j))
      if (!Number.isFinite(x0 + x1 + y0 + y1)) continue
      head.fillStyle = group.css[j % group.css.length]
      head.fillRect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0))
    }
    head.globalAlpha = 1
  }

  drawArrows(group, frame, part) {
    const { head, theme } = this
    for (let j = 0; j < group.x.of; j++) {
      const x = between(group.x, frame, part, j)
      const y = between(group.y, frame, part, j)
      const x0 = this.toX(x)
      const y0 = this.toY(y)
      const x1 = this.toX(x + between(group.dx, frame, part, j))
      const y1 = this.toY(y + between(group.dy, frame, part, j))
      if (!Number.isFinite(x0 + y0 + x1 + y1)) continue
      arrow(head, x0, y0, x1, y1, group.width, group.css, theme.background)
      if (!group.label) continue
      const share = group.labelAt
      this.drawLabel(group, x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, x1 >= x0)
    }
  }

  // The word at an arrow, on the side it points to unless the panel ends there.
  drawLabel({ label, css }, x, y, ahead) {
    const { head, theme } = this
    head.font = `12px ${theme.font}`
    const room = head.measureText(label).width + LABEL_GAP
    const right = ahead ? x + room < this.width || x - room < 0 : x - room < 0
    const at = x + (right ? LABEL_GAP : -LABEL_GAP)
    head.textAlign = right ? "left" : "right"
    head.textBaseline = "middle"
    head.lineWidth = 3
    head.strokeStyle = theme.background
    head.strokeText(label, at, y)
    head.fillStyle = css
    head.fillText(label, at, y)
  }

  paintBelow() {
    const { below } = this
    below.canvas.hidden = !this.rasters.length // a canvas that shows nothing costs time as well
    if (!this.rasters.length) return
    below.clearRect(0, 0, this.width, this.height)
    this.clip(below, 0)
    for (const raster of this.rasters) {
      const [x0, x1, y0, y1] = this.pixels(raster.bounds)
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
    return [
      this.left + (x0 - this.x0) * this.sx,
      this.left + (x1 - this.x0) * this.sx,
      this.bottom + (y0 - this.y0) * this.sy,
      this.bottom + (y1 - this.y0) * this.sy,
    ]
  }

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
    this.onUp = (event) => {
      if (!down) return
      const [x, y] = position(event)
      const moved = Math.hypot(x - down[0], y - down[1])
      down = null
      if (moved > CLICK_PX || !this.inside(x, y)) return
      // A double click resets the zoom: only where there is one is a click held back.
      if (this.zoomed) this.single = setTimeout(() => this.click(x, y), DOUBLE_MS)
      else this.click(x, y)
    }
    window.addEventListener("pointerup", this.onUp, true)
    this.plot.addEventListener("pointermove", (event) => this.read(...position(event)))
    this.plot.addEventListener("pointerleave", () => (this.tip.hidden = true))
  }

  click(x, y) {
    const { spec } = this
    if (spec.kind === "plane") {
      const at = { x: this.fromX(x), y: this.fromY(y) }
      this.stage.say({ panel: spec.id, id: "", kind: "click", ...at })
    } else if (this.cursor) {
      this.stage.clock.seek(this.frameAt(this.fromX(x)))
    }
  }

  frameAt(x) {
    const { cursor } = this
    if (cursor === true) return x
    let best = 0
    for (let i = 1; i < cursor.length; i++) {
      if (Math.abs(cursor[i] - x) < Math.abs(cursor[best] - x)) best = i
    }
    return best
  }

  // Shows the numbers under the pointer: a raster's, else the nearest track's.
  read(x, y) {
    const text = this.inside(x, y) ? this.readRaster(x, y) || this.readTrack(x, y) : ""
    this.tip.hidden = !text
    if (!text) return
    this.tip.textContent = text
    const across = x > this.width / 2 ? `calc(${x - 12}px - 100%)` : `${x + 12}px`
    const down = y > this.height / 2 ? `calc(${y - 12}px - 100%)` : `${y + 12}px`
    this.tip.style.transform = `translate(${across}, ${down})`
  }

  readRaster(x, y) {
    const raster = this.rasters.findLast((entry) => entry.readout.length)
    if (!raster) return ""
    const [x0, x1, y0, y1] = this.pixels(raster.bounds)
    const [rows, columns] = raster.values.shape
    const column = Math.floor(((x - x0) / (x1 - x0)) * columns)
    const row = Math.floor(((y - y0) / (y1 - y0)) * rows)
    if (column < 0 || row < 0 || column >= columns || row >= rows) return ""
    const place = [this.fromX(x), this.fromY(y)]
    const numbers = [
      ...raster.names.map((name, i) => [name, place[i]]).filter(([name]) => name),
      ...raster.readout.map(([label, values]) => [label, values[row * columns + column]]),
    ]
    return numbers.map(([name, value]) => `${name} ${significant(value)}`).join("\n")
  }

  readTrack(x, y) {
    let near = null
    let index = 0
    let best = REACH ** 2
    for (const track of this.tracks) {
      const end = track.mode === "curve" ? track.end : Math.min(track.end, this.drawn)
      for (let i = 0; i <= end; i++) {
        const distance = (track.px[i] - x) ** 2 + (track.py[i] - y) ** 2
        if (distance < best) [near, index, best] = [track, i, distance]
      }
    }
    if (!near) return ""
    const value = significant(near.y[index])
    const numbers = this.spec.kind === "chart" ? value : `${significant(near.x[index])}, ${value}`
    const head = [near.label, `${this.stage.data.frameName} ${index}`].filter(Boolean).join(", ")
    return `${head}\n${numbers}`
  }

  dispose() {
    clearTimeout(this.single)
    window.removeEventListener("pointerup", this.onUp, true)
    this.handles.dispose()
    this.gone = true
    // To purge a picture that is still being drawn would take its listeners from under Plotly.
    const { Plotly } = this.stage
    const purge = () => Plotly?.purge(this.graph)
    Promise.resolve(this.drawing).then(purge, purge)
    this.element.remove()
  }
}

function strokeSolid(pen, { px, py }, from, to) {
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

// Value j of a per-frame block, between this frame and the next.
function between({ at, frames, of }, frame, part, j) {
  const k = Math.min(frame, frames - 1)
  const here = at[k * of + (j % of)]
  if (!part || k + 1 >= frames) return here
  return here + (at[(k + 1) * of + (j % of)] - here) * part
}

// A raster's cells as an image, one pixel a cell, row 0 first.
function picture({ values, palette }, theme) {
  const [rows, columns] = values.shape
  const cells = array(values)
  const canvas = document.createElement("canvas")
  canvas.width = columns
  canvas.height = rows
  const pen = canvas.getContext("2d")
  const image = pen.createImageData(columns, rows)
  const words = new Uint32Array(image.data.buffer)
  const colours = new Uint32Array(256)
  palette.forEach((colour, i) => {
    colours[i] = new Uint32Array(rgba(theme.colour(colour)).slice().buffer)[0]
  })
  for (let i = 0; i < words.length; i++) words[i] = colours[cells[i]]
  pen.putImageData(image, 0, 0)
  return canvas
}
