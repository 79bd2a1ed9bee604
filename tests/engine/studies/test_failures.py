"""The facts behind the stories of failure: each story is true, and its problem is what it says."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine.runs import changing as moving
from engine.studies import conditioning
from engine.studies import failures as facts
from engine.studies.tuning import best_rate, settled_gap

BOWL = engine.LANDSCAPES["bowl"]


def test_adam_ends_at_the_worst_point_and_amsgrad_at_the_best() -> None:
    """Reddi, Kale & Kumar (2018), theorem 1; on [−1, 1] the best point is −1."""
    walks = facts.reddi_walks(4.0, 0.1, 900, 1000)
    assert walks["adam"][900] == pytest.approx(1.0, abs=0.05)
    assert walks["amsgrad"][900] == pytest.approx(-1.0, abs=0.05)
    assert np.isnan(walks["adam"][901:]).all()
    assert facts.reddi_stream(4.0, np.arange(900)).mean() == pytest.approx(2 / 3)


@pytest.mark.parametrize("slug", facts.AS_IN_THE_PAPER)
@pytest.mark.parametrize("big", [2.5, 4.0, 15.0])
def test_those_walks_are_the_rules_own(slug: str, big: float) -> None:
    """The registry's rules in the paper's conventions, fed the same stream between the walls."""
    stream = facts.reddi_stream(big, np.arange(700))
    fed = engine.follow(
        slug, stream, {"lr": 0.1, "beta1": 0.0, "beta2": 1 / (1 + big * big)},
        options=facts.AS_IN_THE_PAPER[slug], schedule=1 / np.sqrt(np.arange(1, 701)),
        bounds=(-1, 1),
    )  # fmt: skip
    walk = facts.reddi_walks(big, 0.1, 700, 700)[slug]
    np.testing.assert_allclose(walk, fed.path[:, 0], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("weight_decay", [0.1, 0.3, 1.0])
def test_without_noise_l2_ends_at_the_penalised_minimum_and_decay_does_not(
    weight_decay: float,
) -> None:
    surface, hypers = facts.IDLE_WEIGHT, {"lr": 0.05, "weight_decay": weight_decay}
    w = np.array(facts.penalised_minimum(weight_decay))
    np.testing.assert_allclose(surface.gradient(w) + weight_decay * w, 0.0, atol=1e-12)
    ends = [
        engine.descend(surface, slug, surface.start, 2000, hypers).path[-1]
        for slug in ("adam_l2", "adamw")
    ]
    assert ends[0] == pytest.approx(w, abs=1e-6)
    assert abs(ends[1][0] - w[0]) > 0.02
    slower = engine.descend(surface, "adamw", surface.start, 2000, {**hypers, "lr": 0.1}).path[-1]
    assert abs(slower[0] - ends[1][0]) > 0.005, "where it ends depends on η"


def test_a_minimum_that_stands_still_gives_an_ordinary_run() -> None:
    still = np.zeros((41, 2))
    for slug in ("sgd", "adam", "eve", "sophia"):
        chased = moving.pursue(BOWL(condition=10), slug, (5, 3), still, {"lr": 0.02})
        run = engine.descend(BOWL(condition=10), slug, (5, 3), 40, {"lr": 0.02})
        np.testing.assert_allclose(chased.path, run.path, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(chased.loss, run.loss, rtol=1e-9, atol=1e-12)


def test_a_moved_minimum_moves_the_run_with_it() -> None:
    away = np.tile([2.0, -1.0], (31, 1))
    chased = moving.pursue(BOWL(condition=10), "adam", (7, 2), away, {"lr": 0.1})
    run = engine.descend(BOWL(condition=10), "adam", (5, 3), 30, {"lr": 0.1})
    np.testing.assert_allclose(chased.path - [2.0, -1.0], run.path, rtol=1e-9, atol=1e-9)


def test_a_pursuit_that_diverges_stays_at_its_last_point() -> None:
    chased = moving.pursue(BOWL(), "sgd", (5, 3), np.zeros((201, 2)), {"lr": 1.0})
    assert chased.diverged_at is not None
    assert np.isfinite(chased.path).all()
    assert (chased.path[chased.diverged_at :] == chased.path[chased.diverged_at - 1]).all()


def test_gradient_descent_pays_for_the_condition_number_and_newton_does_not() -> None:
    found = conditioning.steps_against_condition(("sgd", "newton"), 30.0, 2000, 1e-4)
    assert (found["newton"] == 1).all()
    sgd = dict(zip(conditioning.CONDITIONS, found["sgd"], strict=True))
    assert sgd[300.0] / sgd[30.0] == pytest.approx(10, rel=0.5)
    assert np.isnan(sgd[1000.0])


def test_rates_at_stay_below_the_stability_limit() -> None:
    rates = facts.bowl_rates(100.0, (5, 3), ("sgd", "momentum", "newton", "adam"))
    assert rates["sgd"] == pytest.approx(2 / 202)
    assert rates["newton"] == 1.0
    assert rates["momentum"] < 2 * 1.9 / 200


def test_the_best_rate_leads_down_and_its_neighbours_less_so() -> None:
    sgd = engine.OPTIMIZERS["sgd"]
    rate = best_rate("bowl", sgd, (5, 3), 60)
    assert 0.01 < rate < 0.02  # the limit is 2/100
    with pytest.raises(ValueError, match="no learning rate"):
        best_rate("bowl", engine.optimizer("w = w - 0.01 * g"), (5, 3), 10)


def test_cosine_lets_a_noisy_run_settle() -> None:
    rate = {"lr": 0.0185}
    noisy = {"noise": 10.0, "seed": 0}
    driven = engine.descend("bowl", "sgd", (5, 3), 400, rate, schedule="cosine", **noisy)  # type: ignore[arg-type]
    constant = engine.descend("bowl", "sgd", (5, 3), 400, rate, **noisy)  # type: ignore[arg-type]
    assert settled_gap(driven) < settled_gap(constant) / 20
    assert settled_gap(driven) == pytest.approx(np.median(driven.gap[-40:]))


@pytest.mark.parametrize("slug", ["sgd", "adam", "eve"])
def test_a_minimum_that_jumps_in_a_picture_is_the_one_that_pursue_runs_after(slug: str) -> None:
    hypers = {"lr": 0.03}
    live = moving.live_pursue(BOWL, slug, (-4.0, -2.0), 59.0, 20.0, (3.0, 1.2), hypers, most=400)
    shifts = np.repeat([(0.0, 0.0), (3.0, 1.2), (0.0, 0.0)], 20, axis=0)
    run = moving.pursue(BOWL, slug, (-4.0, -2.0), shifts, hypers)
    assert np.array_equal(np.stack([live.x, live.y], axis=-1), run.path)
    assert np.array_equal(np.stack([live.goal_x, live.goal_y], axis=-1), shifts)
    np.testing.assert_allclose(live.loss, run.loss, rtol=1e-13)
