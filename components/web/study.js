// Studies beside the page's own thread: work of a module that takes longer than a frame.
//
// One worker answers, the newest request first: while one is under way the next waits, and what it
// replaces is dropped, so that a moving hand sees as many answers as there is time for.

import { load, shaped } from "./program.js"

// Runs in a worker: studies by the module at an address.
function worker(scope) {
  const modules = new Map()
  scope.onmessage = async ({ data: { url, given } }) => {
    try {
      if (!modules.has(url)) modules.set(url, import(url))
      const module = await modules.get(url)
      const began = performance.now()
      const found = module.study(given)
      const shapes = Object.entries(found).map(([name, value]) => [name, value.shape])
      scope.postMessage({ found, shapes, ms: performance.now() - began })
    } catch (problem) {
      scope.postMessage({ problem: String(problem) })
    }
  }
}

// What was last found by a module, whoever asked: a new program, which Python sends while a hand
// still moves, goes on from there.
const latest = new Map() // text -> parts
const KEPT = 6

function keep(text, parts) {
  latest.delete(text)
  latest.set(text, parts)
  if (latest.size > KEPT) latest.delete(latest.keys().next().value)
}

export class Student {
  // `answered(line, parts)` is called when an answer is there.
  constructor(answered) {
    this.answered = answered
    this.urls = new Map() // text of a module -> its address
    this.wants = new Map() // line -> the newest request, until it is answered
    this.busy = null // the request under way
    this.alive = true
  }

  // What was found last by that module, or null; the answer itself comes by `answered`.
  ask(line, text, given) {
    this.wants.set(line, { line, text, given })
    this.next()
    return latest.get(text) ?? null
  }

  // Python's own stand for that line: nothing is wanted any more.
  settle(line, text, parts) {
    this.wants.delete(line)
    keep(text, parts)
  }

  next() {
    if (this.busy || !this.alive || !this.wants.size) return
    const [want] = this.wants.values()
    this.busy = want
    if (!this.hire()) return this.here(want)
    if (!this.urls.has(want.text)) this.urls.set(want.text, address(want.text))
    this.desk.postMessage({ url: this.urls.get(want.text), given: want.given })
  }

  hire() {
    if (this.desk || this.refused) return Boolean(this.desk)
    try {
      this.source = address(`(${worker})(self)`)
      this.desk = new Worker(this.source, { type: "module", name: "study" })
      this.desk.onmessage = ({ data }) => this.took(data)
      this.desk.onerror = () => this.refuse()
    } catch {
      this.refused = true
    }
    return Boolean(this.desk)
  }

  // No worker here: this thread does it.
  refuse() {
    this.desk?.terminate()
    this.desk = null
    this.refused = true
    if (this.busy) this.here(this.busy)
  }

  here(want) {
    setTimeout(async () => {
      const module = await load(want.text)
      if (this.alive) this.took({ found: module.study(want.given), shapes: [] })
    })
  }

  took({ found, shapes, problem }) {
    const want = this.busy
    if (problem) {
      console.info("Descent Lab: a study ended.", problem)
      if (!this.refused) return this.refuse()
    }
    this.busy = null
    if (found && this.alive && this.wants.has(want.line)) {
      for (const [name, shape] of shapes) if (shape) shaped(found[name], shape)
      if (this.wants.get(want.line) === want) this.wants.delete(want.line)
      keep(want.text, found)
      this.answered(want.line, found)
    }
    this.next()
  }

  dispose() {
    this.alive = false
    this.wants.clear()
    this.desk?.terminate()
    for (const url of [this.source, ...this.urls.values()]) if (url) URL.revokeObjectURL(url)
  }
}

const address = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }))
