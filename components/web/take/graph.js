// The drawn graph as it stands, as SVG whose look lies in its own elements.

const LOOK = [
  "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity",
  "fill-opacity", "paint-order", "font-family", "font-size", "font-weight", "font-style",
  "text-anchor", "visibility", "display",
]

// {text, width, height, paper}: `text` is what stands between <g> and its end, `paper` the colour under it.
export function graphOf({ svg }) {
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
  const text = `${new XMLSerializer().serializeToString(copy)}</g>`
  return { text, width: Math.ceil(width), height: Math.ceil(height), paper }
}
