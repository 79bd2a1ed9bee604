"""What the four small problems say of the rules is what the rules do."""

from __future__ import annotations

import numpy as np
import pytest

from engine.problems.networks import classification_loss
from engine.runs.descent import descend
from engine.runs.streams import follow
from engine.studies import layers, reasons
from engine.tape import autograd


def test_no_direction_climbs_more_than_the_gradient() -> None:
    found = reasons.ascent(1.5, 1.0, 90.0)
    np.testing.assert_allclose(found.gradient, reasons.HILL.gradient((1.5, 1.0)))
    assert found.slope == pytest.approx(8.0)  # along y: ∂f/∂y = 2 · 4 · 1
    assert found.around.max() == pytest.approx(found.length, rel=1e-3)
    assert found.around.min() == pytest.approx(-found.length, rel=1e-3)
    assert found.steepest == pytest.approx(np.degrees(np.arctan2(8.0, 3.0)), abs=0.75)
    assert reasons.degrees_off(1.5, 1.0) == pytest.approx(
        np.degrees(np.arctan2(8.0, 3.0) - np.arctan2(1.0, 1.5))
    )
    assert reasons.degrees_off(0.0, 0.0) == 0.0
    across = reasons.ascent(1.5, 1.0, float(np.degrees(np.arctan2(8.0, 3.0)) + 90.0))
    assert across.slope == pytest.approx(0.0, abs=1e-12)


def test_momentums_step_grows_to_one_over_one_minus_beta() -> None:
    found = reasons.steady(0.9)
    t = np.arange(1, reasons.STEPS + 1)
    np.testing.assert_allclose(found["sgd"], 1.0)
    np.testing.assert_allclose(found["momentum"], (1 - 0.9**t) / 0.1)
    assert found["momentum"][-1] == pytest.approx(10, rel=3e-4)
    assert (found["nesterov"] >= found["momentum"]).all()


def test_only_the_rate_inside_the_velocity_rolls_on() -> None:
    found = reasons.falling(0.9, 40.0)
    for form in ("averaged", "lr_inside"):
        np.testing.assert_allclose(found[form][:40], found["velocity"][:40], rtol=1e-9)
    np.testing.assert_allclose(found["averaged"], found["velocity"], rtol=1e-9)
    full = found["velocity"][39]
    assert found["velocity"][40] == pytest.approx(0.1 * full, rel=0.02)
    assert found["lr_inside"][40] > 0.9 * full


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1])
def test_distances_are_those_of_the_rules(share: float) -> None:
    t = np.arange(1, reasons.STEPS + 1)
    stream = np.where(np.floor(t * share + 1e-9) > np.floor((t - 1) * share + 1e-9), 1.0, 0.0)
    found = reasons.frequencies(share)
    for slug, (often, seldom) in (("sgd", found.sgd), ("adagrad", found.adagrad)):
        for gradients, expected in ((np.ones_like(stream), often), (stream, seldom)):
            hypers = {"lr": 0.01} | ({"eps": 1e-16} if slug == "adagrad" else {})
            path = follow(slug, gradients, hypers).path[1:, 0]
            np.testing.assert_allclose(-path / 0.01, expected, rtol=1e-9, atol=1e-12)


def test_a_rare_feature_comes_a_root_as_far_by_adagrad() -> None:
    found = reasons.frequencies(0.1)
    assert found.sgd[1][-1] / found.sgd[0][-1] == pytest.approx(0.1)
    assert 0.25 < found.adagrad[1][-1] / found.adagrad[0][-1] < 0.1**0.5


def test_the_weights_of_two_words_are_the_log_odds() -> None:
    (best,) = reasons.TWO_WORDS.minima
    surface = reasons.TWO_WORDS(share=0.03)
    np.testing.assert_allclose(surface.gradient(best), 0.0, atol=1e-15)
    assert 1 / (1 + np.exp(-best[0])) == pytest.approx(0.7)
    assert 1 / (1 + np.exp(-best[0] - best[1])) == pytest.approx(0.95)


def test_rare_words_cost_gradient_descent_and_not_rules_with_a_rate_for_each() -> None:
    best = reasons.TWO_WORDS.minima[0][1]
    come = {
        share: {slug: run.y[-1] / best for slug, run in reasons.two_words(share).items()}
        for share in (0.03, 0.1)
    }
    assert come[0.03]["sgd"] < 0.6 < 0.85 < come[0.1]["sgd"]
    for slug in ("adagrad", "adam"):
        assert min(come[0.03][slug], come[0.1][slug]) > 0.85
        assert come[0.03][slug] == pytest.approx(come[0.1][slug], abs=0.02)
    # Four is near the best rate that one for all can have: twice that and it swings over x.
    eight = descend(reasons.TWO_WORDS(share=0.03), "sgd", (0.0, 0.0), 80, {"lr": 10.0})
    assert np.abs(np.diff(eight.path[-10:, 0])).max() > 0.5


def test_a_layers_gradient_has_the_shape_of_its_weights_and_is_that_of_the_loss() -> None:
    found = layers.gradients(3, "tanh", 1.0)
    assert [g.shape for g in found] == [(2, 6), (6, 6), (6, 6), (6, 1)]
    net = layers.network(3, "tanh")
    loss, data = classification_loss(net), layers._data()
    start = net.initial()
    h = 1e-6
    up, down = ([part.copy() for part in start] for _ in range(2))
    up[4][2, 3] += h
    down[4][2, 3] -= h
    slope = (loss(autograd.Vector(up), *data) - loss(autograd.Vector(down), *data)) / (2 * h)
    assert found[2][2, 3] == pytest.approx(float(slope), rel=1e-5)


def test_sigmoids_leave_the_first_layer_next_to_nothing_and_no_one_rate_helps() -> None:
    size = layers.sizes(layers.gradients(4, "sigmoid", 1.0))
    assert size[-1] > 500 * size[0]
    assert (np.diff(size) > 0).all()
    assert layers.reached(4, "sigmoid", 1.0, "sgd").min() > 0.69  # ln 2 is chance
    assert layers.reached(4, "sigmoid", 1.0, "adam").min() < 0.25
    even = layers.sizes(layers.gradients(4, "tanh", 1.0))
    assert even.max() < 12 * even.min()
    assert layers.reached(4, "tanh", 1.0, "sgd").min() < 0.25


def test_bartletts_identity_and_where_one_label_breaks_it() -> None:
    found = reasons.curvatures(reasons.LOGITS, 1.0)
    np.testing.assert_allclose(found.expected, found.exact, atol=1e-15)
    assert np.abs(found.sampled - found.exact).max() < 0.15
    sure_and_wrong = reasons.curvatures(-5.0, 1.0)
    assert sure_and_wrong.observed > 0.98
    assert sure_and_wrong.exact < 0.01
