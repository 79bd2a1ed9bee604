"""A loss meets an optimizer: the losses' pulls by hand, and what the races bring about."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.runs.descent import descend
from engine.studies import loss_race as study

LR = {"sgd": 1.0, "momentum": 0.3, "adam": 0.1}


def outcome(
    loss: str, rule: str, start: tuple[float, float] = study.START, **parameters: float
) -> tuple[study.Outcome, float]:
    """Where a run of 300 steps ends, and its border −b/w."""
    surface = study.SURFACES[loss](**{"share": 0.05} | parameters)
    run = descend(surface, rule, start, 300, {"lr": LR[rule]})
    w, b = run.path[-1]
    return study.outcome(run.path), -b / w


def test_pulls_are_those_of_the_formulas() -> None:
    z = np.array([-6.0, -1.0, 0.5, 3.0])
    p = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(study.pull("cross_entropy", z, 2.0, 0.0), 1 - p, rtol=1e-12)
    np.testing.assert_allclose(
        study.pull("mse", z, 2.0, 0.0), 2 * (1 - p) * p * (1 - p), rtol=1e-12
    )
    focal = (1 - p) ** 2 * (1 - p - 2 * p * np.log(p))  # Lin et al. (2017), appendix A
    np.testing.assert_allclose(study.pull("focal", z, 2.0, 0.0), focal, rtol=1e-12)
    np.testing.assert_array_equal(study.pull("hinge", z, 2.0, 0.0), [1, 1, 1, 0])


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_a_smoothed_label_pulls_back_where_it_is_passed(loss: str) -> None:
    at = math.log(0.9 / 0.1)  # p = 1 − s/2 at s = 0.2
    below, there, above = study.pull(loss, np.array([at - 1, at, at + 1]), 2.0, 0.2)
    assert below > 0
    assert there == pytest.approx(0.0, abs=1e-15)
    assert above < 0


def test_the_loss_is_the_mean_over_examples_in_their_shares() -> None:
    def cross_entropy(z: np.ndarray) -> float:
        return float(np.mean(np.log1p(np.exp(-z))))

    found = float(study.SURFACES["cross_entropy"](share=0.2).value((1.5, -0.4)))
    rare, common = 1.5 * study.RARE - 0.4, 1.5 * study.COMMON - 0.4
    assert found == pytest.approx(0.2 * cross_entropy(rare) + 0.8 * cross_entropy(-common))


def test_confident_and_wrong_only_cross_entropy_gets_away() -> None:
    for rule in ("sgd", "adam"):
        assert outcome("mse", rule)[0].rare_right == 0.0
        assert outcome("cross_entropy", rule)[0].rare_right >= 0.5
    z = study.START[0] * study.RARE + study.START[1]
    assert np.mean(z < -3) > 0.8
    assert np.all(
        study.pull("mse", z[z < -3], 2, 0) < 0.1 * study.pull("cross_entropy", z[z < -3], 2, 0)
    )


def test_from_the_middle_both_losses_come_as_far() -> None:
    for rule in LR:
        one, other = (outcome(loss, rule, (0.0, 0.0))[0] for loss in ("mse", "cross_entropy"))
        assert one.rare_p == pytest.approx(other.rare_p, abs=0.06)


def test_focal_loss_finds_the_rare_sooner_and_draws_the_same_border() -> None:
    for rule in ("momentum", "adam"):
        focal, border = outcome("focal", rule, (0.0, 0.0))
        plain, other = outcome("cross_entropy", rule, (0.0, 0.0))
        assert focal.found < 0.7 * plain.found
        assert border == pytest.approx(other, abs=0.1)


def test_focal_loss_and_smoothing_are_less_sure_with_as_many_right() -> None:
    for rule in ("momentum", "adam"):
        focal = outcome("focal", rule, share=0.5)[0]
        plain = outcome("cross_entropy", rule, share=0.5)[0]
        smooth = outcome("cross_entropy", rule, share=0.5, smoothing=0.2)[0]
        assert focal.rare_right == plain.rare_right == smooth.rare_right
        assert max(focal.rare_p, smooth.rare_p) < plain.rare_p - 0.05
