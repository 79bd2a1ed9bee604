// A page without its server: mounts the page's own components from what Python sent them once, and
// answers them in Python's place. A choice that Python would have to compute leads to another of
// the states that were kept, or to one that is put together of what was (lineup.js); where there is
// neither it cannot be chosen.

import { converse } from "../embed.js"
import { files } from "../files.js"
import { storeOf } from "../store.js"
import mountStore from "../store_mount.js"
import { save, take } from "../take/take.js"
import { filled, wayOf, waysOf } from "./lineup.js"
import { read } from "./packed.js"

const { mount, copy } = await files(import.meta.url, "host")

export class Figure {
  // `packed` is what export.document wrote; `faces` are the modules of the components by kind;
  // `theme` is "light", "dark" or "auto" (the reader's own).
  constructor(parent, packed, faces, { theme = "auto", preset = "", values = null, heading = true, library = "" } = {}) {
    this.page = read(packed)
    if (this.page.plotly === "inside") this.page.plotly = library
    this.faces = faces
    this.root = mount(parent)
    this.root.dataset.theme = theme
    this.parts = new Map() // key of a part -> {element, kind, data, leave}
    this.words = [] // places of what Python said of a state
    this.frame = undefined // where the clock stands, once it has moved
    this.restarts = 0
    this.find = (name) => this.root.querySelector(`.dh-${name}`)
    this.find("head").hidden = !heading
    this.find("title").textContent = this.page.title
    this.find("lead").innerHTML = this.page.lead
    const home = this.find("home")
    home.hidden = !this.page.home
    if (this.page.home) home.href = this.page.home
    this.store = storeOf(this.page.store)
    this.tellsStore = { parentElement: this.find("store"), setStateValue: (name, body) => this.hear(body) }
    this.unfollow = this.store.subscribe(() => this.light())
    this.dark = matchMedia("(prefers-color-scheme: dark)")
    this.dress = () => this.render()
    this.dark.addEventListener("change", this.dress)
    this.buildPresets()
    this.find("body").addEventListener("descent:step", ({ detail }) => {
      if (detail.frame === this.frame) return
      this.frame = detail.frame
      this.light()
    })
    this.find("return").onclick = () => this.show(this.state, true)
    const menu = this.find("save")
    menu.onchange = () => {
      this.save(menu.value)
      menu.value = ""
    }
    const chosen = this.page.presets.find((p) => p.name === preset)
    this.show(chosen ? chosen.state : 0, true)
    this.apart = Object.keys(values ?? {}).length > 0 // opened elsewhere than at a state: what Python said is of none of it
    if (values) this.set(values)
    this.ends = converse({
      element: this.root, store: this.store, page: this.page.file,
      set: (changes) => this.set(changes), preset: (name) => this.preset(name),
    })
  }

  // What a program, or a page around this one, may do ---------------------------------------------

  // Values by name, held within their controls' ranges; a choice by its option's text.
  set(values) {
    const sliders = new Map()
    for (const { data } of this.parts.values()) {
      for (const group of data.groups ?? []) for (const item of group.items) sliders.set(item.name, item)
    }
    const changes = {}
    for (const [name, value] of Object.entries(values)) {
      if (this.here.choices.some((choice) => choice.name === name)) {
        this.choose(name, String(value))
        continue
      }
      const slider = sliders.get(name)
      if (slider?.kind === "choice") {
        if (slider.options.some(([option]) => option === value)) changes[name] = value
        continue
      }
      const number = typeof value === "number" ? value : Array.isArray(value) ? value.map(Number) : Number(value)
      if (![number].flat().every(Number.isFinite)) continue
      changes[name] = slider?.kind === "slider" ? Math.min(slider.max, Math.max(slider.min, number)) : number
    }
    this.store.set(changes)
  }

  get values() {
    return Object.fromEntries(this.store.values)
  }

  drive(act, frame) {
    for (const bar of this.root.querySelectorAll(".dl-bar")) {
      bar.dispatchEvent(new CustomEvent("descent:drive", { detail: { act, frame } }))
    }
  }

  // A picture ("png", "svg"), a film ("gif", "webm") or the run ("csv", "json") as a Blob.
  take(kind, progress) {
    const { store, page } = this
    const link = page.home ? `${page.home}?${new URLSearchParams(this.here.link)}` : `?${new URLSearchParams(this.here.link)}`
    return take(kind, { element: this.root, store, page: page.file, title: page.title, link }, progress)
  }

