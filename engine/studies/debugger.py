"""What happens inside one step of a run: its quantities, the rate of each coordinate, its arrows.

All of it is read off a finished `Descent`. Row t of every array belongs to step t, which leads
from path[t−1] to path[t]; row 0, before any step, is NaN where there is nothing to show.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.optimizers import OPTIMIZERS, Optimizer
from engine.runs.descent import Descent

Array = npt.NDArray[np.float64]
Role = Literal[
    "gradient", "average", "jump", "correction", "decay", "scaled", "unclipped", "step"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """One variable of a rule along a run: (steps + 1, 2), or (steps + 1,) where it is a scalar."""

    name: str
    symbol: str
    meaning: str
    values: Array


@dataclass(frozen=True, slots=True)
class Arrow:
    """What one part of a step contributes: from `tail` by `vector`, both (steps + 1, 2).

    Where `exact` is False only the direction can be drawn: its length is not that of a step.
    """

    role: Role
    symbol: str
    meaning: str
    tail: Array
    vector: Array
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Variant:
    """The same run with one convention changed: what it is called, by which rule and options."""

    name: str
    optimizer: Optimizer
    options: Mapping[str, str | bool]


def quantities(descent: Descent) -> tuple[Quantity, ...]:
    """The gradient, then the state and what the rule shows beside it, in the rule's own order."""
    optimizer = descent.optimizer
    slots = (*optimizer.slots(descent.options), *optimizer.shown)
    named = [("g", "g", "the gradient that the rule was given")]
    named += [(slot.name, slot.symbol, slot.meaning) for slot in slots]
    return tuple(
        Quantity(name, symbol, meaning, _from_first(descent.state[name]))
        for name, symbol, meaning in named
        if name in descent.state
    )


def _from_first(values: Array) -> Array:
    values = np.array(values, dtype=float)
    values[0] = np.nan
    return values


def steps(descent: Descent) -> Array:
    """What each step added to the point, (steps + 1, 2); NaN where there was no step."""
    moved = np.full_like(descent.path, np.nan)
    moved[1:] = np.diff(descent.path, axis=0)
    moved[descent.last + 1 :] = np.nan
    return moved


def effective_rate(descent: Descent) -> tuple[str, Array] | None:
    """(symbol of what the rate multiplies, the rate of each coordinate (steps + 1, 2)).

    The rate is what the step divided by that quantity comes to: for Adam η / (√v̂ + ε), for SGD η.
    Weight decay is taken out first. None where coordinates do not move by themselves.
    """
    if not descent.optimizer.elementwise:
        return None
    name = _multiplied(descent)
    if name is None:
        return None
    quantity = next((q for q in quantities(descent) if q.name == name), None)
    if quantity is None or quantity.values.ndim != 2:
        return None
    pulled = decay_steps(descent)
    moved = steps(descent) if pulled is None else steps(descent) - pulled
    with np.errstate(all="ignore"):
        rate = np.abs(moved) / np.abs(quantity.values)
    rate[~np.isfinite(rate)] = np.nan
    return quantity.symbol, rate


# Steps that already hold a rate of each coordinate: what that rate multiplied. Adadelta, Sophia.
_BEHIND = {"step": "g", "u": "m"}


def _multiplied(descent: Descent) -> str | None:
    """The quantity that the last line of the rule scales: the first vector after the old point."""
    line = _update_line(descent)
    vectors = {"g"} | {
        slot.name
        for slot in (*descent.optimizer.state, *descent.optimizer.shown)
        if slot.kind == "vector"
    }
    for name in re.findall(r"<([A-Za-z]\w*)>", line.partition("<w->")[2]):
        if name in vectors:
            return _BEHIND.get(name, str(name))
    return None


def _update_line(descent: Descent) -> str:
    lines = descent.optimizer.latex(SimpleNamespace(**descent.options))
    return next((line for line in lines if line.startswith("<w> =")), "")


def decay_steps(descent: Descent) -> Array | None:
    """What decoupled weight decay adds to each step, −ηλw, (steps + 1, 2); None without any."""
    strength = descent.hypers.get("weight_decay", 0.0)
    line = _update_line(descent)
    if not strength or "<weight_decay>" not in line:
        return None
    rate = 1.0 if "<schedule>" in line else descent.hypers["lr"]
    factors = np.ones(descent.steps) if descent.schedule is None else descent.schedule
    pulled = np.full_like(descent.path, np.nan)
    pulled[1:] = -(rate * strength) * factors[:, None] * descent.path[:-1]
    return pulled


