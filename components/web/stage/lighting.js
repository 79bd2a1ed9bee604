// A term of a formula lights its arrow: formulas beside a picture have the colours of its arrows,
// and the pointer on one of them (or a tap) says which.

import { rgba } from "../theme.js"

const KINDS = ["pointermove", "pointerdown"]
const TERM = '.katex [style*="color"]'

export class Lighting {
  // `change` is told the hue that is pointed at, or null.
  constructor(change) {
    this.change = change
    this.lit = null
    this.hear = (event) => this.point(event)
    for (const kind of KINDS) document.addEventListener(kind, this.hear, { passive: true })
  }

  // Empty boxes of the formula lie over its terms: what is below the pointer is asked for.
  point({ target, clientX, clientY }) {
    if (!this.lit && !target.closest?.(".katex")) return
    const term = document.elementsFromPoint(clientX, clientY).find((e) => e.matches(TERM))
    const lit = term ? hue(getComputedStyle(term).color) : null
    if (lit === this.lit) return
    this.lit = lit
    this.change(lit)
  }

  dispose() {
    for (const kind of KINDS) document.removeEventListener(kind, this.hear)
  }
}

// A colour in the one spelling in which two can be compared.
export const hue = (css) => String(rgba(css))