  async save(kind) {
    const said = this.find("said")
    try {
      const blob = await this.take(kind, (part) => (said.textContent = `${Math.round(100 * part)} %`))
      save(blob, `${this.page.file}.${kind}`)
      said.textContent = ""
    } catch (problem) {
      said.textContent = problem.message
    }
  }

  preset(name) {
    const found = this.page.presets.find((p) => p.name === name)
    if (found) this.show(found.state, true)
  }

  choose(name, option) {
    if (!this.store.isLocked(name)) this.go(this.moves[name]?.[option])
  }

  // To another state by its number, or by a way that leads to one.
  go(next) {
    if (next === undefined || next === null || (next === this.state && !this.made)) this.render()
    else this.show(typeof next === "number" ? next : filled(next, this.here, this.page.lineUps, this.store), false)
  }

  // States ---------------------------------------------------------------------------------------

  get here() {
    return this.made ?? this.page.states[this.state]
  }

  // Another state, by its number or itself: anew (a preset), or with what a hand has moved kept as
  // far as the choice lets it.
  show(state, anew) {
    const before = this.here
    this.made = typeof state === "number" ? null : state
    if (!this.made) this.state = state
    this.moves = waysOf(this.here, this.page.lineUps)
    for (const [name, known] of Object.entries(this.here.moves)) this.moves[name] = { ...this.moves[name], ...known }
    this.frame = undefined
    const { values } = this.here.store
    if (anew) {
      this.apart = false
      this.store.forget()
      this.restarts += 1
    } else {
      const changed = (name) => JSON.stringify(before.store.values[name]) !== JSON.stringify(values[name])
      const own = (name) => this.made && /^\d+\//.test(name) // a runner's, whose values came along
      this.store.forget(Object.keys(values).filter((name) => own(name) || changed(name)))
    }
    this.find("choices").replaceChildren(...this.here.choices.filter((c) => c.native).map((c) => this.select(c)))
    this.arrange()
    this.render()
    this.light()
  }

  // Places for the parts of this state, those that stay where they are kept.
  arrange() {
    const { parts, tree, said } = this.here
    const keep = new Set(parts.map((part) => part.key))
    for (const [key, part] of this.parts) {
      if (keep.has(key)) continue
      part.element.remove()
      part.leave?.()
      this.parts.delete(key)
    }
    for (const { key, kind } of parts) {
      if (!this.parts.has(key)) this.parts.set(key, { element: document.createElement("div"), kind })
    }
    while (this.words.length < said.length) this.words.push(copy("said"))
    said.forEach((text, i) => {
      if (this.words[i].innerHTML !== text) this.words[i].innerHTML = text
    })
    const shape = JSON.stringify([tree, parts.map((part) => part.key)])
    if (shape === this.shape) return
    this.shape = shape
    const place = (nodes) => nodes.map((node) => {
      if (typeof node === "number") return this.parts.get(parts[node].key).element
      if (node.said !== undefined) return this.words[node.said]
      const row = copy("columns")
      for (const { width, tree: inner } of node.columns) {
        const column = row.appendChild(document.createElement("div"))
        column.style.flex = `${width} 1 0`
        column.append(...place(inner))
      }
      return row
    })
    this.find("body").replaceChildren(...place(tree))
  }

  render() {
    const { store, parts } = this.here
    const seq = this.store.seq
    mountStore({ ...this.tellsStore, data: { ...store, page: this.page.store, seq } })
    const live = new Set(parts.flatMap(({ data }) => [...Object.keys(data.program?.values ?? {}), ...(data.follows ?? [])]))
    for (const { key, kind, data: given } of parts) {
      const part = this.parts.get(key)
      const data = { ...given, page: this.page.store, plotly: this.page.plotly, seq: 0, alone: true }
      if (data.restart !== undefined) data.restart = String(this.restarts)
      if (data.program) data.program = { ...data.program, seq: 0, samples: data.program.outputs.map(() => null) }
      if (data.pieces) data.pieces = data.pieces.map((piece) => this.choosable(piece))
      if (data.groups) data.groups = data.groups.map((group) => this.able(group, live)).filter(({ items }) => items.length)
      part.data = data
      part.leave = this.faces[kind]({
        parentElement: part.element, key, data,
        setStateValue: (name, body) => this.answer(name, body), setTriggerValue() {},
      })
    }
  }

