// How a stage's panels share its width and height: side by side in columns, spanning some of them and
// several rows, or one above the other where it is narrow.

const GAP = 12
const ROW_GAP = 4
const LEAST = 150 // of a panel's height and width
const LEAST_ROW = 104 // of the height where there are several rows
const ONE_BY_ONE = 480 // of the width, below which even what is meant to stack has tabs
const LEAST_BESIDE = 170 // of the width where the caller says how panels share it, else they stack
const STACKED = { most: 320, ratio: 0.8, small: 0.6 } // heights: at most, by the width, of one row

// The columns of a stage of that `width`: their `widths`, how many were `asked` for, whether the
// panels are `stacked` in one, and whether they are `tabbed`, one to be seen at a time.
export function columnsOf({ panels, columns }, width) {
  const given = Array.isArray(columns)
  const n = panels.length
  const shares = given ? columns.slice(0, n) : Array(Math.min(columns ?? n, n) || 1).fill(1)
  const most = Math.max(1, Math.floor((width + GAP) / (LEAST + GAP)))
  let widths = across(given ? shares : shares.slice(0, most), width)
  const spanned = panels.some((panel) => panel.wide > 1)
  const narrow = given || n <= 3
    ? Math.min(...widths) < LEAST_BESIDE
    : spanned && widths.length < shares.length
  if (narrow) widths = [width]
  const stacked = widths.length === 1 && n > 1
  const tabbed = stacked && (shares.length > 1 || width < ONE_BY_ONE)
  return { width, widths, asked: shares.length, stacked, tabbed }
}

function across(shares, width) {
  const total = shares.reduce((sum, share) => sum + share, 0)
  const free = width - GAP * (shares.length - 1)
  return shares.map((share) => Math.floor((free * share) / total))
}

// Each panel's {width, height, rows, wide} in those columns, `free` being the height they share.
export function boxesOf({ panels, height }, { width, widths, asked, stacked }, free) {
  const spans = panels.map(({ rows, wide }) => (stacked ? { rows: 1, wide: 1 } : { rows, wide }))
  const { columns } = placed(spans, widths.length)
  // Where fewer stand side by side than were asked for, the stage grows: none gets flatter.
  const { rows: all } = placed(spans, asked)
  const room = stacked
    ? Math.min(STACKED.most, Math.round(width * STACKED.ratio))
    : (free - (all - 1) * ROW_GAP) / all
  const least = Math.min(stacked || all < 2 ? LEAST : LEAST_ROW, height)
  const row = Math.max(least, Math.floor(room))
  // Where panels of several heights stack, the small ones stay smaller.
  const mixed = panels.some((panel) => panel.rows > 1)
  const small = Math.max(LEAST, Math.floor(row * STACKED.small))
  return spans.map(({ rows, wide }, i) => ({
    width: widths.slice(columns[i], columns[i] + wide).reduce((sum, w) => sum + w + GAP, -GAP),
    height: stacked && mixed && panels[i].rows === 1 ? small : rows * row + (rows - 1) * ROW_GAP,
    rows,
    wide,
  }))
}

// Where panels stand that span rows and columns: the first column of each, and how many rows they
// fill, as the grid's own placement has it (row by row, never back).
function placed(spans, across) {
  const free = Array(across).fill(0) // by column: the first row that nothing spans into
  const columns = []
  let [row, column] = [0, 0]
  for (const { rows, wide } of spans) {
    const most = Math.max(0, across - wide) // what is wider than all columns takes them all
    const fits = () => free.slice(column, column + wide).every((first) => first <= row)
    while (column > most || !fits()) {
      column = column < most ? column + 1 : 0
      if (column === 0) row++
    }
    free.fill(row + rows, column, column + wide)
    columns.push(column)
  }
  return { columns, rows: Math.max(...free) }
}
