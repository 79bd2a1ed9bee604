// The drawn computation: an SVG made anew only when its shape changes, texts and marks set at
// every step of the clock, inputs that are dragged sideways or moved by the arrow keys.

import { files } from "../files.js"
import { Gate } from "../gate.js"
import { Bar, Clock } from "../stage/playback.js"
import { Theme } from "../theme.js"

const { mount } = await files(import.meta.url, "graph")
const { mount: mountStage } = await files(new URL("../stage/stage.js", import.meta.url), "stage")
const SVG = "http://www.w3.org/2000/svg"
const COLUMN = 198
const ROW = 90
const WIDTH = 122
const HEIGHT = 66
const MARGIN = 12
const SMALLEST = 0.84 // below this scale the drawing scrolls instead
const STEP_SECONDS = 1.1
const DRAG_PIXELS = 320 // a drag this long crosses the whole range

const instances = new WeakMap()

export default function render(component) {
  const { parentElement } = component
  let graph = instances.get(parentElement)
  if (!graph) instances.set(parentElement, (graph = new Graph(parentElement)))
  graph.receive(component)
  return () => {
    instances.delete(parentElement)
    graph.dispose()
  }
}

const make = (name, attributes, text) => {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  if (text !== undefined) element.textContent = text
  return element
}

class Graph {
  constructor(parent) {
    mountStage(parent).remove() // for its style sheet: the bar is the stage's
    this.root = mount(parent)
    this.svg = this.root.querySelector(".dg-svg")
    this.frame = this.root.querySelector(".dg-scroll")
    this.say = this.root.querySelector(".dg-say")
    this.gate = new Gate((name, payload) => this.component.setStateValue(name, payload))
    this.clock = new Clock(() => this.paint(), () => this.rest())
    this.bar = new Bar(this.root.querySelector(".dl-bar"), this.clock, (loop) => {
      this.clock.loop = loop
      this.bar.refresh()
    })
    this.root.addEventListener("keydown", (event) => {
      if (!event.defaultPrevented && this.bar.key(event)) event.preventDefault()
    })
    this.sizer = new ResizeObserver(() => this.scale())
    this.sizer.observe(this.root)
    this.shape = null
    this.painted = -1
  }

  receive(component) {
    this.component = component
    this.data = component.data
    const theme = new Theme(this.root)
    const { nodes, mode } = this.data
    this.operations = nodes.flatMap((node, i) => (node.range ? [] : [i]))
    this.root.style.setProperty("--dg-hue", theme.colour(this.data.color))
    this.root.setAttribute("aria-label", this.data.alt)
    const places = nodes.map((node) => [node.x, node.y, node.name, node.range, node.locked])
    const shape = JSON.stringify([places, this.data.edges.map((edge) => edge.points)])
    if (shape !== this.shape) this.draw(shape)
    const frames = 1 + this.operations.length + (mode === "reverse" ? nodes.length : 0)
    const atEnd = this.clock.position >= this.clock.end
    if (frames !== this.clock.frames || mode !== this.mode) {
      this.mode = mode
      this.clock.resize(frames)
      this.clock.seconds = frames * STEP_SECONDS
      if (atEnd) this.clock.position = this.clock.end
    }
    this.painted = -1
    this.bar.refresh()
    this.paint()
    this.gate.echo(this.data.echo)
  }

  draw(shape) {
    this.shape = shape
    const { nodes, edges, layers, rows } = this.data
    this.natural = [
      (layers - 1) * COLUMN + WIDTH + 2 * MARGIN,
      (rows - 1) * ROW + HEIGHT + 2 * MARGIN,
    ]
    this.svg.setAttribute("viewBox", `0 0 ${this.natural.join(" ")}`)
    const at = ([x, y]) => [MARGIN + WIDTH / 2 + x * COLUMN, MARGIN + HEIGHT / 2 + y * ROW]
    this.edges = edges.map((edge) => this.drawEdge(edge, edge.points.map(at)))
    this.nodes = nodes.map((node, i) => this.drawNode(node, i, at([node.x, node.y])))
    const labels = this.edges.map((edge) => edge.label)
    this.svg.replaceChildren(...this.edges.map((e) => e.group), ...labels, ...this.nodes.map((n) => n.group))
    this.scale()
  }

