// An SVG put into the page as it is; replaced only when it has changed.

export default function drawing({ parentElement, data }) {
  let root = parentElement.querySelector(".dl-drawing")
  if (!root) {
    root = document.createElement("div")
    root.className = "dl-drawing"
    parentElement.append(root)
  }
  if (root.svg === data.svg) return
  root.svg = data.svg
  root.style.overflowX = data.scroll ? "auto" : "visible"
  root.tabIndex = data.scroll ? 0 : -1 // a reader without a mouse scrolls by keys
  root.innerHTML = data.svg
  if (!data.scroll) root.querySelector("svg")?.style.setProperty("max-width", "100%")
}
