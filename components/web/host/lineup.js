// Competitors to choose: a page's form for so many runners, filled in with what each rule writes into
// it (export/lineup.py). What comes out is a state like those that Python made.

const MARK = /[\ue000-\ue005]\d/g // a runner's word in a form: which of its words, and its place
const FIRST = 0xe000

const placed = (name, place) => name.replace(/^0\//, `${place}/`)
const isPlace = (id) => /^\d+$/.test(id)

// Where the runners of a state lead, each word of the lead that chooses one by its options, and from
// its setting to others; a way is {lineUp, runners: [[rule, the place it has now or null] …]}.
export function waysOf({ lineUp, runners }, lineUps) {
  if (lineUp === null || lineUp === undefined) return {}
  const { offered, forms, moves, rules } = lineUps[lineUp]
  const now = runners.map((rule, place) => [rule, place])
  const to = (some) => ({ lineUp, runners: some })
  const offer = (at) => Object.fromEntries(offered.map((rule) => [rule, to(at(rule))]))
  const ways = { add: { "": null } }
  now.forEach((_, place) => {
    ways[`runner${place}`] = offer((rule) => now.with(place, [rule, null]))
    if (now.length > 1) ways[`runner${place}`].remove = to(now.toSpliced(place, 1))
  })
  if (now.length < forms.length) Object.assign(ways.add, offer((rule) => [...now, [rule, null]]))
  for (const [name, options] of Object.entries(moves)) {
    const known = Object.entries(options).filter(([, at]) => runners.every((rule) => rule in lineUps[at].rules))
    ways[name] = Object.fromEntries(known.map(([option, at]) => [option, { lineUp: at, runners: now }]))
  }
  return ways
}

// Where the buttons of a runner's group lead.
export function wayOf({ lineUp, runners }, lineUps, group, action) {
  if (lineUp === null || lineUp === undefined || !isPlace(group)) return null
  const now = runners.map((rule, place) => [rule, place])
  const place = Number(group)
  if (action === "remove" && now.length > 1) return { lineUp, runners: now.toSpliced(place, 1) }
  const full = now.length >= lineUps[lineUp].forms.length
  return action === "copy" && !full ? { lineUp, runners: now.toSpliced(place, 0, now[place]) } : null
}

// The state at the end of a way from `before`. What hands have moved in the store stays, a runner's
// own in the place that it has then.
export function filled(way, before, lineUps, store) {
  const { link, forms, rules } = lineUps[way.lineUp]
  const form = forms[way.runners.length - 1]
  const cards = way.runners.map(([rule]) => rules[rule])
  const words = wordsOf(cards)
  const values = { ...form.values }
  const others = lineUps[before.lineUp].forms[0].values
  for (const [name, value] of Object.entries(before.store.values)) {
    if (name in values && JSON.stringify(values[name]) === JSON.stringify(others[name])) values[name] = value
  }
  way.runners.forEach(([, from], place) => {
    for (const [name, value] of Object.entries(cards[place].values)) {
      values[placed(name, place)] = (from === null ? undefined : store.get(placed(name, from))) ?? value
    }
  })
  const keys = way.runners.map(([rule]) => rule)
  const sign = `${way.lineUp}:${keys}`
  return {
    lineUp: way.lineUp, runners: keys, link: { ...link, runs: keys.join(";") }, tree: form.tree, said: [],
    store: { values, locked: form.locked }, moves: {},
    choices: Object.keys(lineUps[way.lineUp].moves).map((name) => ({ name, native: false })),
    parts: form.parts.map((part) => ({ ...part, data: dataOf(part.data, cards, words, values, sign) })),
  }
}

// The words of each runner, in the order of their marks; of a rule that runs more than once they tell
// its runs apart.
function wordsOf(cards) {
  const seen = new Map()
  const next = (key) => seen.set(key, (seen.get(key) ?? 0) + 1).get(key)
  return cards.map(({ name, color, word, looks, slug, kin }) => {
    const many = cards.filter((other) => other.name === name).length > 1
    const look = looks[next(`look of ${kin}`) - 1]
    return [many ? `${name} ${next(name)}` : name, color, word, ...look, slug]
  })
}

function dataOf(form, cards, words, values, sign) {
  const data = written(form, words)
  for (const panel of data.panels ?? []) panel.hash = `${sign}:${panel.id}`
  if (!data.program) return data
  const made = new Lines(cards)
  const outputs = form.program.outputs.map((line) => made.take(form.program, line))
  for (const group of data.groups ?? []) {
    if (isPlace(group.id)) {
      const place = Number(group.id)
      const { items, note, follow } = cards[place]
      const first = outputs.length
      outputs.push(...follow.outputs.map((line) => made.take(follow, line, place)))
      Object.assign(group, own({ items, note }, place, first))
    }
    for (const item of group.items) {
      if (typeof item.value !== "object") item.value = values[item.name] ?? item.value
    }
  }
  const names = made.lines.filter(([operation]) => operation === "input").map(([, name]) => name)
  data.program = outputs.length ? {
    ...data.program, lines: made.lines, constants: made.constants, modules: made.modules, outputs,
    values: Object.fromEntries(names.filter((name) => name in values).map((name) => [name, values[name]])),
  } : null
  return data
}

// A copy of a form with the runners' words for their marks.
function written(form, words) {
  if (typeof form === "string") {
    return form.replace(MARK, (mark) => words[mark[1]][mark.charCodeAt(0) - FIRST])
  }
  if (form === null || typeof form !== "object" || form.dtype) return form
  if (Array.isArray(form)) return form.map((entry) => written(entry, words))
  return Object.fromEntries(Object.entries(form).map(([name, entry]) => [name, written(entry, words)]))
}

// A copy of a rule's controls at its place, whose outputs stand behind `first` others.
function own(card, place, first) {
  if (typeof card === "string") return placed(card, place)
  if (card === null || typeof card !== "object") return card
  if (Array.isArray(card)) return card.map((entry) => own(entry, place, first))
  if (card.$live !== undefined) return { $live: card.$live + first }
  return Object.fromEntries(Object.entries(card).map(([name, entry]) => [placed(name, place), own(entry, place, first)]))
}

// The lines of a form and of the rules in it as one program.
class Lines {
  constructor(cards) {
    this.cards = cards
    this.lines = []
    this.constants = []
    this.modules = {}
    this.known = new Map()
  }

  // Where a line of a program stands here, with all that it needs; `place` is its runner's.
  take(program, line, place = null) {
    const [operation, given, ...how] = program.lines[line]
    if (operation === "place") {
      const { run } = this.cards[given]
      Object.assign(this.modules, run.modules)
      return this.take(run, run.at, given)
    }
    if (operation === "input") return this.stand(this.lines, [operation, placed(given, place ?? 0)])
    const wanted = given.map((a) =>
      typeof a === "number" ? this.take(program, a, place) : [this.stand(this.constants, program.constants[a[0]])])
    return this.stand(this.lines, [operation, wanted, ...how])
  }

  // Where a line or a constant stands, which stands there once.
  stand(among, value) {
    const sign = JSON.stringify([among === this.lines, value])
    if (!this.known.has(sign)) this.known.set(sign, among.push(value) - 1)
    return this.known.get(sign)
  }
}