  // A smooth line through the points, level at every one of them.
  drawEdge(edge, points) {
    const [first, last] = [points[0], points.at(-1)]
    const route = [[first[0] + WIDTH / 2, first[1]], ...points.slice(1, -1), [last[0] - WIDTH / 2 - 7, last[1]]]
    let d = `M${route[0]}`
    for (let i = 1; i < route.length; i++) {
      const [[x0, y0], [x1, y1]] = [route[i - 1], route[i]]
      const middle = (x0 + x1) / 2
      d += `C${middle},${y0} ${middle},${y1} ${x1},${y1}`
    }
    const group = make("g", { class: "dg-edge" })
    const [x, y] = route.at(-1)
    group.append(make("path", { d }), make("path", { class: "dg-tip", d: `M${x + 7},${y}l-9,-4.5v9z` }))
    const [[ax, ay], [bx, by]] = [route.at(-2), route.at(-1)]
    const label = make("g", { class: "dg-edge" })
    const t = 0.58 // where on the last stretch the label stands: nearer to the target
    const u = 1 - t
    const height = ay * (u ** 3 + 3 * u * u * t) + by * (3 * u * t * t + t ** 3)
    const text = make("text", { x: ax + (bx - ax) * t, y: height + 4 })
    label.append(text)
    return { group, label, text }
  }

