// Asks for one more run when nothing has changed for a while: the picture can then be made finer.
//
// Never while a hand is on something or has just been, and never while the page's store holds what
// Python does not know yet: a request that meets another one on its way makes Streamlit abandon a
// run, and with it what the page had not yet drawn again.

import { storeOf } from "../store.js"

const QUIET_MS = 350 // after the hand's last word
let held = false
let touched = -Infinity
const hand = (holding) => () => {
  held = holding
  touched = performance.now()
}
addEventListener("pointerdown", hand(true), true)
for (const end of ["pointerup", "pointercancel", "keydown", "change"]) addEventListener(end, hand(false), true)

const waits = new WeakMap() // the component's element -> what ends its wait

export default function atRest({ parentElement, data, setTriggerValue }) {
  waits.get(parentElement)?.()
  const store = storeOf(data.page)
  let timer = 0
  const wait = () => {
    clearTimeout(timer)
    timer = setTimeout(ask, data.delay)
  }
  const ask = () => {
    const quiet = !held && store.settled && performance.now() - touched > QUIET_MS
    if (quiet) setTriggerValue("ask", data.mark)
    else wait()
  }
  const leave = store.subscribe(wait)
  const end = () => {
    clearTimeout(timer)
    leave()
  }
  if (data.mark) wait()
  else leave()
  waits.set(parentElement, end)
  return end
}
