// The drawn computation: an SVG made anew only when its shape changes; texts and marks are set at
// every step of the clock and whenever the page's store moves. Inputs are dragged sideways or
// moved by the arrow keys. It is laid out rightwards or downwards, whichever fits what room there
// is; beyond that it is zoomed and moved.

import { files } from "../files.js"
import { received } from "../lifetime.js"
import { Program, reading } from "../program.js"
import { askedOn } from "../question.js"
import { decoded } from "../stage/arrays.js"
import { place } from "../stage/labels.js"
import { announce, Bar, Clock, markup } from "../stage/playback.js"
import { Teller } from "../stage/teller.js"
import { storeOf } from "../store.js"
import { Theme } from "../theme.js"
import { sentence, written } from "../words.js"
import { HEIGHT, MARGIN, WIDTH, laidOut } from "./layout.js"
import { Lens, within } from "./lens.js"
import { Source } from "./source.js"

const { mount } = await files(import.meta.url, "graph")
const { mount: mountStage, copy } = await files(new URL("../stage/stage.js", import.meta.url), "stage")
const SPEEDS = [[0.5, "½×"], [1, "1×", true], [2, "2×"]]
const SVG = "http://www.w3.org/2000/svg"
const NUMBER = { right: [48, 14], down: [58, 14] } // what the number on an edge takes up
const BACK = { right: 0.43, down: 0.5 } // how far before its target, in gaps between two layers
const STEP_SECONDS = 1.1
const LINE_SECONDS = 0.3 // of source
const EDGES = 8 // whose derivatives are told one by one
const DRAG_PIXELS = 320 // a drag this long crosses the whole range

export default function render(component) {
  return received(Graph, component)
}

const make = (name, attributes, text) => {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  if (text !== undefined) element.textContent = text
  return element
}

const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text
}

class Graph {
  constructor(parent) {
    mountStage(parent).remove() // for its style sheet: the bar is the stage's
    this.root = mount(parent)
    this.root.graph = this // whoever takes its picture finds it here
    this.svg = this.root.querySelector(".dg-svg")
    this.frame = this.root.querySelector(".dg-frame")
    this.say = this.root.querySelector(".dg-say")
    this.answers = this.root.querySelector(".dg-answers")
    this.lens = new Lens(this.root)
    this.source = new Source(this.root, (i) => this.visit(i))
    this.clock = new Clock(() => this.paint(), () => this.rest())
    this.root.append(markup(copy("bar"), "Sweep", { speeds: SPEEDS }))
    this.bar = new Bar(this.root.querySelector(".dl-bar"), this.clock, (loop) => {
      this.clock.loop = loop
      this.bar.refresh()
    })
    this.root.addEventListener("keydown", (event) => {
      if (!event.defaultPrevented && this.bar.key(event)) event.preventDefault()
    })
    this.teller = new Teller(this.root, {
      tell: () => (this.nodes ? [[this.svg, this.tell()]] : []),
      moving: () => this.clock.playing,
    })
    this.sizer = new ResizeObserver(() => this.fit())
    this.sizer.observe(this.root)
    this.shape = null
    this.painted = -1
  }

  receive(component) {
    const { data } = component
    if (!this.store) {
      this.store = storeOf(data.page)
      this.asked = askedOn(data.page)
      const ends = [this.store.subscribe(() => this.moved()), this.asked.subscribe(() => this.ask())]
      this.unfollow = () => ends.forEach((end) => end())
    }
    const before = this.data
    this.data = data
    this.program = data.program && new Program(decoded(data.program))
    if (this.program) this.store.adopt(data.program.values, data.program.seq)
    this.evaluate()
    const theme = new Theme(this.root)
    const { nodes, mode } = data
    this.operations = nodes.flatMap((node, i) => (node.range ? [] : [i]))
    this.root.style.setProperty("--dg-hue", theme.colour(data.color))
    this.root.setAttribute("aria-label", data.alt)
    const places = nodes.map((node) => [node.x, node.y, node.name, node.entry, node.locked])
    const shape = JSON.stringify([places, data.edges.map((edge) => edge.points)])
    if (shape !== this.shape) {
      this.shape = shape
      this.layout = null
    }
    const steps = 1 + this.operations.length + (mode === "reverse" ? nodes.length : 0)
    const frames = data.code?.steps.length ?? steps
    const atEnd = this.clock.position >= this.clock.end
    if (frames !== this.clock.frames || mode !== this.mode) {
      this.mode = mode
      this.clock.resize(frames)
      this.clock.seconds = Math.max(steps * STEP_SECONDS, frames * LINE_SECONDS)
      if (atEnd) this.clock.position = this.clock.end
    }
    this.source.show(data)
    this.setClock(before)
    this.hide()
    this.fit()
    this.painted = -1
    this.bar.refresh()
    this.paint()
  }

