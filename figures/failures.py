"""The pictures of what goes wrong and what cures it: one or two charts a story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from figures import charts, style
from figures.charts_against_step import Chart, Curve, chart

Array = npt.NDArray[Any]
Figure = dict[str, Any]

FLOOR: Final = 1e-16
TRUTH: Final = style.TARGET
BEST: Final = style.SUM
WORST: Final = style.LIMIT


def curves(columns: Mapping[str, tuple[str, Array]], *, floor: float | None = None) -> list[Curve]:
    """A curve for each (name -> slug, values), in the slug's look."""
    looks = style.looks(slug for slug, _ in columns.values())
    return [
        Curve(
            name,
            values if floor is None else np.maximum(values, floor),
            look.color,
            look.dash,
            look.marker,
            2.2,
        )
        for (name, (_, values)), look in zip(columns.items(), looks, strict=True)
    ]


def story(
    name: str,
    title: str,
    alt: str,
    columns: Mapping[str, tuple[str, Array]],
    *,
    log: bool | None = None,
) -> Chart:
    """One curve an optimizer against the step."""
    return chart(name, title, alt, curves(columns, floor=FLOOR if log else None), log=log)


def between_walls(made: Chart) -> Chart:
    """Mark the best and the worst point of the interval [−1, 1]."""
    layout = made.figure["layout"]
    layout["yaxis"]["range"] = [-1.15, 1.15]
    charts.level(layout, -1.0, "best point", color=BEST)
    charts.level(layout, 1.0, "worst point", color=WORST)
    return made


def gradient_stream(gradients: Array, shown: int) -> Chart:
    """The first gradients of a stream, as points."""
    values = np.full(len(gradients) + 1, np.nan)
    values[1:] = gradients
    made = chart(
        "stream",
        "the gradients: one large, two small",
        "The gradient of each step: one large and two small ones in turn.",
        [Curve("", values, style.MUTED, marker="circle", mode="points")],
        log=False,
    )
    made.figure["layout"]["xaxis"]["range"] = [0, shown]
    return made


def against_condition(
    conditions: Sequence[float], columns: Mapping[str, tuple[str, Array]], chosen: float, most: int
) -> Figure:
    """Steps to the target against κ, both logarithmic; a line at the chosen κ."""
    layout = charts.axes(
        (conditions[0] * 0.85, conditions[-1] * 1.2), (0.8, most * 1.3),
        x_title="condition number κ", y_title="steps to the target", log_x=True, log_y=True,
        left=52, bottom=42,
    )  # fmt: skip
    looks = style.looks(slug for slug, _ in columns.values())
    traces = []
    for (name, (_, values)), look in zip(columns.items(), looks, strict=True):
        trace = charts.line(
            conditions, values, look.color, dash=look.dash, name=name,
            hover="κ = %{x:g}: %{y:.0f} steps",
        )  # fmt: skip
        marker = {"symbol": look.symbol, "size": 7, "color": look.color}
        traces.append(trace | {"mode": "lines+markers", "marker": marker})
    charts.upright(layout, chosen, f"κ = {chosen:.3g}")
    return {"data": traces, "layout": layout}


def decay_points(figure: Figure, points: Mapping[str, tuple[float, float]]) -> Figure:
    """A landscape with further named points, such as the minimum with the penalty added."""
    for name, (at_x, at_y) in points.items():
        figure["data"].append(
            charts.marks(
                [at_x], [at_y], TRUTH, symbol="x-thin-open", size=9, labels=[name],
                position="middle right",
            )
        )  # fmt: skip
    return figure
