// A picture's program: the tape of a page, evaluated again whenever one of its values moves.
//
// Lines are array operations in order (engine.emit.picture). A value is a number, or a
// Float64Array with a `shape`, or the result of a run. Only lines downstream of what moved are
// computed, so that what stays the same stays the same object: the pictures look at identity.

const SAMPLES = 8
const AGREE = 1e-9

export const shaped = (array, shape) => {
  array.shape = shape
  return array
}

const isArray = (x) => typeof x === "object" && x !== null && x.shape !== undefined
const shapeOf = (x) => (isArray(x) ? x.shape : [])
const sizeOf = (shape) => shape.reduce((n, m) => n * m, 1)
const flat = (x) => (isArray(x) ? x : [x])

// Element by element, with NumPy's broadcasting ----------------------------------------------

function together(a, b) {
  const rank = Math.max(a.length, b.length)
  const out = new Array(rank)
  for (let i = 1; i <= rank; i++) {
    const m = a[a.length - i] ?? 1
    const n = b[b.length - i] ?? 1
    if (m !== n && m !== 1 && n !== 1) throw new Error(`shapes ${a} and ${b} do not fit`)
    out[rank - i] = m === 1 ? n : m
  }
  return out
}

// The array read as if it had another shape.
function stretched(x, shape) {
  if (!isArray(x)) return new Float64Array(sizeOf(shape)).fill(x)
  if (sameShape(x.shape, shape)) return x
  const out = new Float64Array(sizeOf(shape))
  const rank = shape.length
  const steps = new Array(rank).fill(0)
  let step = 1
  for (let i = 1; i <= x.shape.length; i++) {
    const n = x.shape[x.shape.length - i]
    steps[rank - i] = n === 1 ? 0 : step
    step *= n
  }
  const at = new Array(rank).fill(0)
  let from = 0
  for (let k = 0; k < out.length; k++) {
    out[k] = x[from]
    for (let d = rank - 1; d >= 0; d--) {
      from += steps[d]
      if (++at[d] < shape[d]) break
      from -= steps[d] * shape[d]
      at[d] = 0
    }
  }
  return out
}

const sameShape = (a, b) => a.length === b.length && a.every((n, i) => n === b[i])

const unary = (f) => (x) => {
  if (!isArray(x)) return f(x)
  const out = new Float64Array(x.length)
  for (let i = 0; i < out.length; i++) out[i] = f(x[i])
  return shaped(out, x.shape)
}

const binary = (f) => (x, y) => {
  const [left, right] = [isArray(x), isArray(y)]
  if (!left && !right) return f(x, y)
  if (left && !right) {
    const out = new Float64Array(x.length)
    for (let i = 0; i < out.length; i++) out[i] = f(x[i], y)
    return shaped(out, x.shape)
  }
  if (!left) {
    const out = new Float64Array(y.length)
    for (let i = 0; i < out.length; i++) out[i] = f(x, y[i])
    return shaped(out, y.shape)
  }
  const shape = together(x.shape, y.shape)
  const [a, b] = [stretched(x, shape), stretched(y, shape)]
  const out = new Float64Array(a.length)
  for (let i = 0; i < out.length; i++) out[i] = f(a[i], b[i])
  return shaped(out, shape)
}

function where(c, x, y) {
  if (!isArray(c) && !isArray(x) && !isArray(y)) return c ? x : y
  const shape = together(together(shapeOf(c), shapeOf(x)), shapeOf(y))
  const [k, a, b] = [stretched(c, shape), stretched(x, shape), stretched(y, shape)]
  const out = new Float64Array(a.length)
  for (let i = 0; i < out.length; i++) out[i] = k[i] ? a[i] : b[i]
  return shaped(out, shape)
}

// The same products as NumPy's form of it, by repeated squaring.
function wholePower(x, exponent) {
  if (exponent < 0) return 1 / wholePower(x, -exponent)
  if (exponent === 0) return 1
  let result = null
  for (let n = exponent; n; n >>= 1) {
    if (n & 1) result = result === null ? x : result * x
    if (n > 1) x *= x
  }
  return result
}

const sigmoid = (x) => {
  const z = Math.exp(-Math.abs(x))
  return x >= 0 ? 1 / (1 + z) : z / (1 + z)
}
// σ′ and tanh′ from the exponential that cannot overflow: both keep their digits where they are small.
const sigmoidSlope = (x) => {
  const z = Math.exp(-Math.abs(x))
  return z / (1 + z) / (1 + z)
}
const tanhSlope = (x) => {
  const z = Math.exp(-Math.abs(x))
  const sech = (2 * z) / (1 + z * z)
  return sech * sech
}
const softplus = (x) => (x > 0 ? x : x === x ? 0 : x) + Math.log1p(Math.exp(-Math.abs(x)))
const maximum = (x, y) => (x >= y || x !== x ? x : y)
const minimum = (x, y) => (x <= y || x !== x ? x : y)
// C's pow and NumPy's, where JavaScript differs: 1 to any power, and ±1 to an infinite one, is 1.
const power = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y)

