// A button whose panel shows the link to the page as it stands and the iframe that embeds it, with
// what is shown and what is locked in the frame to be chosen, and seen as it will be.

import { files } from "../files.js"

const parts = await files(import.meta.url, "share")
const PREVIEW_WIDTH = 800
const SETTLE_MS = 400 // between two changes of the preview, which is a page of its own

const attribute = (text) =>
  text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;")

// The page's address in a frame, with these names hidden, locked, and shown though frames leave
// them out.
function framed(address, lists) {
  const url = new URL(address)
  url.searchParams.set("embed", "true")
  for (const [name, names] of Object.entries(lists)) {
    if (names.length) url.searchParams.set(name, names.join(","))
    else url.searchParams.delete(name)
  }
  return url.toString()
}

function snippet(url, title, height) {
  return (
    `<iframe src="${attribute(url)}" width="100%" height="${height}"\n` +
    `  title="${attribute(title)}, Descent Lab" loading="lazy" style="border:0"\n` +
    `  sandbox="allow-scripts allow-same-origin"></iframe>`
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

export default function share({ parentElement, data }) {
  const root = parentElement.querySelector(".dl-share") ?? parts.mount(parentElement)
  const find = (selector) => root.querySelector(selector)
  const opener = find(".dl-share-open")
  const panel = find(".dl-share-panel")
  const [link, frame, height] = ["link", "frame", "height"].map((n) => find(`[data-part="${n}"]`))
  const preview = find("iframe")
  const body = find("tbody")
  let timer = 0

  // What a list of the address names: a box that is ticked, but for `hide`.
  const named = (kind) =>
    [...body.querySelectorAll(`[data-for="${kind}"]`)]
      .filter((box) => box.checked === (kind !== "hide")).map((box) => box.dataset.name)

  const write = () => {
    const locked = named("lock")
    const url = framed(location.href, {
      hide: named("hide"), show: named("show"), lock: locked.includes("all") ? ["all"] : locked,
    })
    const tall = Math.min(2000, Math.max(200, Number(height.value) || 500))
    link.value = location.href
    frame.value = snippet(url, data?.title ?? "", tall)
    clearTimeout(timer)
    timer = setTimeout(() => {
      preview.style.height = `${tall}px`
      const scale = preview.parentElement.clientWidth / PREVIEW_WIDTH
      preview.style.transform = `scale(${scale})`
      preview.parentElement.style.height = `${tall * scale}px`
      if (!panel.hidden && preview.src !== url) preview.src = url
    }, SETTLE_MS)
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
  height.oninput = write
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
