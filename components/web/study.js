// Studies beside the page's own thread: work of modules that takes longer than a frame.
//
// A few desks answer, each the newest request of every line in turn: while one is under way the next
// waits, and what it replaces is dropped, so that a moving hand sees as many answers as there is time
// for. A module that says that there is more to find is asked again, behind the others.

import { shaped } from "./operations.js"
import { load } from "./program.js"

const SLICE_MS = 4 // after which a study that can go on later gives what it has
const TEXTS = 16 // modules that a desk holds before it begins afresh
const SEATS = 64 // modules whose desk is remembered

// Runs in a worker: studies by the module at an address.
function worker(scope) {
  const modules = new Map()
  scope.onmessage = async ({ data: { url, given, ms, again } }) => {
    try {
      if (!modules.has(url)) modules.set(url, { made: import(url), last: null })
      const desk = modules.get(url)
      const module = await desk.made
      const found = module.study(given, ms)
      const news = !again || found !== desk.last
      desk.last = found
      const shapes = Object.entries(found).map(([name, value]) => [name, value.shape])
      scope.postMessage({ found: news ? found : null, shapes, more: module.more?.() ?? false })
    } catch (problem) {
      scope.postMessage({ problem: String(problem) })
    }
  }
}

// What was last found by a module, whoever asked: a new program, which Python sends while a hand
// still moves, goes on from there.
const latest = new Map() // text -> parts
const KEPT = 16

function keep(text, parts) {
  latest.delete(text)
  latest.set(text, parts)
  if (latest.size > KEPT) latest.delete(latest.keys().next().value)
}

const address = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }))

// A worker and what waits for it.
class Desk {
  constructor() {
    this.urls = new Map() // text of a module -> its address
    this.wants = [] // {student, line, text, given, again}, the newest of each line
    this.busy = null // the request under way
  }

  ask(want) {
    const place = this.place(want)
    if (place < 0) this.wants.push(want)
    else this.wants[place] = want // in the turn of what it replaces
    this.next()
  }

  place({ student, line }) {
    return this.wants.findIndex((want) => want.student === student && want.line === line)
  }

  // Nothing is wanted any more of that line, or of all.
  drop(student, line = null) {
    const of = (want) => want?.student === student && (line === null || want.line === line)
    this.wants = this.wants.filter((want) => !of(want))
    if (of(this.busy)) this.busy.dropped = true
  }

  next() {
    if (this.busy || !this.wants.length) return
    const want = this.wants.shift()
    this.busy = want
    if (!this.urls.has(want.text) && this.urls.size >= TEXTS) this.close()
    if (!this.hire()) return this.here(want)
    const { text, given, again } = want
    if (!this.urls.has(text)) this.urls.set(text, address(text))
    this.worker.postMessage({ url: this.urls.get(text), given, ms: SLICE_MS, again })
  }

  hire() {
    if (this.worker || this.refused) return Boolean(this.worker)
    try {
      this.source = address(`(${worker})(self)`)
      const hired = new Worker(this.source, { type: "module", name: "study" })
      hired.onmessage = ({ data }) => hired === this.worker && this.took(data)
      hired.onerror = () => hired === this.worker && this.refuse()
      this.worker = hired
    } catch {
      this.refused = true
    }
    return Boolean(this.worker)
  }

  // No worker here: this thread does it.
  refuse() {
    this.close()
    this.refused = true
    if (this.busy) this.here(this.busy)
  }

  here(want) {
    setTimeout(async () => {
      try {
        const module = await load(want.text)
        if (this.busy !== want) return
        const found = module.study(want.given, SLICE_MS)
        this.took({ found, shapes: [], more: module.more?.() ?? false })
      } catch (problem) {
        if (this.busy === want) this.took({ problem: String(problem) })
      }
    })
  }

  took({ found, shapes, more, problem }) {
    const want = this.busy
    if (problem) {
      console.info("Descent Lab: a study ended.", problem)
      if (!this.refused) return this.refuse()
    }
    this.busy = null
    if (found) {
      for (const [name, shape] of shapes) if (shape) shaped(found[name], shape)
      if (!want.dropped) keep(want.text, found)
    }
    if (more && !want.dropped && this.place(want) < 0) this.wants.push({ ...want, again: true })
    if (found && !want.dropped) want.student.answered(want.line, found)
    this.next()
  }

  // The worker goes; who comes next hires another.
  close() {
    this.worker?.terminate()
    this.worker = null
    for (const url of [this.source, ...this.urls.values()]) if (url) URL.revokeObjectURL(url)
    this.urls.clear()
  }
}

const desks = []
const seats = new Map() // text -> its desk, which has it at hand
const students = new Set()
let seated = 0

function deskOf(text) {
  if (!desks.length) {
    const most = Math.min(8, Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 2) - 1))
    for (let i = 0; i < most; i++) desks.push(new Desk())
  }
  if (!seats.has(text)) {
    seats.set(text, desks[seated++ % desks.length])
    if (seats.size > SEATS) seats.delete(seats.keys().next().value)
  }
  return seats.get(text)
}

export class Student {
  // `answered(line, parts)` is called when an answer is there.
  constructor(answered) {
    this.answered = answered
    students.add(this)
  }

  // What was found last by that module, or null; the answer itself comes by `answered`.
  ask(line, text, given) {
    deskOf(text).ask({ student: this, line, text, given, again: false })
    return latest.get(text) ?? null
  }

  // Python's own stand for that line: nothing is wanted any more.
  settle(line, text, parts) {
    for (const desk of desks) desk.drop(this, line)
    keep(text, parts)
  }

  // With the last student the desks are left.
  dispose() {
    for (const desk of desks) desk.drop(this)
    students.delete(this)
    if (students.size) return
    for (const desk of desks) desk.close()
    desks.length = 0
    seats.clear()
    seated = 0
  }
}
