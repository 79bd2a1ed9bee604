// Networks that learn before the reader's eyes: what each says of the plane, its loss and accuracy.
//
// The step is Python's, printed; a worker takes it as often as the reader's clock asks. A setting
// that moves in the page's store begins anew and comes back to the step where the page stands. The
// worker ends with this element, and rests while the page is out of sight.

import { files } from "../files.js"
import { received } from "../lifetime.js"
import { DASHES, mark, swatch } from "../marks.js"
import { Missing, array, receive } from "../stage/arrays.js"
import { Axis } from "../stage/axes.js"
import { markup } from "../stage/playback.js"
import { MEANING, Sound } from "../stage/sound.js"
import { Teller } from "../stage/teller.js"
import { measure, write } from "../stage/words.js"
import { storeOf } from "../store.js"
import { Theme, rgba } from "../theme.js"
import { written } from "../words.js"
import { deskOf } from "./desk.js"
import { draw, filmOf, recordOf, sizeOf } from "./picture.js"
import { tellCurves, tellPlane } from "./telling.js"

const SLICE_MS = 24 // that the worker may take between two pictures
const TITLE = 20
const GAP = 12
const LOWEST = 1e-5 // of a loss on its axis
const TINT = 0.62 // of a class's colour where it is certain
const FADED = 0.42 // of the curves of what is held back
const FINER = 3 // cells of the picture along one of the grid
const SAID = 1e-6 // how far browser and Python may be apart
const NAMES = ["loss", "accuracy"] // of the charts
const HELD = { loss: "testLoss", accuracy: "testAccuracy" } // the same of what is held back
const NONE = { x: [], targets: [], labels: [] } // points

const { mount, copy } = await files(import.meta.url, "training")
const { mount: mountStage, copy: copyOfStage } = await files(new URL("../stage/stage.js", import.meta.url), "stage")
const text = (blob) => (blob ? new TextDecoder().decode(array(blob)) : "")

const BAR = {
  without: ["back", "loop"],
  names: { first: "Restart", play: "Train", forward: "One step", last: "To the end" },
  speed: "Steps a frame",
  speeds: [[0.2, "⅕ step"], [1, "1 step"], [4, "4 steps", true], [20, "20 steps"], [1000, "fastest"]],
}

export default function render(component) {
  return received(Training, component)
}

class Training {
  constructor(parent) {
    mountStage(parent).remove() // for its style sheet alone
    this.root = mount(parent)
    this.root.training = this
    this.own = [] // logs of a reader's own, as tracks
    const part = (name) => this.root.querySelector(name)
    this.planes = part(".dt-planes")
    this.legend = part(".dt-legend")
    this.charts = [...this.root.querySelectorAll(".dt-charts figure")]
    this.chartGrid = part(".dt-charts")
    this.lines = part(".dt-lines")
    this.live = part(".dl-live")
    this.teller = new Teller(this.root, {
      tell: () => this.tell(), moving: () => this.playing, say: (news) => this.aloud(news),
    })
    this.lines.before(markup(copyOfStage("bar"), "Training", BAR))
    this.sound = new Sound()
    this.soundButton = part('[data-act="sound"]')
    this.soundButton.hidden = false
    this.scrub = part(".dl-scrub")
    this.count = part(".dl-count")
    this.speed = part(".dl-speed")
    this.playButton = part('[data-act="play"]')
    this.step = 0
    this.target = 0
    this.playing = false
    this.history = []
    this.now = []
    this.alive = true
    this.fraction = 0
    this.added = NONE // points that the store has beyond Python's, in the network's units
    this.waiting = [] // for it to rest
    this.bar = part(".dl-bar")
    this.bar.addEventListener("click", (event) => {
      const act = event.target.closest("[data-act]")?.dataset.act
      if (act) this.act(act)
    })
    this.bar.addEventListener("descent:drive", ({ detail }) => this.drive(detail))
    this.scrub.addEventListener("input", () => {
      this.pause()
      this.goTo(this.scrub.valueAsNumber)
    })
    this.root.addEventListener("keydown", (event) => this.key(event))
    this.size = new ResizeObserver(() => this.data && this.paint())
    this.size.observe(this.root)
    // Another theme changes the colours that a canvas was painted in.
    this.themes = setInterval(() => {
      if (!this.theme || !this.data || new Theme(this.root).key === this.theme.key) return
      this.theme = null
      this.paint()
    }, 1000)
    this.frame = this.frame.bind(this)
  }

  receive(component) {
    this.component = component
    const { data } = component
    try {
      receive([data.shared, data.runs])
    } catch (problem) {
      if (!(problem instanceof Missing)) throw problem
      if (this.asked !== data.seq || data.need === this.needed) {
        this.asked = data.seq
        this.needed = Date.now()
        component.setStateValue("need", { seq: this.needed, refs: problem.refs })
      }
      return
    }
    if (!this.store) {
      this.store = storeOf(data.page)
      this.unfollow = this.store.subscribe(() => this.moved())
    }
    this.take(data)
  }

