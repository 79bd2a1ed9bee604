"""The pictures of one neuron under two losses: what it sees of them at each z, and its training."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.studies.saturation import SATURATED, Slopes, saturation_edge
from figures import charts, style

Figure = dict[str, Any]

CROSS_ENTROPY = charts.color("blue")
SQUARED = charts.color("red")
SQUARED_DASH: style.Dash = "dash"
FAINT = 0.25  # the curves for the other target


def _over_z(low: float, high: float, target: float, span: tuple[float, float]) -> Figure:
    """Axes over z with the saturated regions shaded and named."""
    layout = charts.axes(span, (low, high), x_title="z")
    edge = saturation_edge()
    wrong, right = ((span[0], -edge), (edge, span[1])) if target == 1 else (
        (edge, span[1]), (span[0], -edge),
    )  # fmt: skip
    charts.band(layout, *wrong)
    charts.band(layout, *right, color=style.MUTED)
    for (x0, x1), text in ((wrong, "saturated,<br>wrong"), (right, "saturated,<br>right")):
        layout["annotations"].append(
            {
                "x": (x0 + x1) / 2, "yref": "paper", "y": 1, "yanchor": "top", "text": text,
                "showarrow": False, "font": {"size": 11, "color": style.MUTED},
            }
        )  # fmt: skip
    return layout


def sigmoid(curve: Slopes, target: float) -> Figure:
    """The prediction σ(z) and its slope σ'(z) ≤ ¼."""
    span = (float(curve.z[0]), float(curve.z[-1]))
    layout = _over_z(0, 1.3, target, span)
    layout["yaxis"]["tickvals"] = [0, 0.25, 0.5, 0.75, 1]
    charts.level(layout, SATURATED)
    return {
        "data": [
            charts.line(curve.z, curve.prediction, style.INK, name="σ"),
            charts.line(curve.z, curve.steepness, charts.color("green"), dash="dot", name="σ′"),
        ],
        "layout": layout,
    }


def loss(ce: Slopes, mse: Slopes, target: float) -> Figure:
    """Both losses over z."""
    span = (float(ce.z[0]), float(ce.z[-1]))
    layout = _over_z(0, 1.3 * float(ce.loss.max()), target, span)
    return {
        "data": [
            charts.line(ce.z, ce.loss, CROSS_ENTROPY, name="cross-entropy"),
            charts.line(mse.z, mse.loss, SQUARED, dash=SQUARED_DASH, name="squared error"),
        ],
        "layout": layout,
    }


def gradient(
    ce: Slopes, mse: Slopes, others: tuple[Slopes, Slopes], target: float, at: float
) -> Figure:
    """Both gradients by z for this target, and faintly for the other one."""
    span = (float(ce.z[0]), float(ce.z[-1]))
    layout = _over_z(-1.12, 1.5, target, span)
    charts.level(layout, 0)
    charts.upright(layout, at, color=style.TARGET)
    data = []
    for pair, opacity in ((others, FAINT), ((ce, mse), 1.0)):
        data += [
            charts.line(
                pair[0].z, pair[0].gradient, CROSS_ENTROPY, name="cross-entropy", opacity=opacity
            ),
            charts.line(
                pair[1].z, pair[1].gradient, SQUARED, dash=SQUARED_DASH, name="squared error",
                opacity=opacity,
            ),
        ]  # fmt: skip
    return {"data": data, "layout": layout}


def prediction_axes(epochs: int, target: float, recovered: float) -> Figure:
    """Prediction against epoch, with the line at which the neuron has recovered."""
    layout = charts.axes((0, epochs), (-0.03, 1.03), x_title="epoch")
    charts.level(layout, abs(target - recovered), "recovered", side="left")
    return {"data": [], "layout": layout}


def loss_axes(epochs: int, low: float, high: float) -> Figure:
    """Loss against epoch on a logarithmic axis."""
    bottom = max(low / 2, 1e-12)
    layout = charts.axes(
        (0, epochs), (bottom, max(2 * high, 10 * bottom)), x_title="epoch", log_y=True, left=48
    )
    layout["yaxis"]["dtick"] = max(1, int(np.ceil(np.log10(high / bottom) / 5)))
    return {"data": [], "layout": layout}
