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

from engine import losses
from engine.emit.picture import first
from engine.problems.landscapes import Landscape
from engine.problems.parameter import Parameter
from engine.runs.descent import Descent
from engine.runs.live import LiveDescent, live_descend
from engine.tape import Value, autograd
from engine.tape import operations as ops

SATURATED = 0.05  # σ'(z) below this: squared error's gradient is under a tenth of cross-entropy's
RECOVERED = 0.1  # |ŷ − y| at most this counts as recovered


def logit(probability: Any) -> Any:
    """The z whose sigmoid is probability, in (0, 1), which may be traced."""
    if isinstance(probability, (Value, np.ndarray)):
        return ops.log(probability) - ops.log1p(ops.negative(probability))
    return math.log(probability / (1 - probability))


def probability(z: Any) -> Any:
    """σ(z); z may be traced."""
    return ops.sigmoid(z)


def saturation_edge() -> float:
    """The z > 0 beyond which σ'(z) < SATURATED."""
    # σ' = s(1 − s) = SATURATED, solved for s.
    return float(logit(0.5 + math.sqrt(0.25 - SATURATED)))


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

    z: Any
    prediction: Any
    steepness: Any
    loss: Any
    gradient: Any


def slopes(loss: str, z: Any, target: float) -> Slopes:
    """The loss of that name ("cross_entropy", "mse", "half_mse") and its gradient over z.

    z is a number or an array of any shape, and may be traced.
    """
    if not isinstance(z, Value):
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
            Parameter("feature", "x", "x", 1.0, -10.0, 10.0, "linear", "the neuron's input"),
            Parameter("target", "y", "y", 1.0, 0.0, 1.0, "linear", "what it should answer"),
        ),
        source="the example of one confidently wrong neuron that many courses start from",
    )


NEURONS: Mapping[str, Landscape] = MappingProxyType({name: _landscape(name) for name in LOSSES})


def gradient_at(loss: str, prediction: Any, target: float) -> Any:
    """The same gradient by its formula, from the prediction: for runs, whose length may move."""
    error = prediction - target
    if loss == "cross_entropy":
        return error
    return (1.0 if loss == "half_mse" else 2.0) * (error * (prediction * (1.0 - prediction)))


@dataclass(frozen=True, eq=False)
class Training:
    """A neuron's training: its logit and prediction, (epochs + 1,), over a run in (w, b).

    They are traced where anything of the run is.
    """

    run: LiveDescent
    logit: Any
    prediction: Any
    target: float

    @property
    def descent(self) -> Descent:
        """The run at the values of now."""
        return self.run.result

    def first_epoch(self, distance: float) -> Any:
        """The first epoch with |ŷ − y| at most distance, NaN for none; traced as the run is."""
        return first(ops.less_equal(ops.absolute(self.prediction - self.target), distance))

    def epochs_to(self, distance: float) -> int | None:
        """The same as a whole number; None for none."""
        found = self.first_epoch(distance)
        epoch = float(found.data if isinstance(found, Value) else found)
        return None if math.isnan(epoch) else int(epoch)


def train(
    loss: str,
    *,
    start: Any,
    target: float,
    epochs: Any,
    lr: Any,
    feature: Any = 1.0,
    optimizer: str = "sgd",
) -> Training:
    """Train the neuron on one example (feature, target), from w = b with logit `start`.

    start, epochs, lr and feature may be traced. Raises ValueError where feature is −1 (no such
    w = b exists) and for values that cannot be run.
    """
    if not isinstance(feature, Value) and feature == -1:
        raise ValueError("with x = −1 the logit of w = b is 0 for every w")
    w = start / (feature + 1.0)
    run = live_descend(
        NEURONS[loss], optimizer, (w, w), epochs, {"lr": lr},
        parameters={"feature": feature, "target": target},
    )  # fmt: skip
    z = run.x * feature + run.y
    return Training(run, z, ops.sigmoid(z), target)
