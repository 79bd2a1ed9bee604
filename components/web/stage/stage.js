// The stage's instance: reconciles panels with each new data, owns the clock and the bar, and
// runs the pictures' program whenever the page's store moves, in the frame of the event.
//
// For tests and benchmarks the root carries data-frame, data-playing and data-seq (of the last
// data painted) and, once something new is on the screen, dispatches descent:painted {seq,
// version, t}: which data, and which move of the page's store, it shows.

import { Sweeper } from "../cells.js"
import { files } from "../files.js"
import { entriesOf } from "../legend.js"
import { received } from "../lifetime.js"
import { swatch } from "../marks.js"
import { Program, reading } from "../program.js"
import { askedOn } from "../question.js"
import { storeOf } from "../store.js"
import { Student } from "../study.js"
import { Theme } from "../theme.js"
import { sentence } from "../words.js"
import { Missing, array, decoded, receive } from "./arrays.js"
import { resolved } from "./figure.js"
import { Foresight } from "./foresight.js"
import { boxesOf, columnsOf } from "./layout.js"
import { Lighting } from "./lighting.js"
import { Panel } from "./panel.js"
import { announce, Bar, Clock, markup } from "./playback.js"
import { Scene } from "./scene.js"
import { MEANING, Sound } from "./sound.js"
import { Teller } from "./teller.js"
import { legendOf, tell } from "./telling.js"

const TITLE = 20 // of a panel's height

const { mount, copy } = await files(import.meta.url, "stage")

export default function render(component) {
  return received(Stage, component)
}

class Stage {
  constructor(parent) {
    this.root = mount(parent)
    this.root.stage = this // whoever takes its picture finds it here
    const part = (name) => this.root.querySelector(`.dl-${name}`)
    this.grid = part("panels")
    this.legend = part("legend")
    this.caption = part("caption")
    this.live = part("live")
    this.panels = new Map()
    this.lines = part("lines")
    this.tabs = part("tabs")
    this.tab = 0 // which picture is shown where they do not fit beside each other
    this.events = Date.now() // rises across mounts: Python tells new from old by it
    this.program = null
    this.resolve = (leaf) => this.find(leaf)
    this.clock = new Clock(() => this.paint(), () => this.rested())
    this.live.before(markup(copy("bar"), "Playback"))
    this.sound = new Sound()
    this.soundButton = this.root.querySelector('[data-act="sound"]')
    const hear = () => {
      const on = this.sound.toggle()
      this.soundButton.setAttribute("aria-pressed", String(on))
      this.live.textContent = on ? MEANING : "Silent."
      this.paint()
    }
    this.bar = new Bar(part("bar"), this.clock, (loop) => {
      this.clock.loop = loop
      this.bar.refresh()
    }, hear)
    this.bar.element.hidden = true
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
    this.lighting = new Lighting((hue) => {
      for (const panel of this.panels.values()) panel.overlay?.light(hue)
      if (this.theme) this.paint()
    })
    this.teller = new Teller(this.root, {
      tell: () => this.tellAll(),
      moving: () => this.clock.playing || [...this.panels.values()].some(({ handles }) => handles.held),
      say: (news) => this.aloud(news),
    })
    this.working = null
    this.again = false
    this.alive = true
  }

  receive(component) {
    this.component = component
    const { data } = component
    try {
      receive([data.panels, data.program, data.captions])
    } catch (problem) {
      if (!(problem instanceof Missing)) throw problem
      if (this.asked !== data.seq || data.need === this.needed) {
        this.asked = data.seq
        this.need({ refs: problem.refs })
      }
      return
    }
    this.follow(data.page)
    this.take(this.withOwn(data)).then(() => this.answer())
  }

  // Runs of the reader's own over the pictures: `tracksOf(panel)` gives what each panel shows more.
  lay(tracksOf) {
    this.tracksOf = tracksOf
    if (this.component) this.take(this.withOwn(this.component.data))
  }

  withOwn(data) {
    if (!this.tracksOf) return data
    const panels = data.panels.map((panel) => ({ ...panel, tracks: [...panel.tracks, ...this.tracksOf(panel)] }))
    return { ...data, panels }
  }

