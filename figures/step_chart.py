"""Charts of curves against the step, along which the stage's cursor moves: axes that fit them.

What the curves hold may be traced (`engine.emit.picture`); the axes then follow them. Whether an
axis counts in decades is decided by the numbers of now, for that is how a picture is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from engine.emit.picture import ceil, count, entry, floor, largest, smallest, words
from engine.tape import Value
from engine.tape import operations as ops
from figures import style

Array = npt.NDArray[Any]
Figure = dict[str, Any]

_LN10: Final = float(np.log(10.0))
_LOG_FROM: Final = 30.0  # the largest over the smallest value, from which an axis is logarithmic
_DECADES: Final = 14  # that a logarithmic axis shows at most
_ASIDE: Final = 10.0  # pixels between the end of a curve and the middle of its name


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a chart, a value a frame, and how it is drawn; "points" is a mark a frame."""

    label: str
    values: Any
    color: str
    dash: style.Dash = "solid"
    marker: style.Marker = "circle"
    width: float = 2.0
    mode: Literal["curve", "points"] = "curve"


@dataclass(frozen=True, slots=True)
class StepChart:
    """A small picture of something against the step; its title may be words that follow."""

    id: str
    title: Any
    alt: str
    figure: Figure
    curves: tuple[Curve, ...]


def step_chart(
    name: str,
    title: Any,
    alt: str,
    curves: Sequence[Curve],
    *,
    log: bool | None = None,
    low: float | None = None,
    last: Any = None,
    ends: Sequence[str] = (),
    floor: float | None = None,
) -> StepChart:
    """Curves on axes that hold them; logarithmic where asked for, or (None) where they span far.

    low is where a linear axis begins at the latest, last the step where the picture ends (that of
    the first curve where None). ends are names of curves, in their order, written
    where they end with what they reach there; "" for none. floor is where what is lower is drawn.
    Where no curve has a finite value the picture says so.
    """
    reached = [c.values for c in curves]
    if floor is not None:
        curves = [replace(c, values=ops.maximum(c.values, floor)) for c in curves]
    columns = [c.values for c in curves]
    now = np.concatenate([_finite(c) for c in columns])
    layout = style.base_layout("curve")
    layout["margin"] = {"l": 40, "r": 10, "t": 4, "b": 20}
    layout["dragmode"] = False
    layout["shapes"], layout["annotations"] = [], []
    if last is None:
        rows = count(columns[0]) if isinstance(columns[0], Value) else float(len(columns[0]))
        last = rows - 1.0
    layout["xaxis"] |= {
        "range": [0.0, ops.maximum(last, 1.0)], "nticks": 5, "tickfont": {"size": 11},
    }  # fmt: skip
    layout["yaxis"] |= {"tickfont": {"size": 11}}
    if not now.size:
        layout["annotations"].append(
            {
                "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False,
                "text": "no finite value", "font": {"size": 12, "color": style.MUTED},
            }
        )  # fmt: skip
    bottom = None
    if log is True or (log is None and _spans_far(now)):
        bottom = _decades(layout, columns)
        curves = [replace(c, values=ops.maximum(c.values, bottom)) for c in curves]
    else:
        _rounded(layout, columns, low)
    layout["annotations"] += [
        end_name(end, c.color, values, last, low=bottom)
        for c, values, end in zip(curves, reached, ends, strict=False)
        if end
    ]
    return StepChart(name, title, alt, {"data": [], "layout": layout}, tuple(curves))


def end_name(name: str, color: str, curve: Any, at: Any, *, low: Any = None) -> Figure:
    """What a curve is called and has reached at frame `at`, written where it ends: below a curve
    that came down to there, above one that rose or kept its height. low is where a logarithmic axis
    ends: what is lower is written there."""
    value = entry(curve, at)
    fell = entry(curve, floor(0.8 * at)) > value
    return {
        "x": at, "y": value if low is None else ops.log(ops.maximum(value, low)) / _LN10,
        "text": words(f"{name.replace('{', '').replace('}', '')} {{:2}}", value),
        "showarrow": False, "xanchor": "right", "yanchor": "middle", "xshift": -6,
        "yshift": ops.where(fell, -_ASIDE, _ASIDE),
        "font": {"size": 12, "color": style.word(color)},
    }  # fmt: skip


def _finite(values: Any) -> Array:
    """The finite numbers that a column holds now."""
    now = np.asarray(values.data if isinstance(values, Value) else values, dtype=float)
    return np.asarray(now[np.isfinite(now)])


def _spans_far(now: Array) -> bool:
    return bool(now.size and now.min() > 0 and now.max() > _LOG_FROM * now.min())


# Axes rest on round numbers: while something is dragged they seldom move, and what does not move
# is not drawn again.


def _decades(layout: Figure, columns: Sequence[Any]) -> Any:
    """Whole decades around everything positive; the value at which the axis begins.

    Where these are too many a curve that gets away leaves the picture after a thousandfold.
    """
    with np.errstate(all="ignore"):
        positive = [ops.where(c > 0.0, c, np.nan) for c in columns]
        highest, lowest = largest(*positive), smallest(*positive)
        some = highest >= lowest
        top = ops.where(some, ceil(ops.log(highest * 1.1) / _LN10), 0.0)
        begin = ops.where(some, floor(ops.log(lowest / 1.1) / _LN10), -1.0)
        first = largest(*(entry(c, 0.0) for c in positive))
        gone = (top - begin > float(_DECADES)) * (first > 0.0)
        leaves = ceil(ops.log(ops.maximum(1e3 * first, 1e-300)) / _LN10)
        top = ops.where(gone > 0.0, ops.minimum(top, leaves), top)
    bottom = ops.maximum(begin, top - float(_DECADES))
    layout["yaxis"] |= {"type": "log", "range": [bottom, top], "exponentformat": "power"}
    return ops.exp(bottom * _LN10)


def _rounded(layout: Figure, columns: Sequence[Any], low_at: float | None) -> None:
    """A linear axis widened to multiples of 1, 2 or 5 times a power of ten, six or so in all."""
    highest, lowest = largest(*columns), smallest(*columns)
    some = highest >= lowest
    high, low = ops.where(some, highest, 1.0), ops.where(some, lowest, 0.0)
    if low_at is not None:
        low = ops.minimum(low, low_at)
        high = ops.maximum(high, low_at)
    size = ops.maximum(ops.absolute(high), ops.absolute(low))
    still = high - low <= 1e-6 * size  # constant but for round-off
    spread = ops.where(still, ops.where(size > 0.0, 0.2 * size, 2.0), 1.08 * (high - low))
    middle = 0.5 * (high + low)
    grid = round_step(spread / 6.0)
    bottom = floor((middle - 0.5 * spread) / grid) * grid
    top = ceil((middle + 0.5 * spread) / grid) * grid
    # Nothing is negative: leave no room for it but a line's width.
    bottom = ops.where(low >= 0.0, ops.maximum(bottom, -0.04 * top), bottom)
    layout["yaxis"] |= {
        "range": [bottom, top], "nticks": 4,
        "zeroline": True, "zerolinecolor": style.MUTED, "zerolinewidth": 1,
    }  # fmt: skip


def round_step(rough: Any) -> Any:
    """The least 1, 2, 5 or 10 times a power of ten that is not below a positive number."""
    with np.errstate(all="ignore"):
        decade = ops.exp(floor(ops.log(rough) / _LN10 + 1e-12) * _LN10)
    least = rough * (1 - 1e-9)
    found = 10.0 * decade
    for multiple in (5.0, 2.0, 1.0):
        found = ops.where(multiple * decade >= least, multiple * decade, found)
    return found
