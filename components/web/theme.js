// Colours as the Python face writes them: a CSS colour, "light|dark", or var(--name), made
// into something that a canvas and Plotly understand under the theme of an element.

const probe = document.createElement("canvas")
probe.width = probe.height = 1
const pen = probe.getContext("2d", { willReadFrequently: true })

// Red, green, blue, alpha (0-255) of any CSS colour; transparent where it cannot be read.
export function rgba(css) {
  pen.clearRect(0, 0, 1, 1)
  pen.fillStyle = "rgba(0,0,0,0)"
  pen.fillStyle = css
  pen.fillRect(0, 0, 1, 1)
  return pen.getImageData(0, 0, 1, 1).data
}

export class Theme {
  constructor(element) {
    const style = getComputedStyle(element)
    const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise
    this.style = style
    this.background = read("--st-background-color", "#ffffff")
    this.text = read("--st-text-color", "#1a1a1a")
    this.border = read("--st-border-color", "#d0d0d0")
    this.font = read("--st-font", "sans-serif")
    const [r, g, b] = rgba(this.background)
    this.dark = 0.299 * r + 0.587 * g + 0.114 * b < 128
    this.cache = new Map()
    this.key = [this.background, this.text, this.border, this.font].join()
  }

  colour(spec) {
    let css = this.cache.get(spec)
    if (css === undefined) {
      css = spec.includes("|") ? spec.split("|")[this.dark ? 1 : 0].trim() : spec
      const name = /^var\((--[\w-]+)\)$/.exec(css)
      if (name) css = this.style.getPropertyValue(name[1]).trim() || this.text
      this.cache.set(spec, css)
    }
    return css
  }

  // The same colour at another opacity, for grids and faint curves.
  faded(spec, opacity) {
    const [r, g, b, a] = rgba(this.colour(spec))
    return `rgba(${r},${g},${b},${((a / 255) * opacity).toFixed(3)})`
  }
}
