// What moves over a chart: trails and their heads, arrows, boxes, the clock's cursor.
//
// `trail` grows by the segments that are new in a frame, `head` alone is cleared and redrawn.
// Points are turned into pixels once for each change of data or view, so a frame only walks
// along arrays.

import { arrow, endMark, mark } from "../marks.js"
import { place } from "./labels.js"
import { stroke } from "./strokes.js"
import { hue } from "./lighting.js"
import { measure, write } from "./words.js"

const FAINT = 0.2 // a curve that the cursor has yet to reach
const COMET = 14 // frames of emphasis behind a moving head
const HEAD = 4.6 // radius of a head, CSS pixels
const DOT = 3.2 // radius of a point
const LEAVING = 16 // the length of the arrow where a trail leaves
const EDGE = 7 // heads may stand over the axes' edge by this much
const UNLIT = 0.2 // how strong the other arrows are while one is lit
const LABEL = 12 // the size of an arrow's word
const LABEL_GAP = 6 // between an arrow and its word
const REACH = 14 // pixels from the pointer to a track that it reads

export class Overlay {
  // `view` has width, height, left, right, top, bottom, inside, toX, toY and placeTrack(track).
  constructor(trail, head, view) {
    Object.assign(this, { trail, head, view })
    this.tracks = []
    this.arrows = []
    this.boxes = []
    this.cursor = null
    this.drawn = -1
    this.lit = null // the hue of the arrows that stand out, where a formula's term is pointed at
  }

  // Lights the arrows of a hue, where there are any, or none of them.
  light(lit) {
    this.lit = this.arrows.some((group) => group.hue === lit) ? lit : null
  }

  // Takes a panel's spec, with its leaves looked up.
  take(spec, theme, resolve) {
    this.theme = theme
    const before = this.tracks
    this.tracks = spec.tracks.map((given, i) => {
      const { px, py, along } = before[i] ?? {}
      return { ...given, given, css: theme.colour(given.color), x: null, y: null, z: null, px, py, along }
    })
    this.arrows = spec.arrows.map((given) => ({
      ...given, given, css: theme.colour(given.color), hue: hue(theme.colour(given.color)),
    }))
    this.boxes = spec.boxes.map((given) => ({
      ...given, given, css: given.colors.map((colour) => theme.colour(colour)),
    }))
    this.follow = spec.cursor
    this.refresh(resolve)
  }

  // Looks everything up again; what is another than before is placed anew.
  refresh(resolve) {
    for (const track of this.tracks) {
      const { given } = track
      const y = resolve(given.y)
      const x = given.x ? resolve(given.x) : counted(track.x, y.length)
      const z = given.z ? resolve(given.z) : null
      const stop = given.stop === null ? null : resolve(given.stop)
      if (x === track.x && y === track.y && z === track.z && stop === track.stop) continue
      Object.assign(track, { x, y, z, stop: Number.isFinite(stop) && stop >= 0 ? stop : null })
      this.place(track)
    }
    for (const group of this.arrows) {
      for (const name of ["x", "y", "dx", "dy"]) group[name] = block(resolve(group.given[name]))
      group.label = resolve(group.given.label)
    }
    for (const group of this.boxes) {
      for (const name of ["x0", "y0", "x1", "y1"]) group[name] = block(resolve(group.given[name]))
    }
    const { follow } = this
    this.cursor = follow === true ? true : follow ? resolve(follow) : null
  }

  placeAll() {
    for (const track of this.tracks) this.place(track)
    this.drawn = -1
  }

  place(track) {
    this.drawn = -1
    if (!this.view.ready) return
    this.view.placeTrack(track)
    const n = track.px.length
    track.end = Math.min(n - 1, track.stop ?? n - 1)
    while (track.end > 0 && !Number.isFinite(track.px[track.end] + track.py[track.end])) track.end--
    // A trail that gets away ends where it leaves for good: its swings would fill the picture.
    if (track.mode !== "trail" || track.stop === null) return
    let last = track.end
    while (last >= 0 && !this.view.inside(track.px[last], track.py[last])) last--
    track.end = Math.min(last + 1, track.end)
  }