  // A group's controls, those locked that only Python could follow; its buttons that Python answers
  // are left out.
  able(group, live) {
    const { moves } = this
    const follows = (item) => item.kind !== "slider" ? live.has(item.name) || Object.keys(moves[item.name] ?? {}).length > 1
      : Object.keys(item.sets).concat(item.name).some((name) => live.has(name.replace(/\[\d+\]$/, "")))
    const items = group.items.map((item) => {
      if (!follows(item)) return { ...item, locked: true, help: [item.help, this.page.needs].filter(Boolean).join(" ") }
      if (item.kind !== "choice" || live.has(item.name)) return item
      return { ...item, options: item.options.filter(([option]) => moves[item.name][option] !== undefined) }
    })
    return { ...group, items, actions: group.actions.filter(({ id }) => this.wayOf(group.id, id)) }
  }

  wayOf(group, action) {
    return wayOf(this.here, this.page.lineUps, group, action)
  }

  // A menu of the lead, with the options that lead somewhere; a word that leads to another page is
  // but a word here.
  choosable(piece) {
    if (typeof piece === "string") return piece
    if (piece.word !== undefined) return piece.word
    const known = this.moves[piece.id] ?? {}
    const options = piece.options
      .map(([value, label]) => (typeof label === "string" ? [value, label] : [value, label.filter(([v]) => v in known)]))
      .filter(([value, label]) => (typeof label === "string" ? value in known : label.length))
    return { ...piece, options: options.length ? options : piece.options, locked: Object.keys(known).length < 2 }
  }

  // What a component asks of Python: a menu's choice or a runner's button leads to another state.
  answer(name, body) {
    if (name === "choice") this.choose(body.id, body.value)
    if (name === "action") this.go(this.wayOf(body.group, body.id))
  }

  // In Python's place: the store's messages are answered at once.
  hear({ seq, set }) {
    this.store.echo(seq)
    for (const choice of this.here.choices) {
      if (!choice.native && set[choice.name] !== undefined) this.choose(choice.name, String(set[choice.name]))
    }
    this.tell("values", this.values)
  }

  tell(name, detail) {
    this.root.dispatchEvent(new CustomEvent(`descent:${name}`, { bubbles: true, composed: true, detail }))
  }

  // Presets and choices ----------------------------------------------------------------------------

  buildPresets() {
    const list = this.find("presets")
    list.hidden = !this.page.presets.length
    this.pills = this.page.presets.map(({ name, state }) => {
      const button = document.createElement("button")
      button.type = "button"
      button.textContent = name
      button.onclick = () => this.show(state, true)
      list.append(button)
      return button
    })
  }

  // The preset at which everything stands, and why it is worth a look. What Python said is of this
  // state alone: it is greyed where a hand has moved away, and a button leads back; in a figure that
  // opened with values of its own it is not there.
  light() {
    const { values } = this.here.store
    const untouched = Object.entries(values).every(([name, value]) =>
      JSON.stringify(this.store.get(name)) === JSON.stringify(value))
    const cursor = this.here.parts.find(({ data }) => data.report && typeof data.start === "number")
    const moved = cursor !== undefined && this.frame !== undefined && this.frame !== cursor.data.start
    const left = (!untouched || moved) && this.here.said.length > 0
    const { classList } = this.find("body")
    classList.toggle("dh-left", left)
    classList.toggle("dh-apart", left && this.apart)
    this.find("back").hidden = !(left || this.made) || this.apart
    this.find("greyed").hidden = Boolean(this.made)
    this.find("own").hidden = !this.made
    let reason = ""
    this.page.presets.forEach((preset, i) => {
      const lit = untouched && !this.made && preset.state === this.state
      this.pills[i].setAttribute("aria-pressed", String(lit))
      if (lit) reason = preset.reason
    })
    this.find("reason").textContent = reason
    this.find("reason").hidden = !this.page.presets.length
  }

  select({ name, label, options, value }) {
    const field = copy("choice")
    field.querySelector("span").textContent = label
    const list = field.querySelector("select")
    list.append(...options.map(([option, text]) => {
      const entry = new Option(text, option, false, option === value)
      entry.disabled = this.moves[name]?.[option] === undefined
      return entry
    }))
    list.disabled = list.querySelectorAll("option:not(:disabled)").length < 2
    if (list.disabled) field.hidden = true
    list.onchange = () => this.choose(name, list.value)
    return field
  }

  dispose() {
    this.ends?.()
    this.unfollow()
    this.dark.removeEventListener("change", this.dress)
    this.root.remove()
    for (const part of this.parts.values()) part.leave?.()
  }
}
