"""The range test: what it reads off, and how far that is from the best of a sweep."""

from __future__ import annotations

import numpy as np
import pytest

from engine.problems.data import split, table
from engine.problems.networks import MLP
from engine.runs.learning import Competitor, Training
from engine.studies.range_test import RangeTest, RateSweep, below, range_test, rate_sweep

DATA = split(table("two_moons", 200, 0.15, 0))
NETWORK = MLP((2, 16, 16, 1))


def test_the_rate_rises_by_one_factor_and_the_losses_are_those_of_that_run() -> None:
    found = range_test(NETWORK, DATA, Competitor("sgd"), low=1e-4, high=1.0, steps=50)
    ratios = found.rates[1:] / found.rates[:-1]
    np.testing.assert_allclose(ratios, 1e4 ** (1 / 49), rtol=1e-12)
    run = Training(NETWORK, DATA, Competitor("sgd", {"lr": 1.0}), steps=50)
    run.factors = found.rates
    run.advance(50)
    np.testing.assert_allclose(found.losses, run.losses, rtol=1e-4)
    assert found.smoothed[0] == pytest.approx(found.losses[0])


@pytest.mark.parametrize("slug", ["sgd", "momentum", "adam", "adamw"])
@pytest.mark.parametrize("seed", [0, 1])
def test_its_advice_finds_the_power_of_ten_and_the_steepest_is_too_small(
    slug: str, seed: int
) -> None:
    found = range_test(NETWORK, DATA, Competitor(slug), low=1e-5, high=10, steps=100, seed=seed)
    sweep = rate_sweep(
        NETWORK, DATA, Competitor(slug), np.geomspace(1e-4, 10, 16), steps=300, seeds=3
    )
    assert found.rates[0] < found.steepest < found.lowest <= found.rates[-1]
    assert found.steepest < 0.5 * sweep.best
    assert 1 / 20 < found.tenth / sweep.best < 20


def test_the_last_safe_rate_is_where_the_loss_rises_for_good() -> None:
    rates = np.array([0.1, 0.2, 0.4, 0.8, 1.6])
    found = RangeTest(rates, rates, np.array([2.0, 1.0, 1.3, 1.05, 1.2]), 0.2, 0.2)
    assert found.safe == 0.8
    assert RangeTest(rates, rates, np.array([2.0, 1.0, 1.3, 1.2, 1.09]), 0.2, 0.2).safe == 1.6


def test_a_longer_test_is_steepest_at_smaller_rates() -> None:
    short, long = (
        range_test(NETWORK, DATA, Competitor("adam"), low=1e-5, high=10, steps=steps)
        for steps in (100, 300)
    )
    assert long.steepest < 0.7 * short.steepest


def test_plain_gradients_bear_rates_ten_times_those_of_adam() -> None:
    adam, sgd = (
        range_test(NETWORK, DATA, Competitor(slug), low=1e-5, high=10, steps=100)
        for slug in ("adam", "sgd")
    )
    assert sgd.steepest > 5 * adam.steepest
    assert sgd.lowest > 2 * adam.lowest


def test_it_ends_where_the_loss_explodes() -> None:
    competitor = Competitor("momentum", l2=1.0)
    found = range_test(MLP((2, 16, 1), "relu"), DATA, competitor, low=1e-3, high=1e3, steps=80)
    assert len(found.rates) < 80
    assert np.isfinite(found.smoothed).all()


def test_a_sweep_names_the_rate_with_the_least_median() -> None:
    rates = np.array([0.1, 1.0, 10.0])
    sweep = RateSweep(rates, np.array([[1, 3, 2], [0.5, 9, 1], [np.inf, np.inf, 0.0]]))
    assert sweep.best == 1.0
    assert (sweep.at(0.09), sweep.at(4.0)) == (2.0, np.inf)
    assert [below(rates, r) for r in (0.01, 0.1, 5.0, 99.0)] == [0, 1, 2, 3]


@pytest.mark.parametrize("wrong", [{"low": 0.0}, {"low": 2.0, "high": 1.0}, {"steps": 5}])
def test_a_range_that_is_none_is_refused(wrong: dict[str, float]) -> None:
    given: dict[str, float] = {"low": 1e-3, "high": 1.0, "steps": 50, **wrong}
    with pytest.raises(ValueError, match="range"):
        range_test(NETWORK, DATA, Competitor("sgd"), **given)  # type: ignore[arg-type]
