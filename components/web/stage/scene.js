// A 3-D panel: tracks are whole lines of Plotly's own, and the clock moves their heads.

import { array, figure } from "./arrays.js"
import { CONFIG, layout } from "./plotly.js"

const EVERY_MS = 50 // WebGL redraws the whole scene for a moved head
const SYMBOLS = new Set(["circle", "square", "diamond", "cross", "x"])
const DASHES = { longdash: "longdash", dash: "dash", dot: "dot", dashdot: "dashdot" }

export class Scene {
  constructor(element, stage) {
    this.element = element
    this.stage = stage
    this.title = element.querySelector(".dl-title")
    this.plot = element.querySelector(".dl-plot")
    this.graph = element.querySelector(".dl-graph")
    this.tracks = []
    this.look = ""
    this.shown = -1
    this.wanted = 0
    this.timer = 0
    this.busy = false
  }

  async update(spec, theme, width, height) {
    this.title.textContent = spec.title
    this.graph.setAttribute("aria-label", spec.alt || spec.title || spec.id)
    this.element.dataset.panel = spec.id
    this.plot.style.height = `${height}px`
    const look = JSON.stringify([spec.hash, theme.key, width, height, spec.tracks])
    if (look === this.look) return
    this.look = look
    this.tracks = spec.tracks.filter((track) => track.z).map((track) => ({
      ...track,
      x: array(track.x),
      y: array(track.y),
      z: array(track.z),
      css: theme.colour(track.color),
    }))
    const plain = figure(spec.figure, theme)
    const lines = this.tracks.map((track) => ({
      type: "scatter3d",
      mode: "lines",
      x: track.x,
      y: track.y,
      z: track.z,
      line: { color: track.css, width: 2.5 * track.width, dash: DASHES[track.dash] ?? "solid" },
      hoverinfo: "skip",
    }))
    const heads = {
      type: "scatter3d",
      mode: "markers",
      ...this.heads(this.wanted),
      marker: {
        size: 6,
        color: this.tracks.map((track) => track.css),
        symbol: this.tracks.map(({ marker }) => (SYMBOLS.has(marker) ? marker : "circle")),
        line: { color: theme.background, width: 1.5 },
      },
      text: this.tracks.map((track) => track.label),
      hoverinfo: "text",
    }
    const given = {
      scene: {},
      margin: { l: 0, r: 0, t: 0, b: 0 },
      dragmode: "turntable",
      ...plain.layout,
    }
    this.headTrace = (plain.data?.length ?? 0) + lines.length
    await this.stage.Plotly.react(
      this.graph,
      [...(plain.data ?? []), ...lines, heads],
      layout(given, theme, width, height),
      CONFIG,
    )
  }

  heads(frame) {
    const at = (name) => this.tracks.map((track) => {
      const end = Math.min(track.z.length - 1, track.stop ?? Infinity)
      return track[name][Math.min(frame, end)]
    })
    return { x: at("x"), y: at("y"), z: at("z") }
  }

  draw(position) {
    this.wanted = Math.floor(position)
    if (this.wanted !== this.shown && !this.timer && this.graph.on) {
      this.timer = setTimeout(() => this.move(), EVERY_MS)
    }
  }

  async move() {
    this.shown = this.wanted
    const { x, y, z } = this.heads(this.shown)
    if (this.tracks.length) {
      await this.stage.Plotly.restyle(this.graph, { x: [x], y: [y], z: [z] }, [this.headTrace])
    }
    this.timer = 0
    if (this.wanted !== this.shown) this.draw(this.wanted)
  }

  dispose() {
    clearTimeout(this.timer)
    this.stage.Plotly?.purge(this.graph)
    this.element.remove()
  }
}
