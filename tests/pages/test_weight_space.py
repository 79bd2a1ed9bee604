"""Paths in weight space: what its presets claim, and what the page says of a run that is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.studies.weight_space import (
    Path,
    Seen,
    borne,
    follow,
    random_walk,
    seen,
    stand,
    task,
    walk_shares,
)
from pages.competitors import parse_runners
from pages.weight_space_presets import PRESETS
from tests.pages.programs import component_data
from tests.pages.running import markdown, open_page

LINKS = {preset.name: dict(preset.link) for preset in PRESETS}


def followed(name: str) -> tuple[list[Path], list[Any], Seen]:
    """The paths of a preset, the sharpness that each rule bears, and the plane."""
    link = LINKS[name]
    here = task(link.get("data", "curve"), 12, 2, "tanh", 0)
    paths, bounds = [], []
    for runner in parse_runners(link.get("runs", "sgd:lr=0.25")):
        hypers = {h.name: runner.value(h) for h in runner.optimizer.hypers}
        options = runner.optimizer.option_values(runner.options)
        paths.append(follow(here, runner.optimizer, hypers, options, steps=2000))
        bounds.append(borne(runner.optimizer, hypers, options))
    return paths, bounds, seen(here, paths, link.get("plane", "pca"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "edges"),
    [
        ("Edge of stability", [8.0]),
        ("Two rates, two edges", [5.0, 40 / 3]),
        ("Momentum's edge", [20.0, 40 / 3]),
    ],
)
def test_each_run_ends_at_its_own_edge(name: str, edges: list[float]) -> None:
    paths, bounds, _ = followed(name)
    assert bounds == pytest.approx(edges)
    for path, edge in zip(paths, edges, strict=True):
        assert path.sharpness[0] < edge
        assert path.sharpness[-25:] == pytest.approx(edge, rel=0.06)
        assert path.loss[-1] < 0.02 * path.loss[0]
    if name != "Momentum's edge":
        assert np.sum(np.diff(paths[0].loss) > 0) > 5  # jumps up, and falls in the long run


def test_a_small_rate_never_comes_near_its_edge() -> None:
    (path,), (edge,), _ = followed("Too slow for the edge")
    assert path.sharpness.max() < 0.2 * edge
    assert np.all(np.diff(path.loss) < 0)


def test_rules_that_divide_come_to_an_edge_in_their_own_metric() -> None:
    paths, bounds, _ = followed("Adam's edge")
    assert bounds == pytest.approx([38 / 0.01, 2 / 0.003])
    for path, edge in zip(paths, bounds, strict=True):
        assert path.effective[0] < 0.5 * edge
        assert np.mean(path.effective[-50:]) == pytest.approx(edge, rel=0.1)
        assert path.effective[-50:] == pytest.approx(edge, rel=0.25)


def test_sam_ends_where_it_is_flatter() -> None:
    (sam, sgd), (_, edge), _ = followed("SAM stays below")
    assert edge == pytest.approx(8.0)
    assert sam.sharpness[-25:].max() < 0.5 * edge
    assert sam.loss[-1] > sgd.loss[-1]


def test_a_rule_whose_steps_are_no_multiples_of_the_gradient_goes_beyond() -> None:
    (muon, sgd), bounds, _ = followed("Beyond 2/η")
    assert bounds == [None, pytest.approx(8.0)]
    assert sgd.sharpness[-25:] == pytest.approx(8.0, rel=0.06)
    assert muon.sharpness[-25:].min() > 16
    assert muon.loss[-1] < sgd.loss[-1] / 4


def test_cross_entropy_lets_go_of_the_edge() -> None:
    (path,), (edge,), _ = followed("Cross-entropy lets go")
    assert path.sharpness[:20].max() > 1.5 * edge
    assert path.sharpness[-25:].max() < 0.2 * edge
    assert np.all(np.diff(path.sharpness[-50:]) < 0)


def test_three_ends_lie_far_apart() -> None:
    paths, _, view = followed("Three rules, one plane")
    ends = [path.weights[-1] for path in paths]
    ways = [np.linalg.norm(path.weights[-1] - path.weights[0]) for path in paths]
    assert min(np.linalg.norm(a - b) for a in ends for b in ends if a is not b) > 0.3 * min(ways)
    assert 0.8 < sum(view.share) < 0.95


def test_a_random_plane_holds_hardly_anything() -> None:
    (path,), _, view = followed("A random plane")
    assert sum(view.share) < 0.1
    where = np.hypot(view.x[0], view.y[0])
    assert where.max() < 0.5 * np.linalg.norm(path.weights[0] - path.weights[-1])
    assert view.below > 20 * path.loss[-1]


def test_a_walk_looks_as_good() -> None:
    assert LINKS["A walk looks as good"] == {"walk": "1"}
    x, y, share = random_walk(101, 193)
    assert share.sum() > 0.7
    assert share.sum() == pytest.approx(walk_shares(101).sum(), abs=0.05)
    # The components of a Lissajous curve: half a cosine, and a whole one.
    t = np.pi * (np.arange(101) + 0.5) / 101
    assert abs(np.corrcoef(x, np.cos(t))[0, 1]) > 0.97
    assert abs(np.corrcoef(y, np.cos(2 * t))[0, 1]) > 0.95


def test_where_each_preset_stands_to_its_edge() -> None:
    expected = {
        "Edge of stability": "at", "Two rates, two edges": "at", "Too slow for the edge": "below",
        "Momentum's edge": "at", "Adam's edge": "at", "Cross-entropy lets go": "off",
    }  # fmt: skip
    found = {name: followed(name)[:2] for name in expected}
    assert {name: stand(paths[0], bounds[0]) for name, (paths, bounds) in found.items()} == expected
    lost = follow(task("curve", 12, 2, "tanh", 0), "sgd", {"lr": 5.0}, steps=200)
    assert stand(lost, 0.4) == "lost"


def test_the_plane_holds_what_the_page_says() -> None:
    page = open_page("weight_space")
    assert not page.exception
    said = markdown(page)
    assert "stable up to a curvature of 8 and is thrown out beyond it. A network is no" in said
    assert "20 examples, all in every step, and 193 weights" in said
    assert "76\u202f% of its variance" in said


def test_a_run_that_is_lost_is_told() -> None:
    page = open_page("weight_space", runs="sgd:lr=5;adam:lr=0.01", steps="200")
    assert not page.exception
    assert "SGD is lost near step" in markdown(page)


def test_rules_for_matrices_wrappers_and_a_readers_own_are_followed() -> None:
    own = "typed~w%20%3D%20w%20-%20lr%20*%20g"
    page = open_page("weight_space", runs=f"muon:lr=0.01;lookahead~sgd:lr=0.1;{own}", steps="100")
    assert not page.exception
    said = markdown(page)
    assert "Muon moves the hidden matrices; all else is AdamW" in said
    assert "No edge in closed form is known of Muon" in said
    refused = open_page("weight_space", runs="newton:lr=0.01")
    assert not refused.exception
    assert "newton is none of" in refused.warning[0].value


def test_the_walk_stands_beside_the_plane() -> None:
    page = open_page("weight_space", walk="1", steps="200")
    (panels,) = (d["panels"] for d in component_data(page) if "panels" in d)
    assert [panel["id"] for panel in panels] == ["plane", "walk", "sharpness", "loss"]
