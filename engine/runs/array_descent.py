"""A descent on a landscape that holds arrays of its own, such as the nodes of a quadrature.

A scalar program would write out every node. Here the step is recorded with its arrays, as a
network's is, and run as printed NumPy; the reader's browser runs the same record as JavaScript.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.javascript import array_run_module
from engine.emit.program import Key
from engine.emit.tensor import Compiled, compiled, recorded
from engine.emit.tensor_javascript import maker
from engine.optimizers import Optimizer
from engine.problems.landscapes import Landscape
from engine.runs import browser
from engine.runs.descent import (
    DIVERGENCE_RADIUS,
    MAX_STEPS,
    check_run,
    find_landscape,
    find_optimizer,
)
from engine.runs.live import RUN, LiveDescent, as_printed
from engine.runs.tracing import (
    COUNT,
    POINT,
    ByFunction,
    PlaneOracle,
    carried_of,
    hyper,
    parameter,
    plane_step,
)
from engine.tape import Vector

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Step:
    """A rule's step on a landscape as a function of numbers, in the order of these keys: what goes
    from step to step (the point, then the state), the step's number, and what stands still."""

    landscape: Landscape
    optimizer: Optimizer
    options: Mapping[str, str | bool]

    @property
    def moving(self) -> dict[Key, int | float]:
        """Their keys, and where each starts: at a number, or (an int) at a coordinate's."""
        here = Vector(range(len(POINT)))
        carried = carried_of(self.optimizer.slots(self.options), here)
        return dict(zip(POINT, here, strict=True)) | carried

    @property
    def still(self) -> list[Key]:
        return [
            *(hyper(h.name) for h in self.optimizer.hypers),
            *(parameter(name) for name in self.landscape.arguments),
        ]

    def start(self, point: Sequence[float]) -> list[np.float64]:
        """What moves, before the first step."""
        starts = self.moving.values()
        return [np.float64(point[x] if isinstance(x, int) else x) for x in starts]

    def __call__(self, *numbers: Any) -> list[Any]:
        at = dict(zip([*self.moving, COUNT, *self.still], numbers, strict=True))
        parameters = {name: at[parameter(name)] for name in self.landscape.arguments}
        oracle = PlaneOracle(self.landscape, parameters, at[COUNT])
        after = plane_step(self.optimizer, self.options, oracle, at)
        return [after[key] for key in self.moving]


@dataclass(frozen=True)
class ArrayDescent:
    """A finished run: path (steps + 1, 2); from `diverged_at` on it stays at the last point."""

    path: Array
    diverged_at: int | None


_Options = tuple[tuple[str, str | bool], ...]


@lru_cache(maxsize=32)
def _steps(landscape: ByFunction, rule: ByFunction, options: _Options) -> tuple[_Step, Compiled]:
    """The step as it stands, and recorded; its buffers serve one run at a time."""
    step = _Step(landscape.entry, rule.entry, dict(options))
    return step, compiled(step)


@lru_cache(maxsize=32)
def _module(
    landscape: ByFunction, rule: ByFunction, options: _Options, _defaults: Any, bound: float
) -> str:
    step, _ = _steps(landscape, rule, options)
    defaults = browser.defaults_of(landscape.entry, rule.entry)
    still = (defaults[key] for key in step.still)
    given = [np.float64(x) for x in (*step.start(landscape.entry.start), 1.0, *still)]
    if any(line.function is bool for line in recorded(step, given)[0].lines):
        raise ValueError(f"{rule.entry.slug} does not do the same at every step")
    return array_run_module(
        maker(step, *given), list(step.moving.values()), defaults, bound, MAX_STEPS
    )


def descend_on_arrays(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    start: Sequence[float],
    steps: int,
    hypers: Mapping[str, float] | None = None,
    *,
    bound: float = DIVERGENCE_RADIUS,
) -> ArrayDescent:
    """`descend` where the landscape's function holds arrays; bound is how far out a run is lost.

    The rule is in its default options. Raises ValueError as `descend` does.
    """
    surface, rule = find_landscape(landscape), find_optimizer(optimizer)
    point = check_run(start, steps, 0.0).tolist()
    values = [*rule.hyper_values(hypers).values(), *surface.arguments.values()]
    still = [np.float64(x) for x in values]
    plain, step = _steps(
        ByFunction(surface, surface.function),
        ByFunction(rule, rule.rule),
        tuple(rule.option_values().items()),
    )
    path = np.tile(np.array(point), (steps + 1, 1))
    now: list[Any] = plain.start(point)
    with np.errstate(all="ignore"):
        for t in range(1, steps + 1):
            now = [np.float64(x) for x in step(*now, np.float64(t), *still)]
            if not (abs(now[0]) <= bound and abs(now[1]) <= bound):  # nan is not inside either
                path[t:] = path[t - 1]
                return ArrayDescent(path, t)
            path[t] = now[:2]
    return ArrayDescent(path, None)


def live_descend_on_arrays(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    start: tuple[Any, Any],
    steps: Any,
    hypers: Mapping[str, Any] | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    bound: float = DIVERGENCE_RADIUS,
) -> LiveDescent:
    """`descend_on_arrays` whose numbers may be traced Values; `parameters` are the landscape's.

    Raises ValueError for a rule that goes one way at some steps and another at others (Sophia).
    """
    surface, rule = find_landscape(landscape), find_optimizer(optimizer)
    shaped = {**surface.arguments, **(parameters or {})}
    values = {h.name: (hypers or {}).get(h.name, h.default) for h in rule.hypers}

    def make(given: Mapping[str, Any]) -> ArrayDescent:
        here = surface(**given["parameters"])
        point = float(given["x"]), float(given["y"])
        return descend_on_arrays(
            here, rule, point, int(given["steps"]), given["hypers"], bound=bound
        )

    inputs: dict[tuple[str, ...], Any] = {("x",): start[0], ("y",): start[1], ("steps",): steps}
    inputs |= {("hypers", name): value for name, value in values.items()}
    inputs |= {("parameters", name): value for name, value in shaped.items()}
    module = _module(*browser.module_key(as_printed(surface), rule, None), bound)
    run = RUN(*inputs.values(), names=list(inputs), module=module, _make=make)
    return LiveDescent(run, surface, shaped, values)
