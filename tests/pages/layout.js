// What an eye sees at once of a page's layout, as sentences on what is wrong; read by
// test_layout_browser.py. All walks go into shadow roots, where the components live.
window.layout = (() => {
  const SLACK = 1.5 // pixels of rounding
  const MAIN = '[data-testid="stMain"]'
  // A digest of a folded group, whole once it is opened; a sentence for screen readers alone.
  const MAY_BE_CUT = ".dc-brief, .dl-live, .dl-told, .katex-mathml, option"
  const PLACES = "td, th, li, p, h1, h2, h3, h4, label, button, select, output, span, figcaption, div"
  const CONTROLS = ".dc-item"
  const STAGES = ".dl-stage, .dl-drawing"
  const SENTENCES = ".dl-lines, .dl-caption, .dg-say, .dg-answers, .stMarkdown p, .told, [data-testid=stCaptionContainer] p"

  function* everything(root) {
    for (const element of root.querySelectorAll("*")) {
      yield element
      if (element.shadowRoot) yield* everything(element.shadowRoot)
    }
  }
  const parent = (element) => element.assignedSlot ?? element.parentElement ?? element.getRootNode().host
  const main = () => document.querySelector(MAIN)
  const seen = (element) => {
    const { width, height } = element.getBoundingClientRect()
    return width > 1 && height > 1 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
  }
  const all = (selector) => [...everything(main())].filter((e) => e.matches(selector) && seen(e))
  const called = (element) => {
    const name = element.className?.baseVal ?? element.className ?? ""
    const text = (element.textContent || element.value || "").trim().replace(/\s+/g, " ").slice(0, 60)
    return `${element.localName}${name ? `.${String(name).split(" ").slice(0, 2).join(".")}` : ""} "${text}"`
  }
  const speaks = (element) => [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim())

  // Sideways: how much wider than its window the main block is, and what sticks out of the window.
  function sideways() {
    const block = main()
    const wide = block.scrollWidth - block.clientWidth
    const found = wide > SLACK ? [`the page is ${wide} px wider than its window`] : []
    for (const element of everything(block)) {
      if (!seen(element) || !(speaks(element) || element.matches("canvas, svg, input, button, select"))) continue
      const { right, left } = element.getBoundingClientRect()
      if (right <= innerWidth + SLACK && left >= -SLACK) continue
      let scroller = parent(element)
      while (scroller && scroller !== block && getComputedStyle(scroller).overflowX === "visible") scroller = parent(scroller)
      if (!scroller || scroller === block) found.push(`outside the window: ${called(element)}`)
    }
    return found
  }

  // Text that its own box cuts, and text that a box around it cuts where nothing scrolls.
  function cut() {
    const found = []
    for (const element of everything(main())) {
      if (!element.matches(PLACES) || element.closest(MAY_BE_CUT) || !seen(element)) continue
      if (!element.textContent.trim()) continue
      const { overflowX, overflowY } = getComputedStyle(element)
      const hides = (way) => way === "hidden" || way === "clip"
      if (hides(overflowX) && element.scrollWidth - element.clientWidth > SLACK) {
        found.push(`cut: ${called(element)} shows ${element.clientWidth} of ${element.scrollWidth} px`)
      } else if (hides(overflowY) && speaks(element) && element.scrollHeight - element.clientHeight > 4) {
        found.push(`cut below: ${called(element)}`)
      }
    }
    for (const element of all("select")) {
      const pen = document.createElement("canvas").getContext("2d")
      const style = getComputedStyle(element)
      pen.font = style.font
      const needs = pen.measureText(element.selectedOptions[0]?.textContent ?? "").width
      const arrow = style.appearance === "none" ? 0 : 18
      const has = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - arrow
      if (needs > has + SLACK) found.push(`cut: ${called(element.selectedOptions[0])} shows ${Math.round(has)} of ${Math.round(needs)} px`)
    }
    for (const label of all(".dl-handle span")) {
      const plot = label.closest(".dl-stage").getBoundingClientRect()
      const { left, right } = label.getBoundingClientRect()
      if (label.textContent && (left < plot.left - SLACK || right > plot.right + SLACK)) found.push(`beyond its stage: ${called(label)}`)
    }
    return found
  }

  // Mathematics that is larger than the sentence it stands in.
  function large() {
    return all(".katex").filter((e) => parseFloat(getComputedStyle(e).fontSize) >
      1.06 * parseFloat(getComputedStyle(parent(e).closest("p, td, li, div")).fontSize)).map((e) => `larger than its sentence: ${called(e)}`)
  }

  const box = (element) => element && element.getBoundingClientRect()

  // At a desk: the figure from y = 300 at the latest, whole, and its first control beside it.
  function desk() {
    const [stage] = all(STAGES)
    const [control] = all(CONTROLS)
    const found = []
    if (!stage) return ["there is no picture"]
    if (box(stage).top > 300) found.push(`the picture begins at y = ${Math.round(box(stage).top)}`)
    if (control && box(control).bottom > innerHeight) found.push(`the first control ends at y = ${Math.round(box(control).bottom)}`)
    if (control && box(stage).bottom > innerHeight) found.push(`the picture ends at y = ${Math.round(box(stage).bottom)}`)
    return found
  }

  // In a frame: nothing scrolls, and picture, first control and a sentence are within it.
  function framed() {
    const block = main()
    const found = []
    const more = block.scrollHeight - block.clientHeight
    if (more > SLACK) found.push(`${more} px lie below the frame`)
    const parts = { picture: all(STAGES)[0], sentence: all(SENTENCES)[0] }
    if (all(CONTROLS).length) parts.control = all(CONTROLS)[0]
    for (const [name, element] of Object.entries(parts)) {
      if (!element) found.push(`there is no ${name}`)
      else if (box(element).bottom > innerHeight + SLACK || box(element).top < -SLACK) {
        found.push(`the ${name} ends at y = ${Math.round(box(element).bottom)}`)
      }
    }
    return found
  }

  // From now on adds up how far things jump; also what follows a hand counts.
  let shift = 0
  let picture = null
  let chips = 0
  const jumped = []
  const row = () => Math.round(box(document.querySelector('[class*="st-key-presets-"]'))?.top ?? 0)
  function watch() {
    picture = all(STAGES)[0]
    chips = row()
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        shift += entry.value
        for (const { node, previousRect, currentRect } of entry.sources ?? []) {
          const element = node?.nodeType === 1 ? node : node?.parentElement
          if (element) jumped.push(`${called(element)} y ${Math.round(previousRect.y)} to ${Math.round(currentRect.y)}`)
        }
      }
    }).observe({ type: "layout-shift" })
  }

  return {
    faults: (kind) => [...sideways(), ...cut(), ...large(), ...({ desk, framed })[kind]?.() ?? []],
    watch,
    // How much so far; whether the picture is still the same one (a preset may bring another),
    // and how far the row of presets has moved.
    shift: () => ({ shift, jumped: jumped.slice(0, 4), same: picture.isConnected, chips: row() - chips }),
  }
})()