  // Where the clock stands: as the page says, but for where the reader has put it since.
  setClock(before) {
    const { clock, data } = this
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches
    if (!before || before.restart !== data.restart || before.code?.lines.length !== data.code?.lines.length) {
      clock.seek(data.start ?? clock.end)
      if (data.autoplay && !calm) clock.play()
    }
  }

  // The question about an edge, if a lesson asks one.
  get question() {
    const { question } = this.asked ?? {}
    return question?.kind === "edge" ? question : null
  }

  // While it is open the graph has gone forwards, and says no derivative.
  get veiled() {
    return Boolean(this.question) && !this.question.revealed
  }

  ask() {
    if (!this.data) return
    const { question } = this
    if (question?.revealed && question.guess !== null) this.judge(question)
    this.hide()
    this.painted = -1
    this.paint()
  }

  hide() {
    const asking = Boolean(this.question)
    this.root.classList.toggle("dg-asking", asking)
    this.bar.element.hidden = this.veiled
    if (asking) this.clock.seek(this.veiled ? this.momentOf(this.operations.length) : this.clock.end)
    this.edges?.forEach(({ group, hit }, k) => {
      hit.setAttribute("tabindex", asking ? 0 : -1)
      group.classList.toggle("dg-guess", asking && this.question.guess === k)
      group.classList.toggle("dg-truth", asking && this.question.revealed && this.isAsked(this.data.edges[k]))
    })
  }

  isAsked({ source, target }) {
    const { nodes } = this.data
    return nodes[source].name === this.question.source && nodes[target].name === this.question.target
  }

  choose(k) {
    if (!this.veiled) return
    this.asked.guess(k)
    this.hide()
  }

  judge(question) {
    const { edges, nodes } = this.data
    const said = ({ source, target, derivative }) =>
      `${nodes[source].name} → ${nodes[target].name} multiplies by ${this.find(derivative)}`
    const truth = edges.find((edge) => this.isAsked(edge))
    const chosen = edges[question.guess]
    const near = chosen === truth
    this.asked.answer({ near, text: near ? `${said(truth)}.` : `${said(chosen)}; ${said(truth)}.` })
  }

  evaluate() {
    const { program, store, data } = this
    const read = data.program && reading(store, data.program.values)
    return program?.run((name) => (name.startsWith("hand.") ? 0.5 : read(name)))
  }

  find(leaf) {
    if (leaf === null || typeof leaf !== "object") return leaf
    if (leaf.$live !== undefined) return this.program.value(this.data.program.outputs[leaf.$live])
    return sentence(leaf.$text, leaf.args.map((a) => (typeof a === "number" ? a : this.find(a))))
  }

  // What the drawing says in the end: each node with its value and its derivatives, each edge with
  // what it multiplies by, as they are written on it.
  record() {
    const { nodes, edges } = this.data
    const said = (leaf) => this.find(leaf) || null
    return {
      nodes: nodes.map((node) => ({
        name: node.name, formula: node.title, value: said(node.value), swept: said(node.swept[1]),
      })),
      edges: edges.map(({ source, target, derivative }) => ({
        source: nodes[source].name, target: nodes[target].name, derivative: said(derivative),
      })),
    }
  }

  // The store moved: every number again, within this frame.
  moved() {
    if (!this.data || !this.nodes) return
    const { clock, data, store } = this
    const at = data.entry && !clock.playing && !store.isLocked(data.entry) ? store.get(data.entry) : undefined
    if (at !== undefined && at !== clock.frame) clock.seek(at)
    if (!this.evaluate()) return
    this.painted = -1
    this.paint()
    announce(this.root, data.program.seq, store.version)
  }

