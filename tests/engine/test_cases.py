"""The telling cases tell what they claim."""

import numpy as np
import pytest

from engine import cases
from engine.landscapes import LANDSCAPES


@pytest.mark.parametrize("size", [2.5, 4.0, 10.0])
def test_adam_ends_at_the_worst_point_and_its_cure_at_the_best(size: float) -> None:
    """Reddi, Kale & Kumar (2018), theorem 1: for any C > 2."""
    paths = cases.reddi(size, 0.5, 600)
    assert paths["adam"][-1] > 0.9
    assert paths["amsgrad"][-1] < -0.9
    assert paths["sgd"][-1] < -0.85


def test_adagrads_rate_only_falls_and_its_cures_recover() -> None:
    gradients, rates = cases.shrinking(30.0, 300)
    assert gradients[0] == 30.0
    assert (np.diff(rates["adagrad"]) <= 1e-15).all()
    for cure in ("rmsprop", "adadelta"):
        assert rates[cure][-1] > 5 * rates[cure][cases.BURST_STEPS]
    assert rates["rmsprop"][-1] == pytest.approx(0.1, rel=1e-3)


def test_newton_and_unclipped_sophia_do_not_feel_the_condition_until_the_bowl_turns() -> None:
    straight = cases.against_condition(0.0, 400, 1e-6, (1.0, 25.0, 400.0))
    turned = cases.against_condition(45.0, 400, 1e-6, (1.0, 25.0, 400.0))
    for found in (straight, turned):
        assert (found["newton"] == 1).all()
        assert not found["sgd"][2] < 10 * found["sgd"][0]  # NaN: it does not arrive at all
    assert np.ptp(straight["sophia"]) <= 4
    assert not turned["sophia"][2] < 2 * turned["sophia"][0]


def test_eve_hastens_while_the_loss_is_flat_and_brakes_at_a_jump() -> None:
    moving = cases.moving_target(80, 0.05, 0.9, 300)
    assert moving.d[79] < 0.15
    assert moving.d[81] > 1.0
    np.testing.assert_array_equal(moving.target[[0, 79, 80, 159, 160]], [1, 1, -1, -1, 1])
    distance = {s: np.abs(p - moving.target).mean() for s, p in moving.paths.items()}
    assert distance["eve"] < distance["adam"]


def test_l2_finds_the_penalised_minimum_and_decay_goes_elsewhere() -> None:
    inside, beside = cases.decays((-6, -4), 0.05, 0.3, 4000)
    least = cases.penalised_minimum(0.3)
    np.testing.assert_allclose(inside.path[-1], least, atol=1e-3)
    assert np.linalg.norm(beside.path[-1] - least) > 0.5
    booth = LANDSCAPES["booth"]
    slope = booth.gradient(least) + 0.3 * least
    np.testing.assert_allclose(slope, 0, atol=1e-12)
