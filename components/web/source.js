// What lies beside a module, by the module's address: the text of a file, and the address of a module
// that a worker runs. A page that was taken along carries both in itself.

export async function source(address, name) {
  const response = await fetch(new URL(`./${name}`, address))
  if (!response.ok) throw new Error(`${name}: ${response.status}`)
  return response.text()
}

export const apart = (address, name) => new URL(`./${name}`, address).href
