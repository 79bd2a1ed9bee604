"""The pictures of one step: small charts of a rule's variables, and the step itself enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from engine.problems.landscapes import Landscape
from engine.runs.descent import Descent
from engine.studies.debugger import Arrow, Quantity, effective_rate, quantities, steps
from figures import charts, style
from figures.charts_against_step import Chart, Curve, chart

Array = npt.NDArray[Any]
Figure = dict[str, Any]

Look: TypeAlias = tuple[str, str, style.Dash, style.Marker]  # label, colour, dash, marker

COORDINATES: Final[tuple[Look, ...]] = (
    ("x", charts.color("blue"), "solid", "circle"),
    ("y", charts.color("olive"), "dash", "square"),
)
SCALAR: Final[Look] = ("", style.INK, "solid", "circle")
# Red is what the gradient says now, brown what memory adds, green what happens.
ARROW_COLORS: Final = {
    "gradient": style.CORRECTION,
    "correction": style.CORRECTION,
    "average": style.JUMP,
    "jump": style.JUMP,
    "step": style.SUM,
    "decay": charts.color("purple"),
    "scaled": charts.color("blue"),
    "unclipped": style.MUTED,
}
# Where along its arrow a word stands that would meet another at the tip.
LABEL_AT: Final = {"correction": 0.5, "scaled": 0.35}
# How long an arrow is drawn of which only the direction counts; the step's longest part is 1.
_DIRECTION_LENGTH: Final = {"gradient": 1.22, "average": 0.72}
_REACH: Final = 1.5  # the enlarged picture goes this far each way
_OUTSIDE: Final = 3.0  # where an arrow that leaves the picture is cut


def overview(descent: Descent, other: Descent | None = None, *, most: int = 6) -> list[Chart]:
    """The rule's variables, each coordinate's rate, the step and the loss, `most` charts at most.

    other is the same run under another convention; its curves are drawn thin over the first's.
    """
    found: list[Chart] = []
    own = {q.name: q for q in quantities(descent)}
    theirs = {} if other is None else {q.name: q for q in quantities(other)}
    hats = {name: f"{name}_hat" for name in own if f"{name}_hat" in own}
    for name, quantity in own.items():
        if name in hats.values() or len(found) == most - 2:
            continue
        pair = own.get(hats.get(name, ""))
        symbols = quantity.symbol if pair is None else f"{quantity.symbol}, {pair.symbol} (bold)"
        rows = [(quantity.values, 1.1 if pair else 2.0)] + ([(pair.values, 2.2)] if pair else [])
        over = theirs.get(pair.name if pair else name)
        found.append(_chart(name, symbols, quantity.meaning, rows, over))
    rate = effective_rate(descent)
    if rate is not None:
        other_rate = None if other is None else effective_rate(other)
        found.append(
            _chart(
                "rate", f"rate, step / {rate[0]}", "the effective rate of each coordinate",
                [(rate[1], 2.0)],
                None if other_rate is None else Quantity("rate", "", "", other_rate[1]),
            )
        )  # fmt: skip
    if len(found) < most - 1:
        moved = None if other is None else Quantity("dw", "", "", steps(other))
        found.append(
            _chart("dw", "Δw", "how far each coordinate moves", [(steps(descent), 2.0)], moved)
        )
    lost = None if other is None else Quantity("loss", "", "", other.gap)
    found.append(_chart("loss", "loss", "the loss, above its minimum", [(descent.gap, 2.0)], lost))
    return found


def _chart(
    name: str,
    symbols: str,
    meaning: str,
    rows: Sequence[tuple[Array, float]],
    over: Quantity | None,
) -> Chart:
    curves = [c for values, width in rows for c in _curves(values, width, faint=width < 2.0)]
    if over is not None:
        curves += _curves(over.values, 1.6, other=True)
    return chart(name, symbols, f"{symbols} against the step: {meaning}.", curves)


def _curves(
    values: Array, width: float, *, faint: bool = False, other: bool = False
) -> list[Curve]:
    looks = COORDINATES if values.ndim == 2 else (SCALAR,)
    columns = values.T if values.ndim == 2 else [values]
    return [
        Curve(
            "" if faint or other else label,
            column,
            style.MUTED if other else color,
            "dot" if faint or other else dash,
            "ring" if other else marker,
            width,
        )
        for (label, color, dash, marker), column in zip(looks, columns, strict=True)
    ]


# The step, enlarged -------------------------------------------------------------------------------


def enlargement_title(parts: Sequence[Arrow]) -> str:
    """What the enlarged picture says of its lengths."""
    directions = " and ".join(part.symbol for part in parts if not part.exact)
    return "this step, enlarged" + (f"; {directions}: direction only" if directions else "")


def enlargement() -> Figure:
    """Axes in which the longest part of a step has length 1, the old point in their middle."""
    reach = (-_REACH, _REACH)
    layout = charts.axes(reach, reach, kind="plane", left=8, bottom=8, top=8)
    layout["margin"] = {"l": 8, "r": 8, "t": 8, "b": 8}
    layout["xaxis"] |= {"showticklabels": False, "ticks": "", "showline": False}
    layout["yaxis"] |= {"showticklabels": False, "ticks": "", "showline": False}
    layout["yaxis"] |= {"scaleanchor": "x", "scaleratio": 1}
    for name in "xy":
        layout[f"{name}axis"] |= {"zeroline": True, "zerolinecolor": style.GRID}
    layout["shapes"] = [
        {
            "type": "circle", "x0": -1, "x1": 1, "y0": -1, "y1": 1,
            "line": {"color": style.GRID, "width": 1, "dash": "dot"},
        }
    ]  # fmt: skip
    return {"data": [], "layout": layout}


def scale_of(parts: Sequence[Arrow]) -> Array:
    """The length of the longest part of each step that counts, (steps + 1,); NaN where none does.

    An unclipped step may be as long as it likes: it does not count.
    """
    lengths = [np.hypot(*p.vector.T) for p in parts if p.exact and p.role != "unclipped"]
    longest = np.max(lengths, axis=0)
    longest[longest == 0] = np.nan
    return np.asarray(longest)


def enlarged(part: Arrow, origin: Array, scale: Array) -> tuple[Array, Array]:
    """Tail and vector of a part in the enlarged picture, both (steps + 1, 2)."""
    if not part.exact:
        length = np.hypot(*part.vector.T)[:, None]
        with np.errstate(all="ignore"):
            vector = part.vector / length * _DIRECTION_LENGTH[part.role]
        return np.zeros_like(vector), vector
    tail, vector = (part.tail - origin) / scale[:, None], part.vector / scale[:, None]
    return tail, _cut(vector)


def _cut(vector: Array) -> Array:
    length = np.hypot(*vector.T)[:, None]
    with np.errstate(all="ignore"):
        return np.where(length > _OUTSIDE, vector * (_OUTSIDE / length), vector)


def on_plane(part: Arrow, landscape: Landscape) -> tuple[Array, Array]:
    """Tail and vector of a part on the landscape; a mere direction gets a visible length."""
    if part.exact:
        return part.tail, part.vector
    (x0, x1), (y0, y1) = landscape.window
    length = np.hypot(*part.vector.T)[:, None]
    with np.errstate(all="ignore"):
        return part.tail, part.vector / length * (min(x1 - x0, y1 - y0) / 7)
