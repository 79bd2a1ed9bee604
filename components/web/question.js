// What a lesson asks its reader to foresee on a page's picture. The lesson puts the question; the
// picture that knows the answer hides it, takes the guess, and says how far off it was once the
// reader wants to know. One question a page at a time.

const pages = new Map() // page -> Asked

export function askedOn(page) {
  let asked = pages.get(page)
  if (!asked) pages.set(page, (asked = new Asked()))
  return asked
}

class Asked {
  constructor() {
    this.question = null
    this.listeners = new Set()
  }

  // `spec` {kind, …} as the lesson's file says it; null: nothing is asked any more. `told` hears of
  // every guess and of the answer.
  put(spec, told = () => {}) {
    this.question = spec && { ...spec, guess: null, revealed: false, result: null, told }
    this.changed()
  }

  // The picture's word: a guess (anything but null once there is one).
  guess(guess) {
    this.question.guess = guess
    this.question.told()
  }

  reveal() {
    if (!this.question || this.question.revealed) return
    this.question.revealed = true
    this.changed()
  }

  // The picture's answer to the reader's guess: {near, text}.
  answer(result) {
    this.question.result = result
    this.question.told()
  }

  again() {
    if (!this.question) return
    Object.assign(this.question, { guess: null, revealed: false, result: null })
    this.changed()
    this.question.told()
  }

  subscribe(listener) {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  changed() {
    for (const listener of [...this.listeners]) listener(this.question)
  }
}
