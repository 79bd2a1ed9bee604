// One request in flight at a time, the latest wins.
//
// A request that arrives while the script runs makes Streamlit abandon that run, so a reader
// who drags without pause could starve the picture.  The next request therefore waits until
// Python has seen the last one (its echo came back) and the run that it caused has ended.

const LOST_MS = 1000 // no echo and nothing running: the request was lost
const STUCK_MS = 4000 // a run this long may be abandoned for a newer request
const POLL_MS = 120

const app = () => document.querySelector('[data-testid="stApp"]')
const running = () => app()?.getAttribute("data-test-script-state") === "running"

export class Gate {
  constructor(send) {
    this.send = send // (name, payload with seq) => void
    this.seq = Date.now() // rises across mounts: Python tells new from old by it
    this.sent = 0
    this.echoed = 0
    this.pending = new Map() // name -> payload, at most one each
    this.since = 0
    this.watcher = new MutationObserver(() => this.flush())
    this.timer = 0
  }

  // Returns the seq under which the payload goes.
  push(name, payload) {
    if (!this.pending.size && this.sent <= this.echoed) this.since = performance.now()
    this.pending.delete(name)
    this.pending.set(name, { ...payload, seq: ++this.seq })
    this.flush()
    return this.seq
  }

  echo(seq) {
    this.echoed = Math.max(this.echoed, seq)
    this.flush()
  }

  waiting() {
    const age = performance.now() - this.since
    if (running()) return age < STUCK_MS
    return this.sent > this.echoed && age < LOST_MS
  }

  flush() {
    if (!this.pending.size) return this.rest()
    if (this.waiting()) return this.watch()
    const [name, payload] = this.pending.entries().next().value
    this.pending.delete(name)
    this.sent = payload.seq
    this.since = performance.now()
    if (!this.pending.size) this.rest()
    return this.send(name, payload)
  }

  watch() {
    if (this.timer) return
    this.timer = setInterval(() => this.flush(), POLL_MS)
    const element = app()
    if (element) {
      this.watcher.observe(element, { attributeFilter: ["data-test-script-state"] })
    }
  }

  rest() {
    clearInterval(this.timer)
    this.timer = 0
    this.watcher.disconnect()
  }

  dispose() {
    this.pending.clear()
    this.rest()
  }
}
