"""Margin losses, what gradient descent does on each, and who pulls in an imbalanced batch."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import losses
from engine.losses.functions import MARGIN_LOSSES
from engine.studies.imbalance import Batch, easy_share, focal_curve, pull
from engine.studies.margins import GRADIENTS, descend_margin, margin_curve
from engine.tape import autograd

M = np.linspace(-3, 3, 60)  # no sample at a kink


def test_values_and_gradients() -> None:
    right = M > 0
    zero_one, hinge, logistic, squared = (
        margin_curve(name, M) for name in ("zero_one", "hinge", "logistic", "squared")
    )
    np.testing.assert_array_equal(zero_one.loss, ~right)
    np.testing.assert_array_equal(zero_one.gradient, 0)
    np.testing.assert_allclose(hinge.loss, np.maximum(0, 1 - M))
    np.testing.assert_array_equal(hinge.gradient, np.where(M < 1, -1, 0))
    np.testing.assert_allclose(logistic.loss, np.log1p(np.exp(-M)))
    np.testing.assert_allclose(logistic.gradient, -1 / (1 + np.exp(M)))
    np.testing.assert_allclose(squared.gradient, 2 * (M - 1))


@pytest.mark.parametrize("name", list(MARGIN_LOSSES))
def test_gradients_by_formula_are_those_of_autograd(name: str) -> None:
    found = np.broadcast_to(autograd.grad(MARGIN_LOSSES[name])(M), M.shape)
    np.testing.assert_allclose(GRADIENTS[name](M), found, atol=1e-15)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_the_pull_by_formula_is_that_of_autograd(gamma: float) -> None:
    p = np.linspace(0.001, 0.999, 41)
    np.testing.assert_allclose(pull(p, gamma, 0.25), -focal_curve(p, gamma, 0.25).gradient)


def test_no_optimizer_moves_on_zero_one() -> None:
    run = descend_margin("zero_one", -1.5, 100, 1.0).curve
    np.testing.assert_array_equal(run.margin, -1.5)
    np.testing.assert_array_equal(run.loss, 1.0)


@pytest.mark.parametrize("name", ["hinge", "logistic", "squared"])
def test_its_surrogates_bring_the_margin_over(name: str) -> None:
    run = descend_margin(name, -1.5, 100, 0.1).curve
    assert run.margin[0] == -1.5
    assert run.margin[-1] > 0
    assert (np.diff(run.loss) <= 1e-12).all()


def test_hinge_rests_where_the_margin_is_enough() -> None:
    run = descend_margin("hinge", -1.5, 100, 0.1).curve
    assert 1 <= run.margin[-1] < 1.1
    assert run.margin[-1] == run.margin[-2]


def test_focal_curve_of_the_paper() -> None:
    p = np.array([0.1, 0.5, 0.9])
    curve = focal_curve(p, 2.0)
    np.testing.assert_allclose(curve.loss, -((1 - p) ** 2) * np.log(p))
    assert curve.loss[2] == pytest.approx(-math.log(0.9) / 100)
    # Appendix A: dFL/dx = y(1 − p_t)^γ (γ p_t log p_t + p_t − 1).
    np.testing.assert_allclose(curve.gradient, (1 - p) ** 2 * (2 * p * np.log(p) + p - 1))
    np.testing.assert_allclose(focal_curve(p, 2.0, target=0.0).gradient, curve.gradient)
    weighted = focal_curve(p, 2.0, 0.25, target=0.0)
    np.testing.assert_allclose(weighted.loss, 0.75 * curve.loss)


def test_easy_examples_drown_the_hard_ones_until_they_fade() -> None:
    batch = Batch(easy=1000, hard=10, easy_p=0.95, hard_p=0.2)
    share = easy_share(batch, np.array([0.0, 2.0, 5.0]))
    assert share[0] == pytest.approx(1000 * 0.05 / (1000 * 0.05 + 10 * 0.8))
    assert share[0] > 0.8
    assert share[1] < 0.1
    assert (np.diff(share) < 0).all()


def test_alpha_favours_the_rare_class() -> None:
    batch = Batch()
    plain, favoured = (easy_share(batch, 0.0, alpha) for alpha in (None, 0.75))
    assert favoured < plain
    assert easy_share(batch, 0.0, 0.5) == pytest.approx(plain)
    assert losses.focal(0.0, 1.0, 0.0, 0.75) == pytest.approx(0.75 * math.log(2))


def test_squared_loss_diverges_past_its_limit() -> None:
    """Its curvature is 2, so the limit 2/λ is 1."""
    assert descend_margin("squared", -1.5, 300, 0.99).diverged_at is None
    lost = descend_margin("squared", -1.5, 300, 1.05)
    assert lost.diverged_at is not None
    assert np.isfinite(lost.curve.loss).all()
