// What a picture's program is written in (engine.emit.picture): NumPy's operations on numbers and on
// Float64Arrays with a `shape`, and the picture's own, as they are said there.

export const shaped = (array, shape) => {
  array.shape = shape
  return array
}

export const isArray = (x) => typeof x === "object" && x !== null && x.shape !== undefined
const shapeOf = (x) => (isArray(x) ? x.shape : [])
const sizeOf = (shape) => shape.reduce((n, m) => n * m, 1)
const sameShape = (a, b) => a.length === b.length && a.every((n, i) => n === b[i])
export const flat = (x) => (isArray(x) ? x : [x])

// By axis: how far apart neighbours lie in the memory of an array of that shape.
function stridesOf(shape) {
  const strides = new Array(shape.length)
  let step = 1
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step
    step *= shape[d]
  }
  return strides
}

// An array of that shape out of x: its first entry lies at `from`, neighbours `strides` apart.
function gathered(x, shape, strides, from = 0) {
  const out = new Float64Array(sizeOf(shape))
  const last = shape.length - 1
  const [count, stride] = [shape[last] ?? 1, strides[last] ?? 0]
  const at = new Array(shape.length).fill(0)
  for (let k = 0; k < out.length; ) {
    for (let i = 0; i < count; i++) out[k++] = x[from + i * stride]
    for (let d = last - 1; d >= 0; d--) {
      from += strides[d]
      if (++at[d] < shape[d]) break
      from -= strides[d] * shape[d]
      at[d] = 0
    }
  }
  return shaped(out, shape)
}

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
  const own = stridesOf(x.shape)
  const missing = shape.length - own.length
  return gathered(x, shape, shape.map((_, d) => (d < missing || x.shape[d - missing] === 1 ? 0 : own[d - missing])))
}

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
  const steps = stridesOf(kept).map((step, d) => (axes.includes(d) ? 0 : step))
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
  const own = stridesOf(x.shape)
  return gathered(x, order.map((a) => x.shape[a]), order.map((a) => own[a]))
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
  const own = stridesOf(x.shape)
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
      from += (k < 0 ? k + n : k) * own[d]
    } else {
      const [start, stop, by] = bounds(k.slice, n)
      from += start * own[d]
      shape.push(Math.max(0, Math.ceil((stop - start) / by)))
      strides.push(by * own[d])
    }
    d++
  }
  return shape.length ? gathered(x, shape, strides, from) : x[from]
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
  held: (x) => x,
  part: (run, { name }) => run[name],
}
