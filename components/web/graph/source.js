// The source of the drawn computation beside it, whose running line is lit, and the tape as beads that
// fill as it is written and turn as it is read back.

const OVER = 24 // by how much the source may be higher than the drawing

export class Source {
  // `visit` goes to the step that works out a node.
  constructor(root, visit) {
    this.root = root
    this.visit = visit
    this.code = root.querySelector(".dg-code")
    this.beads = root.querySelector(".dg-beads")
  }

  show({ code, nodes, height }) {
    this.code.hidden = this.beads.hidden = !code
    this.root.classList.toggle("dg-with-code", Boolean(code))
    if (!code) return
    this.code.style.maxHeight = `${height + OVER}px`
    const text = code.lines.join("\n")
    if (this.text !== text) {
      this.text = text
      this.code.scrollTop = 0
      this.code.style.setProperty("--dg-widest", Math.max(...code.lines.map((line) => line.length)))
      this.code.replaceChildren(...code.lines.map((line) => {
        const item = document.createElement("li")
        item.textContent = line
        item.style.setProperty("--indent", line.search(/\S|$/))
        return item
      }))
    }
    const names = nodes.map((node) => node.name).join()
    if (this.names === names) return
    this.names = names
    this.beads.replaceChildren(...nodes.map((node, i) => {
      const item = document.createElement("li")
      item.textContent = node.title
      item.addEventListener("click", () => this.visit(i))
      return item
    }))
  }

  // The line that runs, and the tape as far as it is written and read back.
  light(lit, active, written, read) {
    ;[...this.code.children].forEach((line, i) => line.classList.toggle("dg-lit", i === lit))
    this.keepInSight(this.code.children[lit])
    ;[...this.beads.children].forEach((bead, i) => {
      bead.classList.toggle("dg-filled", written(i))
      bead.classList.toggle("dg-swept", read(i))
      bead.classList.toggle("dg-on", i === active)
    })
  }

  // Moves the source, if it is longer than its box, by as little as shows the line and one more.
  keepInSight(line) {
    const { code } = this
    const { top: at, height: high } = line.getBoundingClientRect()
    const top = at - code.getBoundingClientRect().top + code.scrollTop
    const [low, up] = [top + 2 * high - code.clientHeight, top - high]
    if (code.scrollTop < low) code.scrollTop = low
    else if (code.scrollTop > up) code.scrollTop = Math.max(up, 0)
  }
}
