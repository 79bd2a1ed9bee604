"""The pictures of the loss gallery: squared error, binary losses, margin losses, focal loss.

The curves stand still or may be traced; what is at the reader's hand is drawn by handles.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine.emit.picture import largest, smallest
from engine.studies.imbalance import FocalCurve
from engine.studies.loss_curves import LossCurve
from engine.studies.margins import MarginCurve
from engine.tape import operations as ops
from figures import charts, style

Figure = dict[str, Any]

FIRST: Final = charts.color("blue")
SECOND: Final = charts.color("red")
FOCAL: Final = charts.color("purple")
SHARE: Final = charts.color("brown")
_FAINT: Final = 0.3  # the loss of the other target

# Each margin loss by colour, dash and marker, as optimizers are told apart.
MARGIN_LOOKS: Final[Mapping[str, style.Look]] = {
    "squared": style.Look(*style.HUES["green"], "dot", "diamond"),
    "logistic": style.Look(*style.HUES["red"], "solid", "hexagon"),
    "hinge": style.Look(*style.HUES["blue"], "dash", "square"),
    "zero_one": style.Look(*style.HUES["ink"], "solid", "circle"),
}


# Squared error ------------------------------------------------------------------------------------


def parabola(curve: LossCurve) -> Figure:
    """The cost of an error."""
    layout = charts.axes(
        (curve.x[0], curve.x[-1]), (0, 1.08 * curve.loss.max()), x_title="error ŷ − y"
    )
    return {"data": [charts.line(curve.x, curve.loss, style.INK)], "layout": layout}


def straight(curve: LossCurve) -> Figure:
    """Its gradient, in proportion to the error."""
    reach = 1.08 * float(np.abs(curve.gradient).max())
    layout = charts.axes((curve.x[0], curve.x[-1]), (-reach, reach), x_title="error ŷ − y")
    charts.level(layout, 0)
    return {"data": [charts.line(curve.x, curve.gradient, style.INK)], "layout": layout}


# Binary cross-entropy -----------------------------------------------------------------------------


def _by_target(
    layout: Figure, curves: Mapping[int, LossCurve], target: int, *, gradient: bool, at: float
) -> Figure:
    """The curve of each target, the one that counts strong, each named at that share of the axis
    from its own end."""
    data = []
    for own, color in ((1, FIRST), (0, SECOND)):
        curve = curves[own]
        heights = curve.gradient if gradient else curve.loss
        data.append(
            charts.line(
                curve.x, heights, color, name=f"y = {own}", opacity=1.0 if own == target else _FAINT
            )
        )
        place = round((at if own == 1 else 1 - at) * (len(heights) - 1))
        low, high = layout["yaxis"]["range"]
        span = high - low
        height = min(max(heights[place] + 0.07 * span, low + 0.04 * span), high - 0.04 * span)
        charts.note(
            layout, curve.x[place], height, f"y = {own}", color=color,
            anchor="left" if own == 1 else "right",
        )  # fmt: skip
    return {"data": data, "layout": layout}


def by_probability(curves: Mapping[int, LossCurve], target: int, *, steepest: float) -> Figure:
    """−log p and −log(1 − p), or (steepest > 0) their slopes, as far as ± steepest."""
    top = 1.02 * float(curves[1].loss.max())
    bounds = (-steepest, steepest) if steepest else (0.0, top)
    layout = charts.axes((0, 1), bounds, x_title="predicted probability p of class 1")
    if steepest:
        charts.level(layout, 0)
    return _by_target(layout, curves, target, gradient=bool(steepest), at=0.09)


def by_logit(curves: Mapping[int, LossCurve], target: int, *, slope: float) -> Figure:
    """The same losses over the logit, nearly straight where they are wrong; or (slope > 0) their
    gradients, which stay within ± slope."""
    z = curves[1].x
    bounds = (-1.15 * slope, 1.15 * slope) if slope else (0.0, 1.05 * float(curves[1].loss.max()))
    layout = charts.axes((z[0], z[-1]), bounds, x_title="logit z = z₁ − z₀")
    if slope:
        charts.level(layout, 0)
    return _by_target(layout, curves, target, gradient=bool(slope), at=0.12)


# Margin losses ------------------------------------------------------------------------------------


def _over_margin(
    studies: Mapping[str, MarginCurve], bounds: tuple[float, float], *, gradient: bool
) -> Figure:
    m = next(iter(studies.values())).margin
    layout = charts.axes((m[0], m[-1]), bounds, x_title="margin m = y·s")
    charts.band(layout, m[0], 0)
    data = [
        charts.line(
            m, s.gradient if gradient else s.loss, MARGIN_LOOKS[n].color,
            dash=MARGIN_LOOKS[n].dash, name=n.replace("_", "-"),
        )
        for n, s in studies.items()
    ]  # fmt: skip
    return {"data": data, "layout": layout}


def margin_losses(studies: Mapping[str, MarginCurve]) -> Figure:
    """Every margin loss over the margin."""
    figure = _over_margin(studies, (-0.1, 5.0), gradient=False)
    charts.note(figure["layout"], -2.4, 0.35, "wrong sign")
    return figure


def margin_gradients(studies: Mapping[str, MarginCurve]) -> Figure:
    """Every margin loss's gradient over the margin; zero-one's jump is drawn as a gap."""
    figure = _over_margin(studies, (-4.2, 1.4), gradient=True)
    charts.level(figure["layout"], 0)
    return figure


def margin_axes(paths: list[Any], steps: Any) -> Figure:
    """Margin against step; above 0 the sign is right."""
    low = ops.maximum(smallest(*paths, 0.0) - 0.3, -4.0)
    high = ops.minimum(largest(*paths, 1.0) + 0.4, 5.0)
    layout = charts.axes((0, steps), (low, high), x_title="step")
    charts.level(layout, 0, "sign right above")
    return {"data": [], "layout": layout}


# Focal loss ---------------------------------------------------------------------------------------


def focal(plain: FocalCurve, focal_: FocalCurve) -> Figure:
    """Focal loss over p_t, with cross-entropy (γ = 0) under it."""
    layout = charts.axes((0, 1), (0, 5), x_title="p of the true class, pₜ")
    charts.note(layout, 0.16, 2.6, "cross-entropy", anchor="left")
    return {
        "data": [
            charts.line(plain.p_true, plain.loss, style.MUTED, dash="dash", name="cross-entropy"),
            charts.line(focal_.p_true, focal_.loss, FOCAL, name="focal"),
        ],
        "layout": layout,
    }


def focal_gradient(plain: FocalCurve, focal_: FocalCurve) -> Figure:
    """Size of the gradient by the logit over p_t."""
    pulls = ops.negative(focal_.gradient)
    top = 1.1 * ops.maximum(largest(pulls), 1.0)
    layout = charts.axes((0, 1), (0, top), x_title="p of the true class, pₜ")
    return {
        "data": [
            charts.line(
                plain.p_true, -plain.gradient, style.MUTED, dash="dash", name="cross-entropy"
            ),
            charts.line(focal_.p_true, pulls, FOCAL, name="focal"),
        ],
        "layout": layout,
    }


def easy_share(gammas: Any, share: Any) -> Figure:
    """The easy examples' share of the gradient against γ."""
    layout = charts.axes((gammas[0], gammas[-1]), (0, 1.08), x_title="γ")
    layout["yaxis"]["tickformat"] = ".0%"
    charts.level(layout, 0.5)
    hover = "γ = %{x:.2f}: %{y:.1%}"
    return {"data": [charts.line(gammas, share, SHARE, hover=hover)], "layout": layout}
