"""What a network's training makes small: a loss of its outputs, and what is added to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from engine import losses
from engine.problems.networks import MLP
from engine.tape import Vector
from engine.tape import operations as ops


@dataclass(frozen=True, slots=True)
class NetworkLoss:
    """A loss of the outputs (batch, outputs) against targets of 0 and 1 of that shape.

    `one` is for the one logit of two classes, `many` for a logit a class, None where it has no
    such form; both give a number a target or an example, to be averaged.
    """

    slug: str
    name: str
    one: Callable[[Any, Any], Any]
    many: Callable[[Any, Any], Any] | None
    meaning: str

    def of(self, outputs: Any, targets: Any) -> Any:
        """The mean over the batch; ValueError where the loss has no form for so many classes."""
        if ops.shape_of(targets)[-1] == 1:
            return ops.mean(self.one(outputs, targets))
        if self.many is None:
            raise ValueError(f"{self.name} is a loss for two classes")
        return ops.mean(self.many(outputs, targets))


def _squared_one(z: Any, y: Any) -> Any:
    return losses.mse(ops.sigmoid(z), y, reduction="none")


def _squared_many(z: Any, y: Any) -> Any:
    return ops.sum(losses.mse(losses.softmax(z), y, reduction="none"), axis=-1)


def _focal_one(z: Any, y: Any) -> Any:
    """Of a smoothed label, the mean over both by its shares: focal loss knows labels alone."""
    one, zero = (losses.focal(z, label, reduction="none") for label in (1.0, 0.0))
    return y * one + (1.0 - y) * zero


LOSSES: Mapping[str, NetworkLoss] = MappingProxyType(
    {
        loss.slug: loss
        for loss in (
            NetworkLoss(
                "cross_entropy", "cross-entropy", ops.logit_cross_entropy,
                ops.softmax_cross_entropy, "the surprise at the true class, in nats",
            ),
            NetworkLoss(
                "mse", "squared error", _squared_one, _squared_many,
                "(p − y)²: its pull is gone where p is certain and wrong",
            ),
            NetworkLoss(
                "focal", "focal, γ = 2", _focal_one, None,
                "cross-entropy times (1 − p)²: easy examples hardly count",
            ),
            NetworkLoss(
                "hinge", "hinge",
                lambda z, y: losses.hinge(z, 2.0 * y - 1.0, reduction="none"), None,
                "max(0, 1 − margin): what is right by a margin pulls no more",
            ),
        )
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Objective:
    """What a network's training makes small: a loss of its outputs, and what is added to it.

    smoothing s gives (1 − s) y + s/classes for the targets y; l2 adds l2/2 · ‖weights‖², biases
    left out; dropout is the share of hidden units left out of a step, by masks that the caller
    draws.
    """

    network: MLP
    loss: str = "cross_entropy"
    smoothing: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0

    def __call__(self, parameters: Vector, x: Any, targets: Any, *masks: Any) -> Any:
        """Of inputs (batch, features) and targets (batch, outputs), with masks where it drops."""
        classes = max(2, self.network.sizes[-1])
        if self.smoothing:
            targets = (1.0 - self.smoothing) * targets + self.smoothing / classes
        total = LOSSES[self.loss].of(self.network(parameters, x, masks), targets)
        if self.l2:
            squares = [ops.sum(w * w) for w in parameters if len(ops.shape_of(w)) == 2]
            for square in squares:
                total = total + (0.5 * self.l2) * square
        return total


def classified(outputs: Any, labels: Any) -> Any:
    """1.0 where the outputs (batch, outputs) choose the label (batch,), else 0.0."""
    if ops.shape_of(outputs)[-1] == 1:
        return ((outputs[:, 0] > 0) == (labels > 0)) * 1.0
    return (np.argmax(outputs, axis=-1) == labels) * 1.0
