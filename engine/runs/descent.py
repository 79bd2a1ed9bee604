"""One optimizer on one landscape: `descend` runs it and returns the whole story.

The rule and the landscape are traced together once, printed as a scalar loop (engine.emit) and
run; only the path is kept. Loss, gradient and state along it are worked out when asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from typing import Any, cast
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt

from engine.emit.scalar import Kernel, Run
from engine.optimizers import OPTIMIZERS, WRAPPERS, Optimizer, wrap
from engine.optimizers.schedules import Schedule, find_schedule
from engine.optimizers.typed import optimizer as typed_optimizer
from engine.problems.formula import landscape as typed_landscape
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.runs.tracing import ByFunction, PlaneOracle, landscape_loop

__all__ = [
    "DIVERGENCE_RADIUS",
    "MAX_STEPS",
    "Descent",
    "PlaneOracle",
    "descend",
    "find_landscape",
    "find_optimizer",
    "kernel_of",
    "probe_signs",
]

Array = npt.NDArray[np.float64]

# A point this far out has diverged: no landscape is studied there, and no power overflows yet.
DIVERGENCE_RADIUS = 1e4
MAX_STEPS = 1_000_000


@dataclass(frozen=True)
class Descent:
    """A finished run.

    path (steps + 1, 2) holds the points; from `diverged_at` on it stays at the last point inside.
    diverged_at is the first step whose point is not finite or left a radius of ten thousand.
    """

    landscape: Landscape
    optimizer: Optimizer
    hypers: Mapping[str, float]
    options: Mapping[str, str | bool]
    path: Array
    diverged_at: int | None
    _rerun: Any
    schedule: Array | None = None  # the factor on the learning rate at each step, (steps,)

    @property
    def steps(self) -> int:
        return len(self.path) - 1

    @property
    def last(self) -> int:
        """The last step that counts: the one before divergence, or the last."""
        return self.steps if self.diverged_at is None else self.diverged_at - 1

    @cached_property
    def loss(self) -> Array:
        """The value along the path, (steps + 1,)."""
        return np.broadcast_to(self.landscape.value(self.path), (len(self.path),))

    @cached_property
    def gradient(self) -> Array:
        """The exact gradient (without noise) along the path, (steps + 1, 2)."""
        return self.landscape.gradient(self.path)

    @cached_property
    def state(self) -> Mapping[str, Array]:
        """Every state variable and shown quantity by name, (steps + 1, 2) or (steps + 1,).

        Row t is the value after step t; row 0 where the run starts. "g" is the gradient the rule
        was given at step t, noise included.
        """
        state: Mapping[str, Array] = self._rerun()
        return state

    @cached_property
    def gap(self) -> Array:
        """The loss above the landscape's minimum (above zero where it has none), (steps + 1,)."""
        return self.loss - (self.landscape.minimum or 0.0)

    @property
    def distance(self) -> float | None:
        """From the last point to the nearest known minimum; None where none is known."""
        if not self.landscape.minima:
            return None
        away = np.asarray(self.landscape.minima) - self.path[self.last]
        return float(np.hypot(away[:, 0], away[:, 1]).min())

    def steps_to_gap(self, target: float) -> int | None:
        """The first step whose loss above the minimum is at most target; None if it never is."""
        reached = np.flatnonzero(self.gap[: self.last + 1] <= target)
        return int(reached[0]) if reached.size else None

    def steps_to_stay(self, target: float) -> int | None:
        """The first step from which the loss above the minimum is at most target for good, to the
        end of the run; None if the run does not end there."""
        above = np.flatnonzero(~(self.gap[: self.last + 1] <= target))
        since = int(above[-1]) + 1 if above.size else 0
        return since if self.diverged_at is None and since <= self.steps else None


@lru_cache(maxsize=256)
def _kernel(
    landscape_key: ByFunction,
    rule_key: ByFunction,
    options: tuple[tuple[str, str | bool], ...],
    scheduled: bool,
    noisy: bool,
    recorded: bool,
) -> Kernel:
    """Landscapes that differ in parameters alone share a kernel."""
    return Kernel(
        landscape_loop(
            landscape_key.entry,
            rule_key.entry,
            dict(options),
            scheduled=scheduled,
            noisy=noisy,
            recorded=recorded,
        )
    )


def kernel_of(
    landscape: Landscape,
    optimizer: Optimizer,
    options: Mapping[str, str | bool] | None = None,
    *,
    scheduled: bool = False,
    noisy: bool = False,
    recorded: bool = False,
) -> Kernel:
    """The cached kernel of a rule on a landscape."""
    chosen = tuple(optimizer.option_values(options).items())
    return _kernel(
        ByFunction(landscape, landscape.function),
        ByFunction(optimizer, optimizer.rule),
        chosen,
        scheduled,
        noisy,
        recorded,
    )


def find_landscape(landscape: Landscape | str) -> Landscape:
    """The entry itself, the one of that slug, or what a formula says; ValueError if there is none.

    Together with `find_optimizer` the one place that reads what is to run and where.
    """
    if isinstance(landscape, Landscape):
        return landscape
    if landscape in LANDSCAPES or landscape.isidentifier():
        return cast("Landscape", _find(LANDSCAPES, landscape, "landscape"))
    return typed_landscape(landscape)


