"""Objectives that change under way: a landscape whose minimum jumps, or whose slope is another one
at every step, while an optimizer runs on it.

The rule and the changing landscape are traced together once and printed as a scalar loop, as
`descend` does for one that stands still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.compiled import Kernel
from engine.emit.program import Level, compile_program, gather, python_run, vector_names
from engine.optimizers import Optimizer
from engine.problems.landscapes import Landscape
from engine.runs.descent import (
    DIVERGENCE_RADIUS,
    ByFunction,
    PlaneOracle,
    check_run,
    find_landscape,
    find_optimizer,
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
        shift: Vector,
        slope: Vector,
    ) -> None:
        super().__init__(landscape, parameters, t)
        self._shift = shift
        self._slope = slope

    def loss(self, w: Vector) -> Any:
        return super().loss(w - self._shift) + self._slope.dot(w)


def jumps(steps: int, every: int, by: Sequence[float]) -> Array:
    """Shifts that alternate between 0 and `by`, changing every so many steps, (steps + 1, 2)."""
    away = (np.arange(steps + 1) // every) % 2 == 1
    return np.where(away[:, None], np.asarray(by, dtype=float), 0.0)


_PER_STEP = ("schedule", *vector_names("shift"), *vector_names("slope"))
_BOUNDS = ("lowest", "highest")


@lru_cache(maxsize=64)
def _kernel(
    landscape_key: ByFunction, rule_key: ByFunction, options: tuple[tuple[str, str | bool], ...]
) -> tuple[dict[str, str], tuple[str, ...], Kernel]:
    """(start of each state scalar, the recorded outputs, the kernel) of a rule on a landscape."""
    landscape: Landscape = landscape_key.entry
    optimizer: Optimizer = rule_key.entry
    chosen = dict(options)
    point = vector_names("w")
    starts: dict[str, str] = {}
    carried: dict[str, str] = {}
    for slot in optimizer.slots(chosen):
        names = (slot.name,) if slot.kind == "scalar" else vector_names(slot.name)
        following = (f"{slot.name}'",) if slot.kind == "scalar" else vector_names(f"{slot.name}'")
        carried |= dict(zip(names, following, strict=True))
        starts |= dict(zip(names, point if slot.start == "w" else ("",) * len(names), strict=True))
    hypers = tuple(h.name for h in optimizer.hypers)
    parameters = tuple(f"landscape_{p.name}" for p in landscape.parameters)
    constants = (*hypers, *parameters, *_BOUNDS)
    levels = dict.fromkeys((*point, *starts), Level.BOTH)
    levels |= dict.fromkeys(constants, Level.CONSTANT)
    levels |= dict.fromkeys(("t", *_PER_STEP), Level.STEP)

    def step(**at: Any) -> dict[str, Any]:
        h = SimpleNamespace(**{name: at[name] for name in hypers})
        if "lr" in hypers:
            h.lr = h.lr * at["schedule"]
        oracle = _ChangingOracle(
            landscape,
            {p.name: at[f"landscape_{p.name}"] for p in landscape.parameters},
            at["t"],
            gather("shift", at),
            gather("slope", at),
        )
        oracle.schedule = at["schedule"]
        s = SimpleNamespace(
            **{
                slot.name: at[slot.name] if slot.kind == "scalar" else gather(slot.name, at)
                for slot in optimizer.slots(chosen)
            }
        )
        w, state = optimizer.rule(oracle, gather("w", at), s, h, SimpleNamespace(**chosen))
        inside = (ops.minimum(ops.maximum(x, at["lowest"]), at["highest"]) for x in w)
        out = dict(zip(point, inside, strict=True))
        for name, value in state.items():
            if isinstance(value, Vector):
                out |= dict(zip(vector_names(f"{name}'"), value, strict=True))
            else:
                out[f"{name}'"] = value
        return out

    program = compile_program(step, levels)
    records = tuple(name for name in program.outputs if name not in point)
    source = python_run(program, point, carried, constants, _PER_STEP, records)
    scalars = len(point) + len(starts) + len(constants)
    arrays = len(_PER_STEP) + len(point) + len(records)
    return starts, records, Kernel(source, scalars, arrays)


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
    starts, records, kernel = _kernel(
        ByFunction(surface, surface.function), ByFunction(entry, entry.rule), tuple(chosen.items())
    )
    begin = dict(zip(vector_names("w"), point.tolist(), strict=True))
    scalars = [*begin.values(), *(begin.get(s, 0.0) for s in starts.values())]
    scalars += [*entry.hyper_values(hypers).values(), *surface.arguments.values()]
    scalars += [max(bounds[0], -2 * DIVERGENCE_RADIUS), min(bounds[1], 2 * DIVERGENCE_RADIUS)]
    slope = np.broadcast_to(np.asarray(slopes, dtype=float), (steps, 2))
    rates = np.broadcast_to(np.asarray(schedule, dtype=float), (steps,))
    inputs = [np.array(column) for column in (rates, *moved[:-1].T, *slope.T)]
    columns = [np.full(steps + 1, x) for x in begin.values()]
    columns += [np.full(steps + 1, np.nan) for _ in records]
    stop = kernel.run(steps, DIVERGENCE_RADIUS, scalars, [*inputs, *columns])
    if stop > 0:
        for column in columns:
            column[stop:] = column[stop - 1]
    path = np.stack(columns[:2], axis=-1)
    found: dict[str, list[Array]] = {}
    for name, column in zip(records, columns[2:], strict=True):
        found.setdefault(name.split("'")[0], []).append(column)
    state = {k: np.stack(c, axis=-1) if len(c) > 1 else c[0] for k, c in found.items()}
    loss = np.broadcast_to(surface.value(path - moved), (steps + 1,))
    return Pursuit(path, moved, loss, state, stop if stop > 0 else None)
