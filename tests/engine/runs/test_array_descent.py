"""Descents on landscapes that hold arrays of their own: the recorded step against the plain one,
and both against the reader's browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.live import Live
from components.wire import Wire
from engine import LANDSCAPES, OPTIMIZERS, descend
from engine.emit.fused import fused
from engine.emit.picture import Picture
from engine.optimizers import Optimizer
from engine.runs.array_descent import descend_on_arrays, live_descend_on_arrays
from engine.runs.descent import PlaneOracle
from engine.runs.step import first_state, take_step
from engine.studies.divergence import DIVERGENCES, FAR, PARAMETERS, surface
from engine.tape import Vector
from tests.pages.programs import run_programs

START = (1.0, -0.5)
HUMPS = {"separation": 3.3, "spread": 0.9, "weight": 0.4}
RULES = [
    rule
    for rule in OPTIMIZERS.values()
    if rule.draws is None and any(h.name == "lr" for h in rule.hypers)
]
# Newton's steps here land where the curvature is next to nothing, and LAMB's second step divides
# two norms that are both next to nothing: the last bit decides.
WILD = {"newton", "lamb"}


def plainly(rule: Optimizer, steps: int) -> np.ndarray:
    """The rule evaluated as it stands, array operation by array operation."""
    landscape = DIVERGENCES["reverse"](**HUMPS)
    w, options = Vector(map(np.float64, START)), rule.option_values()
    state, path = first_state(rule.slots(), w), [START]
    for t in range(1, steps + 1):
        oracle = PlaneOracle(landscape, landscape.arguments, np.float64(t))
        w, state = take_step(rule, oracle, w, state, rule.hyper_values({"lr": 0.1}), options)
        path.append(tuple(w))
    return np.array(path)


@pytest.mark.parametrize("slug", ["adam", "nesterov", "line_search", "sam"])
def test_the_recorded_step_is_the_plain_one(slug: str) -> None:
    ours = descend_on_arrays(DIVERGENCES["reverse"](**HUMPS), slug, START, 12, {"lr": 0.1})
    np.testing.assert_allclose(ours.path, plainly(OPTIMIZERS[slug], 12), rtol=1e-12)


def test_where_both_can_run_it_is_descend() -> None:
    bowl = LANDSCAPES["bowl"](condition=3)
    for rate in (0.01, 0.4):  # the second leaves all bounds
        ours = descend_on_arrays(bowl, "momentum", START, 50, {"lr": rate})
        theirs = descend(bowl, "momentum", START, 50, {"lr": rate})
        np.testing.assert_allclose(ours.path, theirs.path, rtol=1e-12)
        assert ours.diverged_at == theirs.diverged_at


def test_a_rule_with_other_steps_at_times_is_run_here_alone() -> None:
    forward = DIVERGENCES["forward"]
    assert np.isfinite(descend_on_arrays(forward, "sophia", START, 25).path).all()
    with pytest.raises(ValueError, match="the same at every step"):
        live_descend_on_arrays(forward, "sophia", START, 25)


def test_the_browser_finds_the_same_and_follows(tmp_path: Path) -> None:
    """Every rule on both divergences: 60 steps, the loss at their end, and one run that is lost."""
    specs = []
    for direction, landscape in DIVERGENCES.items():
        for rule in RULES:
            lost = direction == "forward" and rule.slug == "sgd"
            x, y = (3.0, -1.3) if lost else START
            given = {**HUMPS, "x": x, "y": y, "steps": 60.0, "lr": 1.0 if lost else 0.05}
            picture = Picture(given)
            humps = {p.name: picture[p.name] for p in PARAMETERS}
            run = live_descend_on_arrays(
                landscape, rule, (picture["x"], picture["y"]), picture["steps"],
                {"lr": picture["lr"]}, parameters=humps, bound=FAR,
            )  # fmt: skip
            live = Live("page", picture)
            for leaf in (run.x, run.y, run.stopped, run.loss):
                live.leaf(leaf)
            assert (run.result.diverged_at is not None) == lost
            specs.append(live.spec(Wire(named=False), 0, ()))
    names = [(direction, rule.slug) for direction in DIVERGENCES for rule in RULES]
    for (direction, slug), result in zip(names, run_programs(specs, tmp_path), strict=True):
        assert not result["error"], slug
        assert slug in WILD or not result["doubts"], (direction, slug)
        assert {"x", "y", "lr", *HUMPS} <= set(result["moved"]), (direction, slug)


def test_a_fused_function_is_the_same_in_the_browser(tmp_path: Path) -> None:
    specs = []
    for direction in DIVERGENCES:
        picture = Picture(HUMPS)
        values = surface(direction, {name: picture[name] for name in HUMPS})
        np.testing.assert_array_equal(values.data, surface(direction, HUMPS))
        live = Live("page", picture)
        live.leaf(values)
        specs.append(live.spec(Wire(named=False), 0, ()))
    for result in run_programs(specs, tmp_path):
        assert not result["error"]
        assert not result["doubts"]
        assert sorted(result["moved"]) == sorted(HUMPS)


def test_without_a_traced_number_it_is_the_function() -> None:
    assert fused(np.hypot, 3.0, np.array([4.0])) == [5.0]
