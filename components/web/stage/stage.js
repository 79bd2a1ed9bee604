// The stage's instance: reconciles panels with each new data, owns the clock and the bar, and
// speaks to Python through one gate.
//
// For tests and benchmarks the root carries data-frame, data-playing and data-seq (of the last
// data painted) and, once new data is on the screen, dispatches descent:painted {seq, t}.

import { files } from "../files.js"
import { Gate } from "../gate.js"
import { swatch } from "../marks.js"
import { Theme } from "../theme.js"
import { Missing, receive } from "./arrays.js"
import { Panel } from "./panel.js"
import { Bar, Clock } from "./playback.js"
import { plotly } from "./plotly.js"
import { Scene } from "./scene.js"

const GAP = 12
const ROW_GAP = 4
const TITLE = 20
const LEAST = 150 // of a panel's height and width
const LEAST_ROW = 104 // of the height where there are three rows or more
const LEAST_BESIDE = 170 // of the width where the caller says how panels share it, else they stack

const { mount, copy } = await files(import.meta.url, "stage")
const instances = new WeakMap()

export default function render(component) {
  const { parentElement } = component
  let stage = instances.get(parentElement)
  if (!stage) instances.set(parentElement, (stage = new Stage(parentElement)))
  stage.receive(component)
  return () => {
    instances.delete(parentElement)
    stage.dispose()
  }
}

class Stage {
  constructor(parent) {
    this.root = mount(parent)
    const part = (name) => this.root.querySelector(`.dl-${name}`)
    this.grid = part("panels")
    this.legend = part("legend")
    this.caption = part("caption")
    this.live = part("live")
    this.panels = new Map()
    this.gate = new Gate((name, payload) => this.component.setStateValue(name, payload))
    this.clock = new Clock(() => this.paint(), () => this.rested())
    this.bar = new Bar(part("bar"), this.clock, (loop) => {
      this.clock.loop = loop
      this.bar.refresh()
    })
    this.root.addEventListener("keydown", (event) => {
      if (!this.data?.playback || !this.bar.key(event)) return
      event.preventDefault()
      event.stopPropagation()
    })
    this.size = new ResizeObserver(() => {
      cancelAnimationFrame(this.resizing)
      this.resizing = requestAnimationFrame(() => this.data && this.refresh())
    })
    this.size.observe(this.root)
    this.working = null
    this.again = false
    this.alive = true
  }

  receive(component) {
    this.component = component
    const { data } = component
    this.gate.echo(data.echo)
    try {
      receive(data.panels)
    } catch (problem) {
      if (!(problem instanceof Missing)) throw problem
      if (this.asked !== data.seq || data.need === this.needed) {
        this.asked = data.seq
        this.needed = Date.now()
        component.setStateValue("need", { seq: this.needed, refs: problem.refs })
      }
      return
    }
    const before = this.data
    this.data = data
    this.setClock(before)
    this.refresh()
  }

  setClock(before) {
    const { data, clock } = this
    if (before) {
      clock.resize(data.frames)
      if (data.start !== null && data.start !== before.start) clock.seek(data.start)
      return
    }
    clock.frames = data.frames
    clock.loop = data.loop
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches
    this.autoplay = data.autoplay && !still
    clock.position = this.autoplay ? 0 : Math.min(data.start ?? clock.end, clock.end)
  }

  // Redraws what changed; calls that arrive meanwhile are folded into one more round.
  async refresh() {
    this.again = true
    if (this.working) return
    while (this.again && this.alive) {
      this.again = false
      this.working = this.show(this.data)
      try {
        await this.working
      } finally {
        this.working = null
      }
    }
  }

  async show(data) {
    this.Plotly ??= await plotly(new URL(`../../../${data.plotly}`, import.meta.url))
    if (!this.alive || !this.root.clientWidth) return
    const theme = new Theme(this.root)
    this.theme = theme
    this.root.setAttribute("aria-label", data.alt)
    this.clock.seconds = data.seconds
    this.bar.element.hidden = !data.playback
    this.bar.scrub.setAttribute("aria-label", data.frameName)
    this.caption.hidden = !data.captions.length
    this.showLegend(data, theme)
    const boxes = this.arrange(data)
    for (const [id, panel] of this.panels) {
      const spec = data.panels.find((entry) => entry.id === id)
      if (spec && (spec.kind === "scene") === panel instanceof Scene) continue
      panel.dispose()
      this.panels.delete(id)
    }
    for (const [i, spec] of data.panels.entries()) {
      const panel = this.panels.get(spec.id) ?? this.create(spec)
      const place = this.grid.children[i]
      if (place !== panel.element) this.grid.insertBefore(panel.element, place ?? null)
      panel.element.style.gridRow = `span ${boxes[i].span}`
      await panel.update(spec, theme, boxes[i].width, boxes[i].height - (spec.title ? TITLE : 0))
      if (!this.alive) return
    }
    this.bar.refresh()
    this.paint()
    this.root.dataset.seq = data.seq
    this.announce(data.seq)
    if (this.autoplay) {
      this.autoplay = false
      this.clock.play()
    }
  }

