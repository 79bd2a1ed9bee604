// Who trains for a page: a worker of its own, or, where there may be none, the same code in the page's
// thread.

import { apart } from "../source.js"

export async function deskOf() {
  const address = apart(import.meta.url, "session.js")
  let desk = null
  try {
    desk = new Remote(address)
    await desk.call("to", 0, 0)
  } catch (problem) {
    console.info("Descent Lab: the networks train in the page's own thread.", problem)
    desk?.end()
    const { Session } = await import(address)
    desk = new Here(new Session())
  }
  return desk
}

// The calls of a session, answered by a worker.
class Remote {
  constructor(url) {
    // Imported while it runs: the page's policy lets a worker begin as a blob alone, and a page that
    // is a file lets none begin as a module.
    const source = `const early = []
self.onmessage = (event) => early.push(event)
import(${JSON.stringify(url)}).then(({ serve }) => {
  serve(self)
  early.forEach((event) => self.onmessage(event))
}, (problem) => setTimeout(() => { throw problem }))`
    this.address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }))
    this.worker = new Worker(this.address, { name: "training" })
    this.waiting = new Map()
    this.ids = 0
    this.worker.onmessage = ({ data: { id, found, problem } }) => {
      const { resolve, reject } = this.waiting.get(id)
      this.waiting.delete(id)
      if (problem === undefined) resolve(found)
      else reject(new Error(problem))
    }
    this.worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new Error(event.message || "no worker"))
      this.waiting.clear()
    }
  }

  call(name, ...given) {
    return new Promise((resolve, reject) => {
      const id = ++this.ids
      this.waiting.set(id, { resolve, reject })
      this.worker.postMessage({ id, name, given })
    })
  }

  end() {
    this.worker.terminate()
    URL.revokeObjectURL(this.address)
  }
}

class Here {
  constructor(session) {
    this.session = session
  }

  async call(name, ...given) {
    return this.session[name](...given)
  }

  end() {}
}
