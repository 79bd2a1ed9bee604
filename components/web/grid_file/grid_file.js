// A file that is a grid of numbers or an image, read here and handed to Python as a small grid: the
// file itself stays in the browser.

import { bounded, cellsOf, jsonOf } from "../reading.js"

const instances = new WeakMap()

export default function gridFile({ parentElement, data, setTriggerValue }) {
  let field = instances.get(parentElement)
  if (!field) instances.set(parentElement, (field = build(parentElement)))
  field.input.disabled = data.locked
  field.said.textContent = data.said
  field.input.onchange = async () => {
    const [file] = field.input.files
    field.input.value = ""
    if (!file) return
    try {
      bounded(file, data.most)
      const rows = await rowsOf(file, data.side)
      setTriggerValue("grid", { seq: Date.now(), name: file.name.slice(0, 80), rows })
    } catch (problem) {
      field.said.textContent = `${file.name}: ${problem.message}.`
    }
  }
}

function build(parent) {
  const label = document.createElement("label")
  label.textContent = "CSV or JSON (the first row at the top), or an image, light high: "
  label.style.fontSize = "0.875rem"
  const input = document.createElement("input")
  input.type = "file"
  input.accept = ".csv,.tsv,.txt,.json,image/*"
  input.style.font = "inherit"
  input.style.color = "inherit"
  const said = document.createElement("p")
  said.setAttribute("aria-live", "polite")
  said.style.cssText = "font-size:0.875rem;min-height:1.4em;margin:0.3rem 0 0"
  label.append(input)
  parent.append(label, said)
  return { input, said }
}

async function rowsOf(file, side) {
  if (file.type.startsWith("image/")) return ofImage(file, side)
  const text = await file.text()
  return averaged(/^\s*\[/.test(text) ? jsonOf(text) : ofLines(text), side)
}

// Light of an image, 0 to 255; the browser averages it as it draws it small.
async function ofImage(file, side) {
  let image
  try {
    image = await createImageBitmap(file)
  } catch {
    throw new Error("it is no image that a browser can read")
  }
  const scale = Math.min(1, side / Math.max(image.width, image.height))
  const canvas = document.createElement("canvas")
  canvas.width = Math.max(2, Math.round(image.width * scale))
  canvas.height = Math.max(2, Math.round(image.height * scale))
  const pen = canvas.getContext("2d")
  pen.imageSmoothingQuality = "high"
  pen.drawImage(image, 0, 0, canvas.width, canvas.height)
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height)
  return Array.from({ length: canvas.height }, (_, i) => Array.from({ length: canvas.width }, (__, j) => {
    const at = 4 * (i * canvas.width + j)
    return Math.round(0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2])
  }))
}

const ofLines = (text) =>
  cellsOf(text, { spaces: true }).map((row) => row.map((cell) => (cell === "" ? NaN : Number(cell))))

// At most `side` cells along a side, each the mean of those that it stands for.
export function averaged(rows, side) {
  const columns = rows?.[0]?.length
  const whole = Array.isArray(rows) && rows.every((row) =>
    Array.isArray(row) && row.length === columns && row.every(Number.isFinite))
  if (!whole || rows.length < 2 || columns < 2) throw new Error("its lines are not rows of as many numbers each")
  const [down, across] = [Math.min(side, rows.length), Math.min(side, columns)]
  const part = (k, n, of) => Math.floor((k * of) / n)
  return Array.from({ length: down }, (_, i) => Array.from({ length: across }, (__, j) => {
    let [sum, count] = [0, 0]
    for (let a = part(i, down, rows.length); a < part(i + 1, down, rows.length); a++) {
      for (let b = part(j, across, columns); b < part(j + 1, across, columns); b++) {
        sum += rows[a][b]
        count++
      }
    }
    return Number((sum / count).toPrecision(4))
  }))
}
