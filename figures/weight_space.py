"""The pictures of paths through weight space: a plane with the loss on it, sharpness and loss
against the step, a random walk on its own plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import largest, smallest, words
from engine.tape import operations as ops
from figures import charts, style

Figure = dict[str, Any]
LN10 = math.log(10.0)
ABOVE = 1.0  # decades over the paths' highest loss that the plane's colours reach
LOWEST = 1e-9  # of a loss in a picture


@dataclass(frozen=True, eq=False)
class Shown:
    """A run in the pictures: what it is called, its look, its loss, sharpness and effective
    sharpness (records,), the largest effective one that its rule bears, None where that is not
    known, and whether the rule has a metric of its own. Numbers may be traced."""

    name: str
    look: style.Look
    loss: Any
    sharpness: Any
    effective: Any
    bound: Any
    own: bool

    @property
    def share(self) -> Any:
        """The effective sharpness as a share of what the rule bears."""
        return math.nan * self.effective if self.bound is None else self.effective / self.bound


def plane(across: Any, up: Any, grid: Any, runs: Sequence[Shown], key: str) -> Figure:
    """Contours of the loss's logarithm on the plane, capped a decade above the paths' highest."""
    top = ops.log(largest(*(run.loss for run in runs))) / LN10 + ABOVE
    z = ops.minimum(ops.log(ops.maximum(grid, LOWEST)) / LN10, top)
    low = smallest(z)
    layout = style.base_layout("plane")
    layout["margin"] = {"l": 60, "r": 6, "t": 6, "b": 38}
    layout["xaxis"] |= {"range": [across[0], across[-1]]}
    layout["yaxis"] |= {"range": [up[0], up[-1]]}
    for axis, name in (("xaxis", "first direction"), ("yaxis", "second direction")):
        layout[axis]["title"] = {**layout[axis].get("title", {}), "text": name}
    layout["uirevision"] = key
    contours: Figure = {
        "type": "contour", "x": across, "y": up, "z": z, "zmin": low, "zmax": top,
        "colorscale": style.colorscale(style.CONTOUR), "showscale": False,
        "hovertemplate": "loss %{z:.3g}<br>at %{x:.3g}, %{y:.3g}<extra></extra>",
        "meta": {"above": 0.0},
        "contours": {
            "coloring": "fill", "showlines": True, "start": low, "end": top,
            "size": ops.where(top > low, (top - low) / 18.0, 1.0),
        },
        "line": {"width": 0.7, "color": style.CONTOUR_LINE},
    }  # fmt: skip
    return {"data": [contours], "layout": layout}


def sharpness(runs: Sequence[Shown], steps: Any) -> Figure:
    """Axes of sharpness against step, with the limit of each rule where it is one of sharpness
    itself and not far above."""
    limited = [run for run in runs if run.bound is not None and not run.own]
    most = largest(*(run.sharpness for run in runs))
    ends = [ops.minimum(run.bound, 1.8 * most) for run in limited]
    layout = charts.axes((0.0, steps), (0.0, 1.15 * largest(most, *ends)), x_title="step")
    for run in limited:
        named = words("limit {:3}", run.bound)
        charts.level(layout, run.bound, named, color=run.look.color, side="left")
    return {"data": [], "layout": layout}


def shares(runs: Sequence[Shown], steps: Any) -> Figure:
    """Axes of the share of its limit that each run's sharpness is."""
    top = ops.minimum(largest(*(run.share for run in runs), 1.2), 3.0)
    layout = charts.axes((0.0, steps), (0.0, 1.1 * top), x_title="step")
    charts.level(layout, 1.0, color=style.LIMIT)
    return {"data": [], "layout": layout}


def loss(runs: Sequence[Shown], steps: Any) -> Figure:
    """Axes of the loss against step."""
    curves = [ops.maximum(run.loss, LOWEST) for run in runs]
    layout = charts.axes(
        (0.0, steps), (smallest(*curves) / 1.4, largest(*curves) * 1.4), x_title="step",
        log_y=True, left=48,
    )  # fmt: skip
    return {"data": [], "layout": layout}


def walk(x: npt.ArrayLike, y: npt.ArrayLike) -> Figure:
    """A random walk on the plane of its own principal components."""
    x, y = np.asarray(x), np.asarray(y)

    def around(v: Any) -> tuple[float, float]:
        pad = 0.12 * float(np.ptp(v))
        return float(v.min()) - pad, float(v.max()) + pad

    layout = charts.axes(around(x), around(y), x_title="first direction of the walk", left=44)
    return {
        "data": [
            charts.line(x, y, style.MUTED),
            charts.marks(x[:1], y[:1], style.INK, labels=["start"], size=6),
            charts.marks(x[-1:], y[-1:], style.INK, labels=["end"], size=6),
        ],
        "layout": layout,
    }
