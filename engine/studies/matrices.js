// A rule's race on matrices, as engine/studies/matrices.py runs it: at every rate of a grid, the best
// of them and the run at so many times that. `RUN`, `made`, `error`, `left`, `matrix` (the first of
// the weights) and `stepper` stand above, printed by Python from its own.

// The races that were asked for last, with what was found at each rate, and the one of now.
const KEPT = 4
const SMALL = 1e-12 // a cosine below which two columns are at right angles, as far as a picture shows
const races = new Map()
let race = null

// given: {runs: {"0": hyper-parameters by name}, setting, times, seed, near, start, data0, data1, …,
// normals, spectra: whether those are asked for}. It takes the nearest rates to the best one first,
// and stops after so many milliseconds: asked again it goes on. The answer is the same object as
// long as nothing better was found.
export function study(given, ms = Infinity) {
  const began = performance.now()
  const key = JSON.stringify([given.runs, given.setting, given.seed])
  race = races.get(key) ?? begun(given, race?.best ?? given.near)
  races.delete(key)
  races.set(key, race)
  if (races.size > KEPT) races.delete(races.keys().next().value)
  while (more()) {
    const row = next(race)
    race.found[row] = raced(RATES[row])
    const [end, least] = [race.found[row].end, race.found[race.best]?.end ?? Infinity]
    if (end < least || (end === least && row < race.best)) race.best = row
    if (performance.now() - began > ms) break
  }
  const { best, found, shown } = race
  if (shown?.best !== best || shown.times !== given.times || shown.spectra !== given.spectra) {
    const { errors, left } = given.times === 1 ? found[best] : raced(RATES[best] * given.times)
    const parts = { errors, left, least: found[best].errors[STEPS], best }
    if (given.spectra) Object.assign(parts, spectra(RATES[best]))
    race.shown = { best, times: given.times, spectra: given.spectra, parts }
  }
  return race.shown.parts
}

export const more = () => race.found.includes(null)

function begun(given, near) {
  const data = DATA.map((_, i) => given[`data${i}`])
  const setting = made(given.setting, ...data).map((x) => (typeof x === "number" ? x : x.slice()))
  return {
    hypers: given.runs[0], start: given.start, normals: given.normals, given: [...data, ...setting],
    best: Math.min(Math.max(near, 0), RATES.length - 1), found: RATES.map(() => null), shown: null,
  }
}

// The place, not yet raced at, nearest to the best.
function next({ best, found }) {
  const open = found.flatMap((run, row) => (run === null ? [row] : []))
  return open.reduce((a, b) => (Math.abs(b - best) < Math.abs(a - best) ? b : a))
}

// One run, NaN from where it is lost: its errors, what is left of each direction, and `end`, which
// is no more than that of a run that is lost.
function raced(rate, seen = () => {}) {
  const { hypers, start, normals, given } = race
  const training = stepper(RUN, { ...hypers, lr: rate }, start)
  const errors = new Float64Array(STEPS + 1).fill(NaN)
  const measured = () => error(...training.points, ...given)[0]
  errors[0] = measured()
  seen(training, -1)
  const size = normals ? normals.length / STEPS : 0
  let k = 0
  for (; k < STEPS; k++) {
    const batch = size ? [...given, normals.subarray(k * size, (k + 1) * size)] : given
    if (Number.isNaN(training.step(k + 1, 1 - k / STEPS, ...batch))) break
    const now = measured()
    if (!Number.isFinite(now)) break
    errors[k + 1] = now
    seen(training, k)
  }
  const lost = k < STEPS
  return {
    errors: shaped(errors),
    left: shaped(lost ? new Float64Array(LEFT).fill(NaN) : left(...training.points, ...given)[0].slice()),
    end: lost ? 1e300 : errors[STEPS],
  }
}

// The singular values of each step of the first matrix over the largest, and of a rule that
// orthogonalises Nesterov's mix of its momentum those of the mix, over its length.
function spectra(rate) {
  const steps = new Float64Array(STEPS * COLUMNS).fill(NaN)
  const mixes = MOMENTUM < 0 ? null : steps.slice()
  let [before, held] = [null, null]
  raced(rate, ({ points, state }, k) => {
    const now = matrix(...points)[0].slice()
    const momentum = mixes && state[MOMENTUM].slice()
    if (k >= 0) {
      const sizes = singular(now.map((w, i) => w - before[i]))
      steps.set(sizes.map((size) => size / Math.max(sizes[0], 1e-300)), k * COLUMNS)
      if (mixes) {
        const { beta } = race.hypers
        const parts = singular(momentum.map((m, i) => m - beta * held[i] + beta * m))
        const length = Math.max(Math.hypot(...parts), 1e-300)
        mixes.set(parts.map((size) => size / length), k * COLUMNS)
      }
    }
    [before, held] = [now, momentum]
  })
  return { spectra: shaped(steps, STEPS, COLUMNS), ...(mixes && { mixes: shaped(mixes, STEPS, COLUMNS) }) }
}

// The singular values of a matrix, falling, by rotations of its columns among each other (Hestenes).
function singular(values) {
  const rows = values.length / COLUMNS
  const a = new Float64Array(values.length) // column by column
  for (let i = 0; i < values.length; i++) a[(i % COLUMNS) * rows + Math.floor(i / COLUMNS)] = values[i]
  for (let sweep = 0, done = false; sweep < 20 && !done; sweep++) {
    done = true
    for (let p = 0; p < a.length; p += rows) for (let q = p + rows; q < a.length; q += rows) {
      let [x, y, along] = [0, 0, 0]
      for (let i = 0; i < rows; i++) {
        x += a[p + i] * a[p + i]
        y += a[q + i] * a[q + i]
        along += a[p + i] * a[q + i]
      }
      if (!(Math.abs(along) > SMALL * Math.sqrt(x * y))) continue
      done = false
      const ratio = (y - x) / (2 * along)
      const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.sqrt(ratio * ratio + 1))
      const c = 1 / Math.sqrt(tangent * tangent + 1)
      const s = tangent * c
      for (let i = 0; i < rows; i++) {
        const [left, right] = [a[p + i], a[q + i]]
        a[p + i] = c * left - s * right
        a[q + i] = s * left + c * right
      }
    }
  }
  const sizes = new Float64Array(COLUMNS)
  for (let j = 0; j < COLUMNS; j++) sizes[j] = Math.hypot(...a.subarray(j * rows, (j + 1) * rows))
  return sizes.sort().reverse()
}

const shaped = (array, ...shape) => Object.assign(array, { shape: shape.length ? shape : [array.length] })
