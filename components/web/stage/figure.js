// A figure as the wire brings it, made into what a chart draws: arrays decoded, colours resolved
// under a theme, and live leaves looked up again whenever values move.

import { array } from "./arrays.js"

const COLOURED = /(colors?|colorscale|colorway)$/i
const still = new WeakMap() // leaf -> its array, so that a leaf always gives the same one

const isLeaf = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value) &&
  ("$array" in value || "$live" in value || "$text" in value ||
    (typeof value.dtype === "string" && Array.isArray(value.shape)))

export const isLive = (value) => isLeaf(value) && ("$live" in value || "$text" in value)

// What a leaf stands for where nothing is live: an array (with its shape), a number or a string.
export function resolved(leaf) {
  if (!isLeaf(leaf)) return leaf
  const blob = leaf.$array ?? leaf
  let flat = still.get(blob)
  if (!flat) {
    flat = array(blob)
    flat.shape = blob.shape
    still.set(blob, flat)
  }
  return flat
}

export class Figure {
  constructor(spec, theme, resolve) {
    this.theme = theme
    this.leaves = [] // live ones, as [holder, name, leaf, coloured]
    const { data = [], layout = {} } = this.walk(spec ?? {}, resolve, false)
    this.data = data
    this.layout = layout
  }

  walk(value, resolve, coloured) {
    if (typeof value === "string") return coloured ? this.theme.colour(value) : value
    if (value === null || typeof value !== "object") return value
    if (isLeaf(value)) return resolve(value)
    const out = Array.isArray(value) ? Array(value.length) : {}
    for (const [name, entry] of Object.entries(value)) {
      const hued = coloured || (!Array.isArray(value) && COLOURED.test(name))
      out[name] = this.walk(entry, resolve, hued)
      if (isLive(entry)) this.leaves.push([out, name, entry])
    }
    return out
  }

  // Looks live leaves up again; true where one is another than before.
  refresh(resolve) {
    let changed = false
    for (const [holder, name, leaf] of this.leaves) {
      const value = resolve(leaf)
      if (Object.is(value, holder[name])) continue
      holder[name] = value
      changed = true
    }
    return changed
  }
}
