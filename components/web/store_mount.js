// The store's own component: nothing to see, the line between a page's store and Python. Where the
// page stands in a frame, it is also where the window around it is spoken with.

import { watchAbsence } from "./absence.js"
import { converse } from "./embed.js"
import { storeOf } from "./store.js"

const MAIN = ".stMainBlockContainer"
let around = null // {store, element, end} of the page that speaks with the window around it

export default function render(component) {
  const { parentElement, data } = component
  const store = storeOf(data.page)
  const over = () => store.part(component)
  store.join(component, data.held)
  if (!data.held) {
    store.lock(data.locked)
    store.adopt(data.values, data.seq)
  }
  store.echo(data.seq)
  if (data.held) return over
  const element = parentElement.closest?.(MAIN) ?? parentElement.host?.closest(MAIN)
  if (element) watchAbsence()
  if (element && parent !== window) speak(store, element)
  return over
}

function speak(store, element) {
  if (around?.store === store && around.element === element) return
  around?.end()
  const page = location.pathname.split("/").at(-1)
  around = { store, element, end: converse({ element, store, page }) }
}
