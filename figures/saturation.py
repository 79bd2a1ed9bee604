"""The pictures of one neuron under two losses: what it sees of them at each z, and its training.

Where the reader's hand reaches, the numbers may be traced.
"""

from __future__ import annotations

import math
from typing import Any, Final

from engine.emit.picture import stack, words, written
from engine.studies.saturation import SATURATED, Slopes, saturation_edge
from engine.tape import operations as ops
from figures import charts, style

Figure = dict[str, Any]

CROSS_ENTROPY: Final = charts.color("blue")
MSE: Final = charts.color("red")
MSE_DASH: Final[style.Dash] = "dash"
FOOT: Final = -1.2  # where the handle of z stands, out of the way of the arrows
BESIDE: Final = 0.09  # how far from z each of the two arrows stands
EDGE: Final = 4.5  # of z, beyond which a label has room on the other side alone
_FAINT: Final = 0.25  # the curves for the other target


def _over_z(low: float, high: float, target: float, span: tuple[float, float]) -> Figure:
    """Axes over z with the saturated regions shaded and named."""
    layout = charts.axes(span, (low, high), x_title="logit z")
    edge = saturation_edge()
    left, right = (span[0], -edge), (edge, span[1])
    wrong, sure = (left, right) if target == 1 else (right, left)
    charts.band(layout, *wrong)
    charts.band(layout, *sure, color=style.MUTED)
    for (x0, x1), text in ((wrong, "saturated,<br>wrong"), (sure, "saturated,<br>right")):
        layout["annotations"].append(
            {
                "x": (x0 + x1) / 2, "yref": "paper", "y": 1, "yanchor": "top", "text": text,
                "showarrow": False, "font": {"size": 11, "color": style.MUTED},
            }
        )  # fmt: skip
    return layout


def gradient(
    ce: Slopes, mse: Slopes, others: tuple[Slopes, Slopes], target: int, here: tuple[Slopes, Slopes]
) -> Figure:
    """Both gradients by z for this target, and faintly for the other one; `here` is the neuron."""
    span = (float(ce.z[0]), float(ce.z[-1]))
    layout = _over_z(FOOT - 0.08, 1.5, target, span)
    charts.level(layout, 0)
    charts.upright(layout, here[0].z, color=style.TARGET)
    data = []
    for pair, opacity in ((others, _FAINT), ((ce, mse), 1.0)):
        data += [
            charts.line(
                pair[0].z, pair[0].gradient, CROSS_ENTROPY, name="cross-entropy", opacity=opacity
            ),
            charts.line(
                pair[1].z, pair[1].gradient, MSE, dash=MSE_DASH, name="MSE", opacity=opacity
            ),
        ]
    side = -1 if target == 1 else 1  # the faint curves lie on the other side of 0
    text = f"pale: the same for y = {1 - target}"  # in the corner that no curve comes to
    charts.note(layout, -0.6 * side, -0.86 * side, text, anchor="right" if side < 0 else "left")
    pull = here[0].gradient / 2
    beside = ops.where(ops.absolute(pull) > 0.12, pull, 0.12 * side)
    for slopes, color, height, left in (
        (here[0], CROSS_ENTROPY, beside, here[0].z > -EDGE),
        (here[1], MSE, -0.09 * side, here[1].z > EDGE),
    ):
        text = words("{:+.4f}", slopes.gradient)
        for away, anchor, there in (
            (-2 * BESIDE, "right", ops.where(left, 1.0, math.nan)),
            (2 * BESIDE, "left", ops.where(left, math.nan, 1.0)),
        ):
            at = slopes.z + away * there
            charts.note(layout, at, height, text, color=color, anchor=anchor)
    return {"data": data, "layout": layout}


def sigmoid(curve: Slopes, target: float, here: Slopes) -> Figure:
    """The prediction σ(z) and its slope σ'(z) ≤ ¼, with the neuron on each."""
    span = (float(curve.z[0]), float(curve.z[-1]))
    layout = _over_z(0, 1.3, target, span)
    layout["yaxis"]["tickvals"] = [0, 0.25, 0.5, 0.75, 1]
    green = charts.color("green")
    charts.level(layout, SATURATED, f"σ′ = {SATURATED}", color=green)
    charts.note(layout, 0.62 * span[1], 0.85, "σ")
    charts.note(layout, 0.0, 0.32, "σ′", color=green)
    point = charts.marks(stack(here.z), stack(here.steepness), green)
    named = [
        charts.marks(
            stack(ops.where(there, here.z, math.nan)), stack(here.prediction + away), style.INK,
            size=0, labels=[words("ŷ = {:.4f}", here.prediction)], position=position,
        )
        | {"mode": "text", "hoverinfo": "skip"}
        for there, away, position in (
            (here.z < -EDGE, 0.1, "top right"),
            (ops.both(here.z >= -EDGE, here.z < 0.0), 0.1, "top left"),
            (ops.both(here.z >= 0.0, here.z <= EDGE), -0.1, "bottom right"),
            (here.z > EDGE, -0.1, "bottom left"),
        )
    ]  # fmt: skip
    return {
        "data": [
            *named,
            charts.line(curve.z, curve.prediction, style.INK, name="σ"),
            charts.line(curve.z, curve.steepness, green, dash="dot", name="σ′"),
            point,
        ],
        "layout": layout,
    }


def prediction_axes(
    epochs: Any, target: int, recovered: float, first: tuple[Any, Any], start: Any
) -> Figure:
    """Prediction against epoch, with the line at which the neuron has recovered.

    `first` is the epoch at which each loss is there, NaN for one that never is; `start` is where
    the neuron begins.
    """
    layout = charts.axes((0, epochs), (-0.05, 1.05), x_title="epoch")
    height = abs(target - recovered)
    charts.level(layout, height)
    place = 0.98 * epochs  # in the corner that both curves leave free
    rows = (0.42, 0.27, 0.15) if target == 1 else (0.58, 0.73, 0.85)
    text = f"dotted: recovered,<br>|ŷ − y| = {written(recovered)}"
    charts.note(layout, place, rows[0], text, anchor="right")
    data = []
    for epoch, color, symbol, name, row in (
        (first[0], CROSS_ENTROPY, "circle", "CE", rows[1]),
        (first[1], MSE, "square", "MSE", rows[2]),
    ):
        data.append(charts.marks(stack(epoch), [height], color, symbol=symbol))
        said = words(f"{name}: {{:.0f}} epochs", epoch)
        there = ops.where(epoch >= 0, place, math.nan)  # one that never recovers says nothing
        charts.note(layout, there, row, said, color=color, anchor="right")
    data.append(charts.marks([0.0], stack(start), style.INK))
    return {"data": data, "layout": layout}
