"""The losses: the course's numbers, PyTorch's values and gradients, identities, extremes."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine import losses
from engine.losses import information
from engine.tape import autograd
from engine.tape import operations as ops

GOLDEN = np.load(Path(__file__).parents[2] / "golden" / "losses.npz")
DTYPES = (np.float32, np.float64)

logits = arrays(np.float64, st.integers(2, 6), elements=st.floats(-8, 8))
binary = st.sampled_from([0.0, 1.0])


def finite_difference(f: Callable[[Any], Any], x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    shifts = h * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([(f(x + s) - f(x - s)) / (2 * h) for s in shifts]).reshape(x.shape)


# The course's numbers (CURRICULUM A5 to A15) ------------------------------------------------------


def test_mse_of_4_costs_16() -> None:
    assert losses.mse([4.0, 2.0], [0.0, 0.0], reduction="none") == pytest.approx([16, 4])
    assert losses.mse([4.0, 2.0], [0.0, 0.0]) == 10
    value, gradient = autograd.value_and_grad(lambda x: losses.mse(x, 0.0, half=True))(4.0)
    assert (value, gradient) == (8, 4)
    assert autograd.grad(lambda x: losses.mse(x, 0.0))(4.0) == 8


def test_confidently_wrong() -> None:
    """y = 1, ŷ = 0.02: cross-entropy pulls with −0.98, squared error with −0.0384."""
    z = math.log(0.02 / 0.98)
    ce, ce_slope = autograd.value_and_grad(
        lambda z: losses.binary_cross_entropy_with_logits(z, 1.0)
    )(z)
    assert ce == pytest.approx(3.912, abs=5e-4)
    assert ce_slope == pytest.approx(-0.98)
    mse, mse_slope = autograd.value_and_grad(lambda z: losses.mse(ops.sigmoid(z), 1.0))(z)
    assert mse == pytest.approx(0.9604)
    assert mse_slope == pytest.approx(2 * -0.98 * 0.0196)
    assert mse_slope == pytest.approx(-0.0384, abs=5e-5)
    assert autograd.grad(ops.sigmoid)(z) == pytest.approx(0.0196)


def test_softmax_of_the_course() -> None:
    assert losses.softmax([2, 1, 0.1]) == pytest.approx([0.659, 0.242, 0.099], abs=5e-4)
    assert losses.softmax([20, 10, 1]) == pytest.approx([1, 0, 0], abs=5e-5)


def test_cat_car_frog() -> None:
    scores = [3.2, 5.1, -1.7]
    assert np.exp(scores) == pytest.approx([24.5, 164.0, 0.18], abs=0.05)
    assert losses.softmax(scores) == pytest.approx([0.13, 0.87, 0.00], abs=5e-3)
    assert losses.cross_entropy(scores, 0) == pytest.approx(2.040, abs=5e-4)
    assert losses.cross_entropy(scores, 1) == pytest.approx(0.140, abs=5e-4)
    # One course prints 0.0604 for car: −log₁₀ of the 0.87 that it had rounded to.
    assert -math.log10(0.87) == pytest.approx(0.0604, abs=1e-4)
    assert losses.cross_entropy(scores, 1) / math.log(10) == pytest.approx(0.061, abs=1e-4)


def test_equal_scores_cost_log_of_the_classes() -> None:
    assert losses.cross_entropy(np.zeros(10), 3) == pytest.approx(2.303, abs=5e-4)


def test_binary_cross_entropy_of_the_course() -> None:
    assert losses.binary_cross_entropy(0.01, 1.0) == pytest.approx(4.605, abs=5e-4)
    assert losses.binary_cross_entropy(0.99, 1.0) == pytest.approx(0.01005, abs=5e-6)


def test_focal_fades_an_easy_example() -> None:
    z = math.log(0.9 / 0.1)
    ratio = losses.focal(z, 1.0, gamma=2) / losses.binary_cross_entropy_with_logits(z, 1.0)
    assert ratio == pytest.approx(1 / 100)


def test_zero_one_counts_errors_and_teaches_nothing() -> None:
    labels = np.array([0.0, 1.0, 2.0, 1.0])
    value, gradient = autograd.value_and_grad(lambda y: losses.zero_one(y, np.array([0, 1, 1, 0])))(
        labels
    )
    assert value == 0.5
    assert (gradient == 0).all()
    margins = np.array([-2.0, -0.1, 0.1, 2.0])
    assert (losses.margin_zero_one(margins) == [1, 1, 0, 0]).all()
    assert (autograd.grad(losses.margin_zero_one)(margins) == 0).all()


# PyTorch ------------------------------------------------------------------------------------------


def _named(name: str) -> Callable[..., Any]:
    """The engine's loss for a golden case: fn(input, target) -> elements."""
    function, *notes = name.split(" ")
    if function == "log_softmax":
        return lambda x, _: losses.log_softmax(x, float(notes[0]))[..., 0]
    if function == "focal":
        alpha = None if notes[1] == "None" else float(notes[1])
        return lambda x, y: losses.focal(x, y, float(notes[0]), alpha, reduction="none")
    if function == "margin_logistic":
        return lambda x, _: losses.margin_logistic(x)
    return lambda x, y: getattr(losses, function)(x, y, reduction="none")