  // Where there is room: laid out anew if that lets it be larger.
  fit() {
    const room = this.frame.clientWidth
    if (!this.data || !room) return
    const layout = laidOut(this.data, room)
    const turned = layout.direction !== this.layout?.direction
    const drawn = !turned && String(layout.pitch) === String(this.layout.pitch)
    this.layout = layout
    if (!drawn) this.draw()
    this.lens.fit(layout, turned, this.places[this.data.outputs[0]])
  }

  draw() {
    const { nodes, edges } = this.data
    const [layer, row] = this.layout.pitch
    const down = this.layout.direction === "down"
    const at = ([x, y]) => {
      const [a, b] = down ? [y * row, x * layer] : [x * layer, y * row]
      return [MARGIN + WIDTH / 2 + a, MARGIN + HEIGHT / 2 + b]
    }
    this.places = nodes.map((node) => at([node.x, node.y]))
    this.edges = edges.map((edge, k) => this.drawEdge(edge.points.map(at), down, k))
    this.nodes = nodes.map((node, i) => this.drawNode(node, i, this.places[i]))
    this.separate()
    const labels = this.edges.map((edge) => edge.label)
    this.svg.replaceChildren(...this.edges.map((e) => e.group), ...labels, ...this.nodes.map((n) => n.group))
    this.painted = -1
    this.hide()
  }

