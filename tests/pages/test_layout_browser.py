"""Every page fits where it is read: a desk's window, a phone, a frame in somebody's course.

What is looked for is in layout.js: nothing wider than its window, no text cut, mathematics no
larger than its sentence, picture and control on the screen together, nothing that jumps under a
hand. A page is opened at a desk, whose window is then narrowed to a phone's, and in a frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from pages.contents import SECTIONS
from tests.browser import Visitor, wait_until_settled

pytestmark = pytest.mark.browser

LISTS = {"lessons"}  # without a picture; as long as it has to be
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
FRAME = {"width": 800, "height": 500}
MOST_SHIFT = 0.02
WORK_MS = 1500
PAINTED = "() => new Promise((ready) => requestAnimationFrame(() => setTimeout(ready, 120)))"
DRAWN = ", ".join(
    f"{drawn}:visible"
    for drawn in (".dl-stage[data-seq] .dl-plot", ".dg-node", ".dl-drawing svg", ".family-cards")
)


@pytest.fixture(scope="module")
def reader(browser: Browser, server: str) -> Iterator[tuple[Visitor, Page, Page]]:
    """A reader with two windows that stay open: one of the page's own, one as wide as a frame."""
    visitor = Visitor(browser, server)
    own = visitor._page(viewport=DESK, reduced_motion="reduce")
    frame = visitor._page(viewport=FRAME, reduced_motion="reduce")
    for page in (own, frame):
        page.add_init_script(AUDIT)
    yield visitor, own, frame
    visitor.close()


def settle(page: Page) -> None:
    """Wait until the page and its pictures stand."""
    wait_until_settled(page)
    page.locator(DRAWN).first.wait_for()
    page.evaluate("document.fonts.ready.then(() => null)")
    page.evaluate(PAINTED)


def faults(page: Page, kind: str) -> list[str]:
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


@pytest.mark.parametrize("file", [*FILES, *PARTS])
def test_a_page_fits_a_desk_and_a_phone_and_nothing_jumps(
    reader: tuple[Visitor, Page, Page], file: str
) -> None:
    visitor, page, _ = reader
    visitor.errors.clear()
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.goto(f"{visitor.server}/{file}")
    settle(page)
    found = [f"at a desk, {fault}" for fault in faults(page, "desk")]
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
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    settle(page)
    found += [f"on a phone, {fault}" for fault in faults(page, "phone")]
    assert found + visitor.errors == []


@pytest.mark.parametrize("file", [*FILES, *PARTS])
def test_a_page_fits_a_frame(reader: tuple[Visitor, Page, Page], file: str) -> None:
    visitor, _, page = reader
    visitor.errors.clear()
    page.goto(f"{visitor.server}/{file}{'&' if '?' in file else '?'}embed=true")
    settle(page)
    assert faults(page, "framed") + visitor.errors == []
