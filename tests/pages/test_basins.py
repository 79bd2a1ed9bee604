"""The page of the basins: its numbers, its links, its replay."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser import rerun
from tests.pages.running import markdown, open_page, tables


@pytest.fixture(autouse=True)
def _no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESCENT_LAB_COMPILE", "0")


def test_himmelblaus_four_minima_are_named_with_their_shares() -> None:
    page = open_page("basins")
    assert not page.exception
    table = tables(page)
    for place in ("(3.00, 2.00)", "(-2.81, 3.13)", "(-3.78, -3.28)", "(3.58, -1.85)"):
        assert place in table
    assert "do not all end in the same place" in markdown(page)


def test_one_global_minimum_among_four_is_counted() -> None:
    text = markdown(open_page("basins", on="styblinski_tang", runs="sgd:lr=0.01"))
    assert "SGD ends in the global minimum from" in text


@pytest.mark.parametrize(
    "link",
    [
        {"on": "saddle"},
        {"on": "rastrigin", "runs": "adam:lr=0.1"},
        {"on": "formula", "f": "(x**2 - 4)**2 + y**2", "runs": "sgd;adam"},
        {"runs": "sgd:lr=5"},
        {"on": "two_wells", "noise": "2", "runs": "momentum:lr=0.05,beta=0.9"},
        {"hide": "controls,table,setup"},
    ],
)
def test_any_basins_can_be_opened_by_a_link(link: dict[str, str]) -> None:
    page = open_page("basins", **link)
    assert not page.exception
    assert not page.warning


def test_what_cannot_be_read_in_a_link_is_named() -> None:
    page = open_page("basins", runs="magic")
    assert any("**runs**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_a_click_replays_the_run_from_there(visit: Callable[..., Page]) -> None:
    page = visit("/basins")
    panel = page.locator('[data-panel="basins0"]')
    box = panel.bounding_box()
    assert box is not None
    with rerun(page):
        page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.4 * box["height"])
    page.wait_for_function("new URLSearchParams(location.search).has('start')")
