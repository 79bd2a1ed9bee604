// Cards with a small living picture each. A picture is one of the stage's panels, made when its
// card first comes into sight; it moves once then, and again as long as a pointer or the focus is
// on the card. Who wants no motion sees how it ends.

import { files } from "../files.js"
import { received } from "../lifetime.js"
import { Panel } from "../stage/panel.js"
import { Clock } from "../stage/playback.js"
import { tell } from "../stage/telling.js"
import { Theme } from "../theme.js"

const parts = await files(import.meta.url, "topics")
const stage = await files(new URL("../stage/stage.js", import.meta.url), "stage")
const SECONDS = 2.6
const TOLD = 2 // sentences of what a small picture shows
const SEEN = 0.6 // of a picture, from which on it moves

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches

// Which cards take two places in so many columns, so that the last row is full as well: the first
// one, then as many of the last.
function widen(cards) {
  for (const columns of [2, 3, 4]) {
    const empty = (columns - (cards.length % columns)) % columns
    if (!empty) continue
    const last = empty > 1 ? cards.slice(1 - empty) : []
    for (const card of [cards[0], ...last]) card.classList.add(`dt-wide-${columns}`)
  }
}

export default function render(component) {
  return received(Topics, component)
}

class Topics {
  constructor(parent) {
    stage.mount(parent).remove() // for its style sheet
    this.root = parts.mount(parent)
    this.asked = Date.now() // rises across mounts: Python tells new from old by it
    this.pictures = new Map() // element of a picture -> Picture
    this.seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting, intersectionRatio } of entries) {
        if (isIntersecting) this.pictures.get(target)?.show(intersectionRatio >= SEEN)
      }
    }, { threshold: [0, SEEN] })
    this.root.addEventListener("click", (event) => this.follow(event))
  }

  receive(component) {
    this.component = component
    const { sections } = component.data
    const text = JSON.stringify(sections)
    if (text === this.text) { // a change of theme
      for (const picture of this.pictures.values()) picture.fit()
      return
    }
    this.text = text
    this.clear()
    this.root.replaceChildren(...sections.map(({ title, cards }) => {
      const section = parts.copy("section")
      section.querySelector("h2").textContent = title
      const made = cards.map((card) => this.card(card))
      widen(made)
      section.querySelector(".dt-cards").append(...made)
      return section
    }))
  }

  card({ title, text, links, panel, frames }) {
    const card = parts.copy("card")
    const [first, ...others] = links
    const name = card.querySelector("h3 a")
    name.textContent = title
    name.href = first.to
    card.querySelector("p").textContent = text
    card.querySelector("footer").append(...others.map(({ to, label }) => {
      const link = document.createElement("a")
      link.href = to
      link.textContent = label
      link.setAttribute("aria-label", `${label}: ${title}`)
      return link
    }))
    const place = card.querySelector(".dt-picture")
    if (!panel) {
      place.remove()
      card.classList.add("dt-plain")
      return card
    }
    const picture = new Picture(place, panel, frames, title)
    this.pictures.set(place, picture)
    this.seen.observe(place)
    for (const name of ["pointerenter", "focusin"]) card.addEventListener(name, () => picture.play(true))
    for (const name of ["pointerleave", "focusout"]) card.addEventListener(name, () => picture.rest())
    return card
  }

  // A plain click stays in this tab and session; any other is the browser's own.
  follow(event) {
    const link = event.target.closest("a")
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    // A state and no trigger: one that met a rerun of the race would be lost.
    this.component.setStateValue("go", { seq: ++this.asked, to: link.getAttribute("href") })
  }

  clear() {
    for (const [place, picture] of this.pictures) {
      this.seen.unobserve(place)
      picture.dispose()
    }
    this.pictures.clear()
  }

  dispose() {
    this.clear()
    this.seen.disconnect()
    this.root.remove()
  }
}

class Picture {
  constructor(place, spec, frames, title) {
    Object.assign(this, { place, spec, frames, title })
    this.root = place // as a panel's stage: what it looks for there
    this.data = { frameName: "step" }
    this.clock = new Clock(() => this.paint(), () => {})
    this.clock.frames = frames
    this.clock.seconds = SECONDS
    this.clock.position = this.clock.end
    this.moved = false
  }

  show(whole) {
    if (!this.panel) this.make()
    if (!whole || this.moved) return
    this.moved = true
    this.play(false)
  }

  make() {
    const element = stage.copy("panel")
    this.place.append(element)
    this.panel = new Panel(element, this)
    this.panel.handles.layer.remove()
    this.sizes = new ResizeObserver(() => this.fit())
    this.sizes.observe(this.place)
    this.fit()
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.place
    if (!width || !height || !this.panel) return
    this.panel.update(this.spec, new Theme(this.place), width, height)
    const told = tell(this.panel, this.clock.end).slice(0, TOLD).join(" ")
    this.panel.graph.setAttribute("aria-label", `Picture of ${this.title}. ${told}`)
    this.paint()
  }

  play(again) {
    if (calm() || !this.panel) return
    this.clock.loop = again
    this.clock.play()
  }

  rest() {
    this.clock.loop = false // it goes on to its end, and stays there
  }

  paint() {
    this.panel?.draw(this.clock.position)
  }

  say() {}

  dispose() {
    this.clock.dispose()
    this.sizes?.disconnect()
    this.panel?.dispose()
  }
}