  drawNode(node, i, [x, y]) {
    const group = make("g", { class: "dg-node", transform: `translate(${x} ${y})`, tabindex: 0 })
    group.dataset.node = node.name
    const title = make("title", {})
    group.append(title, make("rect", { x: -WIDTH / 2, y: -HEIGHT / 2, width: WIDTH, height: HEIGHT, rx: node.range ? 33 : 8 }))
    const [name, value, sweep] = [["dg-name", -13], ["dg-value", 5], ["dg-sweep", 23]].map(([c, dy]) => {
      const text = make("text", { class: c, y: dy })
      group.append(text)
      return text
    })
    if (node.range && !node.locked) this.slide(group, i)
    else group.setAttribute("role", "button")
    group.addEventListener("click", () => this.visit(i))
    group.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.visit(i)
    })
    return { group, title, name, value, sweep, x }
  }

  slide(group, i) {
    group.setAttribute("role", "slider")
    const move = (value, committed) => {
      const node = this.data.nodes[i]
      const [low, high] = node.range
      const grid = (high - low) / 1000
      const next = Math.min(high, Math.max(low, Number((Math.round(value / grid) * grid).toPrecision(6))))
      this.nodes[i].value.textContent = String(next).replace("-", "−")
      this.gate.push("input", { name: node.id, value: next, committed })
      return next
    }
    let start = null
    group.addEventListener("pointerdown", (event) => {
      group.setPointerCapture(event.pointerId)
      start = { x: event.clientX, value: this.data.nodes[i].raw, last: null }
    })
    group.addEventListener("pointermove", (event) => {
      if (!start || (start.last === null && Math.abs(event.clientX - start.x) < 3)) return
      const [low, high] = this.data.nodes[i].range
      start.last = move(start.value + ((event.clientX - start.x) / DRAG_PIXELS) * (high - low), false)
    })
    const drop = () => {
      if (start && start.last !== null) move(start.last, true)
      this.dragged = start?.last !== null
      start = null
    }
    group.addEventListener("pointerup", drop)
    group.addEventListener("pointercancel", drop)
    group.addEventListener("keydown", (event) => {
      const by = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key]
      if (!by) return
      event.preventDefault()
      const node = this.data.nodes[i]
      node.raw = move(node.raw + (by * (node.range[1] - node.range[0])) / 100, true)
    })
  }

  // To the step that works out this node; a drag that ends on it is no click.
  visit(i) {
    if (this.dragged) return void (this.dragged = false)
    const count = this.operations.length
    if (this.mode === "reverse") this.clock.seek(count + this.data.nodes.length - i)
    else this.clock.seek(this.operations.indexOf(i) + 1)
  }

  paint() {
    const frame = this.clock.frame
    this.bar.show()
    if (frame === this.painted) return
    this.painted = frame
    const { nodes, edges, mode } = this.data
    const count = this.operations.length
    const backward = mode === "reverse" && frame > count
    const active = backward ? nodes.length - (frame - count) : frame ? this.operations[frame - 1] : -1
    const rank = new Map(this.operations.map((node, k) => [node, k + 1]))
    const known = (i) => frame >= (rank.get(i) ?? 0)
    const swept = (i) => (mode === "reverse" ? frame > count && i >= active : known(i))
    nodes.forEach((node, i) => {
      const shown = this.nodes[i]
      shown.name.textContent = node.title
      shown.title.textContent = node.say
      shown.value.textContent = known(i) ? node.value : ""
      shown.sweep.textContent = swept(i) ? node[mode] : ""
      shown.group.classList.toggle("dg-pending", !known(i))
      shown.group.classList.toggle("dg-on", i === active)
      shown.group.setAttribute("aria-label", `${node.say}. ${swept(i) ? node[mode] : ""}`)
      if (node.range) {
        shown.group.setAttribute("aria-valuenow", node.raw)
        shown.group.setAttribute("aria-valuemin", node.range[0])
        shown.group.setAttribute("aria-valuemax", node.range[1])
      }
    })
    edges.forEach((edge, k) => {
      const { group, label, text } = this.edges[k]
      const on = backward ? edge.source === active : edge.target === active
      for (const part of [group, label]) {
        part.classList.toggle("dg-on", on)
        part.classList.toggle("dg-pending", !known(edge.target))
        part.classList.toggle("dg-blind", edge.derivative === null)
      }
      text.textContent = edge.derivative ?? ""
    })
    this.speak(active, backward)
    if (active >= 0) this.reveal(this.nodes[active].x)
  }

  // Where the drawing is wider than the page, keep the step's node in sight.
  reveal(x) {
    const { clientWidth, scrollWidth, scrollLeft } = this.frame
    if (scrollWidth <= clientWidth) return
    const at = x * this.factor
    if (at > scrollLeft + WIDTH && at < scrollLeft + clientWidth - WIDTH) return
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches
    this.frame.scrollTo({ left: at - clientWidth / 2, behavior: calm ? "auto" : "smooth" })
  }

  speak(active, backward) {
    const { nodes, mode, begin } = this.data
    this.say.replaceChildren()
    if (active < 0) return void this.say.append(begin)
    const node = nodes[active]
    const lines = backward ? [node.adjointRule] : [node.say]
    if (!backward && mode === "forward") lines.push(node.tangentRule)
    lines.forEach((line, i) => {
      if (i) this.say.append(document.createElement("br"))
      const cut = line.lastIndexOf("= ")
      if (cut < 0) return this.say.append(line)
      const result = document.createElement("b")
      result.textContent = line.slice(cut + 2)
      this.say.append(line.slice(0, cut + 2), result)
    })
  }

  rest() {
    this.root.dataset.playing = this.clock.playing
    this.bar.refresh()
  }

  scale() {
    if (!this.natural) return
    const room = this.root.clientWidth
    this.factor = Math.min(1.1, Math.max(SMALLEST, room / this.natural[0]))
    this.svg.setAttribute("width", this.natural[0] * this.factor)
    this.svg.setAttribute("height", this.natural[1] * this.factor)
  }

  dispose() {
    this.gate.dispose()
    this.clock.dispose()
    this.sizer.disconnect()
    this.root.remove()
  }
}
