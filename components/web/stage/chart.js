// A figure on canvas: the part of Plotly's language that the pages' pictures are written in, drawn
// by our own hand so that it can be drawn anew in every frame.
//
// A figure is {data, layout} with colours that a canvas understands and arrays at its leaves.
// Scatter, bar and contour traces; linear and logarithmic axes; shapes, annotations, a colour bar.

import { DASHES, arrow } from "../marks.js"
import { rgba } from "../theme.js"
import { Axis } from "./axes.js"
import { place } from "./labels.js"
import { scaleOf, trace } from "./traces.js"
import { measure, write } from "./words.js"

const MARGIN = { l: 46, r: 10, t: 8, b: 38 }
const TICK = 4 // a mark's length
const MINOR = 2.5
const TICK_GAP = 3 // between a mark and its label
const TICK_SIZE = 11 // of its label, the same on every axis
const TITLE_GAP = 6 // between labels and title that a line's own leading already gives
const TURNED = -40 // degrees of names that have no room side by side
const STEADY = 14 // pixels by which labels must shrink before a margin follows them
const EDGE = 7 // what moves may stand over the axes' edge by this much
const SLACK = 1.2 // a line along the edge is drawn in its full width
const PAD = 3 // between a label and the edge that it is anchored to
const LIFT = 1 // between a label and the line that it stands on
const BAR = { gap: 8, title: 18 } // a colour bar's distance, and the room of its title

export class Chart {
  constructor(canvas) {
    this.canvas = canvas
    this.pen = canvas.getContext("2d")
    this.traces = []
    this.margins = null
    this.halos = new Map()
    this.words = []
  }

  // Draws a figure on width × height CSS pixels; `zoom` {x, y} takes the place of the axes' ranges,
  // in their own coordinates.
  draw(figure, theme, width, height, ratio, zoom = null) {
    this.resize(width, height, ratio)
    if (theme !== this.theme) this.dress(theme)
    const { data, layout } = figure
    this.layout = layout
    this.font = { size: layout.font?.size ?? 12, family: theme.font }
    this.take(data)
    this.x = this.axis("x", zoom?.x)
    this.y = this.axis("y", zoom?.y)
    this.fit()
    this.paint()
  }

