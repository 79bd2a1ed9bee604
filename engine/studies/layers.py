"""Layers whose gradients differ in size: a problem on which no one rate suits all weights.

A perceptron of sigmoids on two moons. On its way back a gradient is multiplied by a slope of at
most a quarter in every layer, so that early layers receive a small part of what the last one does.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.emit.picture import stack
from engine.problems.data import two_moons
from engine.problems.networks import MLP, classification_loss
from engine.runs.training import Trainer, one_group
from engine.tape import Vector, autograd
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

WIDTH: Final = 6
POINTS: Final = 32
STEPS: Final = 150
RATES: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
DEEPEST: Final = 5
CHANCE: Final = float(np.log(2.0))  # the loss of one who has learned nothing


def network(hidden: int, activation: str) -> MLP:
    """The perceptron with so many hidden layers."""
    return MLP((2, *[WIDTH] * hidden, 1), activation)


@cache
def _data() -> tuple[Array, Array]:
    points, labels = two_moons(POINTS)
    return points, labels[:, None]


def _start(hidden: int, activation: str, gain: Any) -> Vector:
    """The first weights, each matrix scaled by gain."""
    drawn = network(hidden, activation).initial()
    return Vector([gain * part if np.ndim(part) == 2 else part for part in drawn])


def gradients(hidden: int, activation: str, gain: Any) -> tuple[Any, ...]:
    """The loss's gradient by the weights of each layer, a matrix of their shape each.

    gain scales the weights and may be traced.
    """
    loss = classification_loss(network(hidden, activation))
    with np.errstate(all="ignore"):
        found = autograd.grad(lambda w: loss(w, *_data()))(_start(hidden, activation, gain))
    return tuple(found[::2])


def sizes(found: tuple[Any, ...]) -> Any:
    """The root mean square of each layer's gradient, (layers,)."""
    return stack(*(ops.sqrt(ops.mean(g * g)) for g in found))


def reached(hidden: int, activation: str, gain: float, rule: str) -> Array:
    """The loss after STEPS steps at each of RATES, (8,); ∞ where it is no number any more."""
    net = network(hidden, activation)
    loss = classification_loss(net)
    start = list(_start(hidden, activation, gain))
    ends = []
    for lr in RATES:
        trainer = Trainer(start, one_group(rule, start, {"lr": lr}))
        for _ in range(STEPS):
            trainer.step(loss, 1.0, *_data())
        with np.errstate(all="ignore"):
            ends.append(float(loss(Vector(trainer.tensors), *_data())))
    found: Array = np.nan_to_num(np.asarray(ends), nan=np.inf)
    return found
