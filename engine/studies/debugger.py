"""What happens inside one step of a run: its quantities, the rate of each coordinate, its arrows.

All of it is read off the columns of a recorded run (`engine.runs.live.LiveDescent`), which may be
traced: then it follows the hand. Row t of every column belongs to step t, which leads from the
point of row t−1 to that of row t; where there is nothing to show, as in row 0, it is NaN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.emit.picture import join, running_sum, written
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.runs.descent import Descent
from engine.runs.live import LiveDescent, still
from engine.tape import Vector
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]
Role = Literal[
    "gradient", "average", "jump", "correction", "decay", "scaled", "unclipped", "step"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """One variable of a rule along a run: a column for each coordinate, or one for a scalar."""

    name: str
    symbol: str
    meaning: str
    columns: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """What one part of a step contributes: from `tail` by `vector`, two columns each.

    Where `exact` is False only the direction can be drawn: its length is not that of a step.
    `shows` is the variable of the rule that it draws, "" for what the rule has no name for.
    """

    role: Role
    symbol: str
    meaning: str
    tail: Vector
    vector: Vector
    exact: bool = True
    shows: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """The same run with one convention changed: what it is called, by which rule and options."""

    name: str
    optimizer: Optimizer
    options: Mapping[str, str | bool]


def quantities(run: LiveDescent) -> tuple[Quantity, ...]:
    """The gradient, then the state and what the rule shows beside it, in the rule's own order."""
    rule, options = run.result.optimizer, run.result.options
    slots = (*rule.slots(options), *rule.shown)
    named = [("g", "g", "the gradient that the rule was given", "vector")]
    named += [(slot.name, slot.symbol, slot.meaning, slot.kind) for slot in slots]
    return tuple(
        Quantity(name, symbol, meaning, _columns(run, name, kind))
        for name, symbol, meaning, kind in named
        if name in run.result.state
    )


def _columns(run: LiveDescent, name: str, kind: str = "vector") -> tuple[Any, ...]:
    parts = (name,) if kind == "scalar" else (f"{name}.x", f"{name}.y")
    return tuple(_from_first(run.part(part)) for part in parts)


def _from_first(column: Any) -> Any:
    return join(np.nan, column[1:])


def _vector(run: LiveDescent, name: str) -> Vector:
    return Vector(_columns(run, name))


def _before(run: LiveDescent) -> Vector:
    """The point that each step leaves from."""
    return Vector(join(np.nan, column[:-1]) for column in (run.x, run.y))


def steps(run: LiveDescent) -> Vector:
    """What each step added to the point; NaN where there was no step."""
    number = running_sum(0.0 * run.x + 1.0) - 1.0
    moved = (join(np.nan, column[1:] - column[:-1]) for column in (run.x, run.y))
    return Vector(ops.where(number >= run.stopped, np.nan, column) for column in moved)


def effective_rate(run: LiveDescent) -> tuple[str, Vector] | None:
    """(symbol of what the rate multiplies, the rate of each coordinate).

    The rate is what the step divided by that quantity comes to: for Adam η / (√v̂ + ε), for SGD η.
    Weight decay is taken out first. None where coordinates do not move by themselves.
    """
    rule = run.result.optimizer
    if not rule.elementwise:
        return None
    name = _multiplied(run)
    quantity = next((q for q in quantities(run) if q.name == name), None)
    if quantity is None or len(quantity.columns) != 2:
        return None
    pulled = decay_steps(run)
    moved = steps(run) if pulled is None else steps(run) - pulled
    with np.errstate(all="ignore"):
        rate = (
            ops.where(ops.equal(q, 0.0), np.nan, ops.absolute(d) / ops.absolute(q))
            for d, q in zip(moved, quantity.columns, strict=True)
        )
        return quantity.symbol, Vector(rate)


# Steps that already hold a rate of each coordinate: what that rate multiplied. Adadelta, Sophia.
_BEHIND = {"step": "g", "u": "m"}


def _multiplied(run: LiveDescent) -> str | None:
    """The quantity that the last line of the rule scales: the first vector after the old point."""
    rule = run.result.optimizer
    vectors = {"g"} | {slot.name for slot in (*rule.state, *rule.shown) if slot.kind == "vector"}
    for name in re.findall(r"<([A-Za-z]\w*)>", _update_line(run).partition("<w->")[2]):
        if name in vectors:
            return _BEHIND.get(name, str(name))
    return None


