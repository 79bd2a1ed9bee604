// A page in a frame and the page around it: it says how high it is, takes what the other asks for,
// and says what became of it.
//
// Only the window around this one is listened to, and only from the origin that the browser says is
// around it, or, where it does not say, the first that spoke. From there come
//   {descentLab: "hello"}                       answered by what stands below
//   {descentLab: "set", values: {name: value}}  parameters, as far as nothing locks them
//   {descentLab: "preset", name}                where the page knows presets by itself
//   {descentLab: "play" | "pause"}, {descentLab: "seek", frame}
// and there go
//   {descentLab: "height", page, height}        to whoever is around: the snippet's frame grows by it
//   {descentLab: "values", page, values}, {descentLab: "step", page, frame, end, playing},
//   {descentLab: "finish", page, frame}         to that origin alone, after its first message

const SETTLE_MS = 60 // between two heights, and two sets of values
const MOST = 64 // names in one message

// The origin of the window around this one, "" where the browser keeps it to itself.
function around() {
  const named = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin)
  return named && named !== "null" ? named : ""
}

// Whether a value that came from elsewhere is of a kind that a page's store holds.
export const usable = (value) => typeof value === "number" || typeof value === "boolean" ||
  (typeof value === "string" && value.length <= 2000) ||
  (Array.isArray(value) && value.length <= 256 && value.every((v) => typeof v === "number"))

// Joins `element` (whose height counts) and the page's store to the window around; returns what ends
// it. `set` and `preset` say how values come in.
export function converse({ element, store, page, set = (values) => store.set(values), preset = () => {} }) {
  if (parent === window) return () => {}
  let partner = around()
  let joined = false
  let height = 0
  let timer = 0
  const post = (what, body, to) => parent.postMessage({ descentLab: what, page, ...body }, to)
  const say = (what, body) => joined && post(what, body, partner)
  const grow = () => {
    // What reaches over its edge below counts too.
    const now = Math.max(Math.ceil(element.getBoundingClientRect().height), element.scrollHeight)
    if (now === height || !now) return
    height = now
    post("height", { height }, partner || "*")
  }
  const values = () => say("values", { values: Object.fromEntries(store.values) })
  const drive = (act, frame) => {
    for (const bar of element.querySelectorAll(".dl-bar")) {
      bar.dispatchEvent(new CustomEvent("descent:drive", { detail: { act, frame } }))
    }
  }
  const hear = ({ source, origin, data }) => {
    if (source !== parent || typeof data?.descentLab !== "string") return
    if (partner ? origin !== partner : origin === "null") return
    partner = origin
    const fresh = !joined
    joined = true
    const { descentLab: what } = data
    if (what === "set" && data.values && typeof data.values === "object") {
      const given = Object.entries(data.values).slice(0, MOST).filter(([, value]) => usable(value))
      set(Object.fromEntries(given))
    } else if (what === "preset" && typeof data.name === "string") preset(data.name)
    else if (what === "play" || what === "pause") drive(what)
    else if (what === "seek" && Number.isFinite(data.frame)) drive("seek", data.frame)
    if (what === "hello" || fresh) {
      height = 0
      grow()
      values()
    }
  }
  let played = false
  const step = ({ detail }) => {
    say("step", detail)
    if (played && !detail.playing && detail.frame === detail.end) say("finish", { frame: detail.frame })
    played = detail.playing
  }
  const unfollow = store.subscribe(() => {
    clearTimeout(timer)
    timer = setTimeout(values, SETTLE_MS)
  })
  const size = new ResizeObserver(grow)
  size.observe(element)
  addEventListener("message", hear)
  element.addEventListener("descent:step", step)
  grow()
  return () => {
    clearTimeout(timer)
    unfollow()
    size.disconnect()
    removeEventListener("message", hear)
    element.removeEventListener("descent:step", step)
  }
}
