"""What stands between a page and those who read it by ear or by keys, as sentences.

`axe` asks axe-core (Deque), which holds a page to WCAG 2.2 and to what is known to help.  `walk`
goes through a page with the Tab key alone and reports where the order is not the one that is seen,
or what a key never reaches; `operate` moves whatever has a value by its arrow keys; `told` is what
the pictures say of themselves.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser import wait_until_settled

HERE = Path(__file__).parent
MOST_STOPS = 400
AT_ONCE = 16  # Tabs before it is asked whether they have left the page


@cache
def scripts() -> str:
    """axe-core and our own, to be added to a page before it opens."""
    core = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    return core + (HERE / "access.js").read_text(encoding="utf-8")


def axe(page: Page, *rules: str) -> list[str]:
    """What axe-core finds, by RULES alone where they are given."""
    found: list[dict[str, Any]] = page.evaluate("(rules) => access.axe(rules)", list(rules))
    return [f"{each['impact']}: {each['help']}: {each['at']}" for each in found]


def walk(page: Page) -> list[str]:
    """From the top of the page, by Tab, through all that can have the focus."""
    page.evaluate("access.begin()")
    for _ in range(MOST_STOPS // AT_ONCE):
        for _ in range(AT_ONCE):
            page.keyboard.press("Tab")
        if not page.evaluate("access.goes()"):
            break
    found: list[str] = page.evaluate("access.walked()")
    return found


def told(page: Page) -> list[str]:
    """What each picture in sight says of itself: its name, and what it shows now.

    What has just moved is painted within two frames.
    """
    said: list[str] = page.evaluate(
        """async () => {
          for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame)
          return access.told()
        }"""
    )
    return said


def moving(page: Page) -> list[str]:
    """What moves by itself: to be nothing for who wants no motion."""
    found: list[str] = page.evaluate("access.moving()")
    return found


def operate(page: Page) -> list[str]:
    """Each thing with a value is moved by an arrow key, and back; what the pictures say of
    themselves follows one of them at least."""
    found = []
    before = told(page)
    followed = not before
    count = page.evaluate("access.valued()")
    for k in range(count):
        name = page.evaluate("(k) => access.take(k)", k)
        if name is None:
            continue  # the move before it took it away
        moved = False
        # Twice, as the answer to an earlier move may come in between and put it back.
        for _ in range(2):
            for key in ("ArrowUp", "ArrowDown"):  # where it stands at its end, the second moves it
                page.keyboard.press(key)
                moved = moved or page.evaluate("access.moved()")
                followed = followed or told(page) != before
            if moved:
                break
            wait_until_settled(page)
        if not moved:
            found.append(f"no arrow key moves {name}")
    return (
        found
        if followed or not count
        else [*found, f"nothing that is moved changes the words: {before}"]
    )
