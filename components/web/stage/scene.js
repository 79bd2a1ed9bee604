// A 3-D panel: Plotly draws the surface, and tracks are projected by the scene's own camera
// onto the canvases over it, so that they move as smoothly as in a plane and no frame costs a
// WebGL redraw.  Nothing hides behind the surface: paths are drawn over it.

import { Figure, resolved } from "./figure.js"
import { Panel } from "./panel.js"
import { CONFIG, layout, plotly } from "./plotly.js"
import { lengths, near } from "./strokes.js"

export class Scene extends Panel {
  open() {
    this.matrix = new Float64Array(16)
  }

  async update(spec, theme, width, height, resolve = resolved) {
    const tracks = spec.tracks.filter((track) => track.z)
    const bare = { tracks, arrows: [], boxes: [], rasters: [], handles: [], cursor: false }
    this.accept({ ...spec, ...bare }, theme, width, height, resolve)
    this.overlay.take(this.spec, theme, resolve)
    const look = [spec.hash, theme.key, width, height].join()
    if (look !== this.look) await this.redraw(look, resolve)
    else this.measure()
  }

  // The surface stands while values move: only the paths on it follow.
  refresh(resolve) {
    if (!this.spec) return
    this.name(resolve)
    this.overlay.refresh(resolve)
  }

  async redraw(look, resolve) {
    this.look = look
    const { spec, theme, width, height, graph, stage } = this
    try {
      this.Plotly = await plotly(new URL(stage.data.plotly, new URL("../../../", import.meta.url)))
    } catch (problem) {
      this.lack(problem)
      return
    }
    if (this.gone) return
    graph.querySelector(".dl-lacking")?.remove()
    this.surface = new Figure(spec.figure, theme, resolve)
    const { data, layout: given } = this.surface
    for (const trace of data) if (trace.z?.shape) trace.z = byRows(trace.z)
    this.drawing = this.Plotly.react(graph, data, layout(given, theme, width, height), CONFIG)
    await this.drawing
    if (this.gone) return
    this.measure()
    this.follow()
  }

  // Without the library the surface's place says why, and what stands beside it goes on; the next
  // data try again.
  lack({ message }) {
    this.look = null
    const said = document.createElement("p")
    said.className = "dl-lacking"
    said.textContent = `The surface cannot be drawn: ${message}.`
    this.graph.replaceChildren(said)
  }

  // Paints anew whenever the camera has turned.
  follow() {
    const glplot = this.scene?.glplot
    if (!glplot || glplot === this.followed) return
    this.followed = glplot
    const { onrender } = glplot
    glplot.onrender = () => {
      onrender?.()
      if (!this.turned()) return
      this.measure()
      this.stage.paint()
    }
    glplot.redraw()
  }

  get scene() {
    return this.graph._fullLayout?.scene?._scene
  }

  // Takes the camera's matrix; true where it is another than before.
  turned() {
    const { cameraParams } = this.scene.glplot
    const next = product(cameraParams.projection, product(cameraParams.view, cameraParams.model))
    const same = next.every((value, i) => value === this.matrix[i])
    this.matrix = next
    return !same
  }

  measure() {
    const { scene } = this
    if (!scene || !this.matrix[15]) return
    const { l, t, w, h } = this.graph._fullLayout._size
    const { x, y } = scene.fullSceneLayout.domain
    this.left = l + w * x[0]
    this.right = l + w * x[1]
    this.top = t + h * (1 - y[1])
    this.bottom = t + h * (1 - y[0])
    const { xaxis, yaxis, zaxis } = scene.fullSceneLayout
    this.axes = [xaxis, yaxis, zaxis].map((axis, i) => ({
      log: axis.type === "log",
      scale: scene.dataScale[i],
    }))
    this.ready = true
    this.overlay.placeAll()
  }

  placeTrack(track) {
    const n = Math.min(track.x.length, track.y.length, track.z.length)
    if (track.px?.length !== n) {
      for (const name of ["px", "py", "along"]) track[name] = new Float32Array(n)
    }
    for (let i = 0; i < n; i++) {
      const [x, y] = this.project(track, i)
      track.px[i] = near(x)
      track.py[i] = near(y)
    }
    lengths(track)
  }

  project(track, i) {
    const [u, v, s] = ["x", "y", "z"].map((name, k) => {
      const { log, scale } = this.axes[k]
      return (log ? Math.log10(track[name][i]) : track[name][i]) * scale
    })
    const m = this.matrix
    const depth = m[3] * u + m[7] * v + m[11] * s + m[15]
    const across = (m[0] * u + m[4] * v + m[8] * s + m[12]) / depth
    const up = (m[1] * u + m[5] * v + m[9] * s + m[13]) / depth
    return [
      this.left + 0.5 * (1 + across) * (this.right - this.left),
      this.top + 0.5 * (1 - up) * (this.bottom - this.top),
    ]
  }

  read() {
    // Plotly reads the surface.
  }

  click() {
    // A point on the screen is a line in space.
  }

  dispose() {
    super.dispose()
    // To purge a picture that is still being drawn would take its listeners from under Plotly.
    const purge = () => this.Plotly?.purge(this.graph)
    Promise.resolve(this.drawing).then(purge, purge)
  }
}

// A matrix the way Plotly takes it.
function byRows(flat) {
  const [rows, columns] = flat.shape
  return Array.from({ length: rows }, (_, i) => flat.subarray(i * columns, (i + 1) * columns))
}

// Of two 4 × 4 matrices by columns.
function product(a, b) {
  const out = new Float64Array(16)
  for (let column = 0; column < 4; column++) {
    for (let row = 0; row < 4; row++) {
      for (let k = 0; k < 4; k++) out[4 * column + row] += a[4 * k + row] * b[4 * column + k]
    }
  }
  return out
}
