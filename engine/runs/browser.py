"""Runs, sweeps and functions for the reader's browser: the texts of ES modules.

The same traced programs that `descend` and `sweep` run here, printed as JavaScript. Where only
+ − × ÷ √ and comparisons occur both give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.emit.javascript import Along, Steps, function_module, run_module, sweep_module
from engine.emit.program import Level, compile_program, vector_names
from engine.optimizers import Optimizer
from engine.problems.landscapes import Landscape
from engine.runs.descent import (
    DIVERGENCE_RADIUS,
    MAX_STEPS,
    find_landscape,
    find_optimizer,
    make_plan,
)
from engine.runs.sweeps import trace_cells
from engine.tape import Vector, autograd


def browser_run(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    *,
    options: Mapping[str, str | bool] | None = None,
    scheduled: bool = False,
    noisy: bool = False,
    recorded: bool = False,
) -> str:
    """The text of an ES module that runs an optimizer on a landscape as `descend` does.

    It exports `run({start, steps, hypers, parameters, schedule, noise, probes})`, which returns
    `{path, stopped}`: path a Float64Array of steps + 1 pairs (x, y), after divergence filled with
    the last point inside; stopped the step of divergence or null. start is a pair; hypers and
    parameters are objects (or Maps) by name, what they lack being at its default. schedule holds
    `steps` factors on the learning rate where scheduled (1 where it is not given), noise is
    `{sigma, normals}` with 2·steps standard normals where noisy, probes 2·steps signs where the
    rule draws them (`Optimizer.draws_probe`).

    recorded adds `state`, an object of Float64Arrays by name equal to `Descent.state` (pairs for
    vectors, a number a step for scalars), `loss` (steps + 1) and `gradient` (steps + 1 pairs,
    without noise). A second export `along(points, parameters)` gives {loss, gradient} at pairs.

    Raises ValueError for unknown names.
    """
    surface, rule = find_landscape(landscape), find_optimizer(optimizer)
    chosen = rule.option_values(options)
    plan = make_plan(surface, rule, chosen, scheduled=scheduled, noisy=noisy, recorded=recorded)
    records: dict[str, tuple[str, ...]] = {}
    for output in plan.records:
        name = output.split("'")[0]
        records[name] = (*records.get(name, ()), output)
    steps = Steps(
        plan.program,
        plan.point,
        plan.carried,
        plan.starts,
        _constants(surface, rule, ()),
        plan.per_step,
        records,
    )
    return run_module(steps, _along(surface), DIVERGENCE_RADIUS, MAX_STEPS, recorded=recorded)


def browser_sweep(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    varied: Sequence[str],
    *,
    options: Mapping[str, str | bool] | None = None,
    scheduled: bool = False,
    noisy: bool = False,
    target: bool = False,
) -> str:
    """The text of an ES module that runs every cell of a grid as `sweep` does.

    varied names the one or two axes: hyper-parameters, or the start's coordinates "x" and "y". The
    module exports `sweep({axes, start, steps, hypers, parameters, schedule, noise, probes, target,
    first, last})`: axes is an object of arrays by name, the others are as in `browser_run`. Cells
    are numbered with the last axis running fastest; those from first (0) to last (all) are run.
    It returns typed arrays over those cells: final_point (pairs), final_loss, diverged_at (-1 for
    never) and, with target, steps_to_target (-1 for never), as `Sweep` has them.

    Raises ValueError for unknown names.
    """
    surface, rule = find_landscape(landscape), find_optimizer(optimizer)
    chosen = rule.option_values(options)
    known = [*(h.name for h in rule.hypers), "x", "y"]
    if not 1 <= len(varied) <= 2 or len(set(varied)) != len(varied):
        raise ValueError(f"a sweep has one or two axes, got {', '.join(varied) or 'none'}")
    for name in varied:
        if name not in known:
            raise ValueError(f"{rule.slug} has no axis {name!r}; it has {', '.join(known)}")
    cells = trace_cells(
        surface,
        rule,
        chosen,
        varied=tuple(n for n in varied if n not in ("x", "y")),
        scheduled=scheduled,
        noisy=noisy,
        valued=target,
    )
    steps = Steps(
        cells.program,
        cells.point,
        cells.carried,
        cells.starts,
        _constants(surface, rule, varied),
        cells.per_step,
        {},
        tuple(varied),
        cells.loss,
    )
    return sweep_module(steps, _along(surface), DIVERGENCE_RADIUS, MAX_STEPS)


def browser_function(function: Callable[..., Any], names: Sequence[str]) -> str:
    """The text of an ES module of a function of scalars, called with one Value for each name.

    It exports `f(values)`, where values is an object (or Map) of numbers by name, and
    `over(values)`, where each may be a number or an array, all arrays of one length, and the
    results are Float64Arrays. A function that returns a mapping gives an object of results by
    name, any other a single one. Raises ValueError for an operation that scalars do not have.
    """
    single = True

    def traced(**inputs: Any) -> dict[str, Any]:
        nonlocal single
        result = function(*inputs.values())
        single = not isinstance(result, Mapping)
        return {"": result} if single else dict(result)

    program = compile_program(traced, {f"x{i}": Level.CELL for i in range(len(names))}, step=None)
    return function_module(program, names, single)


def _constants(
    landscape: Landscape, optimizer: Optimizer, varied: Sequence[str]
) -> dict[str, tuple[str, str, float]]:
    found = {
        h.name: ("hypers", h.name, h.default) for h in optimizer.hypers if h.name not in varied
    }
    return {**found, **_parameters(landscape)}


def _parameters(landscape: Landscape) -> dict[str, tuple[str, str, float]]:
    values = landscape.arguments
    return {f"landscape_{n}": ("parameters", n, value) for n, value in values.items()}


def _along(landscape: Landscape) -> Along:
    constants = _parameters(landscape)
    levels = dict.fromkeys(vector_names("w"), Level.CELL)
    levels |= dict.fromkeys(constants, Level.CONSTANT)

    def values(**at: Any) -> dict[str, Any]:
        w = Vector((at["w_0"], at["w_1"]))
        parameters = {n: at[f"landscape_{n}"] for n in landscape.arguments}
        loss, g = autograd.value_and_grad(lambda w: landscape.function(w[0], w[1], **parameters))(w)
        return {"loss": loss, "g_0": g[0], "g_1": g[1]}

    return Along(compile_program(values, levels, step=None), constants)
