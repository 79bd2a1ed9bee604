"""Opening a page of the app without a browser, and reading what it says."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page
from streamlit.testing.v1 import AppTest

from tests.browser import ROOT, rerun
from tests.pages.programs import component_data

SECONDS = 90  # a page that compiles or fits something on its first run, on a busy machine

# Every part of the pages of losses, as a link opens it.
LOSS_STATES: tuple[tuple[str, dict[str, str]], ...] = (
    ("entropy", {}),
    ("entropy", {"part": "a density"}),
    ("divergence", {}),
    ("divergence", {"part": "fit a Gaussian"}),
    ("likelihood", {}),
    ("likelihood", {"model": "measurements"}),
    ("softmax", {}),
    ("saturation", {}),
    ("losses", {}),
    ("losses", {"part": "cross-entropy"}),
    ("losses", {"part": "margin losses"}),
    ("losses", {"part": "focal loss"}),
)


def open_page(name: str, **link: str) -> AppTest:
    """The page of that file, arrived at by a link with these values."""
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=SECONDS)
    for key, value in link.items():
        app.query_params[key] = value
    return app.switch_page(str(ROOT / "pages" / f"{name}.py")).run()


def menu_of(page: AppTest, name: str) -> dict[str, Any]:
    """The menu of that name in the page's lead: value, locked, and its options as a mapping."""
    data = next(d for d in component_data(page) if "pieces" in d)
    menu: dict[str, Any] = next(
        p for p in data["pieces"] if p.__class__ is dict and p.get("id") == name
    )
    flat = [pair for value, label in menu["options"]
            for pair in ([(value, label)] if isinstance(label, str) else label)]  # fmt: skip
    return menu | {"options": dict(flat)}


def moved(page: AppTest, name: str, **values: Any) -> AppTest:
    """The page (of that name in the address) after the reader moved these fields of it."""
    page.session_state["_experiments"][name]["values"].update(values)
    return page.run()


def markdown(page: AppTest) -> str:
    """Everything that the page says in Markdown and LaTeX, joined."""
    return unhued("\n".join(element.value for element in (*page.markdown, *page.latex)))


def unhued(text: str) -> str:
    """The same without the hues of outcomes."""
    text = re.sub(r"</?span[^>]*>", "", text)
    return re.sub(r"\\textcolor\{#\w+\}\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1", text)


def tables(page: AppTest) -> str:
    """The HTML that the page shows, joined."""
    return unhued("\n".join(element.body for element in page.get("html")))


def drag(page: Page, selector: str, dx: float, dy: float = 0.0) -> None:
    """Drag a handle by some pixels, once it stands still, and wait for the rerun that follows."""
    handle = page.locator(selector)
    handle.hover()
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    with rerun(page):
        page.mouse.move(x + dx, y + dy)
        page.mouse.up()
