"""The pictures of what goes wrong and what cures it: one or two charts a story.

Columns may be traced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from engine.emit.picture import join, stack, words
from figures import charts, style
from figures.step_chart import Curve, StepChart, step_chart

Figure = dict[str, Any]

FLOOR: Final = 1e-16
TRUTH: Final = style.TARGET
BEST: Final = style.SUM
WORST: Final = style.LIMIT


def curves(columns: Mapping[str, tuple[str, Any]]) -> list[Curve]:
    """A curve for each (name -> slug, values), in the slug's look."""
    looks = style.looks(slug for slug, _ in columns.values())
    return [
        Curve(
            name,
            values,
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
    columns: Mapping[str, tuple[str, Any]],
    *,
    log: bool | None = None,
    last: Any = None,
) -> StepChart:
    """One curve an optimizer against the step."""
    return step_chart(
        name, title, alt, curves(columns), log=log, last=last, ends=list(columns),
        floor=FLOOR if log else None,
    )  # fmt: skip


def between_walls(made: StepChart) -> StepChart:
    """Mark the best and the worst point of the interval [−1, 1]."""
    layout = made.figure["layout"]
    layout["yaxis"]["range"] = [-1.15, 1.15]
    charts.level(layout, -1.0, "best point", color=BEST)
    charts.level(layout, 1.0, "worst point", color=WORST)
    return made


def gradient_stream(gradients: Any, shown: int) -> StepChart:
    """The first gradients of a stream, as points."""
    return step_chart(
        "stream",
        "the gradients: one large, two small",
        "The gradient of each step: one large and two small ones in turn.",
        [Curve("", join(np.nan, gradients), style.MUTED, marker="circle", mode="points")],
        log=False,
        last=float(shown),
    )


def against_condition(
    conditions: Sequence[float], columns: Mapping[str, tuple[str, Any]], chosen: Any, most: int
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
    charts.upright(layout, chosen, words("κ = {:3}", chosen))
    return {"data": traces, "layout": layout}


def taylor(
    curve: tuple[Any, Any], w: Any, value: Any, slope: Any, curvature: Any, reach: float
) -> Figure:
    """A function over [−reach, reach] with its tangent at w, its parabola, and the parabola with
    g² in the place of H; each parabola's bottom is where a step that believes it lands."""
    xs, ys = curve
    away = xs - w
    line = value + slope * away
    layout = charts.axes((-reach, reach), (-1.2, 6.0), x_title="w", left=32)
    traces = [charts.line(xs, line, style.MUTED, dash="dot", width=1.6, name="tangent")]
    for name, bend, hue in (
        ("Newton", curvature, "blue"),
        ("g² for H", slope * slope, "purple"),
    ):
        color = charts.color(hue)
        bottom = stack(w - slope / bend)
        lowest = stack(value - 0.5 * slope * slope / bend)
        traces += [
            charts.line(
                xs, line + 0.5 * bend * away * away, color, dash="dash", width=1.8, name=name
            ),
            charts.marks(
                bottom, lowest, color, symbol="diamond", labels=[name], position="top center"
            ),
        ]
    traces.insert(3, charts.line(xs, ys, style.INK, name="f"))
    return {"data": traces, "layout": layout}


def bounded(made: StepChart, low: float, high: float) -> StepChart:
    """A chart whose heights end there: what leaves it leaves the picture."""
    made.figure["layout"]["yaxis"]["range"] = [low, high]
    return made


def with_point(figure: Figure, name: str, x: Any, y: Any) -> Figure:
    """A landscape with a further named point: arrays of one number each."""
    figure["data"].append(
        charts.marks(
            x, y, TRUTH, symbol="x-thin-open", size=9, labels=[name], position="middle right"
        )
    )
    return figure
