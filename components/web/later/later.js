// Asks for one more run when nothing has changed for a while: the picture can then be made finer.

const POLL_MS = 60

const running = () =>
  document.querySelector('[data-testid="stApp"]')?.getAttribute("data-test-script-state") ===
  "running"

const timers = new WeakMap() // the component's element -> its timer

export default function later({ parentElement, data, setTriggerValue }) {
  clearTimeout(timers.get(parentElement))
  const wait = (ms) => timers.set(parentElement, setTimeout(ask, ms))
  const ask = () => (running() ? wait(POLL_MS) : setTriggerValue("ask", data.mark))
  if (data.mark) wait(data.delay)
  return () => clearTimeout(timers.get(parentElement))
}
