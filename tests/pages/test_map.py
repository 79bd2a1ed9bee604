"""The hyper-parameter map: what it says, what it survives, and that it follows the hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser import rerun
from tests.pages.running import markdown, open_page, tables


@pytest.fixture(autouse=True)
def _no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESCENT_LAB_COMPILE", "0")


def test_momentums_map_names_polyaks_pair_and_the_limit() -> None:
    """κ = 50, λ = 2 and 100: η* = 0.0307, β* = 0.5658; the limit at β = 0.566 is 2·1.566/100."""
    page = open_page("map")
    assert not page.exception
    text = markdown(page)
    assert r"$\eta = 0.0307$" in text
    assert r"$\beta = 0.5658$" in text
    assert "= 0.03132" in text
    assert r"\kappa = 50" in text


def test_theory_follows_kappa() -> None:
    """κ = 10, λ = 2 and 20: η* = (2 / (√2 + √20))² = 0.1154."""
    assert r"$\eta = 0.1154$" in markdown(open_page("map", **{"bowl.condition": "10"}))


@pytest.mark.parametrize(
    "link",
    [
        {"runs": "sgd:lr=0.01"},
        {"runs": "adam:lr=0.3", "ax": "beta1", "ay": "beta2"},
        {"runs": "momentum", "ax": "x", "ay": "y", "on": "himmelblau"},
        {"runs": "momentum:lr=0.01", "by": "steps to target", "target": "1"},
        {"runs": "rmsprop", "on": "formula", "f": "x**2 + 3*y**4", "noise": "0.5"},
        {"runs": "newton", "on": "rosenbrock"},
        {"runs": "adam", "ax": "no_such_axis", "xr": "1,0.001", "sy": "log", "yr": "-1,-2"},
        {"runs": "sgd", "xr": "1,10"},
        {"on": "saddle", "steps": "2000"},
    ],
)
def test_any_map_can_be_opened_by_a_link(link: dict[str, str]) -> None:
    page = open_page("map", **link)
    assert not page.exception
    assert not page.warning


def test_a_map_on_which_everything_diverges_says_so() -> None:
    assert "Every run of this map diverges" in markdown(open_page("map", runs="sgd", xr="1,10"))


def test_several_maps_are_compared_by_their_valleys() -> None:
    page = open_page("map", runs="momentum;adam", xr="0.0001,10")
    assert "within 10× of the best of all" in tables(page)
    assert tables(page).count("<tr>") == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [("runs", "magic"), ("xr", "a,b"), ("by", "beauty"), ("ax", "1+1"), ("target", "-3")],
)
def test_what_cannot_be_read_in_a_link_is_named(name: str, value: str) -> None:
    page = open_page("map", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_a_click_moves_the_marker_and_the_link_and_the_map_is_refined_by_itself(
    visit: Callable[..., Page],
) -> None:
    page = visit("/map")
    panel = page.locator('[data-panel="map0"]')
    panel.wait_for()
    marker = panel.locator('[data-handle="cell"]')
    marker.wait_for()
    panel.locator(".contour").first.wait_for(state="attached")  # iso-lines: the fine map is there
    before, box = marker.bounding_box(), panel.bounding_box()
    assert before is not None
    assert box is not None
    with rerun(page):
        page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    page.wait_for_function("new URLSearchParams(location.search).get('runs')?.includes('beta=')")
    page.wait_for_function(
        "([marker, x]) => marker.getBoundingClientRect().x < x - 20",
        arg=[marker.element_handle(), before["x"]],
    )
