"""An objective that changes under way: a landscape whose minimum jumps while an optimizer runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.descent import DIVERGENCE_RADIUS, PlaneOracle, check_run, find_landscape, find_optimizer
from engine.landscapes import Landscape
from engine.optimizers import Optimizer
from engine.tape import Vector

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pursuit:
    """A run after a moving minimum: path (steps + 1, 2), where the landscape stood (steps + 1, 2),
    the loss as it was at each of those moments (steps + 1,), and the state after each step, row 0
    NaN. After divergence every row stays at the last."""

    path: Array
    shifts: Array
    loss: Array
    state: Mapping[str, Array]
    diverged_at: int | None


class _ShiftedOracle(PlaneOracle):
    """The landscape moved by a shift, as it answers at step t."""

    def __init__(self, landscape: Landscape, shift: Array, t: int) -> None:
        super().__init__(landscape, landscape.arguments, t)
        self._shift = Vector(shift.tolist())

    def loss(self, w: Vector) -> Any:
        return super().loss(w - self._shift)


def jumps(steps: int, every: int, by: Sequence[float]) -> Array:
    """Shifts that alternate between 0 and `by`, changing every so many steps, (steps + 1, 2)."""
    away = (np.arange(steps + 1) // every) % 2 == 1
    return np.where(away[:, None], np.asarray(by, dtype=float), 0.0)


def pursue(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    start: Sequence[float],
    shifts: Array,
    hypers: Mapping[str, float] | None = None,
    *,
    options: Mapping[str, str | bool] | None = None,
) -> Pursuit:
    """Run an optimizer on a landscape that stands at shifts[t] when step t + 1 is made.

    Raises ValueError where `descend` would.
    """
    surface, entry = find_landscape(landscape), find_optimizer(optimizer)
    steps = len(shifts) - 1
    w = Vector(check_run(start, steps, 0.0).tolist())
    h = SimpleNamespace(**entry.hyper_values(hypers))
    o = SimpleNamespace(**entry.option_values(options))
    zero = Vector((0.0, 0.0))
    s = SimpleNamespace(
        **{
            slot.name: 0.0 if slot.kind == "scalar" else (w if slot.start == "w" else zero)
            for slot in entry.slots(options)
        }
    )
    path = np.empty((steps + 1, 2))
    path[0] = w
    kept: list[Mapping[str, Any]] = []
    diverged_at = None
    with np.errstate(all="ignore"):
        for t in range(1, steps + 1):
            following, state = entry.rule(_ShiftedOracle(surface, shifts[t - 1], t), w, s, h, o)
            point = np.array([float(x) for x in following])
            if not (np.abs(point) <= DIVERGENCE_RADIUS).all():
                diverged_at = t
                path[t:] = path[t - 1]
                break
            w, s = following, SimpleNamespace(**state)
            path[t] = point
            kept.append(state)
    names = kept[0] if kept else {}
    collected = {
        name: _rows([np.array(k[name], dtype=float) for k in kept], steps) for name in names
    }
    loss = surface.value(path - shifts)
    return Pursuit(path, shifts, loss, collected, diverged_at)


def _rows(values: Sequence[Array], steps: int) -> Array:
    column = np.stack(values)
    first = np.full((1, *column.shape[1:]), np.nan)
    rest = np.repeat(column[-1:], steps - len(column), axis=0)
    return np.concatenate([first, column, rest])
