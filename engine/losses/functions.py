"""The losses, written with the engine's operations, so that autograd gives their gradients.

Every loss takes a batch of any shape and returns the mean over it, or with `reduction="none"` the
loss of each element. Prediction and target have one shape, unless one of them is a single number:
they are never broadcast against each other, and a target or probability out of its range is refused
(ValueError that names both shapes, or the value). Logarithms are natural. Losses on logits hold at
any logit, ±1e4 in float32 and a class masked by −∞ included, in value and in gradient: no logarithm
of a rounded probability is ever taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from engine.losses import information
from engine.tape import Value, Vector
from engine.tape import operations as ops

Reduction = Literal["mean", "none"]

_LARGE = 3e38  # a number that float32 has as well


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
    if xp.isdtype(x.dtype, "complex floating"):
        raise ValueError("a loss is taken of real numbers, got complex ones")
    return xp.astype(x, getattr(_innermost(like), "dtype", xp.float64))


def _pair(prediction: Any, target: Any) -> tuple[Any, Any]:
    """Both as numbers of one shape; ValueError that names the shapes where they are not."""
    prediction = _numeric(prediction)
    target = _numeric(target, like=prediction)
    shape, other = ops.shape_of(prediction), ops.shape_of(target)
    if shape != other and shape and other:
        raise ValueError(
            f"prediction and target must have one shape, got {shape} and {other}; reshape one"
        )
    return prediction, target


def _refuse(x: Any, allowed: Callable[[Any], Any], rule: str) -> None:
    """ValueError that says the rule and the first number of x that is not allowed."""
    data = _innermost(x)
    for part in data if isinstance(data, Vector) else (data,):
        part = _innermost(part)
        xp = ops.namespace(part)
        right = xp.asarray(allowed(part))
        if not xp.all(right):
            first = part if not ops.shape_of(part) else part[xp.logical_not(right)][0]
            raise ValueError(f"{rule}, got {float(first):.17g}")


def _is_share(x: Any) -> Any:
    return (x >= 0) & (x <= 1)


def _innermost(x: Any) -> Any:
    """The array or number under any number of tapes."""
    while isinstance(x, Value):
        x = x.data
    return x


# Regression ---------------------------------------------------------------------------------------


def mse(prediction: Any, target: Any, half: bool = False, reduction: Reduction = "mean") -> Any:
    """(ŷ − y)², any shape; its gradient is 2(ŷ − y). With half, ½(ŷ − y)² and ŷ − y."""
    error = ops.subtract(*_pair(prediction, target))
    squared = ops.integer_power(error, exponent=2)
    return _reduce(0.5 * squared if half else squared, reduction)


# Two classes --------------------------------------------------------------------------------------


def zero_one(prediction: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """I(ŷ ≠ y) of labels, any shape: the share of errors. Its gradient is 0 everywhere."""
    same = ops.equal(*_pair(prediction, target))
    return _reduce(ops.where(same, 0.0, 1.0), reduction)


def hinge(score: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """max(0, 1 − y·s) for targets y of −1 and 1, any shape."""
    score, y = _pair(score, target)
    _refuse(y, lambda y: (y == 1) | (y == -1), "a target of the hinge is -1 or 1")
    return _reduce(margin_hinge(ops.multiply(y, score)), reduction)


def binary_cross_entropy(probability: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """−y log p − (1 − y) log(1 − p), any shape; inf for a certain prediction that is wrong, where
    PyTorch's binary_cross_entropy stops at 100: it holds both logarithms at −100.

    The numbers of this form are lost to rounding once p is within 1e-16 of 1: train on
    `binary_cross_entropy_with_logits`.
    """
    p, y = _pair(probability, target)
    _refuse(p, _is_share, "a probability lies in [0, 1]")
    _refuse(y, _is_share, "a target lies in [0, 1]")
    with np.errstate(divide="ignore"):
        # 0 · log 0 is 0 and flat: where both are 0, the logarithm is taken of 1.
        log_p = ops.log(ops.where(ops.equal(y + p, 0.0), 1.0, p))
        both = ops.equal((1.0 - y) + (1.0 - p), 0.0)
        log_rest = ops.log1p(ops.where(both, 0.0, ops.negative(p)))
    return _reduce(0.0 - (y * log_p + (1.0 - y) * log_rest), reduction)


def binary_cross_entropy_with_logits(logit: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """Binary cross-entropy of σ(logit), any shape: y·softplus(−z) + (1 − y)·softplus(z).

    Its gradient is σ(z) − y, kept to full relative precision where σ is saturated.
    """
    z, y = _pair(logit, target)
    _refuse(y, _is_share, "a target lies in [0, 1]")
    one = _weighed(y, ops.softplus(ops.negative(z)))
    return _reduce(one + _weighed(1.0 - y, ops.softplus(z)), reduction)


def _weighed(weight: Any, loss: Any) -> Any:
    """weight · loss, where what has no weight adds nothing though its loss be infinite."""
    return weight * ops.where(ops.equal(weight, 0.0), ops.minimum(loss, _LARGE), loss)


def focal(
    logit: Any,
    target: Any,
    gamma: Any = 2.0,
    alpha: float | None = None,
    reduction: Reduction = "mean",
) -> Any:
    """−α_t (1 − p_t)^γ log p_t for targets of 0 and 1, any shape; γ = 0 is binary cross-entropy.

    p_t is the probability given to the true class; α_t is alpha for targets of 1 and 1 − alpha for
    targets of 0, or 1 for both where alpha is None. Source: Lin et al., "Focal loss for dense
    object detection" (2017).
    """
    z, y = _pair(logit, target)
    _refuse(y, lambda y: (y == 0) | (y == 1), "a target of the focal loss is 0 or 1")
    _refuse(gamma, lambda g: g >= 0, "gamma is at least 0")
    if alpha is not None:
        _refuse(alpha, _is_share, "alpha lies in [0, 1]")
    toward = ops.where(ops.equal(y, 1.0), z, ops.negative(z))  # the logit of the true class
    loss = ops.softplus(ops.negative(toward))  # −log p_t
    if isinstance(gamma, Value) or gamma > 0:
        # (1 − p_t)^γ as e^(γ log(1 − p_t)): its slope has no 0 · ∞ where 1 − p_t underflows.
        focus = ops.exp(ops.negative(gamma * ops.softplus(toward)))
        # Where p_t is 0 to the last bit the focus is 1, and its slope would meet an infinite loss.
        hopeless = ops.less(toward, -1e3)
        loss = ops.where(hopeless, loss, focus * ops.where(hopeless, 0.0, loss))
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

    Boltzmann's distribution over states of energy −z at temperature T. A logit of −∞ masks its
    class; NaN where all are masked.
    """
    with np.errstate(invalid="ignore"):  # of a logit at +∞
        return ops.softmax(_tempered(logits, temperature))


