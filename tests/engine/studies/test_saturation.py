"""One neuron under two losses: the course's worked numbers, and who recovers first."""

from __future__ import annotations

import numpy as np
import pytest

from engine.studies import saturation as neuron
from engine.tape import autograd


def test_worked_numbers() -> None:
    z = neuron.logit(0.02)
    ce, mse, half = (neuron.slopes(name, z, 1.0) for name in neuron.LOSSES)
    assert ce.prediction == pytest.approx(0.02)
    assert ce.steepness == pytest.approx(0.0196)
    assert (ce.loss, ce.gradient) == (pytest.approx(3.912, abs=5e-4), pytest.approx(-0.98))
    assert (mse.loss, mse.gradient) == (pytest.approx(0.9604), pytest.approx(-0.0384, abs=5e-5))
    assert half.gradient == pytest.approx(mse.gradient / 2)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_gradients_are_those_of_the_course(target: float) -> None:
    z = np.linspace(-8, 8, 33)
    ce, mse, half = (neuron.slopes(name, z, target) for name in neuron.LOSSES)
    error, steepness = ce.prediction - target, ce.prediction * (1 - ce.prediction)
    np.testing.assert_allclose(ce.gradient, error, atol=1e-15)
    np.testing.assert_allclose(mse.gradient, 2 * error * steepness, atol=1e-15)
    np.testing.assert_allclose(half.gradient, error * steepness, atol=1e-15)
    np.testing.assert_allclose(ce.steepness, steepness, atol=1e-15)
    assert steepness.max() == 0.25
    for name, found in zip(neuron.LOSSES, (ce, mse, half), strict=True):
        by_formula = neuron.gradient_at(name, found.prediction, target)
        np.testing.assert_allclose(found.gradient, by_formula, atol=1e-15)


def test_saturation_edge() -> None:
    edge = neuron.saturation_edge()
    assert autograd.grad(neuron.ops.sigmoid)(edge) == pytest.approx(neuron.SATURATED)


def test_cross_entropy_recovers_first() -> None:
    settings = {"start": neuron.logit(0.02), "target": 1.0, "epochs": 400, "lr": 0.15}
    ce, mse = (neuron.train(name, **settings) for name in ("cross_entropy", "mse"))
    assert ce.prediction[0] == mse.prediction[0] == pytest.approx(0.02)
    first, second = ce.epochs_to(neuron.RECOVERED), mse.epochs_to(neuron.RECOVERED)
    assert first is not None
    assert second is not None
    assert 4 * first < second


def test_first_step_multiplies_the_gradient_by_the_input() -> None:
    run = neuron.train("cross_entropy", start=-2.0, target=1.0, epochs=1, lr=0.1, feature=3.0)
    (w0, b0), (w1, b1) = run.descent.path
    assert 3 * w0 + b0 == pytest.approx(-2.0)
    assert w1 - w0 == pytest.approx(3 * (b1 - b0))
    assert b1 - b0 == pytest.approx(-0.1 * (run.prediction[0] - 1))


def test_never_recovers_is_said() -> None:
    run = neuron.train("mse", start=-8.0, target=1.0, epochs=10, lr=0.01)
    assert run.epochs_to(neuron.RECOVERED) is None


def test_no_start_where_the_input_cancels_the_bias() -> None:
    with pytest.raises(ValueError, match="x = −1"):
        neuron.train("mse", start=1.0, target=1.0, epochs=1, lr=0.1, feature=-1.0)
