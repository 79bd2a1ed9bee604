"""What the four small problems say of the rules is what the rules do."""

from __future__ import annotations

import numpy as np
import pytest

from engine.runs.streams import follow
from engine.studies import reasons


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


def test_bartletts_identity_and_where_one_label_breaks_it() -> None:
    found = reasons.curvatures(reasons.LOGITS, 1.0)
    np.testing.assert_allclose(found.expected, found.exact, atol=1e-15)
    assert np.abs(found.sampled - found.exact).max() < 0.15
    sure_and_wrong = reasons.curvatures(-5.0, 1.0)
    assert sure_and_wrong.observed > 0.98
    assert sure_and_wrong.exact < 0.01
