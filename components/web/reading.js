// A reader's own file on its way in: its size is looked at before it is read, and what is wrong with
// it is an Error whose message ends a sentence.

// Throws where the file has more bytes than that.
export function bounded(file, most) {
  if (file.size > most) throw new Error(`it is larger than ${most / 1e6} MB`)
}

// What a JSON text holds.
export function jsonOf(text) {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error("it is no JSON")
  }
}

// A table's cells, its lines without the comments: cut at tabs, semicolons or commas, or where
// `spaces` at blanks. Between semicolons a comma is a decimal point.
export function cellsOf(text, { spaces = false } = {}) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() && !line.startsWith("#"))
  const cut = ["\t", ";", ","].find((mark) => lines[0]?.includes(mark)) ?? (spaces ? /\s+/ : ",")
  const cell = (each) => each.trim().replace(/^"|"$/g, "")
  const decimal = (each) => (cut === ";" ? each.replace(/^([-+]?\d*),(\d+(e[-+]?\d+)?)$/i, "$1.$2") : each)
  return lines.map((line) => line.trim().split(cut).map((each) => decimal(cell(each))))
}
