// The store: one a page, shared by controls, handles and pictures. What a hand moves is changed
// here first, and whoever listens paints in that same frame; Python hears of it at a reader's
// pace, and its word is taken for everything that no hand has moved since.

const PACE_MS = 300 // between two messages while a hand moves, at least
const RARE_MS = 4000 // at most, and
const REST_MS = 200 // after its last move
const SHARE = 0.02 // of a moving hand's time, at most, may be lost to showing Python's answers
const SMOOTH_MS = 25 // frames further apart than this lost one
const HOLD_MS = 800 // for a link that was pressed to lead away
const LOST_MS = 4000 // a message without an answer by then was lost
const stores = new Map() // page -> Store

export function storeOf(page) {
  let store = stores.get(page)
  if (!store) stores.set(page, (store = new Store()))
  return store
}

// Whoever follows a link leaves the page. A message from a page that is being left would bring it
// back, so it waits: for the page to come again, or for the reader to have stayed.
function leave(event) {
  if (event.type === "keydown" && event.key !== "Enter") return
  if (event.composedPath().some((node) => node.tagName === "A")) for (const store of stores.values()) store.hold()
}
globalThis.addEventListener?.("pointerdown", leave, true)
globalThis.addEventListener?.("keydown", leave, true)

class Store {
  constructor() {
    this.values = new Map()
    this.locked = new Set()
    this.moved = new Map() // name -> seq under which Python was told, Infinity: not yet
    this.listeners = new Set()
    this.seq = Date.now() // rises across mounts: Python tells new from old by it
    this.sent = 0
    this.echoed = 0
    this.since = -Infinity // when the last message went
    this.last = -Infinity // when a hand moved last
    this.held = -Infinity // until when nothing is said
    this.lost = 0 // ms of a moving hand's frames, since the last message
    this.watching = false
    this.committed = true
    this.unsent = false
    this.timer = 0
    this.frame = 0
    this.component = null
    this.follower = null // where what a moving hand says goes, if the page has a part that follows
    this.version = 0 // counts what hands moved: tests and benchmarks tell paints apart by it
  }

  // A field's value, or one entry of it: "z[2]".
  get(name) {
    const [head, at] = split(name)
    const value = this.values.get(head)
    return at === null || value === undefined ? value : value[at]
  }

  has(name) {
    return this.values.has(split(name)[0])
  }

  isLocked(name) {
    return this.locked.has("*") || this.locked.has(name) || this.locked.has(split(name)[0])
  }

  // What a hand does. A locked value stays as it is.
  set(changes, { committed = true } = {}) {
    let any = false
    for (const [name, value] of Object.entries(changes)) {
      if (this.isLocked(name) || value === undefined) continue
      const [head, at] = split(name)
      if (!this.values.has(head)) continue
      if (at === null) {
        this.values.set(head, value)
      } else {
        const list = [...this.values.get(head)]
        list[at] = value
        this.values.set(head, list)
      }
      this.moved.set(head, Infinity)
      any = true
    }
    if (!any && committed === this.committed) return
    this.committed = committed
    this.unsent = true
    this.last = performance.now()
    this.watch()
    if (any) dispatchEvent(new CustomEvent("descent:moved", { detail: ++this.version }))
    this.changed()
    this.flush()
  }

  // Python's values, as of its having seen message `seq`: a hand that has moved since wins.
  adopt(values, seq) {
    let any = false
    for (const [name, at] of this.moved) if (at <= seq) this.moved.delete(name)
    for (const [name, value] of Object.entries(values)) {
      if (this.moved.has(name) || same(this.values.get(name), value)) continue
      this.values.set(name, value)
      any = true
    }
    if (any) this.changed()
  }

  // What hands have moved counts no longer: all of it, or some names.
  forget(names = [...this.moved.keys()]) {
    for (const name of names) this.moved.delete(name)
  }

  // Whether all that is here is what Python has: nothing under way.
  get settled() {
    return !this.moved.size
  }

  lock(names) {
    this.locked = new Set(names)
  }

  subscribe(listener) {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  // Everybody paints in the frame of the event, once however many values moved.
  changed() {
    if (this.frame) return
    this.frame = requestAnimationFrame(() => {
      this.frame = 0
      for (const listener of [...this.listeners]) listener(this)
    })
  }

  // Counts the frames that a moving hand loses: where answers cost many they come more rarely.
  watch() {
    if (this.watching || this.committed) return
    this.watching = true
    let last = null
    const look = (now) => {
      if (last !== null && now - last > SMOOTH_MS) this.lost += now - last
      last = now
      if (this.committed) this.watching = false
      else requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  }

  join(component, held = false) {
    if (held) this.follower = component
    else this.component = component
    this.flush()
  }

  part(component) {
    if (this.component === component) this.component = null
    if (this.follower === component) this.follower = null
  }

  echo(seq) {
    this.echoed = Math.max(this.echoed, seq)
    this.flush()
  }

  hold() {
    this.held = performance.now() + HOLD_MS
    this.flush()
  }

  flush() {
    clearTimeout(this.timer)
    this.timer = 0
    if (!this.unsent || !this.component) return
    const now = performance.now()
    const age = now - this.since
    const waiting = this.sent > this.echoed && age < LOST_MS
    const pace = Math.min(RARE_MS, Math.max(PACE_MS, this.lost / SHARE))
    const pause = waiting ? LOST_MS - age : Math.min(pace - age, Math.max(PACE_MS - age, this.last + REST_MS - now))
    const due = Math.max(this.held - now, this.committed ? 0 : pause)
    if (due > 0) {
      this.timer = setTimeout(() => this.flush(), Math.max(20, due))
      return
    }
    this.lost = 0
    this.unsent = false
    this.since = performance.now()
    this.sent = ++this.seq
    const set = {}
    for (const name of this.moved.keys()) {
      set[name] = this.values.get(name)
      this.moved.set(name, this.sent)
    }
    const line = (!this.committed && this.follower) || this.component
    line.setStateValue("values", { seq: this.sent, set, committed: this.committed })
  }
}

function split(name) {
  const found = /^(.*)\[(\d+)\]$/.exec(name)
  return found ? [found[1], Number(found[2])] : [name, null]
}

function same(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((v, i) => Object.is(v, b[i]))
  }
  return Object.is(a, b)
}
