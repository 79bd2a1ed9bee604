"""Every page fits where it is read, a desk's window, a phone, a frame in somebody's course, and is
open to whoever reads it there.

What is looked for is in layout.js: nothing wider than its window, no text cut, mathematics no
larger than its sentence, picture and control on the screen together, nothing that jumps under a
hand; and in access.py: what axe-core knows, and the way through the page by keys. Nothing may be
refused by the page's own policy meanwhile. A page is opened once at a desk, whose window is then
narrowed to a phone's, and once in a frame of another site's page, which grows to the height that
the page says.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page
from playwright.sync_api import TimeoutError as TimedOut

from pages.contents import SECTIONS
from tests.browser import LISTEN, Visitor, refused, serve_document, wait_until_settled
from tests.pages import access

pytestmark = pytest.mark.browser

LISTS = {
    "lessons",
    "recap",
    "glossary",
    "teachers",
}  # without a picture; as long as they have to be
FILES = [e.file for entries in SECTIONS.values() for e in entries if e.file not in LISTS]
# Parts of a page that look otherwise than as it opens.
PARTS = [
    "entropy?part=a density",
    "divergence?part=fit a Gaussian",
    "likelihood?model=measurements",
    "losses?part=cross-entropy",
    "losses?part=margin losses",
    "graph?on=neuron",
    "engine_room?source=tape&step=60",
]
AUDIT = (Path(__file__).parent / "layout.js").read_text(encoding="utf-8")
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 780}
FRAME = (800, 500)
Opened = tuple[Visitor, Page]  # who reads, and the page that is open
MOST_SHIFT = 0.02
WORK_MS = 1500
LOOKS = 5
PAINTED = "() => new Promise((ready) => requestAnimationFrame(() => setTimeout(ready, 120)))"
TOLD = r"() => access.told().every((words) => /\d/.test(words))"
SAID: dict[str, str] = {}  # what the pictures of a page say, by its address
# The lines of the snippet that listen, and a frame that a test makes as wide as it likes.
HOST = """<!doctype html><html lang=en><meta charset=utf-8><title>A course page</title>
<link rel=icon href=data:,><body style="margin:0">
<iframe data-descent-lab title="Descent Lab" style="border:0"
  sandbox="allow-scripts allow-same-origin"></iframe>
<script>
  const frame = document.querySelector("iframe")
  let said = 0
  const grow = () => (frame.style.height = `${said}px`)
  const show = (src, width, height) => {
    said = height
    Object.assign(frame.style, { width: `${width}px`, height: `${height}px` })
    if (src) frame.src = src
  }
  addEventListener("message", ({ source, origin, data }) => {
    if (source !== frame.contentWindow || origin !== new URL(frame.src).origin) return
    if (data?.descentLab === "height") said = data.height
  })
</script>"""
BEYOND = """() => {
  const main = document.querySelector('[data-testid="stMain"]')
  return [main.scrollWidth - main.clientWidth, main.scrollHeight - main.clientHeight]
}"""
DRAWN = ", ".join(
    f"{drawn}:visible"
    for drawn in (
        ".dl-stage[data-seq] .dl-plot", ".dg-node", ".family-cards",
        ".dl-drawing:not(.st-key-sparks *) svg",  # the debugger's stand before its picture
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def reader(browser: Browser, server: str) -> Iterator[tuple[Visitor, Page, Page]]:
    """A reader with two windows that stay open: one of the page's own, one of a page around it."""
    visitor = Visitor(browser, server)
    own, host = (
        visitor.empty(**DESK, reduced_motion="reduce", script=script + AUDIT + LISTEN)
        for script in (access.scripts(), "")
    )
    with serve_document(HOST) as address:
        host.goto(address)
        yield visitor, own, host
    visitor.close()


@pytest.fixture(scope="module", params=[*FILES, *PARTS])
def opened(reader: tuple[Visitor, Page, Page], request: pytest.FixtureRequest) -> Opened:
    """A page at a desk, opened once for all that is asked of it."""
    visitor, page, _ = reader
    visitor.errors.clear()
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="light")
    page.goto(f"{visitor.server}/{request.param}")
    settle(page)
    return visitor, page


def settle(page: Page | Frame) -> None:
    """Wait until the page and its pictures stand."""
    wait_until_settled(page)
    page.locator(DRAWN).first.wait_for()
    page.evaluate("document.fonts.ready.then(() => null)")
    page.evaluate(PAINTED)


