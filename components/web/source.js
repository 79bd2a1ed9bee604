// The text of a file that lies beside a module, by the module's address; a page that was taken
// along carries these texts in itself.

export async function source(address, name) {
  const response = await fetch(new URL(`./${name}`, address))
  if (!response.ok) throw new Error(`${name}: ${response.status}`)
  return response.text()
}
