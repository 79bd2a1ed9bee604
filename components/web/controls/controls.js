// The controls' instance: builds groups anew only where their description changed, keeps the
// hand's values until Python has seen them, and sends through one gate.

import { files } from "../files.js"
import { Gate } from "../gate.js"
import { swatch } from "../marks.js"
import { Theme } from "../theme.js"
import { Choice, Slider, Toggle } from "./items.js"

const KINDS = { slider: Slider, toggle: Toggle, choice: Choice }

const { mount, copy } = await files(import.meta.url, "controls")
const instances = new WeakMap()

export default function render(component) {
  const { parentElement } = component
  let panel = instances.get(parentElement)
  if (!panel) instances.set(parentElement, (panel = new Controls(parentElement)))
  panel.receive(component)
  return () => {
    instances.delete(parentElement)
    panel.dispose()
  }
}

class Controls {
  constructor(parent) {
    this.root = mount(parent)
    this.list = this.root.querySelector(".dc-groups")
    this.groups = new Map() // id -> {element, shape, items}
    this.touched = new Map() // name -> {value, seq} that Python may not have seen
    this.committed = true
    this.gate = new Gate((name, payload) => this.component.setStateValue(name, payload))
  }

  receive(component) {
    this.component = component
    const { data } = component
    for (const [name, { seq }] of this.touched) if (seq <= data.echo) this.touched.delete(name)
    this.theme = new Theme(this.root)
    this.root.dataset.layout = data.layout
    this.root.setAttribute("aria-label", data.alt)
    this.list.style.maxHeight = data.maxHeight ? `${data.maxHeight}px` : ""
    this.reconcile(data.groups)
    this.gate.echo(data.echo)
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
      const note = group.element.querySelector(".dc-note")
      write(note, spec.note)
      note.hidden = !spec.note
      for (const item of spec.items) {
        const control = group.items.get(item.name)
        if (!control.busy && !this.touched.has(item.name)) control.take(item.value)
      }
      brief(group)
    })
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
      const moved = this.touched.get(item.name)
      control.take(moved ? moved.value : item.value)
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
    button.onclick = () => this.gate.push("action", { group: spec.id, id: action.id })
    return button
  }

  moved(name, value, committed) {
    this.touched.set(name, { value, seq: Infinity })
    const set = Object.fromEntries([...this.touched].map(([n, entry]) => [n, entry.value]))
    const seq = this.gate.push("values", { set, committed })
    for (const entry of this.touched.values()) entry.seq = seq
    for (const group of this.groups.values()) if (group.items.has(name)) brief(group)
  }

  drop(id, group) {
    for (const [name, item] of group.items) {
      item.dispose()
      this.touched.delete(name)
    }
    group.element.remove()
    this.groups.delete(id)
  }

  dispose() {
    this.gate.dispose()
    for (const [id, group] of this.groups) this.drop(id, group)
    this.root.remove()
  }
}

// Everything that the markup depends on: all of a group but its values and its note.
function shapeOf(spec, theme) {
  const items = spec.items.map(({ value, ...rest }) => rest)
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