def faults(page: Page | Frame, kind: str) -> list[str]:
    found: list[str] = page.evaluate("(kind) => layout.faults(kind)", kind)
    return found


def drag_first_slider(page: Page) -> None:
    """Move the first slider that answers, and back to about where it was."""
    slider = page.locator(".dc-range:not(:disabled)").first
    if not slider.count():
        return
    box = slider.bounding_box()
    assert box is not None
    value = slider.evaluate("e => (e.value - e.min) / (e.max - e.min)")
    x, y = box["x"] + 7 + (box["width"] - 14) * value, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for by in (6, 14, -10, -18, 4):
        page.mouse.move(x + by, y)
    page.mouse.up()
    settle(page)


def take_another_preset(page: Page) -> None:
    """Take the preset beside the one that the page opens with."""
    presets = page.locator('[class*="st-key-presets-"] button')
    if presets.count():
        presets.nth(1).click()
        settle(page)
        page.wait_for_timeout(WORK_MS)  # beside the page: its bar of progress comes and goes
        settle(page)


def test_a_page_fits_a_desk_and_nothing_jumps(opened: Opened) -> None:
    visitor, page = opened
    found = faults(page, "desk")
    page.evaluate("layout.watch()")
    for act in (drag_first_slider, take_another_preset):
        before = page.evaluate("layout.shift()")["shift"]
        act(page)
        after = page.evaluate("layout.shift()")
        if after["chips"]:
            found.append(f"{act.__name__}: the presets move by {after['chips']} px")
        if after["same"] and after["shift"] - before > MOST_SHIFT:
            moved = f"{after['shift'] - before:.3f} ({'; '.join(after['jumped'])})"
            found.append(f"{act.__name__}: the page jumps by {moved}")
    assert found + refused(page) + visitor.errors == []


def test_a_page_is_open_to_whoever_reads_it(opened: Opened) -> None:
    visitor, page = opened
    found = [f"in the light, {fault}" for fault in access.axe(page)]
    page.emulate_media(color_scheme="dark")
    for _ in range(LOOKS):  # a component is told of the new theme when React comes to it
        page.evaluate(PAINTED)
        if not (dark := access.axe(page, "color-contrast")):
            break
    found += [f"in the dark, {fault}" for fault in dark]
    assert found + visitor.errors == []


def test_every_picture_says_what_it_shows_and_stands_still(opened: Opened) -> None:
    visitor, page = opened
    page.wait_for_function(TOLD)
    said = access.told(page)
    assert said
    assert access.moving(page) + visitor.errors == []
    others = {words for url, words in SAID.items() if url != page.url}
    assert "\n".join(said) not in others
    SAID[page.url] = "\n".join(said)


def test_a_page_fits_a_phone(opened: Opened) -> None:
    visitor, page = opened
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    settle(page)
    assert faults(page, "phone") + visitor.errors == []


def test_keys_go_through_a_page_as_it_is_seen(opened: Opened) -> None:
    visitor, page = opened
    found = []
    for name, size in (("a phone", PHONE), ("a desk", DESK)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        settle(page)
        found += [f"at {name}, {fault}" for fault in access.walk(page)]
    found += access.operate(page)
    assert found + refused(page) + visitor.errors == []


@pytest.mark.parametrize("file", [*FILES, *PARTS, *sorted(LISTS)])
def test_a_page_fits_a_frame(reader: tuple[Visitor, Page, Page], file: str) -> None:
    visitor, _, host = reader
    visitor.errors.clear()
    address = f"{visitor.server}/{file}{'&' if '?' in file else '?'}embed=true"
    frame = host.frames[1]
    host.evaluate("(given) => show(...given)", [address, *FRAME])
    frame.wait_for_url(address.split("?")[0] + "?*")
    if file in LISTS:
        wait_until_settled(frame)
    else:
        settle(frame)
    found = faults(frame, "framed") if file not in LISTS else []
    for width in (800, 600, 360):
        host.evaluate("(width) => (frame.style.width = `${width}px`)", width)
        frame.wait_for_function("(width) => innerWidth === width", arg=width)
        wait_until_settled(frame)
        frame.evaluate(PAINTED)
        host.evaluate("grow()")
        try:
            frame.wait_for_function(f"() => ({BEYOND})().every((by) => by <= 0)", timeout=4000)
        except TimedOut:
            x, y = frame.evaluate(BEYOND)
            found.append(f"a frame of {width} scrolls by {x} px sideways, {y} px down")
    assert found + refused(frame) + visitor.errors == []
