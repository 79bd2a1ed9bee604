"""A fair race is fair: same budget, fresh seeds, ranks that say how sure they are."""

from dataclasses import replace

import numpy as np
import pytest

from engine import OPTIMIZERS
from engine.fair import (
    LR_RANGE,
    TUNING_SEEDS,
    Contender,
    bootstrap_mean,
    race,
    rank_by_seed,
    trials_for,
    tune,
)


@pytest.fixture(autouse=True)
def _no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESCENT_LAB_COMPILE", "0")


def contender(slug: str, **hypers: float) -> Contender:
    optimizer = OPTIMIZERS[slug]
    return Contender(optimizer, optimizer.hyper_values(hypers), optimizer.option_values())


@pytest.mark.parametrize("slug", OPTIMIZERS)
@pytest.mark.parametrize("memory", [False, True])
def test_nobody_spends_more_than_the_budget(slug: str, memory: bool) -> None:
    budget = 20_000
    tuning = tune(contender(slug), "bowl", (5, 3), 50, budget, noise=1.0, memory=memory)
    assert tuning.spent <= budget
    if any(h.name == "lr" for h in OPTIMIZERS[slug].hypers):
        assert tuning.spent > 0.8 * budget
        assert LR_RANGE[0] < tuning.best["lr"] < LR_RANGE[1]
    assert tuning.score.shape == tuple(len(v) for v in tuning.values)


def test_a_step_that_costs_two_gradients_gets_half_the_trials() -> None:
    one = contender("sgd")
    two = Contender(replace(one.optimizer, evaluations=2), one.hypers, one.options)
    assert trials_for(two, 30_000, 50) == trials_for(one, 30_000, 50) // 2


def test_tuning_finds_gradient_descents_best_rate() -> None:
    """On diag(2, 2κ) the best constant rate is 2/(λ₁ + λₙ) = 2/102 in the long run."""
    tuning = tune(
        contender("sgd"), "bowl", (5, 3), 300, 300 * TUNING_SEEDS * 400, lr_range=(1e-3, 0.1)
    )
    assert tuning.best["lr"] == pytest.approx(2 / 102, rel=0.02)


def test_tuned_momentum_beats_tuned_gradient_descent() -> None:
    both = [contender("sgd"), contender("momentum")]
    tunings = [tune(c, "bowl", (5, 3), 60, 60_000, noise=0.5, memory=True) for c in both]
    slow, quick = race(both, "bowl", (5, 3), 60, noise=0.5, tunings=tunings, seeds=15)
    assert quick.rank < slow.rank
    assert quick.interval[1] < slow.interval[0]
    assert slow.gaps.shape == (15, 61)
    assert (slow.band[0] <= slow.median).all()
    assert (slow.median <= slow.band[1]).all()


def test_one_rate_for_all_is_another_race() -> None:
    """At η = 0.1 gradient descent on κ = 50 diverges on every seed, and Adam does not."""
    sgd, adam = race(
        [contender("sgd"), contender("adam")], "bowl", (5, 3), 200, noise=0.5, lr=0.1, seeds=9
    )
    assert (sgd.diverged, adam.diverged) == (9, 0)
    assert (sgd.rank, adam.rank) == (2.0, 1.0)
    assert np.isinf(sgd.final).all()
    assert sgd.hypers["lr"] == adam.hypers["lr"] == 0.1


def test_without_noise_one_seed_says_it_all() -> None:
    (only,) = race([contender("sgd")], "bowl", (5, 3), 20, lr=0.01, seeds=25)
    assert only.gaps.shape == (1, 21)
    assert only.interval == (1.0, 1.0)


def test_the_race_never_uses_a_seed_of_the_tuning() -> None:
    """Same seed for both would reward whoever fitted the noise."""
    who = contender("sgd")
    a, b = (race([who], "bowl", (5, 3), 20, noise=1.0, lr=0.01, seeds=2, seed=s) for s in (0, 1))
    assert a[0].gaps[1].tolist() == b[0].gaps[0].tolist()
    assert a[0].gaps[0].tolist() != b[0].gaps[0].tolist()


def test_ranks_share_ties() -> None:
    finals = np.array([[1.0, np.inf], [2.0, np.inf], [1.0, 0.0]])
    assert rank_by_seed(finals).tolist() == [[1.5, 2.5], [3.0, 2.5], [1.5, 1.0]]


def test_the_bootstrap_interval_is_the_normal_one_for_many_seeds() -> None:
    """Efron 1979: for a mean it approaches ±1.96 s/√n."""
    values = np.random.default_rng(5).normal(3.0, 2.0, (1, 400))
    low, high = bootstrap_mean(values)[0]
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.03)
    assert high == pytest.approx(values.mean() + half, abs=0.03)
