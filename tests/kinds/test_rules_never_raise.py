"""Arithmetic of a rule or a formula that has no finite answer.

What it stands for: the same function raises ZeroDivisionError interpreted and gives inf compiled,
or the other way round (numba#8743, #1256); a quotient in the branch that is not taken is enough
(OasisLMF#1447). Here a run is data wherever it is computed: inf and NaN as IEEE 754 says, the plain
run, the sweep and JavaScript alike. Right values: by hand, and each form against the others.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.emit.compiled import CellsKernel
from engine.runs.descent import DIVERGENCE_RADIUS
from engine.runs.tracing import landscape_loop
from tests.engine.emit.node import Batch

RULES = [
    "w = w - lr*g*where(t>1, 1/(t-1), 1)",
    "w = w - lr*g/(t - 3)",
    "w = w - lr*g*log(t - 2)",
    "w = w - lr*g*sqrt(2 - t)",
    "w = w - lr*g*exp(1000*t)",
    "w = w - lr*g/relu(t - 2)",
    "w = w - lr*g/where(t>2, 1, 0)",
    "w = w - lr*g*(t - 2)**-1",
    "w = w - lr*g*(2 - t)**0.5",
    "w = w - lr*g/(1 - c)",  # c begins at 1
    "a = a/a\nw = w - lr*g*where(a>0, a, 1)",
    "a = (t-1)/(t-1)\nw = w - lr*where(t>1, g/a, g)",
]
FORMULAS = [
    ("y/relu(x)", (-1.0, 1.0)),
    ("y/clip(x, 0, 1)", (-1.0, 1.0)),
    ("x + y/max(x, 0)", (-1.0, 1.0)),
    ("log(relu(x)) + y", (-1.0, 1.0)),
    ("relu(x)**-2 + y", (-1.0, 1.0)),
    ("(x + y)/where(x>0, x, 0)", (-1.0, 1.0)),
    ("1/x + y", (0.0, 0.0)),
    ("sqrt(x) + y**2", (-4.0, 1.0)),
    ("exp(x*y)", (9999.0, 9999.0)),
    ("where(x>0, y/x, y)", (0.0, 2.0)),
    ("where(x>0, sqrt(x), x**2) + y**2", (-1.0, 1.0)),
]
STEPS = 12
CASES = [("x**2 + 25*y**2", (5.0, 3.0), rule) for rule in RULES]
CASES += [(formula, start, rule) for formula, start in FORMULAS for rule in ("sgd", "adam")]


def test_a_quotient_of_the_step_alone() -> None:
    """The reported run: (5, 3) goes to (4.9, 0), (4.802, 0), (4.754, 0)."""
    rule = engine.optimizer(RULES[0])
    run = engine.descend(engine.LANDSCAPES["bowl"](condition=50), rule, (5, 3), 3, {"lr": 0.01})
    np.testing.assert_allclose(run.path[1:, 0], [4.9, 4.802, 4.75398], rtol=1e-12)
    np.testing.assert_allclose(run.path[1:, 1], 0.0, atol=1e-12)


@pytest.mark.parametrize(("formula", "start", "rule"), CASES)
def test_no_run_raises_and_lanes_take_the_same_path(
    formula: str, start: tuple[float, float], rule: str
) -> None:
    surface = engine.landscape(formula)
    optimizer = engine.OPTIMIZERS.get(rule) or engine.optimizer(rule)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = engine.descend(surface, optimizer, start, STEPS, {"lr": 0.01})
        assert np.isfinite(run.path).all()
        assert run.loss.shape == (STEPS + 1,)
        assert run.gradient.shape == (STEPS + 1, 2)
        assert set(run.state) >= {slot.name for slot in optimizer.state}
        tile = engine.sweep(surface, optimizer, {"lr": [0.01]}, start, STEPS)
    assert tile.diverged_at[0] == (run.diverged_at or -1)
    np.testing.assert_allclose(tile.final_point[0], run.path[-1], rtol=1e-12)


def test_javascript_takes_the_same_path(tmp_path: Path) -> None:
    batch, runs = Batch(), []
    for formula, start, rule in CASES:
        surface = engine.landscape(formula)
        optimizer = engine.OPTIMIZERS.get(rule) or engine.optimizer(rule)
        runs.append(engine.descend(surface, optimizer, start, STEPS, {"lr": 0.01}))
        argument = {"start": list(start), "steps": STEPS, "hypers": {"lr": 0.01}}
        batch.add(engine.browser_run(surface, optimizer), "run", argument)
    for result, run in zip(batch.run(tmp_path), runs, strict=True):
        assert result["stopped"] == run.diverged_at
        np.testing.assert_allclose(result["path"].reshape(-1, 2), run.path, rtol=1e-12)


@pytest.mark.parametrize(("formula", "start", "rule"), CASES[::9])
def test_blocks_take_the_same_path(formula: str, start: tuple[float, float], rule: str) -> None:
    """Some of them, as compiling one takes half a second."""
    surface = engine.landscape(formula)
    optimizer = engine.OPTIMIZERS.get(rule) or engine.optimizer(rule)
    run = engine.descend(surface, optimizer, start, STEPS, {"lr": 0.01})
    kernel = CellsKernel(landscape_loop(surface, optimizer, optimizer.option_values()), np.float64)
    kernel.compile()
    constants = list(optimizer.hyper_values({"lr": 0.01}).values())
    begin = [np.array([c]) for c in start]
    x, y, left = kernel.run(STEPS, DIVERGENCE_RADIUS, 0.0, constants, [], begin)
    np.testing.assert_allclose((x[0], y[0]), run.path[-1], rtol=1e-12)
    assert (left[0] or None) == run.diverged_at
