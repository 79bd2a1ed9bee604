// What pictures' runs are called by their look: a legend's entries, and the legend by any pen for
// pictures that are taken along (a page's own is made of elements).

import { DASHES, mark } from "./marks.js"
import { measure, write } from "./stage/words.js"

// The labelled tracks of some panels, by label.
export function entriesOf(panels) {
  const entries = new Map()
  for (const { tracks } of panels) for (const track of tracks) if (track.label) entries.set(track.label, track)
  return entries
}

// Draws [name, {color, dash, marker}] for each entry side by side from 0 on, around a height of 8;
// returns where the next would stand.
export function drawLegend(pen, entries, theme) {
  const font = { size: 13, family: theme.font }
  let x = 0
  for (const [name, { color, dash, marker }] of entries) {
    const colour = theme.colour(color)
    pen.strokeStyle = colour
    pen.lineWidth = 2
    pen.lineCap = "butt"
    pen.setLineDash(DASHES[dash] ?? [])
    pen.beginPath()
    pen.moveTo(x, 8)
    pen.lineTo(x + 26, 8)
    pen.stroke()
    pen.setLineDash([])
    if (marker) mark(pen, marker, x + 13, 8, 3.6, colour, theme.background)
    const { width, height } = measure(pen, name, font)
    write(pen, name, x + 32, 8 - height / 2, font, theme.text)
    x += 32 + width + 16
  }
  return x
}
