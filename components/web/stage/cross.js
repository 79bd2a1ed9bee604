// A cross that arrow keys move over a picture: what a pointer reads and clicks there is read and
// clicked by keys as well. Enter clicks; plus looks closer, zero shows all of it again.

const STEP = 0.02 // of the picture's sides; five times that with shift
const CLOSER = 4 // of the picture's sides: what is left of each where plus is pressed
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

export class Cross {
  constructor(panel) {
    this.panel = panel
    this.element = document.createElement("div")
    this.element.className = "dl-cross"
    this.element.hidden = true
    this.at = null // shares of the picture's width and height
    const { graph } = panel
    graph.after(this.element)
    graph.addEventListener("keydown", (event) => this.key(event))
    graph.addEventListener("focus", () => graph.matches(":focus-visible") && this.offered && this.move(0, 0))
    graph.addEventListener("blur", () => this.leave())
  }

  // Whether it has something to read, or to click: of this picture, called `name`.
  offer(name, { reads, clicks }) {
    const { graph } = this.panel
    this.offered = reads || clicks
    graph.setAttribute("role", this.offered ? "application" : "img")
    const keys = `Arrow keys move a cross${reads ? " that reads it" : ""}${clicks ? ", Enter clicks there" : ""}.`
    graph.setAttribute("aria-label", this.offered ? `${name.replace(/\.$/, "")}. ${keys}` : name)
    if (this.offered) graph.tabIndex = 0
    else graph.removeAttribute("tabindex")
  }

  key(event) {
    if (!this.offered || event.ctrlKey || event.metaKey || event.altKey) return
    const { panel } = this
    const way = WAYS[event.key]
    const by = STEP * (event.shiftKey ? 5 : 1)
    if (way) this.move(way[0] * by, way[1] * by)
    else if (event.key === "Enter" || event.key === " ") {
      panel.click(...this.place())
      this.move(0, 0) // what it reads may be another now
    } else if (event.key === "+") this.zoom()
    else if (event.key === "0") panel.unzoom()
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  place() {
    const { left, right, top, bottom } = this.panel
    const [x, y] = this.at ?? [0.5, 0.5]
    return [left + x * (right - left), top + y * (bottom - top)]
  }

  move(dx, dy) {
    const { panel } = this
    if (!panel.ready) return
    const within = (share) => Math.min(1, Math.max(0, share))
    const [x, y] = this.at ?? [0.5, 0.5]
    this.at = [within(x + dx), within(y + dy)]
    const place = this.place()
    this.element.hidden = false
    this.element.style.transform = `translate(${place[0]}px, ${place[1]}px)`
    panel.graph.dataset.cross = this.at.join()
    const read = panel.read(...place)
    panel.stage.point(`${read || panel.sayPlace(...place)}.`)
  }

  zoom() {
    const { panel } = this
    const [x, y] = this.place()
    const [w, h] = [(panel.right - panel.left) / CLOSER, (panel.bottom - panel.top) / CLOSER]
    panel.zoomTo([x - w / 2, y - h / 2], [x + w / 2, y + h / 2])
    this.at = null
    this.move(0, 0)
  }

  leave() {
    if (this.element.hidden) return
    this.element.hidden = true
    this.panel.tell(null)
  }
}
