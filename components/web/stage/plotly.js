// Plotly, loaded once a page, and the look that figures take from the Streamlit theme.

export function plotly(url) {
  window.descentPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = url
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => {
      delete window.descentPlotly // the next mount tries again
      reject(new Error("plotly.min.js could not be loaded"))
    }
    document.head.append(script)
  })
  return window.descentPlotly
}

export const CONFIG = {
  displayModeBar: false,
  doubleClick: "reset",
  responsive: false,
  scrollZoom: false,
  showTips: false,
}

const AXIS = /^[xy]axis\d*$/
const SCENE = /^scene\d*$/

// `given` (a figure's layout) over the theme's defaults.  Touch keeps scrolling the page, so
// dragging zooms only with a fine pointer.
export function layout(given, theme, width, height) {
  const grid = theme.faded(theme.text, 0.1)
  const axis = {
    gridcolor: grid,
    linecolor: theme.faded(theme.text, 0.35),
    zerolinecolor: theme.faded(theme.text, 0.2),
    zerolinewidth: 1,
    exponentformat: "power",
    ticks: "outside",
    ticklen: 4,
    tickcolor: theme.faded(theme.text, 0.35),
    tickfont: { size: 11, color: theme.faded(theme.text, 0.75) },
    automargin: true,
  }
  const fine = matchMedia("(pointer: fine)").matches
  const out = {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    showlegend: false,
    hovermode: "closest",
    dragmode: fine ? "zoom" : false,
    uirevision: "kept",
    xaxis: {},
    yaxis: {},
    ...given,
    width,
    height,
    font: { family: theme.font, size: 12, color: theme.text, ...given.font },
    margin: { l: 46, r: 10, t: 8, b: 38, ...given.margin },
    hoverlabel: {
      bgcolor: theme.background,
      bordercolor: theme.border,
      ...given.hoverlabel,
      font: { family: theme.font, size: 12, color: theme.text, ...given.hoverlabel?.font },
    },
  }
  for (const name of Object.keys(out)) {
    if (AXIS.test(name)) {
      out[name] = { ...axis, ...out[name] }
      const { title } = out[name]
      if (title) out[name].title = { standoff: 8, ...(title.text ? title : { text: title }) }
    }
    if (SCENE.test(name)) {
      out[name] = { ...out[name] }
      for (const side of ["xaxis", "yaxis", "zaxis"]) {
        const { automargin, ...flat } = axis
        out[name][side] = { ...flat, showbackground: false, ...out[name][side] }
      }
    }
  }
  return out
}
