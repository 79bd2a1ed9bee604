"""The picture of a gradient check: every parameter's relative error under its traffic light."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.derivatives.gradient_check import GOOD, WRONG, Report
from figures import charts, style

FLOOR = 1e-16  # an error of zero stands here: nothing smaller can be told from it
LIGHTS = {"good": "green", "doubtful": "olive", "wrong": "red", "unchecked": "purple"}
MARKS = {"good": "✓", "doubtful": "?", "wrong": "✗", "unchecked": "∅"}
_TOP = 10.0


def color(verdict: str) -> str:
    """The colour of a verdict, "light|dark"."""
    return charts.color(LIGHTS[verdict])


def errors(report: Report) -> dict[str, Any]:
    """Bars of relative error on a log axis, with the two thresholds."""
    count = len(report.names)
    layout = charts.axes(
        (-0.6, count - 0.4),
        (FLOOR, _TOP),
        y_title="relative error",
        log_y=True,
        kind="bars",
        left=58,
        bottom=64 if count > 6 else 38,
    )
    layout["yaxis"] |= {"dtick": 4}
    layout["xaxis"] |= {
        "tickvals": list(range(count)),
        "ticktext": list(report.names),
        "tickangle": -60 if count > 6 else 0,
    }
    for bound, name in ((GOOD, "good below"), (WRONG, "wrong above")):
        layout["shapes"].append(
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": bound,
                "y1": bound,
                "line": {"color": style.MUTED, "width": 1, "dash": "dot"},
            }
        )
        layout["annotations"].append(
            {
                "xref": "paper",
                "x": 1,
                "y": float(np.log10(bound)),
                "text": f"{name} {bound:.0e}",
                "showarrow": False,
                "xanchor": "right",
                "yanchor": "bottom",
                "font": {"size": 11, "color": style.MUTED},
            }
        )
    bars = {
        "type": "bar",
        "x": list(range(count)),
        # What cannot be checked has no height; a gradient that is no number has all of it.
        "y": [min(max(2 * FLOOR, float(e)), _TOP) for e in report.error],
        "marker": {"color": [color(v) for v in report.verdicts]},
        "text": [MARKS[v] for v in report.verdicts],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y:.2e}<extra></extra>",
    }
    return {"data": [bars], "layout": layout}
