"""Runs, sweeps and functions for the reader's browser: the texts of ES modules.

The same traced programs that `descend` and `sweep` run here, printed as JavaScript. Where only
+ − × ÷ √ and comparisons occur both give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from engine.emit.javascript import Defaults, function_module, run_module, sweep_module
from engine.emit.program import Key, Level, Loop, Program, compile_program
from engine.optimizers import Optimizer
from engine.problems.landscapes import Landscape
from engine.runs.descent import DIVERGENCE_RADIUS, MAX_STEPS, find_landscape, find_optimizer
from engine.runs.tracing import POINT, At, ByFunction, hyper, landscape_loop, parameter
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
    key = module_key(surface, rule, options)
    return _run_text(*key, scheduled=scheduled, noisy=noisy, recorded=recorded)


# Printing a module takes some milliseconds, and a page asks for it whenever a hand moves.
def module_key(
    surface: Landscape, rule: Optimizer, options: Mapping[str, str | bool] | None
) -> tuple[ByFunction, ByFunction, tuple[tuple[str, str | bool], ...], tuple[float, ...]]:
    """What the text of a module depends on: functions, options and the defaults written in it."""
    return (
        ByFunction(surface, surface.function),
        ByFunction(rule, rule.rule),
        tuple(rule.option_values(options).items()),
        tuple(defaults_of(surface, rule).values()),
    )


@lru_cache(maxsize=64)
def _run_text(
    landscape: ByFunction,
    optimizer: ByFunction,
    options: tuple[tuple[str, str | bool], ...],
    _defaults_of_now: tuple[float, ...],
    *,
    scheduled: bool,
    noisy: bool,
    recorded: bool,
) -> str:
    surface, rule = landscape.entry, optimizer.entry
    loop = landscape_loop(
        surface, rule, dict(options), scheduled=scheduled, noisy=noisy, recorded=recorded
    )
    along, defaults = _along(surface), defaults_of(surface, rule)
    return run_module(loop, along, defaults, DIVERGENCE_RADIUS, MAX_STEPS, recorded=recorded)


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
    known = [*(h.name for h in rule.hypers), "x", "y"]
    if not 1 <= len(varied) <= 2 or len(set(varied)) != len(varied):
        raise ValueError(f"a sweep has one or two axes, got {', '.join(varied) or 'none'}")
    for name in varied:
        if name not in known:
            raise ValueError(f"{rule.slug} has no axis {name!r}; it has {', '.join(known)}")
    key = module_key(surface, rule, options)
    return _sweep_text(*key, tuple(varied), scheduled=scheduled, noisy=noisy, target=target)


@lru_cache(maxsize=64)
def _sweep_text(
    landscape: ByFunction,
    optimizer: ByFunction,
    options: tuple[tuple[str, str | bool], ...],
    _defaults_of_now: tuple[float, ...],
    varied: tuple[str, ...],
    *,
    scheduled: bool,
    noisy: bool,
    target: bool,
) -> str:
    surface, rule = landscape.entry, optimizer.entry
    loop = landscape_loop(
        surface,
        rule,
        dict(options),
        varied=[n for n in varied if n not in ("x", "y")],
        scheduled=scheduled,
        noisy=noisy,
        valued=target,
    )
    along, defaults = _along(surface), defaults_of(surface, rule)
    return sweep_module(loop, along, defaults, varied, DIVERGENCE_RADIUS, MAX_STEPS)


def browser_function(function: Callable[..., Any], names: Sequence[str]) -> str:
    """The text of an ES module of a function of scalars, called with one Value for each name.

    It exports `f(values)`, where values is an object (or Map) of numbers by name, and
    `over(values)`, where each may be a number or an array, all arrays of one length, and the
    results are Float64Arrays. A function that returns a mapping gives an object of results by
    name, any other a single one. Raises ValueError for an operation that scalars do not have.
    """
    single = True

    def traced(at: At) -> dict[Key, Any]:
        nonlocal single
        result = function(*at.values())
        single = not isinstance(result, Mapping)
        return {"": result} if single else dict(result)

    program = compile_program(traced, dict.fromkeys(range(len(names)), Level.CELL))
    return function_module(program, names, single)


def defaults_of(landscape: Landscape, optimizer: Optimizer) -> Defaults:
    """By key what a hyper-parameter or parameter is where the browser does not give it."""
    found: dict[Key, float] = {hyper(h.name): h.default for h in optimizer.hypers}
    return found | {parameter(name): value for name, value in landscape.arguments.items()}


def _along(landscape: Landscape) -> Program:
    """The landscape's value and gradient at a point."""
    levels: dict[Key, Level] = dict.fromkeys(POINT, Level.CELL)
    levels |= dict.fromkeys(map(parameter, landscape.arguments), Level.CONSTANT)

    def values(at: At) -> dict[Key, Any]:
        parameters = {name: at[parameter(name)] for name in landscape.arguments}
        w = Vector(at[key] for key in POINT)
        both = autograd.value_and_grad(lambda w: landscape.function(w[0], w[1], **parameters))
        loss, gradient = both(w)
        return {"loss": loss, "g_0": gradient[0], "g_1": gradient[1]}

    return compile_program(values, levels)


def each_key(place: int) -> Key:
    """The key of the landscape's parameter at that place where it is given for every step."""
    return f"each_{place}"


def changing_run(loop: Loop, landscape: Landscape, optimizer: Optimizer, *, recorded: bool) -> str:
    """The text of an ES module of a run on a landscape that is another at every step: `run` takes
    shifts {x, y}, or a list `each` of an array for each of its parameters, as far as the loop reads
    them, `steps` numbers each, and is else that of `browser_run`."""
    along, defaults = _along(landscape), defaults_of(landscape, optimizer)
    return run_module(loop, along, defaults, DIVERGENCE_RADIUS, MAX_STEPS, recorded=recorded)