  // A lesson asks something of this page, or shows the answer, or asks no more. A stage that is not
  // asked about may tell the answer as well.
  async ask(question) {
    if (!this.component) return
    const asked = this.asks
    this.asks = Boolean(this.foresight.panelOf(this.component.data))
    if (!this.asks && !asked && this.foresight.hides === this.foresight.hid) return
    await this.take(this.withOwn(this.component.data))
    if (!question?.revealed || !this.asks || question !== this.foresight.question) return
    this.answer()
    this.clock.seek(0)
    if (this.still().playing) this.clock.play()
    else this.clock.seek(question.at ?? this.clock.end)
  }

  // Where it is wanted already: the reader may be faster than the picture.
  answer() {
    const { question } = this.foresight
    if (!this.alive || !question?.revealed || question.guess === null || question.result) return
    if (this.foresight.panelOf(this.data)) this.foresight.asked.answer(this.foresight.judge())
  }

  need(what) {
    this.needed = Date.now()
    this.component.setStateValue("need", { seq: this.needed, ...what })
  }

  // Hears of what the page's store moves; one store for as long as the stage lives.
  follow(page) {
    if (this.store) return
    this.store = storeOf(page)
    const asked = askedOn(page)
    this.foresight = new Foresight(this, asked)
    const ends = [this.store.subscribe(() => this.moved()), asked.subscribe((question) => this.ask(question))]
    this.unfollow = () => ends.forEach((end) => end())
    this.asks = Boolean(asked.question)
  }

  // New data: its program first, then everything drawn from it.
  async take(data) {
    const turn = (this.turn = (this.turn ?? 0) + 1)
    const program = await this.prepare(data.program)
    if (turn !== this.turn || !this.alive) return
    const before = this.data
    this.data = data
    this.program = program
    this.sentences = new Map()
    if (program) {
      this.store.adopt(data.program.values, data.program.seq)
      this.evaluate()
      this.compare()
    }
    this.data = this.foresight.dress(data)
    this.setClock(before)
    this.refresh()
  }

  // The program of this data, with its modules loaded; the one at hand where it is the same.
  async prepare(spec) {
    if (!spec) return null
    const key = JSON.stringify([spec.lines, spec.constants.map((c) => c?.ref ?? c), Object.keys(spec.modules)])
    if (this.programs?.key === key) return this.programs.program
    const answered = (line, parts) => {
      program.answer(line, parts)
      cancelAnimationFrame(this.answering)
      this.answering = requestAnimationFrame(() => program === this.program && this.moved())
    }
    const program = new Program(decoded(spec), new Sweeper(answered), new Student(answered))
    try {
      await program.ready()
    } catch (problem) {
      // A policy may forbid modules: Python then sends numbers, and the picture follows more slowly.
      console.info("Descent Lab: the pictures cannot be computed in this browser.", problem)
      this.need({ refs: [], still: true })
      return null
    }
    this.programs?.program.dispose()
    this.programs = { key, program }
    return program
  }

  evaluate(hand = null) {
    const { program, store, data } = this
    const read = reading(store, data.program.values)
    return program.run((name) => {
      if (name === "hand.x") return hand ? hand.x : 0.5
      if (name === "hand.y") return hand ? hand.y : 0.5
      return read(name)
    })
  }

  // At Python's own values the browser must find Python's own numbers. Where it does not, a last
  // bit was amplified: Python's are asked for, and shown.
  compare() {
    const { program, data } = this
    const spec = data.program
    program.prefer(spec.given, array)
    const here = Object.entries(spec.values).every(([name, value]) => alike(this.store.get(name), value))
    if (!here) return
    const doubts = program.doubts(spec.outputs, spec.samples)
    this.root.dataset.doubts = doubts.length
    if (!doubts.length) return
    const key = JSON.stringify([doubts, spec.values])
    if (key === this.doubted) return // asked already
    this.doubted = key
    this.component.setStateValue("doubt", { seq: ++this.events, outputs: doubts, values: spec.values })
  }

  // A leaf of a picture as a number, an array with a shape, or a text; the same object as long
  // as it is the same.
  find(leaf) {
    if (leaf === null || typeof leaf !== "object") return leaf
    if (leaf.$live !== undefined) return this.program?.value(this.data.program.outputs[leaf.$live])
    if (leaf.$text !== undefined) {
      return sentence(leaf.$text, leaf.args.map((a) => (typeof a === "number" ? a : this.find(a))))
    }
    return resolved(leaf)
  }

