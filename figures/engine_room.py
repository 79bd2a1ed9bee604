"""The pictures of a perceptron that learns: its decision boundary and its loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import written
from engine.studies.engine_room import Learner, static
from figures import charts, style

Array = npt.NDArray[Any]

CELLS = 72  # a side of the raster: enough for a smooth boundary, quick to evaluate
WINDOW = ((-2.2, 3.0), (-2.2, 2.4))
SIDES = ("blue", "red")  # class 0, class 1
BANDS = 64


def palette() -> tuple[str, ...]:
    """From class 0 to class 1 through the page's own colour, in either theme."""
    halves = []
    for theme in range(2):
        first, second = (style.HUES[name][theme] for name in SIDES)
        middle = style.BACKGROUND.split("|")[theme]
        pale = [style.ramp((middle, hue), 16)[6] for hue in (first, second)]
        halves.append(style.ramp((pale[0], middle, pale[1]), BANDS))
    return tuple(f"{light}|{dark}" for light, dark in zip(*halves, strict=True))


def cells(learner: Learner) -> Array:
    """The probability of class 1 over the window as indices into the palette, (CELLS, CELLS)."""
    (x0, x1), (y0, y1) = WINDOW
    half_x, half_y = (x1 - x0) / CELLS / 2, (y1 - y0) / CELLS / 2
    x = np.linspace(x0 + half_x, x1 - half_x, CELLS)
    y = np.linspace(y0 + half_y, y1 - half_y, CELLS)
    p = learner.probability(np.stack(np.meshgrid(x, y), axis=-1))
    return np.nan_to_num(p * (BANDS - 1), nan=BANDS / 2).round().astype(np.uint8)


def shares() -> dict[str, str]:
    """What an index into the palette says of the probability of class 1."""
    return {str(k): written(k / (BANDS - 1), ".0%") for k in range(BANDS)}


def points(learner: Learner) -> dict[str, Any]:
    """The points of both classes, told apart by colour and by shape."""
    x, y = learner.data
    layout = charts.axes(*WINDOW, kind="plane")
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": x[y == label, 0],
            "y": x[y == label, 1],
            "marker": {"symbol": symbol, "size": 6, "color": charts.color(hue)},
            "hovertemplate": f"class {label} at %{{x:.2f}}, %{{y:.2f}}<extra></extra>",
        }
        for label, hue, symbol in ((0, SIDES[0], "circle"), (1, SIDES[1], "diamond"))
    ]
    return {"data": data, "layout": layout}


def branches(x: Any, value: Any, slope: Any, reach: float) -> dict[str, Any]:
    """log(1 + x) and −x², joined at 0, with the tangent at x; x, value and slope may be traced."""
    layout = charts.axes((-reach, reach), (-reach, 2.0), x_title="x")
    at = np.linspace(-reach, reach, 301)
    ends = np.array([-reach, reach])
    left = at <= 0
    charts.upright(layout, 0.0)
    data = [
        charts.line(at[left], static(at[left]), charts.color("red"), name="−x²"),
        charts.line(at[~left], static(at[~left]), charts.color("blue"), name="log(1 + x)"),
        charts.line(ends, value + slope * (ends - x), style.MUTED, width=1.4, name="tangent"),
    ]
    return {"data": data, "layout": layout}


def loss(learner: Learner, until: int) -> dict[str, Any]:
    """Loss against step on a log axis that reaches to `until`."""
    curve = np.asarray(learner.losses, dtype=float)
    finite = curve[np.isfinite(curve) & (curve > 0)]
    low = min(float(finite.min()) if finite.size else 0.1, 0.1)
    top = max(float(finite.max()) if finite.size else 1.0, 1.0)
    layout = charts.axes(
        (0, max(until, 10)), (low / 1.5, top * 1.5), x_title="step", log_y=True, left=52
    )
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": np.arange(len(curve), dtype=float),
        "y": np.where(np.isfinite(curve), np.maximum(curve, 1e-12), np.nan),
        "line": {"color": style.INK, "width": 2},
        "hovertemplate": "step %{x:.0f}: loss %{y:.3g}<extra></extra>",
    }
    return {"data": [line] if finite.size else [], "layout": layout}
