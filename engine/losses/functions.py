"""The losses, written with the engine's operations, so that autograd gives their gradients.

Every loss takes a batch of any shape and returns the mean over it, or with `reduction="none"` the
loss of each element. Logarithms are natural. Losses on logits hold at any finite logit, ±1e4 in
float32 included, in value and in gradient: no logarithm of a rounded probability is ever taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from engine.tape import Value, Vector
from engine.tape import operations as ops

Reduction = Literal["mean", "none"]


def _reduce(loss: Any, reduction: Reduction) -> Any:
    if reduction == "mean":
        return ops.mean(loss)
    if reduction == "none":
        return loss
    raise ValueError(f"reduction is 'mean' or 'none', got {reduction!r}")


def _numeric(x: Any, like: Any = None) -> Any:
    """x, or a float array of it (of `like`'s dtype) where it is a list or whole numbers."""
    if isinstance(x, (Value, Vector, int, float)):
        return x
    if not hasattr(x, "__array_namespace__"):
        x = np.asarray(x)
    xp = ops.namespace(x)
    if xp.isdtype(x.dtype, "real floating"):
        return x
    return xp.astype(x, getattr(_innermost(like), "dtype", xp.float64))


def _innermost(x: Any) -> Any:
    """The array or number under any number of tapes."""
    while isinstance(x, Value):
        x = x.data
    return x


# Regression ---------------------------------------------------------------------------------------


def mse(prediction: Any, target: Any, half: bool = False, reduction: Reduction = "mean") -> Any:
    """(ŷ − y)², any shape; its gradient is 2(ŷ − y). With half, ½(ŷ − y)² and ŷ − y."""
    prediction = _numeric(prediction)
    error = ops.subtract(prediction, _numeric(target, like=prediction))
    squared = ops.integer_power(error, exponent=2)
    return _reduce(0.5 * squared if half else squared, reduction)


# Two classes --------------------------------------------------------------------------------------


def zero_one(prediction: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """I(ŷ ≠ y) of labels, any shape: the share of errors. Its gradient is 0 everywhere."""
    same = ops.equal(_numeric(prediction), _numeric(target))
    return _reduce(ops.where(same, 0.0, 1.0), reduction)


def hinge(score: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """max(0, 1 − y·s) for targets y of −1 and 1, any shape."""
    score = _numeric(score)
    return _reduce(margin_hinge(ops.multiply(_numeric(target, like=score), score)), reduction)


def binary_cross_entropy(probability: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """−y log p − (1 − y) log(1 − p), any shape; inf for a certain prediction that is wrong.

    The numbers of this form are lost to rounding once p is within 1e-16 of 1: train on
    `binary_cross_entropy_with_logits`.
    """
    p = _numeric(probability)
    y = _numeric(target, like=p)
    with np.errstate(divide="ignore"):
        # 0 · log 0 is 0 and flat: where a weight is 0, its logarithm is taken of 1.
        log_p = ops.log(ops.where(ops.equal(y, 0.0), 1.0, p))
        log_rest = ops.log1p(ops.where(ops.equal(y, 1.0), 0.0, ops.negative(p)))
    return _reduce(0.0 - (y * log_p + (1.0 - y) * log_rest), reduction)


def binary_cross_entropy_with_logits(logit: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """Binary cross-entropy of σ(logit), any shape: y·softplus(−z) + (1 − y)·softplus(z).

    Its gradient is σ(z) − y, kept to full relative precision where σ is saturated.
    """
    z = _numeric(logit)
    y = _numeric(target, like=z)
    loss = y * ops.softplus(ops.negative(z)) + (1.0 - y) * ops.softplus(z)
    return _reduce(loss, reduction)


def focal(
    logit: Any,
    target: Any,
    gamma: float = 2.0,
    alpha: float | None = None,
    reduction: Reduction = "mean",
) -> Any:
    """−α_t (1 − p_t)^γ log p_t for targets of 0 and 1, any shape; γ = 0 is binary cross-entropy.

    p_t is the probability given to the true class; α_t is alpha for targets of 1 and 1 − alpha for
    targets of 0, or 1 for both where alpha is None. Source: Lin et al., "Focal loss for dense
    object detection" (2017).
    """
    z = _numeric(logit)
    y = _numeric(target, like=z)
    toward = ops.where(ops.equal(y, 1.0), z, ops.negative(z))  # the logit of the true class
    surprise = ops.softplus(ops.negative(toward))  # −log p_t
    # (1 − p_t)^γ as e^(γ log(1 − p_t)): its slope has no 0 · ∞ where 1 − p_t underflows.
    loss = ops.exp(ops.negative(gamma * ops.softplus(toward))) * surprise
    if alpha is not None:
        loss = ops.where(ops.equal(y, 1.0), alpha, 1.0 - alpha) * loss
    return _reduce(loss, reduction)


# Losses of the margin y·s, y in {−1, 1}: positive where the sign is right -------------------------


def margin_zero_one(margin: Any) -> Any:
    """1 where the margin is at most 0, else 0."""
    return ops.where(ops.greater(margin, 0.0), 0.0, 1.0)


def margin_hinge(margin: Any) -> Any:
    """max(0, 1 − m)."""
    return ops.relu(1.0 - margin)


def margin_logistic(margin: Any) -> Any:
    """log(1 + e^−m): binary cross-entropy with m for its logit, in nats."""
    return ops.softplus(ops.negative(margin))


def margin_squared(margin: Any) -> Any:
    """(1 − m)²: the squared error of the score, which also punishes margins above 1."""
    return ops.integer_power(1.0 - margin, exponent=2)


MARGIN_LOSSES: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "zero_one": margin_zero_one,
        "hinge": margin_hinge,
        "logistic": margin_logistic,
        "squared": margin_squared,
    }
)


# Many classes -------------------------------------------------------------------------------------


def softmax(logits: Any, temperature: Any = 1.0) -> Any:
    """e^(z/T) / Σ e^(z/T) over the last axis, (..., C) -> (..., C); T > 0.

    Boltzmann's distribution over states of energy −z at temperature T.
    """
    return ops.softmax(_tempered(logits, temperature))


def log_softmax(logits: Any, temperature: Any = 1.0) -> Any:
    """log of `softmax`, (..., C) -> (..., C), finite for every finite logit."""
    return ops.log_softmax(_tempered(logits, temperature))


def _tempered(logits: Any, temperature: Any) -> Any:
    coldest = _innermost(temperature)
    if not np.all(np.asarray(coldest) > 0):
        raise ValueError(f"temperature must be positive, got {coldest!r}")
    logits = _numeric(logits)
    is_one = not isinstance(temperature, Value) and not ops.shape_of(temperature) and coldest == 1
    return logits if is_one else ops.divide(logits, temperature)


def cross_entropy(logits: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """−Σ y log softmax(logits) over the classes, (..., C) -> (...), whose gradient is ŷ − y.

    target holds class indices (whole numbers of shape (...)) or probabilities (..., C) that sum to
    1. Raises ValueError for an index outside 0 … C − 1 and for shapes that do not fit.
    """
    z = _numeric(logits)
    y = target if isinstance(target, Value) else _class_probabilities(z, target)
    return _reduce(ops.softmax_cross_entropy(z, y), reduction)


def _class_probabilities(logits: Any, target: Any) -> Any:
    """The target as probabilities over the classes: indices become one-hot rows."""
    z = _innermost(logits)
    xp = ops.namespace(z)
    target = target if hasattr(target, "__array_namespace__") else np.asarray(target)
    target = xp.asarray(target)
    if xp.isdtype(target.dtype, "integral") and target.shape == z.shape[:-1]:
        classes = z.shape[-1]
        if xp.any((target < 0) | (target >= classes)):
            raise ValueError(f"a class index lies in 0 … {classes - 1}, got {target}")
        matches = xp.expand_dims(target, axis=-1) == xp.arange(classes)
        return xp.astype(matches, z.dtype)
    if target.shape[-1:] != z.shape[-1:]:
        raise ValueError(
            f"logits of shape {z.shape} want class indices of shape {z.shape[:-1]} or "
            f"probabilities of their own shape, got {target.shape}"
        )
    return xp.astype(target, z.dtype)