  create(spec) {
    const element = copy("panel")
    this.grid.append(element)
    const panel = spec.kind === "scene" ? new Scene(element, this) : new Panel(element, this)
    this.panels.set(spec.id, panel)
    return panel
  }

  // Sizes of the panels: side by side, or one above the other where it is narrow.
  arrange(data) {
    const n = data.panels.length
    const width = this.root.clientWidth
    const across = (shares) => {
      const total = shares.reduce((sum, share) => sum + share, 0)
      const free = width - GAP * (shares.length - 1)
      return shares.map((share) => Math.floor((free * share) / total))
    }
    const asked = Array.isArray(data.columns)
      ? data.columns.slice(0, n)
      : Array(Math.min(data.columns ?? n, n) || 1).fill(1)
    const most = Math.max(1, Math.floor((width + GAP) / (LEAST + GAP)))
    let widths = across(Array.isArray(data.columns) ? asked : asked.slice(0, most))
    const given = Array.isArray(data.columns) || n <= 3
    if (given && Math.min(...widths) < LEAST_BESIDE) widths = [width]
    const stacked = widths.length === 1 && n > 1
    const spans = data.panels.map((panel) => (stacked ? 1 : panel.rows))
    const { columns } = cells(spans, widths.length)
    // Where fewer stand side by side than were asked for, the stage grows: none gets flatter.
    const { rows } = cells(spans, asked.length)
    const chrome = [this.legend, this.caption, this.bar.element].reduce(
      (sum, element) => sum + (element.hidden ? 0 : element.offsetHeight), 0)
    const room = stacked
      ? Math.min(320, Math.round(width * 0.8))
      : (data.height - chrome - (rows - 1) * ROW_GAP) / rows
    const height = Math.max(stacked || rows < 3 ? LEAST : LEAST_ROW, Math.floor(room))
    this.grid.style.gridTemplateColumns = widths.map((w) => `${w}px`).join(" ")
    // Where panels of several heights stack, the small ones stay smaller.
    const mixed = data.panels.some((panel) => panel.rows > 1)
    const small = Math.max(LEAST, Math.floor(height * 0.6))
    return spans.map((span, i) => ({
      width: widths[columns[i]],
      height: stacked && mixed && data.panels[i].rows === 1
        ? small
        : span * height + (span - 1) * ROW_GAP,
      span,
    }))
  }

  showLegend(data, theme) {
    const entries = new Map()
    for (const panel of data.panels) {
      for (const track of panel.tracks) if (track.label) entries.set(track.label, track)
    }
    const key = JSON.stringify([theme.key, [...entries.values()].map(
      ({ label, color, dash, marker }) => [label, color, dash, marker])])
    this.legend.hidden = !data.legend || !entries.size
    if (key === this.legendKey) return
    this.legendKey = key
    this.legend.replaceChildren(...[...entries.values()].map((track) => {
      const item = document.createElement("li")
      item.append(swatch(track, theme), track.label)
      return item
    }))
  }

  paint() {
    const { clock, root } = this
    for (const panel of this.panels.values()) panel.draw(clock.position)
    this.bar.show()
    const frame = String(clock.frame)
    if (root.dataset.frame !== frame) root.dataset.frame = frame
    const captions = this.data?.captions
    if (captions?.length) {
      const line = captions[Math.min(clock.frame, captions.length - 1)]
      if (this.caption.textContent !== line) this.caption.textContent = line
    }
  }

  rested() {
    const { clock, root } = this
    root.dataset.playing = String(clock.playing)
    this.bar.refresh()
    if (clock.playing) return
    const line = this.data.captions[clock.frame]
    const name = this.data.frameName
    this.live.textContent = `${name} ${clock.frame} of ${clock.end}${line ? `. ${line}` : ""}`
    if (this.data.report) this.gate.push("cursor", { frame: clock.frame })
  }

  // Tells Python of a click or drag; gives the number under which it goes.
  say(event) {
    return this.gate.push("event", event)
  }

  announce(seq) {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel()
      // A message posted in an animation frame is handled right after that frame is painted.
      port1.onmessage = () => {
        const detail = { seq, t: performance.now() }
        const init = { bubbles: true, composed: true, detail }
        this.root.dispatchEvent(new CustomEvent("descent:painted", init))
        port1.close()
      }
      port2.postMessage(null)
    })
  }

  dispose() {
    this.alive = false
    this.size.disconnect()
    cancelAnimationFrame(this.resizing)
    this.clock.dispose()
    this.gate.dispose()
    for (const panel of this.panels.values()) panel.dispose()
    this.panels.clear()
    this.root.remove()
  }
}

// Where panels stand that span rows: the column of each, and how many rows they fill, as the
// grid's own placement has it (row by row, never back).
function cells(spans, across) {
  const free = Array(across).fill(0) // by column: the first row that nothing spans into
  const columns = []
  let at = 0
  for (const span of spans) {
    while (free[at % across] > Math.floor(at / across)) at++
    const column = at % across
    free[column] = Math.floor(at / across) + span
    columns.push(column)
    at++
  }
  return { columns, rows: Math.max(...free) }
}
