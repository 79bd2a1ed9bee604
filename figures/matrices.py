"""The pictures of Muon's steps on singular values, and of races on matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import smallest
from engine.studies.matrices import Coefficients, Hybrid, MatrixRun, stages
from engine.tape import operations as ops
from figures import charts, style

Figure = dict[str, Any]
Array = npt.NDArray[np.float64]

LEAST, MOST = 1e-4, 1.3  # singular values that are shown
TOP = 1.5
FLOOR = 1e-9  # errors below it are drawn on it


def chosen_stage(found: Sequence[Any], step: Any) -> Any:
    """The values after so many steps, a whole number that may be traced."""
    at = found[0]
    for k, values in enumerate(found[1:], start=1):
        at = ops.where(ops.greater(step, k - 0.5), values, at)
    return at


def polynomial(
    coefficients: Coefficients, values: Any, after: Any, interval: tuple[Any, Any]
) -> Figure:
    """Where a singular value is after each of the five steps, against where it began; `values`
    where they are after `after` of them."""
    layout = charts.axes(
        (LEAST, MOST), (0.0, TOP), x_title="singular value σ before", y_title="after the steps",
        log_x=True, left=46,
    )  # fmt: skip
    layout["shapes"].append(
        {
            "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": interval[0],
            "y1": interval[1], "fillcolor": style.LIMIT, "opacity": 0.12, "line": {"width": 0},
            "layer": "below",
        }
    )  # fmt: skip
    charts.level(layout, 1.0)
    at = np.geomspace(LEAST, MOST, 241)
    curves = stages(at, coefficients)
    data = [
        charts.line(at, curve, style.MUTED, width=1.2, opacity=0.7, name=f"after {k}")
        for k, curve in enumerate(curves)
    ]
    data.append(charts.line(at, chosen_stage(curves, after), charts.color("pink"), width=2.6))
    there = chosen_stage(stages(values, coefficients), after)
    data.append(charts.marks(values, there, style.INK, size=8))
    return {"data": data, "layout": layout}


def each_step(paths: Sequence[Any], after: Any) -> Figure:
    """Each singular value's way through the steps: paths hold six numbers each."""
    layout = charts.axes(
        (-0.15, 5.15), (LEAST, 2.0), x_title="Newton–Schulz steps", y_title="singular value",
        log_y=True, left=58,
    )  # fmt: skip
    layout["xaxis"]["dtick"] = 1
    charts.level(layout, 1.0)
    charts.upright(layout, after, color=style.INK, dash="solid")
    steps = np.arange(6.0)
    data = [charts.line(steps, path, charts.color("pink"), width=1.5) for path in paths]
    return {"data": data, "layout": layout}


def steps_spectra(
    runs: Sequence[MatrixRun], names: Sequence[str], looks: Sequence[style.Look], rows: Any
) -> Figure:
    """The singular values of each rule's own step over the largest; rows are those of now."""
    n = runs[0].spectra.shape[1]
    layout = charts.axes(
        (0.7, n + 0.3), (1e-4, 1.5), x_title="place by size", y_title="σ / largest σ of the step",
        log_y=True, left=58,
    )  # fmt: skip
    places = np.arange(1.0, n + 1.0)
    data = []
    for k, (row, name, look) in enumerate(zip(rows, names, looks, strict=True)):
        row = ops.maximum(row, 1e-5)
        data.append(charts.line(places, row, look.color, dash=look.dash, name=name))
        at = 1 + k * (n - 2) // len(runs)  # each named at a place of its own
        beside = ops.minimum(ops.maximum(row[at], 1.4e-4), 0.9)
        charts.note(layout, at + 1.0, beside, name, color=look.color, anchor="left")
    return {"data": data, "layout": layout}


def errors(last: int, span: tuple[Any, Any], title: str) -> Figure:
    """The axes of curves against the step."""
    return {
        "data": [],
        "layout": charts.axes((0, last), span, x_title="step", y_title=title, log_y=True, left=62),
    }


def directions(
    rows: Sequence[Any], names: Sequence[str], looks: Sequence[style.Look], title: str
) -> Figure:
    """What is left of each direction at the end of a run, a line a rule."""
    n = rows[0].shape[0]
    layout = charts.axes(
        (0.7, n + 0.3), (1e-6, 3.0), x_title=title, y_title="left at the end", log_y=True, left=58
    )
    places = np.arange(1.0, n + 1.0)
    data = [
        charts.line(places, ops.maximum(row, 1e-7), look.color, dash=look.dash, name=name)
        for row, name, look in zip(rows, names, looks, strict=True)
    ]
    return {"data": data, "layout": layout}


def span(ends: Sequence[Any], start: Any) -> tuple[Any, Any]:
    """The range of errors: from the best end to three times the start; traced too."""
    return ops.maximum(smallest(*ends) / 3.0, FLOOR), 3.0 * start


def hybrid_looks(names: Sequence[str]) -> Mapping[str, style.Look]:
    """A look for each way of grouping."""
    own = ("adamw", "sophia", "muon", "shampoo")
    return dict(zip(names, (style.look(slug) for slug in own), strict=False))


def hybrid_span(found: Sequence[Hybrid]) -> tuple[float, float]:
    """The range of their losses."""
    least = min(float(h.losses.min()) for h in found)
    return max(least / 2.0, 1e-8), 3.0 * float(found[0].losses[0])