// Reductions and shapes ------------------------------------------------------------------------

function axesOf(axis, rank) {
  if (axis === null || axis === undefined) return Array.from({ length: rank }, (_, i) => i)
  return (Array.isArray(axis) ? axis : [axis]).map((a) => (a + rank) % rank)
}

function sum(x, { axis = null, keepdims = false } = {}) {
  if (!isArray(x)) return x
  const { shape } = x
  const axes = axesOf(axis, shape.length)
  const kept = shape.map((n, i) => (axes.includes(i) ? 1 : n))
  const out = new Float64Array(sizeOf(kept))
  const steps = new Array(shape.length).fill(0)
  let step = 1
  for (let d = shape.length - 1; d >= 0; d--) {
    steps[d] = axes.includes(d) ? 0 : step
    step *= kept[d]
  }
  const at = new Array(shape.length).fill(0)
  let to = 0
  for (let k = 0; k < x.length; k++) {
    out[to] += x[k]
    for (let d = shape.length - 1; d >= 0; d--) {
      to += steps[d]
      if (++at[d] < shape[d]) break
      to -= steps[d] * shape[d]
      at[d] = 0
    }
  }
  const left = keepdims ? kept : shape.filter((_, i) => !axes.includes(i))
  return left.length ? shaped(out, left) : out[0]
}

function mean(x, how = {}) {
  if (!isArray(x)) return x
  const n = axesOf(how.axis, x.shape.length).reduce((m, a) => m * x.shape[a], 1)
  return OPERATIONS.divide(sum(x, how), n)
}

function transpose(x, { axes = null } = {}) {
  if (!isArray(x)) return x
  const rank = x.shape.length
  const order = axes ?? Array.from({ length: rank }, (_, i) => rank - 1 - i)
  const shape = order.map((a) => x.shape[a])
  const steps = new Array(rank)
  let step = 1
  for (let d = rank - 1; d >= 0; d--) {
    steps[d] = step
    step *= x.shape[d]
  }
  const out = new Float64Array(x.length)
  const at = new Array(rank).fill(0)
  for (let k = 0; k < out.length; k++) {
    let from = 0
    for (let d = 0; d < rank; d++) from += at[d] * steps[order[d]]
    out[k] = x[from]
    for (let d = rank - 1; d >= 0; d--) {
      if (++at[d] < shape[d]) break
      at[d] = 0
    }
  }
  return shaped(out, shape)
}

function matmul(x, y) {
  const [a, b] = [x.shape, y.shape]
  const rows = a.length === 1 ? 1 : a[0]
  const inner = a[a.length - 1]
  const columns = b.length === 1 ? 1 : b[1]
  const out = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const left = x[i * inner + k]
      for (let j = 0; j < columns; j++) out[i * columns + j] += left * y[k * columns + j]
    }
  }
  const shape = [...(a.length === 1 ? [] : [rows]), ...(b.length === 1 ? [] : [columns])]
  return shape.length ? shaped(out, shape) : out[0]
}

// NumPy's basic indexing: whole numbers, slices, an ellipsis, and new axes (null).
function index(x, { key }) {
  let keys = Array.isArray(key) ? [...key] : [key]
  const used = keys.filter((k) => k !== null && !k?.ellipsis).length
  const dots = keys.findIndex((k) => k?.ellipsis)
  const fill = Array.from({ length: x.shape.length - used }, () => ({ slice: [null, null, null] }))
  keys = dots < 0 ? [...keys, ...fill] : [...keys.slice(0, dots), ...fill, ...keys.slice(dots + 1)]
  const steps = new Array(x.shape.length)
  let step = 1
  for (let d = x.shape.length - 1; d >= 0; d--) {
    steps[d] = step
    step *= x.shape[d]
  }
  let from = 0
  let d = 0
  const shape = []
  const strides = []
  for (const k of keys) {
    if (k === null) {
      shape.push(1)
      strides.push(0)
      continue
    }
    const n = x.shape[d]
    if (typeof k === "number") {
      from += (k < 0 ? k + n : k) * steps[d]
    } else {
      const [start, stop, by] = bounds(k.slice, n)
      from += start * steps[d]
      shape.push(Math.max(0, Math.ceil((stop - start) / by)))
      strides.push(by * steps[d])
    }
    d++
  }
  if (!shape.length) return x[from]
  const out = new Float64Array(sizeOf(shape))
  const at = new Array(shape.length).fill(0)
  for (let k = 0; k < out.length; k++) {
    out[k] = x[from]
    for (let i = shape.length - 1; i >= 0; i--) {
      from += strides[i]
      if (++at[i] < shape[i]) break
      from -= strides[i] * shape[i]
      at[i] = 0
    }
  }
  return shaped(out, shape)
}

