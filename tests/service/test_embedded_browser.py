"""A course page of another site: third-party cookies blocked, the frame in a sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.browser import FLAGS, Visitor, find_browser, serve_document, wait_until_settled

pytestmark = pytest.mark.browser

LINK = "/softmax?embed=true&T=0.7"


@pytest.fixture
def strict_browser(browser: Browser) -> Iterator[Browser]:
    """A Chromium that takes no cookie from the site of a frame."""
    strict = browser.browser_type.launch(
        executable_path=find_browser(), args=[*FLAGS, "--test-third-party-cookie-phaseout"]
    )
    yield strict
    strict.close()


def framed(visit: Visitor, server: str, host: str, sandbox: str) -> tuple[Page, Frame]:
    """The app at 127.0.0.1 in a page at localhost: to a browser these are two sites."""
    page = visit.empty(width=840, height=560)
    page.goto(host.replace("127.0.0.1", "localhost"))
    page.evaluate(
        """([src, sandbox]) => {
          const frame = document.createElement("iframe")
          if (sandbox) frame.setAttribute("sandbox", sandbox)
          Object.assign(frame, { src, width: 800, height: 500, title: "Descent Lab" })
          document.body.append(frame)
        }""",
        [server + LINK, sandbox],
    )
    frame = page.query_selector("iframe").content_frame()  # type: ignore[union-attr]
    assert frame is not None
    wait_until_settled(frame)
    return page, frame


@pytest.mark.parametrize("sandbox", ["", "allow-scripts allow-same-origin"])
def test_a_page_of_another_site_embeds_a_page(
    strict_browser: Browser, server: str, sandbox: str
) -> None:
    visit = Visitor(strict_browser, server)
    document = "<!doctype html><title>A course</title><link rel=icon href=data:,><body></body>"
    with serve_document(document) as host:
        _, frame = framed(visit, server, host, sandbox)
        set_cookie = "text => { document.cookie = text; return document.cookie }"
        kept = frame.evaluate(set_cookie, "a=1; Secure; SameSite=None")
        assert kept == "", "this Chromium takes cookies from a frame: the test shows nothing"
        # As nginx sets the one that tells replicas apart: kept for this site's pages in that one's.
        assert frame.evaluate(set_cookie, "seat=1; Secure; SameSite=None; Partitioned") == "seat=1"
        stage = frame.locator(".dl-stage[data-seq]").first
        stage.wait_for()
        seq = int(stage.get_attribute("data-seq") or 0)
        slider = frame.locator('[data-name="T"] .dc-range').first
        number = frame.locator('[data-name="T"] .dc-number').first
        expect(number).to_have_value("0.7")
        slider.focus()
        slider.press("ArrowRight")
        expect(number).not_to_have_value("0.7")
        # Python has heard of it: its answer numbers the picture anew, the address says the value.
        expect(stage).not_to_have_attribute("data-seq", str(seq))
        frame.wait_for_function("() => !location.search.includes('T=0.7&')")
        assert frame.locator('[data-testid="stException"]').count() == 0
        visit.close()
    assert visit.errors == []
