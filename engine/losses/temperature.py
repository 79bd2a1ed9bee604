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
from engine.emit.picture import largest
from engine.losses import information
from engine.tape import autograd
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

# The central difference errs least near h = ε^(1/3): truncation falls as h², round-off as 1/h.
STEP = float(np.finfo(np.float64).eps ** (1 / 3))


@dataclass(frozen=True, slots=True)
class Cooling:
    """probabilities (temperatures, C) and their entropy (temperatures,) in the asked base."""

    temperatures: Array
    probabilities: Any
    entropy: Any


def cooling(logits: Any, temperatures: npt.ArrayLike, base: float = math.e) -> Cooling:
    """softmax(logits / T) and its entropy for each of the temperatures (t,), all > 0.

    The logits may be traced.
    """
    t = np.asarray(temperatures, dtype=np.float64)
    p = losses.softmax(logits, t[:, None])
    return Cooling(t, p, information.entropy(p, base))


@dataclass(frozen=True, slots=True)
class Steps:
    """Softmax a step at a time, each (C,) but the loss: what a picture of it shows.

    weights are e^(z/T) over the largest of them, which is taken out so that none overflows;
    powers are e^(z/T) as they are, inf where a float cannot hold them.
    """

    powers: Any
    weights: Any
    shares: Any
    error: Any  # ŷ − y
    loss: Any  # −log ŷ of the true class, in nats


def steps(logits: Any, true_class: int, temperature: Any = 1.0) -> Steps:
    """From scores to probabilities, loss and gradient; logits and temperature may be traced."""
    tempered = logits / temperature
    with np.errstate(over="ignore"):
        powers = ops.exp(tempered)
    shares = losses.softmax(logits, temperature)
    target = np.eye(ops.shape_of(logits)[0])[true_class]
    return Steps(
        powers=powers,
        weights=ops.exp(tempered - largest(tempered)),
        shares=shares,
        error=shares - target,
        loss=0.0 - losses.log_softmax(logits, temperature)[true_class],
    )


def power_of_e(exponent: float) -> tuple[float, int]:
    """e to that power as mantissa and power of ten, also where no float can hold it."""
    decades = exponent / math.log(10)
    power = math.floor(decades)
    return 10 ** (decades - power), power


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """One loss, its probabilities and its gradient by the logits (C,), found in three ways."""

    loss: float
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
    reverse = autograd.grad(composed)(z)
    return GradientCheck(loss, p, y, (p - y) / temperature, reverse, numeric)
