"""The pictures of a race: the landscape from above and in space, and loss against step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import ceil, floor, largest, smallest, words
from engine.problems.landscapes import Landscape
from engine.studies.tuning import RateCurve
from engine.tape import Value
from engine.tape import operations as ops
from figures import charts, style
from figures.step_chart import Curve, StepChart, end_name, step_chart

Array = npt.NDArray[Any]
Figure = dict[str, Any]

COLUMNS, ROWS = 121, 97  # cells of a contour picture: smooth at 600 px, 47 kB as float32
LN10 = float(np.log(10.0))
LIFT = 1e-4  # of the window's span, under the logarithm: the minimum itself has one
FLOOR = 1e-16  # the loss axis does not go below this: round-off lives there


def grid(
    landscape: Landscape,
    parameters: Mapping[str, Any] | None = None,
    held: Callable[[Array], Any] = lambda array: array,
) -> tuple[Any, Any, Any]:
    """x (COLUMNS,), y (ROWS,) and the value over the landscape's window, (ROWS, COLUMNS).

    parameters may be traced; `held` puts the grid on a tape (Picture.held). Where a landscape has
    no finite value, as log x left of 0, it is left blank.
    """
    (x0, x1), (y0, y1) = landscape.window
    x, y = np.linspace(x0, x1, COLUMNS), np.linspace(y0, y1, ROWS)
    known = landscape.arguments if parameters is None else parameters
    with np.errstate(all="ignore"):
        values = landscape.function(held(x.reshape(1, -1)), held(y.reshape(-1, 1)), **known)
        if not isinstance(values, Value):
            values = np.broadcast_to(values, (ROWS, COLUMNS))
        elif values.shape != (ROWS, COLUMNS):
            values = values + np.zeros((ROWS, COLUMNS))
        if not np.isfinite(values.data if isinstance(values, Value) else values).all():
            values = ops.where(ops.absolute(values) < np.inf, values, np.nan)
    return x, y, values


def height(values: Any, landscape: Landscape, log: bool, over: Any = None) -> Any:
    """What is drawn for a value: itself, or log10 of its distance above the window's lowest.

    The scale is that of the window's values (`over`), whatever the values, so that a path lies on
    its surface. Any of them may be traced.
    """
    if not log:
        return values
    low, span = foot(landscape, grid(landscape)[2] if over is None else over)
    with np.errstate(all="ignore"):
        return ops.log(ops.maximum(values - low, 0.0) + LIFT * span) / LN10


def foot(landscape: Landscape, values: Any) -> tuple[Any, Any]:
    """The lowest of a window's values, or the landscape's minimum, and how far they rise above."""
    low, high = smallest(values), largest(values)
    if landscape.minimum is not None:
        low = landscape.minimum
    return low, ops.where(high > low, high - low, 1.0)


def plane(
    landscape: Landscape,
    *,
    log: bool,
    parameters: Mapping[str, Any] | None = None,
    held: Callable[[Array], Any] = lambda array: array,
) -> Figure:
    """Contours over the window, pale enough for trails; minima as crosses.

    parameters are the landscape's where they are traced: the contours then follow them. `held` is
    that of a picture that makes its contours in the browser (Picture.held).
    """
    x, y, values = grid(landscape, parameters, held)
    z = height(values, landscape, log, values)
    low, span = foot(landscape, values)
    layout = style.base_layout("plane")
    (x0, x1), (y0, y1) = landscape.window
    layout["margin"] = {"l": 34, "r": 6, "t": 6, "b": 30}
    layout["xaxis"] |= {"range": [x0, x1]}
    layout["yaxis"] |= {"range": [y0, y1]}
    layout["uirevision"] = landscape.slug
    least, most = smallest(z), largest(z)
    contours: Figure = {
        "type": "contour",
        "x": x,
        "y": y,
        "z": z,
        "zmin": least,
        "zmax": most,
        "colorscale": style.colorscale(style.CONTOUR),
        "showscale": False,
        "hovertemplate": "loss %{z:.4g}<br>at %{x:.3g}, %{y:.3g}<extra></extra>",
        **({"meta": {"above": low - LIFT * span}} if log else {}),
        "contours": {
            "coloring": "fill",
            "showlines": True,
            "start": least,
            "end": most,
            "size": ops.where(most > least, (most - least) / 18.0, 1.0),
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


MOST_NAMED = 6  # curves whose ends are named: more names would hide each other


def loss_axes(
    losses: Sequence[Any],
    steps: Any,
    *,
    log: bool,
    target: Any,
    ends: Sequence[tuple[str, style.Look, Any]] = (),
) -> Figure:
    """The axes of loss against step, from the highest worth seeing to the lowest reached.

    losses (steps + 1,) each are heights above the minimum, traced or not. A run that gets away
    rises out of the picture after a thousandfold; one that falls without end leaves it below.
    target draws a line; ends name the curves, each with its look and its number of points, at the
    loss that they reach.
    """
    layout = style.base_layout("curve")
    layout["margin"] = {"l": 52, "r": 10, "t": 6, "b": 36}
    layout["xaxis"]["title"]["text"] = "step"
    layout["xaxis"]["range"] = [0, ops.maximum(steps, 1.0)]
    with np.errstate(all="ignore"):
        begin = ops.maximum(largest(*(ops.absolute(c[0]) for c in losses)), 1e-300)
        if log:
            tops = [ops.minimum(ops.maximum(largest(c), FLOOR), 1e3 * begin) for c in losses]
            top = largest(*tops, FLOOR * 10)
            low = ops.maximum(smallest(*losses, top / 100.0), FLOOR)
            # Whole decades: axes that follow every twitch of a curve cannot be read while it moves.
            bounds = [floor(ops.log(low) / LN10), ceil(ops.log(2.0 * top) / LN10)]
            layout["yaxis"] |= {"type": "log", "range": bounds, "exponentformat": "power"}
        else:
            top = largest(*(ops.minimum(largest(c), 10.0 * begin) for c in losses))
            low = smallest(*(ops.maximum(smallest(c), -10.0 * begin) for c in losses))
            pad = ops.where(top > low, 0.06 * (top - low), 1.0)
            layout["yaxis"] |= {"range": [low - pad, top + pad]}
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
    if ends and len(ends) <= MOST_NAMED:
        layout["annotations"] = [
            end_name(name, look.color, curve, points - 1.0, low=FLOOR if log else None)
            for curve, (name, look, points) in zip(losses, ends, strict=True)
        ]
    return {"data": [], "layout": layout}


def rates(curves: Sequence[tuple[str, style.Look, RateCurve, float | None]]) -> Figure:
    """Loss reached against the learning rate; a mark where each optimizer runs now.

    A rate at which a run gets away has no point.
    """
    reached = [np.maximum(c.gap, FLOOR) for _, _, c, _ in curves]
    low, top = smallest(*reached, 1.0), largest(*reached, FLOOR * 10)
    layout = charts.axes(
        (min(c.rates[0] for _, _, c, _ in curves), max(c.rates[-1] for _, _, c, _ in curves)),
        (low / 2, top * 2),
        x_title="learning rate η",
        log_x=True,
        log_y=True,
        left=52,
    )
    data = []
    for (name, look, curve, now), gap in zip(curves, reached, strict=True):
        shown = np.where(np.isfinite(gap), gap, np.nan)
        data.append(charts.line(curve.rates, shown, look.color, dash=look.dash, name=name))
        if now is not None and np.isfinite(curve.at(now)):
            at = max(curve.at(now), FLOOR)
            data.append(charts.marks([now], [at], look.color, symbol=look.symbol, labels=[name]))
    return {"data": data, "layout": layout}


@dataclass(frozen=True, slots=True)
class Curved:
    """The Hessian's eigenvalues along a path, and the largest that its rule bears (None: unknown),
    with the formula of that."""

    name: str
    look: style.Look
    least: Any
    most: Any
    bound: Any
    formula: str


def curvature(paths: Sequence[Curved]) -> StepChart:
    """λmax along each path, and λmin thin, with the dotted line above which steps grow."""
    curves = [
        Curve("" if thin else path.name, values, path.look.color, path.look.dash,
              path.look.marker, 1.0 if thin else 2.0)
        for path in paths
        for thin, values in ((True, path.least), (False, path.most))
    ]  # fmt: skip
    known = [path for path in paths if path.bound is not None]
    # The lines belong to the picture as much as the curves: an axis without them says nothing.
    held = [Curve("", 0.0 * p.most + p.bound, p.look.color, "dot", "ring", 1.2) for p in known]
    made = step_chart(
        "curvature", "λmax (λmin thin) along the path", "The Hessian's eigenvalues along each "
        "path, and the curvature above which the rule's steps grow.", [*curves, *held],
    )  # fmt: skip
    layout = made.figure["layout"]
    for path in known:
        text = words(f"{path.formula} = {{:3}}", path.bound)
        charts.level(layout, path.bound, text, color=path.look.color)
    return replace(made, curves=tuple(curves))


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
        "z": np.asarray(height(values, landscape, log, values))[::2, ::2].astype(np.float32),
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
