"""The loss gallery: each part shows the course's numbers and follows the reader's hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.pages.running import drag, markdown, open_page, tables

PARTS = ("squared error", "cross-entropy", "margin losses", "focal loss")


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ({"part": PARTS[0]}, ["(4)^2 = 16", "(2)^2 = 4", "**4 to 1**", "8,"]),
        ({"part": PARTS[0], "half": "1"}, [r"\tfrac12(4)^2 = 8", r"\qquad 2"]),
        ({"part": PARTS[1], "p": "0.01"}, ["4.6052", "grows without bound"]),
        ({"part": PARTS[1], "p": "0.99"}, ["0.0101"]),
        ({"part": PARTS[1], "p": "0.775", "unit": "bits"}, ["0.3677"]),
        ({"part": PARTS[1], "p": "0.936", "unit": "bits"}, ["0.0954"]),
        ({"part": PARTS[2]}, ["Zero-one loss still stands at m = -2", "hinge, logistic, squared"]),
        ({"part": PARTS[2], "m": "0.5"}, ["zero-one loss is content"]),
        ({"part": PARTS[3]}, ["**0.01 times**", "0.1054"]),
        ({"part": PARTS[3], "gamma": "0"}, ["focal loss **is** cross-entropy", "86.2%"]),
        ({"part": PARTS[3], "weigh": "1"}, [r"\alpha_t"]),
    ],
)
def test_numbers_and_remarks(link: dict[str, str], words: list[str]) -> None:
    page = open_page("losses", **link)
    assert not page.exception
    assert not page.warning
    for word in words:
        assert word in markdown(page)


def test_one_number_found_four_ways() -> None:
    table = tables(open_page("losses", part=PARTS[1], p="0.25", y="0"))
    assert table.count(">0.287682<") == 4


def test_no_descent_on_zero_one_and_none_past_the_limit() -> None:
    table = tables(open_page("losses", part=PARTS[2], lr="1.05", steps="300"))
    assert "<td>zero-one</td><td>1.0000</td><td>+0.0000</td><td>−2.0000</td>" in table
    assert "diverged" in table
    assert "nan" not in table.lower()


@pytest.mark.parametrize(
    ("name", "value"), [("part", "all"), ("gamma", "6"), ("easy", "1.5"), ("p", "0"), ("y", "3")]
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("losses", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("part", "selector", "dx", "field"),
    [
        (PARTS[0], '[data-panel="loss"] [data-handle="b"]', -30, "b"),
        (PARTS[1], '[data-panel="logit"] [data-handle="z"]', 40, "p"),
        (PARTS[2], '[data-panel="loss"] [data-handle="m"]', 60, "m"),
        (PARTS[3], '[data-panel="share"] [data-handle="gamma"]', 40, "gamma"),
    ],
)
def test_dragging_a_point_changes_what_is_said(
    visit: Callable[..., Page], part: str, selector: str, dx: float, field: str
) -> None:
    page = visit(f"/losses?part={part.replace(' ', '+')}")
    page.locator(selector).wait_for()
    before = page.locator(".stMain").inner_text()
    drag(page, selector, dx)
    page.wait_for_function(f"new URLSearchParams(location.search).has('{field}')")
    assert page.locator(".stMain").inner_text() != before
