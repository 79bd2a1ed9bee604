"""The entropy page: the course's numbers, Huffman's code, a dragged coin."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser import rerun
from tests.pages.running import drag, markdown, open_page, tables


@pytest.mark.parametrize(
    ("p", "unit", "h"),
    [
        ("0.5,0.5", "bits", "1.0000"),
        ("0.99,0.01", "bits", "0.0808"),
        ("1,0", "bits", "0.0000"),
        ("1,1,1,1,1,1,1,1", "bits", "3.0000"),
        ("1,1", "nats", "0.6931"),
    ],
)
def test_numbers_of_the_course(p: str, unit: str, h: str) -> None:
    page = open_page("entropy", p=p, unit=unit)
    assert not page.exception
    assert rf"= {h}\ \text{{{unit}}}" in markdown(page)


def test_remark_follows_the_state() -> None:
    assert "**maximum**" in markdown(open_page("entropy"))
    assert "**certain**" in markdown(open_page("entropy", p="0,1"))
    assert "power of ½" in markdown(open_page("entropy", p="4,2,1,1"))
    assert "**tails** is the rarest" in markdown(open_page("entropy", p="0.9,0.1"))


def test_code_words() -> None:
    table = tables(open_page("entropy", p="4,2,1,1"))
    for word in ("0", "10", "110", "111"):
        assert f"<td>{word}</td>" in table
    assert "no bits" in tables(open_page("entropy", p="1,0"))


@pytest.mark.parametrize(("name", "value"), [("p", "0.5,-0.5"), ("p", "1"), ("unit", "x")])
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("entropy", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_dragging_the_coin_changes_the_entropy(visit: Callable[..., Page]) -> None:
    page = visit("/entropy")
    cell = page.locator("table.numbers tr").nth(1).locator("td").nth(1)
    assert cell.inner_text() == "0.5000"
    drag(page, '[data-panel="curve"] [data-handle="p"]', 60)
    page.wait_for_function("new URLSearchParams(location.search).has('p')")
    assert float(cell.inner_text()) > 0.6


@pytest.mark.browser
def test_a_bar_moves_by_arrow_keys_and_the_rest_gives_way(visit: Callable[..., Page]) -> None:
    page = visit("/entropy?p=1,1,1,1")
    page.locator('[data-handle="p2"]').focus()
    with rerun(page):
        page.keyboard.press("Shift+ArrowUp")
    page.wait_for_function("new URLSearchParams(location.search).get('k') === '1'")
    rows = page.locator("table.numbers tr")
    shares = [float(rows.nth(i).locator("td").nth(1).inner_text()) for i in range(1, 5)]
    assert shares[1] > 0.3
    assert shares[0] == shares[2] == shares[3] < 0.25
    assert sum(shares) == pytest.approx(1, abs=3e-4)
