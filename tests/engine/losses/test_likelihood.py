"""Maximum likelihood of a coin: four curves, one optimum."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.emit.picture import Picture
from engine.losses import information
from engine.losses import likelihood as bernoulli

counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
GRID = np.linspace(0.01, 0.99, 99)


@given(counts)
def test_one_optimum(count: tuple[int, int]) -> None:
    k, n = count
    best = min(GRID, key=lambda t: abs(t - bernoulli.estimate(k, n)))
    c = bernoulli.curves(k, n, GRID)
    for name, curve in c.by_name.items():
        at = np.argmax(curve) if name == "likelihood" else np.argmin(curve)
        assert abs(GRID[at] - best) <= 0.01 + 1e-12


@given(counts)
def test_the_curves_differ_by_constants(count: tuple[int, int]) -> None:
    k, n = count
    c = bernoulli.curves(k, n, GRID)
    np.testing.assert_allclose(c.nll, c.cross_entropy, atol=1e-12)
    entropy = information.binary_entropy(k / n)
    np.testing.assert_allclose(c.cross_entropy - c.kl, entropy, atol=1e-12)
    np.testing.assert_allclose(-np.log(c.likelihood) / n, c.nll, rtol=1e-9, atol=1e-12)


def test_impossible_data() -> None:
    c = bernoulli.curves(7, 10, [0.0, 1.0])
    np.testing.assert_array_equal(c.likelihood, 0)
    assert np.isinf(c.nll).all()
    sure = bernoulli.curves(3, 3, [1.0])
    assert (sure.likelihood[0], sure.nll[0], sure.kl[0]) == (1, 0, 0)


def test_curvature_equals_finite_differences() -> None:
    h = 1e-4
    nll = bernoulli.curves(7, 10, [0.7 - h, 0.7, 0.7 + h]).nll
    assert bernoulli.curvature(7, 10) == pytest.approx((nll[0] - 2 * nll[1] + nll[2]) / h**2, 1e-5)
    assert bernoulli.curvature(0, 10) == math.inf


def test_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="0 to 3 heads"):
        bernoulli.curves(4, 3, [0.5])
    with pytest.raises(ValueError, match="theta lies"):
        bernoulli.curves(1, 3, [1.5])


@given(counts, st.floats(0.02, 0.98))
def test_slope(count: tuple[int, int], theta: float) -> None:
    k, n = count
    expected = (theta - k / n) / (theta * (1 - theta))
    assert bernoulli.slope(k, n, theta) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def sequence(text: str, k: int, n: int) -> str:
    flips, there = bernoulli.resequenced([float(c) for c in text], k, n, 60)
    assert (flips[~there] == 0).all()
    return "".join(f"{flip:.0f}" for flip in flips[there])


@given(st.text("01", min_size=1, max_size=20), counts)
def test_resequenced(flips: str, count: tuple[int, int]) -> None:
    k, n = count
    drawn = sequence(flips, k, n)
    assert len(drawn) == n
    assert drawn.count("1") == k
    assert sequence(drawn, k, n) == drawn
    live = Picture({"flips": [float(c) for c in flips], "k": float(k), "n": float(n)})
    traced, _ = bernoulli.resequenced(live["flips"], live["k"], live["n"], 60)
    plain, _ = bernoulli.resequenced([float(c) for c in flips], k, n, 60)
    np.testing.assert_array_equal(traced.data, plain)


def test_the_last_that_can_are_turned_over() -> None:
    assert sequence("1101", 3, 4) == "1101"
    assert sequence("1101", 2, 4) == "1100"
    assert sequence("0000", 2, 4) == "0011"
    assert sequence("11", 2, 4) == "1100"


@given(counts, st.floats(0.01, 0.99))
def test_traced_curves(count: tuple[int, int], theta: float) -> None:
    k, n = count
    live = Picture({"k": float(k), "n": float(n), "theta": theta})
    traced = bernoulli.curves(live["k"], live["n"], live["theta"]).by_name
    plain = bernoulli.curves(k, n, theta).by_name
    for name, curve in plain.items():
        np.testing.assert_array_equal(traced[name].data, curve)


def test_normal_noise_costs_the_squared_error_but_for_a_constant() -> None:
    y, mu = np.array([-1.0, 0.5, 2.0]), np.array([0.0, 0.5, 1.0])
    c = bernoulli.normal_curves(y, mu, 0.7)
    wanted = [-np.mean([math.log(NormalDist(m, 0.7).pdf(v)) for v in y]) for m in mu]
    np.testing.assert_allclose(c.nll, wanted)
    np.testing.assert_allclose(c.nll - c.squared, np.full(3, c.constant), rtol=1e-12)
    assert mu[np.argmin(c.nll)] == y.mean() == 0.5
