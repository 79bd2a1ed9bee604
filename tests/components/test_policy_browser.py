"""Pages under their Content-Security-Policy, in a browser that would refuse what it forbids.

The pages with pictures are held to it where their layout is tested, with all that is done there.
"""

from __future__ import annotations

import pytest

from tests.browser import LISTEN, Visitor, refused, wait_until_settled


@pytest.mark.browser
@pytest.mark.parametrize("path", ["lessons", "recap", "glossary", "teachers", "race?view=3-D"])
def test_nothing_that_a_page_needs_is_refused(visit: Visitor, path: str) -> None:
    page = visit.empty(script=LISTEN)
    page.goto(f"{visit.server}/{path}")
    wait_until_settled(page)
    assert refused(page) == []


@pytest.mark.browser
def test_what_a_page_does_not_need_is_refused(visit: Visitor) -> None:
    page = visit("/entropy")
    # Later, for what the browser's driver itself evaluates is allowed everything.
    later = """() => new Promise((done) => setTimeout(() => {
      try { done(Function("return 1")()) } catch (error) { done(error.name) }
    }))"""
    assert page.evaluate(later) == "EvalError"
    added = """(text) => new Promise((done) => {
      const script = document.createElement("script")
      addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective))
      if (text.startsWith("http")) script.src = text
      else script.textContent = text
      document.head.append(script)
    })"""
    for script in ("window.stolen = 1", "http://127.0.0.1:9/steal.js"):
        assert page.evaluate(added, script).startswith("script-src")
    assert page.evaluate("() => window.stolen") is None
    visit.errors.clear()
