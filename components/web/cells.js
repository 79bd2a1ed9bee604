// Sweeps beside the page's own thread: many runs, coarsely at once and finely when the hand rests.
//
// A few workers run tiles of cells by the module that the engine prints. While a hand moves one
// coarse grid is under way and the newest request waits for it; what has become stale is dropped.
// When nothing has been asked for a while the same is made on finer grids, one after the other.

import { gridOf, load, partsOf, sweepNow } from "./program.js"

const QUICK_MS = 14 // that a coarse grid may take
const TILE_MS = 12 // that a tile may take: so long does a new request wait for a worker
const REST_MS = 140 // without a request before the grid becomes finer
const FINE_MS = 2500 // a finer grid that would take longer is left to the server
const COARSE = [[64, 96, 160, 256], [16, 24, 32, 40, 48, 64, 80, 96]] // cells along one axis, along each of two
const FINE = [[256, 1024], [96, 192, 256]]
const FIRST = 12 // cells along a side of the grid made here, where there is none yet
const KEPT = 12
const GUESS_MS = 2e-5 // a cell's step, before any was timed

// Runs in a worker: tiles by the module at an address.
function worker(scope) {
  const modules = new Map()
  scope.onmessage = async ({ data: { id, url, given } }) => {
    try {
      if (!modules.has(url)) modules.set(url, import(url))
      const module = await modules.get(url)
      const began = performance.now()
      const found = module.sweep(given)
      const ms = performance.now() - began
      scope.postMessage({ id, found, ms }, Object.values(found).map((array) => array.buffer))
    } catch (problem) {
      scope.postMessage({ id, problem: String(problem) })
    }
  }
}

class Pool {
  constructor() {
    this.most = Math.min(8, Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 2) - 1))
    this.idle = []
    this.made = 0
    this.queue = []
    this.running = new Map() // id -> tile
    this.urls = new Map() // text of a module -> its address
    this.ids = 0
    this.here = false // where a policy forbids workers, tiles are run in this thread
  }

  // tile: {text, given, take(found, ms), stale(), side}; coarse ones go first.
  add(tiles) {
    this.queue.push(...tiles)
    this.queue.sort((a, b) => a.side - b.side)
    this.next()
  }

  next() {
    this.queue = this.queue.filter((tile) => !tile.stale())
    while (this.queue.length) {
      const free = this.here ? (this.running.size ? null : this) : this.idle.pop() ?? this.hire()
      if (!free) return
      const tile = this.queue.shift()
      const id = ++this.ids
      this.running.set(id, tile)
      free.postMessage({ id, url: this.address(tile.text), given: tile.given })
    }
  }

  hire() {
    if (this.made >= this.most || this.here) return null
    try {
      this.source ??= URL.createObjectURL(new Blob([`(${worker})(self)`], { type: "text/javascript" }))
      const made = new Worker(this.source, { type: "module", name: "cells" })
      made.onmessage = ({ data }) => {
        this.idle.push(made)
        this.took(data)
      }
      made.onerror = () => this.give()
      this.made++
      return made
    } catch {
      this.give()
      return null
    }
  }

  // No workers here: what they had is begun again in this thread.
  give() {
    if (this.here) return
    this.here = true
    this.queue.unshift(...this.running.values())
    this.running.clear()
    setTimeout(() => this.next())
  }

  // In the place of a worker's.
  postMessage({ id, given }) {
    setTimeout(async () => {
      const tile = this.running.get(id)
      const module = await load(tile.text)
      const began = performance.now()
      const found = module.sweep(given)
      this.took({ id, found, ms: performance.now() - began })
    })
  }

  took({ id, found, ms, problem }) {
    const tile = this.running.get(id)
    this.running.delete(id)
    if (problem) this.give()
    else if (tile && !tile.stale()) tile.take(found, ms)
    this.next()
  }

  address(text) {
    let url = this.urls.get(text)
    if (!url) this.urls.set(text, (url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }))))
    return url
  }
}

let pool = null
const paces = new Map() // text of a module -> milliseconds for a step of a cell
const kept = new Map() // text and numbers -> the finest parts found, least recently used first

export class Sweeper {
  // `answered(line, parts)` is called when something finer, or newer, is there.
  constructor(answered) {
    this.answered = answered
    this.wants = new Map() // line -> what was asked last
    this.alive = true
  }