  // The store moved: compute and paint, all within this frame.
  moved() {
    if (!this.program || !this.data || !this.theme) return
    this.missed = Boolean(this.working) // new data is being shown: again when it is
    if (this.missed || !this.evaluate()) return
    const { clock, data } = this
    const frames = this.find(data.frames)
    if (frames !== clock.frames) {
      clock.resize(frames)
      this.bar.refresh()
    }
    for (const panel of this.panels.values()) panel.refresh(this.resolve)
    this.writeLines()
    this.paint()
    this.teller.stir()
    announce(this.root, data.seq, this.store?.version ?? 0)
  }

  writeLines() {
    const { lines, data } = this
    while (lines.children.length > data.lines.length) lines.lastElementChild.remove()
    data.lines.forEach((line, i) => {
      const element = lines.children[i] ?? lines.appendChild(document.createElement("p"))
      const said = this.find(line)
      if (element.textContent !== said) element.textContent = said
    })
    lines.hidden = !data.lines.length
  }

  setClock(before) {
    const { data, clock } = this
    const frames = this.find(data.frames)
    if (before) {
      clock.resize(frames)
      if (data.start !== null && data.start !== before.start) clock.seek(data.start)
      if (data.restart !== before.restart) {
        // As when it first opened: from the beginning where it plays, else where it is asked to be.
        const playing = data.autoplay && this.still().playing
        clock.seek(playing ? 0 : data.start ?? clock.end)
        if (playing) clock.play()
      }
      return
    }
    clock.frames = frames
    clock.loop = data.loop
    this.autoplay = data.autoplay && this.still().playing
    clock.position = this.autoplay ? 0 : Math.min(data.start ?? clock.end, clock.end)
  }

  still() {
    return { playing: !matchMedia("(prefers-reduced-motion: reduce)").matches }
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
    if (this.missed) this.moved()
  }