  async take(data) {
    const before = this.data
    this.data = data
    const fresh = before?.mark !== data.mark
    const restarted = before && before.restart !== data.restart
    const more = before && !restarted && before.base === data.base && before.mark !== data.mark
    this.theme = null
    if (fresh) {
      this.specs = data.runs.map((run) => this.decode(run))
      const { shared } = data
      const given = {
        ...shared,
        counted: text(shared.counted),
        ...Object.fromEntries(
          ["targets", "testTargets", "labels", "testLabels"].map((n) => [n, array(shared[n])])),
        x: inputs(shared, array(shared.x)),
        testX: inputs(shared, array(shared.testX)),
        levels: null,
        grid: shared.side ? gridOf(shared) : null,
      }
      this.shared = given
      this.hypers = null
      this.added = NONE
      await this.ask("setup", { shared: given, specs: this.specs, every: data.every, keep: Boolean(more) })
      if (this.data !== data || !this.alive) return
      if (!more) {
        this.target = restarted || !before ? (data.autoplay ? 0 : data.start) : Math.min(this.step, this.end)
        this.begin()
      }
      this.hypers = this.wanted()
    } else if (restarted) {
      this.again()
      this.target = data.autoplay ? 0 : data.start
    }
    if ((!before || restarted) && data.autoplay && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.play()
    else if ((!before || restarted) && data.autoplay) this.target = this.end
    this.arrange()
    this.moved()
    this.go()
  }

  decode(run) {
    const { steps, train, test, one, grid } = run.texts
    return {
      ...run,
      texts: { steps: steps.map(text), train: text(train), test: text(test), one: text(one), grid: text(grid) },
      kept: run.kept.map((value) => (typeof value === "number" ? value : array(value))),
      factors: array(run.factors),
      losses: array(run.losses),
      hypers: run.hypers.map(([, value]) => value),
      compared: true,
    }
  }

  get end() {
    return Math.max(0, ...this.specs.map((spec) => spec.factors.length))
  }

  // A call to what trains.
  async ask(name, ...given) {
    this.desk ??= deskOf()
    return (await this.desk).call(name, ...given)
  }

  // What the curves are drawn against.
  get along() {
    return this.store.get("against") ?? this.data.against
  }

  // The hyper-parameters as they stand in the page's store.
  wanted() {
    return this.data.runs.map((run) => run.hypers.map(([entry, value]) => (entry && this.store.get(entry)) ?? value))
  }

  moved() {
    if (!this.specs || !this.hypers) return
    if (this.along !== this.drawnAlong) this.paint()
    const more = this.beyond()
    if (more.labels.length !== this.added.labels.length) {
      this.added = more
      this.growing = true
      this.go()
    }
    const wanted = this.wanted()
    if (JSON.stringify(wanted) === JSON.stringify(this.hypers)) return
    this.hypers = wanted
    this.changing = true
    this.target = Math.max(this.target, this.step)
    this.go()
  }

  begin() {
    this.step = 0
    this.history = []
  }

  again() {
    this.begin()
    this.restarting = true
  }

  // Works as long as there is something to do: one slice at a time, a picture after each.
  go() {
    if (!this.request && this.alive) this.request = requestAnimationFrame(this.frame)
  }

  async frame() {
    this.request = 0
    if (this.busy || !this.alive || !this.specs) return
    this.busy = true
    try {
      if (this.changing) {
        this.changing = false
        await this.ask("set", this.hypers)
        this.specs.forEach((spec, i) => (spec.compared = same(this.hypers[i], spec.hypers)))
        this.begin()
      }
      if (this.growing) {
        this.growing = false
        await this.ask("extend", this.added)
      }
      if (this.restarting) {
        this.restarting = false
        await this.ask("restart")
        this.begin()
      }
      if (this.playing) {
        this.fraction += Number(this.speed.value)
        const whole = Math.floor(this.fraction)
        this.fraction -= whole
        this.target = Math.min(this.end, Math.max(this.target, this.step) + whole)
        if (this.speed.value === "1000") this.target = this.end
      }
      const found = await this.ask("to", this.target, SLICE_MS)
      if (!this.alive) return
      if (!this.changing && !this.restarting) this.took(found)
    } catch (problem) {
      this.playing = false
      console.info("Descent Lab: the training ended.", problem)
      this.rest()
      return
    } finally {
      this.busy = false
    }
    const open = this.step < this.target && !this.done
    if (this.playing && (this.step >= this.end || this.done)) this.pause()
    if (open || this.playing || this.changing || this.growing || this.restarting) this.go()
    else this.rest()
  }

  // Once it stands where it was told to go: at once while it plays.
  rested() {
    if (this.playing || !(this.busy || this.request)) return Promise.resolve()
    return new Promise((done) => this.waiting.push(done))
  }

  rest() {
    for (const done of this.waiting.splice(0)) done()
  }

  took({ step, history, now, done, ms }) {
    this.root.dataset.ms = ms.toFixed(1)
    this.history.push(...history)
    this.step = step
    this.now = now
    this.done = done
    this.hear()
    if (this.speed.value === "1000" && !this.playing) this.target = Math.min(this.target, this.end)
    const began = performance.now()
    this.paint()
    this.root.dataset.paintMs = (performance.now() - began).toFixed(1)
  }

  goTo(step) {
    const wanted = Math.max(0, Math.min(this.end, Math.round(step)))
    if (wanted < this.step) this.again()
    this.target = wanted
    this.go()
  }

  play() {
    if (this.step >= this.end || this.done) {
      this.again()
      this.target = 0
      this.done = false
    }
    this.playing = true
    this.showPlaying()
    this.go()
  }

  pause() {
    this.playing = false
    this.target = Math.min(this.target, Math.max(this.step, 0))
    this.showPlaying()
  }

  // The losses of the moment, as long as they train.
  hear() {
    if (this.sound.on) this.sound.play(this.data.runs.map((_, i) => (this.playing ? this.now[i]?.loss : NaN)))
  }

  // Told from outside, as any bar is.
  drive({ act, frame }) {
    if (act === "play" && !this.playing) this.play()
    else if (act !== "play") this.pause()
    if (act === "seek") this.goTo(frame)
  }

  announce() {
    const detail = { frame: this.step, end: this.end, playing: this.playing }
    const told = JSON.stringify(detail)
    if (told === this.told) return
    this.told = told
    this.bar.dispatchEvent(new CustomEvent("descent:step", { bubbles: true, composed: true, detail }))
  }

  showPlaying() {
    this.announce()
    this.hear()
    this.root.dataset.playing = this.playing
    this.playButton.setAttribute("aria-label", this.playing ? "Pause" : "Train")
  }

  act(name, by = 1) {
    if (name === "play") this.playing ? this.pause() : this.play()
    else if (name === "sound") {
      const on = this.sound.toggle()
      this.soundButton.setAttribute("aria-pressed", String(on))
      this.live.textContent = on ? MEANING : "Silent."
      this.hear()
    } else {
      this.pause()
      if (name === "first") this.goTo(0)
      else if (name === "last") this.goTo(this.end)
      else if (name === "forward") this.goTo(this.step + by)
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select")) return
    if (event.target.closest("canvas") && this.place(event)) return event.preventDefault()
    const act = { " ": "play", ArrowRight: "forward", Home: "first", End: "last", s: "sound", S: "sound" }[event.key]
    if (!act || (event.key === " " && event.target.closest("button")) || event.target === this.scrub) return
    event.preventDefault()
    event.stopPropagation()
    this.act(act, event.shiftKey ? 10 : 1)
  }

  // Points that the reader adds ------------------------------------------------------------------

  get adds() {
    return this.data.shared.side > 0 && !this.store.isLocked("own") && (this.grows || !this.data.alone)
  }

  // Whether a step's text is for a batch, and so for any number of examples; one that is for all of
  // them Python prints anew.
  get grows() {
    const { learned, runs } = this.data
    return runs.every(({ batch }) => batch && batch < learned)
  }

  // The points that Python does not know yet, as a session learns them.
  beyond() {
    const own = this.store.get("own") ?? []
    const { own: known, shared: { centre, scale, outputs } } = this.data
    if (!this.grows || own.length < known + 3) return NONE
    const more = { x: [], targets: [], labels: [] }
    for (let i = known; i + 2 < own.length; i += 3) {
      const [x, y, label] = own.slice(i, i + 3)
      more.x.push((x - centre[0]) / scale[0], (y - centre[1]) / scale[1])
      more.targets.push(...(outputs === 1 ? [label] : Array.from({ length: outputs }, (_, k) => Number(k === label))))
      more.labels.push(label)
    }
    return more
  }

  add(x, y) {
    if (!this.adds) return
    const own = this.store.get("own") ?? []
    if (own.length + 3 > this.data.most) return
    const label = Math.min(Number(this.store.get("adds") ?? 0), this.data.shared.classes.length - 1)
    const digits = (v) => Number(v.toPrecision(4))
    this.store.set({ own: [...own, digits(x), digits(y), label] })
  }

  // Arrow keys move a cross over the plane, Enter adds a point there.
  place(event) {
    if (!this.adds) return false
    const { window: [x0, x1, y0, y1] } = this.data.shared
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }
    if (event.key === "Enter" && this.cross) this.add(...this.cross)
    else if (moves[event.key]) {
      const [dx, dy] = moves[event.key]
      const [x, y] = this.cross ?? [(x0 + x1) / 2, (y0 + y1) / 2]
      this.cross = [
        Math.min(x1, Math.max(x0, x + (dx * (x1 - x0)) / 40)),
        Math.min(y1, Math.max(y0, y + (dy * (y1 - y0)) / 40)),
      ]
      event.target.dataset.cross = this.cross.join()
      this.paint()
    } else return false
    return true
  }

  // Drawing --------------------------------------------------------------------------------------

  arrange() {
    const { runs } = this.data
    while (this.planes.children.length > runs.length) this.planes.lastElementChild.remove()
    while (this.planes.children.length < runs.length) {
      const figure = copy("plane")
      const canvas = figure.querySelector("canvas")
      canvas.addEventListener("click", (event) => {
        const axes = figure.axes
        if (axes) this.add(axes.x.value(event.offsetX), axes.y.value(event.offsetY))
      })
      canvas.addEventListener("blur", () => (this.cross = null))
      this.planes.append(figure)
    }
    this.root.setAttribute("aria-label", this.data.alt)
    this.planes.dataset.adds = this.adds
    this.nameAll()
    this.paint()
  }

  paint() {
    const width = this.root.clientWidth
    const { data } = this
    if (!width || !data || !this.specs || this.planes.children.length !== data.runs.length) return
    this.theme ??= new Theme(this.root)
    this.showLegend()
    this.drawnAlong = this.along
    const n = data.runs.length
    const narrow = width < 520
    const across = narrow ? Math.min(2, n) : n <= 3 ? n : n === 4 ? 2 : 3
    const rows = Math.ceil(n / across)
    const charts = narrow ? 1 : 2
    const chrome = 36 + 24 + 28 + 2 * TITLE
    const room = Math.max(280, data.height - chrome)
    let chartHeight = narrow ? 170 : Math.round(Math.max(120, room * (rows > 1 ? 0.32 : 0.4)))
    const box = Math.floor((width - GAP * (across - 1)) / across)
    // No higher than the window is wide allows; what is left is the curves'.
    const [x0, x1, y0, y1] = data.shared.window
    const full = this.shared.grid ? Math.ceil((box * (y1 - y0)) / (x1 - x0)) : box
    const given = narrow ? 240 : Math.floor((room - chartHeight - (rows - 1) * TITLE) / rows)
    const planeHeight = Math.max(100, Math.min(full, given))
    if (!narrow) chartHeight += Math.max(0, Math.min(120, rows * (given - planeHeight)))
    this.planes.style.gridTemplateColumns = `repeat(${across}, ${box}px)`
    data.runs.forEach((run, i) => this.paintPlane(this.planes.children[i], run, i, box, planeHeight))
    const wide = Math.floor((width - GAP * (charts - 1)) / charts)
    this.chartGrid.style.gridTemplateColumns = `repeat(${charts}, ${wide}px)`
    NAMES.forEach((name, k) => this.paintChart(this.charts[k], name, wide, chartHeight))
    this.scrub.max = this.end
    this.scrub.value = this.step
    this.count.textContent = `${this.step} / ${this.end}`
    this.write()
    this.teller.stir()
    this.root.dataset.seq = data.seq
    this.root.dataset.step = this.step
    this.announce()
    this.root.dataset.worst = Math.max(0, ...this.now.map(({ worst }) => worst))
  }

  pen(canvas, width, height) {
    const ratio = devicePixelRatio || 1
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)]
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w
      canvas.height = h
      canvas.style.width = `${width}px`
      canvas.style.height = `${height}px`
    }
    const pen = canvas.getContext("2d")
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    pen.clearRect(0, 0, width, height)
    return pen
  }

  showLegend() {
    const { data, theme, legend } = this
    const key = JSON.stringify([data.runs.map((run) => [run.name, run.look]), theme.key])
    if (key === this.legendKey) return
    this.legendKey = key
    legend.replaceChildren(...data.runs.map((run) => {
      const item = document.createElement("li")
      item.append(swatch(run.look, theme), run.name)
      return item
    }))
    const note = document.createElement("li")
    note.textContent = "strong: learned, faint: held back; above, % right of each"
    legend.append(note)
  }

  paintPlane(figure, run, i, width, height) {
    const now = this.now[i]
    const title = figure.querySelector(".dl-title")
    const numbers = this.shares(now)
    const said = `${run.name}|${numbers}`
    if (title.said !== said) {
      title.said = said
      const name = document.createElement("span")
      name.className = "dt-name"
      name.textContent = run.name
      const share = document.createElement("span")
      share.className = "dt-numbers"
      share.title = "right answers: learned · held back"
      share.textContent = numbers
      title.replaceChildren(name, share)
    }
    const canvas = figure.querySelector("canvas")
    const pen = this.pen(canvas, width, height)
    const axes = (figure.axes = this.drawPlane(pen, now, width, height))
    if (!axes || !this.cross || document.activeElement !== canvas) return
    const [cx, cy] = [axes.x.pixel(this.cross[0]), axes.y.pixel(this.cross[1])]
    pen.strokeStyle = this.theme.text
    pen.lineWidth = 1.5
    pen.beginPath()
    pen.moveTo(cx - 8, cy)
    pen.lineTo(cx + 8, cy)
    pen.moveTo(cx, cy - 8)
    pen.lineTo(cx, cy + 8)
    pen.stroke()
  }

  // The shares of right answers in words.
  shares(now) {
    if (!now) return ""
    if (!Number.isFinite(now.loss)) return "no number"
    return [now.accuracy, now.testAccuracy].filter(Number.isFinite).map(percent).join(" · ")
  }

  // By any pen: what a network says, `now`, of the plane, whose axes it returns, or of what is held back.
  drawPlane(pen, now, width, height) {
    const { shared, theme, data } = this
    if (!shared.grid) return this.paintConfusion(pen, now, width, height)
    const [x0, x1, y0, y1] = data.shared.window
    const axes = { x: new Axis({}, "x"), y: new Axis({}, "y") }
    axes.x.spread([x0, x1])
    axes.y.spread([y0, y1])
    // One scale for both, the window in the middle.
    const scale = Math.min(width / (x1 - x0), height / (y1 - y0))
    const [w, h] = [scale * (x1 - x0), scale * (y1 - y0)]
    const [left, top] = [(width - w) / 2, (height - h) / 2]
    axes.x.lay(left, left + w)
    axes.y.lay(top + h, top)
    if (now?.shown && Number.isFinite(now.loss)) this.paintField(pen, now.shown, left, top, w, h)
    pen.strokeStyle = theme.colour(theme.border)
    pen.lineWidth = 1
    pen.strokeRect(left + 0.5, top + 0.5, w - 1, h - 1)
    const { points } = this.drawn()
    const size = Math.max(2, Math.min(4, Math.sqrt((w * h) / (points.length + 1)) / 6))
    pen.save()
    pen.beginPath()
    pen.rect(left, top, w, h)
    pen.clip()
    for (const { x, y, label, held } of points) {
      const colour = theme.colour(data.shared.colors[label])
      pen.globalAlpha = held ? 0.45 : 1
      mark(pen, data.shared.markers[label], axes.x.pixel(x), axes.y.pixel(y), held ? size * 0.8 : size,
        colour, theme.faded(theme.background, 0.7))
    }
    pen.globalAlpha = 1
    pen.restore()
    return axes
  }

  // Points in the data's own units; those that the store has beyond Python's are shown at once.
  drawn() {
    const { shared, data } = this
    const own = this.store.get("own") ?? []
    const key = `${data.mark}|${own.length}`
    if (this.points?.key === key) return this.points
    const { centre, scale } = data.shared
    const of = (x, labels, held) => Array.from(labels, (label, i) => ({
      x: x[2 * i] * scale[0] + centre[0], y: x[2 * i + 1] * scale[1] + centre[1], label, held,
    }))
    const points = [...of(shared.testX, shared.testLabels, true), ...of(shared.x, shared.labels, false)]
    for (let i = data.own; i + 2 < own.length; i += 3) {
      points.push({ x: own[i], y: own[i + 1], label: own[i + 2], held: false })
    }
    return (this.points = { key, points })
  }

  paintField(pen, outputs, left, top, width, height) {
    const { theme, data } = this
    const side = data.shared.side
    const colours = (this.colours ??= new Map())
    const css = [theme.key, ...data.shared.colors].join()
    if (!colours.has(css)) {
      colours.clear()
      const own = data.shared.colors.slice(0, data.shared.classes.length).map((c) => [...rgba(theme.colour(c))])
      colours.set(css, { classes: own, paper: [...rgba(theme.background)].slice(0, 3) })
    }
    const { classes, paper } = colours.get(css)
    const many = data.shared.outputs
    // Between the grid's points the outputs are interpolated, not the colours: borders stay sharp.
    const fine = side * FINER
    this.tile ??= document.createElement("canvas")
    this.tile.width = this.tile.height = fine
    const small = this.tile.getContext("2d")
    const image = small.createImageData(fine, fine)
    const n = classes.length
    const p = new Float64Array(Math.max(n, many))
    const least = 1 / n
    const { first, share } = (this.ways ??= new Map()).get(side) ?? this.between(side)
    for (let row = 0; row < fine; row++) {
      const v = share[row]
      const above = first[row] * side
      for (let column = 0; column < fine; column++) {
        const u = share[column]
        const at = (above + first[column]) * many
        const [right, below] = [at + many, at + side * many]
        let top = -Infinity
        for (let k = 0; k < many; k++) {
          p[k] = (1 - v) * ((1 - u) * outputs[at + k] + u * outputs[right + k]) +
            v * ((1 - u) * outputs[below + k] + u * outputs[below + many + k])
          if (p[k] > top) top = p[k]
        }
        if (many === 1) {
          p[1] = 1 / (1 + Math.exp(-p[0]))
          p[0] = 1 - p[1]
        } else {
          let sum = 0
          for (let k = 0; k < many; k++) sum += p[k] = Math.exp(p[k] - top)
          for (let k = 0; k < many; k++) p[k] /= sum
        }
        let [r, g, b] = paper
        // What is between the classes is paper; the more certain, the more colour.
        for (let k = 0; k < n; k++) {
          const tint = (TINT * (p[k] - least)) / (1 - least)
          if (!(tint > 0)) continue
          r += tint * (classes[k][0] - paper[0])
          g += tint * (classes[k][1] - paper[1])
          b += tint * (classes[k][2] - paper[2])
        }
        const out = 4 * ((fine - 1 - row) * fine + column)
        image.data[out] = r
        image.data[out + 1] = g
        image.data[out + 2] = b
        image.data[out + 3] = 255
      }
    }
    small.putImageData(image, 0, 0)
    pen.imageSmoothingEnabled = true
    pen.imageSmoothingQuality = "high"
    pen.drawImage(this.tile, left, top, width, height)
  }

  // For each fine cell the first of its neighbours among `side` coarse ones, and the second's share.
  between(side) {
    const first = new Int32Array(side * FINER)
    const share = new Float64Array(side * FINER)
    for (let cell = 0; cell < first.length; cell++) {
      const at = Math.min(side - 1, Math.max(0, (cell + 0.5) / FINER - 0.5))
      first[cell] = Math.min(side - 2, Math.floor(at))
      share[cell] = at - first[cell]
    }
    this.ways.set(side, { first, share })
    return { first, share }
  }

  // How often each class (row) is taken for each (column).
  paintConfusion(pen, now, width, height) {
    const { data, theme } = this
    const names = data.shared.classes
    const k = names.length
    const left = 30
    const size = Math.min((width - left - 8) / k, (height - 26) / k)
    const top = 4
    const found = now?.confusion
    const font = { size: Math.max(8, Math.min(12, size * 0.5)), family: theme.font }
    for (let row = 0; row < k; row++) {
      const total = found ? found.slice(row * k, row * k + k).reduce((a, b) => a + b, 0) : 0
      for (let column = 0; column < k; column++) {
        const count = found ? found[row * k + column] : 0
        const share = total ? count / total : 0
        pen.fillStyle = theme.faded(data.shared.colors[row === column ? 0 : 1], 0.08 + 0.8 * share)
        pen.fillRect(left + column * size, top + row * size, size - 1, size - 1)
        if (count) {
          put(pen, String(count), left + (column + 0.5) * size, top + (row + 0.5) * size, font, theme.text,
            { align: "center", halo: theme.background })
        }
      }
      const name = k > 3 || names[row].length > 3 ? String(row) : names[row]
      put(pen, name, left - 6, top + (row + 0.5) * size, font, theme.text, { align: "right" })
      put(pen, name, left + (row + 0.5) * size, top + k * size + 10, font, theme.text, { align: "center" })
    }
  }

  // Logs of a reader's own over the loss, against the step.
  lay(tracks) {
    this.own = tracks.map((track) => ({ ...track, steps: track.x && array(track.x), losses: array(track.y) }))
    if (this.data) this.paint()
  }

  paintOwn(pen, x, y, box) {
    const font = { size: 11, family: this.theme.font }
    for (const { color, dash, marker, label, steps, losses } of this.own) {
      const colour = this.theme.colour(color)
      const at = (i) => [x.pixel(steps ? steps[i] : i), y.pixel(Math.max(losses[i], LOWEST / 2))]
      const known = Array.from(losses.keys()).filter((i) => Number.isFinite(losses[i]))
      pen.strokeStyle = colour
      pen.lineWidth = 2
      pen.setLineDash(DASHES[dash])
      pen.beginPath()
      for (const i of known) pen.lineTo(...at(i))
      pen.stroke()
      pen.setLineDash([])
      const [px, py] = at(known.at(-1))
      mark(pen, marker, px, py, 4, colour, this.theme.background)
      const left = px > (box.left + box.right) / 2
      put(pen, label, px + (left ? -8 : 8), Math.max(box.top + 8, py), font, colour,
        { align: left ? "right" : "left", halo: this.theme.background })
    }
  }

  paintChart(figure, name, width, height) {
    figure.querySelector(".dl-title").textContent = name === "loss" ? this.data.lossTitle : "share of right answers"
    this.drawChart(this.pen(figure.querySelector("canvas"), width, height), name, this.history, width, height)
  }

  // By any pen: the curves of `name` and of the same of what is held back.
  drawChart(pen, name, history, width, height) {
    const { theme, data } = this
    const log = name === "loss"
    const held = HELD[name]
    const font = { size: 11, family: theme.font }
    const along = this.along
    const of = (entry) => entry[along]
    const last = this.data.runs.map((run, i) => {
      const perStep = this.specs[i].batch && along === "examples" ? Math.min(this.specs[i].batch, data.learned)
        : along === "examples" ? data.learned : 1
      return Math.max(this.end * (along === "step" ? 1 : perStep), history.length ? of(history.at(-1).runs[i]) : 0)
    })
    const x = new Axis({}, "x")
    x.spread([0, Math.max(1, ...last)])
    const y = new Axis(log ? { type: "log" } : {}, "y")
    const values = history.flatMap(({ runs }) => runs.flatMap((run) => [run[name], run[held]])).filter(Number.isFinite)
    if (log) {
      if (along === "step") for (const { losses } of this.own) values.push(...losses.filter(Number.isFinite))
      const positive = values.filter((v) => v > 0)
      const low = Math.max(LOWEST, Math.min(0.3, ...positive))
      const high = Math.min(1e4, Math.max(1, ...positive))
      y.spread([Math.log10(low) - 0.1, Math.log10(high) + 0.1])
    } else y.spread([Math.min(0.5, ...values) - 0.02, 1.02])
    const box = { left: 40, right: width - 12, top: 4, bottom: height - 32 }
    x.lay(box.left, box.right)
    y.lay(box.bottom, box.top)
    pen.lineWidth = 1
    for (const { at, label, minor } of y.marks(pen, font)) {
      pen.strokeStyle = theme.faded(theme.text, minor && !label ? 0.05 : 0.12)
      pen.beginPath()
      pen.moveTo(box.left, at)
      pen.lineTo(box.right, at)
      pen.stroke()
      if (label) put(pen, label, box.left - 5, at, font, theme.faded(theme.text, 0.75), { align: "right" })
    }
    for (const { at, label } of x.marks(pen, font)) {
      if (label) put(pen, label, at, box.bottom + 10, font, theme.faded(theme.text, 0.75), { align: "center" })
    }
    put(pen, data.axes[along], (box.left + box.right) / 2, box.bottom + 24, font, theme.faded(theme.text, 0.75), { align: "center" })
    pen.save()
    pen.beginPath()
    pen.rect(box.left, box.top - 2, box.right - box.left, box.bottom - box.top + 4)
    pen.clip()
    data.runs.forEach((run, i) => {
      const colour = run.look.color
      for (const key of [held, name]) {
        const strong = key === name
        pen.strokeStyle = strong ? theme.colour(colour) : theme.faded(colour, FADED)
        pen.lineWidth = strong ? 2 : 1.5
        pen.setLineDash(strong ? DASHES[run.look.dash] : [])
        pen.beginPath()
        let drawing = false
        for (const { runs } of history) {
          const value = runs[i][key]
          if (!Number.isFinite(value)) {
            drawing = false
            continue
          }
          const [px, py] = [x.pixel(of(runs[i])), y.pixel(log ? Math.max(value, LOWEST / 2) : value)]
          if (drawing) pen.lineTo(px, py)
          else pen.moveTo(px, py)
          drawing = true
        }
        pen.stroke()
      }
      pen.setLineDash([])
    })
    if (log && along === "step") this.paintOwn(pen, x, y, box)
    pen.restore()
    data.runs.forEach((run, i) => {
      const end = history.at(-1)?.runs[i]
      if (!end || !Number.isFinite(end[name])) return
      mark(pen, run.look.marker, x.pixel(of(end)), y.pixel(log ? Math.max(end[name], LOWEST / 2) : end[name]), 4,
        theme.colour(run.look.color), theme.background)
    })
  }

  write() {
    const { data, now, lines } = this
    const said = []
    data.runs.forEach((run, i) => {
      const stand = now[i]
      if (!stand) return
      if (stand.diverged >= 0) said.push(data.words.diverged.replaceAll("{name}", run.name).replaceAll("{step}", stand.diverged)
        .replaceAll("{lr}", run.rate && this.store.get(run.rate) !== undefined ? written(this.store.get(run.rate), "3") : "?"))
      if (stand.stuck) said.push(data.words.stuck.replaceAll("{name}", run.name))
    })
    if (now.length && this.specs.every((spec) => spec.compared) && !data.own && !this.added.labels.length) {
      const worst = Math.max(...now.map((stand) => stand.worst))
      const steps = Math.min(this.step, ...this.specs.map((spec) => spec.losses.length))
      if (worst > SAID) said.push(data.words.apart.replaceAll("{steps}", steps).replaceAll("{worst}", written(worst, "2")))
      else if (steps) said.push(data.words.same.replaceAll("{steps}", steps))
    }
    if (said.join() === this.said) return
    this.said = said.join()
    lines.replaceChildren(...said.map((sentence) => {
      const p = document.createElement("p")
      p.textContent = sentence
      return p
    }))
  }

  // What each picture is called; a plane that takes points says by which keys.
  nameAll() {
    const { adds } = this
    for (const [i, { name }] of this.data.runs.entries()) {
      const canvas = this.planes.children[i].querySelector("canvas")
      canvas.setAttribute("role", adds ? "application" : "img")
      canvas.tabIndex = adds ? 0 : -1
      canvas.setAttribute("aria-label", adds ? `${name}: arrow keys move a cross, Enter adds a point there` : name)
    }
    for (const [k, title] of ["Loss", "Share of right answers"].entries()) {
      this.charts[k].querySelector("canvas").setAttribute("aria-label", `${title} of each run`)
    }
  }

  // Each picture with what it shows.
  tell() {
    const { data, history, step, shared, specs, along } = this
    const planes = [...this.planes.children]
    if (!data || !specs || planes.length !== data.runs.length) return []
    const points = shared.grid ? this.drawn().points : []
    const told = planes.map((figure, i) => {
      const canvas = figure.querySelector("canvas")
      return [canvas, tellPlane({ shared: data.shared, now: this.now[i], step, points })]
    })
    return [...told, ...NAMES.map((name, k) => {
      return [this.charts[k].querySelector("canvas"), tellCurves({ runs: data.runs, history, along, axis: data.axes[along], name, held: HELD[name] })]
    })]
  }

  // What is taken along --------------------------------------------------------------------------

  // The size of the picture in CSS pixels, the picture by a pen whose paper that is, as it stands or
  // at another {step, now, history}; and the run in numbers.
  get pictured() {
    return sizeOf(this)
  }

  draw(pen, moment = this) {
    draw(this, pen, moment)
  }

  record() {
    return recordOf(this)
  }

  // Moments of the whole training, at most so many, made by a worker of their own.
  async film(most) {
    const desk = await deskOf()
    try {
      const { shared, specs, data, hypers, added } = this
      await desk.call("setup", { shared, specs, every: data.every, keep: false })
      await desk.call("set", hypers)
      await desk.call("extend", added)
      return await filmOf(desk, this.end, most)
    } finally {
      desk.end()
    }
  }

  // What is new: where the cross is, the step, and what the pictures say of it.
  aloud(news) {
    const cross = this.cross ? `Cross at ${this.cross.map((value) => written(value, "3")).join(", ")}.` : ""
    const told = [cross, `step ${this.step} of ${this.end}.`]
    const before = this.heard
    this.heard = told
    if (!before) return
    const said = [...told.filter((sentence) => sentence && !before.includes(sentence)), ...news]
    if (said.length) this.live.textContent = said.join(" ")
  }

  dispose() {
    this.alive = false
    this.sound.stop()
    this.teller.dispose()
    cancelAnimationFrame(this.request)
    this.size.disconnect()
    clearInterval(this.themes)
    this.unfollow?.()
    this.desk?.then((desk) => desk.end())
    this.root.remove()
  }
}