CASES = [name.removesuffix("/elements") for name in GOLDEN.files if name.endswith("/elements")]


@pytest.mark.parametrize("name", CASES)
def test_equals_pytorch(name: str) -> None:
    x = GOLDEN[f"{name}/input"]
    y = GOLDEN[f"{name}/target"] if f"{name}/target" in GOLDEN.files else None
    loss = _named(name)
    np.testing.assert_allclose(loss(x, y), GOLDEN[f"{name}/elements"], rtol=1e-13, atol=1e-14)
    gradient = autograd.grad(lambda x: ops.mean(loss(x, y)))(x)
    np.testing.assert_allclose(gradient, GOLDEN[f"{name}/gradient"], rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("name", [n for n in CASES if n.startswith("log_softmax")])
def test_softmax_equals_scipy(name: str) -> None:
    temperature = float(name.split(" ")[1])
    ours = losses.softmax(GOLDEN[f"{name}/input"], temperature)
    np.testing.assert_allclose(ours, GOLDEN[f"{name}/softmax"], rtol=1e-13, atol=1e-300)


# The fused gradient -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradient_of_cross_entropy_is_exactly_the_error(dtype: type) -> None:
    z = np.random.default_rng(0).normal(0, 5, (8, 5)).astype(dtype)
    one_hot = np.eye(5, dtype=dtype)[np.arange(8) % 5]
    for target in (np.arange(8) % 5, one_hot):
        gradient = autograd.grad(lambda z, y=target: losses.cross_entropy(z, y, "none"))(z)
        assert gradient.dtype == dtype
        np.testing.assert_array_equal(gradient, losses.softmax(z) - one_hot)


def test_gradient_with_probabilities_for_targets() -> None:
    z, y = np.array([2.0, 1.0, 0.1]), np.array([0.2, 0.7, 0.1])
    gradient = autograd.grad(lambda z: losses.cross_entropy(z, y))(z)
    np.testing.assert_allclose(gradient, losses.softmax(z) - y, rtol=0, atol=3e-16)
    by_target = autograd.grad(lambda y: losses.cross_entropy(z, y))(y)
    np.testing.assert_allclose(by_target, -losses.log_softmax(z))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_forward_mode_agrees_with_reverse(name: str) -> None:
    operation = getattr(ops, name)
    rng = np.random.default_rng(1)
    x, t, g = rng.normal(size=(3, 4, 5))
    for axis in (0, -1):
        _, tangent = autograd.jvp(lambda x, a=axis: operation(x, axis=a), (x,), (t,))
        pulled = autograd.grad(lambda x, a=axis: ops.sum(operation(x, axis=a) * g))(x)
        assert np.sum(g * tangent) == pytest.approx(np.sum(pulled * t))


def test_forward_mode_of_the_fused_loss() -> None:
    rng = np.random.default_rng(2)
    z, dz = rng.normal(size=(2, 3, 4))
    y, dy = rng.dirichlet(np.ones(4), 3), rng.normal(size=(3, 4))
    _, tangent = autograd.jvp(ops.softmax_cross_entropy, (z, y), (dz, dy))
    gz, gy = autograd.grad(ops.softmax_cross_entropy, (0, 1))(z, y)
    np.testing.assert_allclose(tangent, (gz * dz + gy * dy).sum(-1), atol=1e-14)


def test_curvature_of_cross_entropy_is_the_softmax_covariance() -> None:
    z = np.array([2.0, 1.0, 0.1])
    p = losses.softmax(z)
    hessian = autograd.hessian(lambda z: losses.cross_entropy(z, 1))(z)
    np.testing.assert_allclose(hessian, np.diag(p) - np.outer(p, p), atol=1e-15)


def test_gradient_by_temperature() -> None:
    z = np.array([2.0, 1.0, 0.1])
    _, by_temperature = autograd.jvp(lambda T: losses.softmax(z, T), (1.5,), (1.0,))
    numeric = (losses.softmax(z, 1.5 + 1e-6) - losses.softmax(z, 1.5 - 1e-6)) / 2e-6
    np.testing.assert_allclose(by_temperature, numeric, atol=1e-9)


# Identities ---------------------------------------------------------------------------------------


@given(logits, st.floats(-1e3, 1e3))
def test_softmax_ignores_a_shift(z: np.ndarray, shift: float) -> None:
    np.testing.assert_allclose(losses.softmax(z + shift), losses.softmax(z), atol=1e-12)


@given(logits, st.floats(0.1, 10), st.floats(0.1, 10))
def test_scaling_logits_is_cooling(z: np.ndarray, factor: float, temperature: float) -> None:
    np.testing.assert_allclose(
        losses.softmax(factor * z, temperature),
        losses.softmax(z, temperature / factor),
        rtol=1e-9,
        atol=1e-300,
    )


@given(logits)
def test_limits_of_temperature(z: np.ndarray) -> None:
    np.testing.assert_allclose(losses.softmax(z, 1e9), 1 / len(z), atol=1e-7)
    gap = np.diff(np.sort(z))[-1]
    if gap > 1e-3:
        assert losses.softmax(z, gap / 50)[np.argmax(z)] == pytest.approx(1)


@given(logits, st.data())
def test_cross_entropy_agrees_with_information(z: np.ndarray, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(z) - 1))
    p = losses.softmax(z)
    assert losses.cross_entropy(z, k) == pytest.approx(information.surprise(p[k]), abs=1e-12)
    q = np.roll(p, 1)
    assert losses.cross_entropy(z, q) == pytest.approx(information.cross_entropy(q, p), abs=1e-12)


