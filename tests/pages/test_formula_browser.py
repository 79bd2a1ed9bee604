"""The debugger's formula in a real browser: a term that is pointed at lights its arrow."""

from __future__ import annotations

import pytest

from tests.browser import Visitor

pytestmark = pytest.mark.browser
PIXELS = """(panel) => {
  const canvas = panel.querySelector(".dl-head")
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
  let strong = 0
  for (let i = 3; i < data.length; i += 4) strong += data[i] > 200
  return strong
}"""


def test_a_term_lights_its_arrow_and_the_others_fade(visit: Visitor) -> None:
    page = visit("/debugger", reduced_motion="reduce")
    page.locator(".dl-stage[data-seq]").wait_for()
    panel = page.locator(".dl-panel").nth(1)  # the step, enlarged
    before = panel.evaluate(PIXELS)
    term = page.locator('.st-key-formula-debugger .katex-html [style*="color"]').first
    term.scroll_into_view_if_needed()
    box = term.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(100)
    assert panel.evaluate(PIXELS) < 0.8 * before  # the longest arrow has most of them
    page.mouse.move(5, 5)
    page.wait_for_timeout(100)
    assert panel.evaluate(PIXELS) == before
    sparks = page.locator(".sparks svg")
    assert sparks.count() == 5
    lines = page.locator(".st-key-formula-debugger .katex-display").first.bounding_box()
    last = sparks.last.bounding_box()
    assert lines
    assert last
    assert last["y"] + last["height"] < lines["y"] + lines["height"], "level with the last line"