function bounds([start, stop, step], n) {
  const by = step ?? 1
  const within = (i, low, high) => Math.min(high, Math.max(low, i < 0 ? i + n : i))
  if (by > 0) return [within(start ?? 0, 0, n), within(stop ?? n, 0, n), by]
  return [within(start ?? n - 1, -1, n - 1), stop === null ? -1 : within(stop, -1, n - 1), by]
}

function extreme(better, worst) {
  return (...arrays) => {
    let best = worst
    for (const x of arrays) {
      for (const value of flat(x)) if (Number.isFinite(value) && better(value, best)) best = value
    }
    return best
  }
}

function join(...parts) {
  const out = new Float64Array(parts.reduce((n, part) => n + flat(part).length, 0))
  let at = 0
  for (const part of parts) {
    out.set(flat(part), at)
    at += flat(part).length
  }
  return shaped(out, [out.length])
}

function runningSum(x) {
  const out = new Float64Array(x.length)
  let total = 0
  for (let i = 0; i < out.length; i++) out[i] = total += x[i]
  return shaped(out, [out.length])
}

// m ← βm + (1 − β)x, from zero.
function runningAverage(x, beta) {
  const out = new Float64Array(x.length)
  let average = 0
  for (let i = 0; i < out.length; i++) out[i] = average = beta * average + (1 - beta) * x[i]
  return shaped(out, [out.length])
}

function runningLargest(x) {
  const out = new Float64Array(x.length)
  for (let i = 0; i < out.length; i++) out[i] = i ? maximum(out[i - 1], x[i]) : x[0]
  return shaped(out, [out.length])
}

// Steps from 0, each of which ends at the edge where it would leave [low, high].
function boundedSum(x, low, high) {
  const out = new Float64Array(x.length)
  let total = 0
  for (let i = 0; i < out.length; i++) out[i] = total = minimum(maximum(total + x[i], low), high)
  return shaped(out, [out.length])
}

function entry(x, i) {
  const rows = x.shape[0]
  const at = Math.min(Math.max(Math.floor(i + 0.5), 0), rows - 1) || 0
  if (x.shape.length === 1) return x[at]
  const size = x.length / rows
  return shaped(x.slice(at * size, (at + 1) * size), x.shape.slice(1))
}

// Largest along one axis, which keeps its place.
function top(x, axis) {
  const [inner, outer] = around(x.shape, axis)
  const n = x.shape[axis]
  const out = new Float64Array(inner * outer).fill(-Infinity)
  for (let i = 0; i < outer; i++) {
    for (let k = 0; k < n; k++) {
      for (let j = 0; j < inner; j++) {
        const value = x[(i * n + k) * inner + j]
        if (!(value <= out[i * inner + j])) out[i * inner + j] = value
      }
    }
  }
  return shaped(out, x.shape.map((m, d) => (d === axis ? 1 : m)))
}

function around(shape, axis) {
  return [sizeOf(shape.slice(axis + 1)), sizeOf(shape.slice(0, axis))]
}

function logSumExp(x, { axis = -1, keepdims = false } = {}) {
  const along = (axis + x.shape.length) % x.shape.length
  const most = unary((v) => (Number.isFinite(v) ? v : 0))(top(x, along))
  const { subtract, exp, log, add } = OPERATIONS
  const total = add(log(sum(exp(subtract(x, most)), { axis: along, keepdims: true })), most)
  if (keepdims) return total
  const shape = x.shape.filter((_, d) => d !== along)
  return shape.length ? shaped(total, shape) : total[0]
}

function logSoftmax(x, { axis = -1 } = {}) {
  const along = (axis + x.shape.length) % x.shape.length
  const { subtract, exp, log } = OPERATIONS
  const shifted = subtract(x, top(x, along))
  return subtract(shifted, log(sum(exp(shifted), { axis: along, keepdims: true })))
}

function softmax(x, { axis = -1 } = {}) {
  const along = (axis + x.shape.length) % x.shape.length
  const { subtract, exp, divide } = OPERATIONS
  const z = exp(subtract(x, top(x, along)))
  return divide(z, sum(z, { axis: along, keepdims: true }))
}