  // Paints the moment `position` (in frames; a fraction lies between two).
  draw(position) {
    const frame = Math.floor(position)
    this.growTrails(frame)
    this.drawHeads(frame, position - frame)
  }

  clip(pen, margin) {
    const { left, right, top, bottom } = this.view
    pen.save()
    pen.beginPath()
    pen.rect(left - margin, top - margin, right - left + 2 * margin, bottom - top + 2 * margin)
    pen.clip()
  }

  growTrails(frame) {
    if (frame === this.drawn) return
    const { trail, view } = this
    const afresh = this.drawn < 0 || frame < this.drawn
    if (afresh) trail.clearRect(0, 0, view.width, view.height)
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
    // What a curve is called stays legible where the curve runs through it.
    if (this.tracks.length) view.chart?.rewrite(trail) // a surface in space has none
    this.drawn = frame
  }

  stroke(pen, track, from, to, width) {
    const { left, right, top, bottom } = this.view
    const box = { left: left - EDGE, right: right + EDGE, top: top - EDGE, bottom: bottom + EDGE }
    stroke(pen, track, from, to, { colour: track.css, width, dash: track.dash, box })
  }

  dots(pen, track, from, to) {
    for (let i = from; i <= to; i++) {
      if (Number.isFinite(track.px[i] + track.py[i])) {
        mark(pen, track.marker, track.px[i], track.py[i], DOT, track.css, this.theme.background)
      }
    }
  }

  drawHeads(frame, part) {
    const { head, theme, view } = this
    head.clearRect(0, 0, view.width, view.height)
    this.clip(head, 0)
    for (const group of this.boxes) this.drawBoxes(group, frame, part)
    if (this.cursor) this.drawCursor(frame, part)
    this.drawComets(frame)
    head.restore()
    this.clip(head, EDGE)
    const words = this.arrows.flatMap((group) => this.drawArrows(group, frame, part))
    for (const track of this.tracks) {
      if (track.mode === "points") continue
      const at = Math.min(frame, track.end)
      let x = track.px[at]
      let y = track.py[at]
      if (!(x - x === 0 && y - y === 0)) continue
      if (track.stop !== null && frame >= Math.min(track.stop, track.end + 1)) {
        if (track.mode === "trail" && this.leave(track)) continue
        x = Math.min(view.right, Math.max(view.left, x))
        y = Math.min(view.bottom, Math.max(view.top, y))
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
    this.writeWords(words)
  }

  // A small arrow where a trail leaves the picture; false where it ends within or never was in it.
  leave({ px, py, end, width, css }) {
    const { head, theme, view } = this
    const [x, y] = [px[end - 1], py[end - 1]]
    const [dx, dy] = [px[end] - x, py[end] - y]
    if (!(end > 0) || !view.inside(x, y) || view.inside(px[end], py[end])) return false
    const until = (from, by, low, high) => (by ? ((by > 0 ? high : low) - from) / by : Infinity)
    const part = Math.min(until(x, dx, view.left, view.right), until(y, dy, view.top, view.bottom))
    const [ux, uy] = [dx, dy].map((d) => (d * LEAVING) / Math.hypot(dx, dy))
    const [at, up] = [x + dx * part, y + dy * part]
    arrow(head, at - ux, up - uy, at, up, width, css, theme.background)
    return true
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
    const { head, cursor, theme, view } = this
    const value = cursor === true ? frame + part : cursor[Math.min(frame, cursor.length - 1)]
    const x = view.toX(value)
    if (!Number.isFinite(x)) return
    head.strokeStyle = theme.text
    head.globalAlpha = 0.45
    head.lineWidth = 1
    head.beginPath()
    head.moveTo(x, view.top)
    head.lineTo(x, view.bottom)
    head.stroke()
    head.globalAlpha = 1
  }

  drawBoxes(group, frame, part) {
    const { head, view } = this
    head.globalAlpha = group.opacity
    for (let j = 0; j < group.x0.of; j++) {
      const x0 = view.toX(between(group.x0, frame, part, j))
      const x1 = view.toX(between(group.x1, frame, part, j))
      const y0 = view.toY(between(group.y0, frame, part, j))
      const y1 = view.toY(between(group.y1, frame, part, j))
      if (!Number.isFinite(x0 + x1 + y0 + y1)) continue
      head.fillStyle = group.css[j % group.css.length]
      head.fillRect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0))
    }
    head.globalAlpha = 1
  }