  // A smooth line through the points, level (or upright) at every one of them.
  drawEdge(points, down, k) {
    const [first, last] = [points[0], points.at(-1)]
    const out = down ? [first[0], first[1] + HEIGHT / 2] : [first[0] + WIDTH / 2, first[1]]
    const into = down ? [last[0], last[1] - HEIGHT / 2 - 7] : [last[0] - WIDTH / 2 - 7, last[1]]
    const route = [out, ...points.slice(1, -1), into]
    let d = `M${route[0]}`
    for (let i = 1; i < route.length; i++) {
      const [[x0, y0], [x1, y1]] = [route[i - 1], route[i]]
      const middle = down ? (y0 + y1) / 2 : (x0 + x1) / 2
      d += down ? `C${x0},${middle} ${x1},${middle} ${x1},${y1}` : `C${middle},${y0} ${middle},${y1} ${x1},${y1}`
    }
    const group = make("g", { class: "dg-edge" })
    const [x, y] = into
    const tip = down ? `M${x},${y + 7}l-4.5,-9h9z` : `M${x + 7},${y}l-9,-4.5v9z`
    const { nodes, edges } = this.data
    const hit = make("path", {
      class: "dg-hit", d, role: "button", tabindex: -1,
      "aria-label": `edge from ${nodes[edges[k].source].name} to ${nodes[edges[k].target].name}`,
    })
    hit.addEventListener("click", () => this.choose(k))
    hit.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault()
        event.stopPropagation()
        this.choose(k)
      }
    })
    group.append(make("path", { d }), make("path", { class: "dg-tip", d: tip }), hit)
    const [a, b] = [route.at(-2), route.at(-1)]
    const label = make("g", { class: "dg-edge" })
    // Where on the last stretch, which of a long edge begins beside a node, the number stands.
    const gap = this.layout.pitch[0] - (down ? HEIGHT : WIDTH)
    const t = down ? 1 - (BACK.down * gap) / (b[1] - a[1]) : 1 - (BACK.right * gap) / (b[0] - a[0])
    const u = 1 - t
    const ease = (p, q) => p * (u ** 3 + 3 * u * u * t) + q * (3 * u * t * t + t ** 3)
    const line = (p, q) => p + (q - p) * t
    const at = down ? [ease(a[0], b[0]), line(a[1], b[1])] : [line(a[0], b[0]), ease(a[1], b[1])]
    const text = make("text", {})
    label.append(text)
    return { group, label, text, at, hit }
  }

  // Numbers on edges clear of the nodes and of each other.
  separate() {
    const around = ([x, y], [width, height]) => ({ x: x - width / 2, y: y - height / 2, width, height })
    const size = NUMBER[this.layout.direction]
    const boxes = this.edges.map((edge) => around(edge.at, size))
    const nodes = this.places.map((at) => ({ ...around(at, [WIDTH, HEIGHT]), fixed: true }))
    const [right, bottom] = this.layout.natural
    place([...nodes, ...boxes], { left: 0, right, top: 0, bottom })
    this.edges.forEach(({ text }, k) => {
      text.setAttribute("x", boxes[k].x + size[0] / 2)
      text.setAttribute("y", boxes[k].y + size[1] / 2 + 4)
    })
  }

  drawNode(node, i, [x, y]) {
    const group = make("g", { class: "dg-node", transform: `translate(${x} ${y})`, tabindex: 0 })
    group.dataset.node = node.name
    const title = make("title", {})
    const round = node.range ? HEIGHT / 2 : 8
    group.append(title, make("rect", { x: -WIDTH / 2, y: -HEIGHT / 2, width: WIDTH, height: HEIGHT, rx: round }))
    const [name, value, sweep] = [["dg-name", -13], ["dg-value", 5], ["dg-sweep", 22]].map(([c, dy]) => {
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
    return { group, title, name, value, sweep }
  }

  slide(group, i) {
    group.setAttribute("role", "slider")
    const move = (value, committed) => {
      const { range, entry } = this.data.nodes[i]
      const [low, high] = range
      const grid = (high - low) / 1000
      const next = within(Number((Math.round(value / grid) * grid).toPrecision(6)), low, high)
      this.store.set({ [entry]: next }, { committed })
      return next
    }
    const here = () => this.find(this.data.nodes[i].number)
    let start = null
    group.addEventListener("pointerdown", (event) => {
      group.setPointerCapture(event.pointerId)
      start = { x: event.clientX, value: here(), last: null }
    })
    group.addEventListener("pointermove", (event) => {
      if (!start || (start.last === null && Math.abs(event.clientX - start.x) < 3)) return
      const [low, high] = this.data.nodes[i].range
      start.last = move(start.value + ((event.clientX - start.x) / DRAG_PIXELS) * (high - low), false)
    })
    const drop = () => {
      this.dragged = start !== null && start.last !== null
      if (this.dragged) move(start.last, true)
      start = null
    }
    group.addEventListener("pointerup", drop)
    group.addEventListener("pointercancel", drop)
    group.addEventListener("keydown", (event) => {
      const by = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key]
      if (!by) return
      event.preventDefault()
      const [low, high] = this.data.nodes[i].range
      move(here() + (by * (high - low)) / 100, true)
    })
  }

  // To the step that works out this node; a drag that ends on it is no click.
  visit(i) {
    if (this.dragged) return void (this.dragged = false)
    const count = this.operations.length
    const back = this.mode === "reverse"
    this.clock.seek(this.momentOf(back ? count + this.data.nodes.length - i : this.operations.indexOf(i) + 1))
  }

  // How far the sweep is at a moment of the clock, which source divides into its lines; and the
  // last moment of a step.
  stepAt(moment) {
    return this.data.code ? this.data.code.steps[moment] : moment
  }

  momentOf(step) {
    return this.data.code ? this.data.code.steps.lastIndexOf(step) : step
  }

  paint() {
    const moment = this.clock.frame
    this.bar.show()
    if (moment === this.painted || !this.nodes) return
    this.painted = moment
    const frame = this.stepAt(moment)
    const { nodes, edges, mode } = this.data
    const count = this.operations.length
    const backward = mode === "reverse" && frame > count
    const active = backward ? nodes.length - (frame - count) : frame ? this.operations[frame - 1] : -1
    const rank = new Map(this.operations.map((node, k) => [node, k + 1]))
    const known = (i) => frame >= (rank.get(i) ?? 0)
    const swept = (i) => (mode === "reverse" ? frame > count && i >= active : known(i))
    nodes.forEach((node, i) => {
      const { group, title, name, value, sweep } = this.nodes[i]
      const say = this.find(node.say)
      const [number, more] = swept(i) ? node.swept.map((leaf) => this.find(leaf)) : [this.find(node.value), ""]
      write(name, node.title)
      write(title, say)
      write(value, known(i) ? number || this.find(node.value) : "")
      write(sweep, more)
      group.classList.toggle("dg-pending", !known(i))
      group.classList.toggle("dg-on", i === active)
      const heard = known(i) ? `${say}. ${more}` : node.title
      group.setAttribute("aria-label", node.range ? `input ${node.title}` : heard)
      if (node.range) {
        group.setAttribute("aria-valuetext", heard)
        group.setAttribute("aria-valuenow", this.find(node.number))
        group.setAttribute("aria-valuemin", node.range[0])
        group.setAttribute("aria-valuemax", node.range[1])
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
      write(text, (!this.veiled && this.find(edge.derivative)) || "")
      text.classList.toggle("dg-wanted", text.textContent === "?")
    })
    if (this.data.code) {
      this.source.light(this.data.code.running[moment], active, known, (i) => mode === "reverse" && swept(i))
    }
    this.answer((a) => (a.derivative ? swept(a.node) : known(a.node)))
    this.teller.stir()
    this.speak(active, backward)
    if (active >= 0 && this.clock.playing) this.lens.reveal(this.places[active])
  }

  // Value and derivatives, each once the sweep has come to it.
  answer(isKnown) {
    const { answers } = this.data
    while (this.answers.children.length > answers.length) this.answers.lastElementChild.remove()
    answers.forEach((a, k) => {
      let item = this.answers.children[k]
      if (!item) {
        item = this.answers.appendChild(document.createElement("li"))
        item.append(document.createElement("span"), document.createElement("b"))
      }
      const known = isKnown(a)
      item.classList.toggle("dg-derivative", a.derivative)
      item.classList.toggle("dg-unknown", !known)
      write(item.firstChild, `${a.name} = `)
      write(item.lastChild, known ? this.find(a.text) : "…")
    })
  }

  speak(active, backward) {
    const { nodes, mode, begin } = this.data
    const node = nodes[active]
    const lines = !node ? [begin] : backward ? [node.rule] : mode === "forward" ? [node.say, node.rule] : [node.say]
    this.say.replaceChildren()
    lines.map((line) => this.find(line)).forEach((line, i) => {
      if (i) this.say.append(document.createElement("br"))
      const cut = line.lastIndexOf("= ")
      if (cut < 0) return this.say.append(line)
      const result = document.createElement("b")
      result.textContent = line.slice(cut + 2)
      this.say.append(line.slice(0, cut + 2), result)
    })
  }

  // The drawing in sentences: what it is made of, its inputs, what its edges multiply by, its results.
  tell() {
    const { nodes, edges } = this.data
    const { frame, end } = this.clock
    const inputs = nodes.filter((node) => node.range).map((node) => `${node.title} = ${written(this.find(node.number), "3")}`)
    const factors = this.veiled ? [] : edges.map(({ source, target, derivative }) => [source, target, String(this.find(derivative) ?? "")])
      .filter(([, , factor]) => /\d/.test(factor)).slice(0, EDGES)
      .map(([source, target, factor]) => `${nodes[source].title} to ${nodes[target].title} ${factor}`)
    const answers = Array.from(this.answers.children, (item) => item.textContent)
    return [
      `${nodes.length} nodes, ${edges.length} edges, at moment ${frame} of ${end}.`,
      inputs.length ? `Inputs: ${inputs.join(", ")}.` : "",
      answers.length ? `Results: ${answers.join(", ")}.` : "",
      factors.length ? `Edges multiply by: ${factors.join("; ")}${edges.length > factors.length ? " and others" : ""}.` : "",
    ].filter(Boolean)
  }

  rest() {
    this.root.dataset.playing = this.clock.playing
    this.bar.refresh()
    const { clock, data, store } = this
    if (data?.entry && !clock.playing && this.nodes && store.get(data.entry) !== clock.frame) {
      store.set({ [data.entry]: clock.frame })
    }
  }

  dispose() {
    this.unfollow?.()
    this.teller.dispose()
    this.clock.dispose()
    this.sizer.disconnect()
    this.root.remove()
  }
}
