"""A chart against the step as a panel of the stage: figures know nothing of the stage, nor it of
them."""

from __future__ import annotations

from typing import Any

from components.stage import Panel, Track
from figures.step_chart import StepChart


def step_panel(chart: StepChart, **more: Any) -> Panel:
    """The chart with the stage's cursor on it; `more` are fields of the panel."""
    tracks = [
        Track(
            y=curve.values, color=curve.color, dash=curve.dash, marker=curve.marker,
            label=curve.label, mode=curve.mode, width=curve.width,
        )
        for curve in chart.curves
    ]  # fmt: skip
    return Panel(
        id=chart.id, kind="chart", title=chart.title, alt=chart.alt, figure=chart.figure,
        tracks=tracks, cursor=True, **more,
    )  # fmt: skip
