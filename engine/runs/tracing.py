"""A rule on a landscape as a loop: one step traced, and the part that each of its numbers plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.emit.program import Carried, Key, Level, Loop, Record, compile_program
from engine.optimizers import Optimizer, Oracle, Slot
from engine.problems.landscapes import Landscape
from engine.runs.step import first_state, take_step
from engine.tape import Vector, autograd

# The keys of a loop's inputs: coordinates, state, the count of steps, and what is given by name.
POINT: tuple[Key, ...] = ("w_0", "w_1")
COUNT: Key = "t"
SCHEDULE: Key = "schedule"
NOISE: tuple[Key, ...] = ("noise_0", "noise_1")
PROBE: tuple[Key, ...] = ("probe_0", "probe_1")
At = Mapping[Any, Any]


def hyper(name: str) -> Key:
    """The key of a hyper-parameter."""
    return "hypers", name


def parameter(name: str) -> Key:
    """The key of a landscape's parameter."""
    return "parameters", name


class PlaneOracle:
    """What a landscape of two variables answers to a rule at step t."""

    output_axis = 0  # a point is a matrix of one row

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

    def signs(self) -> Vector:
        """This step's random signs, one for each coordinate."""
        if self._probe is None:
            raise ValueError("this rule draws random signs but does not say so (Optimizer.draws)")
        return self._probe

    def hessian_probe(self, w: Vector) -> Vector:
        """u ⊙ Hu by one product of the Hessian with this step's random signs u."""
        product = autograd.jvp(autograd.grad(self.loss), (w,), (self.signs(),))[1]
        estimate: Vector = self.signs() * product
        return estimate


def carried_of(slots: Sequence[Slot], start: Vector) -> dict[Key, Any]:
    """The key of each number of a rule's state, and what it is before the first step."""
    return _parts(first_state(slots, start))


def plane_step(
    optimizer: Optimizer,
    options: Mapping[str, str | bool],
    oracle: Oracle,
    at: At,
    recorded: bool = False,
    valued: bool = False,
    hold: Callable[[At, Vector], Vector] = lambda at, w: w,
) -> dict[Key, Any]:
    """One step of a rule, from numbers by key to the next point and state; see trace_loop."""
    slots = optimizer.slots(options)
    w = Vector(at[key] for key in POINT)
    state = {
        slot.name: at["state", slot.name, 0]
        if slot.kind == "scalar"
        else Vector(at["state", slot.name, i] for i in range(len(POINT)))
        for slot in slots
    }
    hypers = {h.name: at[hyper(h.name)] for h in optimizer.hypers}
    following, after = take_step(optimizer, oracle, w, state, hypers, options)
    out: dict[Key, Any] = dict(zip(POINT, hold(at, following), strict=True))
    if recorded:
        after["g"] = oracle.gradient(w)
    else:  # what is only shown is not asked for
        after = {slot.name: after[slot.name] for slot in slots}
    out |= _parts(after)
    if valued:
        out["loss"] = oracle.loss(w)
    return out


def trace_loop(
    optimizer: Optimizer,
    options: Mapping[str, str | bool],
    ask: Callable[[At], Oracle],
    *,
    constants: Sequence[Key] = (),
    per_step: Sequence[Key] = (),
    varied: Sequence[str] = (),
    recorded: bool = False,
    valued: bool = False,
    hold: Callable[[At, Vector], Vector] = lambda at, w: w,
) -> Loop:
    """One step of a rule in the plane, asking the oracle that `ask` makes of the inputs by key.

    constants and per_step are keys that ask may read beside POINT and COUNT; varied names the
    hyper-parameters that differ from cell to cell. recorded keeps the state and "g", the gradient
    that the rule was given, of every step; valued the loss at the point before the step. hold
    puts the next point back where it may be.
    """
    slots = optimizer.slots(options)
    shared = [hyper(h.name) for h in optimizer.hypers if h.name not in varied]
    levels: dict[Key, Level] = dict.fromkeys(POINT, Level.BOTH)
    levels |= dict.fromkeys(carried_of(slots, Vector(POINT)), Level.BOTH)
    levels |= dict.fromkeys((*shared, *constants), Level.CONSTANT)
    levels |= dict.fromkeys(map(hyper, varied), Level.CELL)
    levels |= dict.fromkeys((COUNT, *per_step), Level.STEP)

    def step(at: At) -> dict[Key, Any]:
        return plane_step(optimizer, options, ask(at), at, recorded, valued, hold)

    program = compile_program(step, levels, step=COUNT)
    names, outputs = program.inputs, program.outputs
    point = tuple(Carried(names[key], names[key], outputs[key]) for key in POINT)
    starts = carried_of(slots, Vector(names[key] for key in POINT))
    carried = tuple(Carried(names[key], start, outputs[key]) for key, start in starts.items())
    kept: dict[str, list[Key]] = {}
    for key in outputs:
        if recorded and isinstance(key, tuple):
            kept.setdefault(key[1], []).append(key)
    records = tuple(
        Record(n, tuple(outputs[k] for k in keys), tuple(starts.get(k, 0.0) for k in keys))
        for n, keys in kept.items()
    )
    return Loop(
        program,
        point,
        (*carried, *program.powers),
        {key: names[key] for key in (*shared, *constants)},
        {key: names[key] for key in per_step},
        {name: names[hyper(name)] for name in varied},
        records,
        outputs["loss"] if valued else None,
    )


def _parts(state: Mapping[str, Any]) -> dict[Key, Any]:
    """Each scalar of a state under its key."""
    return {
        ("state", name, i): part
        for name, value in state.items()
        for i, part in enumerate(value if isinstance(value, Vector) else (value,))
    }


def landscape_loop(
    landscape: Landscape,
    optimizer: Optimizer,
    options: Mapping[str, str | bool],
    *,
    scheduled: bool = False,
    noisy: bool = False,
    recorded: bool = False,
    varied: Sequence[str] = (),
    valued: bool = False,
) -> Loop:
    """A rule on a landscape that stands still; see trace_loop.

    Constants are the hyper-parameters that do not vary, then the landscape's parameters; per_step
    the schedule's factor, the noise and the probe, as far as there are any.
    """
    probed = optimizer.draws_probe(options)

    def ask(at: At) -> PlaneOracle:
        return PlaneOracle(
            landscape,
            {p.name: at[parameter(p.name)] for p in landscape.parameters},
            at[COUNT],
            at[SCHEDULE] if scheduled else 1.0,
            Vector(at[key] for key in NOISE) if noisy else None,
            Vector(at[key] for key in PROBE) if probed else None,
        )

    given: list[Key] = [SCHEDULE] if scheduled else []
    given += [*(NOISE if noisy else ()), *(PROBE if probed else ())]
    return trace_loop(
        optimizer,
        options,
        ask,
        constants=[parameter(p.name) for p in landscape.parameters],
        per_step=given,
        varied=varied,
        recorded=recorded,
        valued=valued,
    )


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