  // What is there now for a line's request, or null; more comes by `answered`.
  ask(line, { text, module, request, known, seed, fresh }) {
    const { normals, ...noise } = request.given.noise ?? {}
    const { probes, ...given } = request.given
    const key = JSON.stringify([text, seed, { ...request, given: { ...given, noise } }])
    const before = this.wants.get(line)
    if (before?.key === key && !known) return null
    clearTimeout(before?.timer)
    const want = { line, key, text, request, finest: 0, pass: before?.pass ?? null, timer: 0 }
    this.wants.set(line, want)
    if (known) {
      want.pass = null
      return known
    }
    const held = kept.get(key)
    if (held) {
      want.pass = null
      want.finest = held.side
      this.refine(want)
      return held.parts
    }
    if (want.pass && want.pass.coarse) want.pass.then = want // the newest waits for what is under way
    else this.begin(want, this.quick(want), true)
    return fresh ? sweepNow(module, request, FIRST) : null
  }

  cost({ text, request }, side) {
    const cells = side ** request.varied.length
    return (cells * Math.max(1, request.given.steps) * (paces.get(text) ?? GUESS_MS)) / pool.most
  }

  // The finest grid to be had at once.
  quick(want) {
    pool ??= new Pool()
    const sides = COARSE[want.request.varied.length - 1]
    return sides.findLast((side) => this.cost(want, side) <= QUICK_MS) ?? sides[0]
  }

  begin(want, side, coarse) {
    const { request, text } = want
    const shape = request.varied.map(() => side)
    const size = side ** shape.length
    const axes = gridOf(request, side)
    const steps = Math.max(1, request.given.steps)
    const each = TILE_MS / ((paces.get(text) ?? GUESS_MS) * steps)
    const tile = Math.max(1, Math.min(Math.ceil(size / pool.most), Math.ceil(each)))
    const pass = { side, coarse, left: 0, ms: 0, whole: null, then: want }
    want.pass = pass
    const tiles = []
    for (let first = 0; first < size; first += tile) {
      const last = Math.min(size, first + tile)
      tiles.push({
        text, side,
        given: { ...request.given, axes, first, last },
        stale: () => !this.alive || this.wants.get(want.line) !== pass.then || pass.then.pass !== pass,
        take: (found, ms) => this.take(want, pass, shape, first, found, ms),
      })
    }
    pass.left = tiles.length
    pool.add(tiles)
  }

  take(want, pass, shape, first, found, ms) {
    const size = shape.reduce((n, m) => n * m, 1)
    pass.whole ??= Object.fromEntries(Object.entries(found).map(([name, array]) =>
      [name, new array.constructor((array.length / found.final_loss.length) * size)]))
    for (const [name, array] of Object.entries(found)) {
      pass.whole[name].set(array, first * (array.length / found.final_loss.length))
    }
    pass.ms += ms
    if (--pass.left) return
    const pace = pass.ms / (size * Math.max(1, want.request.given.steps))
    const known = paces.get(want.text)
    paces.set(want.text, known === undefined ? pace : 0.7 * known + 0.3 * pace)
    const parts = partsOf(pass.whole, shape)
    const newest = this.wants.get(want.line)
    newest.pass = null
    this.answered(want.line, parts)
    if (newest !== want) {
      this.begin(newest, this.quick(newest), true)
      return
    }
    want.finest = pass.side
    keep(want.key, { parts, side: pass.side })
    this.refine(want)
  }

  // The next finer grid, when nothing has been asked for a while.
  refine(want) {
    const side = FINE[want.request.varied.length - 1].find((one) => one > want.finest)
    if (side === undefined) return
    pool ??= new Pool()
    want.timer = setTimeout(() => {
      if (this.alive && this.wants.get(want.line) === want && this.cost(want, side) <= FINE_MS) {
        this.begin(want, side, false)
      }
    }, want.finest > COARSE[want.request.varied.length - 1].at(-1) ? 0 : REST_MS)
  }

  dispose() {
    this.alive = false
    for (const { timer } of this.wants.values()) clearTimeout(timer)
  }
}

function keep(key, found) {
  kept.delete(key)
  kept.set(key, found)
  if (kept.size > KEPT) kept.delete(kept.keys().next().value)
}
