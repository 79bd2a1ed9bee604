"""Charts of curves against the step, along which the stage's cursor moves: axes that fit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from figures import charts, style

Array = npt.NDArray[Any]
Figure = dict[str, Any]

_LOG_FROM: Final = 30.0  # the largest over the smallest value, from which an axis is logarithmic
_DECADES: Final = 14  # that a logarithmic axis shows at most


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a chart, a value a frame, and how it is drawn; "points" is a mark a frame."""

    label: str
    values: Array
    color: str
    dash: style.Dash = "solid"
    marker: style.Marker = "circle"
    width: float = 2.0
    mode: Literal["curve", "points"] = "curve"


@dataclass(frozen=True, slots=True)
class Chart:
    """A small picture of something against the step."""

    id: str
    title: str
    alt: str
    figure: Figure
    curves: tuple[Curve, ...]


def chart(
    name: str,
    title: str,
    alt: str,
    curves: Sequence[Curve],
    *,
    log: bool | None = None,
    low: float | None = None,
) -> Chart:
    """Curves on axes that hold them; logarithmic where asked for, or (None) where they span far.

    low is where a linear axis begins at the latest.
    """
    layout, floor = _layout([c.values for c in curves], log, low)
    if floor is not None:
        curves = [replace(c, values=np.maximum(c.values, floor)) for c in curves]
    return Chart(name, title, alt, {"data": [], "layout": layout}, tuple(curves))


# Axes rest on round numbers: while something is dragged they seldom move, and what does not move
# is not drawn again.


def _decades(value: float, towards: Any) -> float:
    """The nearest power of ten on that side."""
    return float(10.0 ** towards(np.log10(value)))


def _rounded(low: float, high: float) -> tuple[float, float]:
    """The range, widened to multiples of 1, 2 or 5 times a power of ten, six or so in all."""
    rough = (high - low) / 6.0
    decade = 10.0 ** np.floor(np.log10(rough))
    grid = next(m for m in (1.0, 2.0, 5.0, 10.0) if m * decade >= rough) * decade
    return float(np.floor(low / grid) * grid), float(np.ceil(high / grid) * grid)


def rounded_top(value: float) -> float:
    """The least 1, 2 or 5 times a power of ten that is not below a positive value."""
    decade = 10.0 ** np.floor(np.log10(value))
    return float(
        next(m for m in (1.0, 2.0, 5.0, 10.0) if m * decade >= value * (1 - 1e-9)) * decade
    )


def _layout(
    columns: Sequence[Array], log: bool | None, low_at: float | None
) -> tuple[Figure, float | None]:
    """The layout, and where a logarithmic axis begins (None on a linear one)."""
    values = np.concatenate([c[np.isfinite(c)] for c in columns])
    span = (0.0, float(max(len(columns[0]) - 1, 1)))
    positive = values[values > 0]
    far = positive.size > 0 and float(positive.max()) > _LOG_FROM * float(positive.min())
    if log if log is not None else far and positive.size == values.size:
        top = _decades(float(positive.max()) * 1.1, np.ceil) if positive.size else 1.0
        low = _decades(float(positive.min()) / 1.1, np.floor) if positive.size else 0.1
        low = max(low, top * 10.0**-_DECADES)
        layout = charts.axes(span, (low, top), log_y=True, left=40, bottom=20, top=4)
        layout["yaxis"]["dtick"] = max(1, int(np.ceil(np.log10(top / low) / 4)))
        floor: float | None = low
    else:
        low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
        low = low if low_at is None else min(low, low_at)
        if high - low <= 1e-6 * abs(high):  # constant but for round-off
            low = high = 0.5 * (low + high)
        pad = 0.04 * (high - low) or 0.1 * abs(high) or 1.0
        bottom, top = _rounded(low - pad, high + pad)
        if low >= 0.0 > bottom:  # nothing is negative: leave no room for it but a line's width
            bottom = -0.04 * top
        bounds = (bottom, top)
        layout = charts.axes(span, bounds, left=40, bottom=20, top=4)
        layout["yaxis"]["nticks"] = 4
        floor = None
        if low < 0 < high:
            layout["yaxis"] |= {"zeroline": True, "zerolinecolor": style.MUTED, "zerolinewidth": 1}
    layout["xaxis"] |= {"nticks": 5, "tickfont": {"size": 11}}
    layout["yaxis"] |= {"tickfont": {"size": 11}}
    return layout, floor
