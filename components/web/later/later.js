// Asks for one more run when nothing has changed for a while: the picture can then be made finer.
//
// Never while a hand is on something: a request that meets another one on its way makes Streamlit
// abandon a run, and with it what the page had not yet drawn again.

const POLL_MS = 60

let held = false
addEventListener("pointerdown", () => (held = true), true)
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => (held = false), true)

const running = () =>
  document.querySelector('[data-testid="stApp"]')?.getAttribute("data-test-script-state") ===
  "running"

const timers = new WeakMap() // the component's element -> its timer

export default function later({ parentElement, data, setTriggerValue }) {
  clearTimeout(timers.get(parentElement))
  const wait = (ms) => timers.set(parentElement, setTimeout(ask, ms))
  const ask = () => {
    if (held) wait(data.delay)
    else if (running()) wait(POLL_MS)
    else setTriggerValue("ask", data.mark)
  }
  if (data.mark) wait(data.delay)
  return () => clearTimeout(timers.get(parentElement))
}
