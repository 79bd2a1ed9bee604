// A component's own html and css, which lie beside its module under the same hash.

import { source } from "./source.js"

const sheets = new WeakMap() // root -> Set of adopted sheets, so that each is adopted once

export async function files(address, name) {
  const [html, css] = await Promise.all(["html", "css"].map((suffix) => source(address, `${name}.${suffix}`)))
  const template = document.createElement("template")
  template.innerHTML = html
  const parts = new Map() // id -> markup of a part, taken out so that copies stay lean
  for (const part of template.content.querySelectorAll("template")) {
    parts.set(part.id, part.content.firstElementChild)
    part.remove()
  }
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  return {
    // A fresh copy of the markup, styled wherever `parent` lives (document or shadow root).
    mount(parent) {
      const root = parent.getRootNode()
      const adopted = sheets.get(root) ?? new Set()
      if (!adopted.has(name)) {
        sheets.set(root, adopted.add(name))
        root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet]
      }
      const element = template.content.firstElementChild.cloneNode(true)
      parent.append(element)
      return element
    },
    copy: (id) => parts.get(id).cloneNode(true),
  }
}
