// The lead: texts, words that lead to what they mean, and menus in a row. Each menu is kept while its choices stay, so that a rerun
// neither closes a list that is open nor takes the focus away.

import { files } from "../files.js"
import { received } from "../lifetime.js"

const { mount, copy } = await files(import.meta.url, "lead")

export default function render(component) {
  return received(Lead, component)
}

function word({ word, to, title }) {
  const link = document.createElement("a")
  Object.assign(link, { className: "term", href: to, title, textContent: word })
  return link
}

class Lead {
  constructor(parent) {
    this.root = mount(parent)
    this.menus = new Map() // id -> {element, shape}
    this.choices = Date.now() // rises across mounts: Python tells new from old by it
  }

  receive(component) {
    this.component = component
    const pieces = component.data.pieces.map((piece) =>
      typeof piece === "string" ? document.createTextNode(piece) : piece.to ? word(piece) : this.menu(piece))
    const ids = new Set(component.data.pieces.map((piece) => piece.id))
    for (const id of this.menus.keys()) if (!ids.has(id)) this.menus.delete(id)
    const same = this.texts?.length === pieces.length && pieces.every((piece, i) =>
      piece === this.texts[i] || (piece.nodeName !== "SPAN" && piece.isEqualNode(this.texts[i])))
    if (same) return
    this.root.replaceChildren(...pieces)
    this.texts = pieces
  }

  menu(spec) {
    const shape = JSON.stringify([spec.options, spec.label, spec.locked])
    let menu = this.menus.get(spec.id)
    if (menu?.shape !== shape) this.menus.set(spec.id, (menu = { shape, element: this.build(spec) }))
    const select = menu.element.querySelector("select")
    select.value = spec.value
    const said = spec.text || select.selectedOptions[0]?.textContent || ""
    const word = menu.element.querySelector("b")
    if (word.textContent !== said) word.textContent = said
    return menu.element
  }

  build(spec) {
    const element = copy("menu")
    element.dataset.name = spec.id
    element.classList.toggle("dl-still", spec.locked)
    const select = element.querySelector("select")
    select.setAttribute("aria-label", spec.label)
    select.disabled = spec.locked
    select.append(...spec.options.map(([value, label]) => {
      if (typeof label === "string") return new Option(label, value)
      const group = document.createElement("optgroup")
      group.label = value
      group.append(...label.map(([inner, name]) => new Option(name, inner)))
      return group
    }))
    select.onchange = () => {
      this.component.setStateValue("choice", { seq: ++this.choices, id: spec.id, value: select.value })
    }
    return element
  }

  dispose() {
    this.root.remove()
  }
}