def _update_line(run: LiveDescent) -> str:
    lines = run.result.optimizer.latex(SimpleNamespace(**run.result.options))
    return next((line for line in lines if line.startswith("<w> =")), "")


def decay_steps(run: LiveDescent) -> Vector | None:
    """What decoupled weight decay adds to each step, −ηλw; None where there is none."""
    line = _update_line(run)
    if not run.result.hypers.get("weight_decay") or "<weight_decay>" not in line:
        return None
    rate = 1.0 if "<schedule>" in line else run.hypers["lr"]
    pull = rate * run.hypers["weight_decay"]
    pulled: Vector = -(_before(run) * pull)
    if run.schedule is not None:
        pulled = pulled * join(np.nan, run.schedule)
    return pulled


def arrows(run: LiveDescent) -> tuple[Arrow, ...]:
    """The parts of every step as arrows, in the order in which they are put together."""
    state = run.result.state
    origin, moved = _before(run), steps(run)
    whole = Arrow("step", "step", "the whole step", origin, moved)
    if "jump" in state:
        jump, correction = -_vector(run, "jump"), -_vector(run, "correction")
        parts = (
            Arrow("jump", "jump", "the jump along the old velocity", origin, jump),
            Arrow(
                "correction", "correction", "the gradient's share", origin + jump, correction,
                shows="g",
            ),
        )  # fmt: skip
        return (*parts, replace(whole, symbol="sum", meaning="jump and correction together"))
    against = -_vector(run, "g")
    found = [
        Arrow("gradient", "−g", "against the raw gradient", origin, against, False, "g"),
    ]
    known = {q.name: q for q in quantities(run)}
    average = next((name for name in ("m_hat", "m", "c") if name in known), None)
    if average is not None:
        found.append(
            Arrow(
                "average", f"−{known[average].symbol}", "against the averaged gradient", origin,
                -Vector(known[average].columns), False, average,
            )
        )  # fmt: skip
    unclipped = _unclipped(run)
    if unclipped is not None:
        found.append(
            Arrow("unclipped", "unclipped", "the step before it is clipped", origin, unclipped)
        )
    pulled = decay_steps(run)
    if pulled is not None:
        found.append(Arrow("decay", "−ηλw", "weight decay", origin, pulled))
        rest = moved - pulled
        found.append(Arrow("scaled", "scaled", "the step without decay", origin + pulled, rest))
    return (*found, whole)


def trust_box(run: LiveDescent) -> Any:
    """How far one coordinate can move in a step, ηρ, where the rule clips its steps; else None."""
    shows = {slot.name for slot in run.result.optimizer.shown}
    if "u" not in shows or "rho" not in run.hypers:
        return None
    return run.hypers["lr"] * run.hypers["rho"]


def _unclipped(run: LiveDescent) -> Vector | None:
    """Sophia's −η m / max(γh, ε), before the clip."""
    if trust_box(run) is None or not {"m", "h"} <= run.result.state.keys():
        return None
    p = run.hypers
    with np.errstate(all="ignore"):
        divisor = ops.maximum(_vector(run, "h") * p["gamma"], p["eps"])
        step: Vector = -(_vector(run, "m") * p["lr"]) / divisor
    return step


# Weight decay stands inside the gradient in one of each pair and beside the step in the other.
_DECAY_PAIRS = {"adam_l2": "adamw", "adamw": "adam_l2"}


def variants(optimizer: Optimizer, options: Mapping[str, str | bool]) -> dict[str, Variant]:
    """Every way to change one convention of a rule, by a short key that a link can hold."""
    chosen = optimizer.option_values(options)
    found = {
        f"{option.name}={value}": Variant(
            f"{option.label}: {meaning}", optimizer, {**chosen, option.name: value}
        )
        for option in optimizer.options
        for value, meaning in option.choices
        if value != chosen[option.name]
    }
    other = _DECAY_PAIRS.get(optimizer.slug)
    if other is not None:
        entry = OPTIMIZERS[other]
        known = {option.name for option in entry.options}
        kept = {name: value for name, value in chosen.items() if name in known}
        found[other] = Variant(f"weight decay as in {entry.name}", entry, kept)
    return found


