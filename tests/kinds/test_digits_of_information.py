"""Digits lost by cancellation in entropy and the divergences.

What it stands for: nearly equal distributions are where divergences are used (has training
converged? are two models the same?), and there the textbook sums cancel. SciPy's Jensen–Shannon
distance returned NaN for p and q one ulp apart, from the root of a sum that rounding had carried
below 0 (scipy/scipy#20083 and #20779). Every measure must hold to 1e-12 of itself over the whole
range of doubles. Right values: mpmath, 60 digits, of the doubles over their exact sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.losses import information as info

DIGITS = 700  # so that 1 − 5e-324 is told from 1
TINY = [5e-324, 1e-310, 1e-300, 1e-200, 1e-100, 1e-30, 1e-17, 1e-16, 1e-12, 1e-9, 1e-5, 1e-3]


def exactly(p: Sequence[float]) -> list[Any]:
    numbers = [mpmath.mpf(float(x)) for x in p]
    return [x / mpmath.fsum(numbers) for x in numbers]


def entropy(p: list[Any], q: list[Any] | None = None) -> Any:
    pairs = zip(p, p if q is None else q, strict=True)
    return -mpmath.fsum(a * mpmath.log(b) for a, b in pairs if a)


def divergence(p: list[Any], q: list[Any]) -> Any:
    return mpmath.fsum(a * mpmath.log(a / b) for a, b in zip(p, q, strict=True) if a)


def js(p: list[Any], q: list[Any]) -> Any:
    m = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return (divergence(p, m) + divergence(q, m)) / 2


def off(got: Any, right: Any) -> float:
    """The relative error; where the right value is no normal double, by the smallest of those."""
    return float(abs(mpmath.mpf(float(got)) - right) / max(abs(right), mpmath.mpf(2.3e-308)))


def test_the_reported_values() -> None:
    p, q = [0.5, 0.5], [0.5 + 1e-12, 0.5 - 1e-12]
    assert info.kl_divergence(p, q) == pytest.approx(2.0e-24, rel=1e-3)  # 2δ², δ rounded to 1e-4
    assert info.binary_entropy(1e-17) == pytest.approx(4.0143946580898906e-16, rel=1e-14)


@pytest.mark.parametrize("p", [*TINY, 0.1, 0.3, 0.5, 0.7, 0.999, 1 - 1e-9, 1 - 2**-53])
def test_a_coin_of_any_bias(p: float) -> None:
    with mpmath.workdps(DIGITS):
        heads = mpmath.mpf(p)
        right = entropy([heads, 1 - heads])
        assert off(info.binary_entropy(p), right) < 1e-14
        assert off(info.entropy_along([0.4, 0.6], 0, [p])[0], right) < 1e-14
        assert off(info.entropy([p, 1 - p]), entropy(exactly([p, 1 - p]))) < 1e-14
        assert off(info.binary_entropy(p, 2), right / mpmath.log(2)) < 1e-14


@pytest.mark.parametrize("t", TINY)
def test_a_rare_outcome_among_several(t: float) -> None:
    p, q = [t, 0.25, 0.75 - t], [0.5, 0.3, 0.2]
    sure, surer = [1.0 - t, t, 0.0], [1.0 - 2 * t, 2 * t, 0.0]
    with mpmath.workdps(DIGITS):
        for a, b in (
            (p, q),
            (q, p),
            (sure, surer),
            (surer, sure),
            (sure, q),
            (q, [0.5, 0.5 - t, t]),
        ):
            x, y = exactly(a), exactly(b)
            assert off(info.entropy(a), entropy(x)) < 1e-13
            assert off(info.js_divergence(a, b), js(x, y)) < 1e-13
            if all(b[i] for i in range(3) if a[i]):
                assert off(info.cross_entropy(a, b), entropy(x, y)) < 1e-13
                assert off(info.kl_divergence(a, b), divergence(x, y)) < 1e-13
                total = float(info.entropy(a)) + float(info.kl_divergence(a, b))
                assert total == pytest.approx(
                    float(info.cross_entropy(a, b)), rel=1e-13, abs=1e-320
                )


# Steps that are doubles on both sides of ½, so that the sums are exactly 1.
@pytest.mark.parametrize("power", [2, 5, 10, 20, 26, 27, 30, 40, 48, 52])
def test_nearly_equal_coins(power: int) -> None:
    d = 2.0**-power
    p, q = [0.5, 0.5], [0.5 + d, 0.5 - d]
    with mpmath.workdps(DIGITS):
        x, y = exactly(p), exactly(q)
        assert off(info.kl_divergence(p, q), divergence(x, y)) < 1e-14
        assert off(info.kl_divergence(q, p), divergence(y, x)) < 1e-14
        assert off(info.js_divergence(p, q), js(x, y)) < 1e-14


weights = st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=6)


@given(weights, st.floats(-15, -1), st.integers(0, 2**32 - 1))
@example([1.0, 1.0], -12.0, 0)
def test_nearby_distributions_drawn_at_random(w: list[float], size: float, seed: int) -> None:
    shifted = np.array(w) * (1 + 10**size * np.random.default_rng(seed).uniform(-1, 1, len(w)))
    p, q = info.normalized(w), info.normalized(shifted)
    with mpmath.workdps(80):
        x, y = exactly(p), exactly(q)
        # Below 1e-30 the sums of the doubles, known to a few 1e-17, are all that differs.
        for got, right in (
            (info.kl_divergence(p, q), divergence(x, y)),
            (info.kl_divergence(q, p), divergence(y, x)),
            (info.js_divergence(p, q), js(x, y)),
        ):
            assert float(abs(mpmath.mpf(float(got)) - right)) <= 1e-12 * float(right) + 1e-44


@given(weights, weights)
def test_distributions_drawn_at_random(v: list[float], w: list[float]) -> None:
    n = min(len(v), len(w))
    p, q = info.normalized(v[:n]), info.normalized(w[:n])
    with mpmath.workdps(80):
        x, y = exactly(p), exactly(q)
        assert off(info.entropy(p), entropy(x)) < 1e-13
        assert off(info.cross_entropy(p, q), entropy(x, y)) < 1e-13
        assert off(info.surprise(p[0]), -mpmath.log(mpmath.mpf(float(p[0])))) < 1e-14


def test_one_ulp_apart_is_small_and_no_less_than_zero() -> None:
    x = math.nextafter(0.5, 0)
    p, q = [x, 1 - x], [1 - x, x]
    with mpmath.workdps(DIGITS):
        assert off(info.js_divergence(p, q), js(exactly(p), exactly(q))) < 1e-13
    assert info.js_divergence(p, p) == info.kl_divergence(p, p) == 0.0


def test_what_is_in_proportion_is_the_same_distribution() -> None:
    p = np.array([0.2, 0.3, 0.5])
    q = p * (1 + 1e-7)  # sums to 1 within the tolerance
    assert 0 <= info.kl_divergence(p, q) < 1e-22  # the products are rounded
    assert 0 <= info.js_divergence(p, q) < 1e-22


def test_impossible_outcomes() -> None:
    assert info.kl_divergence([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert info.cross_entropy([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert info.kl_divergence([1.0, 0.0], [0.5, 0.5]) == pytest.approx(math.log(2), rel=1e-15)
    assert info.entropy([1.0, 0.0, 0.0]) == 0.0
    assert info.binary_entropy([0.0, 1.0]).max() == 0.0
    assert info.js_divergence([1.0, 0.0], [0.0, 1.0], 2) == pytest.approx(1.0, rel=1e-15)
    assert info.entropy([1.0]) == info.kl_divergence([1.0], [1.0]) == 0.0
