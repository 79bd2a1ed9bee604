"""Warm restarts whose growth is no whole number.

What it stands for: libraries demand a whole number here (pytorch/pytorch#95122: "Expected integer
T_mult") or round each length, so that 2 · 1.2 is 2 for ever. SGDR (Loshchilov & Hutter 2017) lets
T_i be any number. Right values: torch's own formula for a step given as a number
(CosineAnnealingWarmRestarts.step(epoch)), which takes any growth: n = ⌊log(t/T₀·(k − 1) + 1)/log k⌋
cycles lie behind, T_cur = t − T₀(kⁿ − 1)/(k − 1) and T_i = T₀kⁿ.
"""

from __future__ import annotations

from fractions import Fraction
from math import cos, pi

import numpy as np
import pytest

from engine.optimizers.schedules import SCHEDULES


def sgdr(total: int, first: int, growth: str, final: float) -> list[float]:
    """By fractions, so that a restart on a whole step is never missed by a rounding."""
    k, factors = Fraction(growth), []
    for t in range(total):
        length, begin = Fraction(first), Fraction(0)
        while begin + length <= t:
            begin, length = begin + length, length * k
        factors.append(final + (1 - final) / 2 * (1 + cos(pi * float((t - begin) / length))))
    return factors


@pytest.mark.parametrize(
    "growth", ["1", "1.01", "1.1", "1.2", "1.25", "1.5", "1.75", "2", "2.5", "4"]
)
@pytest.mark.parametrize(
    ("total", "cycle"), [(100, 0.02), (100, 0.1), (200, 0.05), (7, 0.3), (1, 1)]
)
def test_every_step_is_the_formulas(growth: str, total: int, cycle: float) -> None:
    first = max(round(cycle * total), 1)
    ours = SCHEDULES["cosine_restarts"](cycle=cycle, growth=float(growth), final=0.05)
    np.testing.assert_allclose(ours.factors(total), sgdr(total, first, growth, 0.05), rtol=1e-7)


def test_the_reported_run_grows() -> None:
    factors = SCHEDULES["cosine_restarts"](cycle=0.02, growth=1.2).factors(100)
    begins = np.flatnonzero(np.diff(factors) > 0) + 1
    assert len(begins) == 13  # 2(1.2ⁿ − 1)/0.2 < 100 up to n = 13; it was 49
    assert np.diff(begins)[-1] > 5 * np.diff(begins)[0]


def test_a_whole_growth_restarts_at_the_peak() -> None:
    factors = SCHEDULES["cosine_restarts"](cycle=0.1, growth=2.0).factors(100)
    np.testing.assert_array_equal(np.flatnonzero(factors == 1.0), [0, 10, 30, 70])
