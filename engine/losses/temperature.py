"""Softmax under a changing temperature, and its loss's gradient found in three ways.

The first is what cooling and heating do to a distribution (Boltzmann's, with energies −z); the
second shows that the fused gradient is the one that autograd and finite differences find.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine import losses
from engine.losses import information
from engine.tape import autograd

Array = npt.NDArray[np.float64]

# The central difference errs least near h = ε^(1/3): truncation falls as h², round-off as 1/h.
STEP = float(np.finfo(np.float64).eps ** (1 / 3))


@dataclass(frozen=True, slots=True)
class Cooling:
    """probabilities (temperatures, C) and their entropy (temperatures,) in the asked base."""

    temperatures: Array
    probabilities: Array
    entropy: Array


def cooling(logits: Sequence[float], temperatures: npt.ArrayLike, base: float = math.e) -> Cooling:
    """softmax(logits / T) and its entropy for each of the temperatures (t,), all > 0."""
    t = np.asarray(temperatures, dtype=np.float64)
    p = losses.softmax(np.asarray(logits, dtype=np.float64), t[:, None])
    return Cooling(t, p, information.entropy(p, base))


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """One loss, its probabilities and its gradient by the logits (C,), found in three ways."""

    loss: float
    exponentials: Array  # e^z, inf where a float cannot hold it
    probabilities: Array
    target: Array
    fused: Array  # (ŷ − y) / T
    reverse: Array  # autograd, through log-softmax and a product: no fused rule
    numeric: Array  # central differences

    @property
    def disagreement(self) -> float:
        """The largest difference between the fused gradient and the numeric one."""
        return float(np.abs(self.fused - self.numeric).max())


def check_gradient(
    logits: Sequence[float], true_class: int, temperature: float = 1.0
) -> GradientCheck:
    """The gradient of cross_entropy(logits / T, true_class) by the logits, in three ways.

    Raises ValueError where true_class is none of the classes or the temperature is not positive.
    """
    z = np.asarray(logits, dtype=np.float64)
    loss = float(losses.cross_entropy(z / temperature, true_class))
    y = np.eye(len(z))[true_class]
    p = losses.softmax(z, temperature)

    def composed(z: Any) -> Any:
        return -(y * losses.log_softmax(z, temperature)).sum(axis=-1)

    numeric = np.empty_like(z)
    for i in range(len(z)):
        h = np.zeros_like(z)
        h[i] = STEP * max(1.0, abs(z[i]))
        numeric[i] = (composed(z + h) - composed(z - h)) / (2 * h[i])
    with np.errstate(over="ignore"):
        exponentials = np.exp(z)
    reverse = autograd.grad(composed)(z)
    return GradientCheck(loss, exponentials, p, y, (p - y) / temperature, reverse, numeric)