const logitCrossEntropy = binary((z, y) => {
  const against = z >= 0 ? 1 - y : y
  return (against === 0 ? 0 : against * Math.abs(z)) + Math.log1p(Math.exp(-Math.abs(z)))
})
const logitError = binary((z, y) => {
  const e = Math.exp(-Math.abs(z))
  const q = e / (1 + e)
  return z >= 0 ? 1 - y - q : q - y
})

// Zeros of a shape with g added at a key: what indexing looks like backwards.
function scatter(g, { shape, key }) {
  const places = index(shaped(Float64Array.from({ length: sizeOf(shape) }, (_, i) => i), shape), { key })
  const out = shaped(new Float64Array(sizeOf(shape)), shape)
  const values = isArray(places) ? stretched(g, places.shape) : [g]
  flat(places).forEach((at, k) => (out[at] += values[k]))
  return out
}

const first = (condition) => {
  const at = Array.prototype.findIndex.call(flat(condition), Boolean)
  return at < 0 ? NaN : at
}

// The number of the nearest of the places that lies within its reach, -1 for none.
function nearest(x, y, xs, ys, within) {
  const out = new Float64Array(x.length).fill(-1)
  for (let i = 0; i < out.length; i++) {
    let least = Infinity
    for (let k = 0; k < xs.length; k++) {
      const away = Math.hypot(x[i] - xs[k], y[i] - ys[k])
      if (away <= within[k] && away < least) {
        least = away
        out[i] = k
      }
    }
  }
  return shaped(out, x.shape)
}

export const OPERATIONS = {
  add: binary((x, y) => x + y),
  subtract: binary((x, y) => x - y),
  multiply: binary((x, y) => x * y),
  divide: binary((x, y) => x / y),
  negative: unary((x) => -x),
  power: binary(power),
  integer_power: (x, { exponent }) => unary((v) => wholePower(v, exponent))(x),
  exp: unary(Math.exp),
  log: unary(Math.log),
  log1p: unary(Math.log1p),
  expm1: unary(Math.expm1),
  sqrt: unary(Math.sqrt),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tan: unary(Math.tan),
  tanh: unary(Math.tanh),
  sigmoid: unary(sigmoid),
  sigmoid_slope: unary(sigmoidSlope),
  tanh_slope: unary(tanhSlope),
  softplus: unary(softplus),
  sign: unary((x) => (x > 0 ? 1 : x < 0 ? -1 : x === x ? 0 : x)),
  absolute: unary(Math.abs),
  relu: unary((x) => (x <= 0 ? 0 : x)),
  maximum: binary(maximum),
  minimum: binary(minimum),
  clip: (x, low, high) => OPERATIONS.minimum(OPERATIONS.maximum(x, low), high),
  less: binary((x, y) => Number(x < y)),
  less_equal: binary((x, y) => Number(x <= y)),
  greater: binary((x, y) => Number(x > y)),
  greater_equal: binary((x, y) => Number(x >= y)),
  equal: binary((x, y) => Number(x === y)),
  where,
  sum,
  mean,
  broadcast_to: (x, { shape }) => shaped(stretched(x, shape), shape),
  reshape: (x, { shape }) => {
    if (!shape.length) return isArray(x) ? x[0] : x
    const all = isArray(x) ? x.slice() : Float64Array.of(x)
    const known = shape.reduce((n, m) => (m < 0 ? n : n * m), 1)
    return shaped(all, shape.map((m) => (m < 0 ? all.length / known : m)))
  },
  transpose,
  matmul,
  index,
  scatter,
  logsumexp: logSumExp,
  softmax,
  log_softmax: logSoftmax,
  softmax_cross_entropy: (z, y) =>
    OPERATIONS.negative(sum(OPERATIONS.multiply(y, logSoftmax(z)), { axis: -1 })),
  logit_cross_entropy: logitCrossEntropy,
  logit_error: logitError,
  affine: (x, w, b) => OPERATIONS.add(matmul(x, w), b),
  floor: unary(Math.floor),
  ceil: unary(Math.ceil),
  largest: extreme((a, b) => a > b, -Infinity),
  smallest: extreme((a, b) => a < b, Infinity),
  running_sum: runningSum,
  running_average: runningAverage,
  running_largest: runningLargest,
  bounded_sum: boundedSum,
  entry,
  first,
  nearest,
  count: (x) => x.shape[0],
  stack: (...parts) => shaped(Float64Array.from(parts), [parts.length]),
  join,
  part: (run, { name }) => run[name],
}

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
