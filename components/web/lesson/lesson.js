// A step of a lesson: its tasks are ticked off as the page's store comes to satisfy them, its
// questions answer with a reason, and what was done is kept in this browser alone. While something
// is to be foreseen the page's words, which might tell it, are hidden too. Embedded, the
// page around hears of every step that is done: {type: "descent:lesson", lesson, step, of, done}.

import { files } from "../files.js"
import { received } from "../lifetime.js"
import { askedOn } from "../question.js"
import { storeOf } from "../store.js"
import { written } from "../words.js"

const parts = await files(import.meta.url, "lesson")
const KEPT = "descent-lab.lessons"
const ASKING = "descent-asking" // of the document

// lesson -> the steps that are done, as this browser keeps it; nothing where it keeps nothing.
function progress() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}")
    return kept && typeof kept === "object" ? kept : {}
  } catch {
    return {}
  }
}

const stepsDone = (lesson) => {
  const steps = progress()[lesson]
  return new Set(Array.isArray(steps) ? steps.filter(Number.isInteger) : [])
}

// What somebody else has kept of a lesson: a learning platform, whose word counts.
export function recall(lesson, steps) {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ ...progress(), [lesson]: steps }))
  } catch {
    // As below.
  }
}

function keep(lesson, step) {
  const done = stepsDone(lesson).add(step)
  try {
    localStorage.setItem(KEPT, JSON.stringify({ ...progress(), [lesson]: [...done] }))
  } catch {
    // A browser that keeps nothing: the path works all the same.
  }
  return done
}

const COMPARISONS = {
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
  "=": (a, b) => (typeof b === "number" ? Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b)) : String(a) === b),
  has: (a, b) => String(a).includes(b),
  lacks: (a, b) => !String(a).includes(b),
}

class Lesson {
  constructor(parent) {
    this.root = parts.mount(parent)
    this.find = (name) => this.root.querySelector(`.dle-${name}`)
    this.find("path").addEventListener("click", ({ target }) => {
      const how = target.closest("[data-go]")?.dataset.go
      if (!how) return
      const { at } = this.data
      this.component.setTriggerValue("go", { back: at - 1, next: at + 1, here: at, leave: "leave" }[how])
    })
    this.find("foresee").addEventListener("click", ({ target }) => {
      const how = target.closest("[data-ask]")?.dataset.ask
      if (how === "again") this.ask()
      else if (how === "reveal") this.asked.reveal()
      if (how) this.foreseen()
    })
  }

  receive(component) {
    const { data } = component
    this.component = component
    const before = this.data
    this.data = data
    if (data.lessons) return this.list(data.lessons)
    if (!this.store) {
      this.asked = askedOn(data.page)
      this.store = storeOf(data.page)
      this.unfollow = this.store.subscribe(() => this.look())
    }
    const name = `${data.lesson}.${data.at}`
    if (name !== this.name || before?.away !== data.away) {
      this.name = name
      this.open = new Set() // tasks seen undone: what held on arrival was nobody's doing
      this.ticked = new Set()
      this.answered = !data.choices.length
      this.guessed = new Set()
      this.foresaw = !data.foresee
      this.build()
    }
    this.look()
  }

  build() {
    const { tasks, choices, guesses, away, at, count } = this.data
    const items = (away ? [] : tasks).map((task) => {
      const item = document.createElement("li")
      item.textContent = task.text
      return item
    })
    this.find("tasks").replaceChildren(...items)
    const reason = document.createElement("p")
    reason.setAttribute("role", "status")
    const buttons = (away ? [] : choices).map((choice) => {
      const button = document.createElement("button")
      button.type = "button"
      button.textContent = choice.text
      button.onclick = () => {
        button.dataset.says = choice.right ? "right" : "wrong"
        reason.textContent = choice.reason
        this.answered ||= choice.right
        this.look()
      }
      return button
    })
    this.find("choices").replaceChildren(...buttons, ...(buttons.length ? [reason] : []))
    this.find("guesses").replaceChildren(...(away ? [] : guesses).map((guess, i) => this.guess(guess, i)))
    this.ask()
    const go = (name) => this.root.querySelector(`[data-go="${name}"]`)
    go("back").disabled = at === 0
    go("back").hidden = go("next").hidden = away
    go("here").hidden = !away
    go("next").disabled = at + 1 >= count
  }

  // A number is said before it is shown; then both stand side by side, with how far apart they are.
  guess({ text, value, within, reason }, i) {
    const item = parts.copy("guess")
    item.querySelector("span").textContent = text
    const [input, button, told] = ["input", "button", "output"].map((tag) => item.querySelector(tag))
    const reveal = () => {
      const said = Number(input.value.trim().replace(",", ".").replace("−", "-"))
      if (!input.value.trim() || !Number.isFinite(said)) {
        told.textContent = "Say a number first."
        return
      }
      const off = Math.abs(said - value)
      const how = off <= within ? "✓ near enough" : `off by ${written(off, "2")}`
      told.textContent = `${written(value, "6")}: ${how}. ${reason}`
      this.guessed.add(i)
      this.look()
    }
    button.onclick = reveal
    input.onkeydown = (event) => {
      if (event.key === "Enter") reveal()
    }
    return item
  }

