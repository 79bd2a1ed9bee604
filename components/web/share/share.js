// A button whose panel shows the link to the page as it stands and the iframe that embeds it, with
// what is shown and what is locked in the frame to be chosen, and seen as it will be; and from
// which the page is taken along, as a file, a picture, a film or numbers.

import { files } from "../files.js"
import { usable } from "../embed.js"
import { bounded, jsonOf } from "../reading.js"
import { storeOf } from "../store.js"
import { laid, runsOf } from "../take/own.js"
import { save, stagesIn, take } from "../take/take.js"

const parts = await files(import.meta.url, "share")
const PREVIEW_WIDTH = 800
const SETTLE_MS = 400 // between two changes of the preview, which is a page of its own
const RESTORED = "descent:restored" // in the tab's own memory: values on their way to the next page

const attribute = (text) =>
  text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;")

// The page's address in a frame, in Streamlit's words for a theme, with these names hidden, locked,
// and shown though frames leave them out.
function framed(address, theme, lists) {
  const url = new URL(address)
  url.searchParams.set("embed", "true")
  url.searchParams.delete("embed_options")
  if (theme) url.searchParams.set("embed_options", theme)
  for (const [name, names] of Object.entries(lists)) {
    if (names.length) url.searchParams.set(name, names.join(","))
    else url.searchParams.delete(name)
  }
  return url.toString()
}

// The frame grows to the height that the page says; the lines that listen are the same for any
// number of frames.
function snippet(url, title, width, height) {
  const most = width ? `max-width:${width}px;` : ""
  return (
    `<iframe data-descent-lab src="${attribute(url)}" title="${attribute(title)}, Descent Lab"\n` +
    `  style="border:0;width:100%;${most}height:${height}px" loading="lazy"\n` +
    `  sandbox="allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox"></iframe>\n` +
    "<script>\n" +
    'addEventListener("message", ({ source, origin, data }) => {\n' +
    '  if (data?.descentLab !== "height") return\n' +
    '  for (const frame of document.querySelectorAll("iframe[data-descent-lab]")) {\n' +
    "    const ours = frame.contentWindow === source && new URL(frame.src).origin === origin\n" +
    "    if (ours) frame.style.height = `${data.height}px`\n" +
    "  }\n" +
    "})\n" +
    "<\/script>"
  )
}

async function copy(text, button) {
  text.select()
  let done = true
  try {
    await navigator.clipboard.writeText(text.value)
  } catch {
    done = document.execCommand("copy") // no permission, or not a secure address
  }
  button.textContent = done ? "Copied" : "Press Ctrl+C"
  setTimeout(() => (button.textContent = "Copy"), 1800)
}

// A file that is let fall anywhere on the page goes to whoever is mounted last.
let takeDropped = null
const brings = ({ dataTransfer, target }) =>
  takeDropped && dataTransfer?.types.includes("Files") && !target.closest?.("input, textarea")
addEventListener("dragover", (event) => {
  if (brings(event)) event.preventDefault()
})
addEventListener("drop", (event) => {
  if (!brings(event) || !event.dataTransfer.files.length) return
  event.preventDefault()
  takeDropped(event.dataTransfer.files[0])
})

const isSaved = (run) =>
  run?.descentLab === 1 && typeof run.link === "string" && /^[a-z_]{1,40}$/.test(run.page)

// Values on their way to the next page; a browser that keeps nothing opens the link alone.
function send(run) {
  try {
    sessionStorage.setItem(RESTORED, JSON.stringify({ page: run.page, values: run.values ?? {} }))
  } catch {
    // As said.
  }
}

// Those that have come from the page before, or null.
function received() {
  try {
    const kept = sessionStorage.getItem(RESTORED)
    sessionStorage.removeItem(RESTORED)
    return kept && JSON.parse(kept)
  } catch {
    return null
  }
}

// What a saved run has brought from the page before, once this page's store has its values.
function arrive(store, page) {
  const run = received()
  if (run?.page !== page) return
  const take = () => {
    const changed = ([name, value]) => usable(value) && typeof value === typeof store.get(name) &&
      JSON.stringify(value) !== JSON.stringify(store.get(name))
    store.set(Object.fromEntries(Object.entries(run.values).filter(changed)))
  }
  if (store.values.size) take()
  else {
    const end = store.subscribe(() => {
      end()
      take()
    })
  }
}