def first_difference(a: Descent, b: Descent, tolerance: float = 1e-3) -> int | None:
    """The first step after which two runs are apart by more than a share of how far a went."""
    apart = np.hypot(*(a.path - b.path).T)
    scale = np.hypot(*(a.path - a.path[0]).T).max()
    found = np.flatnonzero(apart > tolerance * (scale or 1.0))
    return int(found[0]) if found.size else None


# One step in words --------------------------------------------------------------------------------


def describe(descent: Descent, step: int) -> str:
    """What to notice in one step, as a sentence with its numbers."""
    if step < 1:
        return "Nothing has moved yet: every average starts at zero. Step forward."
    if step > descent.last:
        return f"The run diverged at step {descent.diverged_at}: there is no such step."
    run = still(descent)
    parts = {part.role: _at(part.vector, step) for part in arrows(run)}
    moved, gradient = parts["step"], descent.state["g"][step]
    if not moved.any():
        return "This step has length zero: the run has arrived, or its rate is zero."
    if "jump" in parts:
        return _on_momentum(parts["jump"], parts["correction"])
    box = trust_box(run)
    if box is not None:
        return _on_clip(moved, box)
    rate = effective_rate(run)
    if rate is None or np.isnan(_at(rate[1], step)).any():
        turned = _angle(-gradient, moved)
        return f"The step points {turned:.0f}° away from the negative gradient."
    return _on_rates(gradient, moved, _at(rate[1], step))


def _at(columns: Vector, step: int) -> Array:
    return np.array([column[step] for column in columns], dtype=float)


def _on_momentum(jump: Array, correction: Array) -> str:
    carried, fresh = float(np.hypot(*jump)), float(np.hypot(*correction))
    if carried == 0.0:
        return "There is no velocity yet: the whole step comes from the gradient."
    along = float(jump @ correction)
    turned = "brakes it" if along < 0 else "pushes it on"
    if fresh == 0.0:
        return "The gradient says nothing here: the whole step is the velocity of before."
    ratio = carried / fresh
    size = f"{'only ' if ratio < 1 else ''}{written(ratio, '2')} times as long as"
    return (
        f"The jump along the old velocity is {size} the correction by the gradient, "
        f"which {turned}: they stand {_angle(jump, correction):.0f}° apart."
    )


def _on_clip(moved: Array, box: float) -> str:
    reached = np.abs(moved) >= box * (1 - 1e-9)
    names = [name for name, hit in zip("xy", reached, strict=True) if hit]
    edge = f"ηρ = {written(box, '3')}"
    if not names:
        return f"Nothing is clipped: no coordinate reaches the trust box's edge {edge}."
    which = "Both coordinates are" if len(names) == 2 else f"Coordinate {names[0]} is"
    return f"{which} clipped at {edge}: the step ends on the edge of the trust box."


def _on_rates(gradient: Array, moved: Array, rate: Array) -> str:
    steep = "y" if abs(gradient[1]) > abs(gradient[0]) else "x"
    order = [1, 0] if steep == "y" else [0, 1]
    flat = "x" if steep == "y" else "y"
    g, d = np.abs(gradient[order]), np.abs(moved[order])
    if np.isclose(rate[0], rate[1], rtol=1e-6):
        return (
            f"Both coordinates move at the same rate {written(rate[0], '3')}, so the step is as "
            f"lopsided as what it follows: the gradient is {_times(g, steep, flat)}."
        )
    return (
        f"The gradient is {_times(g, steep, flat)}; the step {_times(d, steep, flat)}: "
        f"x moves at a rate of {written(rate[0], '3')}, y at {written(rate[1], '3')}."
    )


def _times(pair: Array, first: str, second: str) -> str:
    if pair[1] == 0.0:
        return f"all in {first}"
    ratio = pair[0] / pair[1]
    if written(ratio, "3") == "1":
        return f"as large in {first} as in {second}"
    return f"{written(ratio, '3')} times as large in {first} as in {second}"


def _angle(a: Array, b: Array) -> float:
    """The angle between two vectors in degrees."""
    across, along = float(a[0] * b[1] - a[1] * b[0]), float(a @ b)
    return abs(float(np.degrees(np.arctan2(across, along))))
