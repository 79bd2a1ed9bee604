"""Losses over error, probability and logit: the course's numbers, and four ways to one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.studies.loss_curves import four_ways, over_error, over_logit, over_probability
from engine.studies.saturation import logit


def test_squared_errors_of_the_course() -> None:
    whole, half = over_error([4.0, 2.0]), over_error([4.0, 2.0], half=True)
    np.testing.assert_array_equal(whole.loss, [16, 4])
    np.testing.assert_array_equal(whole.gradient, [8, 4])
    np.testing.assert_array_equal(half.gradient, [4, 2])


def test_binary_numbers_of_the_course() -> None:
    np.testing.assert_allclose(
        over_probability([0.01, 0.99], 1.0).loss, [4.605, 0.01005], rtol=2e-4
    )
    bits = over_probability([0.775, 0.936], 1.0, 2).loss
    np.testing.assert_allclose(bits, [0.3677, 0.0954], atol=5e-5)


@given(st.floats(0.001, 0.999), st.sampled_from([0, 1]), st.sampled_from([2, np.e, 10]))
def test_four_ways_agree(p: float, target: int, base: float) -> None:
    ways = list(four_ways(p, target, base).values())
    assert ways == pytest.approx([ways[0]] * 4, rel=1e-9)
    assert over_logit(logit(p), target, base).loss == pytest.approx(ways[0], rel=1e-9)
    assert over_probability(p, target, base).loss == pytest.approx(ways[0], rel=1e-9)