@given(st.floats(-30, 30), st.floats(-30, 30), st.sampled_from([0, 1]))
def test_two_classes_are_binary(a: float, b: float, y: int) -> None:
    """A15: softmax over two logits is the sigmoid of their difference."""
    categorical = losses.cross_entropy([a, b], y)
    binary_form = losses.binary_cross_entropy_with_logits(b - a, float(y))
    assert categorical == pytest.approx(binary_form, rel=1e-12, abs=1e-12)


@given(st.floats(-1e4, 1e4), binary)
def test_focal_without_focus_is_cross_entropy(z: float, y: float) -> None:
    assert losses.focal(z, y, gamma=0) == losses.binary_cross_entropy_with_logits(z, y)


@given(st.floats(-20, 20), binary, st.floats(0, 5))
def test_focal_never_exceeds_cross_entropy(z: float, y: float, gamma: float) -> None:
    assert losses.focal(z, y, gamma) <= losses.binary_cross_entropy_with_logits(z, y)


@given(st.floats(-15, 15), st.floats(0, 1))
def test_probability_and_logit_forms_agree(z: float, y: float) -> None:
    from_probability = losses.binary_cross_entropy(ops.sigmoid(z), y)
    from_logit = losses.binary_cross_entropy_with_logits(z, y)
    assert from_probability == pytest.approx(from_logit, rel=1e-6, abs=1e-6)


@given(st.floats(-20, 20), binary)
def test_surrogates(score: float, y: float) -> None:
    sign = 2 * y - 1
    errors = losses.margin_zero_one(sign * score)
    assert losses.hinge(score, sign) >= errors
    assert losses.margin_squared(sign * score) >= errors
    assert losses.margin_logistic(sign * score) / math.log(2) >= errors
    assert losses.margin_logistic(sign * score) == losses.binary_cross_entropy_with_logits(score, y)


