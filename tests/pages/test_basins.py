"""The page of the basins: its numbers, its links, its replay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from engine import LANDSCAPES, OPTIMIZERS, sweep
from engine.problems import minima as basins
from engine.runs.live_sweep import middles
from engine.studies.seeds import ends_over_seeds
from tests.browser import wait_until_settled
from tests.pages.programs import run_programs, specs_of
from tests.pages.running import markdown, open_page, tables


@pytest.fixture(autouse=True)
def _no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESCENT_LAB_COMPILE", "0")


def test_himmelblaus_four_minima_are_named_with_their_shares() -> None:
    page = open_page("basins")
    assert not page.exception
    table = tables(page)
    for place in ("(3.00, 2.00)", "(−2.81, 3.13)", "(−3.78, −3.28)", "(3.58, −1.85)"):
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


def labels_of(
    name: str, slug: str, hypers: dict[str, float], *, steps: int = 200, side: int = 48
) -> np.ndarray:
    """Where a runner's starts end, over the landscape's window."""
    surface = LANDSCAPES[name]
    (x0, x1), (y0, y1) = surface.window
    axes = {"y": middles(y0, y1, side, log=False), "x": middles(x0, x1, side, log=False)}
    found = sweep(surface, slug, axes, surface.start, steps, hypers=hypers)
    return basins.label(found.final_point, found.diverged, basins.minima_of(surface))


def pieces(labels: np.ndarray) -> int:
    """How often the label changes along the rows: how folded the borders are."""
    return int((labels[:, 1:] != labels[:, :-1]).sum())


def test_a_program_that_is_too_long_is_refused_in_words() -> None:
    bomb = f"max({', '.join(['x*y'] * 60)})"
    page = open_page("basins", on="formula", f=bomb, steps="2000")
    assert not page.exception
    assert "too many here" in page.warning[0].value


def test_the_presets_claims_hold() -> None:
    """Momentum folds its basins and a larger step frays gradient descent's; the deepest of the
    four wells draws in less than half of the starts; the camel has two global minima of six."""
    calm = labels_of("himmelblau", "sgd", {"lr": 0.01})
    assert pieces(labels_of("himmelblau", "momentum", {"lr": 0.01})) > 3 * pieces(calm)
    assert pieces(labels_of("himmelblau", "sgd", {"lr": 0.018})) > 2 * pieces(calm)
    wells = basins.minima_of(LANDSCAPES["styblinski_tang"])
    assert [m.is_global for m in wells] == [True, False, False, False]
    labels = labels_of("styblinski_tang", "sgd", {"lr": 0.01})
    assert basins.share_of_global(labels, wells) < 0.5
    assert [m.is_global for m in basins.minima_of(LANDSCAPES["six_hump_camel"])].count(True) == 2


def test_noise_decides_in_which_well_gradient_descent_ends() -> None:
    """Of equal depth, the wells hold probability as their width squared: 0.35² against 1."""
    wells, sgd, adam = LANDSCAPES["two_wells"], OPTIMIZERS["sgd"], OPTIMIZERS["adam"]
    sharp, flat = 0, 1
    start = (1.5, 0.05)
    still = ends_over_seeds(wells, sgd, start, 1000, {"lr": 0.1}, noise=0.0)
    assert still.shares[sharp] == 1.0
    noisy = ends_over_seeds(wells, sgd, start, 1000, {"lr": 0.1}, noise=2.0)
    assert noisy.shares[flat] > 0.55 > 3 * noisy.shares[sharp] - 0.1
    assert noisy.error(flat) < 0.08
    kept = ends_over_seeds(wells, adam, start, 1000, {"lr": 0.05}, noise=2.0)
    assert kept.shares[sharp] == 1.0


def test_with_noise_the_chances_over_seeds_are_shown() -> None:
    link = {"on": "two_wells", "runs": "sgd:lr=0.1", "steps": "200", "start": "1.5,0.05"}
    assert "seeds, from the marked start" in tables(open_page("basins", **link, noise="2"))
    assert "seeds, from the marked start" not in tables(open_page("basins", **link))


@pytest.mark.parametrize(
    "link",
    [{}, {"on": "two_wells", "runs": "sgd:lr=0.1;adam:lr=0.05", "steps": "300", "noise": "0.1"},
     {"on": "saddle"}, {"on": "rastrigin", "runs": "adam:lr=0.1"}],
)  # fmt: skip
def test_the_browser_finds_the_same_basins_and_follows_every_value(
    link: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.wire._REMEMBERED", 0)
    (result,) = run_programs(specs_of(open_page("basins", **link)), tmp_path)
    assert not result["error"]
    assert not result["doubts"]
    assert {"start", "steps", "0/lr", "noise"} <= set(result["moved"])


@pytest.mark.browser
def test_a_click_replays_the_run_from_there(visit: Callable[..., Page]) -> None:
    page = visit("/basins")
    panel = page.locator('[data-panel="basins0"]')
    panel.locator('[data-handle="start"]').wait_for()
    box = panel.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.4 * box["height"])
    page.wait_for_function("() => new URLSearchParams(location.search).has('start')")
    wait_until_settled(page)
