"""The pictures of a race: the landscape from above and in space, and loss against step."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.problems.landscapes import Landscape
from figures import style

Array = npt.NDArray[Any]
Figure = dict[str, Any]

COLUMNS, ROWS = 121, 97  # cells of a contour picture: smooth at 600 px, 47 kB as float32
FLOOR = 1e-16  # the loss axis does not go below this: round-off lives there


def grid(landscape: Landscape) -> tuple[Array, Array, Array]:
    """x (COLUMNS,), y (ROWS,) and the value over the landscape's window, (ROWS, COLUMNS).

    Where a landscape has no finite value, as log x left of 0, the value is NaN: left blank.
    """
    (x0, x1), (y0, y1) = landscape.window
    x, y = np.linspace(x0, x1, COLUMNS), np.linspace(y0, y1, ROWS)
    values = landscape.value(np.stack(np.meshgrid(x, y), axis=-1))
    return x, y, np.where(np.isfinite(values), values, np.nan)


def height(values: Array, landscape: Landscape, log: bool) -> Array:
    """What is drawn for a value: itself, or log10 of its distance above the window's lowest.

    The scale is the window's, whatever the values, so that a path lies on its surface.
    """
    if not log:
        return values
    low, high = _range(grid(landscape)[2])
    if landscape.minimum is not None:
        low = landscape.minimum
    return np.log10(np.maximum(values - low, 0.0) + 1e-4 * (high - low or 1.0))


def _range(values: Array) -> tuple[float, float]:
    """The lowest and the highest value that is finite; (0, 1) where none is."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)


def plane(landscape: Landscape, *, log: bool) -> Figure:
    """Contours over the window, pale enough for trails; minima as crosses."""
    x, y, values = grid(landscape)
    z = height(values, landscape, log).astype(np.float32)
    layout = style.base_layout("plane")
    (x0, x1), (y0, y1) = landscape.window
    layout["margin"] = {"l": 34, "r": 6, "t": 6, "b": 30}
    layout["xaxis"] |= {"range": [x0, x1]}
    layout["yaxis"] |= {"range": [y0, y1]}
    layout["uirevision"] = landscape.slug
    low, high = _range(z)
    contours: Figure = {
        "type": "contour",
        "x": x.astype(np.float32),
        "y": y.astype(np.float32),
        "z": z,
        "zmin": low,
        "zmax": high,
        "colorscale": style.colorscale(style.CONTOUR),
        "showscale": False,
        "hoverinfo": "skip",
        "contours": {
            "coloring": "fill",
            "showlines": True,
            "start": low,
            "end": high,
            "size": (high - low) / 18 or 1.0,
        },
        "line": {"width": 0.7, "color": style.CONTOUR_LINE},
    }
    return {"data": [contours, *_minima(landscape)], "layout": layout}


def _minima(landscape: Landscape) -> list[Figure]:
    if not landscape.minima:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [m[0] for m in landscape.minima],
            "y": [m[1] for m in landscape.minima],
            "marker": {
                "symbol": "cross-thin",
                "size": 11,
                "line": {"width": 2, "color": style.TARGET},
            },
            "hovertemplate": "minimum (%{x:.4g}, %{y:.4g})<extra></extra>",
        }
    ]


def logarithmic(landscape: Landscape, losses: list[Array]) -> bool:
    """Whether heights above the minimum fit a log axis: they do unless some lie below zero."""
    return landscape.minimum is not None or all(float(curve.min()) > 0 for curve in losses)


def loss_axes(losses: list[Array], steps: int, *, log: bool, target: float) -> Figure:
    """The axes of loss against step, from the highest worth seeing to the lowest reached.

    losses (steps + 1,) each are heights above the minimum. A run that gets away rises out of the
    picture after a thousandfold; one that falls without end leaves it below. target draws a line.
    """
    layout = style.base_layout("curve")
    layout["margin"] = {"l": 52, "r": 10, "t": 6, "b": 36}
    layout["xaxis"]["title"]["text"] = "step"
    layout["xaxis"]["range"] = [0, max(steps, 1)]
    begin = max((abs(float(curve[0])) for curve in losses), default=1.0) or 1.0
    if log:
        top = max([*(min(float(c.max()), 1e3 * begin) for c in losses), FLOOR * 10])
        low = max(min([*(float(c.min()) for c in losses), top / 100]), FLOOR)
        # Whole decades: axes that follow every twitch of a curve cannot be read while it moves.
        low, top = 10.0 ** np.floor(np.log10(low)), 10.0 ** np.ceil(np.log10(2 * top))
        layout["yaxis"] |= {
            "type": "log",
            "range": [float(np.log10(low)), float(np.log10(top))],
            "exponentformat": "power",
            "dtick": max(1, int(np.ceil(np.log10(top / low) / 6))),
        }
    else:
        top = max(min(float(c.max()), 10 * begin) for c in losses)
        low = min(max(float(c.min()), -10 * begin) for c in losses)
        pad = 0.06 * (top - low) or 1.0
        layout["yaxis"] |= {"range": [low - pad, top + pad]}
    if low < target < top:
        layout["shapes"] = [
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": target,
                "y1": target,
                "line": {"color": style.MUTED, "width": 1, "dash": "dot"},
            }
        ]
    return {"data": [], "layout": layout}


def scene(landscape: Landscape, *, log: bool) -> Figure:
    """The landscape as a surface in space, its height as drawn by `height`."""
    x, y, values = grid(landscape)
    layout = style.base_layout("scene")
    layout["uirevision"] = landscape.slug
    layout["scene"]["zaxis"] |= {"title": {"text": "log₁₀ loss" if log else "loss"}}
    layout["scene"] |= {
        "aspectmode": "manual",
        "aspectratio": {"x": 1.25, "y": 1.0, "z": 0.7},
        "camera": {"eye": {"x": -1.15, "y": -1.45, "z": 0.95}},
    }
    surface: Figure = {
        "type": "surface",
        "x": x[::2].astype(np.float32),
        "y": y[::2].astype(np.float32),
        "z": height(values, landscape, log)[::2, ::2].astype(np.float32),
        "colorscale": style.colorscale(style.HEAT),
        "showscale": False,
        "opacity": 0.85,
        "hoverinfo": "skip",
        "contours": {"z": {"show": True, "color": style.CONTOUR_LINE, "width": 1}},
    }
    return {"data": [surface], "layout": layout}


def loss_title(landscape: Landscape) -> str:
    """What the loss axis shows."""
    return "loss" if landscape.minimum in (None, 0.0) else "loss above the minimum"
