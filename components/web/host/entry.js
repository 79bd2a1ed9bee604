// What a file that was taken along gives to the world: a figure in an element, an anywidget, and an
// element of its own. Joined behind the imports of the faces that it needs (export.document).

const KEYS = { theme: "", preset: "", heading: true }

// A figure in `parent`; what the options have beside KEYS are values of parameters.
export async function open(parent, packed, options = {}, library = "") {
  const root = parent.getRootNode()
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(THEME)
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet]
  const known = Object.fromEntries(Object.entries(options).filter(([name]) => name in KEYS))
  const rest = Object.fromEntries(Object.entries(options).filter(([name]) => !(name in KEYS) && name !== "values"))
  const values = { ...rest, ...options.values }
  if (known.heading === "false" || known.heading === "0") known.heading = false
  return new Figure(parent, packed, faces, { ...known, values, library })
}

// The traits of a model: `values` both ways, `preset` and `theme` inwards, `step` outwards.
export const widget = (mount) => ({
  async render({ model, el }) {
    const get = (name) => model.get(name) ?? undefined
    const place = el.appendChild(document.createElement("div"))
    const figure = await mount(place, {
      theme: get("theme") ?? "auto", preset: get("preset") ?? "", values: get("values") ?? {},
      heading: get("heading") ?? true,
    })
    const write = (name, value) => {
      model.set(name, value)
      model.save_changes?.()
    }
    place.addEventListener("descent:values", ({ detail }) => write("values", detail))
    place.addEventListener("descent:step", ({ detail }) => write("step", detail.frame))
    model.on?.("change:values", () => figure.set(get("values") ?? {}))
    model.on?.("change:preset", () => figure.preset(get("preset")))
    return () => figure.dispose()
  },
})

const figures = (globalThis.descentFigures ??= new Map()) // name -> mount
const waiting = (globalThis.descentWaiting ??= new Map()) // name -> elements that ask for it

// <descent-lab figure="race" preset="…" theme="dark" heading="false" values='{"lr": 0.02}'>; it has
// the methods of a figure, and its events bubble from within: descent:values, descent:step.
export function define(name, mount) {
  figures.set(name, mount)
  if (!customElements.get("descent-lab")) customElements.define("descent-lab", DescentLab)
  for (const element of waiting.get(name) ?? []) element.open()
  waiting.delete(name)
}

class DescentLab extends HTMLElement {
  connectedCallback() {
    this.style.display ||= "block"
    if (!this.figure && !this.opening) this.open()
  }

  async open() {
    const name = this.getAttribute("figure")
    const mount = figures.get(name)
    if (!mount) {
      waiting.set(name, [...(waiting.get(name) ?? []), this])
      return
    }
    this.opening = true
    const { theme = "auto", preset = "", heading = "true", values = "{}" } = Object.fromEntries(
      [...this.attributes].map((attribute) => [attribute.name, attribute.value]))
    const inside = this.shadowRoot ?? this.attachShadow({ mode: "open" })
    const place = inside.appendChild(document.createElement("div"))
    this.figure = await mount(place, { theme, preset, heading, values: JSON.parse(values) })
    this.opening = false
    this.dispatchEvent(new CustomEvent("descent:ready", { bubbles: true, composed: true }))
  }

  set(values) {
    this.figure?.set(values)
  }

  play() {
    this.figure?.drive("play")
  }

  pause() {
    this.figure?.drive("pause")
  }

  seek(frame) {
    this.figure?.drive("seek", frame)
  }

  get values() {
    return this.figure?.values ?? {}
  }

  disconnectedCallback() {
    this.figure?.dispose()
    this.figure = null
    this.shadowRoot?.replaceChildren()
  }
}