  resize(width, height, ratio) {
    const { canvas, pen } = this
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)]
    if (canvas.width !== across || canvas.height !== down) {
      canvas.width = across
      canvas.height = down
      canvas.style.width = `${width}px`
      canvas.style.height = `${height}px`
      this.margins = null
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    Object.assign(this, { width, height, ratio })
  }

  dress(theme) {
    this.theme = theme
    this.halos.clear()
    const soft = (share) => theme.faded(theme.text, share)
    this.defaults = {
      color: soft(0.75), gridcolor: soft(0.1), linecolor: soft(0.35), tickcolor: soft(0.35),
      zerolinecolor: soft(0.2), zeroline: true, showgrid: true, showline: false, ticks: "outside",
    }
  }

  // One object a trace, kept as long as the figure brings the same.
  take(data) {
    const before = this.traces
    this.traces = data.map((spec, i) => (before[i]?.spec === spec ? before[i] : trace(spec)))
    this.drawn = [...this.traces].sort((a, b) => a.order - b.order)
    this.bar = data.find((spec) => spec.marker?.showscale)?.marker
  }

  axis(way, zoom) {
    const given = { ...this.defaults, ...this.layout[`${way}axis`] }
    const axis = new Axis(given, way)
    axis.spread(zoom ?? (given.range ? Array.from(given.range) : this.extent(axis)))
    return axis
  }

  // The range of what there is, where a figure gives none.
  extent(axis) {
    let [low, high] = [Infinity, -Infinity]
    for (const { spec } of this.traces) {
      for (const value of spec[axis.way] ?? []) {
        const own = value === null ? NaN : axis.own(value)
        if (own < low && own > -Infinity) low = own
        if (own > high && own < Infinity) high = own
      }
    }
    if (!(low <= high)) return [0, 1]
    const pad = 0.05 * (high - low) || 0.5
    return [low - pad, high + pad]
  }

  // Geometry ---------------------------------------------------------------------------------------

  // Margins that hold the labels: as given, or wider.  While a picture moves they grow but do not
  // shrink by a digit and back.
  fit() {
    const { layout, pen } = this
    const margin = { ...MARGIN, ...layout.margin }
    const wanted = { ...margin }
    for (let round = 0; round < 2; round++) {
      this.lay(wanted)
      this.xMarks = this.x.marks(pen, this.tickFont(this.x))
      this.yMarks = this.y.marks(pen, this.tickFont(this.y))
      const [down, left] = [this.roomBelow(), this.roomBeside()]
      const side = this.x.given.side === "top" ? "t" : "b"
      wanted[side] = Math.max(margin[side], Math.ceil(down))
      wanted.l = Math.max(margin.l, Math.ceil(left))
    }
    const kept = this.margins
    for (const side of ["l", "b"]) {
      const less = kept ? kept[side] - wanted[side] : 0
      if (less > 0 && less < STEADY && kept[`${side}0`] === margin[side]) wanted[side] = kept[side]
    }
    this.margins = { ...wanted, l0: margin.l, b0: margin.b }
    this.lay(wanted)
    this.xMarks = this.x.marks(pen, this.tickFont(this.x))
    this.yMarks = this.y.marks(pen, this.tickFont(this.y))
  }

  lay({ l, r, t, b }) {
    const { x, y, width, height } = this
    this.left = l
    this.right = Math.max(l + 1, width - r)
    this.top = t
    this.bottom = Math.max(t + 1, height - b)
    x.lay(this.left, this.right)
    y.lay(this.bottom, this.top)
    if (y.given.scaleanchor === "x") this.square(y.given.scaleratio ?? 1)
    this.reach = {
      left: this.left - EDGE, right: this.right + EDGE, top: this.top - EDGE, bottom: this.bottom + EDGE,
    }
  }

  // Units of the same length both ways: the axis with pixels to spare shows more.
  square(ratio) {
    const { x, y } = this
    const [across, up] = [Math.abs(x.scale), Math.abs(y.scale) / ratio]
    const widen = (axis, by) => {
      const [a, b] = axis.range
      const middle = (a + b) / 2
      axis.spread([middle + (a - middle) * by, middle + (b - middle) * by])
    }
    if (across > up * (1 + 1e-9)) widen(x, across / up)
    else if (up > across * (1 + 1e-9)) widen(y, up / across)
    else return
    x.lay(this.left, this.right)
    y.lay(this.bottom, this.top)
  }

  tickFont(axis) {
    return { size: axis.given.tickfont?.size ?? TICK_SIZE, family: this.font.family }
  }

  titleOf(axis) {
    const { title } = axis.given
    if (!axis.visible || !title) return null
    const text = typeof title === "string" ? title : title.text
    if (!text) return null
    const font = { size: title.font?.size ?? 12, family: this.font.family }
    return {
      text, font, gap: Math.max(0, (title.standoff ?? TITLE_GAP) - TITLE_GAP), ...measure(this.pen, text, font),
      colour: title.font?.color ?? axis.given.color,
    }
  }

  outset(axis) {
    return (axis.given.ticks === "outside" ? axis.given.ticklen ?? TICK : 0) + TICK_GAP
  }

  labelled(axis, marks) {
    return axis.visible && axis.given.showticklabels !== false ? marks.filter((mark) => mark.label) : []
  }

  roomBelow() {
    const { x, pen } = this
    if (!x.visible) return 0
    const font = this.tickFont(x)
    const marks = this.labelled(x, this.xMarks)
    this.angle = x.given.tickangle ?? (x.given.tickvals && x.crowded(marks, pen, font) ? TURNED : 0)
    const turn = (Math.abs(this.angle) * Math.PI) / 180
    const sizes = marks.map(({ label }) => measure(pen, label, font))
    const high = Math.max(0, ...sizes.map(({ width, height }) =>
      turn ? width * Math.sin(turn) + height * Math.cos(turn) : height))
    const title = this.titleOf(x)
    return this.outset(x) + high + (title ? title.gap + title.height : 0) + 1
  }

  roomBeside() {
    const { y, pen } = this
    if (!y.visible) return 0
    const font = this.tickFont(y)
    const wide = Math.max(0, ...this.labelled(y, this.yMarks).map(({ label }) => measure(pen, label, font).width))
    const title = this.titleOf(y)
    return this.outset(y) + wide + (title ? title.gap + 4 + (upright(title) ? title.width : title.height) : 0) + 1
  }

  inside(px, py, slack = 0) {
    return px >= this.left - slack && px <= this.right + slack &&
      py >= this.top - slack && py <= this.bottom + slack
  }

  // A line's middle such that it fills whole pixels of the screen.
  crisp(pixel, width = 1) {
    const { ratio } = this
    const odd = Math.max(1, Math.round(width * ratio)) % 2
    return (odd ? Math.floor(pixel * ratio) + 0.5 : Math.round(pixel * ratio)) / ratio
  }

  // Painting ---------------------------------------------------------------------------------------

  paint() {
    const { pen, layout, width, height } = this
    pen.clearRect(0, 0, width, height)
    const shapes = layout.shapes ?? []
    this.clipped(0, () => {
      for (const shape of shapes) if (shape.layer === "below") this.drawShape(shape)
    })
    this.drawGrid()
    const floors = layout.barmode === "stack" ? new Map() : null
    for (const one of this.traces) one.lay?.(this, floors)
    for (const one of this.drawn) this.clipped(one.order ? SLACK : 0, () => one.draw(pen, this))
    this.drawAxes()
    this.clipped(SLACK, () => {
      for (const shape of shapes) if (shape.layer !== "below") this.drawShape(shape)
    })
    for (const one of this.drawn) one.drawOver(pen, this)
    if (this.bar) this.drawColourBar(this.bar)
    this.drawWords()
  }

  clipped(margin, draw) {
    const { pen } = this
    pen.save()
    pen.beginPath()
    pen.rect(this.left - margin, this.top - margin,
      this.right - this.left + 2 * margin, this.bottom - this.top + 2 * margin)
    pen.clip()
    draw()
    pen.restore()
  }

  drawGrid() {
    const { pen, x, y, xMarks, yMarks } = this
    const grid = (axis, marks, line) => {
      const { showgrid, gridcolor, gridwidth = 1, zeroline, zerolinecolor, zerolinewidth = 1 } = axis.given
      if (!axis.visible) return
      if (showgrid) {
        pen.strokeStyle = gridcolor
        pen.lineWidth = gridwidth
        pen.beginPath()
        for (const mark of marks) if (!mark.minor) line(mark.at, gridwidth)
        pen.stroke()
      }
      const [low, high] = [Math.min(...axis.range), Math.max(...axis.range)]
      if (!zeroline || axis.log || low > 0 || high < 0) return
      pen.strokeStyle = zerolinecolor
      pen.lineWidth = zerolinewidth
      pen.beginPath()
      line(axis.pixel(0), zerolinewidth)
      pen.stroke()
    }
    grid(x, xMarks, (at, width) => {
      const px = this.crisp(at, width)
      pen.moveTo(px, this.top)
      pen.lineTo(px, this.bottom)
    })
    grid(y, yMarks, (at, width) => {
      const py = this.crisp(at, width)
      pen.moveTo(this.left, py)
      pen.lineTo(this.right, py)
    })
  }

  drawAxes() {
    const { pen, x, y } = this
    const above = x.given.side === "top"
    const edge = this.crisp(above ? this.top : this.bottom)
    const out = above ? -1 : 1
    const side = this.crisp(this.left)
    const rule = (axis, marks, line, tick) => {
      if (!axis.visible) return
      pen.lineWidth = 1
      pen.lineCap = "butt"
      if (axis.given.showline) {
        pen.strokeStyle = axis.given.linecolor
        pen.beginPath()
        line()
        pen.stroke()
      }
      if (axis.given.ticks !== "outside") return
      pen.strokeStyle = axis.given.tickcolor
      pen.beginPath()
      for (const mark of marks) tick(this.crisp(mark.at), mark.minor ? MINOR : axis.given.ticklen ?? TICK)
      pen.stroke()
    }
    rule(x, this.xMarks, () => {
      pen.moveTo(this.left, edge)
      pen.lineTo(this.right, edge)
    }, (at, length) => {
      pen.moveTo(at, edge)
      pen.lineTo(at, edge + out * length)
    })
    rule(y, this.yMarks, () => {
      pen.moveTo(side, this.top)
      pen.lineTo(side, this.bottom)
    }, (at, length) => {
      pen.moveTo(side, at)
      pen.lineTo(side - length, at)
    })
    this.drawAcross(above, out)
    this.drawUpward()
  }

  // Labels and title of the x axis.
  drawAcross(above, out) {
    const { pen, x, width } = this
    if (!x.visible) return
    const font = this.tickFont(x)
    const colour = x.given.tickfont?.color ?? x.given.color
    const start = (above ? this.top : this.bottom) + out * this.outset(x)
    let high = 0
    for (const { label, at } of this.labelled(x, this.xMarks)) {
      const size = measure(pen, label, font)
      if (this.angle) {
        pen.save()
        pen.translate(at, start + out * size.height * 0.3)
        pen.rotate((this.angle * Math.PI) / 180)
        write(pen, label, this.angle < 0 ? -size.width : 0, -size.height / 2, font, colour)
        pen.restore()
        continue
      }
      high = Math.max(high, size.height)
      const left = Math.max(1, Math.min(width - size.width - 1, at - size.width / 2))
      write(pen, label, left, above ? start - size.height : start, font, colour, { align: "center" })
    }
    const title = this.titleOf(x)
    if (!title) return
    const middle = (this.left + this.right) / 2
    const left = Math.max(1, Math.min(width - title.width - 1, middle - title.width / 2))
    const y = above ? 0 : this.angle ? this.height - title.height
      : Math.min(this.height - title.height, start + high + title.gap)
    write(pen, title.text, left, y, title.font, title.colour)
  }

  drawUpward() {
    const { pen, y, height } = this
    if (!y.visible) return
    const font = this.tickFont(y)
    const colour = y.given.tickfont?.color ?? y.given.color
    const right = this.left - this.outset(y)
    let wide = 0
    for (const { label, at } of this.labelled(y, this.yMarks)) {
      const size = measure(pen, label, font)
      wide = Math.max(wide, size.width)
      const top = Math.max(0, Math.min(height - size.height, at - size.height / 2))
      write(pen, label, right - size.width, top, font, colour, { align: "right" })
    }
    const title = this.titleOf(y)
    if (!title) return
    const middle = (this.top + this.bottom) / 2
    const edge = Math.max(0, right - wide - 4 - title.gap - (upright(title) ? title.width : title.height))
    if (upright(title)) {
      write(pen, title.text, edge, middle - title.height / 2, title.font, title.colour)
      return
    }
    pen.save()
    pen.translate(edge + title.height / 2, Math.max(title.width / 2, middle))
    pen.rotate(-Math.PI / 2)
    write(pen, title.text, -title.width / 2, -title.height / 2, title.font, title.colour)
    pen.restore()
  }

  // A coordinate of a shape or an annotation in pixels: on paper a share of the picture.
  across(ref, value) {
    if (String(ref).includes("paper") || String(ref).includes("domain")) {
      return this.left + value * (this.right - this.left)
    }
    return this.x.pixel(value)
  }

  up(ref, value) {
    if (String(ref).includes("paper") || String(ref).includes("domain")) {
      return this.bottom - value * (this.bottom - this.top)
    }
    return this.y.pixel(value)
  }

  drawShape({ type, xref, yref, x0, x1, y0, y1, line = {}, fillcolor, opacity = 1 }) {
    const { pen } = this
    let [a, b] = [this.across(xref, x0), this.across(xref, x1)]
    let [c, d] = [this.up(yref, y0), this.up(yref, y1)]
    if (![a, b, c, d].every(Number.isFinite)) return
    pen.globalAlpha = opacity
    pen.beginPath()
    const width = line.width ?? 2
    if (type === "circle") {
      pen.ellipse((a + b) / 2, (c + d) / 2, Math.abs(b - a) / 2, Math.abs(d - c) / 2, 0, 0, 2 * Math.PI)
    } else if (type === "rect") {
      pen.rect(Math.min(a, b), Math.min(c, d), Math.abs(b - a), Math.abs(d - c))
    } else {
      if (a === b) a = b = this.crisp(a, width)
      if (c === d) c = d = this.crisp(c, width)
      pen.moveTo(a, c)
      pen.lineTo(b, d)
    }
    if (fillcolor && type !== "line") {
      pen.fillStyle = fillcolor
      pen.fill()
    }
    if (width) {
      pen.lineWidth = width
      pen.lineCap = "butt"
      pen.strokeStyle = line.color ?? this.theme.text
      pen.setLineDash(DASHES[line.dash] ?? DASHES.solid)
      pen.stroke()
      pen.setLineDash(DASHES.solid)
    }
    pen.globalAlpha = 1
  }

  // The colours of the marks with what they stand for, to the right of the picture.
  drawColourBar({ colorscale, cmin = 0, cmax = 1, colorbar = {} }) {
    const { pen, theme } = this
    const scale = scaleOf(colorscale)
    const left = this.right + BAR.gap
    const wide = colorbar.thickness ?? 10
    const title = colorbar.title?.text
    const top = this.top + (title ? BAR.title : 0)
    const blend = pen.createLinearGradient(0, this.bottom, 0, top)
    for (let i = 0; i <= 32; i++) {
      const word = scale[Math.round((i / 32) * 255)]
      blend.addColorStop(i / 32, `rgb(${word & 255},${(word >> 8) & 255},${(word >> 16) & 255})`)
    }
    pen.fillStyle = blend
    pen.fillRect(left, top, wide, this.bottom - top)
    const axis = new Axis({ tickvals: colorbar.tickvals, ticktext: colorbar.ticktext, color: this.x.given.color }, "y")
    axis.spread([cmin, cmax])
    axis.lay(this.bottom, top)
    const font = { size: TICK_SIZE, family: this.font.family }
    const colour = colorbar.tickfont?.color ?? axis.given.color
    for (const { label, at } of axis.marks(pen, font)) {
      const { height } = measure(pen, label, font)
      const y = Math.max(top - height / 2, Math.min(this.bottom - height / 2, at - height / 2))
      write(pen, label, left + wide + 4, y, font, colour)
    }
    if (!title) return
    const { width } = measure(pen, title, { size: 12, family: this.font.family })
    const at = Math.min(left, this.width - width - 1)
    write(pen, title, at, this.top - 3, { size: 12, family: this.font.family }, colorbar.title.font?.color ?? theme.text)
  }

  // Words ------------------------------------------------------------------------------------------

  drawWords() {
    const { pen, layout } = this
    const boxes = this.drawn.flatMap((one) => one.labels(pen, this))
    for (const note of layout.annotations ?? []) {
      const box = this.boxOf(note)
      if (box) boxes.push(box)
    }
    this.words = boxes
    if (!boxes.length) return
    const right = this.bar ? this.right - 1 : this.width - 1 // what the colours stand for stays clear
    place(boxes, { left: 1, right, top: 0, bottom: Math.max(this.bottom, this.top + 1) })
    for (const box of boxes) if (box.tip) this.drawPointer(box)
    for (const box of boxes) this.writeBox(pen, box)
    pen.globalAlpha = 1
  }

  writeBox(pen, box) {
    pen.globalAlpha = box.opacity ?? 1
    write(pen, box.text, box.x, box.y, box.font, box.colour, {
      align: box.align, halo: box.halo ? this.haloOf(box.colour) : "", thick: box.thick ?? 3,
    })
  }

  // Writes the words with a halo once more, over what has been drawn above the chart.
  rewrite(pen) {
    for (const box of this.words ?? []) if (box.halo) this.writeBox(pen, box)
    pen.globalAlpha = 1
  }

  boxOf(note) {
    const { pen, x, y } = this
    const text = note.text === undefined || note.text === null ? "" : String(note.text)
    if (!text || note.visible === false) return null
    const font = { size: note.font?.size ?? this.font.size, family: this.font.family }
    const { width, height } = measure(pen, text, font)
    // Annotations are in an axis' own coordinates, unlike shapes.
    const paper = (ref) => String(ref ?? "").includes("paper") || String(ref ?? "").includes("domain")
    const px = paper(note.xref) ? this.across("paper", note.x) : x.origin + note.x * x.scale
    const py = paper(note.yref) ? this.up("paper", note.y) : y.origin + note.y * y.scale
    if (!Number.isFinite(px + py)) return null
    if ((!paper(note.xref) && (px < this.left - 1 || px > this.right + 1)) ||
      (!paper(note.yref) && (py < this.top - 1 || py > this.bottom + 1))) return null
    const pointed = note.showarrow !== false
    const thirds = (share, names) => names[share < 1 / 3 ? 0 : share > 2 / 3 ? 2 : 1]
    const side = known(note.xanchor) ?? (paper(note.xref) ? thirds(note.x, ["left", "center", "right"]) : "center")
    const down = known(note.yanchor) ?? (paper(note.yref) ? thirds(note.y, ["bottom", "middle", "top"]) : "middle")
    const at = {
      x: px + (note.xshift ?? 0) + (pointed ? note.ax ?? -10 : 0),
      y: py - (note.yshift ?? 0) + (pointed ? note.ay ?? -30 : 0),
    }
    const pad = paper(note.xref) ? PAD : 0
    return {
      text, font, width, height,
      x: at.x - (side === "left" ? -pad : side === "right" ? width + pad : width / 2),
      y: at.y - (down === "top" ? -LIFT : down === "bottom" ? height + LIFT : height / 2),
      align: note.align ?? (side === "center" ? "center" : side),
      colour: note.font?.color ?? this.theme.text,
      halo: true,
      thick: note.bgcolor ? 6 : 3, // in place of a plate
      opacity: note.opacity,
      tip: pointed ? { x: px, y: py, colour: note.arrowcolor ?? note.font?.color ?? this.theme.text,
        width: note.arrowwidth ?? 1.2 } : null,
    }
  }

  // Whether a box {x, y, width, height} lies on words of the picture.
  meets({ x, y, width, height }) {
    return this.words.some((box) => x < box.x + box.width && box.x < x + width &&
      y < box.y + box.height && box.y < y + height)
  }

  drawPointer({ x, y, width, height, tip }) {
    // From the nearest point of the box.
    const from = { x: Math.max(x, Math.min(x + width, tip.x)), y: Math.max(y, Math.min(y + height, tip.y)) }
    arrow(this.pen, from.x, from.y, tip.x, tip.y, tip.width, tip.colour, this.theme.background)
  }

  // The page's own colour, unless the words have it: then what stands against them.
  haloOf(colour) {
    let halo = this.halos.get(colour)
    if (halo === undefined) {
      const { theme } = this
      const light = ([r, g, b]) => 0.299 * r + 0.587 * g + 0.114 * b
      const apart = Math.abs(light(rgba(colour)) - light(rgba(theme.background)))
      halo = apart > 48 ? theme.background : light(rgba(colour)) > 128 ? "rgba(16,18,24,0.6)" : "rgba(255,255,255,0.7)"
      this.halos.set(colour, halo)
    }
    return halo
  }

  // What the pointer reads ---------------------------------------------------------------------------

  // The nearest thing with something to say at a pixel: {text, distance}, or null.
  read(px, py) {
    let best = null
    for (const one of this.drawn.toReversed()) {
      const found = one.read(px, py, this)
      if (found && (!best || found.distance < best.distance)) best = found
    }
    return best
  }
}

const known = (anchor) => (anchor === undefined || anchor === "auto" ? undefined : anchor)

// A title of a letter or two is not turned.
const upright = (title) => title.width < 2 * title.font.size