  // Draws arrows; gives their words, as boxes to be placed.
  drawArrows(group, frame, part) {
    const { head, theme, view } = this
    const words = []
    for (let j = 0; j < group.x.of; j++) {
      const x = between(group.x, frame, part, j)
      const y = between(group.y, frame, part, j)
      const x0 = view.toX(x)
      const y0 = view.toY(y)
      const x1 = view.toX(x + between(group.dx, frame, part, j))
      const y1 = view.toY(y + between(group.dy, frame, part, j))
      if (!Number.isFinite(x0 + y0 + x1 + y1)) continue
      const lit = this.lit === null || group.hue === this.lit
      head.globalAlpha = lit ? 1 : UNLIT
      arrow(head, x0, y0, x1, y1, group.width * (lit && this.lit ? 1.6 : 1), group.css, theme.background)
      head.globalAlpha = 1
      if (!group.label || !view.inside(x0, y0)) continue
      const share = group.labelAt
      words.push(this.wordAt(group, x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, x1 >= x0))
    }
    return words
  }

  // The word at an arrow, on the side it points to unless the panel ends there.
  wordAt({ label, css }, x, y, ahead) {
    const { head, theme, view } = this
    const font = { size: LABEL, family: theme.font }
    const { width, height } = measure(head, label, font)
    const room = width + LABEL_GAP
    const right = ahead ? x + room < view.width || x - room < 0 : x - room < 0
    return {
      text: label, font, width, height, colour: css, y: y - height / 2,
      x: right ? x + LABEL_GAP : x - room,
    }
  }

  writeWords(boxes) {
    const { head, theme, view } = this
    place(boxes, { left: 0, right: view.width, top: 0, bottom: view.height })
    for (const { text, x, y, font, colour } of boxes) {
      write(head, text, x, y, font, colour, { halo: theme.background })
    }
  }

  // The frame whose cursor is nearest to x.
  frameAt(x) {
    const { cursor } = this
    if (cursor === true) return x
    let best = 0
    for (let i = 1; i < cursor.length; i++) {
      if (Math.abs(cursor[i] - x) < Math.abs(cursor[best] - x)) best = i
    }
    return best
  }

  // The nearest point of a track that is drawn: {track, index, distance}, or null.
  read(x, y) {
    let found = null
    let best = REACH ** 2
    for (const track of this.tracks) {
      const end = track.mode === "curve" ? track.end : Math.min(track.end, this.drawn)
      for (let i = 0; i <= end; i++) {
        const distance = (track.px[i] - x) ** 2 + (track.py[i] - y) ** 2
        if (distance < best) {
          best = distance
          found = { track, index: i, distance }
        }
      }
    }
    return found
  }
}

// 0, 1, … where a track has no x of its own.
function counted(before, n) {
  return before?.length === n && before.counted ? before
    : Object.assign(Float32Array.from({ length: n }, (_, i) => i), { counted: true })
}

// A value for each frame and thing: a number, (frames,) or (frames, things).
function block(value) {
  if (typeof value === "number") return { at: [value], frames: 1, of: 1 }
  const [frames, of = 1] = value.shape ?? [value.length]
  return { at: value, frames, of }
}

// Value j of a block, between this frame and the next.
function between({ at, frames, of }, frame, part, j) {
  const k = Math.min(frame, frames - 1)
  const here = at[k * of + (j % of)]
  if (!part || k + 1 >= frames) return here
  return here + (at[(k + 1) * of + (j % of)] - here) * part
}
