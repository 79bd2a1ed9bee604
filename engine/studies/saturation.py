"""One sigmoid neuron under cross-entropy and under squared error: its gradients and its training.

ŷ = σ(wx + b). Through the sigmoid, squared error's gradient carries the factor σ'(z), which dies
where the neuron is sure of itself, right or wrong; cross-entropy's gradient ŷ − y does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine import losses
from engine.problems.landscapes import Landscape, Parameter
from engine.runs.descent import Descent, descend
from engine.tape import autograd
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

SATURATED = 0.05  # σ'(z) below this: squared error's gradient is under a tenth of cross-entropy's
RECOVERED = 0.1  # |ŷ − y| at most this counts as recovered


def logit(probability: float) -> float:
    """The z whose sigmoid is probability, in (0, 1)."""
    return math.log(probability / (1 - probability))


def probability(z: float) -> float:
    """σ(z)."""
    return float(ops.sigmoid(z))


def saturation_edge() -> float:
    """The z > 0 beyond which σ'(z) < SATURATED."""
    # σ' = s(1 − s) = SATURATED, solved for s.
    return logit(0.5 + math.sqrt(0.25 - SATURATED))


def _of_logit(name: str) -> Callable[[Any, Any], Any]:
    """The loss of that name as a function of (z, y), element by element."""
    if name == "cross_entropy":
        return lambda z, y: losses.binary_cross_entropy_with_logits(z, y, "none")
    return lambda z, y: losses.mse(ops.sigmoid(z), y, half=name == "half_mse", reduction="none")


LOSSES: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {name: _of_logit(name) for name in ("cross_entropy", "mse", "half_mse")}
)


@dataclass(frozen=True, slots=True)
class Slopes:
    """At each z: prediction σ(z), σ'(z), a loss and its gradient by z, all of z's shape."""

    z: Array
    prediction: Array
    steepness: Array
    loss: Array
    gradient: Array


def slopes(loss: str, z: npt.ArrayLike, target: float) -> Slopes:
    """The loss of that name ("cross_entropy", "mse", "half_mse") and its gradient over z."""
    z = np.asarray(z, dtype=np.float64)
    value, gradient = autograd.value_and_grad(lambda z: LOSSES[loss](z, target))(z)
    prediction, steepness = autograd.value_and_grad(ops.sigmoid)(z)
    return Slopes(z, prediction, steepness, value, gradient)


def _landscape(name: str) -> Landscape:
    of_logit = LOSSES[name]

    def function(w: Any, b: Any, feature: Any, target: Any) -> Any:
        return of_logit(w * feature + b, target)

    return Landscape(
        slug=f"neuron_{name}",
        name=f"one neuron, {name.replace('_', ' ')}",
        function=function,
        latex=r"L(\sigma(wx + b), y)",
        domain=((-10.0, 10.0), (-10.0, 10.0)),
        start=(-2.0, -2.0),
        parameters=(
            Parameter("feature", "x", 1.0, -10.0, 10.0, "linear", "the neuron's input"),
            Parameter("target", "y", 1.0, 0.0, 1.0, "linear", "what it should answer"),
        ),
        source="the example of one confidently wrong neuron that many courses start from",
    )


NEURONS: Mapping[str, Landscape] = MappingProxyType({name: _landscape(name) for name in LOSSES})


@dataclass(frozen=True)
class Training:
    """A neuron's training: prediction (epochs + 1,) beside the run over (w, b)."""

    descent: Descent
    prediction: Array
    target: float

    def epochs_to(self, distance: float) -> int | None:
        """The first epoch with |ŷ − y| at most distance; None if there is none."""
        reached = np.flatnonzero(np.abs(self.prediction - self.target) <= distance)
        return int(reached[0]) if reached.size else None


def train(
    loss: str,
    *,
    start: float,
    target: float,
    epochs: int,
    lr: float,
    feature: float = 1.0,
    optimizer: str = "sgd",
) -> Training:
    """Train the neuron on one example (feature, target), from w = b with logit `start`.

    Raises ValueError where feature is −1 (no such w = b exists) and for values that cannot be run.
    """
    if feature == -1:
        raise ValueError("with x = −1 the logit of w = b is 0 for every w")
    w = start / (feature + 1)
    neuron = NEURONS[loss](feature=feature, target=target)
    descent = descend(neuron, optimizer, (w, w), epochs, {"lr": lr})
    z = descent.path @ np.array([feature, 1.0])
    return Training(descent, np.asarray(ops.sigmoid(z)), target)
