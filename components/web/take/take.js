// What can be taken from the pictures on a page, made here: pictures, films, numbers.

import { Gif, paletteOf } from "./gif.js"
import { graphOf } from "./graph.js"
import { draw, scenesOf, sizeOf } from "./picture.js"
import { csv, record } from "./run.js"
import { SvgPen } from "./svg.js"
import { canEncode, film } from "./webm.js"

const SHARP = 2 // pixels of a PNG to a CSS pixel
const MOST_FRAMES = 90 // of a GIF
const GIF_WIDTH = 760
const TRAINED = 6 // seconds that a training's film takes
const HOLD = 1.2 // seconds on a film's last frame
const RATE = 30 // frames of a WebM a second

export const KINDS = {
  png: "image/png", svg: "image/svg+xml", gif: "image/gif", webm: "video/webm",
  csv: "text/csv", json: "application/json",
}

// A Blob of that kind of what `element` shows, from {element, store, page, title, link}; `progress`
// hears how far a film is (0 to 1).
export async function take(kind, { element, ...said }, progress = () => {}) {
  const about = { ...said, stages: stagesIn(element), graphs: graphsIn(element), trainings: trainingsIn(element) }
  const { stages, graphs, trainings } = about
  for (const training of trainings) await training.rested()
  if (kind === "json") return text(JSON.stringify(record(about), null, 1), kind)
  if (kind === "csv") return text(csv(record(about)), kind)
  if (![stages, graphs, trainings].some((drawn) => drawn.length)) throw new Error("there is no picture on this page")
  if (kind === "svg") return text(svgOf(about), kind)
  if (kind === "png" && !graphs.length && !trainings.length) return pngOf(stages)
  if (kind === "png") return drawnFrom(svgOf(about))
  if (trainings.length) {
    const reel = await reelOfTraining(trainings[0])
    return kind === "gif" ? gifOf(reel, progress) : webmOf(reel, progress)
  }
  const { clock } = graphs[0] ?? stages[0]
  const { position } = clock
  clock.pause()
  try {
    const reel = graphs.length ? await reelOfGraph(graphs[0]) : await reelOf(stages[0])
    return await (kind === "gif" ? gifOf(reel, progress) : webmOf(reel, progress))
  } finally {
    clock.position = position
    clock.onMove()
  }
}

// What a film shows: {width, height, end (its last frame), seconds, draw(pen, position in frames)}.
async function reelOf(stage) {
  const [width, height] = sizeOf(stage)
  const scenes = await scenesOf(stage)
  const { end } = stage.clock
  return { width, height, end, seconds: stage.data.seconds, draw: (pen, at) => draw(stage, pen, at, scenes) }
}

async function reelOfGraph(graph) {
  const { clock } = graph
  const { end, seconds } = clock
  const images = []
  for (let at = 0; at <= end; at++) {
    clock.seek(at)
    images.push(await imageOf(svgOf({ graphs: [graph] })))
  }
  const { width, height } = images[0]
  return { width, height, end, seconds, draw: (pen, at) => pen.drawImage(images[Math.floor(at)], 0, 0) }
}

async function reelOfTraining(training) {
  const [width, height] = training.pictured
  const moments = await training.film(MOST_FRAMES)
  const draw = (pen, at) => training.draw(pen, moments[Math.floor(at)])
  return { width, height, end: moments.length - 1, seconds: TRAINED, draw }
}

const text = (content, kind) => new Blob([content], { type: `${KINDS[kind]};charset=utf-8` })

// Graphs, stages and trainings one under the other.
function svgOf({ stages = [], graphs = [], trainings = [] }) {
  const drawn = graphs.map(graphOf)
  const sizes = stages.map(sizeOf)
  const pieces = [...drawn.map(({ width, height }) => [width, height]), ...sizes, ...trainings.map((one) => one.pictured)]
  const height = pieces.reduce((sum, [, high]) => sum + high, 0)
  const pen = new SvgPen(Math.max(...pieces.map(([width]) => width)), height)
  pen.fillStyle = drawn[0]?.paper ?? [...stages, ...trainings][0].theme.background
  pen.fillRect(0, 0, pen.width, pen.height)
  for (const graph of drawn) {
    pen.put("<g", graph.text)
    pen.translate(0, graph.height)
  }
  for (const [i, stage] of stages.entries()) {
    draw(stage, pen, stage.clock.position)
    stage.paint()
    pen.translate(0, sizes[i][1])
  }
  for (const training of trainings) {
    training.draw(pen)
    pen.translate(0, training.pictured[1])
  }
  return pen.text
}

