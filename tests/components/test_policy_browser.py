"""Every page under its Content-Security-Policy, in a browser that would refuse what it forbids."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from pages.contents import SECTIONS
from tests.browser import Visitor, wait_until_settled

PATHS = [f"/{entry.file}" for entries in SECTIONS.values() for entry in entries]

# What a policy refuses is told to the document, also where nothing is said on the console.
LISTEN = """
addEventListener("securitypolicyviolation", (event) => {
  (window.refused ??= []).push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`)
})
"""


@pytest.mark.browser
def test_nothing_that_a_page_needs_is_refused(visit: Visitor) -> None:
    """One tab through all pages; a page that says an error on its console fails at the end."""
    page: Page | None = None
    refused: dict[str, Any] = {}
    for path in [*PATHS, "/race?view=3-D"]:
        if page is None:
            page = visit._page()
            page.add_init_script(LISTEN)
        page.goto(visit.server + path)
        wait_until_settled(page)
        if found := page.evaluate("() => window.refused"):
            refused[path] = found
    assert refused == {}


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
