"""The pictures of four routes to a derivative: tangent and secant, error against h, swell."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.derivatives.four_ways import STEPS, Curve, Errors, Study, Swell
from engine.derivatives.numerical import BEST_CENTRAL_STEP, BEST_FORWARD_STEP, EPSILON
from figures import charts, style

Figure = dict[str, Any]

FORWARD_DIFFERENCE: Final = charts.color("brown")
CENTRAL_DIFFERENCE: Final = charts.color("blue")
COMPLEX_STEP: Final = charts.color("purple")
MODES: Final = charts.color("green")

# How each count of the swell is drawn, for the picture and the table beside it.
SWELL: Final = {
    "unrolled": style.Look(*style.HUES["red"], "dash", "square"),
    "sympy": style.Look(*style.HUES["pink"], "dot", "diamond"),
    "shared": style.Look(*style.HUES["brown"], "dashdot", "triangle"),
    "reverse": style.Look(*style.HUES["green"], "solid", "circle"),
}

FLOOR: Final = 1e-17  # an error of 0 is drawn here
_CEILING: Final = 1e3


def tangent(line: Curve, study: Study, reach: float) -> Figure:
    """The function along one input, its tangent, and the secant of the central difference."""
    layout = charts.axes((-reach, reach), line.window, x_title=study.wrt)
    data = [charts.line(line.x, line.y, style.INK, name="f")]
    slope, value, x = study.answer("reverse mode").value, study.exact.value, study.at
    ends = np.array([-reach, reach])
    if math.isfinite(slope) and not study.exact.trouble:
        data.append(charts.line(ends, value + slope * (ends - x), MODES, width=1.8, name="tangent"))
    below, above = study.ends
    if study.h >= 0.004 * reach and math.isfinite(below) and math.isfinite(above):
        at = np.array([x - study.h, x + study.h])
        chord = study.answer("central difference").value
        through = below + chord * (ends - at[0])
        data.append(
            charts.line(ends, through, CENTRAL_DIFFERENCE, dash="dash", width=1.6, name="secant")
        )
        data.append(charts.marks(at, [below, above], CENTRAL_DIFFERENCE, symbol="square", size=7))
    return {"data": data, "layout": layout}


def errors(curves: Errors | None, h: float) -> Figure:
    """Errors against h on log–log axes, with what theory says of truncation and round-off."""
    layout = charts.axes(
        (STEPS[0], STEPS[-1]), (FLOOR / 3, _CEILING), x_title="step h", log_x=True, log_y=True,
        left=52,
    )  # fmt: skip
    layout["xaxis"]["dtick"] = 2
    layout["yaxis"]["dtick"] = 4
    charts.level(layout, EPSILON)
    charts.note(layout, 3e-3, EPSILON, "ε")
    layout["annotations"][-1]["yshift"] = 9
    if curves is None:
        charts.note(layout, 1e-8, 1e-7, "no derivative here to measure against")
        return {"data": [], "layout": layout}
    charts.upright(layout, BEST_FORWARD_STEP, color=FORWARD_DIFFERENCE)
    charts.upright(layout, BEST_CENTRAL_STEP, color=CENTRAL_DIFFERENCE)
    _name_step(layout, BEST_FORWARD_STEP, "√ε", FORWARD_DIFFERENCE, "right")
    _name_step(layout, BEST_CENTRAL_STEP, "ε<sup>1/3</sup>", CENTRAL_DIFFERENCE, "left")
    guides = (
        (curves.round_off, "round-off ∝ 1/h", 1e-13, 18, "left"),
        (curves.first_order, "∝ h", 1e-3, 14, "right"),
        (curves.second_order, "∝ h²", 1e-3, -14, "left"),
    )
    data = []
    for values, text, at, shift, anchor in guides:
        if not (values > 0).all():
            continue
        data.append(
            charts.line(STEPS, shown(values), style.MUTED, dash="dot", width=1.2, name=text)
        )
        height = float(np.interp(at, STEPS, values))
        if FLOOR < height < _CEILING / 100:
            charts.note(layout, at, height, text, anchor=anchor)
            layout["annotations"][-1]["yshift"] = shift
    hover = "h = %{x:.1e}: %{y:.1e}"
    data += [
        charts.line(
            STEPS, shown(curves.forward), FORWARD_DIFFERENCE, dash="dash", width=1.8,
            name="forward difference", hover=hover,
        ),
        charts.line(
            STEPS, shown(curves.central), CENTRAL_DIFFERENCE, width=1.8,
            name="central difference", hover=hover,
        ),
        charts.line(
            STEPS[::2], shown(curves.complex), COMPLEX_STEP, dash="dot", width=2.6,
            name="complex step", hover=hover,
        ),
    ]  # fmt: skip
    return {"data": data, "layout": layout}


def shown(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Errors as they are drawn: none below the floor, where a logarithm has no place for 0."""
    return np.maximum(values, FLOOR)


def _name_step(layout: Figure, h: float, text: str, color: str, anchor: str) -> None:
    layout["annotations"].append(
        {
            "x": float(np.log10(h)), "yref": "paper", "y": 1, "yanchor": "top", "text": text,
            "xanchor": anchor, "showarrow": False, "font": {"size": 13, "color": color},
            "xshift": -3 if anchor == "right" else 3,
        }
    )  # fmt: skip


def swell(counts: Swell, times: int) -> Figure:
    """Operations of the derivative against the number of compositions, on a log axis."""
    n = np.arange(1, len(counts.function) + 1)
    series = {
        "unrolled": counts.unrolled,
        "sympy": counts.sympy,
        "shared": counts.shared,
        "reverse": counts.reverse,
    }
    top = max(max(counts.unrolled), *(c or 1 for c in counts.sympy), 100)
    layout = charts.axes(
        (0.7, len(n) + 0.3), (0.7, 3.0 * top), x_title="times composed, n",
        y_title="operations", log_y=True, left=52,
    )  # fmt: skip
    layout["xaxis"]["dtick"] = 1
    charts.upright(layout, times, color=style.TARGET)
    data = []
    for name, values in series.items():
        known = [(k, v) for k, v in zip(n, values, strict=True) if v]
        if not known:
            continue
        at, height = zip(*known, strict=True)
        look = SWELL[name]
        trace = charts.line(at, height, look.color, dash=look.dash, hover="n = %{x}: %{y:,.0f}")
        marker = {"symbol": look.symbol, "size": 7, "color": look.color}
        data.append(trace | {"mode": "lines+markers", "marker": marker})
    return {"data": data, "layout": layout}
