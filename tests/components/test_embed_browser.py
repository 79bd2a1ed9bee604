"""A page in a frame of another site: it says its height, is driven, and is heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.browser import Visitor

pytestmark = pytest.mark.browser

_HOST = """() => {
  window.said = []
  const frame = document.querySelector("iframe")
  const lab = new URL(frame.src).origin
  window.say = (message) => frame.contentWindow.postMessage(message, lab)
  addEventListener("message", ({ source, origin, data }) => {
    if (source === frame.contentWindow && origin === lab) said.push(data)
  })
}"""


@pytest.fixture
def hosted(visit: Visitor) -> Callable[[str], tuple[Page, Frame]]:
    """Opens a page of the app in a frame, on a page that listens and has said hello."""

    def open_frame(path: str) -> tuple[Page, Frame]:
        page, frame = visit.embedded(path)
        frame.wait_for_selector(".dl-stage[data-seq]")
        page.evaluate(_HOST)
        page.evaluate("say({ descentLab: 'hello' })")
        page.wait_for_function("said.some((m) => m.descentLab === 'values')")
        return page, frame

    return open_frame


def last(page: Page, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        "(kind) => said.findLast((m) => m.descentLab === kind)", kind
    )
    return found


def test_the_host_drives_the_figure_and_hears_it(
    hosted: Callable[[str], tuple[Page, Frame]],
) -> None:
    page, frame = hosted("/race?embed=true")
    page.evaluate("say({ descentLab: 'set', values: { lr: 0.012, nothing: 3, target: {} } })")
    page.wait_for_function("said.some((m) => m.values?.lr === 0.012)")
    expect(frame.locator('[data-name="lr"] .dc-number')).to_have_value("0.012")
    page.evaluate("say({ descentLab: 'seek', frame: 7 })")
    page.wait_for_function("said.some((m) => m.descentLab === 'step' && m.frame === 7)")
    assert last(page, "step")["end"] == 120
    page.evaluate("say({ descentLab: 'seek', frame: 118 })")
    page.evaluate("say({ descentLab: 'play' })")
    page.wait_for_function("said.some((m) => m.descentLab === 'finish' && m.frame === 120)")
    assert last(page, "finish")["page"] == "race"


def test_a_locked_value_is_not_moved_from_outside(
    hosted: Callable[[str], tuple[Page, Frame]],
) -> None:
    page, _ = hosted("/race?embed=true&lock=lr")
    page.evaluate("say({ descentLab: 'set', values: { lr: 0.012, steps: 50 } })")
    page.wait_for_function("said.some((m) => m.values?.steps === 50)")
    assert last(page, "values")["values"]["lr"] == 0.0185


def test_who_is_not_around_is_not_heard(hosted: Callable[[str], tuple[Page, Frame]]) -> None:
    page, _ = hosted("/race?embed=true")
    page.evaluate(
        """() => new Promise((done) => {
          const other = document.createElement("iframe")
          other.srcdoc = `<script>parent.frames[0].postMessage(
            { descentLab: "set", values: { lr: 0.001 } }, "*")<\\/script>`
          other.onload = done
          document.body.append(other)
        })"""
    )
    page.evaluate("say({ descentLab: 'set', values: { steps: 60 } })")
    page.wait_for_function("said.some((m) => m.values?.steps === 60)")
    assert last(page, "values")["values"]["lr"] == 0.0185


@pytest.mark.parametrize("name", ["race", "softmax", "schedules"])
def test_a_frame_of_the_height_that_the_page_says_needs_no_scrollbar(
    name: str, hosted: Callable[[str], tuple[Page, Frame]]
) -> None:
    page, frame = hosted(f"/{name}?embed=true")
    inside = """() => {
      const main = document.querySelector('[data-testid="stMain"]')
      return [main.scrollHeight - main.clientHeight, main.scrollWidth - main.clientWidth]
    }"""
    for width in (800, 600, 360):
        page.evaluate("(w) => (document.querySelector('iframe').style.width = `${w}px`)", width)
        frame.wait_for_function("(w) => innerWidth === w", arg=width)
        page.evaluate(
            """() => {
              const grow = () => {
                const { height } = said.findLast((m) => m.descentLab === "height")
                document.querySelector("iframe").style.height = `${height}px`
              }
              grow()
              addEventListener("message", grow)
            }"""
        )
        frame.wait_for_function(f"() => JSON.stringify(({inside})()) === '[0,0]'")
