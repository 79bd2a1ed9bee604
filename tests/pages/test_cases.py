"""The page of telling cases: each opens, says what happened, and follows its sliders."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.pages.running import markdown, open_page


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("L2 or decay", "Both are told λ = 0.3"),
        ("Adam misled", "Adam ends at 1"),
        ("the shrinking rate", "Adagrad adds up"),
        ("curvature", "Nor does Sophia"),
        ("a minimum that jumps", "Eve divides its rate by d"),
    ],
)
def test_every_case_opens_and_says_what_happened(case: str, words: str) -> None:
    page = open_page("cases", case=case)
    assert not page.exception
    assert not page.warning
    assert words in markdown(page)


def test_the_remark_follows_the_state() -> None:
    assert "the two are one rule" in markdown(open_page("cases", decay="0"))
    turned = markdown(open_page("cases", case="curvature", rotation="45"))
    assert "κ is felt again" in turned


@pytest.mark.parametrize(
    ("name", "value"),
    [("case", "none"), ("decay", "2"), ("rotation", "7"), ("start", "1"), ("size", "x")],
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("cases", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_the_start_moves_by_arrow_keys(visit: Callable[..., Page]) -> None:
    page = visit("/cases")
    handle = page.locator('[data-handle="start"]')
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("new URLSearchParams(location.search).has('start')")
