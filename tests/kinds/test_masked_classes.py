"""Classes left out by a logit of −∞.

What it stands for: a mask is written as −∞ before the softmax, and a loss that sums y · log p over
all classes meets 0 · (−∞) (google-deepmind/optax#896, pytorch/xla#2553, flash-attention#1930;
tiny-dnn#410 for two classes). What has no weight costs nothing, in value and in slopes, in both
modes. Right values: the same loss without the masked class, and limits by hand.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine import losses
from engine.tape import autograd
from engine.tape import operations as ops

INF = math.inf
MASKED = np.array([2.0, -INF, 0.5, -INF, -1.0])
KEPT = np.isfinite(MASKED)


def test_the_reported_value() -> None:
    value, gradient = autograd.value_and_grad(lambda z: losses.cross_entropy(z, 1))(
        np.array([-INF, 0.0])
    )
    assert value == 0.0
    np.testing.assert_array_equal(gradient, [0.0, 0.0])


@pytest.mark.parametrize("target", [0, 2, 4, [0.2, 0.0, 0.5, 0.0, 0.3]])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_masked_class_is_as_if_it_were_not_there(target: Any, dtype: type) -> None:
    z, few = MASKED.astype(dtype), MASKED[KEPT].astype(dtype)
    left = np.asarray(target, dtype)[KEPT] if isinstance(target, list) else [0, 0, 1, 0, 2][target]
    value, gradient = autograd.value_and_grad(lambda z: losses.cross_entropy(z, target))(z)
    right, slopes = autograd.value_and_grad(lambda z: losses.cross_entropy(z, left))(few)
    assert value == pytest.approx(float(right), rel=1e-6 if dtype == np.float32 else 1e-15)
    np.testing.assert_allclose(gradient[KEPT], slopes, rtol=1e-6)
    np.testing.assert_array_equal(gradient[~KEPT], 0.0)
    assert gradient.dtype == dtype
    tangent = autograd.jvp(lambda z: losses.cross_entropy(z, target), (z,), (np.ones_like(z),))[1]
    assert tangent == pytest.approx(0.0, abs=1e-6)  # a shift of all logits changes nothing
    np.testing.assert_array_equal(losses.softmax(z)[KEPT], losses.softmax(few))
    np.testing.assert_array_equal(losses.softmax(z)[~KEPT], 0.0)
    np.testing.assert_array_equal(losses.log_softmax(z)[KEPT], losses.log_softmax(few))
    np.testing.assert_array_equal(losses.log_softmax(z)[~KEPT], -INF)


def test_to_second_order() -> None:
    hessian = autograd.hessian(lambda z: losses.cross_entropy(z, 0))(MASKED)
    p = losses.softmax(MASKED)
    np.testing.assert_allclose(hessian, np.diag(p) - np.outer(p, p), atol=1e-15)


def test_rows_masked_differently() -> None:
    z = np.array([[0.0, -INF, 1.0], [-INF, 2.0, -INF], [0.0, 0.0, 0.0]])
    value, gradient = autograd.value_and_grad(
        lambda z: losses.cross_entropy(z, [0, 1, 2], reduction="none")
    )(z)
    np.testing.assert_allclose(value, [math.log1p(math.e), 0.0, math.log(3)], rtol=1e-15)
    assert np.isfinite(gradient).all()


def test_the_masked_class_itself_costs_infinity() -> None:
    assert losses.cross_entropy(MASKED, 1) == INF
    assert losses.cross_entropy([0.0, -INF], [0.5, 0.5]) == INF


def test_a_certain_class() -> None:
    """A logit of +∞ is the limit: that class, or those, and no other."""
    np.testing.assert_array_equal(losses.softmax([INF, 0.0, 1.0]), [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(losses.softmax([INF, 0.0, INF]), [0.5, 0.0, 0.5])
    assert losses.cross_entropy([INF, 0.0], 0) == 0.0
    assert losses.cross_entropy([INF, 0.0], 1) == INF


@pytest.mark.parametrize("keepdims", [False, True])
def test_the_slope_of_logsumexp_lies_on_the_infinite_classes(keepdims: bool) -> None:
    """∂ log Σ e^z = softmax(z), whose limit is all weight on the classes at +∞, shared alike."""
    z = np.array([[INF, 0.0, -INF], [INF, 1.0, INF], [-INF, 0.0, 0.0]])
    right = np.array([[1.0, 0.0, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]])

    def f(z: Any) -> Any:
        return ops.logsumexp(z, keepdims=keepdims)

    with np.errstate(invalid="ignore"):  # ∞ − ∞ on the side that is not chosen
        value, pull = autograd.vjp(f, z)
        slopes = pull(np.ones_like(value))[0]
        along = [autograd.jvp(f, (z,), (np.broadcast_to(e, z.shape),))[1] for e in np.eye(3)]
    np.testing.assert_allclose(np.ravel(value), [INF, INF, math.log(2)])
    np.testing.assert_array_equal(slopes, right)
    np.testing.assert_array_equal(np.stack([np.ravel(t) for t in along], axis=-1), right)


def test_where_all_are_masked_there_is_no_distribution() -> None:
    assert np.isnan(losses.softmax([-INF, -INF])).all()


# Two classes: σ(z) at ±∞ is certain, and right or wrong.
@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize(
    ("z", "y", "value", "slope"),
    [
        (-INF, 0.0, 0.0, 0.0), (INF, 1.0, 0.0, 0.0), (-INF, 1.0, INF, -1.0), (INF, 0.0, INF, 1.0),
        (-INF, 0.3, INF, -0.3), (INF, 0.3, INF, 0.7), (-800.0, 0.0, 0.0, 0.0),
        (-800.0, 1.0, 800.0, -1.0), (800.0, 1.0, 0.0, 0.0), (0.0, 1.0, math.log(2), -0.5),
    ],
)  # fmt: skip
def test_binary_cross_entropy_of_a_certain_logit(
    z: float, y: float, value: float, slope: float, mode: str
) -> None:
    def loss(z: Any) -> Any:
        return losses.binary_cross_entropy_with_logits(z, y)

    for at in (z, np.array([z])):
        if mode == "reverse":
            got = autograd.value_and_grad(loss)(at)
        else:
            got = autograd.jvp(loss, (at,), (np.ones_like(at),))
        np.testing.assert_allclose(np.ravel(got[0]), value, rtol=1e-15)
        np.testing.assert_allclose(np.ravel(got[1]), slope, rtol=1e-15)


@pytest.mark.parametrize(
    ("z", "y", "value", "slope"),
    [
        (-INF, 0.0, 0.0, 0.0), (INF, 1.0, 0.0, 0.0), (-INF, 1.0, INF, -1.0), (INF, 0.0, INF, 1.0),
        (-900.0, 1.0, 900.0, -1.0), (-1100.0, 1.0, 1100.0, -1.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_of_a_certain_logit(
    z: float, y: float, value: float, slope: float, gamma: float
) -> None:
    got = autograd.value_and_grad(lambda z: losses.focal(z, y, gamma))(z)
    assert (float(got[0]), float(got[1])) == (value, slope)


def test_the_slope_by_the_target_is_kept() -> None:
    """By y it is log(1 − p) − log p, at targets of 0 and 1 as well."""
    for y in (0.0, 0.4, 1.0):
        by_logit = autograd.grad(lambda y: losses.binary_cross_entropy_with_logits(0.7, y))(y)
        assert by_logit == pytest.approx(-0.7, rel=1e-14)
        by_share = autograd.grad(lambda y: losses.binary_cross_entropy(0.2, y))(y)
        assert by_share == pytest.approx(math.log(0.8) - math.log(0.2), rel=1e-14)


@pytest.mark.parametrize(("p", "y", "value"), [(0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (0.0, 1.0, INF)])
def test_certain_probabilities(p: float, y: float, value: float) -> None:
    assert losses.binary_cross_entropy(p, y) == value
    with np.errstate(divide="ignore"):
        slope = autograd.grad(lambda p: losses.binary_cross_entropy(p, y))(p)
    assert slope == (-INF if value else 1.0 - 2.0 * y)
