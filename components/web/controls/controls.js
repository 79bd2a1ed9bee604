// The controls' instance: builds groups anew only where their description changed; every value
// is the store's, and what a control shows besides follows it.

import { files } from "../files.js"
import { received } from "../lifetime.js"
import { swatch } from "../marks.js"
import { Program, reading } from "../program.js"
import { decoded } from "../stage/arrays.js"
import { storeOf } from "../store.js"
import { Theme } from "../theme.js"
import { sentence } from "../words.js"
import { Choice, Slider, Toggle } from "./items.js"

const KINDS = { slider: Slider, toggle: Toggle, choice: Choice }

const { mount, copy } = await files(import.meta.url, "controls")

export default function render(component) {
  return received(Controls, component)
}

class Controls {
  constructor(parent) {
    this.root = mount(parent)
    this.list = this.root.querySelector(".dc-groups")
    this.groups = new Map() // id -> {element, shape, items}
    this.actions = Date.now() // rises across mounts: Python tells new from old by it
    this.program = null
  }

  async receive(component) {
    this.component = component
    const { data } = component
    if (!this.store) {
      this.store = storeOf(data.page)
      this.unfollow = this.store.subscribe(() => this.show())
    }
    const program = await this.prepare(data.program)
    if (this.gone || data !== this.component.data) return
    this.data = data
    this.program = program
    if (program) this.store.adopt(data.program.values, data.program.seq)
    const values = {}
    for (const group of data.groups) {
      for (const item of group.items) if (typeof item.value !== "object") values[item.name] = item.value
    }
    this.store.adopt(values, data.seq)
    this.theme = new Theme(this.root)
    this.root.dataset.layout = data.layout
    this.root.setAttribute("aria-label", data.alt)
    this.list.style.maxHeight = data.maxHeight ? `${data.maxHeight}px` : ""
    this.evaluate()
    this.reconcile(data.groups)
  }

  async prepare(spec) {
    if (!spec) return null
    const program = new Program(decoded(spec))
    try {
      await program.ready()
    } catch {
      return null // the stage says why; the values then come from Python alone
    }
    return program
  }

  evaluate(x = 0.5) {
    const { program, store, data } = this
    if (!program) return
    const read = reading(store, data.program.values)
    program.run((name) => (name === "hand.x" || name === "hand.y" ? x : read(name)))
  }

  find(leaf) {
    if (leaf === null || typeof leaf !== "object") return leaf
    if (leaf.$live !== undefined) return this.program?.value(this.data.program.outputs[leaf.$live])
    if (leaf.$text === undefined) return leaf
    return sentence(leaf.$text, leaf.args.map((a) => (typeof a === "number" ? a : this.find(a))))
  }

  // What a control shows: the store's value of its name, or what the page's tape makes of it.
  valueOf(spec) {
    if (typeof spec.value === "object") return this.find(spec.value)
    return this.store.get(spec.name) ?? spec.value
  }

  // The store moved: what no hand is on shows it.
  show() {
    if (!this.data || this.gone) return
    this.evaluate()
    for (const spec of this.data.groups) {
      const group = this.groups.get(spec.id)
      if (!group) continue
      for (const item of spec.items) {
        const control = group.items.get(item.name)
        if (!control) continue
        if (!control.busy) control.take(this.valueOf(item))
        control.bound?.(this.find(item.limit))
      }
      this.note(group, spec)
      brief(group)
    }
  }

  note(group, spec) {
    const note = group.element.querySelector(".dc-note")
    const said = this.find(spec.note)
    write(note, said)
    note.hidden = !said
  }

  reconcile(specs) {
    const ids = new Set(specs.map((spec) => spec.id))
    for (const [id, group] of this.groups) if (!ids.has(id)) this.drop(id, group)
    specs.forEach((spec, i) => {
      const shape = shapeOf(spec, this.theme)
      let group = this.groups.get(spec.id)
      if (group?.shape !== shape) group = this.build(spec, shape, group)
      const place = this.list.children[i]
      if (place !== group.element) this.list.insertBefore(group.element, place ?? null)
      group.spec = spec
    })
    this.show()
  }

