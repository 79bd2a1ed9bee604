// A lesson that was taken along for a learning platform: the figure of each step beside what there is
// to do there, and the reader's progress told by the platform's SCORM 1.2 interface (ADL, SCORM 1.2
// Run-Time Environment, section 3). Without a platform it is a lesson all the same.

const DEEPEST = 7 // windows around this one in which the interface may be

// The interface, in a window around this one or around the one that opened it.
function platform() {
  const within = (start) => {
    let at = start
    for (let depth = 0; at && depth < DEEPEST; depth++) {
      try {
        if (at.API) return at.API
      } catch {
        return null // another origin's window
      }
      if (at.parent === at) return null
      at = at.parent
    }
    return null
  }
  return within(window) ?? (window.opener ? within(window.opener) : null)
}

// What the platform is told of one sitting.
class Sitting {
  constructor(lesson, count) {
    this.count = count
    this.api = platform()
    this.began = Date.now()
    if (this.api && this.api.LMSInitialize("") === "false") this.api = null
    if (!this.api) return
    const kept = this.read("cmi.suspend_data")
    recall(lesson, kept ? kept.split(",").map(Number) : [])
    this.done = new Set(kept ? kept.split(",").map(Number) : [])
    const status = this.read("cmi.core.lesson_status")
    if (status !== "completed" && status !== "passed") this.write({ "cmi.core.lesson_status": "incomplete" })
    this.write({ "cmi.core.score.min": 0, "cmi.core.score.max": 100 })
    addEventListener("pagehide", () => this.end(), { once: true })
  }

  read(name) {
    return this.api?.LMSGetValue(name) ?? ""
  }

  write(values) {
    for (const [name, value] of Object.entries(values)) this.api?.LMSSetValue(name, String(value))
    this.api?.LMSCommit("")
  }

  get place() {
    const at = Number(this.read("cmi.core.lesson_location"))
    return Number.isInteger(at) && at >= 0 && at < this.count ? at : 0
  }

  at(step) {
    this.write({ "cmi.core.lesson_location": step })
  }

  finished(step) {
    if (!this.api) return
    this.done.add(step)
    const all = this.done.size === this.count
    this.write({
      "cmi.suspend_data": [...this.done].sort((a, b) => a - b).join(),
      "cmi.core.score.raw": Math.round((100 * this.done.size) / this.count),
      ...(all ? { "cmi.core.lesson_status": "completed" } : {}),
    })
  }

  end() {
    const seconds = Math.round((Date.now() - this.began) / 1000)
    const two = (n) => String(n).padStart(2, "0")
    const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(":")
    const all = this.done.size === this.count
    this.write({ "cmi.core.session_time": `00${time}`.slice(-10), "cmi.core.exit": all ? "" : "suspend" })
    this.api.LMSFinish("")
    this.api = null
  }
}

// `steps` are {title, text (HTML), figure: packed, toDo}; `parent` is an element to be filled.
export async function lesson(parent, { slug, title, steps }) {
  const sitting = new Sitting(slug, steps.length)
  const [heading, where, says, todo, place] = ["h1", "p", "p", "div", "div"].map((tag) =>
    parent.appendChild(document.createElement(tag)))
  heading.textContent = title
  where.className = "where"
  todo.className = "dh-figure"
  let figure = null
  parent.addEventListener("descent:lesson", ({ detail }) => sitting.finished(detail.step - 1))
  async function go(at) {
    const { title: name, text, store, figure: packed, toDo } = steps[at]
    figure?.dispose()
    where.textContent = `${name} · ${at + 1} of ${steps.length}`
    says.innerHTML = text
    todo.replaceChildren()
    place.replaceChildren()
    figure = await open(place.appendChild(document.createElement("div")), await packed(), { heading: false })
    showLesson({
      parentElement: todo.appendChild(document.createElement("div")),
      data: { page: store, lesson: slug, at, count: steps.length, away: false, texts: {}, ...toDo },
      setTriggerValue: (_, wanted) => Number.isInteger(wanted) && go(wanted),
    })
    sitting.at(at)
  }
  await go(sitting.place)
}