async function imageOf(svg) {
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`
  await image.decode()
  return image
}

// The PNG of an SVG.
async function drawnFrom(svg) {
  const image = await imageOf(svg)
  const { canvas, pen } = paper(image.width, image.height, SHARP)
  pen.drawImage(image, 0, 0)
  return new Promise((resolve) => canvas.toBlob(resolve, KINDS.png))
}

function paper(width, height, scale) {
  const canvas = document.createElement("canvas")
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  const pen = canvas.getContext("2d", { willReadFrequently: true })
  pen.scale(scale, scale)
  pen.clearRect = () => {} // layers that were canvases of their own lie on one another here
  return { canvas, pen }
}

async function pngOf(stages) {
  const sizes = stages.map(sizeOf)
  const height = sizes.reduce((sum, [, high]) => sum + high, 0)
  const width = Math.max(...sizes.map(([wide]) => wide))
  const { canvas, pen } = paper(width, height, SHARP)
  pen.fillStyle = stages[0].theme.background
  pen.fillRect(0, 0, width, height)
  for (const [i, stage] of stages.entries()) {
    const scenes = await scenesOf(stage)
    draw(stage, pen, stage.clock.position, scenes)
    stage.paint()
    pen.translate(0, sizes[i][1])
  }
  return new Promise((resolve) => canvas.toBlob(resolve, KINDS.png))
}

// The frames of a film: whole ones, at most so many.
function framesOf({ end }, most) {
  const count = Math.min(end + 1, most)
  return Array.from({ length: count }, (_, i) => Math.round((i / Math.max(1, count - 1)) * end))
}

async function gifOf(reel, progress) {
  const { width, height } = reel
  const scale = Math.min(1, GIF_WIDTH / width)
  const { canvas, pen } = paper(width, height, scale)
  const image = (frame) => {
    reel.draw(pen, frame)
    return pen.getImageData(0, 0, canvas.width, canvas.height)
  }
  const frames = framesOf(reel, MOST_FRAMES)
  const palette = paletteOf([0, 0.5, 1].map((part) => image(frames[Math.floor(part * (frames.length - 1))])))
  const gif = new Gif(canvas.width, canvas.height, palette)
  const each = (100 * reel.seconds) / Math.max(1, frames.length - 1)
  for (const [i, frame] of frames.entries()) {
    gif.add(image(frame), i === frames.length - 1 ? 100 * HOLD : each)
    progress((i + 1) / frames.length)
    await new Promise((resolve) => setTimeout(resolve))
  }
  return new Blob([gif.end()], { type: KINDS.gif })
}

// A film encoded frame by frame, or, where a browser cannot, recorded as it plays.
async function webmOf(reel, progress) {
  const { width, height, seconds, end } = reel
  const { canvas, pen } = paper(Math.round(width), Math.round(height), SHARP)
  const paint = (part) => reel.draw(pen, Math.min(1, Math.max(0, part)) * end)
  if (await canEncode(canvas.width, canvas.height)) {
    const count = Math.ceil((seconds + HOLD) * RATE)
    return film(canvas, count, RATE, (i) => paint(i / RATE / seconds), progress)
  }
  paint(0)
  const recorder = new MediaRecorder(canvas.captureStream(RATE), { videoBitsPerSecond: 4e6 })
  const parts = []
  recorder.ondataavailable = ({ data }) => parts.push(data)
  const done = new Promise((resolve) => (recorder.onstop = resolve))
  recorder.start()
  const began = performance.now()
  await new Promise((resolve) => {
    const tick = (now) => {
      const passed = (now - began) / 1000
      paint(passed / seconds)
      progress(Math.min(1, passed / (seconds + HOLD)))
      if (passed < seconds + HOLD) requestAnimationFrame(tick)
      else resolve()
    }
    requestAnimationFrame(tick)
  })
  recorder.stop()
  await done
  return new Blob(parts, { type: recorder.mimeType })
}

// Hands a Blob to the reader as a file.
export function save(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

// The drawn graphs below an element, and the stages and trainings that show something.
const graphsIn = (element) =>
  Array.from(element.querySelectorAll(".dg-graph"), (root) => root.graph).filter((graph) => graph?.nodes)
export const stagesIn = (element) =>
  Array.from(element.querySelectorAll(".dl-stage"), (root) => root.stage).filter((stage) => stage?.theme)
const trainingsIn = (element) =>
  Array.from(element.querySelectorAll(".dt-training"), (root) => root.training).filter((training) => training?.theme)
