"""The hyper-parameter map: what it says, what it survives, and that it follows the hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from engine import LANDSCAPES, OPTIMIZERS, sweep
from engine.runs.live_sweep import middles
from engine.studies import maps
from pages import fine_maps
from pages.competitors import parse_runners
from tests.browser import wait_until_settled
from tests.pages.programs import run_programs, specs_of
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
        {"runs": "sgd:lr=0.01", "by": "steps to target"},
        {"runs": "momentum;adam", "ax": "beta1"},
    ],
)
def test_any_map_can_be_opened_by_a_link(link: dict[str, str]) -> None:
    page = open_page("map", **link)
    assert not page.exception
    assert not page.warning


def test_a_map_on_which_everything_diverges_says_so() -> None:
    assert "Every run of this map diverges" in markdown(open_page("map", runs="sgd", xr="1,10"))


def test_a_map_of_steps_speaks_of_steps() -> None:
    page = open_page("map", by="steps to target", target="1")
    assert "The quickest cell of this map" in markdown(page)
    never = open_page("map", by="steps to target", target="1e-15", steps="3")
    assert "No run of this map comes down to the target" in markdown(never)


def test_a_fine_map_of_losses_speaks_of_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(page: str, wanted: dict[str, Any], place: Any, **how: Any) -> dict[str, Any]:
        return {mark: make(lambda done: None, lambda: False) for mark, make in wanted.items()}

    monkeypatch.setattr(fine_maps, "fine_maps", at_once)
    monkeypatch.setattr(fine_maps, "fine_sweep", sweep)
    assert "The best cell of this map" in markdown(open_page("map", steps="5"))


def test_a_start_without_a_value_is_said_in_words() -> None:
    page = open_page("map", on="formula", f="log(x)+y", start="-1,-1")
    assert not page.exception
    assert "no finite value" in markdown(page)


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


def gaps_of(runs: str, side: int = 128) -> np.ndarray:
    """The gaps of a runner's map on the default bowl over the ranges of the page."""
    (runner,) = parse_runners(runs)
    bowl, rule = LANDSCAPES["bowl"], OPTIMIZERS[runner.slug]
    names = ["beta", "lr"] if runner.slug == "momentum" else ["lr"]
    axes = {n: maps.default_axis(bowl, rule, n).values(side) for n in names}
    return maps.gap(sweep(bowl, rule, axes, bowl.start, 60))


def test_a_program_that_is_too_long_is_refused_in_words() -> None:
    bomb = f"max({', '.join(['x*y'] * 60)})"
    page = open_page("map", on="formula", f=bomb, steps="2000")
    assert not page.exception
    assert "too many here" in page.warning[0].value


def test_the_presets_claims_hold() -> None:
    """Momentum has diverging cells above its line; one knob has a narrow valley; Adam's good
    rates at κ = 50 are good at κ = 500 as well, gradient descent's are not."""
    assert 0.1 < np.isinf(gaps_of("momentum")).mean() < 0.3
    assert maps.valley(gaps_of("sgd"), 0.0).share < 0.2

    def good(slug: str, condition: float) -> np.ndarray:
        bowl = LANDSCAPES["bowl"](condition=condition)
        lrs = middles(1e-4, 10.0, 200, log=True)
        gaps = maps.gap(sweep(bowl, slug, {"lr": lrs}, (5.0, 3.0), 60))
        return np.log10(lrs[int(gaps.argmin())])

    assert abs(good("adam", 50) - good("adam", 500)) < 0.3
    assert abs(good("sgd", 50) - good("sgd", 500)) > 0.9


@pytest.mark.parametrize(
    ("link", "moved"),
    [
        ({}, {"0/lr", "0/beta", "bowl.condition", "steps", "xr", "yr", "start"}),
        ({"runs": "sgd:lr=0.0185"}, {"0/lr", "bowl.condition", "steps", "xr"}),
        ({"by": "steps to target", "target": "1"}, {"target", "0/beta"}),
        ({"runs": "momentum;adam:lr=0.3"}, {"1/lr", "1/beta1", "1/eps", "noise"}),
    ],
)
def test_the_browser_finds_the_same_map_and_follows_every_value(
    link: dict[str, str], moved: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.wire._REMEMBERED", 0)
    results = run_programs(specs_of(open_page("map", **link)), tmp_path)
    for result in results:
        assert not result["error"]
        assert not result["doubts"]
    assert moved <= set(results[0]["moved"])


@pytest.mark.browser
def test_a_click_moves_the_marker_and_the_link(visit: Callable[..., Page]) -> None:
    page = visit("/map")
    panel = page.locator('[data-panel="map0"]')
    marker = panel.locator('[data-handle="cell"]')
    marker.wait_for()
    before, box = marker.bounding_box(), panel.bounding_box()
    assert before is not None
    assert box is not None
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    page.wait_for_function(
        "([marker, x]) => marker.getBoundingClientRect().x < x - 20",
        arg=[marker.element_handle(), before["x"]],
    )
    page.wait_for_function(
        "() => new URLSearchParams(location.search).get('runs')?.includes('beta=')"
    )
    wait_until_settled(page)


@pytest.mark.browser
def test_a_cell_under_the_pointer_says_what_became_of_its_run(visit: Callable[..., Page]) -> None:
    page = visit("/map")
    panel = page.locator('[data-panel="map0"]')
    panel.locator('[data-handle="cell"]').wait_for()
    box = panel.locator(".dl-plot").bounding_box()
    assert box is not None
    tip = panel.locator(".dl-tip")
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.7 * box["height"])
    tip.wait_for()
    assert "loss" in tip.inner_text()
    assert "diverges" not in tip.inner_text()
    page.mouse.move(box["x"] + 0.78 * box["width"], box["y"] + 0.7 * box["height"])
    page.wait_for_function(
        "() => document.querySelector('[data-panel=map0] .dl-tip').innerText.includes('diverges')"
    )
