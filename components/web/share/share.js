// A button whose panel shows the link to the page as it stands and the iframe that embeds it.

import { files } from "../files.js"

const parts = await files(import.meta.url, "share")

const attribute = (text) =>
  text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;")

function snippet(address, title) {
  const url = new URL(address)
  url.searchParams.set("embed", "true")
  return (
    `<iframe src="${attribute(url.toString())}" width="800" height="500"\n` +
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
  const opener = root.querySelector(".dl-share-open")
  const panel = root.querySelector(".dl-share-panel")
  const link = root.querySelector('[data-part="link"]')
  const frame = root.querySelector('[data-part="frame"]')

  const show = (open) => {
    panel.hidden = !open
    opener.setAttribute("aria-expanded", String(open))
    if (!open) return
    link.value = window.location.href
    frame.value = snippet(window.location.href, data?.title ?? "")
  }
  opener.onclick = () => show(panel.hidden)
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
