// When an instance ends. Streamlit calls what a render returned once the element is gone from the
// page, but also at once for a render that newer data overtook; the instance then lives on.

export function ending(instances, parentElement) {
  return () => {
    if (parentElement.isConnected) return
    instances.get(parentElement)?.dispose()
    instances.delete(parentElement)
  }
}
