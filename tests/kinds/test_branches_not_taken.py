"""What comes out of a branch that was not taken.

What it stands for: `where(x > 0, sqrt(x), x)` has a NaN gradient at -4 in PyTorch, JAX, TensorFlow
and tinygrad (pytorch#187297, #108618 and #52248; jax-ml/jax#347 and #1052; tensorflow#38349;
tinygrad#12409), as the branch not taken is multiplied by 0 and its own slope is not finite; one is
told to choose twice. Here a cotangent knows where it counts. Right values: the slope of the formula
that was chosen, by hand; in reverse and forward mode, to second order, on numbers and arrays, in a
run and in every form that a run is printed in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.emit.compiled import CellsKernel
from engine.problems.formula import parse
from engine.runs.descent import DIVERGENCE_RADIUS
from engine.runs.tracing import landscape_loop
from engine.tape import Vector, autograd
from engine.tape import operations as ops
from tests.engine.emit.node import Batch

# Formula, point, gradient, matrix of second derivatives.
CASES = [
    ("where(x>0, sqrt(x), x)", (-4, 0), (1, 0), ((0, 0), (0, 0))),
    ("where(x>0, log(x), x*y)", (0, 3), (3, 0), ((0, 1), (1, 0))),
    ("where(x>0, 1/x, y)", (0, 3), (0, 1), ((0, 0), (0, 0))),
    ("where(x>0, x**0.5, x**3)", (-2, 1), (12, 0), ((-12, 0), (0, 0))),
    # Choices within choices, and a node that two of them share, neither of which wants it.
    ("where(x>0, where(y>0, sqrt(x*y), log(x)), x**3 + y)", (-2, -1), (12, 1), ((-12, 0), (0, 0))),
    ("where(y>0, where(x>0, sqrt(x), 5*x), log(y))", (-2, 1), (5, 0), ((0, 0), (0, 0))),
    ("where(x>0, sqrt(x), x)*where(x>0, log(x), x**2)", (-4, 0), (48, 0), ((-24, 0), (0, 0))),
    ("where(y>1, sqrt(sqrt(x)), 1) + where(y>2, log(sqrt(x)), x)", (-2, 0), (1, 0), ((0, 0),) * 2),
    # Kinks choose as well.
    ("relu(log(x)) + x", (0, 0), (1, 0), ((0, 0), (0, 0))),
    ("min(1/x, 5) + x", (0, 0), (1, 0), ((0, 0), (0, 0))),
    ("clip(log(x), -1, 1) + 2*x", (0, 0), (2, 0), ((0, 0), (0, 0))),
    ("max(min(1/x, 5), y) + x*y", (0, 1), (1, 0), ((0, 1), (1, 0))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at", "slopes", "matrix"), CASES)
def test_it_has_no_slope_in_either_mode_to_second_order(
    text: str, at: tuple[float, float], slopes: Any, matrix: Any
) -> None:
    formula = parse(text)

    def f(w: Vector) -> Any:
        return formula(x=w[0], y=w[1])

    ends = [Vector(map(np.float64, at)), Vector(np.full(3, float(c)) for c in at)]
    with np.errstate(all="ignore"):
        for w in ends:
            one, nothing = (Vector([np.ones_like(x) for x in w]), 0.0 * w)
            along = [Vector((one[0], nothing[1])), Vector((nothing[0], one[1]))]
            reverse = autograd.grad(f)(w)
            forward = [autograd.jvp(f, (w,), (v,))[1] for v in along]
            mixed = autograd.hessian(f)(w)
            twice = [autograd.grad(lambda u, i=i: autograd.grad(f)(u)[i])(w) for i in (0, 1)]
            for found, right in zip((*reverse, *forward), (*slopes, *slopes), strict=True):
                np.testing.assert_array_equal(found, np.broadcast_to(right, np.shape(w[0])))
            for rows in (mixed, twice):
                for row, rights in zip(rows, matrix, strict=True):
                    for found, right in zip(row, rights, strict=True):
                        np.testing.assert_allclose(
                            found, np.full(np.shape(w[0]), right), atol=1e-12
                        )


def test_where_elements_differ_each_keeps_its_own() -> None:
    x = np.array([-4.0, 0.0, 4.0])
    with np.errstate(all="ignore"):
        slope = autograd.grad(lambda v: ops.sum(ops.where(v > 0, ops.sqrt(v), v)))(x)
        # A shared number, broadcast against the choice, gets what the taken branches give.
        shared = autograd.grad(lambda s: ops.sum(ops.where(x > 0, ops.log(s * x), s)))(2.0)
        # A norm that is guarded by its own square; the sum moves elements.
        norm = autograd.grad(lambda v: _norm(v))(np.zeros(3))
    np.testing.assert_array_equal(slope, [1.0, 1.0, 0.25])
    assert shared == 2.5
    np.testing.assert_array_equal(norm, np.zeros(3))


def _norm(v: Any) -> Any:
    square = ops.sum(v * v)
    return ops.where(square > 0, ops.sqrt(square), 0.0)


def test_an_infinite_slope_that_was_taken_is_not_hidden() -> None:
    """0 · inf stays what it is where it belongs: (√x)² is not differentiable by parts at 0."""
    with np.errstate(all="ignore"):
        assert np.isnan(autograd.grad(lambda x: ops.sqrt(x) ** 2)(np.float64(0)))
        assert autograd.grad(lambda x: ops.where(x >= 0, ops.sqrt(x), x))(np.float64(0)) == np.inf


def test_a_run_takes_the_finite_step_in_every_form(tmp_path: Path) -> None:
    """From x = -4 the slope is 1: five steps of 0.1 to the left."""
    surface = engine.landscape("where(x>0, sqrt(x), x) + y**2")
    run = engine.descend(surface, "sgd", (-4.0, 1.0), 5, {"lr": 0.1})
    np.testing.assert_allclose(run.path[:, 0], -4 - 0.1 * np.arange(6), rtol=1e-15)
    np.testing.assert_array_equal(run.gradient[0], (1.0, 2.0))
    np.testing.assert_array_equal(surface.hessian(run.path[0]), [[0.0, 0.0], [0.0, 2.0]])
    kernel = CellsKernel(landscape_loop(surface, engine.OPTIMIZERS["sgd"], {}), np.float64)
    for _ in range(2):
        begin = [np.array([-4.0]), np.array([1.0])]
        x, y, left = kernel.run(5, DIVERGENCE_RADIUS, 0.0, [0.1], [], begin)
        assert (x[0], y[0], left[0]) == (*run.path[-1], 0.0)
        kernel.compile()
    batch = Batch()
    argument = {"start": [-4.0, 1.0], "steps": 5, "hypers": {"lr": 0.1}}
    batch.add(engine.browser_run(surface, "sgd"), "run", argument)
    np.testing.assert_array_equal(batch.run(tmp_path)[0]["path"].reshape(-1, 2), run.path)
