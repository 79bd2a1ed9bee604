"""The softmax page: the course's numbers on it, links that cannot be read, a dragged score."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser import rerun
from tests.pages.running import drag, markdown, open_page, tables


@pytest.mark.parametrize(
    ("link", "numbers"),
    [
        ({}, ["0.6590", "0.2424", "0.0986"]),
        ({"z": "20,10,1", "reach": "30"}, ["1.0000", "0.0000"]),
        ({"z": "3.2,5.1,-1.7", "names": "cat,car,frog"}, ["24.53", "164", "2.0404", "0.1404"]),
        ({"z": "0,0,0,0,0,0,0,0,0,0"}, ["2.3026", "3.3219", "1.0000"]),
        ({"z": "1000,-1000,0", "reach": "1000"}, ["too large", "1.0000"]),
        ({"T": "0.01"}, ["1.0000"]),
        ({"T": "100"}, ["0.3366", "0.3332", "0.3302"]),
    ],
)
def test_numbers_of_the_course(link: dict[str, str], numbers: list[str]) -> None:
    page = open_page("softmax", **link)
    table = tables(page)
    for number in numbers:
        assert f">{number}<" in table
    assert not page.exception
    assert not page.warning


def test_remark_follows_the_state() -> None:
    assert "leads with 0.659" in markdown(open_page("softmax"))
    assert "log 10 = 2.303" in markdown(open_page("softmax", z=",".join("0" * 10)))
    assert "close to a hard maximum" in markdown(open_page("softmax", T="0.05"))
    assert "almost uniform" in markdown(open_page("softmax", T="90"))
    assert "car has the highest score" in markdown(
        open_page("softmax", z="3.2,5.1,-1.7", names="cat,car,frog")
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("z", "2,nan"), ("z", "1"), ("T", "0"), ("names", "<b>"), ("unit", "apples"), ("true", "-1")],
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("softmax", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_dragging_a_score_changes_the_probabilities(visit: Callable[..., Page]) -> None:
    page = visit("/softmax")
    row = page.locator("table.numbers tr").nth(2)
    assert row.locator("td").nth(3).inner_text() == "0.2424"
    drag(page, '[data-handle="z2"]', 0, -40)
    page.wait_for_function("new URLSearchParams(location.search).has('z')")
    assert float(row.locator("td").nth(3).inner_text()) > 0.5


@pytest.mark.browser
def test_a_score_moves_by_arrow_keys(visit: Callable[..., Page]) -> None:
    page = visit("/softmax")
    handle = page.locator('[data-handle="z1"]')
    handle.focus()
    with rerun(page):
        page.keyboard.press("ArrowDown")
    page.wait_for_function("new URLSearchParams(location.search).has('z')")
    cell = page.locator("table.numbers tr").nth(1).locator("td").nth(3)
    assert float(cell.inner_text()) < 0.659
