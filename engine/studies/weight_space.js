// What engine/studies/weight_space.py finds, found in the reader's browser: the same records of the
// same steps, the same products with the Hessian, the same plane. `RUNS`, `loss`, `product` and
// `stepper` stand above, printed by Python from its own.

const dot = (a, b) => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
const combined = (a, s, b) => a.map((value, i) => value + s * b[i]) // a + s b
const shaped = (array, ...shape) => Object.assign(array, { shape })

function turn(u, v, c, s) {
  for (let k = 0; k < u.length; k++) {
    const x = u[k]
    u[k] = c * x - s * v[k]
    v[k] = s * x + c * v[k]
  }
}

// Eigenvalues, rising, and eigenvectors (as rows) of a small symmetric matrix, by Jacobi's rotations.
function eigen(matrix) {
  const n = matrix.length
  const a = matrix.map((row) => Float64Array.from(row))
  const vectors = a.map((_, i) => Float64Array.from(matrix, (_, j) => Number(i === j)))
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0
    let all = 0
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
      if (i !== j) off += a[i][j] ** 2
      all += a[i][j] ** 2
    }
    if (!(off > 1e-30 * all)) break
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) {
      if (a[p][q] === 0) continue
      const theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
      const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
      const c = 1 / Math.hypot(t, 1)
      const s = t * c
      for (let k = 0; k < n; k++) {
        const x = a[k][p]
        a[k][p] = c * x - s * a[k][q]
        a[k][q] = s * x + c * a[k][q]
      }
      turn(a[p], a[q], c, s)
      turn(vectors[p], vectors[q], c, s)
    }
  }
  const order = a.map((_, i) => i).sort((i, j) => a[i][i] - a[j][j])
  return { values: order.map((i) => a[i][i]), vectors: order.map((i) => vectors[i]) }
}

// Lanczos' method: eigenvalues, rising, and eigenvectors (as rows), as far as `most` products show them.
function lanczos(times, start, most) {
  const length = Math.sqrt(dot(start, start))
  const basis = [start.map((value) => value / length)]
  const diagonal = []
  const beside = []
  let scale = 0
  for (let k = 0; k < Math.min(most, start.length); k++) {
    let further = Float64Array.from(times(basis[k]))
    diagonal.push(dot(basis[k], further))
    for (let again = 0; again < 2; again++) {
      const parts = basis.map((known) => dot(known, further))
      basis.forEach((known, i) => { for (let j = 0; j < further.length; j++) further[j] -= parts[i] * known[j] })
    }
    const left = Math.sqrt(dot(further, further))
    scale = Math.max(scale, Math.abs(diagonal[k]), left)
    beside.push(left)
    if (!(left > EXHAUSTED * scale)) break
    basis.push(further.map((value) => value / left))
  }
  const small = diagonal.map((d, i) => diagonal.map((_, j) =>
    (i === j ? d : Math.abs(i - j) === 1 ? beside[Math.min(i, j)] : 0)))
  const { values, vectors } = eigen(small)
  return {
    values,
    vectors: vectors.map((v) => {
      const found = new Float64Array(start.length)
      v.forEach((part, k) => { for (let j = 0; j < found.length; j++) found[j] += part * basis[k][j] })
      return found
    }),
  }
}

// The largest eigenvalue of one matrix after another, each search from where the last ended.
function sharpest(probe) {
  const unit = Math.sqrt(dot(probe, probe))
  let [direction, most] = [probe, FIRST]
  return (times) => {
    const { values, vectors } = lanczos(times, direction, most)
    direction = combined(vectors.at(-1), STIRRED / unit, probe)
    most = NEXT
    return values.at(-1)
  }
}

// One training as it was measured: weights, loss and sharpness, a row a record until it was lost.
// `run` is what a stepper takes; its `line` lays the weights in one line (null: they are one);
// `metric` is the place of v in what a step keeps, and the decay of its bias correction.
function follow(run, hypers, { x, y, start, probe, steps }) {
  const { line: lineOf, metric } = run
  const training = stepper(run, hypers, start)
  const { state } = training
  const [plain, scaled] = [sharpest(probe), sharpest(probe)]
  let t = 0
  const found = { weights: [], loss: [], sharpness: [], effective: [] }
  for (let record = 0; record <= RECORDS; record++) {
    const until = Math.floor(record * (steps / RECORDS) + 0.5)
    for (; t < until; t++) {
      if (!(Math.abs(training.step(t + 1, 1, x, y)) < LOST)) return found
    }
    const line = Float64Array.from(lineOf ? lineOf(...training.points)[0] : state[0])
    const [value] = loss(line, x, y)
    if (!(Math.abs(value) < LOST)) return found
    const times = (along) => product(line, along, x, y)[0]
    const sharpness = plain(times)
    let effective = sharpness
    if (metric) {
      const whole = metric.beta ? 1 - hypers[metric.beta] ** t : 1
      const d = state[metric.place].map((v) => (t ? 1 / Math.sqrt(Math.sqrt(v / whole) + hypers.eps) : 1))
      effective = scaled((along) => times(along.map((part, i) => part * d[i])).map((part, i) => part * d[i]))
    }
    found.weights.push(line)
    found.loss.push(value)
    found.sharpness.push(sharpness)
    found.effective.push(effective)
  }
  return found
}

