// A page as keys and ears meet it; read by access.py. All walks go into shadow roots.
window.access = (() => {
  const STOPS = "a[href], button, input, select, textarea, summary, [tabindex]"
  const GROUPS = '[role="radiogroup"], [role="toolbar"], [role="tablist"]'
  const VALUED = '[role="slider"], input[type="range"], .dl-handle, .dl-plot [role="application"]'
  const MOVING_MS = 2000 // that anything on a page takes to get from one look to another
  const NEAR = 4 // pixels by which a row's things may stand at different heights
  const main = () => document.querySelector('[data-testid="stMain"]')

  function* everything(root) {
    for (const element of root.querySelectorAll("*")) {
      yield element
      if (element.shadowRoot) yield* everything(element.shadowRoot)
    }
  }
  const parent = (element) => element.parentElement ?? element.getRootNode().host ?? null
  const above = (element, selector) => {
    for (let at = element; at; at = parent(at)) if (at.matches(selector)) return at
    return null
  }
  const seen = (element) => {
    const { width, height } = element.getBoundingClientRect()
    return width > 1 && height > 1 && element.checkVisibility({ opacityProperty: false, visibilityProperty: true })
  }
  const called = (element) => {
    const name = element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.textContent || element.className
    return `${element.localName} "${String(name.baseVal ?? name).trim().replace(/\s+/g, " ").slice(0, 50)}"`
  }

  const isStop = (e) =>
    e.matches(STOPS) && e.tabIndex >= 0 && !e.disabled && seen(e) &&
    !(e.matches('input[type="radio"]') && !e.checked) && !above(e, '[aria-hidden="true"], [inert]')

  async function axe(rules) {
    // A colour on its way from one theme to the other is none that is read. (What is paused or was
    // taken off the page never ends; what goes by a scroll bar does not move by itself.)
    const moving = document.getAnimations().filter(
      (a) => a.timeline === document.timeline && a.effect.getTiming().iterations !== Infinity,
    )
    const ended = Promise.all(moving.map((animation) => animation.finished.catch(() => null)))
    await Promise.race([ended, new Promise((late) => setTimeout(late, MOVING_MS))])
    // A frame holds a page of its own, which is scanned by itself.
    const options = { iframes: false, resultTypes: ["violations"], ...(rules.length ? { runOnly: rules } : {}) }
    const { violations } = await window.axe.run(document, options)
    return violations.flatMap(({ impact, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => ({ impact, help, at: `${html.slice(0, 160)} ${failureSummary.split("\n")[1] ?? ""}` })))
  }

  const sticks = (element) => {
    for (let at = element; at; at = parent(at)) if (getComputedStyle(at).position === "sticky") return true
    return false
  }

  let stops = []
  let going = false
  const isTab = (event) => event.key === "Tab"
  // Each stop is noted where its key comes up; once the page is left the focus stays where it is.
  addEventListener("keyup", (event) => { if (going && isTab(event)) going = !left() }, true)
  addEventListener("keydown", (event) => { if (stops.length && !going && isTab(event)) event.preventDefault() }, true)
  function begin() {
    stops = []
    going = true
    const top = main()
    top.tabIndex = -1
    top.focus({ preventScroll: true })
  }

  // Notes where the focus is; true once it has left the page.
  function left() {
    let at = document.activeElement
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement
    if (!at || !above(at, '[data-testid="stMain"]') || stops[0]?.at === at) return true
    stops.push({ at, box: place(at), seen: lit(at) })
    return false
  }

  // Whether the focus is seen on an element, or on what stands around it: an outline, or a ring of
  // shadow or border in another colour than around it.
  function lit(element) {
    if (element.matches('textarea, input:not([type]), input[type="text"], input[type="number"]')) return true // its caret
    for (let at = element, up = 0; at && up < 4; at = parent(at), up++) {
      if (!at.matches(":focus-visible, :focus-within")) break
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(at)
      if (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) return true
      if (boxShadow !== "none") return true
      const drawn = at.matches("svg *") ? [...at.children].some((e) => getComputedStyle(e).strokeWidth >= "2") : false
      if (drawn) return true
    }
    return false
  }

  // Where an element is in what scrolls around it, and where that is on the page; and its picture:
  // handles stand where the values are, and on a phone a picture stays in sight while the page moves.
  function place(element) {
    const at = (e, down) => {
      const { left, right, top, bottom } = e.getBoundingClientRect()
      return { left, right, top: top + down, bottom: bottom + down }
    }
    const scrolls = (e) => /auto|scroll/.test(getComputedStyle(e).overflowY) && e.scrollHeight > e.clientHeight + 1
    let scroller = parent(element)
    while (scroller && scroller !== main() && !scrolls(scroller)) scroller = parent(scroller)
    const page = main().scrollTop
    const inner = scroller && scroller !== main() ? scroller : null
    return {
      inside: at(element, page + (inner?.scrollTop ?? 0)),
      outside: at(inner ?? element, page),
      scroller: inner,
      picture: above(element, ".dl-stage, .dl-drawing"),
    }
  }

  function walked() {
    const found = []
    stops.forEach(({ at, box, seen }, i) => {
      if (!seen) found.push(`the focus is not seen on ${called(at)}`)
      const last = stops[i - 1]
      if (!last || (last.box.picture && (last.box.picture === box.picture || sticks(last.at)))) return
      const how = last.box.scroller === box.scroller ? "inside" : "outside"
      const [from, to] = [last.box[how], box[how]]
      const back = to.bottom <= from.top + NEAR && to.left < from.right
      if (back) found.push(`the focus goes back up from ${called(last.at)} to ${called(at)}`)
    })
    // Of a group of choices one is a stop, the rest are reached by arrows.
    const group = (element) => above(element, GROUPS) ?? element
    const reached = new Set(stops.map(({ at }) => group(at)))
    for (const element of everything(main())) {
      if (isStop(element) && !reached.has(group(element))) found.push(`no Tab reaches ${called(element)}`)
    }
    return found
  }

  let values = []
  let taken = null
  const read = (e) =>
    e.getAttribute("aria-valuenow") ?? e.dataset.cross ?? (e.matches(".dl-handle") ? e.getAttribute("aria-label") : e.value)
  function valued() {
    values = [...everything(main())].filter((e) =>
      e.matches(VALUED) && isStop(e) && e.getAttribute("aria-disabled") !== "true" && Number(e.max ?? 1) !== Number(e.min ?? 0))
    return values.length
  }
  function take(k) {
    const at = values[k]
    if (!at.isConnected || !seen(at)) return null
    at.focus()
    taken = { at, before: read(at) }
    return called(at)
  }
  // Within a few frames: what follows a hand is painted in its frame.
  async function moved() {
    for (let frame = 0; frame < 5 && read(taken.at) === taken.before; frame++) await new Promise(requestAnimationFrame)
    return !taken.at.isConnected || read(taken.at) !== taken.before // a page may put another in its place
  }

  // What the pictures of a page say of themselves, told at once; those that say nothing.
  const PICTURES = '.dl-plot [role="img"], .dl-plot [role="application"], .dg-svg, .dl-drawing svg[role="group"]'
  function told() {
    for (const root of everything(main())) if (root.matches(".dl-stage")) root.dispatchEvent(new FocusEvent("focusin"))
    return [...everything(main())].filter((e) => e.matches(PICTURES) && seen(e)).map((picture) => {
      const words = picture.getRootNode().getElementById(picture.getAttribute("aria-describedby") ?? "")?.textContent
      return `${picture.getAttribute("aria-label") ?? ""}: ${words ?? ""}`
    })
  }

  // What moves although the reader wants no motion: animations in time, transitions of our own
  // things, clocks that run.
  const OURS = /(^|\s)d[lcgthe]+-/
  async function moving() {
    const parts = [...everything(main())]
    const frames = () => parts.map((e) => e.dataset?.frame ?? "").join()
    const before = frames()
    const found = document.getAnimations().filter((a) => a.playState === "running" && a.timeline === document.timeline)
      .filter((a) => !/color|opacity|shadow|visibility/.test(a.transitionProperty ?? "")) // which moves nothing
      .map((a) => `${a.animationName ?? a.transitionProperty} of ${called(a.effect.target)}`)
    for (const e of parts) {
      if (e.dataset?.playing === "true") found.push(`${called(e)} plays`)
      if (!OURS.test(String(e.className?.baseVal ?? e.className))) continue
      const { transitionDuration: taken } = getComputedStyle(e)
      if (/[1-9]/.test(taken)) found.push(`${called(e)} takes ${taken}`)
    }
    for (let frame = 0; frame < 5; frame++) await new Promise(requestAnimationFrame)
    if (frames() !== before) found.push("a picture's clock runs")
    return found
  }

  return { moving, told, axe, begin, goes: () => going, walked, valued, take, moved }
})()