def log_softmax(logits: Any, temperature: Any = 1.0) -> Any:
    """log of `softmax`, (..., C) -> (..., C), finite wherever the logit is; −∞ if it is masked."""
    with np.errstate(invalid="ignore"):
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
    1. A class masked by a logit of −∞ has probability 0, and costs nothing where its y is 0.
    Raises ValueError for an index outside 0 … C − 1 or of a float type, for shapes that do not fit
    and for probabilities that are none.
    """
    z = _numeric(logits)
    if not ops.shape_of(z):
        raise ValueError("logits have an axis for the classes, got a single number")
    y = target if isinstance(target, Value) else _class_probabilities(z, target)
    _check_probabilities(ops.shape_of(z), y)
    with np.errstate(invalid="ignore"):
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
    return xp.astype(target, z.dtype) if target.shape == z.shape else target


def _check_probabilities(shape: tuple[int, ...], target: Any) -> None:
    """ValueError where the target is not a distribution over the last axis of logits' shape."""
    y = _innermost(target)
    if ops.shape_of(y) != shape:
        raise ValueError(
            f"logits of shape {shape} want class indices of shape {shape[:-1]}, whole numbers, "
            f"or probabilities of their own shape, got {ops.shape_of(y)} of {y.dtype}"
        )
    _refuse(y, _is_share, "a target probability lies in [0, 1]")
    xp = ops.namespace(y)
    # Rounding to float32, or to a few printed digits, is forgiven.
    sums = xp.sum(y, axis=-1)
    slack = information.TOLERANCE + 4 * shape[-1] * float(xp.finfo(y.dtype).eps)
    _refuse(sums, lambda s: xp.abs(s - 1.0) <= slack, "target probabilities sum to 1")
