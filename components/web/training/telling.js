// What a training shows now, in words: what each network says of the plane, and how its curves have
// gone. Told at rest, by the stage's Teller.

import { written } from "../words.js"

const MISTAKES = 3 // of a confusion, the most frequent
const said = (value) => written(value, "3")
const share = (value) => written(value, ".0%")
const most = (values) => values.reduce((best, value, i) => (value > values[best] ? i : best), 0)

// The sentences of one network's plane or confusion at `step`; `points` are those that it learns.
export function tellPlane({ shared, now, step, points }) {
  if (!now) return ["Not trained yet."]
  if (!Number.isFinite(now.loss)) return [`At step ${step} there is no number: it got away.`]
  const held = Number.isFinite(now.testAccuracy) ? `, ${share(now.testAccuracy)} of those held back` : ""
  const sentences = [`At step ${step} it says the right class of ${share(now.accuracy)} of what it learns${held}.`]
  if (now.confusion) return [...sentences, ...tellMistakes(shared.classes, now.confusion)]
  if (now.shown) sentences.push(tellField(shared, now.shown))
  const counts = shared.classes.map((name, k) => `${points.filter(({ label, held }) => label === k && !held).length} of ${name}`)
  return [...sentences, `Points to learn: ${counts.join(", ")}.`]
}

// What share of the plane each class has.
function tellField({ classes, outputs: many, side }, outputs) {
  const counts = classes.map(() => 0)
  for (let cell = 0; cell < side * side; cell++) {
    const given = outputs.subarray(cell * many, (cell + 1) * many)
    counts[many === 1 ? Number(given[0] > 0) : most(given)]++
  }
  return `Of the plane ${counts.map((count, k) => `${share(count / (side * side))} is ${classes[k]}`).join(", ")}.`
}

function tellMistakes(classes, confusion) {
  const n = classes.length
  const wrong = Array.from(confusion, (count, i) => ({ count, is: Math.floor(i / n), said: i % n }))
    .filter(({ count, is, said }) => count && is !== said).sort((a, b) => b.count - a.count)
  if (!wrong.length) return ["It mistakes nothing."]
  const told = wrong.slice(0, MISTAKES).map(({ count, is, said }) => `${classes[is]} for ${classes[said]} ${count} times`)
  return [`It takes ${told.join(", ")}${wrong.length > MISTAKES ? ", and more" : ""}.`]
}

// The sentences of the curves of `name` (with `held`, of what is held back): one a run.
export function tellCurves({ runs, history, along, axis, name, held }) {
  if (!history.length) return ["No step yet."]
  return [`Across: ${axis}.`, ...runs.map((run, i) => {
    const known = history.map((entry) => entry.runs[i]).filter((entry) => Number.isFinite(entry[name]))
    if (!known.length) return `${run.name}: no number.`
    const [first, last] = [known[0], known.at(-1)]
    const back = Number.isFinite(last[held]) ? `, held back ${said(last[held])}` : ""
    return `${run.name}: from ${said(first[name])} to ${said(last[name])} at ${said(last[along])}${back}.`
  })]
}
