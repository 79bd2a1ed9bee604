"""A sweep as one operation of a picture: run here by `sweep`, in the browser by its module.

The ends of the axes and everything else that a hand may move may be traced. Here the grid is
coarse, for it is made in every run of a page; the browser makes its own as fine as it has time
for, in workers, so a part of a sweep may change its shape. What Python has made finely at the
values of now goes along, and is shown for as long as those values stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine import limits
from engine.emit.picture import written
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.runs import browser
from engine.runs.descent import find_landscape, find_optimizer
from engine.runs.live import as_printed, signs, standard_normals
from engine.runs.sweeps import Sweep, sweep
from engine.tape import Operation, Value

Array = npt.NDArray[np.float64]

COARSE: Final = 22  # cells along each side of the grid that a page's run makes, at most
COARSE_LINE: Final = 256  # cells of a sweep along one axis, at most
_LEAST: Final = 12


@dataclass(frozen=True, slots=True)
class Span:
    """One axis of a sweep, from low to high (both may be traced), in equal ratios where log."""

    low: Any
    high: Any
    log: bool


def middles(low: float, high: float, count: int, *, log: bool) -> Array:
    """The middles of count equal cells from low to high, (count,); equal in ratio where log."""
    at = (np.arange(count) + 0.5) / count
    return np.asarray(low * (high / low) ** at if log else low + (high - low) * at)


def is_typed(landscape: Landscape, optimizer: Optimizer) -> bool:
    """Whether a reader wrote either: what is long of that is cut shorter than what is ours."""
    return landscape.slug not in LANDSCAPES or optimizer.slug not in OPTIMIZERS


def cells_along(axes: int, program: str, steps: int, *, typed: bool = False) -> int:
    """How many cells a coarse sweep has along each of its one or two axes.

    Fewer where the program (its printed text) is long or the run is: a page waits for it. Raises
    ValueError where both are, and no grid is small enough.
    """
    longest = limits.TYPED_SWEPT_LINES if typed else limits.SWEPT_LINES
    work = limits.TYPED_SWEPT_WORK if typed else limits.SWEPT_WORK
    most = COARSE_LINE if axes == 1 else COARSE
    lines = program.count("\n")
    if lines * steps > longest:
        raise ValueError(
            f"this landscape and rule make a program of {written(lines, 'd')} lines, which is "
            f"mapped over at most {written(longest // lines, 'd')} steps"
        )
    cells = work / max(1, lines * steps)
    return max(_LEAST, min(most, int(cells ** (1 / axes))))


def check_length(
    landscape: Landscape,
    optimizer: Optimizer,
    axes: tuple[str, ...],
    steps: int,
    options: Mapping[str, str | bool] | None = None,
) -> None:
    """Raise ValueError, as `live_sweep` does, where the program is too long for so many steps."""
    program = browser.browser_sweep(as_printed(landscape), optimizer, axes, options=options)
    cells_along(len(axes), program, steps, typed=is_typed(landscape, optimizer))


def _sweep(*numbers: Any, names: list[tuple[str, ...]], _make: Any, **_: Any) -> Sweep:
    given: dict[str, Any] = {group: {} for group in ("hypers", "parameters", "low", "high")}
    for (group, *inner), number in zip(names, numbers, strict=True):
        if inner and group in given:
            given[group][inner[0]] = float(number)
        elif not inner:
            given[group] = number
    found: Sweep = _make(given)
    return found


def _part(found: Sweep, name: str) -> Any:
    if name in ("x", "y"):
        return found.final_point[..., "xy".index(name)]
    if name == "diverged":
        return found.diverged.astype(float)
    if name == "steps":
        assert found.steps_to_target is not None
        return found.steps_to_target.astype(float)
    return found.final_loss


_SWEEP = Operation("sweep", _sweep)
_PART = Operation("part", _part)


@dataclass(frozen=True, eq=False)
class LiveSweep:
    """A sweep in a picture: `result` is Python's, its parts follow the hand.

    Every part has the shape of the grid, the second axis across: loss is the value at the last
    point (x, y) inside the radius of divergence, diverged 1 or 0, steps the first step at which
    the loss was at most the target, -1 for never.
    """

    run: Any

    @property
    def result(self) -> Sweep:
        """The sweep at the values of now."""
        found: Sweep = self.run.data if isinstance(self.run, Value) else self.run
        return found

    def _part(self, name: str) -> Any:
        return _PART(self.run, name=name)

    @cached_property
    def loss(self) -> Any:
        return self._part("loss")

    @cached_property
    def x(self) -> Any:
        return self._part("x")

    @cached_property
    def y(self) -> Any:
        return self._part("y")

    @cached_property
    def diverged(self) -> Any:
        return self._part("diverged")

    @cached_property
    def steps(self) -> Any:
        return self._part("steps")


def live_sweep(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    axes: Mapping[str, Span],
    start: tuple[Any, Any],
    steps: Any,
    hypers: Mapping[str, Any] | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    options: Mapping[str, str | bool] | None = None,
    noise: Any = 0.0,
    seed: int = 0,
    target: Any = None,
    known: Sweep | None = None,
    parts: tuple[str, ...] = ("loss", "diverged"),
) -> LiveSweep:
    """`sweep` whose numbers may be traced Values; axes are as there, as spans, the last across.

    known is the sweep at the values of now where it has been made already: if it is finer than
    the grid of `cells_along`, those `parts` of it are sent along. Raises ValueError as `sweep`
    does, and where the program is too long for so many steps.
    """
    surface = find_landscape(landscape)
    rule = find_optimizer(optimizer)
    shaped = {**surface.arguments, **(parameters or {})}
    values = {
        h.name: (hypers or {}).get(h.name, h.default) for h in rule.hypers if h.name not in axes
    }
    moving = isinstance(noise, Value) or noise > 0
    typed = is_typed(surface, rule)
    chosen = rule.option_values(options)
    module = browser.browser_sweep(
        as_printed(surface),
        rule,
        tuple(axes),
        options=chosen,
        noisy=moving,
        target=target is not None,
    )
    now = int(steps.data if isinstance(steps, Value) else steps)
    side = cells_along(len(axes), module, now, typed=typed)

    def make(given: Mapping[str, Any]) -> Sweep:
        if known is not None:
            return known
        here = surface(**given["parameters"]) if given["parameters"] else surface
        return sweep(
            here,
            rule,
            {n: middles(given["low"][n], given["high"][n], side, log=s.log)
             for n, s in axes.items()},
            (float(given["x"]), float(given["y"])),
            int(given["steps"]),
            hypers=given["hypers"],
            options=chosen,
            noise=float(given.get("sigma", 0.0)),
            seed=seed,
            target=float(given["target"]) if target is not None else None,
            device="cpu",
            compiled=False,
        )  # fmt: skip

    inputs: dict[tuple[str, ...], Any] = {("x",): start[0], ("y",): start[1], ("steps",): steps}
    inputs |= {("hypers", name): value for name, value in values.items()}
    inputs |= {("parameters", name): value for name, value in shaped.items()}
    inputs |= {("low", name): span.low for name, span in axes.items()}
    inputs |= {("high", name): span.high for name, span in axes.items()}
    if target is not None:
        inputs["target",] = target
    if moving:
        inputs["sigma",] = noise
    at = [float(x.data if isinstance(x, Value) else x) for x in inputs.values()]
    if moving:
        inputs["normals",] = standard_normals(seed)
    if rule.draws_probe(chosen):
        inputs["probes",] = signs(seed)
    fine = known is not None and max(known.shape) > side
    if known is not None and fine:
        inputs |= {("known", name): _small(_part(known, name), name) for name in parts}
    return LiveSweep(
        _SWEEP(
            *inputs.values(),
            names=list(inputs),
            module=module,
            varied=list(axes),
            log=[span.log for span in axes.values()],
            side=side,
            seed=seed,
            at=at if fine else None,
            _make=make,
        )
    )


def _small(values: Any, name: str) -> Any:
    """A part as it is sent: for the eye, single precision is more than enough."""
    with np.errstate(over="ignore"):
        return values.astype(np.uint8 if name == "diverged" else np.float32)
