"""One step of a rule, for whoever takes steps: a traced loop, a stream, a network, a plain run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.optimizers import Optimizer, Oracle, Rule, Slot
from engine.tape import Vector


def first_state(
    slots: Sequence[Slot], w: Vector, zero: Callable[[Any], Any] = lambda part: 0.0
) -> dict[str, Any]:
    """A rule's state before its first step at w; zero(part) is what starts empty beside a part."""

    def start(slot: Slot) -> Any:
        if slot.kind == "scalar":
            return float(slot.start == "one")
        if slot.start == "w":
            return w
        return Vector(map(zero, w) if slot.shape is None else (_beside(slot, part) for part in w))

    return {slot.name: start(slot) for slot in slots}


def _beside(slot: Slot, tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What a state of a shape of its own starts at beside a tensor."""
    assert slot.shape is not None
    shape = slot.shape(tensor.shape)
    if slot.start == "one":
        return (
            np.eye(*shape, dtype=tensor.dtype) if len(shape) == 2 else np.ones(shape, tensor.dtype)
        )
    return np.zeros(shape, tensor.dtype)


def take_step(
    optimizer: Optimizer,
    oracle: Oracle,
    w: Vector,
    state: Mapping[str, Any],
    hypers: Mapping[str, Any],
    options: Mapping[str, str | bool],
    rule: Rule | None = None,
) -> tuple[Vector, dict[str, Any]]:
    """The next point and the next state, beside what the rule only shows.

    A schedule drives the learning rate through `oracle.schedule`. rule stands in for the
    optimizer's own where it has another form for tensors.
    """
    h = SimpleNamespace(**hypers)
    if "lr" in hypers:
        h.lr = hypers["lr"] * oracle.schedule
    o = SimpleNamespace(**options)
    following, after = (rule or optimizer.rule)(oracle, w, SimpleNamespace(**state), h, o)
    return following, dict(after)