SMOOTH = {
    "mse": lambda x: losses.mse(x, np.array([0.5, -1.0, 2.0])),
    "half mse": lambda x: losses.mse(x, np.array([0.5, -1.0, 2.0]), half=True),
    "logits": lambda x: losses.binary_cross_entropy_with_logits(x, np.array([1.0, 0.0, 0.3])),
    "probabilities": lambda x: losses.binary_cross_entropy(
        ops.sigmoid(x), np.array([1.0, 0.0, 0.3])
    ),
    "focal": lambda x: losses.focal(x, np.array([1.0, 0.0, 1.0]), 1.5, 0.25),
    "cross-entropy": lambda x: losses.cross_entropy(x, 2),
    "softmax": lambda x: losses.softmax(x, 0.7)[1],
    "log-softmax": lambda x: losses.log_softmax(x, 3.0)[1],
    "squared margin": lambda x: ops.mean(losses.margin_squared(x)),
}


@pytest.mark.parametrize("name", SMOOTH)
@given(arrays(np.float64, 3, elements=st.floats(-6, 6)))
def test_gradient_equals_finite_differences(name: str, x: np.ndarray) -> None:
    f = SMOOTH[name]
    np.testing.assert_allclose(autograd.grad(f)(x), finite_difference(f, x), rtol=1e-6, atol=1e-8)


# Extremes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1e3, 1e4])
def test_softmax_does_not_overflow(dtype: type, size: float) -> None:
    z = np.array([[size, -size, 0], [size, size, -size], [-size, -size, -size]], dtype)
    p = losses.softmax(z)
    assert p.dtype == dtype
    np.testing.assert_array_equal(p[:2], [[1, 0, 0], [0.5, 0.5, 0]])
    np.testing.assert_allclose(p[2], 1 / 3, rtol=1e-6)
    value, gradient = autograd.value_and_grad(
        lambda z: losses.cross_entropy(z, np.array([1, 2, 0]), reduction="none")
    )(z)
    log2 = math.log(2)
    np.testing.assert_allclose(value, [2 * size, 2 * size + log2, math.log(3)], rtol=1e-7)
    np.testing.assert_allclose(gradient[:2], [[1, -1, 0], [0.5, 0.5, -1]], rtol=1e-7)


@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_huge_logits_keep_full_precision(dtype: type) -> None:
    z = np.full(4, 1e4, dtype)
    np.testing.assert_array_equal(losses.softmax(z), 0.25)
    assert losses.cross_entropy(z, 0) == pytest.approx(math.log(4), rel=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["binary_cross_entropy_with_logits", "focal"])
def test_binary_losses_at_extreme_logits(name: str, dtype: type) -> None:
    z = np.array([-1e4, -1e3, 0, 1e3, 1e4], dtype)
    loss = getattr(losses, name)
    for y in (0.0, 1.0):
        value, gradient = autograd.value_and_grad(
            lambda z, y=y: loss(z, np.full(5, y, dtype), reduction="none")
        )(z)
        assert value.dtype == gradient.dtype == dtype
        wrong = np.array([1e4, 1e3, 0, 0, 0] if y else [0, 0, 0, 1e3, 1e4])
        slope = np.array([-1, -1, 0, 0, 0] if y else [0, 0, 0, 1, 1])
        keep = z != 0
        np.testing.assert_allclose(value[keep], wrong[keep])
        np.testing.assert_allclose(gradient[keep], slope[keep], atol=1e-30)


def test_saturated_gradient_keeps_its_relative_precision() -> None:
    gradient = autograd.grad(lambda z: losses.binary_cross_entropy_with_logits(z, 1.0))(50.0)
    assert gradient == pytest.approx(-math.exp(-50), rel=1e-12)


def test_certain_probabilities() -> None:
    p, y = np.array([1.0, 0.0, 0.0, 1.0]), np.array([1, 0, 1, 0])
    value = losses.binary_cross_entropy(p, y, reduction="none")
    np.testing.assert_array_equal(value, [0, 0, math.inf, math.inf])
    right = autograd.grad(lambda p: losses.binary_cross_entropy(p, y[:2], "none"))(p[:2])
    np.testing.assert_array_equal(right, [-1, 1])


# Bad input ----------------------------------------------------------------------------------------


def test_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="a class index lies in 0 … 2"):
        losses.cross_entropy([1.0, 2.0, 3.0], 3)
    with pytest.raises(ValueError, match="class indices of shape"):
        losses.cross_entropy(np.zeros((2, 3)), [0.5, 0.5])
    with pytest.raises(ValueError, match="temperature must be positive"):
        losses.softmax([1.0, 2.0], 0.0)
    with pytest.raises(ValueError, match="reduction is"):
        losses.mse(1.0, 0.0, reduction="sum")  # type: ignore[arg-type]
