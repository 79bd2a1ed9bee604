"""An optimizer fed a given stream of gradients, with no landscape behind it.

This shows a rule by itself: how its averages follow a signal, and where a stream leads it astray.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.optimizers import Optimizer
from engine.optimizers.schedules import Schedule, find_schedule
from engine.runs.descent import find_optimizer
from engine.runs.step import first_state, take_step
from engine.tape import Vector

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stream:
    """A finished run on a stream: path (steps + 1, n), and each state variable after each step,
    (steps, n) or (steps,) by name, with "g" the gradients themselves."""

    path: Array
    state: Mapping[str, Array]


class _StreamOracle:
    """Answers with the gradient of step t wherever it is asked."""

    lower_bound: float | None = None
    output_axis = 0  # a point is a matrix of one row

    def __init__(self, gradient: Vector, t: Any, schedule: Any) -> None:
        self._gradient = gradient
        self.t = t
        self.schedule = schedule

    def gradient(self, w: Vector) -> Vector:
        return self._gradient

    def loss(self, w: Vector) -> Any:
        raise ValueError("a stream of gradients has no loss")

    def hessian(self, w: Vector) -> Any:
        raise ValueError("a stream of gradients has no Hessian")

    hessian_diagonal = hessian_probe = hessian

    def signs(self) -> Vector:
        raise ValueError("a stream of gradients draws no signs")


def follow(
    optimizer: Optimizer | str,
    gradients: npt.ArrayLike,
    hypers: Mapping[str, float] | None = None,
    *,
    options: Mapping[str, str | bool] | None = None,
    start: npt.ArrayLike = 0.0,
    schedule: Schedule | str | npt.ArrayLike | None = None,
    bounds: tuple[float, float] | None = None,
) -> Stream:
    """Feed an optimizer gradients (steps,) or (steps, n), one a step, from a start of n numbers.

    With bounds every coordinate is put back into them after each step. Raises ValueError for
    unknown names, and for rules that ask for more than a gradient.
    """
    entry = find_optimizer(optimizer)
    stream = np.asarray(gradients, dtype=float)
    stream = stream[:, None] if stream.ndim == 1 else stream
    steps, size = stream.shape
    if isinstance(schedule, (str, Schedule)):
        schedule = find_schedule(schedule).factors(steps)
    factors = np.ones(steps) if schedule is None else np.asarray(schedule, dtype=float)
    values = entry.hyper_values(hypers)
    chosen = entry.option_values(options)
    w = Vector(np.broadcast_to(np.asarray(start, dtype=float), (size,)).tolist())
    state = first_state(entry.slots(options), w)
    path, kept = [np.array(w)], []
    with np.errstate(all="ignore"):
        for k, g in enumerate(stream):
            # NumPy's numbers divide by zero as the rest of the engine does: they do not raise.
            oracle = _StreamOracle(Vector(g), np.float64(k + 1), np.float64(factors[k]))
            w, state = take_step(entry, oracle, w, state, values, chosen)
            if bounds is not None:
                w = Vector(np.clip(x, *bounds) for x in w)
            path.append(np.array(w, dtype=float))
            kept.append({name: np.array(x, dtype=float) for name, x in state.items()})
    names = kept[0] if kept else {}
    collected = {name: np.stack([step[name] for step in kept]) for name in names}
    return Stream(np.stack(path), {**collected, "g": stream})
