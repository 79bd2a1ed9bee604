"""Runs on a landscape whose parameters are others at every step, as a mini-batch's loss is.

The squared error of a batch hangs on a few averages over it. Given those of every step, a run over
batches of any size is one loop over numbers, for any rule of the registry, and is printed for the
reader's browser as other runs are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.program import Key, Loop
from engine.emit.scalar import Kernel
from engine.optimizers import Optimizer
from engine.problems.landscapes import Landscape
from engine.runs import browser
from engine.runs.descent import DIVERGENCE_RADIUS, check_run, find_landscape, find_optimizer
from engine.runs.live import RUN, LiveDescent
from engine.runs.tracing import COUNT, At, ByFunction, PlaneOracle, trace_loop
from engine.tape import Value

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PerStepRun:
    """A run: path (steps + 1, 2), after divergence at its last point, and where it diverged."""

    path: Array
    diverged_at: int | None


def _ask(landscape: Landscape, at: At) -> PlaneOracle:
    """The landscape at the parameters of this step."""
    given = {p.name: at[browser.each_key(k)] for k, p in enumerate(landscape.parameters)}
    return PlaneOracle(landscape, given, at[COUNT])


def _loop(landscape: Landscape, optimizer: Optimizer) -> Loop:
    keys: list[Key] = [browser.each_key(k) for k in range(len(landscape.parameters))]
    return trace_loop(
        optimizer, optimizer.option_values(None), partial(_ask, landscape), per_step=keys
    )


@lru_cache(maxsize=32)
def _kernel(landscape: ByFunction, rule: ByFunction) -> Kernel:
    return Kernel(_loop(landscape.entry, rule.entry))


@lru_cache(maxsize=32)
def _module(landscape: ByFunction, rule: ByFunction) -> str:
    """The ES module of such a run: it takes `each`, an array of `steps` numbers a parameter."""
    surface, entry = landscape.entry, rule.entry
    return browser.changing_run(_loop(surface, entry), surface, entry, recorded=False)


def run_per_step(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    start: Sequence[float],
    steps: int,
    each: Mapping[str, npt.ArrayLike],
    hypers: Mapping[str, float] | None = None,
) -> PerStepRun:
    """Run an optimizer from start; each holds `steps` numbers or more for every parameter.

    Raises ValueError where `descend` would, and where a parameter lacks or has too few numbers.
    """
    surface, entry = find_landscape(landscape), find_optimizer(optimizer)
    point = check_run(start, steps, 0.0)
    series = []
    for parameter in surface.parameters:
        values = np.asarray(each.get(parameter.name, ()), dtype=float)
        if len(values) < steps:
            raise ValueError(f"{parameter.name} has {len(values)} numbers for {steps} steps")
        series.append(values[:steps])
    kernel = _kernel(ByFunction(surface, surface.function), ByFunction(entry, entry.rule))
    constants = list(entry.hyper_values(hypers).values())
    run = kernel.run(steps, DIVERGENCE_RADIUS, point.tolist(), constants, series)
    return PerStepRun(run.path, run.stopped)


def live_run_per_step(
    landscape: Landscape,
    optimizer: Optimizer | str,
    start: tuple[Any, Any],
    steps: Any,
    each: Mapping[str, Any],
    hypers: Mapping[str, Any] | None = None,
    *,
    parameters: Mapping[str, Any],
) -> LiveDescent:
    """`run_per_step` whose numbers may be traced; its loss is that at `parameters`."""
    rule = find_optimizer(optimizer)
    values = {h.name: (hypers or {}).get(h.name, h.default) for h in rule.hypers}
    names = [p.name for p in landscape.parameters]

    def make(given: Mapping[str, Any]) -> PerStepRun:
        series = {name: given["each"][str(k)] for k, name in enumerate(names)}
        point = (float(given["x"]), float(given["y"]))
        return run_per_step(landscape, rule, point, int(given["steps"]), series, given["hypers"])

    inputs: dict[tuple[str, ...], Any] = {("x",): start[0], ("y",): start[1], ("steps",): steps}
    inputs |= {("hypers", name): value for name, value in values.items()}
    inputs |= {("each", str(k)): each[name] for k, name in enumerate(names)}
    module = _module(ByFunction(landscape, landscape.function), ByFunction(rule, rule.rule))
    run = RUN(*inputs.values(), names=list(inputs), module=module, _make=make)
    assert isinstance(run, Value), "something of a live run is traced"
    return LiveDescent(run, landscape, parameters, values)
