// A training taken along: its picture by any pen, at any moment, and its run in numbers. The planes
// and the curves draw themselves.

import { drawLegend } from "../legend.js"
import { measure, write } from "../stage/words.js"

const PAD = 8
const LEGEND = 24
const LINE = 20
const TITLE = 20 // above each picture
const NUMBERS = ["examples", "evaluations", "loss", "accuracy", "testLoss", "testAccuracy"]

const measurer = document.createElement("canvas").getContext("2d")

const sentences = ({ lines }) => Array.from(lines.children, (line) => line.textContent)
const fontOf = ({ theme }) => ({ size: 13, family: theme.font })

// What the curves are and what is said, in lines that the picture has room for.
function linesOf(training) {
  const font = fontOf(training)
  const fits = (text) => measure(measurer, text, font).width <= training.root.clientWidth
  return [training.legend.lastElementChild.textContent, ...sentences(training)].flatMap((sentence) => sentence.split(" ").reduce((lines, word) => {
    const longer = [lines.at(-1), word].filter(Boolean).join(" ")
    return fits(longer) ? [...lines.slice(0, -1), longer] : [...lines, word]
  }, [""]))
}

// [width, height] in CSS pixels.
export function sizeOf(training) {
  const { planes, chartGrid, root } = training
  const high = planes.getBoundingClientRect().height + chartGrid.getBoundingClientRect().height
  return [Math.ceil(root.clientWidth), Math.ceil(LEGEND + high + LINE * linesOf(training).length)].map((v) => v + 2 * PAD)
}

// Draws it as it is at a moment {step, now, history}; what is said of it is of today.
export function draw(training, pen, { step, now, history }) {
  const { theme, data, planes, charts, chartGrid } = training
  const [width, height] = sizeOf(training)
  const font = fontOf(training)
  pen.fillStyle = theme.background
  pen.fillRect(0, 0, width, height)
  pen.save()
  pen.translate(PAD, PAD)
  const x = drawLegend(pen, data.runs.map(({ name, look }) => [name, look]), theme)
  write(pen, `step ${step} of ${training.end}`, x, 0, font, theme.faded(theme.text, 0.75))
  pen.translate(0, LEGEND)
  const put = (grid, figures, paint) => {
    const origin = grid.getBoundingClientRect()
    figures.forEach((figure, i) => {
      const canvas = figure.querySelector("canvas").getBoundingClientRect()
      pen.save()
      pen.translate(Math.round(canvas.left - origin.left), Math.round(canvas.top - origin.top))
      const title = paint(i, canvas.width, canvas.height)
      write(pen, title, 0, -TITLE, font, theme.faded(theme.text, 0.75))
      pen.restore()
    })
    pen.translate(0, Math.round(origin.height))
  }
  put(planes, [...planes.children], (i, w, h) => {
    training.drawPlane(pen, now[i], w, h)
    return [data.runs[i].name, training.shares(now[i])].filter(Boolean).join(": ")
  })
  put(chartGrid, charts, (k, w, h) => {
    training.drawChart(pen, ["loss", "accuracy"][k], history, w, h)
    return charts[k].querySelector(".dl-title").textContent
  })
  linesOf(training).forEach((line, i) => write(pen, line, 0, LINE * i + 4, font, theme.text))
  pen.restore()
}

// {step, end, says, runs: [{name, batch, settings, step, examples, loss, …}]}: a list for each number
// of a run, an entry of it for each point of the curves; test… is of what is held back.
export function recordOf(training) {
  const { data, specs, hypers, history, step, end } = training
  const list = (i, name) => history.map(({ runs }) => (Number.isFinite(runs[i][name]) ? runs[i][name] : null))
  return {
    step, end, says: sentences(training),
    runs: data.runs.map((run, i) => ({
      name: run.name,
      batch: specs[i].batch || data.learned,
      settings: Object.fromEntries(run.hypers.map(([entry], k) => [entry, hypers[i][k]]).filter(([entry]) => entry)),
      step: history.map((entry) => entry.step),
      ...Object.fromEntries(NUMBERS.map((name) => [name, list(i, name)])),
    })),
  }
}

// Moments of a whole training, at most so many, as a desk makes them.
export async function filmOf(desk, end, most) {
  const count = Math.min(end + 1, most)
  const moments = []
  const history = []
  for (let i = 0; i < count; i++) {
    const found = await desk.call("to", Math.round((i / Math.max(1, count - 1)) * end), Infinity)
    history.push(...found.history)
    moments.push({ step: found.step, now: found.now, history: [...history] })
  }
  return moments
}
