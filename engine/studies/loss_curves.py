"""Losses of one prediction over the axes that people draw them on: error, probability, logit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import losses
from engine.studies.saturation import logit
from engine.tape import Value, autograd


@dataclass(frozen=True, slots=True)
class LossCurve:
    """A loss and its gradient at each x, all of x's shape; traced where x is."""

    x: Any
    loss: Any
    gradient: Any


def _curve(loss: Callable[[Any], Any], x: Any, factor: float = 1.0) -> LossCurve:
    if not isinstance(x, Value):
        x = np.asarray(x, dtype=np.float64)
    value, gradient = autograd.value_and_grad(loss)(x)
    return LossCurve(x, factor * value, factor * gradient)


def over_error(errors: Any, half: bool = False) -> LossCurve:
    """Squared error (or half of it) of each error ŷ − y."""
    return _curve(lambda e: losses.mse(e, 0.0, half=half, reduction="none"), errors)


def over_probability(p: Any, target: float, base: float = math.e) -> LossCurve:
    """Binary cross-entropy of each probability in (0, 1), and its gradient by that."""
    return _curve(
        lambda p: losses.binary_cross_entropy(p, target, reduction="none"), p, 1 / math.log(base)
    )


def over_logit(z: Any, target: float, base: float = math.e) -> LossCurve:
    """Binary cross-entropy of each logit, and its gradient by that: σ(z) − y in nats."""
    return _curve(
        lambda z: losses.binary_cross_entropy_with_logits(z, target, reduction="none"),
        z,
        1 / math.log(base),
    )


def four_ways(p: float, target: int, base: float = math.e) -> Mapping[str, float]:
    """One loss found from the probability, from the logit, by a softmax over two classes, and by
    reading the true slot of a one-hot target: the same number."""
    z = logit(p)
    ways = {
        "−y log p − (1−y) log(1−p), from p": losses.binary_cross_entropy(p, float(target)),
        "from the logit z": losses.binary_cross_entropy_with_logits(z, float(target)),
        "softmax of [0, z], categorical": losses.cross_entropy([0.0, z], target),
        "one-hot · (−log ŷ)": -float(np.eye(2)[target] @ np.log([1 - p, p])),
    }
    return {name: float(value) / math.log(base) for name, value in ways.items()}