  async show(data) {
    if (!this.alive || !this.root.clientWidth) return
    const theme = new Theme(this.root)
    this.theme = theme
    this.root.setAttribute("aria-label", this.find(data.alt))
    this.clock.seconds = data.seconds
    this.bar.element.hidden = !data.playback
    this.root.tabIndex = data.playback ? 0 : -1 // its keys are the player's
    this.bar.scrub.setAttribute("aria-label", data.frameName)
    this.soundButton.hidden = !data.panels.some(({ id }) => id === data.sound)
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
      panel.element.hidden = this.tabbed && i !== this.tab
      const place = this.grid.children[i]
      if (place !== panel.element) this.grid.insertBefore(panel.element, place ?? null)
      panel.element.style.gridArea = `auto / auto / span ${boxes[i].rows} / span ${boxes[i].wide}`
      const room = boxes[i].height - (spec.title ? TITLE : 0)
      await panel.update(spec, theme, boxes[i].width, room, this.resolve)
      if (!this.alive) return
    }
    this.bar.refresh()
    this.writeLines()
    this.paint()
    this.teller.stir()
    this.root.dataset.seq = data.seq
    requestAnimationFrame(() => announce(this.root, data.seq, this.store?.version ?? 0))
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
    const columns = columnsOf(data, this.root.clientWidth)
    this.grid.style.gridTemplateColumns = columns.widths.map((width) => `${width}px`).join(" ")
    this.showTabs(data, columns.tabbed)
    const chrome = [this.legend, this.caption, this.bar.element, this.lines, this.tabs].reduce(
      (sum, element) => sum + (element.hidden ? 0 : element.offsetHeight), 0)
    return boxesOf(data, columns, data.height - chrome)
  }

  // On a phone one picture is shown at a time, so that it stays in sight with its controls.
  showTabs(data, narrow) {
    this.tabbed = narrow
    this.tab = Math.min(this.tab, data.panels.length - 1)
    this.tabs.hidden = !narrow
    if (!narrow) return
    while (this.tabs.children.length > data.panels.length) this.tabs.lastElementChild.remove()
    data.panels.forEach((panel, i) => {
      const button = this.tabs.children[i] ?? this.tabs.appendChild(document.createElement("button"))
      button.type = "button"
      button.setAttribute("role", "tab")
      button.setAttribute("aria-selected", String(i === this.tab))
      const name = panel.tab || this.find(panel.title) || panel.id
      if (button.textContent !== name) button.textContent = name
      button.onclick = () => {
        this.tab = i
        this.refresh()
      }
    })
  }

  showLegend(data, theme) {
    const entries = entriesOf(data.panels)
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
    this.foresight?.draw()
    this.bar.show()
    this.hear()
    const frame = String(clock.frame)
    if (root.dataset.frame !== frame) root.dataset.frame = frame
    if (this.data?.captions.length) {
      const line = this.captionAt(clock.frame)
      if (this.caption.textContent !== line) this.caption.textContent = line
    }
  }

  // The curves of one panel at this frame, as long as they are played.
  hear() {
    const { sound, clock, data } = this
    if (!sound.on) return
    const tracks = data?.panels.find((panel) => panel.id === data.sound)?.tracks ?? []
    sound.play(tracks.map(({ y }) => {
      const curve = clock.playing ? this.find(y) : []
      return curve[Math.min(clock.frame, curve.length - 1)]
    }))
  }

  // The caption of a frame, its numbers those of the frame: empty where one of them is missing.
  captionAt(frame) {
    const { captions } = this.data
    const line = captions[Math.min(frame, captions.length - 1)]
    if (line?.$text === undefined) return line ?? ""
    const numbers = line.args.map((arg) => {
      const value = this.find(arg)
      return typeof value === "number" ? value : value[Math.min(frame, value.length - 1)]
    })
    return numbers.some(Number.isNaN) ? "" : sentence(line.$text, numbers)
  }

  rested() {
    const { clock, root } = this
    root.dataset.playing = String(clock.playing)
    this.hear()
    this.bar.refresh()
    if (clock.playing) return
    this.arrived = true
    this.teller.stir()
    if (this.data.report) this.tell("cursor", { frame: clock.frame })
  }

  // Each picture with what it shows, and the stage's own name, whose numbers may have moved.
  tellAll() {
    const { clock, data, panels } = this
    if (!data || !this.theme) return []
    this.root.setAttribute("aria-label", this.find(data.alt))
    const called = legendOf([...panels.values()])
    return Array.from(panels.values(), (panel) => [panel.graph, tell(panel, clock.frame, data.frameName, called)])
  }

  // Where the keys' cross is and what it reads there: said once it rests.
  point(text) {
    this.pointed = text.replaceAll("\n", ", ")
    this.teller.stir()
  }

  // Where the clock has come to rest, and what a reader's move has changed: of the sentences under
  // the pictures, or else of the pictures.
  aloud(news) {
    const { clock, data } = this
    if (!data) return
    const lines = [this.captionAt(clock.frame), ...data.lines.map((line) => this.find(line))].filter(Boolean)
    const { heard, arrived } = this
    this.heard = lines
    this.arrived = false
    const place = this.pointed ? [this.pointed] : []
    this.pointed = ""
    if (!heard && !arrived && !place.length) return // as the page opens
    const fresh = lines.filter((line) => !heard?.includes(line))
    const said = [...place, ...(arrived ? [`${data.frameName} ${clock.frame} of ${clock.end}.`] : []), ...(fresh.length ? fresh : news)]
    if (said.length) this.live.textContent = said.join(" ")
  }

  tell(name, payload) {
    this.component.setStateValue(name, { seq: ++this.events, ...payload })
  }

  // What a hand does on a panel: a handle's drag or drop, or a click. It goes into the store as
  // far as the picture says what it sets; what sets nothing is reported to Python.
  say({ panel, id, kind, x, y }) {
    if (this.foresight.say({ id, x, y })) return
    const spec = this.data.panels.find((entry) => entry.id === panel)
    const sets = id ? spec?.handles.find((handle) => handle.id === id)?.sets : spec?.clicks
    const entries = Object.entries(sets ?? {})
    if (!entries.length || !this.program) {
      if (kind !== "drag" && !this.store.isLocked(panel)) this.tell("event", { panel, id, kind, x, y })
      return
    }
    this.evaluate({ x, y })
    const changes = Object.fromEntries(entries.map(([name, leaf]) => {
      const value = this.find(leaf)
      return [name, typeof value === "number" ? value : Array.from(value)]
    }))
    this.store.set(changes, { committed: kind !== "drag" })
  }

  dispose() {
    this.alive = false
    this.sound.stop()
    this.teller.dispose()
    this.size.disconnect()
    cancelAnimationFrame(this.resizing)
    cancelAnimationFrame(this.answering)
    this.programs?.program.dispose()
    this.clock.dispose()
    this.lighting.dispose()
    this.foresight?.clear()
    this.unfollow?.()
    for (const panel of this.panels.values()) panel.dispose()
    this.panels.clear()
    this.root.remove()
  }
}

const alike = (a, b) => (Array.isArray(b)
  ? Array.isArray(a) && a.length === b.length && b.every((v, i) => v === a[i])
  : Number(a) === b)
