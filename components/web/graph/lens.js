// Which part of a drawing is seen: all of it, or a part that is zoomed and moved by hand.

import { COMFORTABLE, HEIGHT, READABLE, WIDTH } from "./layout.js"

const OPENS_AT = 0.68
const CLOSEST = 2
const STEPS = { in: 1.3, out: 1 / 1.3, fit: 0 }

export const within = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high))

export class Lens {
  constructor(root) {
    this.svg = root.querySelector(".dg-svg")
    this.frame = root.querySelector(".dg-frame")
    this.buttons = root.querySelector(".dg-zooms")
    this.view = null // its middle {x, y}, its scale, and whether it is the reader's own
    this.listen()
  }

  // A drawing of another layout; `turned` forgets what the reader chose to see of the one before.
  // One too large to read opens at its result.
  fit(layout, turned, result) {
    const { natural, room, whole } = (this.layout = layout)
    this.svg.setAttribute("width", room[0])
    this.svg.setAttribute("height", room[1])
    if (turned) this.view = null
    if (!this.view?.own) {
      const zoomed = whole < READABLE
      const [x, y] = zoomed ? result : natural.map((n) => n / 2)
      this.view = { x, y, scale: zoomed ? OPENS_AT : whole, own: false }
    }
    this.look()
  }

  // Whether only a part is seen.
  get partly() {
    return this.view !== null && this.view.scale > this.layout.whole * 1.01
  }

  // Half of what is seen, both ways.
  get half() {
    return this.layout.room.map((n) => n / this.view.scale / 2)
  }

  // Shows the part of the drawing around the view's middle, without empty margins.
  look() {
    const { view } = this
    const { natural, whole } = this.layout
    view.scale = within(view.scale, Math.min(whole, OPENS_AT), CLOSEST)
    const { half, partly } = this
    for (const [i, name] of ["x", "y"].entries()) {
      view[name] = 2 * half[i] >= natural[i] ? natural[i] / 2 : within(view[name], half[i], natural[i] - half[i])
    }
    const size = half.map((n) => 2 * n)
    this.svg.setAttribute("viewBox", [view.x - half[0], view.y - half[1], ...size].join(" "))
    this.frame.classList.toggle("dg-more", partly)
    this.buttons.querySelector('[data-zoom="fit"]').disabled = !partly
    this.buttons.hidden = whole > COMFORTABLE && !partly
  }

  // Closer by that factor; 0 shows the whole.
  zoom(by) {
    this.view = { ...this.view, scale: by ? this.view.scale * by : this.layout.whole, own: true }
    this.look()
  }

  // Moves to a node that is not in sight.
  reveal([x, y]) {
    if (!this.partly) return
    const [w, h] = this.half
    if (Math.abs(x - this.view.x) < w - WIDTH / 2 && Math.abs(y - this.view.y) < h - HEIGHT / 2) return
    Object.assign(this.view, { x, y })
    this.look()
  }

  listen() {
    const { svg } = this
    let from = null
    this.buttons.addEventListener("click", (event) => {
      const how = event.target.closest("[data-zoom]")?.dataset.zoom
      if (how) this.zoom(STEPS[how])
    })
    svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return // a plain wheel scrolls the page
      event.preventDefault()
      this.zoom(Math.exp(-event.deltaY / 200))
    }, { passive: false })
    svg.addEventListener("pointerdown", (event) => {
      if (event.target.closest(".dg-node") || !this.partly) return
      svg.setPointerCapture(event.pointerId)
      from = { x: event.clientX, y: event.clientY, view: { ...this.view } }
    })
    svg.addEventListener("pointermove", (event) => {
      if (!from) return
      const { view, x, y } = from
      this.view = {
        ...view, own: true,
        x: view.x - (event.clientX - x) / view.scale, y: view.y - (event.clientY - y) / view.scale,
      }
      this.look()
    })
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, () => (from = null))
  }
}
