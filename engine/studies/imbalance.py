"""Who pulls on the weights in an imbalanced batch: many easy examples, or the few hard ones.

A detector sees thousands of background boxes that it already gets right for each object that it
misses. Focal loss fades the easy ones; this measures how much of the gradient they still hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine import losses
from engine.studies.saturation import logit
from engine.tape import autograd

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FocalCurve:
    """Over p_t, the probability of the true class: the loss and its gradient by that logit."""

    p_true: Array
    loss: Array
    gradient: Array


def focal_curve(
    p_true: npt.ArrayLike, gamma: float, alpha: float | None = None, target: float = 1.0
) -> FocalCurve:
    """Focal loss of an example of class target at each p_t in (0, 1), any shape.

    The gradient is by the true class's own logit, so it is never positive.
    """
    p = np.asarray(p_true, dtype=np.float64)
    z = np.log(p) - np.log1p(-p)
    sign = 1.0 if target == 1 else -1.0
    value, gradient = autograd.value_and_grad(
        lambda z: losses.focal(z, np.full(z.shape, target), gamma, alpha, reduction="none")
    )(sign * z)
    return FocalCurve(p, value, sign * gradient)


@dataclass(frozen=True, slots=True)
class Batch:
    """`easy` negatives whose true class has probability easy_p, `hard` positives with hard_p."""

    easy: int = 1000
    hard: int = 10
    easy_p: float = 0.95
    hard_p: float = 0.2


def easy_share(batch: Batch, gammas: npt.ArrayLike, alpha: float | None = None) -> Array:
    """The easy examples' share of the summed |gradient| by the logits, for each gamma (m,)."""

    def pull(p: float, gamma: float, target: float) -> float:
        gradient = autograd.grad(lambda z: losses.focal(z, target, gamma, alpha))
        return abs(float(gradient(logit(p) if target else -logit(p))))

    shares = []
    for gamma in np.atleast_1d(np.asarray(gammas, dtype=np.float64)):
        easy = batch.easy * pull(batch.easy_p, float(gamma), 0.0)
        hard = batch.hard * pull(batch.hard_p, float(gamma), 1.0)
        shares.append(easy / (easy + hard))
    return np.array(shares)