function mean(rows) {
  const found = new Float64Array(rows[0].length)
  for (const row of rows) for (let j = 0; j < found.length; j++) found[j] += row[j] / rows.length
  return found
}

function principal(rows, centred, probe) {
  const times = (v) => {
    const found = new Float64Array(v.length)
    for (const row of centred) {
      const part = dot(row, v)
      for (let j = 0; j < found.length; j++) found[j] += part * row[j]
    }
    return found
  }
  const { vectors } = lanczos(times, probe, COMPONENTS)
  const first = vectors.at(-1)
  let second = vectors.at(-2)
  if (!second) { // a single point: any direction is as good
    second = probe.toReversed()
    second = combined(second, -dot(first, second), first)
    const length = Math.sqrt(dot(second, second))
    second = second.map((value) => value / length)
  }
  const along = dot(first, combined(rows.at(-1), -1, rows[0]))
  const beside = dot(second, centred[Math.floor(rows.length / 2)])
  return [[first, along], [second, beside]].map(([v, sign]) => (sign >= 0 ? v : v.map((value) => -value)))
}

// Directions whose weights into one unit are as long as the line's; no bias moves.
function normalised(direction, line, filters) {
  const own = new Float64Array(Math.max(...filters) + 1)
  const wanted = own.slice()
  filters.forEach((unit, i) => {
    if (unit < 0) return
    own[unit] += direction[i] ** 2
    wanted[unit] += line[i] ** 2
  })
  return direction.map((value, i) => (filters[i] < 0 ? 0 : (value / Math.sqrt(own[filters[i]])) * Math.sqrt(wanted[filters[i]])))
}

const linspace = (low, high) => shaped(Float64Array.from({ length: SIDE }, (_, i) => low + (i * (high - low)) / (SIDE - 1)), SIDE)

function extent(x, y, random) {
  if (random) {
    const reach = Math.max(1, (1 + PAD) * Math.max(...[...x, ...y].map(Math.abs)))
    return [linspace(-reach, reach), linspace(-reach, reach)]
  }
  const bounds = [x, y].map((v) => [Math.min(...v), Math.max(...v)])
  const spans = bounds.map(([low, high]) => Math.max(high - low, 1e-9))
  return bounds.map(([low, high], i) => {
    const half = 0.5 * Math.max(spans[i], LEAST * Math.max(...spans)) * (1 + 2 * PAD)
    return linspace(0.5 * (low + high) - half, 0.5 * (low + high) + half)
  })
}

// given: {runs: {"0": hyper-parameters by name, …}, steps, x, y, start, probe, filters, normals}.
export function study(given) {
  const { x, y, probe } = given
  const paths = RUNS.map((run, i) => follow(run, given.runs[i] ?? {}, given))
  const rows = paths.flatMap(({ weights }) => weights)
  const origin = paths[0].weights.at(-1)
  const middle = mean(rows)
  const centred = rows.map((row) => combined(row, -1, middle))
  const size = origin.length
  const axes = RANDOM
    ? [0, 1].map((k) => normalised(given.normals.slice(k * size, (k + 1) * size), origin, given.filters))
    : principal(rows, centred, probe)
  const [a, b, c] = [dot(axes[0], axes[0]), dot(axes[0], axes[1]), dot(axes[1], axes[1])]
  const dual = [[c, -b], [-b, a]].map(([p, q]) => axes[0].map((value, i) => (p * value + q * axes[1][i]) / (a * c - b * b)))
  const placed = paths.map(({ weights }) =>
    dual.map((side) => Float64Array.from(weights, (row) => dot(combined(row, -1, origin), side))))
  const total = Math.max(centred.reduce((sum, row) => sum + dot(row, row), 0), 1e-300)
  const share = [axes[0], combined(axes[1], -b / a, axes[0])].map((v) =>
    centred.reduce((sum, row) => sum + dot(row, v) ** 2, 0) / dot(v, v) / total)
  const [across, up] = extent(placed.flatMap(([u]) => [...u]), placed.flatMap(([, v]) => [...v]), RANDOM)
  const point = new Float64Array(size)
  const at = (u, v) => {
    for (let i = 0; i < size; i++) point[i] = origin[i] + u * axes[0][i] + v * axes[1][i]
    return loss(point, x, y)[0]
  }
  const grid = new Float64Array(SIDE * SIDE)
  up.forEach((v, row) => across.forEach((u, column) => (grid[row * SIDE + column] = at(u, v))))
  const found = {
    across, up, grid: shaped(grid, SIDE, SIDE), share1: share[0], share2: share[1],
    below: at(placed[0][0][0], placed[0][1][0]),
  }
  const filled = (values) => {
    const out = new Float64Array(RECORDS + 1).fill(NaN)
    out.set(values)
    return shaped(out, RECORDS + 1)
  }
  paths.forEach((path, i) => {
    found[`x${i}`] = filled(placed[i][0])
    found[`y${i}`] = filled(placed[i][1])
    found[`loss${i}`] = filled(path.loss)
    found[`sharpness${i}`] = filled(path.sharpness)
    found[`effective${i}`] = filled(path.effective)
    found[`stopped${i}`] = path.loss.length > RECORDS ? NaN : path.loss.length
  })
  return found
}
