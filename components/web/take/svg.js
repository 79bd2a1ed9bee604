// A pen with the part of a canvas' language that our pictures use, which writes SVG.

const round = (value) => String(Math.round(value * 100) / 100)
const escaped = (text) =>
  String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

class Path {
  constructor() {
    this.d = ""
  }

  moveTo(x, y) {
    this.d += `M${round(x)} ${round(y)}`
  }

  lineTo(x, y) {
    this.d += `${this.d ? "L" : "M"}${round(x)} ${round(y)}`
  }
}

class Gradient {
  constructor(id, ends) {
    this.id = id
    this.ends = ends
    this.stops = []
  }

  addColorStop(at, colour) {
    this.stops.push([at, colour])
  }

  toString() {
    return `url(#${this.id})`
  }

  get markup() {
    const [x1, y1, x2, y2] = this.ends.map(round)
    const stops = this.stops.map(([at, colour]) => `<stop offset="${round(at)}" stop-color="${colour}"/>`)
    return `<linearGradient id="${this.id}" gradientUnits="userSpaceOnUse" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}">${stops.join("")}</linearGradient>`
  }
}

let count = 0 // names of clips and gradients are told apart across pictures

export class SvgPen {
  constructor(width, height) {
    Object.assign(this, { width, height })
    this.canvas = {} // what asks for it hides it
    this.parts = []
    this.defs = []
    this.stack = []
    this.measurer = document.createElement("canvas").getContext("2d")
    Object.assign(this, {
      fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, lineCap: "butt", lineJoin: "miter",
      globalAlpha: 1, font: "10px sans-serif", lineDashOffset: 0, imageSmoothingEnabled: true,
      textAlign: "left", textBaseline: "alphabetic",
    })
    this.dash = []
    this.transform = []
    this.clipped = ""
    this.path = new Path()
  }

  get text() {
    const { width, height, parts, defs } = this
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
      `<defs>${defs.map((def) => def.markup ?? def).join("")}</defs>${parts.join("\n")}</svg>\n`
  }

  save() {
    const { fillStyle, strokeStyle, lineWidth, lineCap, lineJoin, globalAlpha, font, lineDashOffset, dash, transform, clipped } = this
    this.stack.push({ fillStyle, strokeStyle, lineWidth, lineCap, lineJoin, globalAlpha, font, lineDashOffset, dash, transform, clipped })
  }

  restore() {
    Object.assign(this, this.stack.pop())
  }

  translate(x, y) {
    this.transform = [...this.transform, `translate(${round(x)} ${round(y)})`]
  }

  rotate(angle) {
    this.transform = [...this.transform, `rotate(${round((angle * 180) / Math.PI)})`]
  }

  scale(x, y) {
    this.transform = [...this.transform, `scale(${x} ${y})`]
  }

  setLineDash(dash) {
    this.dash = dash
  }

  // Paths ------------------------------------------------------------------------------------------

  newPath() {
    return new Path()
  }

  beginPath() {
    this.path = new Path()
  }

  moveTo(x, y) {
    this.path.moveTo(x, y)
  }

  lineTo(x, y) {
    this.path.lineTo(x, y)
  }

  closePath() {
    this.path.d += "Z"
  }

  rect(x, y, width, height) {
    this.path.d += `M${round(x)} ${round(y)}h${round(width)}v${round(height)}h${round(-width)}Z`
  }

  arc(x, y, radius, from, to) {
    this.ellipse(x, y, radius, radius, 0, from, to)
  }

  ellipse(x, y, a, b, turn, from, to) {
    const at = (angle) => `${round(x + a * Math.cos(angle))} ${round(y + b * Math.sin(angle))}`
    const size = `${round(a)} ${round(b)} 0`
    if (to - from >= 2 * Math.PI - 1e-9) {
      this.path.d += `M${at(from)}A${size} 1 1 ${at(from + Math.PI)}A${size} 1 1 ${at(from)}Z`
    } else {
      this.path.d += `${this.path.d ? "L" : "M"}${at(from)}A${size} ${Number(to - from > Math.PI)} 1 ${at(to)}`
    }
  }

  stroke(path = this.path) {
    if (!path.d) return
    const { strokeStyle, lineWidth, lineCap, lineJoin, dash, lineDashOffset } = this
    const dashed = dash.length
      ? ` stroke-dasharray="${dash.join(" ")}" stroke-dashoffset="${round(lineDashOffset)}"` : ""
    this.put(`<path d="${path.d}" fill="none" stroke="${strokeStyle}" stroke-width="${round(lineWidth)}" ` +
      `stroke-linecap="${lineCap}" stroke-linejoin="${lineJoin}"${dashed}`)
  }

  fill() {
    if (this.path.d) this.put(`<path d="${this.path.d}" fill="${this.fillStyle}"`)
  }

  clip() {
    const id = `c${++count}`
    const inside = this.clipped ? ` clip-path="url(#${this.clipped})"` : ""
    this.defs.push(`<clipPath id="${id}"${inside}><path d="${this.path.d}"${this.moved}/></clipPath>`)
    this.clipped = id
  }

  fillRect(x, y, width, height) {
    this.put(`<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${this.fillStyle}"`)
  }

  strokeRect(x, y, width, height) {
    this.beginPath()
    this.rect(x, y, width, height)
    this.stroke()
  }

  clearRect() {
    // Everything is drawn once, on empty paper.
  }

  createLinearGradient(...ends) {
    const gradient = new Gradient(`g${++count}`, ends)
    this.defs.push(gradient)
    return gradient
  }

  drawImage(image, x, y, width = image.width, height = image.height) {
    const href = image.toDataURL?.() ?? image.src
    const look = this.imageSmoothingEnabled ? "" : ' style="image-rendering:pixelated"'
    this.put(`<image href="${href}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" preserveAspectRatio="none"${look}`)
  }

  // Text -------------------------------------------------------------------------------------------

  measureText(text) {
    this.measurer.font = this.font
    return this.measurer.measureText(text)
  }

  fillText(text, x, y) {
    this.put(`<text x="${round(x)}" y="${round(y)}" style="font:${escaped(this.font)};white-space:pre" fill="${this.fillStyle}"`, `${escaped(text)}</text>`)
  }

  strokeText(text, x, y) {
    this.put(`<text x="${round(x)}" y="${round(y)}" style="font:${escaped(this.font)};white-space:pre" fill="none" stroke="${this.strokeStyle}" ` +
      `stroke-width="${round(this.lineWidth)}" stroke-linejoin="${this.lineJoin}"`, `${escaped(text)}</text>`)
  }

  get moved() {
    return this.transform.length ? ` transform="${this.transform.join(" ")}"` : ""
  }

  // What is clipped before it is moved lies in a group of its own.
  put(begin, end = "") {
    const alpha = this.globalAlpha < 1 ? ` opacity="${round(this.globalAlpha)}"` : ""
    const element = `${begin}${alpha}${this.moved}${end ? `>${end}` : "/>"}`
    this.parts.push(this.clipped ? `<g clip-path="url(#${this.clipped})">${element}</g>` : element)
  }
}
