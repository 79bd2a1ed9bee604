// An instance for each mounted element: made with the first render, given every later one, and when
// it ends. Streamlit calls what a render returned once the element is gone from the page, but also
// at once for a render that newer data overtook; the instance then lives on.

const living = new Map() // kind -> (element -> its instance)

// What a component's render does and returns; Kind takes an element and has receive and dispose.
export function received(Kind, component) {
  const { parentElement } = component
  if (!living.has(Kind)) living.set(Kind, new WeakMap())
  const instances = living.get(Kind)
  let instance = instances.get(parentElement)
  if (!instance) instances.set(parentElement, (instance = new Kind(parentElement)))
  instance.receive(component)
  return ending(instances, parentElement)
}

export function ending(instances, parentElement) {
  return () => {
    if (parentElement.isConnected) return
    instances.get(parentElement)?.dispose()
    instances.delete(parentElement)
  }
}
