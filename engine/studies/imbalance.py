"""Who pulls on the weights in an imbalanced batch: many easy examples, or the few hard ones.

A detector sees thousands of background boxes that it already gets right for each object that it
misses. Focal loss fades the easy ones; this measures how much of the gradient they still hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import losses
from engine.studies.saturation import logit
from engine.tape import Value, autograd
from engine.tape import operations as ops


@dataclass(frozen=True, slots=True)
class FocalCurve:
    """Over p_t, the probability of the true class: the loss and its gradient by that logit."""

    p_true: Any
    loss: Any
    gradient: Any


def focal_curve(p_true: Any, gamma: Any, alpha: Any = None, target: float = 1.0) -> FocalCurve:
    """Focal loss of an example of class target at each p_t in (0, 1), any shape.

    The gradient is by the true class's own logit, so it is never positive. All numbers may be
    traced.
    """
    p = p_true if isinstance(p_true, Value) else np.asarray(p_true, dtype=np.float64)
    sign = 1.0 if target == 1 else -1.0
    value, gradient = autograd.value_and_grad(
        lambda z: losses.focal(z, target, gamma, alpha, reduction="none")
    )(sign * logit(p))
    return FocalCurve(p, value, sign * gradient)


def pull(p_true: Any, gamma: Any, weight: Any = 1.0) -> Any:
    """The size of that gradient by its formula, α_t (1 − p_t)^γ (1 − p_t − γ p_t log p_t).

    Source: Lin et al. (2017), appendix A. Numbers and arrays that fit each other, traced or not.
    """
    fading = ops.exp(gamma * ops.log1p(ops.negative(p_true)))
    return weight * (fading * (1.0 - p_true - gamma * p_true * ops.log(p_true)))


@dataclass(frozen=True, slots=True)
class Batch:
    """`easy` negatives whose true class has probability easy_p, `hard` positives with hard_p."""

    easy: Any = 1000
    hard: Any = 10
    easy_p: Any = 0.95
    hard_p: Any = 0.2


def easy_share(batch: Batch, gammas: Any, alpha: Any = None) -> Any:
    """The easy examples' share of the summed |gradient| by the logits, of gammas' shape.

    All numbers may be traced.
    """
    for_easy, for_hard = (1.0, 1.0) if alpha is None else (1.0 - alpha, alpha)
    easy = batch.easy * pull(batch.easy_p, gammas, for_easy)
    hard = batch.hard * pull(batch.hard_p, gammas, for_hard)
    return easy / (easy + hard)
