"""A descent as one operation of a picture: run here by `descend`, in the browser by its module.

Everything that a hand may move (start, hyper-parameters, the landscape's parameters, noise, the
length) may be traced; what is chosen (the rule, its options, the landscape) is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import count
from engine.optimizers import Optimizer
from engine.problems.landscapes import Landscape
from engine.runs import browser
from engine.runs.descent import Descent, descend, find_landscape, find_optimizer, probe_signs
from engine.tape import Operation, Value

Array = npt.NDArray[np.float64]

MOST_STEPS = 2000  # as far as noise and probes reach in the browser


def _descend(*numbers: Any, names: Sequence[Sequence[str]], _make: Any, **_: Any) -> Descent:
    given: dict[str, Any] = {"hypers": {}, "parameters": {}}
    for (group, *inner), number in zip(names, numbers, strict=True):
        if inner:
            part = given.setdefault(group, {})
            part[inner[0]] = np.asarray(number) if np.ndim(number) else float(number)
        else:
            given[group] = number
    result: Descent = _make(given)
    return result


def _part(run: Descent, name: str) -> Any:
    if name == "stopped":
        return np.nan if run.diverged_at is None else float(run.diverged_at)
    if name in ("x", "y"):
        return run.path[:, "xy".index(name)]
    base, _, coordinate = name.partition(".")
    column = run.gradient if base == "gradient" else run.state[base]
    return column[:, "xy".index(coordinate)] if coordinate else column


RUN = Operation("descend", _descend)  # its run has path, diverged_at, state and gradient
_PART = Operation("part", _part)


@dataclass(frozen=True, eq=False)
class LiveDescent:
    """A run in a picture: `result` is Python's, the rest are traced where anything of it moves.

    x and y are the path, (steps + 1,) each; stopped is the step of divergence, NaN for none.
    parameters are the landscape's, hypers the rule's, schedule the factors on its rate, if any.
    """

    run: Any
    landscape: Landscape
    parameters: Mapping[str, Any]
    hypers: Mapping[str, Any]
    schedule: Any = None

    @property
    def result(self) -> Descent:
        """The descent at the values of now."""
        found: Descent = self.run.data if isinstance(self.run, Value) else self.run
        return found

    def part(self, name: str) -> Any:
        """A column of the run by name: "x", "y", "stopped"; of a recorded one also "m.x" …, with
        "g.x" what the rule was given and "gradient.x" the exact gradient along the path."""
        return _PART(self.run, name=name) if isinstance(self.run, Value) else _part(self.run, name)

    @cached_property
    def x(self) -> Any:
        return self.part("x")

    @cached_property
    def y(self) -> Any:
        return self.part("y")

    @cached_property
    def stopped(self) -> Any:
        return self.part("stopped")

    @cached_property
    def loss(self) -> Any:
        """The value along the path, (steps + 1,)."""
        with np.errstate(all="ignore"):
            return self.landscape.function(self.x, self.y, **self.parameters)

    @cached_property
    def gap(self) -> Any:
        """The loss above the known minimum, if there is one."""
        return self.loss - (self.landscape.minimum or 0.0)

    @property
    def length(self) -> Any:
        """How many points the path has."""
        return count(self.x) if isinstance(self.x, Value) else len(self.x)


@lru_cache(maxsize=8)
def standard_normals(seed: int) -> Array:
    """The draws of `gradient_noise` for the longest run; those of a shorter one begin it."""
    return np.random.default_rng(seed).standard_normal((MOST_STEPS, 2)).ravel()


@lru_cache(maxsize=8)
def signs(seed: int) -> Array:
    """The draws of `probe_signs` for the longest run."""
    return probe_signs(MOST_STEPS, seed).ravel()


def as_printed(landscape: Landscape) -> Landscape:
    """The landscape at its own parameters: those of now are no part of a module's text."""
    return replace(landscape, values={})


def live_descend(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    start: tuple[Any, Any],
    steps: Any,
    hypers: Mapping[str, Any] | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    options: Mapping[str, str | bool] | None = None,
    schedule: Any = None,
    noise: Any = 0.0,
    seed: int = 0,
    recorded: bool = False,
) -> LiveDescent:
    """`descend` whose numbers may be traced Values; `parameters` are the landscape's.

    schedule holds a factor for each step, (steps,), or is None. recorded keeps the rule's state
    for `part`. Raises ValueError as `descend` does.
    """
    surface = find_landscape(landscape)
    rule = find_optimizer(optimizer)
    shaped = {**surface.arguments, **(parameters or {})}
    values = {h.name: (hypers or {}).get(h.name, h.default) for h in rule.hypers}
    moving = isinstance(noise, Value) or noise > 0
    chosen = rule.option_values(options)

    def make(given: Mapping[str, Any]) -> Descent:
        here = surface(**given["parameters"]) if given["parameters"] else surface
        return descend(
            here,
            rule,
            (float(given["x"]), float(given["y"])),
            int(given["steps"]),
            given["hypers"],
            options=chosen,
            schedule=given.get("schedule"),
            noise=float(given.get("sigma", 0.0)),
            seed=seed,
        )

    inputs: dict[tuple[str, ...], Any] = {("x",): start[0], ("y",): start[1], ("steps",): steps}
    inputs |= {("hypers", name): value for name, value in values.items()}
    inputs |= {("parameters", name): value for name, value in shaped.items()}
    if schedule is not None:
        inputs["schedule",] = schedule
    if moving:
        inputs["sigma",] = noise
        inputs["normals",] = standard_normals(seed)
    if rule.draws_probe(chosen):
        inputs["probes",] = signs(seed)
    run = RUN(
        *inputs.values(),
        names=list(inputs),
        module=browser.browser_run(
            as_printed(surface), rule, options=chosen, scheduled=schedule is not None, noisy=moving,
            recorded=recorded,
        ),
        _make=make,
    )  # fmt: skip
    return LiveDescent(run, surface, shaped, values, schedule)


def still(descent: Descent) -> LiveDescent:
    """A finished descent as a run of plain numbers, for what is asked of either."""
    surface = descent.landscape
    return LiveDescent(descent, surface, surface.arguments, descent.hypers, descent.schedule)
