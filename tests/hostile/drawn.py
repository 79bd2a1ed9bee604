"""How many hostile examples are drawn, from which seed, and what a page may not say.

DESCENT_LAB_HOSTILE is the number for each kind (a few dozen otherwise), DESCENT_LAB_SEED the seed,
which a failing test prints.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

from hypothesis import HealthCheck, seed, settings
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from tests.browser import ROOT
from tests.pages.programs import component_data
from tests.pages.running import SECONDS

SEED = int(os.environ.get("DESCENT_LAB_SEED") or secrets.randbelow(2**32))

Test = TypeVar("Test", bound=Callable[..., None])


def drawn(few: int) -> Callable[[Test], Test]:
    """A property test on so many examples, or on as many as the environment asks for."""
    count = int(os.environ.get("DESCENT_LAB_HOSTILE") or few)
    how = settings(
        max_examples=count,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )

    def decorate(test: Test) -> Test:
        decorated: Test = seed(SEED)(how(test))
        return decorated

    return decorate


def open_link(link: str) -> AppTest:
    """The page at an address, such as "/race?lr=0.1", as a reader's browser asks for it."""
    parts = urlsplit(link)
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=SECONDS)
    for name, value in parse_qsl(parts.query, keep_blank_values=True, errors="replace"):
        app.query_params[name] = value
    return app.switch_page(str(ROOT / "pages" / f"{parts.path[1:]}.py")).run()


def claim(page: AppTest, state: str) -> AppTest:
    """The page once each of its components has claimed to be in that state (JSON)."""
    states = WidgetStates()
    for element in page.main:
        proto = getattr(element, "proto", None)
        if getattr(proto, "component_name", "") and proto.id:
            widget = states.widgets.add()
            widget.id = proto.id
            widget.json_value = state
    assert len(states.widgets), "the page has no component"
    return page._run(states)


class _Elements(HTMLParser):
    """The elements in a piece of HTML, and whether any could run something."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.bad: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        runs = tag in ("script", "img", "iframe", "object", "embed", "form", "base", "meta")
        if runs or any(n.startswith("on") or "javascript:" in (v or "") for n, v in attrs):
            self.bad.append(f"<{tag} {attrs}>")

    handle_startendtag = handle_starttag


def _html(page: AppTest) -> Iterator[str]:
    """Every piece of the page that a browser reads as HTML."""
    for element in page.get("html"):
        yield element.body
    for markdown in page.markdown:
        if markdown.allow_html:
            yield markdown.value
    for data in component_data(page):
        if "svg" in data:
            yield data["svg"]


def complaints(page: AppTest) -> list[str]:
    """What a page says that none may: an exception, a traceback, an element of a reader's own."""
    found = [f"exception: {e.message} {' '.join(e.stack_trace[-2:])}" for e in page.exception]
    said = [str(e.value) for kind in (page.markdown, page.warning, page.error) for e in kind]
    found += [text for text in said if "Traceback" in text or 'File "' in text]
    found += [bad for text in _html(page) for bad in _Elements(text).bad]
    for data in component_data(page):
        json.dumps(data, allow_nan=False)  # a browser reads no NaN
    return found
