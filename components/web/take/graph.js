// The drawn graph as it stands, as SVG whose look lies in its own elements.

const LOOK = [
  "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "fill-opacity",
  "font-family", "font-size", "font-weight", "font-style", "text-anchor", "visibility", "display",
]

// {text, width, height}: `text` is what stands between <g> and its end.
export function graphOf(svg) {
  const { width, height } = svg.getBoundingClientRect()
  const copy = svg.cloneNode(true)
  const [from, to] = [svg, copy].map((root) => [root, ...root.querySelectorAll("*")])
  from.forEach((element, i) => {
    const style = getComputedStyle(element)
    to[i].setAttribute("style", LOOK.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"))
    for (const name of ["class", "tabindex", "role"]) to[i].removeAttribute(name)
  })
  copy.setAttribute("width", Math.ceil(width))
  copy.setAttribute("height", Math.ceil(height))
  const paper = getComputedStyle(svg).getPropertyValue("--st-background-color").trim() || "#fff"
  const ground = `<rect width="${Math.ceil(width)}" height="${Math.ceil(height)}" fill="${paper}"/>`
  const text = `${ground}${new XMLSerializer().serializeToString(copy)}</g>`
  return { text, width: Math.ceil(width), height: Math.ceil(height) }
}