def find_optimizer(optimizer: Optimizer | str) -> Optimizer:
    """The entry itself, the one of that slug, or what a rule says; ValueError if there is none.

    A rule is its lines as typed, or as links spell them: `typed~` and the lines percent-encoded.
    A wrapper stands before what it wraps: `sam~lion`.
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    head, mark, encoded = optimizer.partition("~")
    if mark and head == "typed":
        return typed_optimizer(unquote(encoded))
    if mark and head in WRAPPERS:
        return wrap(head, find_optimizer(encoded))
    if "=" in optimizer:
        return typed_optimizer(optimizer)
    return cast("Optimizer", _find(OPTIMIZERS, optimizer, "optimizer"))


def _find(entries: Mapping[str, Any], slug: str, what: str) -> Any:
    if slug not in entries:
        close = get_close_matches(slug, entries, n=1)
        nearest = f"; did you mean {close[0]}?" if close else ""
        known = ", ".join(entries)
        raise ValueError(f"there is no {what} {slug!r}; there are {known}{nearest}")
    return entries[slug]


def check_run(start: Sequence[float] | npt.ArrayLike, steps: int, noise: float) -> Array:
    """The start as an array of two; ValueError for anything that cannot be run."""
    point = np.asarray(start, dtype=float)
    if point.shape != (2,) or not np.isfinite(point).all():
        raise ValueError(f"start must be two finite numbers, got {start!r}")
    if not 0 <= steps <= MAX_STEPS:
        raise ValueError(f"steps must lie in [0, {MAX_STEPS}], got {steps}")
    if not (math.isfinite(noise) and noise >= 0):
        raise ValueError(f"noise must be a finite number at least 0, got {noise!r}")
    return point


def gradient_noise(steps: int, size: float, seed: int) -> Array:
    """The Gaussian noise added to each step's gradient, (steps, 2), of standard deviation size."""
    return size * np.random.default_rng(seed).standard_normal((steps, 2))


def probe_signs(steps: int, seed: int) -> Array:
    """Each step's random signs (Rademacher) for estimates of the Hessian's diagonal, (steps, 2)."""
    # A stream of its own: turning noise on must not change the probes.
    return np.random.default_rng((seed, 1)).choice((-1.0, 1.0), size=(steps, 2))


def step_inputs(
    optimizer: Optimizer,
    options: Mapping[str, str | bool],
    steps: int,
    schedule: npt.ArrayLike | Schedule | str | None,
    noise: float,
    seed: int,
) -> tuple[list[Array], Array | None]:
    """What a loop of `landscape_loop` wants per step, each (steps,), and the schedule's factors.

    Raises ValueError for a schedule that does not fit the steps.
    """
    inputs: list[Array] = []
    factors: Array | None = None
    if schedule is not None:
        if isinstance(schedule, (str, Schedule)):
            schedule = find_schedule(schedule).factors(steps)
        factors = np.ascontiguousarray(schedule, dtype=float)
        if factors.shape != (steps,) or not np.isfinite(factors).all():
            raise ValueError(f"schedule must be {steps} finite factors, got shape {factors.shape}")
        inputs.append(factors)
    if noise > 0:
        inputs += [np.ascontiguousarray(n) for n in gradient_noise(steps, noise, seed).T]
    if optimizer.draws_probe(options):
        inputs += [np.ascontiguousarray(u) for u in probe_signs(steps, seed).T]
    return inputs, factors


def descend(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    start: Sequence[float] | npt.ArrayLike,
    steps: int,
    hypers: Mapping[str, float] | None = None,
    *,
    options: Mapping[str, str | bool] | None = None,
    schedule: npt.ArrayLike | Schedule | str | None = None,
    noise: float = 0.0,
    seed: int = 0,
) -> Descent:
    """Run an optimizer on a landscape from start for a number of steps.

    hypers and options overlay the optimizer's defaults. schedule is an entry or slug of SCHEDULES,
    or holds a factor on the learning rate for each step, shape (steps,). noise is the standard
    deviation of the Gaussian added to each coordinate of each gradient; it is drawn from seed, as
    are the probes of rules that draw them. Divergence is data (`Descent.diverged_at`).
    Raises ValueError for unknown names and for values that cannot be run.

    >>> run = descend("bowl", "sgd", (5.0, 3.0), 2, {"lr": 0.01})
    >>> run.path.round(6).tolist()
    [[5.0, 3.0], [4.9, 0.0], [4.802, 0.0]]
    >>> run.loss.round(4).tolist(), run.diverged_at
    ([475.0, 24.01, 23.0592], None)
    """
    landscape = find_landscape(landscape)
    optimizer = find_optimizer(optimizer)
    point = check_run(start, steps, noise)
    values = optimizer.hyper_values(hypers)
    chosen = optimizer.option_values(options)
    per_step, factors = step_inputs(optimizer, chosen, steps, schedule, noise, seed)

    def run(recorded: bool) -> Run:
        kernel = kernel_of(
            landscape,
            optimizer,
            chosen,
            scheduled=schedule is not None,
            noisy=noise > 0,
            recorded=recorded,
        )
        constants = [*values.values(), *landscape.arguments.values()]
        return kernel.run(steps, DIVERGENCE_RADIUS, point.tolist(), constants, per_step)

    ran = run(recorded=False)
    return Descent(
        landscape,
        optimizer,
        values,
        chosen,
        ran.path,
        ran.stopped,
        lambda: run(recorded=True).records,
        factors,
    )
