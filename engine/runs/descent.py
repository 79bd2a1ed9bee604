"""One optimizer on one landscape: `descend` runs it and returns the whole story.

The rule and the landscape are traced together once, printed as a scalar loop (engine.emit) and
run; only the path is recorded. Loss, gradient and state along it are worked out when asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.compiled import Kernel
from engine.emit.program import Level, Program, compile_program, gather, python_run, vector_names
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.optimizers.schedules import Schedule, find_schedule
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.tape import Vector, autograd

Array = npt.NDArray[np.float64]

# A point this far out has diverged: no landscape is studied there, and no power overflows yet.
DIVERGENCE_RADIUS = 1e4
MAX_STEPS = 1_000_000


class PlaneOracle:
    """What a landscape of two variables answers to a rule at step t."""

    def __init__(
        self,
        landscape: Landscape,
        parameters: Mapping[str, Any],
        t: Any,
        schedule: Any = 1.0,
        noise: Vector | None = None,
        probe: Vector | None = None,
    ) -> None:
        self._function = landscape.function
        self._parameters = parameters
        self._noise = noise
        self._probe = probe
        self.lower_bound = landscape.minimum
        self.t = t
        self.schedule = schedule

    def loss(self, w: Vector) -> Any:
        return self._function(w[0], w[1], **self._parameters)

    def gradient(self, w: Vector) -> Vector:
        gradient: Vector = autograd.grad(self.loss)(w)
        return gradient if self._noise is None else gradient + self._noise

    def hessian(self, w: Vector) -> tuple[Vector, ...]:
        rows: tuple[Vector, ...] = autograd.hessian(self.loss)(w)
        return rows

    def hessian_diagonal(self, w: Vector) -> Vector:
        return Vector(row[i] for i, row in enumerate(self.hessian(w)))

    def hessian_probe(self, w: Vector) -> Vector:
        """u ⊙ Hu by one product of the Hessian with this step's random signs u."""
        if self._probe is None:
            raise ValueError("this rule draws random signs but does not say so (Optimizer.draws)")
        product = autograd.jvp(autograd.grad(self.loss), (w,), (self._probe,))[1]
        estimate: Vector = self._probe * product
        return estimate


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

    def steps_to(self, target: float) -> int | None:
        """The first step whose loss is at most target; None if it never is."""
        return self._first(self.loss, target)

    def steps_to_gap(self, target: float) -> int | None:
        """The first step whose loss above the minimum is at most target; None if it never is."""
        return self._first(self.gap, target)

    def _first(self, curve: Array, target: float) -> int | None:
        reached = np.flatnonzero(curve[: self.last + 1] <= target)
        return int(reached[0]) if reached.size else None


@dataclass(frozen=True, slots=True)
class Plan:
    """A rule on a landscape, traced: the names of everything the program reads and writes."""

    program: Program
    point: tuple[str, ...]
    carried: Mapping[str, str]  # state name -> the output that follows it
    starts: Mapping[str, str]  # state name -> "zero", or the coordinate that it starts at
    hypers: tuple[str, ...]
    parameters: tuple[str, ...]
    per_step: tuple[str, ...]
    records: tuple[str, ...]


def state_names(
    optimizer: Optimizer, options: Mapping[str, str | bool] | None = None
) -> dict[str, str]:
    """The scalar names of an optimizer's state in the plane, with where each starts."""
    names: dict[str, str] = {}
    for slot in optimizer.slots(options):
        if slot.kind == "scalar":
            names[slot.name] = slot.start
        else:
            for name, coordinate in zip(vector_names(slot.name), vector_names("w"), strict=True):
                names[name] = coordinate if slot.start == "w" else "zero"
    return names


def make_plan(
    landscape: Landscape,
    optimizer: Optimizer,
    options: Mapping[str, str | bool],
    *,
    scheduled: bool = False,
    noisy: bool = False,
    recorded: bool = False,
    varied: frozenset[str] = frozenset(),
) -> Plan:
    """Trace one step of the rule on the landscape.

    varied names the hyper-parameters that differ from cell to cell (the axes of a sweep).
    """
    point = vector_names("w")
    slots = optimizer.slots(options)
    starts = state_names(optimizer, options)
    probed = optimizer.draws_probe(options)
    hypers = tuple(h.name for h in optimizer.hypers)
    parameters = tuple(f"landscape_{p.name}" for p in landscape.parameters)
    per_step = (
        *(("schedule",) if scheduled else ()),
        *(vector_names("noise") if noisy else ()),
        *(vector_names("probe") if probed else ()),
    )
    levels = dict.fromkeys((*point, *starts), Level.BOTH)
    levels |= {name: Level.CELL if name in varied else Level.CONSTANT for name in hypers}
    levels |= dict.fromkeys(parameters, Level.CONSTANT)
    levels |= dict.fromkeys(("t", *per_step), Level.STEP)

    def step(**at: Any) -> dict[str, Any]:
        schedule = at.get("schedule", 1.0)
        h = SimpleNamespace(**{name: at[name] for name in hypers})
        if scheduled and "lr" in hypers:
            h.lr = h.lr * schedule
        oracle = PlaneOracle(
            landscape,
            {p.name: at[f"landscape_{p.name}"] for p in landscape.parameters},
            at["t"],
            schedule,
            gather("noise", at) if noisy else None,
            gather("probe", at) if probed else None,
        )
        w = gather("w", at)
        s = SimpleNamespace(
            **{
                slot.name: at[slot.name] if slot.kind == "scalar" else gather(slot.name, at)
                for slot in slots
            }
        )
        following, state = optimizer.rule(oracle, w, s, h, SimpleNamespace(**options))
        out = dict(_scalars("w", following))
        for name, value in state.items():
            out.update(_scalars(f"{name}'", value))
        if recorded:
            out.update(_scalars("g'", oracle.gradient(w)))
        return out

    program = compile_program(step, levels)
    carried = {name: f"{_base(name, optimizer)}'{_suffix(name, optimizer)}" for name in starts}
    records = tuple(n for n in program.outputs if n not in point) if recorded else ()
    return Plan(program, point, carried, starts, hypers, parameters, per_step, records)


