// A place to drop a file of text, which is read here and handed to Python as that text.

import { received } from "../lifetime.js"

class TableFile {
  constructor(parent) {
    this.zone = document.createElement("label")
    this.zone.style.cssText =
      "display:block;border:1px dashed currentColor;border-radius:0.5rem;padding:0.5rem 0.7rem;font-size:0.875rem"
    const words = document.createElement("span")
    words.textContent = "Drop a CSV here, or choose one: "
    this.input = document.createElement("input")
    this.input.type = "file"
    this.input.accept = ".csv,.tsv,.txt,text/*"
    this.input.style.cssText = "font:inherit;color:inherit;max-width:100%"
    this.said = document.createElement("span")
    this.said.setAttribute("aria-live", "polite")
    this.zone.append(words, this.input, this.said)
    parent.append(this.zone)
    this.input.addEventListener("change", () => {
      this.read(this.input.files[0])
      this.input.value = ""
    })
    this.zone.addEventListener("dragover", (event) => event.preventDefault())
    this.zone.addEventListener("drop", (event) => {
      event.preventDefault()
      this.read(event.dataTransfer?.files?.[0])
    })
  }

  receive({ data, setTriggerValue }) {
    this.data = data
    this.send = setTriggerValue
    this.input.disabled = data.locked
    this.zone.style.opacity = data.locked ? 0.5 : 1
  }

  async read(file) {
    if (!file || this.data.locked) return
    this.said.textContent = ""
    // A character has up to four bytes; what is longer is not even read.
    const text = file.size <= 4 * this.data.most ? await file.text() : null
    if (text === null || text.length > this.data.most) {
      this.said.textContent = ` ${file.name.slice(0, 80)} has more than ${this.data.most} characters.`
      return
    }
    this.send("table", { seq: Date.now(), text })
  }

  dispose() {}
}

export default (component) => received(TableFile, component)
