// A rule's race on matrices, as engine/studies/matrices.py runs it: at every rate of a grid, the best
// of them and the run at so many times that. `RUN`, `made`, `error`, `left` and `stepper` stand above,
// printed by Python from its own.

// The races that were asked for last, with what was found at each rate, and the one of now.
const KEPT = 4
const races = new Map()
let race = null

// given: {runs: {"0": hyper-parameters by name}, setting, times, seed, near, start, data0, data1, …,
// normals}. It takes the nearest rates to the best one first, and stops after so many milliseconds:
// asked again it goes on. The answer is the same object as long as nothing better was found.
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
  if (shown?.best !== best || shown.times !== given.times) {
    const { errors, left } = given.times === 1 ? found[best] : raced(RATES[best] * given.times)
    const parts = { errors, left, least: found[best].errors[STEPS], best }
    race.shown = { best, times: given.times, parts }
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
function raced(rate) {
  const { hypers, start, normals, given } = race
  const training = stepper(RUN, { ...hypers, lr: rate }, start)
  const errors = new Float64Array(STEPS + 1).fill(NaN)
  const measured = () => error(...training.points, ...given)[0]
  errors[0] = measured()
  const size = normals ? normals.length / STEPS : 0
  let k = 0
  for (; k < STEPS; k++) {
    const batch = size ? [...given, normals.subarray(k * size, (k + 1) * size)] : given
    if (Number.isNaN(training.step(k + 1, 1 - k / STEPS, ...batch))) break
    const now = measured()
    if (!Number.isFinite(now)) break
    errors[k + 1] = now
  }
  const lost = k < STEPS
  return {
    errors: shaped(errors),
    left: shaped(lost ? new Float64Array(LEFT).fill(NaN) : left(...training.points, ...given)[0].slice()),
    end: lost ? 1e300 : errors[STEPS],
  }
}

const shaped = (array) => Object.assign(array, { shape: [array.length] })