def _scalars(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """m -> (m_0, …), (m_1, …) for a Vector; itself for a number."""
    if isinstance(value, Vector):
        yield from zip(vector_names(name), value, strict=True)
    else:
        yield name, value


def _base(name: str, optimizer: Optimizer) -> str:
    return name if any(s.name == name for s in optimizer.state) else name.rsplit("_", 1)[0]


def _suffix(name: str, optimizer: Optimizer) -> str:
    return name[len(_base(name, optimizer)) :]


@lru_cache(maxsize=256)
def _kernel(
    landscape_key: ByFunction,
    rule_key: ByFunction,
    options: tuple[tuple[str, str | bool], ...],
    scheduled: bool,
    noisy: bool,
    recorded: bool,
) -> tuple[Plan, Kernel]:
    """The plan and its kernel; landscapes that differ in parameters alone share them."""
    plan = make_plan(
        landscape_key.entry,
        rule_key.entry,
        dict(options),
        scheduled=scheduled,
        noisy=noisy,
        recorded=recorded,
    )
    constants = (*plan.hypers, *plan.parameters)
    source = python_run(
        plan.program, plan.point, plan.carried, constants, plan.per_step, plan.records
    )
    scalars = len(plan.point) + len(plan.carried) + len(constants)
    arrays = len(plan.per_step) + len(plan.point) + len(plan.records)
    return plan, Kernel(source, scalars, arrays)


class ByFunction:
    """A cache key: an entry, known by its function alone."""

    __slots__ = ("entry", "function")

    def __init__(self, entry: Any, function: Any) -> None:
        self.entry = entry
        self.function = function

    def __hash__(self) -> int:
        return hash(self.function)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByFunction) and self.function is other.function


def kernel_of(
    landscape: Landscape,
    optimizer: Optimizer,
    options: Mapping[str, str | bool] | None = None,
    *,
    scheduled: bool = False,
    noisy: bool = False,
    recorded: bool = False,
) -> tuple[Plan, Kernel]:
    """The cached plan and kernel of a rule on a landscape."""
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
    """The entry itself or the one of that slug; ValueError if there is none."""
    return (
        landscape if isinstance(landscape, Landscape) else _find(LANDSCAPES, landscape, "landscape")
    )


def find_optimizer(optimizer: Optimizer | str) -> Optimizer:
    """The entry itself or the one of that slug; ValueError if there is none."""
    return (
        optimizer if isinstance(optimizer, Optimizer) else _find(OPTIMIZERS, optimizer, "optimizer")
    )


def _find(entries: Mapping[str, Any], slug: str, what: str) -> Any:
    if slug not in entries:
        raise ValueError(f"there is no {what} {slug!r}; there are {', '.join(entries)}")
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
    """What `Plan.per_step` names, each (steps,), and the schedule's factors if there is one.

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
    """
    landscape = find_landscape(landscape)
    optimizer = find_optimizer(optimizer)
    point = check_run(start, steps, noise)
    values = optimizer.hyper_values(hypers)
    chosen = optimizer.option_values(options)
    per_step, factors = step_inputs(optimizer, chosen, steps, schedule, noise, seed)

    def run(recorded: bool) -> tuple[Plan, int, list[Array]]:
        plan, kernel = kernel_of(
            landscape,
            optimizer,
            chosen,
            scheduled=schedule is not None,
            noisy=noise > 0,
            recorded=recorded,
        )
        begin = dict(zip(plan.point, point.tolist(), strict=True))
        starts = [begin.get(s, 0.0) for s in plan.starts.values()]
        scalars = [*begin.values(), *starts, *values.values(), *landscape.arguments.values()]
        columns = [np.full(steps + 1, x) for x in begin.values()]
        columns += [np.zeros(steps + 1) for _ in plan.records]
        stop = kernel.run(steps, DIVERGENCE_RADIUS, scalars, [*per_step, *columns])
        if stop > 0:
            for column in columns:
                column[stop:] = column[stop - 1]
        return plan, stop, columns

    def rerun() -> dict[str, Array]:
        plan, _, columns = run(recorded=True)
        return _collect(optimizer, plan, columns[len(plan.point) :], point)

    _, stop, columns = run(recorded=False)
    path = np.stack(columns, axis=-1)
    return Descent(
        landscape, optimizer, values, chosen, path, stop if stop > 0 else None, rerun, factors
    )


def _collect(
    optimizer: Optimizer, plan: Plan, columns: Sequence[Array], start: Array
) -> dict[str, Array]:
    """Record columns joined into arrays by variable: m'_0 and m'_1 -> m (steps + 1, 2)."""
    found: dict[str, list[Array]] = {}
    for name, column in zip(plan.records, columns, strict=True):
        found.setdefault(name.split("'")[0], []).append(column)
    state = {k: np.stack(c, axis=-1) if len(c) > 1 else c[0] for k, c in found.items()}
    for slot in optimizer.state:
        if slot.start == "w" and slot.name in state:
            state[slot.name][0] = start
    return state
