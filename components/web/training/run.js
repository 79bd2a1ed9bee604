// One competitor in training: the step that Python printed, on the batches that Python would take.

const EPOCHS = 2000 // streams of bits, as engine/runs/learning.py and engine/problems/data.py count them
const MASKS = 1 << 20

export class Run {
  // `shared`: {x, targets, labels, testX, testTargets, testLabels, outputs, features, seed, grid};
  // `spec`: {kept, weights, hypers, drawn, factors, batch, shuffle, widths, dropout};
  // `made`: {steps, train, test, one, grid, counted}, the functions `make` of the modules.
  constructor(shared, spec, made) {
    this.shared = shared
    this.spec = spec
    this.steps = made.steps.map((make) => make())
    this.train = made.train?.()
    this.test = made.test?.()
    this.one = made.one?.()
    this.grid = made.grid?.()
    this.counted = made.counted()
    const { features, outputs } = shared
    const n = shared.labels.length
    this.batch = Math.min(spec.batch || n, n)
    this.x = new Float64Array(this.batch * features)
    this.targets = new Float64Array(this.batch * outputs)
    this.masks = spec.dropout ? spec.widths.map((width) => new Float64Array(this.batch * width)) : []
    this.signs = spec.drawn.filter((size) => size).map((size) => new Float64Array(size))
    this.hypers = [...spec.hypers]
    this.extend({ x: [], targets: [], labels: [] })
    this.restart()
  }

  // Examples to learn beyond those that the texts are printed for.
  extend(more) {
    const { shared, spec } = this
    this.more = more
    const joined = (name) => Float64Array.from([...shared[name], ...more[name]])
    const labels = joined("labels")
    this.learned = { x: joined("x"), targets: joined("targets") }
    this.n = labels.length
    this.epoch = -1
    // Unshuffled they come class by class.
    this.sorted = spec.shuffle ? null : [...labels.keys()].sort((i, j) => labels[i] - labels[j])
  }

  restart() {
    this.kept = this.spec.kept.map((value) => (typeof value === "number" ? value : Float64Array.from(value)))
    this.step = 0
    this.evaluations = 0
    this.diverged = -1
    this.stuck = false // a decision went a way that nobody printed
    this.epoch = -1
    this.order = null
    this.way = 0
  }

  get ended() {
    return this.diverged >= 0 || this.stuck || this.step >= this.spec.factors.length
  }

  // One step; the loss before it.
  advance() {
    const { spec, shared } = this
    const k = this.step
    this.gather(k)
    let stream = 0
    for (const out of this.signs) this.counted.signs(out, shared.seed, k + 1)
    for (const out of this.masks) {
      this.counted.masks(out, shared.seed, MASKS + k * spec.widths.length + stream, spec.dropout)
      stream++
    }
    const given = [...this.kept, k + 1, spec.factors[k], ...this.signs, this.x, this.targets, ...this.masks, ...this.hypers]
    let found = null
    for (let i = 0; i < this.steps.length && !found; i++) {
      const way = (this.way + i) % this.steps.length
      found = this.steps[way](...given)
      if (found) this.way = way
    }
    if (!found) {
      this.stuck = true
      return NaN
    }
    for (let i = 0; i < this.kept.length; i++) {
      if (typeof this.kept[i] === "number") this.kept[i] = found[i + 1]
      else this.kept[i].set(found[i + 1])
    }
    this.evaluations += found[found.length - 1]
    this.step++
    if (!Number.isFinite(found[0])) this.diverged = k
    return found[0]
  }

  gather(k) {
    const { shared, spec, n, batch, learned, sorted } = this
    const { features, outputs } = shared
    const first = k * batch
    for (let row = 0; row < batch; row++) {
      const place = first + row
      const epoch = Math.floor(place / n)
      let from = place - epoch * n
      if (spec.shuffle && batch < n) {
        if (epoch !== this.epoch) {
          this.epoch = epoch
          this.order = this.counted.order(shared.seed, EPOCHS + epoch, n)
        }
        from = this.order[from]
      }
      if (sorted) from = sorted[from]
      for (let j = 0; j < features; j++) this.x[row * features + j] = learned.x[from * features + j]
      for (let j = 0; j < outputs; j++) this.targets[row * outputs + j] = learned.targets[from * outputs + j]
    }
  }

  get weights() {
    return this.kept.slice(...this.spec.weights)
  }

  // Loss and share of right answers on both parts of the data; NaN where there is none.
  measured() {
    const { shared } = this
    const of = (measure, x, targets, labels) => {
      if (!measure) return [NaN, NaN]
      const [loss, outputs] = measure(...this.weights, x, targets)
      return [loss, Number.isFinite(loss) ? right(outputs, labels) : NaN]
    }
    const [loss, accuracy] = this.withMore(...of(this.train, shared.x, shared.targets, shared.labels))
    const [testLoss, testAccuracy] = of(this.test, shared.testX, shared.testTargets, shared.testLabels)
    return { loss, accuracy, testLoss, testAccuracy }
  }

  // Mean loss and share of right answers, with the examples beyond those of the texts.
  withMore(loss, accuracy) {
    const { shared: { features, outputs, labels }, more } = this
    let [sum, count] = [loss * labels.length, accuracy * labels.length]
    for (let i = 0; i < more.labels.length; i++) {
      const x = Float64Array.from(more.x.slice(i * features, (i + 1) * features))
      const targets = Float64Array.from(more.targets.slice(i * outputs, (i + 1) * outputs))
      const [own, given] = this.one(...this.weights, x, targets)
      sum += own
      count += right(given, [more.labels[i]])
    }
    return [sum / this.n, count / this.n]
  }

  // The outputs at the points of the grid.
  shown() {
    return this.grid ? this.grid(...this.weights, this.shared.grid)[0] : null
  }

  // How often the held-back examples of each class (row) are taken for each (column).
  confusion() {
    const { testX, testTargets, testLabels, outputs } = this.shared
    if (!this.test) return null
    const classes = Math.max(2, outputs)
    const found = new Float64Array(classes * classes)
    const [, given] = this.test(...this.weights, testX, testTargets)
    testLabels.forEach((label, i) => found[label * classes + chosen(given, i, outputs)]++)
    return found
  }
}

function chosen(outputs, i, width) {
  if (width === 1) return outputs[i] > 0 ? 1 : 0
  let best = 0
  for (let j = 1; j < width; j++) if (outputs[i * width + j] > outputs[i * width + best]) best = j
  return best
}

function right(outputs, labels) {
  const width = outputs.length / labels.length
  let count = 0
  for (let i = 0; i < labels.length; i++) if (chosen(outputs, i, width) === labels[i]) count++
  return count / labels.length
}
