"""What a page opens when it is asked to is as open to everyone as the page: the share panel, folded
parts, help, a lesson's questions before and after they are answered; and the pages of lists.

What is asked of every page as it stands is in test_layout_browser.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from pages import course
from tests.browser import Visitor, wait_until_settled
from tests.pages import access

pytestmark = pytest.mark.browser

FOLDED = '[data-testid="stExpander"] details:not([open]) > summary'
OPENED = "() => new Promise((ready) => requestAnimationFrame(() => setTimeout(ready, 150)))"
QUESTIONS = course.address(course.lessons()["exercises-losses"], 0)
BARS = course.address(course.lessons()["exercises-losses"], 2)


@pytest.fixture(scope="module")
def reader(browser: Browser, server: str) -> Iterator[tuple[Visitor, Page]]:
    visitor = Visitor(browser, server)
    page = visitor.empty(height=900, reduced_motion="reduce", script=access.scripts())
    yield visitor, page
    visitor.close()


def unfold(page: Page) -> None:
    page.locator(FOLDED).evaluate_all("(all) => all.forEach((summary) => summary.click())")
    expect(page.locator(FOLDED)).to_have_count(0)
    wait_until_settled(page)


def help_of(page: Page) -> None:
    page.locator('.dc-controls [aria-expanded="false"]:visible').first.click()


def share(page: Page) -> None:
    page.locator(".dl-share-open").press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.part") == "link"


def reveal(page: Page) -> None:
    page.locator(".dle-guesses button").first.click()
    expect(page.locator(".dle-guesses output").first).not_to_be_empty()


def as_it_is(page: Page) -> None:
    """Nothing is opened."""


@pytest.mark.parametrize(
    ("path", "open_it"),
    [
        ("lessons", unfold),
        ("recap", as_it_is),
        ("glossary", as_it_is),
        ("teachers", as_it_is),
        ("race", unfold),
        ("race", share),
        ("train", help_of),
        ("likelihood", unfold),
        ("parity", unfold),
        (QUESTIONS, as_it_is),
        (QUESTIONS, reveal),
        (BARS, as_it_is),
    ],
)
def test_what_is_opened_is_open_to_everyone(
    reader: tuple[Visitor, Page], path: str, open_it: Callable[[Page], None]
) -> None:
    visitor, page = reader
    visitor.errors.clear()
    page.emulate_media(color_scheme="light")
    page.goto(f"{visitor.server}/{path}")
    wait_until_settled(page)
    open_it(page)
    page.evaluate(OPENED)
    found = [f"in the light, {fault}" for fault in access.axe(page)]
    page.emulate_media(color_scheme="dark")
    page.evaluate(OPENED)
    found += [f"in the dark, {fault}" for fault in access.axe(page, "color-contrast")]
    assert found + visitor.errors == []
