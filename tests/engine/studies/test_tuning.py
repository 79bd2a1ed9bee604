"""Halving a learning rate until it holds, and what counts as getting away."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine.studies.tuning import MAX_HALVINGS, gets_away, halve_until_stable

BOWL = engine.LANDSCAPES["bowl"]  # gradient descent is stable below 2/λmax = 0.02


@pytest.mark.parametrize(
    ("lr", "found", "halvings"), [(0.019, 0.019, 0), (0.021, 0.0105, 1), (1.0, 1 / 64, 6)]
)
def test_it_halves_just_often_enough(lr: float, found: float, halvings: int) -> None:
    result = halve_until_stable(BOWL, "sgd", (5, 3), 200, {"lr": lr})
    assert result is not None
    assert (result.lr, result.halvings) == (found, halvings)
    run = engine.descend(BOWL, "sgd", (5, 3), 200, {"lr": result.lr})
    assert not gets_away(run)


def test_a_slow_rise_is_caught_before_it_leaves_every_bound() -> None:
    """Just above the limit: 1.002 a step grows by half in 200 steps, far from any bound."""
    run = engine.descend(BOWL, "sgd", (0, 3), 200, {"lr": 0.02002})
    assert run.diverged_at is None
    assert gets_away(run)
    result = halve_until_stable(BOWL, "sgd", (0, 3), 200, {"lr": 0.02002})
    assert result is not None
    assert result.halvings == 1


def test_other_settings_are_left_as_they_are() -> None:
    """Momentum 0.9 holds up to 2(1+β)/λmax = 0.038, its averaged form up to ten times that."""
    velocity = halve_until_stable(BOWL, "momentum", (5, 3), 400, {"lr": 0.3, "beta": 0.9})
    averaged = halve_until_stable(
        BOWL, "momentum", (5, 3), 400, {"lr": 0.3, "beta": 0.9}, options={"form": "averaged"}
    )
    assert velocity is not None
    assert averaged is not None
    assert (velocity.lr, averaged.lr) == (0.0375, 0.3)


def test_where_no_rate_helps_it_says_so() -> None:
    """From the minimum every step under noise leads up, at whatever rate: there is no answer."""
    assert halve_until_stable(BOWL, "sgd", (0, 0), 3, {"lr": 1.0}, noise=1.0) is None
    assert np.finfo(float).tiny < 2.0**-MAX_HALVINGS, "the last rate tried is still a number"


def test_it_refuses_what_a_run_would() -> None:
    with pytest.raises(ValueError, match="no optimizer"):
        halve_until_stable(BOWL, "sdg", (0, 0), 3, {"lr": 1.0})
