"""Slopes at the corners of clip and of powers.

What they stand for: with bounds the wrong way round NumPy's and PyTorch's clip give the upper one
(numpy#18782), and rules that look at x alone send the slope to the other (ChainRules.jl#804). x**y
at (0, 0) is 0 · inf by the textbook's rule (pytorch#27134, stan-dev/math#3031, ChainRules.jl#513).
Right values: clip is min(max(x, low), high), by hand; x**0 is 1 everywhere, so its slope is 0.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from engine.tape import autograd
from engine.tape import operations as ops


@pytest.mark.parametrize(("x", "low", "high"), list(itertools.permutations((-1.5, 0.5, 2.0))))
def test_the_slope_goes_to_what_the_value_is(x: float, low: float, high: float) -> None:
    value = min(max(x, low), high)
    winners = [float(value == part) for part in (x, low, high)]
    for inputs in ((x, low, high), tuple(np.full(4, part) for part in (x, low, high))):
        found = autograd.grad(ops.clip, (0, 1, 2))(*inputs)
        for slope, right in zip(found, winners, strict=True):
            np.testing.assert_array_equal(slope, np.full(np.shape(inputs[0]), right))
        for i, right in enumerate(winners):
            tangents = [np.zeros_like(part) for part in inputs]
            tangents[i] = np.ones_like(inputs[i])
            np.testing.assert_array_equal(
                autograd.jvp(ops.clip, inputs, tangents)[1], np.full(np.shape(inputs[0]), right)
            )
    assert ops.clip(x, low, high) == value


def test_the_reported_case() -> None:
    assert autograd.grad(lambda x, y: ops.clip(x, y, 1.0), (0, 1))(0.0, 2.0) == (0.0, 0.0)
    assert autograd.grad(lambda x, y: ops.clip(x, 2.0, y), (0, 1))(0.0, 1.0) == (0.0, 1.0)


def test_a_bound_of_one_number_leaves_the_shape() -> None:
    """One array gives x and low, and which of them counts is one truth for all of its elements."""
    for at, right in (((0, 2), (0, 0)), ((0, 0.5), (0, 1)), ((0.5, 0), (1, 0))):
        w = np.array(at, float)
        slope = autograd.grad(lambda w: ops.clip(w[0], w[1], 1.0))(w)
        assert slope.tolist() == list(right)
        tangents = [
            autograd.jvp(lambda w: ops.clip(w[0], w[1], 1.0), (w,), (e,))[1] for e in np.eye(2)
        ]
        np.testing.assert_array_equal(tangents, right)


@pytest.mark.parametrize("condition", [True, False, np.True_, np.False_])
def test_a_choice_for_all_takes_the_shape_of_both(condition: bool) -> None:
    """As np.where has it, in value and slope, whichever of the two is the single number."""
    row, column = np.array([2.0, 3.0, 5.0], np.float32), np.ones((2, 1), np.float32)
    for x, y in ((row, 1.0), (1.0, row), (row, column), (column, row)):
        found = ops.where(condition, x, y)
        np.testing.assert_array_equal(found, np.where(condition, x, y))
        assert found.dtype == np.float32
        slopes = autograd.grad(lambda x, y: ops.sum(ops.where(condition, x, y)), (0, 1))(x, y)
        counts = found.size // np.size(x), found.size // np.size(y)
        for part, slope, right in zip((x, y), slopes, (condition, not condition), strict=True):
            assert np.shape(slope) == np.shape(part)
            np.testing.assert_array_equal(slope, counts[part is y] * float(right))


# x, y, the value, ∂x, ∂y: by the limits of y·x^(y−1) and x^y·log x from inside, and 0 at (0, 0).
POWERS = [
    (0.0, 0.0, 1.0, 0.0, 0.0),
    (0.0, 0.5, 0.0, math.inf, 0.0),
    (0.0, 1.0, 0.0, 1.0, 0.0),
    (0.0, 1.5, 0.0, 0.0, 0.0),
    (0.0, 2.0, 0.0, 0.0, 0.0),
    (0.0, -1.0, math.inf, -math.inf, -math.inf),
    (0.0, math.inf, 0.0, 0.0, 0.0),
    (2.0, 0.0, 1.0, 0.0, math.log(2.0)),
    (2.0, -math.inf, 0.0, 0.0, 0.0),
    (math.inf, 0.0, 1.0, 0.0, math.inf),
    (math.inf, 0.5, math.inf, 0.0, math.inf),
    (math.inf, -1.0, 0.0, 0.0, 0.0),
    (math.inf, 1.0, math.inf, 1.0, math.inf),
    (-2.0, 3.0, -8.0, 12.0, 0.0),
    (-2.0, 0.0, 1.0, 0.0, 0.0),
]


@pytest.mark.parametrize(("x", "y", "value", "by_x", "by_y"), POWERS)
def test_powers_have_the_slopes_of_their_limits(
    x: float, y: float, value: float, by_x: float, by_y: float
) -> None:
    def f(a: Any, b: Any) -> Any:
        return ops.power(a, b)

    with np.errstate(all="ignore"):
        for at in ((np.float64(x), np.float64(y)), (np.full(3, x), np.full(3, y))):
            np.testing.assert_array_equal(f(*at), np.full(np.shape(at[0]), value))
            found = autograd.grad(f, (0, 1))(*at)
            forward = [
                autograd.jvp(f, at, [np.full_like(at[0], t) for t in along])[1]
                for along in ((1.0, 0.0), (0.0, 1.0))
            ]
            finite = math.isfinite(by_x) and math.isfinite(by_y)
            for slopes in (found, forward) if finite else (found,):
                np.testing.assert_array_equal(slopes[0], np.full(np.shape(at[0]), by_x))
                np.testing.assert_allclose(slopes[1], np.full(np.shape(at[0]), by_y), rtol=1e-15)


def test_whole_powers_of_what_is_not_finite() -> None:
    for x in (math.inf, -math.inf, math.nan, 0.0):
        assert ops.integer_power(np.float64(x), exponent=0) == 1.0
        assert autograd.grad(lambda v: ops.integer_power(v, exponent=0))(np.float64(x)) == 0.0
