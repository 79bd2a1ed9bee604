"""The pictures of one step: small charts of a rule's variables, and the step itself enlarged.

All of it may be traced: the columns of a run that follows the hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from engine.problems.landscapes import Landscape
from engine.runs.live import LiveDescent
from engine.studies.debugger import Arrow, effective_rate, quantities, steps
from engine.tape import Vector
from engine.tape import operations as ops
from figures import charts, style
from figures.step_chart import Curve, StepChart, step_chart

Figure = dict[str, Any]
Columns: TypeAlias = Sequence[Any]
Array: TypeAlias = npt.NDArray[np.float64]

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


def overview(
    run: LiveDescent, other: LiveDescent | None = None, *, most: int = 6
) -> list[StepChart]:
    """The rule's variables, each coordinate's rate, the step and the loss, `most` charts at most.

    other is the same run under another convention; its curves are drawn thin over the first's.
    """
    found: list[StepChart] = []
    own = {q.name: q for q in quantities(run)}
    theirs = {} if other is None else {q.name: q.columns for q in quantities(other)}
    hats = {name: f"{name}_hat" for name in own if f"{name}_hat" in own}
    for name, quantity in own.items():
        if name in hats.values() or len(found) == most - 2:
            continue
        pair = own.get(hats.get(name, ""))
        symbols = quantity.symbol if pair is None else f"{quantity.symbol}, {pair.symbol} (bold)"
        rows: list[tuple[Columns, float]] = [(quantity.columns, 1.1 if pair else 2.0)]
        rows += [(pair.columns, 2.2)] if pair else []
        over = theirs.get(pair.name if pair else name)
        found.append(_chart(name, symbols, quantity.meaning, rows, over))
    rate = effective_rate(run)
    if rate is not None:
        other_rate = None if other is None else effective_rate(other)
        found.append(
            _chart(
                "rate", f"rate, step / {rate[0]}", "the effective rate of each coordinate",
                [(rate[1], 2.0)], None if other_rate is None else other_rate[1],
            )
        )  # fmt: skip
    if len(found) < most - 1:
        found.append(
            _chart(
                "dw", "Δw", "how far each coordinate moves", [(steps(run), 2.0)],
                None if other is None else steps(other),
            )
        )  # fmt: skip
    lost = None if other is None else (other.gap,)
    names = (run.result.optimizer.name, *(() if other is None else ("dotted",)))
    found.append(
        _chart("loss", "loss", "the loss, above its minimum", [((run.gap,), 2.0)], lost, ends=names)
    )
    return found


def _chart(
    name: str,
    symbols: str,
    meaning: str,
    rows: Sequence[tuple[Columns, float]],
    over: Columns | None,
    ends: Sequence[str] = (),
) -> StepChart:
    curves = [c for columns, width in rows for c in _curves(columns, width, faint=width < 2.0)]
    if over is not None:
        curves += _curves(over, 1.6, other=True)
    return step_chart(name, symbols, f"{symbols} against the step: {meaning}.", curves, ends=ends)


def _curves(
    columns: Columns, width: float, *, faint: bool = False, other: bool = False
) -> list[Curve]:
    looks = COORDINATES if len(columns) == 2 else (SCALAR,)
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


def sparkline(columns: Array, step: int) -> str:
    """A quantity along the run (coordinates, steps + 1) as a small drawing without axes (SVG),
    its value at `step` a dot: a line for each coordinate, in its colour; "" where nothing is
    finite."""
    wide, high, edge = 100.0, 40.0, 4.0
    rows = [np.where(np.isfinite(c), c, np.nan) for c in columns]
    known = np.concatenate(rows)
    if not np.isfinite(known).any():
        return ""
    low, top = float(np.nanmin(known)), float(np.nanmax(known))
    across = np.linspace(edge, wide - edge, max(len(rows[0]), 2))
    parts = []
    looks = COORDINATES if len(rows) == 2 else (SCALAR,)
    for (_, color, dash, _), row in zip(looks, rows, strict=True):
        up = high - edge - (row - low) / ((top - low) or 1.0) * (high - 2 * edge)
        points = " ".join(
            f"{round(a, 1)},{round(b, 1)}"
            for a, b in zip(across, up, strict=False)
            if np.isfinite(b)
        )
        light, _, dark = color.partition("|")
        ink = f"light-dark({light},{dark})" if dark else "currentColor"
        broken = " stroke-dasharray='4 3'" if dash == "dash" else ""
        parts.append(
            f"<polyline points='{points}' fill='none' stroke-width='1.4'{broken} "
            f"style='stroke:{ink}'/>"
        )
        if step < len(up) and np.isfinite(up[step]):
            parts.append(
                f"<circle cx='{across[step]:.1f}' cy='{up[step]:.1f}' r='3' style='fill:{ink}'/>"
            )
    return f"<svg viewBox='0 0 {wide:.0f} {high:.0f}' aria-hidden='true'>{''.join(parts)}</svg>"


# The step, enlarged -------------------------------------------------------------------------------


def enlargement_title(parts: Sequence[Arrow]) -> str:
    """What the enlarged picture says of its lengths."""
    directions = ", ".join(part.symbol for part in parts if not part.exact)
    return f"step ({directions} not to scale)" if directions else "the step, enlarged"


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


def scale_of(parts: Sequence[Arrow]) -> Any:
    """The length of the longest part of each step that counts; NaN where none does.

    An unclipped step may be as long as it likes: it does not count.
    """
    longest: Any = 0.0
    for part in parts:
        if part.exact and part.role != "unclipped":
            longest = ops.maximum(longest, _length(part.vector))
    return ops.where(longest > 0.0, longest, np.nan)


def _length(vector: Vector) -> Any:
    with np.errstate(all="ignore"):
        return ops.sqrt(vector.dot(vector))


def _direction(vector: Vector, length: float) -> Vector:
    """The same way, of this length; NaN where it has no direction."""
    size = _length(vector)
    with np.errstate(all="ignore"):
        turned: Vector = vector / ops.where(size > 0.0, size / length, np.nan)
    return turned


def enlarged(part: Arrow, origin: Vector, scale: Any) -> tuple[Vector, Vector]:
    """Tail and vector of a part in the enlarged picture."""
    if not part.exact:
        vector = _direction(part.vector, _DIRECTION_LENGTH[part.role])
        return vector * 0.0, vector
    vector = part.vector / scale
    with np.errstate(all="ignore"):
        cut = ops.maximum(_length(vector) / _OUTSIDE, 1.0)
    return (part.tail - origin) / scale, vector / cut


def on_plane(part: Arrow, landscape: Landscape) -> tuple[Vector, Vector]:
    """Tail and vector of a part on the landscape; a mere direction gets a visible length."""
    if part.exact:
        return part.tail, part.vector
    (x0, x1), (y0, y1) = landscape.window
    return part.tail, _direction(part.vector, min(x1 - x0, y1 - y0) / 7)
