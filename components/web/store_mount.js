// The store's own component: nothing to see, the line between a page's store and Python.

import { storeOf } from "./store.js"

const mounted = new WeakMap()

export default function render(component) {
  const { parentElement, data } = component
  const store = storeOf(data.page)
  mounted.set(parentElement, store)
  store.join(component)
  store.lock(data.locked)
  store.adopt(data.values, data.seq)
  store.echo(data.seq)
  return () => store.part(component)
}