// Inputs as numbers, where they came as places among a feature's few values too.
function inputs({ levels: blob, counts, features }, given) {
  if (!blob) return given
  const levels = array(blob)
  const starts = counts.map((_, j) => counts.slice(0, j).reduce((sum, count) => sum + count, 0))
  return Float64Array.from(given, (place, i) => levels[starts[i % features] + place])
}

// The middles of the cells over the window, as the networks take them.
function gridOf({ side, window: [x0, x1, y0, y1], centre, scale }) {
  const out = new Float64Array(2 * side * side)
  const at = (low, high, k) => low + ((high - low) * (k + 0.5)) / side
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const cell = 2 * (row * side + column)
      out[cell] = (at(x0, x1, column) - centre[0]) / scale[0]
      out[cell + 1] = (at(y0, y1, row) - centre[1]) / scale[1]
    }
  }
  return out
}

// A text beside, or round, a point: `align` says which part of it lies there, its middle upright.
function put(pen, said, x, y, font, colour, { align = "left", halo = "" } = {}) {
  const { width, height } = measure(pen, said, font)
  const left = x - { left: 0, center: 0.5, right: 1 }[align] * width
  write(pen, said, left, y - height / 2, font, colour, { halo })
}

const percent = (share) => written(share, share > 0.995 && share < 1 ? ".1%" : ".0%")

const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i])
