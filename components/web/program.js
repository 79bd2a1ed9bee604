// A picture's program: the tape of a page, evaluated again whenever one of its values moves.
//
// Lines are array operations in order (engine.emit.picture). A value is a number, or a
// Float64Array with a `shape`, or the result of a run. Only lines downstream of what moved are
// computed, so that what stays the same stays the same object: the pictures look at identity.

import { OPERATIONS, flat, isArray, shaped } from "./operations.js"

const SAMPLES = 8
const AGREE = 1e-9

// Runs: printed modules ------------------------------------------------------------------------

const modules = new Map() // text -> promise of the module, then the module

// A module from its text. A Blob's address is one of our own, where 'unsafe-inline' is forbidden.
export async function load(text) {
  let module = modules.get(text)
  if (!module) {
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }))
    module = import(url).finally(() => URL.revokeObjectURL(url))
    modules.set(text, module)
    modules.set(text, await module)
  }
  return module
}

const columns = (pairs, k) => {
  const out = new Float64Array(pairs.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = pairs[2 * i + k]
  return shaped(out, [out.length])
}

// One descent: arguments by the names in `how`, as the module's `run` wants them.
function descend(args, how, module) {
  const given = { hypers: {}, parameters: {} }
  how.names.forEach((name, i) => {
    const [group, inner] = name
    if (inner === undefined) given[group] = args[i]
    else (given[group] ??= {})[inner] = args[i]
  })
  const steps = Math.max(0, Math.round(given.steps))
  const { path, stopped, state = {}, gradient } = module.run({
    start: [given.x, given.y],
    steps,
    hypers: given.hypers,
    parameters: given.parameters,
    schedule: given.schedule,
    noise: given.normals && { sigma: given.sigma, normals: given.normals },
    probes: given.probes,
    shifts: given.shifts,
    each: given.each,
  })
  const run = { x: columns(path, 0), y: columns(path, 1), stopped: stopped ?? NaN }
  for (const [name, values] of Object.entries(gradient ? { ...state, gradient } : state)) {
    if (values.length > steps + 1) {
      run[`${name}.x`] = columns(values, 0)
      run[`${name}.y`] = columns(values, 1)
    } else {
      run[name] = shaped(values, [values.length])
    }
  }
  return run
}

const functions = new WeakMap() // a module's function of arrays, which has memory of its own

// A function of arrays that Python printed as one: its answer, in memory that is ours.
function fused(args, { shape }, module) {
  if (!functions.has(module)) functions.set(module, module.make())
  const found = functions.get(module)(...args)
  if (found === null) throw new Error("a decision goes another way here")
  return shaped(found[0].slice(), shape)
}

// A sweep: what its module's `sweep` wants, but for the axes, which are made as finely as there is
// time for; the parts that Python has made finely, by name; and whether those are of these numbers.
function sweepOf(args, how) {
  const given = { hypers: {}, parameters: {}, low: {}, high: {}, known: {} }
  how.names.forEach(([group, inner], i) => {
    if (inner === undefined) given[group] = args[i]
    else given[group][inner] = args[i]
  })
  const { x, y, steps, hypers, parameters, low, high, known, sigma, normals, probes, target } = given
  return {
    request: {
      varied: how.varied, log: how.log, low, high,
      given: {
        start: [x, y], steps: Math.max(0, Math.round(steps)), hypers, parameters, target, probes,
        noise: normals && { sigma, normals },
      },
    },
    known: how.at?.every((v, i) => Object.is(v, args[i])) ? known : null,
  }
}

// A study: what its module's `study` wants, entries of `runs` by run and name; what Python has found,
// by name; and whether that is of these numbers.
function studyOf(args, how) {
  const given = { runs: {} }
  const known = {}
  how.names.forEach(([group, ...inner], i) => {
    if (group === "known") known[inner[0]] = args[i]
    else if (inner.length) (given.runs[inner[0]] ??= {})[inner[1]] = args[i]
    else given[group] = args[i]
  })
  const here = how.at.every((v, i) => v === null || Object.is(v, args[i]))
  return { given, known, here }
}

const PRINTED = { descend, fused }

// Values at the middles of `count` equal cells, in equal ratios where log.
function middles(low, high, count, log) {
  return Float64Array.from({ length: count }, (_, i) => {
    const at = (i + 0.5) / count
    return log ? low * (high / low) ** at : low + (high - low) * at
  })
}

// The axes of a request with so many cells along each.
export const gridOf = ({ varied, log, low, high }, side) =>
  Object.fromEntries(varied.map((name, i) => [name, middles(low[name], high[name], side, log[i])]))

// What a module's `sweep` found, as the parts of a sweep (engine.runs.live_sweep).
export function partsOf(found, shape) {
  const part = (values) => shaped(values, shape)
  return {
    loss: part(found.final_loss),
    x: part(columns(found.final_point, 0)),
    y: part(columns(found.final_point, 1)),
    diverged: part(Float64Array.from(found.diverged_at, (step) => Number(step >= 0))),
    steps: found.steps_to_target && part(Float64Array.from(found.steps_to_target)),
  }
}

// A whole sweep at once, here and now.
export function sweepNow(module, request, side) {
  const found = module.sweep({ ...request.given, axes: gridOf(request, side) })
  return partsOf(found, request.varied.map(() => side))
}

// What a program reads: the store's value, or Python's where the store has none that fits. A list
// of another length is of a state whose own program is still on its way.
export const reading = (store, values) => (name) => {
  const here = store.get(name)
  const fits = !Array.isArray(here) || here.length === values[name]?.length
  return fits ? here ?? values[name] : values[name]
}

export class Program {
  // `spec`: {lines, constants, modules}, the constants decoded. Call `ready` before `run`.
  // `sweeper` makes sweeps beside this thread (see cells.js), `student` studies (see study.js);
  // without one they are made here.
  constructor(spec, sweeper = null, student = null) {
    this.lines = spec.lines
    this.constants = spec.constants
    this.texts = spec.modules ?? {}
    this.sweeper = sweeper
    this.student = student
    this.answers = new Map() // line -> the parts of a sweep or a study that have come since the last run
    this.swept = new Set() // lines that follow from a sweep of whatever grid there was time for
    this.values = new Array(spec.lines.length)
    this.inputs = new Map() // name -> line
    this.fresh = true
    this.modules = {}
    this.preferred = null // line -> Python's own answer, where ours is in doubt
    spec.lines.forEach(([operation, name], i) => {
      if (operation === "input") this.inputs.set(name, i)
      else if (sweeper && (operation === "sweep" || name.some((a) => this.swept.has(a)))) this.swept.add(i)
    })
  }

  async ready() {
    for (const [name, text] of Object.entries(this.texts)) this.modules[name] = await load(text)
  }

  // Takes the inputs of that name from `read`; computes what depends on those that changed.
  run(read) {
    const { lines, values, constants } = this
    const moved = new Uint8Array(lines.length)
    let any = false
    let answered = false
    for (let i = 0; i < lines.length; i++) {
      const [operation, args, how] = lines[i]
      if (operation === "input") {
        const value = read(args)
        if (this.fresh || !same(value, values[i])) {
          values[i] = Array.isArray(value)
            ? shaped(Float64Array.from(value), [value.length]) : Number(value)
          moved[i] = 1
          any = true
        }
        continue
      }
      const follows = this.fresh || args.some((a) => typeof a === "number" && moved[a])
      const answer = this.answers.get(i)
      if (!follows && !answer) continue
      const inputs = args.map((a) => (typeof a === "number" ? values[a] : constants[a[0]]))
      if (operation === "sweep" || operation === "study") {
        const found = (follows && this[operation](i, inputs, how)) || answer
        if (!found || found === values[i]) continue // what is shown stays until another is there
        values[i] = found
        answered = true
      } else {
        const printed = PRINTED[operation]
        values[i] = printed
          ? printed(inputs, how, this.modules[how.module])
          : OPERATIONS[operation](...inputs, ...(how ? [how] : []))
      }
      moved[i] = 1
    }
    this.answers.clear()
    this.fresh = false
    if (any) this.preferred = null
    return any || answered
  }

  // The parts of a sweep as far as they are at hand; the sweeper answers with finer ones later.
  sweep(line, inputs, how) {
    const { request, known } = sweepOf(inputs, how)
    const module = this.modules[how.module]
    if (!this.sweeper) return sweepNow(module, request, how.side)
    const text = this.texts[how.module]
    return this.sweeper.ask(line, { text, module, request, known, seed: how.seed, fresh: this.fresh })
  }

  // What a study found: Python's own at its values; else the student answers later, and what was
  // found last stands until then.
  study(line, inputs, how) {
    const { given, known, here } = studyOf(inputs, how)
    const text = this.texts[how.module]
    if (here) {
      this.student?.settle(line, text, known)
      return known
    }
    if (!this.student) return this.modules[how.module].study(given)
    const before = this.student.ask(line, text, given)
    return this.fresh ? before ?? known : null
  }

  // What was asked for is there: the next run takes it up.
  answer(line, parts) {
    this.answers.set(line, parts)
  }

  value(line) {
    return this.preferred?.get(line) ?? this.values[line]
  }

  // Python's own answers for some lines, good as long as the inputs are those they belong to.
  prefer(given, decode) {
    this.preferred = null
    if (!given) return
    for (const [name, value] of Object.entries(given.values)) {
      const line = this.inputs.get(name)
      if (line !== undefined && !same(value, this.values[line])) return
    }
    this.preferred = new Map(Object.entries(given.lines).map(([line, blob]) => {
      const value = decode(blob)
      return [Number(line), value.shape.length ? value : value[0]]
    }))
  }

  dispose() {
    this.sweeper?.dispose()
    this.student?.dispose()
  }

  // Which outputs are not what Python found at these very values: their places in `samples`.
  doubts(outputs, samples) {
    return outputs.map((line, k) => k).filter((k) => {
      const line = outputs[k]
      if (this.swept.has(line)) return false // on another grid than Python's
      const value = flat(this.value(line))
      const wanted = samples[k]
      if (wanted === null) return false
      const places = new Set()
      for (let i = 0; i < SAMPLES; i++) {
        places.add(Math.round((i * (value.length - 1)) / (SAMPLES - 1)))
      }
      const chosen = value.length ? [...places].sort((a, b) => a - b) : []
      if (chosen.length !== wanted.length) return true
      const scale = wanted.reduce((most, v) => Math.max(most, Math.abs(v ?? 0)), 0)
      return chosen.some((at, i) => !agree(value[at], wanted[i], scale))
    })
  }
}

function agree(ours, theirs, scale) {
  if (theirs === null) return !Number.isFinite(ours)
  return Math.abs(ours - theirs) <= AGREE * scale
}

function same(value, before) {
  if (Array.isArray(value)) {
    return isArray(before) && before.length === value.length &&
      value.every((v, i) => v === before[i])
  }
  return Object.is(Number(value), before)
}
