// Keeps what is told of pictures true: told anew once things rest, or at once when the focus comes,
// never while a hand moves. Each picture has its sentences in an element of its own, which only
// screen readers meet; what has changed since is said aloud, politely and briefly.

const REST_MS = 400 // without a move
const ALOUD = 3 // sentences that are said of a change

let count = 0
const session = Math.random().toString(36).slice(2, 7) // two copies of this module may share a page

export class Teller {
  // `tell()` gives [picture, sentences] of every picture, `moving()` is true while no words would
  // last, `say(sentences)` is told what is new.
  constructor(root, { tell, moving = () => false, say = () => {} }) {
    Object.assign(this, { root, tell, moving, say })
    this.told = new Map() // picture -> {element, sentences}
    this.last = 0
    this.timer = 0
    this.onFocus = () => this.timer && this.write()
    root.addEventListener("focusin", this.onFocus)
  }

  // Something has moved: words follow once it rests.
  stir() {
    this.last = performance.now()
    this.timer ||= setTimeout(() => this.due(), REST_MS)
  }

  due() {
    const left = REST_MS - (performance.now() - this.last)
    if (left <= 1 && !this.moving()) return this.write()
    this.timer = setTimeout(() => this.due(), left > 1 ? left : REST_MS)
  }

  write() {
    clearTimeout(this.timer)
    this.timer = 0
    const news = []
    const pictures = new Map(this.tell())
    for (const [picture, { element }] of this.told) {
      if (pictures.has(picture)) continue
      element.remove()
      this.told.delete(picture)
    }
    for (const [picture, sentences] of pictures) {
      const before = this.told.get(picture)
      const entry = before ?? { element: this.place(picture), sentences: [] }
      this.told.set(picture, entry)
      const text = sentences.join(" ")
      if (entry.element.textContent !== text) entry.element.textContent = text
      if (before) news.push(...sentences.filter((sentence) => !entry.sentences.includes(sentence)))
      entry.sentences = sentences
    }
    this.say([...new Set(news)].slice(0, ALOUD))
  }

  // An element after the picture's, by which it is described.
  place(picture) {
    const element = document.createElement("p")
    element.className = "dl-told"
    element.id = `told-${session}-${++count}`
    picture.after(element)
    picture.setAttribute("aria-describedby", element.id)
    return element
  }

  dispose() {
    clearTimeout(this.timer)
    this.root.removeEventListener("focusin", this.onFocus)
  }
}
