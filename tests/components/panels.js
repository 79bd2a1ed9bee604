// A page of panels without Streamlit: window.lab makes them from the modules as they are served,
// with a stage that only notes what it is told.

const { Panel } = await import("/stage/panel.js")
const { measure } = await import("/stage/words.js")

const theme = (paper, ink) => ({
  background: paper, text: ink, border: "#888888", font: "sans-serif", key: paper,
  colour: (css) => css.split("|")[0],
  faded: () => "rgba(128,128,128,0.4)",
})

const EMPTY = {
  kind: "plane", title: "", alt: "", hash: "0", rows: 1, tracks: [], handles: [], arrows: [],
  boxes: [], rasters: [], clicks: {}, cursor: false,
}

window.lab = {
  said: [],
  sought: [],
  // A leaf {$live: name} is the value of that name.
  values: {},
  panel(spec, width = 400, height = 300) {
    const element = document.querySelector("template#panel").content.firstElementChild.cloneNode(true)
    document.querySelector(".dl-panels").append(element)
    const stage = {
      root: document.querySelector(".dl-stage"),
      data: { frameName: "step" },
      clock: { seek: (frame) => lab.sought.push(frame) },
      paint: () => panel.draw(0),
      say: (event) => lab.said.push(event),
    }
    const panel = new Panel(element, stage)
    element.style.width = `${width}px`
    lab.show(panel, spec, width, height)
    lab.last = panel
    return panel
  },
  show(panel, spec, width = 400, height = 300) {
    panel.update({ ...EMPTY, id: "p", ...spec }, theme("#ffffff", "#111111"), width, height, lab.resolve)
    panel.draw(0)
  },
  resolve: (leaf) => (leaf?.$live === undefined ? leaf : lab.values[leaf.$live]),
  // Boxes of an axis' labels, as they are drawn.
  labels(panel, way) {
    const { chart } = panel
    const axis = chart[way]
    const font = chart.tickFont(axis)
    return chart.labelled(axis, chart[`${way}Marks`]).map(({ label, at }) => {
      const { width, height } = measure(chart.pen, label, font)
      const half = way === "x" ? width / 2 : height / 2
      return [at - half, at + half]
    }).sort((a, b) => a[0] - b[0])
  },
  // The colour of a CSS pixel of what stands still: red, green, blue, alpha.
  colour(panel, x, y) {
    const { pen, ratio } = panel.chart
    return Array.from(pen.getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data)
  },
}
