"""Slopes that are small, and operations at the ends of the doubles.

What they stand for: σ′ written s(1 − s) is 0 from x = 37 on, where it is 8.5e-17, and tanh′ written
1 − t² has lost its digits by 18 (tensorflow#126060, tt-metal#55724); softplus written out
overflows (burn#5373). A site about vanishing gradients must have the small numbers right. Right
values: mpmath at up to 800 digits, and limits by hand at ±inf; first and second derivatives, both
modes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from engine.tape import autograd
from engine.tape import operations as ops
from engine.tape.operations import OPERATIONS

INF = math.inf
m = mpmath


def _sigma(x: Any) -> Any:
    return 1 / (1 + m.exp(-x))


# f, f′, f″.
EXACT: dict[str, tuple[Callable[[Any], Any], ...]] = {
    "exp": (m.exp, m.exp, m.exp),
    "log": (m.log, lambda x: 1 / x, lambda x: -1 / x**2),
    "log1p": (lambda x: m.log(1 + x), lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2),
    "sqrt": (m.sqrt, lambda x: 0.5 / m.sqrt(x), lambda x: -0.25 / m.sqrt(x) ** 3),
    "sin": (m.sin, m.cos, lambda x: -m.sin(x)),
    "cos": (m.cos, lambda x: -m.sin(x), lambda x: -m.cos(x)),
    "tan": (m.tan, lambda x: m.sec(x) ** 2, lambda x: 2 * m.tan(x) * m.sec(x) ** 2),
    "tanh": (m.tanh, lambda x: m.sech(x) ** 2, lambda x: -2 * m.tanh(x) * m.sech(x) ** 2),
    "sigmoid": (
        _sigma,
        lambda x: _sigma(x) * _sigma(-x),
        lambda x: -_sigma(x) * _sigma(-x) * m.tanh(x / 2),
    ),
    "softplus": (lambda x: m.log(1 + m.exp(x)), _sigma, lambda x: _sigma(x) * _sigma(-x)),
}
SIZES = (5e-324, 1e-310, 2.3e-308, 1e-300, 1e-16, 1e-8, 0.3, 0.5, 1.0, 2.5, 18.0, 36.9, 40.0, 300.0,
         372.0, 700.0, 709.0, 745.0, 1e4, 1e16, 1e308)  # fmt: skip
# From where on a function is defined; beyond 1e16 neighbouring doubles are periods apart.
LEAST = {"log": 0.0, "sqrt": 0.0, "log1p": -1.0}
MOST = {"sin": 1e16, "cos": 1e16, "tan": 1e16}

# At ±inf and ±0: the operation, x, value, slope, second.
LIMITS: list[tuple[str, float, float, float, float]] = [
    ("exp", INF, INF, INF, INF),
    ("exp", -INF, 0, 0, 0),
    ("log", INF, INF, 0, 0),
    ("log", 0.0, -INF, INF, -INF),
    ("log", -0.0, -INF, INF, -INF),
    ("log1p", INF, INF, 0, 0),
    ("log1p", -1.0, -INF, INF, -INF),
    ("sqrt", INF, INF, 0, 0),
    ("sqrt", 0.0, 0, INF, -INF),
    ("sqrt", -0.0, 0, INF, -INF),
    ("tanh", INF, 1, 0, 0),
    ("tanh", -INF, -1, 0, 0),
    ("tanh", -0.0, 0, 1, 0),
    ("sigmoid", INF, 1, 0, 0),
    ("sigmoid", -INF, 0, 0, 0),
    ("sigmoid", -0.0, 0.5, 0.25, 0),
    ("softplus", INF, INF, 1, 0),
    ("softplus", -INF, 0, 0, 0),
    ("softplus", -0.0, math.log(2), 0.5, 0.25),
    ("relu", INF, INF, 1, 0),
    ("relu", -INF, 0, 0, 0),
    ("relu", -0.0, 0, 0, 0),
    ("absolute", INF, INF, 1, 0),
    ("absolute", -INF, INF, -1, 0),
    ("absolute", -0.0, 0, 0, 0),
    ("sign", INF, 1, 0, 0),
    ("sign", -INF, -1, 0, 0),
    ("sign", -0.0, 0, 0, 0),
]


def every_way(operation: Callable[[Any], Any], x: float) -> list[list[float]]:
    """Value, then the slope by reverse and by forward mode, then the second by four nestings."""

    def reverse(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return autograd.grad(f)

    def forward(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda v: autograd.jvp(f, (v,), (1.0,))[1]

    at = np.float64(x)
    modes = (reverse, forward)
    with np.errstate(all="ignore"):
        found = [[operation(at)], [mode(operation)(at) for mode in modes]]
        found.append([outer(inner(operation))(at) for outer in modes for inner in modes])
    return [[float(v) for v in values] for values in found]


def exactly(f: Callable[[Any], Any], x: float) -> float:
    with mpmath.workdps(800 if abs(x) > 100 else 400):
        value = f(mpmath.mpf(x))
        if abs(value) >= mpmath.mpf(2) ** 1024:
            return math.copysign(INF, value)
        return float(value)


@pytest.mark.parametrize("name", EXACT)
def test_values_and_slopes_from_the_smallest_number_to_the_largest(name: str) -> None:
    for x in (sign * size for size in SIZES for sign in (1, -1)):
        if not LEAST.get(name, -INF) < x or abs(x) > MOST.get(name, INF):
            continue
        for found, f in zip(every_way(OPERATIONS[name], x), EXACT[name], strict=True):
            right = exactly(f, x)
            for value in found:
                assert value == pytest.approx(right, rel=2e-13, abs=2e-322), (name, x)


@pytest.mark.parametrize(("name", "x", "value", "slope", "second"), LIMITS)
def test_values_and_slopes_at_the_ends(
    name: str, x: float, value: float, slope: float, second: float
) -> None:
    for found, right in zip(every_way(OPERATIONS[name], x), (value, slope, second), strict=True):
        assert found == pytest.approx([right] * len(found), rel=1e-15, abs=0)


def test_a_saturated_unit_has_the_slope_of_its_mirror_image() -> None:
    slope = autograd.grad(ops.sigmoid)
    assert slope(40.0) == slope(-40.0) == pytest.approx(4.248354255291589e-18, rel=1e-15)
    # sech²(18) by mpmath.
    assert autograd.grad(ops.tanh)(18.0) == pytest.approx(9.278120971437587e-16, rel=1e-14)


def test_what_is_no_number_stays_none() -> None:
    with np.errstate(all="ignore"):
        for name in (*EXACT, "relu", "absolute", "sign"):
            assert np.isnan(OPERATIONS[name](np.float64(math.nan))), name
        for x in (INF, -INF):
            for name in ("sin", "cos", "tan"):
                assert np.isnan(OPERATIONS[name](np.float64(x)))
        for f in (ops.maximum, ops.minimum):
            for pair in ((math.nan, 1.0), (1.0, math.nan)):
                assert np.isnan(f(*map(np.float64, pair)))
