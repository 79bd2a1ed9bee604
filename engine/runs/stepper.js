// A trainer's steps as engine/runs/browser_steps.py prints them, for the drivers of studies.
// `counted` stands above: engine/problems/counted.js.

// A training that stands at its start: `weights` in one line, hyper-parameters by name. `ways` are
// those of its step, the first `points` of what it keeps are the weights as its rules hold them,
// `names` are numbers or hyper-parameters, `drawn` how many signs it draws. Its `step` gives the
// loss before it, NaN where a decision goes a way that nobody printed.
function stepper({ ways, points, kept, names, drawn }, hypers, weights) {
  const state = kept.map(({ value, size, values, from }) => {
    if (from !== undefined) return Float64Array.from(weights.subarray(from, from + size))
    if (values) return Float64Array.from(values)
    return size === undefined ? value : new Float64Array(size).fill(value)
  })
  const numbers = names.map((name) => (typeof name === "number" ? name : hypers[name]))
  const random = drawn.map((size) => new Float64Array(size))
  let way = 0
  return {
    state,
    get points() {
      return state.slice(0, points)
    },
    step(t, factor, ...batch) {
      for (const out of random) counted.signs(out, 0, t)
      let found = null
      for (let i = 0; i < ways.length && !found; i++) {
        found = ways[(way + i) % ways.length](...state, t, factor, ...random, ...batch, ...numbers)
        if (found) way = (way + i) % ways.length
      }
      if (!found) return NaN
      state.forEach((value, i) => {
        if (typeof value === "number") state[i] = found[i + 1]
        else value.set(found[i + 1])
      })
      return found[0]
    },
  }
}