def arrows(descent: Descent) -> tuple[Arrow, ...]:
    """The parts of every step as arrows, in the order in which they are put together."""
    state = {q.name: q.values for q in quantities(descent)} | {
        name: _from_first(descent.state[name])
        for name in ("jump", "correction")
        if name in descent.state
    }
    origin = np.full_like(descent.path, np.nan)
    origin[1:] = descent.path[:-1]
    moved = steps(descent)
    whole = Arrow("step", "step", "the whole step", origin, moved)
    if "jump" in state:
        jump, correction = -state["jump"], -state["correction"]
        parts = (
            Arrow("jump", "jump", "the jump along the old velocity", origin, jump),
            Arrow("correction", "correction", "the gradient's share", origin + jump, correction),
        )
        return (*parts, replace(whole, symbol="sum", meaning="jump and correction together"))
    found = [Arrow("gradient", "−g", "against the raw gradient", origin, -state["g"], exact=False)]
    average = next((name for name in ("m_hat", "m", "c") if name in state), None)
    if average is not None:
        symbol = next(q.symbol for q in quantities(descent) if q.name == average)
        found.append(
            Arrow(
                "average", f"−{symbol}", "against the averaged gradient", origin, -state[average],
                exact=False,
            )
        )  # fmt: skip
    unclipped = _unclipped(descent, state)
    if unclipped is not None:
        found.append(
            Arrow("unclipped", "unclipped", "the step before it is clipped", origin, unclipped)
        )
    pulled = decay_steps(descent)
    if pulled is not None:
        found.append(Arrow("decay", "−ηλw", "weight decay", origin, pulled))
        rest = moved - pulled
        found.append(Arrow("scaled", "scaled", "the step without decay", origin + pulled, rest))
    return (*found, whole)


def trust_box(descent: Descent) -> float | None:
    """How far one coordinate can move in a step, ηρ, where the rule clips its steps; else None."""
    shows = {slot.name for slot in descent.optimizer.shown}
    if "u" not in shows or "rho" not in descent.hypers:
        return None
    return descent.hypers["lr"] * descent.hypers["rho"]


def _unclipped(descent: Descent, state: Mapping[str, Array]) -> Array | None:
    """Sophia's −η m / max(γh, ε), before the clip."""
    if trust_box(descent) is None or not {"m", "h"} <= state.keys():
        return None
    h = descent.hypers
    with np.errstate(all="ignore"):
        return -h["lr"] * state["m"] / np.maximum(h["gamma"] * state["h"], h["eps"])


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
    parts = {part.role: part.vector[step] for part in arrows(descent)}
    moved, gradient = parts["step"], descent.state["g"][step]
    if not moved.any():
        return "This step has length zero: the run has arrived, or its rate is zero."
    if "jump" in parts:
        return _on_momentum(parts["jump"], parts["correction"])
    box = trust_box(descent)
    if box is not None:
        return _on_clip(descent, step, box)
    rate = effective_rate(descent)
    if rate is None or np.isnan(rate[1][step]).any():
        turned = _angle(-gradient, moved)
        return f"The step points {turned:.0f}° away from the negative gradient."
    return _on_rates(gradient, moved, rate[1][step])


def _on_momentum(jump: Array, correction: Array) -> str:
    carried, fresh = float(np.hypot(*jump)), float(np.hypot(*correction))
    if carried == 0.0:
        return "There is no velocity yet: the whole step comes from the gradient."
    along = float(jump @ correction)
    turned = "brakes it" if along < 0 else "pushes it on"
    if fresh == 0.0:
        return "The gradient says nothing here: the whole step is the velocity of before."
    ratio = carried / fresh
    size = f"{ratio:.2g} times as long as" if ratio >= 1 else f"only {ratio:.2g} times as long as"
    return (
        f"The jump along the old velocity is {size} the correction by the gradient, "
        f"which {turned}: they stand {_angle(jump, correction):.0f}° apart."
    )


def _on_clip(descent: Descent, step: int, box: float) -> str:
    reached = np.abs(steps(descent)[step]) >= box * (1 - 1e-9)
    names = [name for name, hit in zip("xy", reached, strict=True) if hit]
    if not names:
        return f"Nothing is clipped: no coordinate reaches the trust box's edge ηρ = {box:.3g}."
    which = "Both coordinates are" if len(names) == 2 else f"Coordinate {names[0]} is"
    return f"{which} clipped at ηρ = {box:.3g}: the step ends on the edge of the trust box."


def _on_rates(gradient: Array, moved: Array, rate: Array) -> str:
    steep = "y" if abs(gradient[1]) > abs(gradient[0]) else "x"
    order = [1, 0] if steep == "y" else [0, 1]
    flat = "x" if steep == "y" else "y"
    g, d = np.abs(gradient[order]), np.abs(moved[order])
    if np.isclose(rate[0], rate[1], rtol=1e-6):
        return (
            f"Both coordinates move at the same rate {rate[0]:.3g}, so the step is as lopsided as "
            f"what it follows: the gradient is {_times(g, steep, flat)}."
        )
    return (
        f"The gradient is {_times(g, steep, flat)}; the step {_times(d, steep, flat)}: "
        f"x moves at a rate of {rate[0]:.3g}, y at {rate[1]:.3g}."
    )


def _times(pair: Array, first: str, second: str) -> str:
    if pair[1] == 0.0:
        return f"all in {first}"
    ratio = pair[0] / pair[1]
    return f"{ratio:.3g} times as large in {first} as in {second}"


def _angle(a: Array, b: Array) -> float:
    """The angle between two vectors in degrees."""
    across, along = float(a[0] * b[1] - a[1] * b[0]), float(a @ b)
    return abs(float(np.degrees(np.arctan2(across, along))))