  // Puts the step's prediction to the page's picture, which hides what answers it.
  ask() {
    const { foresee, away } = this.data
    const place = this.find("foresee")
    place.hidden = !foresee || away
    if (place.hidden) return this.drop()
    place.querySelector("p").textContent = foresee.text
    this.asked.put(foresee, () => this.foreseen())
    const boxes = (foresee.options ?? []).map((option) => {
      const label = document.createElement("label")
      const box = document.createElement("input")
      box.type = "checkbox"
      box.onchange = () => this.asked.guess(boxes.map((one) => one.querySelector("input").checked))
      label.append(box, option)
      return label
    })
    place.querySelector(".dle-runs").replaceChildren(...boxes)
    this.foreseen()
  }

  drop() {
    this.asked?.put(null)
    document.documentElement.classList.remove(ASKING)
  }

  // What the picture has heard and said of the prediction.
  foreseen() {
    const { question } = this.asked
    const place = this.find("foresee")
    const find = (how) => place.querySelector(`[data-ask="${how}"]`)
    const { guess, revealed, result } = question
    document.documentElement.classList.toggle(ASKING, !revealed)
    find("reveal").disabled = guess === null || revealed
    find("again").hidden = guess === null
    for (const box of place.querySelectorAll("input")) box.disabled = revealed
    const { near, text } = result ?? {}
    place.querySelector("output").textContent = result
      ? `${near ? "✓ Near enough." : "✗"} ${text} ${question.reason}` : ""
    this.foresaw ||= Boolean(result)
    this.look()
  }

  // What of the tasks holds now; a task once done stays so.
  look() {
    const { data, store } = this
    if (!data || data.lessons || data.away) return this.dots(stepsDone(data?.lesson))
    const value = (name) => store.get(name) ?? data.texts[name]
    data.tasks.forEach(({ when }, i) => {
      const holds = when.every(([name, how, wanted]) => {
        const found = value(name)
        return found !== undefined && COMPARISONS[how](found, wanted)
      })
      if (!holds) this.open.add(i)
      else if (this.open.has(i)) this.ticked.add(i)
      this.find("tasks").children[i].classList.toggle("dle-done", this.ticked.has(i))
    })
    const { lesson, at, count } = data
    const done =
      this.ticked.size === data.tasks.length && this.answered && this.foresaw &&
      this.guessed.size === data.guesses.length
    let steps = stepsDone(lesson)
    if (done && !steps.has(at)) {
      steps = keep(lesson, at)
      const told = { type: "descent:lesson", lesson, step: at + 1, of: count, done: steps.size }
      this.root.dispatchEvent(new CustomEvent("descent:lesson", { bubbles: true, composed: true, detail: told }))
      if (parent !== window) parent.postMessage(told, "*") // no more than the page around it could see
    }
    this.root.querySelector('[data-go="next"]').classList.toggle("dle-ready", done && at + 1 < count)
    const all = steps.size === count
    this.find("told").textContent = done && at + 1 === count ? (all ? "✓ That was the whole lesson." : "✓ That was the last step.") : ""
    this.dots(steps)
  }

  dots(done) {
    const { at, count } = this.data
    const dots = this.find("dots")
    while (dots.children.length > count) dots.lastElementChild.remove()
    while (dots.children.length < count) dots.append(document.createElement("li"))
    ;[...dots.children].forEach((dot, i) => {
      dot.classList.toggle("dle-done", done.has(i))
      dot.classList.toggle("dle-here", i === at)
    })
  }

  // Lessons, and what else this browser keeps: sets of chosen steps and variants that a seed draws.
  list(lessons) {
    this.find("path").hidden = true
    const known = new Map(lessons.map((lesson) => [lesson.slug, lesson]))
    const others = Object.keys(progress()).filter((name) => !known.has(name)).map((name) => {
      const [slug, seed] = name.split("@")
      const { title = "Exercises", about = "Steps that a teacher's link has chosen.", count, minutes } =
        known.get(slug) ?? { count: slug.split(",").length, minutes: 2 * slug.split(",").length }
      return { slug, seed, title: seed ? `${title}, variant ${seed}` : title, about, count, minutes }
    })
    this.find("list").replaceChildren(...[...lessons, ...others].map(({ slug, seed, title, about, minutes, count }) => {
      const card = parts.copy("card")
      const variant = seed ? `@${seed}` : ""
      const done = stepsDone(slug + variant)
      const first = Array.from({ length: count }, (_, i) => i).find((i) => !done.has(i)) ?? 0
      card.querySelector("h2").textContent = title
      card.querySelector("p").textContent = about
      card.querySelector(".dle-bar span").style.width = `${(100 * done.size) / count}%`
      card.querySelector("small").textContent = `${done.size} of ${count} steps · ${minutes} min`
      const button = card.querySelector("button")
      button.textContent = !done.size ? "Begin" : done.size < count ? "Go on" : "Once more"
      button.setAttribute("aria-label", `${button.textContent}: ${title}`)
      button.onclick = () => this.component.setTriggerValue("go", `${slug}.${first + 1}${variant}`)
      return card
    }))
  }

  dispose() {
    this.unfollow?.()
    this.drop()
    this.root.remove()
  }
}

export default function render(component) {
  return received(Lesson, component)
}
