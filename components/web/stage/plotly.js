// Plotly, loaded once a page and only where there is a surface in space, and the look that its
// scenes take from the Streamlit theme.

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

const SCENE = /^scene\d*$/
const FLAT = { l: 0, r: 0, t: 0, b: 0 }

// `given` (a scene's layout) over the theme's defaults.
export function layout(given, theme, width, height) {
  const axis = {
    gridcolor: theme.faded(theme.text, 0.1),
    linecolor: theme.faded(theme.text, 0.35),
    zerolinecolor: theme.faded(theme.text, 0.2),
    zerolinewidth: 1,
    exponentformat: "power",
    ticks: "outside",
    ticklen: 4,
    tickcolor: theme.faded(theme.text, 0.35),
    tickfont: { size: 11, color: theme.faded(theme.text, 0.75) },
    showbackground: false,
  }
  const out = {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    showlegend: false,
    hovermode: "closest",
    dragmode: "turntable",
    uirevision: "kept",
    scene: {},
    margin: FLAT,
    ...given,
    width,
    height,
    font: { family: theme.font, size: 12, color: theme.text, ...given.font },
    hoverlabel: {
      bgcolor: theme.background,
      bordercolor: theme.border,
      ...given.hoverlabel,
      font: { family: theme.font, size: 12, color: theme.text, ...given.hoverlabel?.font },
    },
  }
  for (const name of Object.keys(out)) {
    if (!SCENE.test(name)) continue
    out[name] = { ...out[name] }
    for (const side of ["xaxis", "yaxis", "zaxis"]) out[name][side] = { ...axis, ...out[name][side] }
  }
  return out
}
