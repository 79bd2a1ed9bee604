"""The pictures of the loss gallery: squared error, binary losses, margin losses, focal loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.studies.imbalance import FocalCurve
from engine.studies.margins import MarginCurve
from figures import charts, style

Figure = dict[str, Any]
Array = npt.NDArray[np.float64]

FIRST = charts.color("blue")
SECOND = charts.color("red")
FOCAL = charts.color("purple")
SHARE = charts.color("brown")

# Each margin loss by colour, dash and marker, as optimizers are told apart.
MARGIN_LOOKS: Mapping[str, style.Look] = {
    "zero_one": style.Look(*style.HUES["ink"], "solid", "circle"),
    "hinge": style.Look(*style.HUES["blue"], "dash", "square"),
    "logistic": style.Look(*style.HUES["red"], "solid", "hexagon"),
    "squared": style.Look(*style.HUES["green"], "dot", "diamond"),
}


# Squared error ------------------------------------------------------------------------------------


def parabola(errors: Array, losses: Array) -> Figure:
    """The cost of an error."""
    layout = charts.axes((errors[0], errors[-1]), (0, 1.08 * losses.max()), x_title="error ŷ − y")
    return {"data": [charts.line(errors, losses, style.INK)], "layout": layout}


def straight(errors: Array, gradients: Array) -> Figure:
    """Its gradient, in proportion to the error."""
    reach = 1.08 * float(np.abs(gradients).max())
    layout = charts.axes((errors[0], errors[-1]), (-reach, reach), x_title="error ŷ − y")
    charts.level(layout, 0)
    return {"data": [charts.line(errors, gradients, style.INK)], "layout": layout}


# Binary cross-entropy -----------------------------------------------------------------------------


def binary(p: Array, for_one: Array, for_zero: Array, target: int) -> Figure:
    """−log p and −log(1 − p), the one that counts strong."""
    top = 1.02 * float(max(for_one.max(), for_zero.max()))
    layout = charts.axes((0, 1), (0, top), x_title="predicted probability p of class 1")
    data = [
        charts.line(p, y, color, opacity=1.0 if own == target else 0.3, name=name)
        for y, color, own, name in (
            (for_one, FIRST, 1, "y = 1"), (for_zero, SECOND, 0, "y = 0"),
        )
    ]  # fmt: skip
    return {"data": data, "layout": layout}


def by_logit(z: Array, for_one: Array, for_zero: Array, target: int) -> Figure:
    """The same losses over the logit: nearly straight where they are wrong."""
    top = 1.05 * float(max(for_one.max(), for_zero.max()))
    layout = charts.axes((z[0], z[-1]), (0, top), x_title="logit z = z₁ − z₀")
    data = [
        charts.line(z, y, color, opacity=1.0 if own == target else 0.3, name=name)
        for y, color, own, name in (
            (for_one, FIRST, 1, "y = 1"), (for_zero, SECOND, 0, "y = 0"),
        )
    ]  # fmt: skip
    return {"data": data, "layout": layout}


# Margin losses ------------------------------------------------------------------------------------


def margin_losses(studies: Mapping[str, MarginCurve]) -> Figure:
    """Every margin loss over the margin."""
    m = next(iter(studies.values())).margin
    layout = charts.axes((m[0], m[-1]), (-0.1, 5), x_title="margin m = y·s")
    charts.band(layout, m[0], 0)
    charts.note(layout, 0.82 * m[0], 4.7, "wrong sign")
    data = [
        charts.line(
            m, np.minimum(s.loss, 12), MARGIN_LOOKS[n].color, dash=MARGIN_LOOKS[n].dash,
            name=n.replace("_", "-"),
        )
        for n, s in studies.items()
    ]  # fmt: skip
    return {"data": data, "layout": layout}


def margin_gradients(studies: Mapping[str, MarginCurve]) -> Figure:
    """Every margin loss's gradient over the margin."""
    m = next(iter(studies.values())).margin
    layout = charts.axes((m[0], m[-1]), (-4.2, 1.4), x_title="margin m = y·s")
    charts.band(layout, m[0], 0)
    data = [
        charts.line(
            m, np.clip(s.gradient, -12, 12), MARGIN_LOOKS[n].color, dash=MARGIN_LOOKS[n].dash,
            name=n.replace("_", "-"),
        )
        for n, s in studies.items()
    ]  # fmt: skip
    return {"data": data, "layout": layout}


def margin_axes(steps: int, low: float, high: float) -> Figure:
    """Margin against step; above 0 the sign is right."""
    layout = charts.axes((0, steps), (low - 0.3, high + 0.4), x_title="step")
    charts.level(layout, 0, "sign right above")
    return {"data": [], "layout": layout}


def fall_axes(steps: int, top: float) -> Figure:
    """Loss against step."""
    return {"data": [], "layout": charts.axes((0, steps), (-0.1, 1.08 * top), x_title="step")}


# Focal loss ---------------------------------------------------------------------------------------


def focal(plain: FocalCurve, focal_: FocalCurve, gamma: float) -> Figure:
    """Focal loss over p_t, with cross-entropy (γ = 0) under it."""
    layout = charts.axes((0, 1), (0, 5), x_title="p of the true class, pₜ")
    return {
        "data": [
            charts.line(plain.p_true, plain.loss, style.MUTED, dash="dash", name="cross-entropy"),
            charts.line(focal_.p_true, focal_.loss, FOCAL, name=f"focal, γ = {gamma:g}"),
        ],
        "layout": layout,
    }


def focal_gradient(plain: FocalCurve, focal_: FocalCurve) -> Figure:
    """Size of the gradient by the logit over p_t."""
    top = 1.1 * max(1.0, float(np.abs(focal_.gradient).max()))
    layout = charts.axes((0, 1), (0, top), x_title="p of the true class, pₜ")
    return {
        "data": [
            charts.line(
                plain.p_true, -plain.gradient, style.MUTED, dash="dash", name="cross-entropy"
            ),
            charts.line(focal_.p_true, -focal_.gradient, FOCAL, name="focal"),
        ],
        "layout": layout,
    }


def easy_share(gammas: Array, share: Array) -> Figure:
    """The easy examples' share of the gradient against γ."""
    layout = charts.axes((gammas[0], gammas[-1]), (0, 1.04), x_title="γ")
    layout["yaxis"]["tickformat"] = ".0%"
    charts.level(layout, 0.5)
    hover = "γ = %{x:.2f}: %{y:.1%}"
    return {"data": [charts.line(gammas, share, SHARE, hover=hover)], "layout": layout}