export default function share({ parentElement, data }) {
  const root = parentElement.querySelector(".dl-share") ?? parts.mount(parentElement)
  const find = (selector) => root.querySelector(selector)
  const opener = find(".dl-share-open")
  const panel = find(".dl-share-panel")
  const part = (name) => find(`[data-part="${name}"]`)
  const [link, frame, width, theme, height] = ["link", "frame", "width", "theme", "height"].map(part)
  const preview = find("iframe")
  const body = find("tbody")
  let timer = 0

  // What a list of the address names: a box that is ticked, but for `hide`.
  const named = (kind) =>
    [...body.querySelectorAll(`[data-for="${kind}"]`)]
      .filter((box) => box.checked === (kind !== "hide")).map((box) => box.dataset.name)

  const write = () => {
    const locked = named("lock")
    const url = framed(location.href, theme.value, {
      hide: named("hide"), show: named("show"), lock: locked.includes("all") ? ["all"] : locked,
    })
    const tall = Math.min(2000, Math.max(200, Number(height.value) || 500))
    const wide = Number(width.value) && Math.min(2000, Math.max(320, Number(width.value)))
    link.value = location.href
    for (const file of root.querySelectorAll("[data-file]")) file.href = fileAt(file.dataset.file)
    frame.value = snippet(url, data?.title ?? "", wide, tall)
    clearTimeout(timer)
    timer = setTimeout(() => {
      preview.style.height = `${tall}px`
      preview.style.width = `${wide || PREVIEW_WIDTH}px`
      const scale = Math.min(1, preview.parentElement.clientWidth / (wide || PREVIEW_WIDTH))
      preview.style.transform = `scale(${scale})`
      preview.parentElement.style.height = `${tall * scale}px`
      if (!panel.hidden && preview.src !== url) preview.src = url
    }, SETTLE_MS)
  }

  const said = part("said")
  const last = location.pathname.split("/").at(-1)
  const page = ["", "home"].includes(last) ? "race" : last // the first page has an address of its own
  const fileAt = (kind) => {
    const query = new URL(location.href).searchParams
    for (const name of ["embed", "embed_options"]) query.delete(name)
    return new URL(`../../../take/${page}.${kind}?${query}`, import.meta.url).href
  }

  const keep = async (kind) => {
    said.textContent = "…"
    try {
      const about = {
        element: document, store: storeOf(data.page), page, title: data.title, link: location.href,
      }
      save(await take(kind, about, (part) => (said.textContent = `${Math.round(100 * part)} %`)), `${page}.${kind}`)
      said.textContent = ""
    } catch (problem) {
      said.textContent = `It could not be made: ${problem.message}`
    }
  }

  // A run that was saved knows the link of its experiment, and the values that a hand had moved from
  // there: it opens in the place of this page.
  const restore = async (file) => {
    try {
      bounded(file, data.most.bytes)
      const run = jsonOf(await file.text())
      if (!isSaved(run)) throw new Error("it is no run of this laboratory")
      const query = new URL(run.link, location.href).search
      send(run)
      location.assign(new URL(run.page + query, new URL("./", location.href)))
      return true
    } catch (problem) {
      said.textContent = `${file.name} cannot be opened: ${problem.message}.`
      return false
    }
  }

  const holdsSaved = async (file) => {
    if (!/\.json$/i.test(file.name) || file.size > data.most.bytes) return false
    try {
      return isSaved(jsonOf(await file.text()))
    } catch {
      return false
    }
  }

  // A reader's own run over the pictures of this page, until it is left; whether it lies there.
  const lay = async (file) => {
    let laidOver = false
    try {
      bounded(file, data.most.bytes)
      const runs = runsOf(file.name, new Uint8Array(await file.arrayBuffer()), data.most.steps)
      let shown = 0
      for (const stage of stagesIn(document)) {
        const tracksOf = (panel) => laid(runs, panel)
        shown += stage.data.panels.reduce((sum, panel) => sum + tracksOf(panel).length, 0)
        stage.lay(tracksOf)
      }
      for (const { training } of document.querySelectorAll(".dt-training")) {
        const tracks = laid(runs, { kind: "chart", id: "loss" })
        shown += tracks.length
        training.lay(tracks)
      }
      laidOver = shown > 0
      said.textContent = laidOver ? `${file.name} lies over the picture.` : "This page has no picture for it: the race and the training have."
    } catch (problem) {
      said.textContent = `${file.name} cannot be laid over it: ${problem.message}.`
    }
    return laidOver
  }

  const build = () => {
    const query = new URL(location.href).searchParams
    const now = (name) => (query.get(name) ?? "").split(",")
    body.replaceChildren(...(data?.names ?? []).map(([name, label, byChoice]) => {
      const row = parts.copy("row")
      row.querySelector("th").textContent = label
      for (const kind of ["hide", "lock"]) {
        const box = row.querySelector(`[data-for="${kind}"]`)
        box.dataset.name = name
        if (byChoice && kind === "hide") box.dataset.for = "show"
        box.setAttribute("aria-label", `${label}: ${kind === "hide" ? "shown" : "locked"}`)
        box.checked = now(box.dataset.for).includes(name) === (box.dataset.for !== "hide")
        box.onchange = write
        if (name === "all" && kind === "hide") box.remove()
      }
      return row
    }))
  }

  const show = (open) => {
    panel.hidden = !open
    opener.setAttribute("aria-expanded", String(open))
    clearTimeout(timer)
    if (!open) {
      preview.removeAttribute("src")
      return
    }
    build()
    write()
  }
  opener.onclick = () => show(panel.hidden)
  takeDropped = async (file) => {
    const done = (await holdsSaved(file)) ? await restore(file) : await lay(file)
    if (!done && root.isConnected) show(true) // where it says why not
  }
  arrive(storeOf(data.page), data.page)
  for (const field of [width, theme, height]) field.oninput = write
  for (const button of root.querySelectorAll("[data-take]")) button.onclick = () => keep(button.dataset.take)
  for (const file of root.querySelectorAll("[data-file]")) {
    file.onclick = () => (said.textContent = "The file is being made; a page with many presets takes a minute.")
  }
  for (const [what, read] of Object.entries({ saved: restore, own: lay })) {
    find(`[data-reads="${what}"]`).onchange = ({ target }) => {
      if (target.files[0]) read(target.files[0])
      target.value = ""
    }
  }
  for (const button of root.querySelectorAll("[data-copies]")) {
    button.onclick = () => copy(button.dataset.copies === "link" ? link : frame, button)
  }
  root.onkeydown = (event) => {
    if (event.key !== "Escape") return
    show(false)
    opener.focus()
  }
  root.onfocusout = (event) => {
    if (event.relatedTarget && !root.contains(event.relatedTarget)) show(false)
  }
}
