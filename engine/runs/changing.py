"""Objectives that change under way: a landscape whose minimum jumps, or whose slope is another one
at every step, while an optimizer runs on it.

The rule and the changing landscape are traced together once and printed as a scalar loop, as
`descend` does for one that stands still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import floor, running_sum
from engine.emit.program import Key
from engine.emit.scalar import Kernel
from engine.optimizers import Optimizer
from engine.problems.landscapes import Landscape
from engine.runs import browser
from engine.runs.descent import DIVERGENCE_RADIUS, check_run, find_landscape, find_optimizer
from engine.runs.live import RUN, LiveDescent, as_printed
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


def _away(step: Any, every: Any) -> Any:
    """1 where the minimum has jumped away, 0 where it is back."""
    stretch = floor(step / every)
    return stretch - 2.0 * floor(stretch / 2.0)


_SHIFT: tuple[Key, ...] = ("shift_0", "shift_1")
_SLOPE: tuple[Key, ...] = ("slope_0", "slope_1")
_BOUNDS: tuple[Key, ...] = ("lowest", "highest")
_LEVEL = Vector((0.0, 0.0))


def _asked(
    landscape: Landscape, at: At, schedule: Any = 1.0, slope: Vector = _LEVEL
) -> _ChangingOracle:
    """The landscape where it stands at this step."""
    parameters = {p.name: at[parameter(p.name)] for p in landscape.parameters}
    shift = Vector(at[key] for key in _SHIFT)
    return _ChangingOracle(landscape, parameters, at[COUNT], schedule, shift, slope)


@lru_cache(maxsize=64)
def _kernel(
    landscape_key: ByFunction, rule_key: ByFunction, options: tuple[tuple[str, str | bool], ...]
) -> Kernel:
    landscape: Landscape = landscape_key.entry
    optimizer: Optimizer = rule_key.entry

    def ask(at: At) -> _ChangingOracle:
        return _asked(landscape, at, at[SCHEDULE], Vector(at[key] for key in _SLOPE))

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


@lru_cache(maxsize=16)
def _module(
    landscape_key: ByFunction,
    rule_key: ByFunction,
    options: tuple[tuple[str, str | bool], ...],
    _defaults_of_now: tuple[float, ...],
) -> str:
    """The ES module of a run after a landscape that moves and is not sloped: `shifts` {x, y}."""
    landscape, optimizer = landscape_key.entry, rule_key.entry

    loop = trace_loop(
        optimizer,
        dict(options),
        partial(_asked, landscape),
        constants=[parameter(p.name) for p in landscape.parameters],
        per_step=_SHIFT,
        recorded=True,
    )
    return browser.changing_run(loop, landscape, optimizer, recorded=True)


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


@dataclass(frozen=True, eq=False)
class LivePursuit(LiveDescent):
    """A run in a picture after a minimum that jumps: where it stood (`goal_x`, `goal_y`) and the
    loss are those of now at every step."""

    every: Any = 1.0
    by: Sequence[Any] = (0.0, 0.0)

    @cached_property
    def step(self) -> Any:
        """The number of each point, (steps + 1,)."""
        return running_sum(self.x * 0.0 + 1.0) - 1.0

    @cached_property
    def goal_x(self) -> Any:
        return _away(self.step, self.every) * self.by[0]

    @cached_property
    def goal_y(self) -> Any:
        return _away(self.step, self.every) * self.by[1]

    @cached_property
    def loss(self) -> Any:
        """The value of now along the path, (steps + 1,)."""
        x, y = self.x - self.goal_x, self.y - self.goal_y
        return self.landscape.function(x, y, **self.parameters)


def live_pursue(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    start: tuple[float, float],
    steps: Any,
    every: Any,
    by: tuple[Any, Any],
    hypers: Mapping[str, Any] | None = None,
    *,
    most: int,
) -> LivePursuit:
    """`pursue` after a minimum that jumps by `by` and back, in turn, every so many steps, its
    numbers traced or not; most is the largest number of steps."""
    surface, rule = find_landscape(landscape), find_optimizer(optimizer)
    values = {h.name: (hypers or {}).get(h.name, h.default) for h in rule.hypers}
    away = _away(np.arange(most + 1.0), every)

    def make(given: Mapping[str, Any]) -> Pursuit:
        count, moved = int(given["steps"]), given["shifts"]
        shifts = np.stack([moved["x"], moved["y"]], axis=-1)[: count + 1]
        return pursue(surface, rule, (given["x"], given["y"]), shifts, given["hypers"])

    inputs: dict[tuple[str, ...], Any] = {("x",): start[0], ("y",): start[1], ("steps",): steps}
    inputs |= {("hypers", name): value for name, value in values.items()}
    inputs |= {("parameters", name): value for name, value in surface.arguments.items()}
    inputs |= {("shifts", "x"): away * by[0], ("shifts", "y"): away * by[1]}
    printed = as_printed(surface)
    module = _module(*browser.module_key(printed, rule, None))
    run = RUN(*inputs.values(), names=list(inputs), module=module, _make=make)
    return LivePursuit(run, surface, surface.arguments, values, None, every, by)
