// Room for labels: each is moved as little as it takes to lie within the picture and clear of
// those placed before it, upward or downward rather than sideways.

const GAP = 3 // between two labels, so that neither touches the halo of the other
const SIDEWAYS = 1.6 // a step aside tears a label further from its place than a step up

const apart = (a, x, y, b) =>
  x + a.width + GAP <= b.x || b.x + b.width + GAP <= x ||
  y + a.height + GAP <= b.y || b.y + b.height + GAP <= y

// Moves `boxes` ({x, y, width, height}, corner and size) in place, the first ones first, within
// `bounds` ({left, right, top, bottom}); those that are `fixed` stay, and the others avoid them.
export function place(boxes, bounds) {
  const placed = boxes.filter((box) => box.fixed)
  for (const box of boxes) {
    if (box.fixed) continue
    const wish = within(box, box.x, box.y, bounds)
    const best = clear(box, ...wish, placed) ? wish : nearest(box, wish, placed, bounds)
    ;[box.x, box.y] = best
    placed.push(box)
  }
}

function nearest(box, wish, placed, bounds) {
  let best = wish
  let least = Infinity
  const consider = (x, y) => {
    const [ax, ay] = within(box, x, y, bounds)
    if (ax !== x || ay !== y) return
    const far = SIDEWAYS * Math.abs(x - wish[0]) + Math.abs(y - wish[1])
    if (far >= least || !clear(box, x, y, placed)) return
    best = [x, y]
    least = far
  }
  for (const other of placed) {
    consider(wish[0], other.y - box.height - GAP)
    consider(wish[0], other.y + other.height + GAP)
    consider(other.x - box.width - GAP, wish[1])
    consider(other.x + other.width + GAP, wish[1])
  }
  return best
}

const clear = (box, x, y, placed) => placed.every((other) => apart(box, x, y, other))

function within(box, x, y, { left, right, top, bottom }) {
  return [
    Math.max(left, Math.min(x, right - box.width)),
    Math.max(top, Math.min(y, bottom - box.height)),
  ]
}
