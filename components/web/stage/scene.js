// A 3-D panel: Plotly draws the surface, and tracks are projected by the scene's own camera
// onto the canvases over it, so that they move as smoothly as in a plane and no frame costs a
// WebGL redraw.  Nothing hides behind the surface: paths are drawn over it.

import { array } from "./arrays.js"
import { Panel } from "./panel.js"

const FLAT = { l: 0, r: 0, t: 0, b: 0 }

export class Scene extends Panel {
  constructor(element, stage) {
    super(element, stage)
    this.matrix = new Float64Array(16)
  }

  update(spec, ...rest) {
    const { data, layout } = spec.figure
    const given = { scene: {}, margin: FLAT, dragmode: "turntable", ...layout }
    const bare = { arrows: [], boxes: [], rasters: [], handles: [], cursor: false }
    return super.update({ ...spec, ...bare, figure: { data, layout: given } }, ...rest)
  }

  take(spec) {
    super.take(spec)
    this.tracks = this.tracks.filter((track) => track.z)
    for (const track of this.tracks) track.z = array(track.z)
  }

  async redraw(look) {
    await super.redraw(look)
    this.follow()
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
    for (const track of this.tracks) this.place(track)
    this.drawn = -1
    this.sx = 1 // what `draw` waits for
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

  readTrack() {
    return "" // Plotly reads the surface
  }
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
