"""Losses of things that do not belong together.

What it stands for: (n, 1) against (n,) broadcasts to n × n and trains on nonsense, the most asked
question about mean squared error (pytorch/pytorch#16045, #19699); a float class index is read as a
probability (tsotchke/eshkol#552); a probability of 1.2 gives a loss below 0. All are refused with a
ValueError that names both shapes, or the value: on arrays, on numbers and on a tape.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine import losses
from engine.losses import information
from engine.tape import autograd

ELEMENTWISE: dict[str, tuple[Callable[..., Any], float, float]] = {  # loss, prediction, target
    "mse": (losses.mse, 0.3, 1.0),
    "zero_one": (losses.zero_one, 1.0, 1.0),
    "hinge": (losses.hinge, 0.3, 1.0),
    "binary_cross_entropy": (losses.binary_cross_entropy, 0.3, 1.0),
    "binary_cross_entropy_with_logits": (losses.binary_cross_entropy_with_logits, 0.3, 1.0),
    "focal": (losses.focal, 0.3, 1.0),
}
UNLIKE = [((3, 1), (3,)), ((3,), (3, 1)), ((3,), (2,)), ((2, 3), (3,)), ((1,), (3,)), ((3,), (1,))]


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize(("shape", "other"), UNLIKE, ids=str)
def test_unlike_shapes_are_named(name: str, shape: Any, other: Any) -> None:
    loss, prediction, target = ELEMENTWISE[name]
    x, y = np.full(shape, prediction), np.full(other, target)
    words = re.escape(f"{shape}") + ".*" + re.escape(f"{other}")
    with pytest.raises(ValueError, match=words):
        loss(x, y)
    with pytest.raises(ValueError, match=words):
        autograd.grad(lambda x: loss(x, y))(x)
    with pytest.raises(ValueError, match=words):
        autograd.grad(lambda x, y: loss(x, y), (0, 1))(x, y)
    with pytest.raises(ValueError, match=words):
        loss(x.tolist(), y.tolist(), reduction="none")


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 1), (2, 3), (0,)])
def test_like_shapes_and_single_numbers_are_taken(name: str, shape: Any) -> None:
    loss, prediction, target = ELEMENTWISE[name]
    x, y = np.full(shape, prediction), np.full(shape, target)
    one = float(loss(prediction, target))
    for value in (loss(x, y, reduction="none"), loss(x, target, reduction="none")):
        assert np.shape(value) == shape
        np.testing.assert_array_equal(value, np.full(shape, one))
    assert np.shape(loss(prediction, y, reduction="none")) == shape


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_whole_numbers_are_read_as_numbers(name: str) -> None:
    loss, _, _ = ELEMENTWISE[name]
    right = loss(1.0, 1.0)
    for one in (1, [1, 1], np.ones(2, np.uint8), np.ones(2, np.int64), np.ones(2, bool)):
        assert loss(one, one) == pytest.approx(float(right))
        assert loss(np.float64(1.0), np.int8(1)) == pytest.approx(float(right))
    assert losses.mse(np.array([200], np.uint8), np.array([0], np.uint8)) == 40000.0


@pytest.mark.parametrize(
    ("name", "prediction", "target", "told"),
    [
        ("binary_cross_entropy", 1.2, 1, "1.2"),
        ("binary_cross_entropy", [0.5, -1e-9], [1, 0], "-1e-09|-1.0000000000000001e-09"),
        ("binary_cross_entropy", 0.5, 2, "2"),
        ("binary_cross_entropy", 0.5, -1, "-1"),
        ("binary_cross_entropy", math.nan, 1, "nan"),
        ("binary_cross_entropy_with_logits", 0.5, -1, "-1"),
        ("binary_cross_entropy_with_logits", [0.5, 3.0], [0.5, 1.5], "1.5"),
        ("binary_cross_entropy_with_logits", 0.5, math.nan, "nan"),
        ("focal", 0.5, 0.3, "0.2999|0.3"),
        ("focal", 0.5, -1, "-1"),
        ("hinge", 0.5, 0, "0"),
        ("hinge", [0.5, 0.5], [1, 0.5], "0.5"),
    ],
)  # fmt: skip
def test_a_number_out_of_its_range_is_named(
    name: str, prediction: Any, target: Any, told: str
) -> None:
    loss = ELEMENTWISE[name][0]
    with pytest.raises(ValueError, match=f"got ({told})"):
        loss(prediction, target)
    x, y = np.asarray(prediction, float), np.asarray(target, float)
    with pytest.raises(ValueError, match=f"got ({told})"):
        autograd.grad(lambda x, y: loss(x, y), (0, 1))(x, y)
    with pytest.raises(ValueError, match=f"got ({told})"):
        autograd.jvp(lambda x: loss(x, y), (x,), (np.ones_like(x),))


def test_settings_out_of_their_range_are_named() -> None:
    with pytest.raises(ValueError, match="gamma is at least 0, got -1"):
        losses.focal(0.5, 1, gamma=-1.0)
    with pytest.raises(ValueError, match=r"alpha lies in \[0, 1\], got 1.5"):
        losses.focal(0.5, 1, alpha=1.5)
    with pytest.raises(ValueError, match="complex"):
        losses.mse(np.array([1j]), 0.0)


LOGITS = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0], [1.0, 1.0, 1.0]])


@pytest.mark.parametrize(
    ("logits", "target", "told"),
    [
        (LOGITS, [0.0, 1.0, 2.0], r"\(3, 3\).*whole numbers.*\(3,\) of float64"),  # it broadcast
        (LOGITS, [0.2, 0.5, 0.3], r"\(3, 3\).*\(3,\) of float64"),
        (LOGITS[0], 1.0, r"\(3,\).*whole numbers.*\(\) of float64"),
        (LOGITS, [[0], [1], [2]], r"\(3, 3\).*\(3, 1\)"),
        (LOGITS, [0, 1], r"\(3, 3\).*\(2,\)"),
        (LOGITS, 1, r"\(3, 3\).*\(\)"),
        (LOGITS, [0, 1, 3], "0 … 2"),
        (LOGITS, [0, -1, 1], "0 … 2"),
        (1.0, 0, "single number"),
        (LOGITS[0], [0.2, 0.9, -0.1], r"\[0, 1\], got -0.1"),
        (LOGITS[0], [1.2, 0.0, -0.2], r"\[0, 1\], got 1.2|got 1.19"),
        (LOGITS[0], [0.2, 0.2, 0.2], "sum to 1, got 0.6"),
        (LOGITS[0], [1.0, 1.0, 0.0], "sum to 1, got 2"),
        (LOGITS[0], [math.nan, 1.0, 0.0], "got nan"),
    ],
)
def test_targets_of_cross_entropy(logits: Any, target: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        losses.cross_entropy(logits, target)
    with pytest.raises(ValueError, match=told):
        autograd.grad(lambda z: losses.cross_entropy(z, target))(np.asarray(logits))
    if np.asarray(target).dtype == float:
        with pytest.raises(ValueError, match=told):
            autograd.grad(lambda y: losses.cross_entropy(logits, y))(np.asarray(target))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_targets_that_sum_to_one_but_for_rounding_are_taken(dtype: type) -> None:
    rng = np.random.default_rng(0)
    y = rng.dirichlet(np.ones(1000), 4).astype(dtype)
    z = rng.normal(size=(4, 1000)).astype(dtype)
    assert np.isfinite(losses.cross_entropy(z, y))
    assert np.isfinite(losses.cross_entropy([1.0, 2.0, 3.0], [0.333333, 0.333333, 0.333334]))
    assert losses.cross_entropy(LOGITS, np.eye(3, dtype=int)) == pytest.approx(
        float(losses.cross_entropy(LOGITS, [0, 1, 2])), rel=1e-15
    )


def test_distributions_of_unlike_shape() -> None:
    with pytest.raises(ValueError, match="p has 2 outcomes and q has 3"):
        information.kl_divergence([0.5, 0.5], [0.2, 0.3, 0.5])
    p, q = np.full((3, 1, 2), 0.5), np.full((3, 2), 0.5)
    for measure in (
        information.kl_divergence, information.js_divergence, information.cross_entropy
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"\(3, 1, 2\).*\(3, 2\)"):
            measure(p, q)
        assert measure(p, q[0]).shape == (3, 1)
