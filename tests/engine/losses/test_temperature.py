"""What temperature does to softmax, and the gradient found in three ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.emit.picture import Picture
from engine.losses.temperature import check_gradient, cooling, power_of_e, steps

logits = st.lists(st.floats(-6, 6), min_size=2, max_size=6)


@given(logits, st.floats(0.05, 50))
def test_three_ways_to_one_gradient(z: list[float], temperature: float) -> None:
    check = check_gradient(z, 0, temperature)
    np.testing.assert_allclose(check.fused, check.reverse, atol=1e-12 / temperature)
    assert check.disagreement <= 1e-6 / temperature**3 * 0.05 + 1e-8 / temperature
    assert check.fused.sum() == pytest.approx(0, abs=1e-12 / temperature)
    assert check.loss == pytest.approx(-math.log(check.probabilities[0]), rel=1e-9, abs=1e-12)


def test_limits() -> None:
    study = cooling([2, 1, 0.1], [0.01, 1e6], 2)
    np.testing.assert_allclose(study.probabilities, [[1, 0, 0], [1 / 3] * 3], atol=1e-6)
    np.testing.assert_allclose(study.entropy, [0, math.log2(3)], atol=1e-9)


@given(logits)
def test_entropy_rises_with_temperature(z: list[float]) -> None:
    study = cooling(z, np.geomspace(0.1, 100, 50))
    assert (np.diff(study.entropy) >= -1e-12).all()


def test_huge_logits_are_too_large_only_for_the_exponential() -> None:
    assert steps(np.array([1000.0, -1000.0]), 1).powers[0] == math.inf
    check = check_gradient([1000, -1000], 1)
    assert check.loss == 2000
    np.testing.assert_array_equal(check.fused, [1, -1])


@given(logits, st.floats(0.05, 50))
def test_the_steps_on_a_tape_and_without_one(z: list[float], temperature: float) -> None:
    live = Picture({"z": z, "T": temperature})
    traced, plain = steps(live["z"], 1, live["T"]), steps(np.array(z), 1, temperature)
    for name in ("powers", "weights", "shares", "error", "loss"):
        np.testing.assert_array_equal(getattr(traced, name).data, getattr(plain, name))
    assert plain.weights.max() == 1
    np.testing.assert_allclose(plain.weights / plain.weights.sum(), plain.shares, rtol=1e-12)
    np.testing.assert_allclose(plain.error, check_gradient(z, 1, temperature).fused * temperature)


def test_powers_of_e_beyond_floats() -> None:
    mantissa, power = power_of_e(1000)  # mpmath: e^1000 = 1.9700711140170469938888793522433e434
    assert (pytest.approx(1.970071114017047, rel=1e-11), 434) == (mantissa, power)
    mantissa, power = power_of_e(-1000)
    assert (pytest.approx(5.075958897549457, rel=1e-11), -435) == (mantissa, power)
