// The clock that all panels of a stage share, and the bar that drives it.
//
// A bar is driven from outside by descent:drive {act, frame} and says where it stands by descent:step
// {frame, end, playing}.

const TURN_MS = 700 // how long a looping run rests on its last frame

export class Clock {
  constructor(onMove, onRest) {
    this.onMove = onMove // position moved: paint
    this.onRest = onRest // playing started or ended
    this.frames = 1
    this.seconds = 6
    this.speed = 1
    this.loop = false
    this.playing = false
    this.position = 0 // in frames; whole while at rest
    this.request = 0
    this.last = 0
    this.rested = 0
    this.tick = this.tick.bind(this)
  }

  get frame() {
    return Math.floor(this.position)
  }

  get end() {
    return this.frames - 1
  }

  tick(now) {
    const elapsed = Math.min(100, Math.max(0, now - this.last)) // a frame may begin before play()
    this.last = now
    if (this.position >= this.end) {
      this.rested += elapsed
      if (this.rested >= TURN_MS) this.position = this.rested = 0
    } else {
      const step = (elapsed / 1000) * this.speed * (this.end / this.seconds)
      this.position = Math.min(this.end, this.position + step)
    }
    this.onMove()
    if (this.position >= this.end && !this.loop) this.pause()
    else this.request = requestAnimationFrame(this.tick)
  }

  play() {
    if (this.playing || this.end < 1) return
    if (this.position >= this.end) this.position = 0
    this.playing = true
    this.rested = 0
    this.last = performance.now()
    this.request = requestAnimationFrame(this.tick)
    this.onRest()
  }

  pause() {
    if (!this.playing) return
    cancelAnimationFrame(this.request)
    this.playing = false
    this.position = this.frame
    this.onMove()
    this.onRest()
  }

  seek(frame) {
    this.pause()
    this.position = Math.min(this.end, Math.max(0, Math.round(frame)))
    this.onMove()
    this.onRest()
  }

  // Another length keeps the place; what stood at the end stays there.
  resize(frames) {
    const atEnd = this.position >= this.end
    this.frames = frames
    if (atEnd || this.position > this.end) this.position = this.end
  }

  dispose() {
    cancelAnimationFrame(this.request)
    this.playing = false
  }
}

// Called within a frame. A message posted there is handled once that frame is painted, behind what
// else is queued; the next frame begins after it too: the earlier of the two tells.
// Says so with descent:painted {seq, version, t}: which data and which version of the store.
export function announce(root, seq, version) {
  const { port1, port2 } = new MessageChannel()
  let told = false
  const tell = () => {
    if (told) return
    told = true
    port1.close()
    const detail = { seq, version, t: performance.now() }
    root.dispatchEvent(new CustomEvent("descent:painted", { bubbles: true, composed: true, detail }))
  }
  port1.onmessage = tell
  requestAnimationFrame(tell)
  port2.postMessage(null)
}

// The bar's markup (a copy of the stage's own), called LABEL, without some of its buttons, with other
// names for some, and with other [value, name] speeds, of which one is chosen.
export function markup(element, label, { without = [], names = {}, speeds = null, speed = "Speed" } = {}) {
  const button = (act) => element.querySelector(`[data-act="${act}"]`)
  element.setAttribute("aria-label", label)
  for (const act of without) button(act).remove()
  for (const [act, name] of Object.entries(names)) {
    button(act).title = button(act).title.replace(button(act).getAttribute("aria-label"), name)
    button(act).setAttribute("aria-label", name)
  }
  const choice = element.querySelector(".dl-speed")
  choice.title = speed
  choice.setAttribute("aria-label", speed)
  if (speeds) choice.replaceChildren(...speeds.map(([value, name, chosen]) => new Option(name, value, chosen, chosen)))
  return element
}

export class Bar {
  constructor(element, clock, onLoop, onSound = () => {}) {
    this.clock = clock
    this.element = element
    this.scrub = element.querySelector(".dl-scrub")
    this.count = element.querySelector(".dl-count")
    this.playButton = element.querySelector('[data-act="play"]')
    this.soundButton = element.querySelector('[data-act="sound"]')
    this.loopButton = element.querySelector('[data-act="loop"]')
    this.shown = -1
    this.onLoop = onLoop
    this.onSound = onSound
    element.addEventListener("click", (event) => {
      const act = event.target.closest("[data-act]")?.dataset.act
      if (act) this.act(act)
    })
    this.scrub.addEventListener("input", () => clock.seek(this.scrub.valueAsNumber))
    element.addEventListener("descent:drive", ({ detail }) => this.drive(detail))
    const speed = element.querySelector(".dl-speed")
    speed.addEventListener("change", () => (clock.speed = Number(speed.value)))
  }

  drive({ act, frame }) {
    if (act === "seek") this.clock.seek(frame)
    else if (act === "play") this.clock.play()
    else if (act === "pause") this.clock.pause()
  }

  announce() {
    const { frame, end, playing } = this.clock
    const detail = { frame, end, playing }
    this.element.dispatchEvent(new CustomEvent("descent:step", { bubbles: true, composed: true, detail }))
  }

  act(name, by = 1) {
    const { clock } = this
    if (name === "play") clock.playing ? clock.pause() : clock.play()
    else if (name === "first") clock.seek(0)
    else if (name === "last") clock.seek(clock.end)
    else if (name === "back") clock.seek(clock.frame - by)
    else if (name === "forward") clock.seek(clock.frame + by)
    else if (name === "loop") this.onLoop(!clock.loop)
    else if (name === "sound") this.onSound()
  }

  // True where the key was one of ours.
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false
    const by = event.shiftKey ? 10 : 1
    const act = {
      " ": "play", ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last",
      l: "loop", L: "loop", s: "sound", S: "sound",
    }[event.key]
    if (act === "sound" && this.soundButton.hidden) return false
    const onButton = event.target.closest?.("button")
    const onSelect = event.target.closest?.("select")
    if (!act || onSelect || (onButton && act === "play")) return false
    this.act(act, by)
    return true
  }

  show() {
    const { clock } = this
    const frame = clock.frame
    if (frame === this.shown) return
    this.shown = frame
    this.scrub.value = frame
    this.count.textContent = `${frame} / ${clock.end}`
    this.announce()
  }

  refresh() {
    const { clock } = this
    this.scrub.max = clock.end
    this.shown = -1
    this.show()
    const label = clock.playing ? "Pause" : "Play"
    this.playButton.setAttribute("aria-label", label)
    this.loopButton.setAttribute("aria-pressed", String(clock.loop))
  }
}