  build(spec, shape, before) {
    const focus = before && this.focused(before.element)
    const element = copy("group")
    const group = { element, shape, items: new Map(), folded: before?.folded ?? spec.collapsed }
    element.dataset.group = spec.id
    element.style.setProperty("--group", this.theme.colour(spec.color))
    element.querySelector(".dc-title").textContent = spec.title
    element.querySelector(".dc-head").hidden = !spec.title
    element.classList.toggle("dc-bare", !spec.title)
    if (spec.dash || spec.marker) {
      element.querySelector(".dc-swatch").append(swatch(spec, this.theme))
    }
    this.fold(group, spec.title ? group.folded : false)
    element.querySelector(".dc-fold").onclick = () => this.fold(group, !group.folded)
    element.querySelector(".dc-actions").append(...spec.actions.map((a) => this.button(spec, a)))
    const items = element.querySelector(".dc-items")
    for (const item of spec.items) {
      const control = new KINDS[item.kind](copy(item.kind), item, this)
      control.take(this.valueOf(item))
      group.items.set(item.name, control)
      items.append(control.element)
    }
    if (before) {
      before.element.replaceWith(element)
      for (const item of before.items.values()) item.dispose()
    }
    this.groups.set(spec.id, group)
    if (focus) element.querySelector(focus)?.focus()
    return group
  }

  // A selector of the control that has the focus, to give it back after a rebuild.
  focused(element) {
    const active = this.root.getRootNode().activeElement
    if (!active || !element.contains(active)) return null
    const item = active.closest(".dc-item")
    const inside = `.${active.classList[0] ?? "dc-fold"}`
    return item ? `[data-name="${CSS.escape(item.dataset.name)}"] ${inside}` : ".dc-fold"
  }

  fold(group, folded) {
    group.folded = folded
    group.element.classList.toggle("dc-folded", folded)
    group.element.querySelector(".dc-fold").setAttribute("aria-expanded", String(!folded))
  }

  button(spec, action) {
    const button = document.createElement("button")
    button.type = "button"
    button.dataset.action = action.id
    button.title = action.label
    button.setAttribute("aria-label", `${action.label}: ${spec.title}`)
    if (action.icon) button.append(copy(`icon-${action.icon}`))
    else button.textContent = action.label
    button.disabled = action.locked
    button.onclick = () => {
      this.component.setStateValue("action", { seq: ++this.actions, group: spec.id, id: action.id })
    }
    return button
  }

  // A hand moved a control: into the store, through what the page says that it sets.
  moved(name, value, committed) {
    const item = this.data.groups.flatMap((group) => group.items).find((entry) => entry.name === name)
    const sets = Object.entries(item?.sets ?? {})
    if (!sets.length || !this.program) return this.store.set({ [name]: value }, { committed })
    this.evaluate(value)
    const changes = Object.fromEntries(sets.map(([target, leaf]) => {
      const found = this.find(leaf)
      return [target, typeof found === "number" ? found : Array.from(found)]
    }))
    return this.store.set(changes, { committed })
  }

  drop(id, group) {
    for (const item of group.items.values()) item.dispose()
    group.element.remove()
    this.groups.delete(id)
  }

  dispose() {
    this.gone = true
    this.unfollow?.()
    for (const [id, group] of this.groups) this.drop(id, group)
    this.root.remove()
  }
}

// Everything that the markup depends on: all of a group but its values and its note.
function shapeOf(spec, theme) {
  const items = spec.items.map(({ value, limit, sets, ...rest }) => rest)
  return JSON.stringify([{ ...spec, items, note: "" }, theme.key])
}

// Writing what stands there already would cost a layout.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text
}

function brief({ element, items }) {
  const parts = [...items.values()].map((item) => item.brief()).filter(Boolean)
  write(element.querySelector(".dc-brief"), parts.join(", "))
}
