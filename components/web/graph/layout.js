// How a drawn computation is laid out: rightwards or downwards, whichever lets it be larger, and
// looser where a small one would leave its place empty.

export const WIDTH = 122 // of a node
export const HEIGHT = 62
export const MARGIN = 10
// What a layer and a row take up, laid out rightwards and downwards: room for the edges' numbers,
// and up to how much more of it where a small drawing would leave its place empty.
const PITCH = { right: [178, 78], down: [94, 134] }
const LOOSE = { right: [1.35, 1.3], down: [1.3, 1.2] }
const LARGEST = 1.1
export const READABLE = 0.3 // below this scale it opens zoomed in, at the result
export const COMFORTABLE = 0.8 // above it nobody needs to zoom

function sizeOf({ layers, rows }, direction, [layer, row]) {
  const [long, high] = [(layers - 1) * layer, (rows - 1) * row]
  const [w, h] = direction === "down" ? [high, long] : [long, high]
  return [w + WIDTH + 2 * MARGIN, h + HEIGHT + 2 * MARGIN]
}

// A graph of so many layers and rows in a place of that width: its direction, its pitch (what a layer
// and a row take up), its natural size, the scale at which the whole is seen, and the room it takes.
export function laidOut(graph, width) {
  const { layers, rows, height } = graph
  const scale = ([w, h]) => Math.min(LARGEST, width / w, height / h)
  const tightly = (direction) => sizeOf(graph, direction, PITCH[direction])
  const [direction] = ["right", "down"].sort((a, b) => scale(tightly(b)) - scale(tightly(a)))
  const tight = tightly(direction)
  const whole = scale(tight)
  const spare = [width / whole - tight[0], height / whole - tight[1]]
  if (direction === "down") spare.reverse()
  const pitch = PITCH[direction].map((n, i) => {
    if (whole < COMFORTABLE) return n
    const more = spare[i] / Math.max([layers, rows][i] - 1, 1)
    return Math.floor(Math.min(n + Math.max(more, 0), n * LOOSE[direction][i]))
  })
  const natural = sizeOf(graph, direction, pitch)
  const zoomed = whole < READABLE
  return { direction, pitch, natural, whole, room: [width, zoomed ? height : Math.min(height, Math.ceil(natural[1] * whole))] }
}
