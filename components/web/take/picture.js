// A stage drawn by any pen, as it stands at a moment of its clock: legend, titles, panels with what
// moves on them, handles and sentences. The panels draw themselves.

import { drawLegend, entriesOf } from "../legend.js"
import { mark } from "../marks.js"
import { measure, write } from "../stage/words.js"

const PAD = 8

// Pictures that Plotly has to make first, by panel.
export async function scenesOf(stage) {
  const found = new Map()
  for (const panel of stage.panels.values()) {
    if (!panel.Plotly || panel.element.hidden) continue
    const url = await panel.Plotly.toImage(panel.graph, {
      format: "png", width: panel.width, height: panel.height, scale: 2,
    })
    const image = new Image()
    image.src = url
    await image.decode()
    found.set(panel, image)
  }
  return found
}

// The size of a stage's picture in CSS pixels.
export function sizeOf(stage) {
  const { width } = stage.root.getBoundingClientRect()
  const box = stage.grid.getBoundingClientRect()
  return [Math.ceil(width) + 2 * PAD, Math.ceil(box.height + legendHeight(stage) + linesHeight(stage)) + 2 * PAD]
}

const legendHeight = (stage) => (stage.legend.hidden ? 0 : 24)
const linesHeight = (stage) => 20 * sentences(stage).length
const sentences = (stage) => [
  ...(stage.caption.hidden || !stage.caption.textContent ? [] : [stage.caption.textContent]),
  ...Array.from(stage.lines.children, (line) => line.textContent).filter(Boolean),
]

// Draws the stage with a pen whose paper is `sizeOf`; `position` is in frames.
export function draw(stage, pen, position, scenes = new Map()) {
  const { theme } = stage
  const [width, height] = sizeOf(stage)
  pen.fillStyle = theme.background
  pen.fillRect(0, 0, width, height)
  pen.save()
  pen.translate(PAD, PAD)
  if (!stage.legend.hidden) drawLegend(pen, entriesOf(stage.data.panels), stage.theme)
  pen.translate(0, legendHeight(stage))
  const origin = stage.grid.getBoundingClientRect()
  for (const panel of stage.panels.values()) {
    if (panel.element.hidden) continue
    const box = panel.plot.getBoundingClientRect()
    pen.save()
    pen.translate(Math.round(box.left - origin.left), Math.round(box.top - origin.top))
    const title = panel.title.textContent
    if (title) write(pen, title, 0, -20, { size: 13, family: theme.font }, theme.faded(theme.text, 0.75))
    drawPanel(panel, pen, position, scenes.get(panel))
    pen.restore()
  }
  sentences(stage).forEach((line, i) => {
    write(pen, line, 0, origin.height + 4 + 20 * i, { size: 13, family: theme.font }, theme.text)
  })
  pen.restore()
}

function drawPanel(panel, pen, position, scene) {
  const { overlay, chart, below } = panel
  const pens = { trail: overlay.trail, head: overlay.head, chart: chart?.pen }
  try {
    if (scene) pen.drawImage(scene, 0, 0, panel.width, panel.height)
    if (chart) {
      panel.below = pen
      panel.paintBelow()
      chart.pen = pen
      chart.paint()
    }
    overlay.trail = overlay.head = pen
    overlay.drawn = -1
    if (panel.ready) overlay.draw(position)
  } finally {
    overlay.trail = pens.trail
    overlay.head = pens.head
    overlay.drawn = -1
    panel.below = below
    if (chart) chart.pen = pens.chart
  }
  if (scene) return
  for (const handle of panel.handles.byId.values()) {
    if (handle.seen === false || !handle.spec) continue
    const [x, y] = [panel.toX(handle.x), panel.toY(handle.y)]
    const { theme } = panel
    mark(pen, handle.given.marker, x, y, 6, theme.colour(handle.given.color), theme.background)
    if (!handle.spec.label) continue
    const font = { size: 12, family: theme.font }
    const { width, height } = measure(pen, handle.spec.label, font)
    write(pen, handle.spec.label, handle.flip ? x - 14 - width : x + 14, y - height, font, theme.text, { halo: theme.background })
  }
}
