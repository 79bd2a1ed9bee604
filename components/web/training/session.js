// Several competitors in lock-step: told to come to a step, they go as far as a slice of time allows
// and say how they stand. It runs in a worker, or in the page's thread where a policy forbids workers.

import { Run } from "./run.js"

export class Session {
  constructor() {
    this.modules = new Map() // text -> its `make`
    this.runs = []
  }

  // New data, texts or settings. With `keep` the weights stay: points were added to what they learn.
  async setup({ shared, specs, every, keep }) {
    const load = async (text) => {
      if (!text) return undefined
      if (!this.modules.has(text)) {
        const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }))
        this.modules.set(text, import(url).then((module) => module.make))
      }
      return this.modules.get(text)
    }
    const before = keep ? this.runs : []
    const step = this.step
    this.every = every
    this.shared = shared
    const counted = await load(shared.counted)
    this.runs = await Promise.all(specs.map(async (spec, i) => {
      const made = {
        steps: await Promise.all(spec.texts.steps.map(load)),
        train: await load(spec.texts.train),
        test: await load(spec.texts.test),
        one: await load(spec.texts.one),
        grid: await load(spec.texts.grid),
        counted,
      }
      const run = new Run(shared, spec, made)
      const old = before[i]
      if (old?.kept.length === run.kept.length) {
        for (const name of ["kept", "step", "evaluations", "diverged", "stuck", "way"]) run[name] = old[name]
      }
      return run
    }))
    if (!keep) this.restart()
    else this.step = step
  }

  restart() {
    this.step = 0
    this.worst = this.runs.map(() => 0)
    for (const run of this.runs) run.restart()
  }

  // Examples that a reader adds, {x, targets, labels}, instead of those that were added before.
  extend(more) {
    for (const run of this.runs) run.extend(more)
  }

  // New hyper-parameters, in the order of each run's own.
  set(hypers) {
    hypers.forEach((values, i) => (this.runs[i].hypers = values))
    this.restart()
  }

  get end() {
    return Math.max(0, ...this.runs.map((run) => run.spec.factors.length))
  }

  // Go on to `target`, or for so many milliseconds; {step, history, now}.
  to(target, ms) {
    const began = performance.now()
    const upTo = began + ms
    const history = this.step ? [] : [this.stand()]
    while (this.step < Math.min(target, this.end) && this.runs.some((run) => !run.ended)) {
      this.runs.forEach((run, i) => {
        if (run.ended || run.step > this.step) return
        const k = run.step
        const loss = run.advance()
        const python = run.spec.losses?.[k]
        if (python !== undefined && run.spec.compared && Number.isFinite(python)) {
          const apart = Math.abs(loss - python) / Math.max(Math.abs(python), 1e-3)
          this.worst[i] = Math.max(this.worst[i], Number.isFinite(apart) ? apart : Infinity)
        }
      })
      this.step++
      if (this.step % this.every === 0) history.push(this.stand())
      if (performance.now() > upTo) break
    }
    const now = this.runs.map((run, i) => ({
      shown: run.shown(),
      confusion: this.shared.grid ? null : run.confusion(),
      diverged: run.diverged,
      stuck: run.stuck,
      worst: this.worst[i],
      ...run.measured(),
    }))
    const took = performance.now() - began
    return { step: this.step, done: this.runs.every((run) => run.ended), history, now, ms: took }
  }

  stand() {
    return {
      step: this.step,
      runs: this.runs.map((run) => ({
        step: run.step,
        examples: run.step * run.batch,
        evaluations: run.evaluations,
        ...run.measured(),
      })),
    }
  }
}

// The worker's side: what is asked is done in its order.
export function serve(scope) {
  const session = new Session()
  let queue = Promise.resolve()
  scope.onmessage = ({ data: { id, name, given } }) => {
    queue = queue.then(async () => {
      try {
        scope.postMessage({ id, found: await session[name](...given) })
      } catch (problem) {
        scope.postMessage({ id, problem: String(problem) })
      }
    })
  }
}
