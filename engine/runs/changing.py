"""Objectives that change under way: a landscape whose minimum jumps, or whose slope is another one
at every step, while an optimizer runs on it.

The rule and the changing landscape are traced together once and printed as a scalar loop, as
`descend` does for one that stands still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.program import Key
from engine.emit.scalar import Kernel
from engine.optimizers import Optimizer
from engine.problems.landscapes import Landscape
from engine.runs.descent import DIVERGENCE_RADIUS, check_run, find_landscape, find_optimizer
from engine.runs.tracing import (
    COUNT,
    SCHEDULE,
    At,
    ByFunction,
    PlaneOracle,
    parameter,
    trace_loop,
)
from engine.tape import Vector
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pursuit:
    """A run on a changing objective: path (steps + 1, 2), where the landscape stood (steps + 1, 2),
    its value then (without slope) (steps + 1,), and the state after each step, row 0 NaN.
    After divergence every row stays at the last."""

    path: Array
    shifts: Array
    loss: Array
    state: Mapping[str, Array]
    diverged_at: int | None


class _ChangingOracle(PlaneOracle):
    """The landscape at a shift and with a slope added, as it answers at step t."""

    def __init__(
        self,
        landscape: Landscape,
        parameters: Mapping[str, Any],
        t: Any,
        schedule: Any,
        shift: Vector,
        slope: Vector,
    ) -> None:
        super().__init__(landscape, parameters, t, schedule)
        self._shift = shift
        self._slope = slope

    def loss(self, w: Vector) -> Any:
        return super().loss(w - self._shift) + self._slope.dot(w)


def jumps(steps: int, every: int, by: Sequence[float]) -> Array:
    """Shifts that alternate between 0 and `by`, changing every so many steps, (steps + 1, 2)."""
    away = (np.arange(steps + 1) // every) % 2 == 1
    return np.where(away[:, None], np.asarray(by, dtype=float), 0.0)


_SHIFT: tuple[Key, ...] = ("shift_0", "shift_1")
_SLOPE: tuple[Key, ...] = ("slope_0", "slope_1")
_BOUNDS: tuple[Key, ...] = ("lowest", "highest")


@lru_cache(maxsize=64)
def _kernel(
    landscape_key: ByFunction, rule_key: ByFunction, options: tuple[tuple[str, str | bool], ...]
) -> Kernel:
    landscape: Landscape = landscape_key.entry
    optimizer: Optimizer = rule_key.entry

    def ask(at: At) -> _ChangingOracle:
        return _ChangingOracle(
            landscape,
            {p.name: at[parameter(p.name)] for p in landscape.parameters},
            at[COUNT],
            at[SCHEDULE],
            Vector(at[key] for key in _SHIFT),
            Vector(at[key] for key in _SLOPE),
        )

    def hold(at: At, w: Vector) -> Vector:
        lowest, highest = (at[key] for key in _BOUNDS)
        return Vector(ops.clip(x, lowest, highest) for x in w)

    return Kernel(
        trace_loop(
            optimizer,
            dict(options),
            ask,
            constants=[*(parameter(p.name) for p in landscape.parameters), *_BOUNDS],
            per_step=[SCHEDULE, *_SHIFT, *_SLOPE],
            recorded=True,
            hold=hold,
        )
    )


def pursue(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    start: Sequence[float],
    shifts: npt.ArrayLike,
    hypers: Mapping[str, float] | None = None,
    *,
    options: Mapping[str, str | bool] | None = None,
    slopes: npt.ArrayLike = 0.0,
    schedule: npt.ArrayLike = 1.0,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Pursuit:
    """Run an optimizer on a landscape that stands at shifts[t], (steps + 1, 2), for step t + 1.

    slopes (steps, 2) are added to its gradient, schedule (steps,) multiplies the learning rate,
    and every coordinate is put back into bounds after each step. Raises ValueError where `descend`
    would.
    """
    surface, entry = find_landscape(landscape), find_optimizer(optimizer)
    moved = np.asarray(shifts, dtype=float)
    steps = len(moved) - 1
    point = check_run(start, steps, 0.0)
    chosen = entry.option_values(options)
    kernel = _kernel(
        ByFunction(surface, surface.function), ByFunction(entry, entry.rule), tuple(chosen.items())
    )
    constants = [*entry.hyper_values(hypers).values(), *surface.arguments.values()]
    constants += [max(bounds[0], -2 * DIVERGENCE_RADIUS), min(bounds[1], 2 * DIVERGENCE_RADIUS)]
    slope = np.broadcast_to(np.asarray(slopes, dtype=float), (steps, 2))
    rates = np.broadcast_to(np.asarray(schedule, dtype=float), (steps,))
    inputs = [rates, *moved[:-1].T, *slope.T]
    run = kernel.run(steps, DIVERGENCE_RADIUS, point.tolist(), constants, inputs, first=np.nan)
    loss = np.broadcast_to(surface.value(run.path - moved), (steps + 1,))
    return Pursuit(run.path, moved, loss, run.records, run.stopped)
