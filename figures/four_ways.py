"""The pictures of four routes to a derivative: tangent and secant, a lens on the secant, the error
against h, and the swell of expressions. Numbers may be traced."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.derivatives.four_ways import LENS, STEPS, Errors, Swell, Traced
from engine.derivatives.numerical import BEST_CENTRAL_STEP, BEST_FORWARD_STEP, EPSILON
from engine.emit.picture import entry, stack
from engine.limits import COMPOSITIONS
from engine.tape import operations as ops
from figures import charts, style

Figure = dict[str, Any]

# How each route is drawn, in the picture and in the table beside it.
ROUTES: Final = {
    "forward difference": style.Look(*style.HUES["brown"], "dash", "square"),
    "central difference": style.Look(*style.HUES["blue"], "solid", "square"),
    "complex step": style.Look(*style.HUES["purple"], "dot", "diamond"),
    "modes": style.Look(*style.HUES["green"], "solid", "circle"),
}
FORWARD: Final = ROUTES["forward difference"].color
CENTRAL: Final = ROUTES["central difference"].color
COMPLEX: Final = ROUTES["complex step"].color
MODES: Final = ROUTES["modes"].color

# How each count of the swell is drawn, for the picture and the table beside it.
SWELL: Final = {
    "unrolled": style.Look(*style.HUES["red"], "dash", "square"),
    "tidied": style.Look(*style.HUES["pink"], "dot", "diamond"),
    "shared": style.Look(*style.HUES["brown"], "dashdot", "triangle"),
    "reverse": style.Look(*style.HUES["green"], "solid", "circle"),
}

FLOOR: Final = 1e-17  # an error of 0 is drawn here
_CEILING: Final = 1e3
MOST: Final = 1e18  # operations: no picture goes beyond


def curve(
    xs: npt.NDArray[np.float64], ys: Any, window: tuple[float, float], at: Traced, h: Any
) -> Figure:
    """The function along one input, its tangent, and the secant of the central difference."""
    low, high = window
    reach = float(xs[-1])
    layout = charts.axes((-reach, reach), window, x_title=at.wrt)
    room = high - low
    inside = ops.both(ops.greater(ys, low - room), ops.less(ys, high + room))
    ends = np.array([-reach, reach])
    tangent = at.value + at.slope * (ends - at.x)
    secant = at.below + at.central * (ends - (at.x - h))
    data = [
        charts.line(xs, ops.where(inside, ys, np.nan), style.INK, name="f"),
        charts.line(ends, tangent, MODES, width=1.8, name="tangent"),
        charts.line(ends, secant, CENTRAL, dash="dash", width=1.6, name="secant"),
        charts.marks(
            stack(at.x - h, at.x + h), stack(at.below, at.above), CENTRAL, symbol="square", size=7
        ),
    ]
    return {"data": data, "layout": layout}


def lens(at: Traced) -> Figure:
    """The same from x − 2h to x + 2h, its changes in units of h: a slope is a slope still."""
    sides = stack(at.lens[60], at.lens[180])
    steep = ops.maximum(ops.absolute(at.slope), ops.absolute(at.central))
    steep = ops.maximum(steep, ops.maximum(*(ops.absolute(at.lens[k]) for k in (60, 180))))
    steep = ops.maximum(ops.where(ops.less(steep, 1e300), steep, 1.0), 1e-3)
    layout = charts.axes((-2.0, 2.0), (-2.6 * steep, 2.6 * steep), x_title="steps h from the point")
    layout["yaxis"] |= {"title": {"text": "change of f, in units of h"}}
    layout["margin"] |= {"l": 52}
    ends = np.array([-2.0, 2.0])
    data = [
        charts.line(LENS, at.lens, style.INK, name="f"),
        charts.line(ends, at.slope * ends, MODES, width=1.8, name="tangent"),
        charts.line(
            ends, at.lens[60] + at.central * (ends + 1.0), CENTRAL, dash="dash", width=1.6,
            name="secant",
        ),
        charts.marks(np.array([-1.0, 1.0]), sides, CENTRAL, symbol="square", size=7),
    ]  # fmt: skip
    charts.upright(layout, 0.0)
    for text, hue, u, height in (
        ("tangent", MODES, 1.3, at.slope * 1.3),
        ("secant", CENTRAL, -1.5, at.lens[60] - at.central * 0.5),
    ):
        charts.note(layout, u, height, text, color=hue, anchor="right" if u > 0 else "left")
        layout["annotations"][-1]["yshift"] = 14 if u > 0 else -14
    return {"data": data, "layout": layout}


def errors(curves: Errors | None, at: Traced, still: Any) -> Figure:
    """Errors against h on log–log axes, with what theory says of truncation and round-off.

    still is 1 while the point rests: what long arithmetic knows of it is shown only then.
    """
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
    charts.upright(layout, BEST_FORWARD_STEP, color=FORWARD)
    charts.upright(layout, BEST_CENTRAL_STEP, color=CENTRAL)
    _name_step(layout, BEST_FORWARD_STEP, "√ε", FORWARD, "right")
    _name_step(layout, BEST_CENTRAL_STEP, "ε<sup>1/3</sup>", CENTRAL, "left")
    data = []
    for values in (curves.round_off, curves.first_order, curves.second_order):
        if (values > 0).all():
            shade = ops.where(still, shown(values), np.nan)
            data.append(charts.line(STEPS, shade, style.MUTED, dash="dot", width=1.2))
    hover = "h = %{x:.1e}: %{y:.1e}"
    data += [
        charts.line(
            STEPS, shown(at.forward_errors), FORWARD, dash="dash", width=1.8,
            name="forward difference", hover=hover,
        ),
        charts.line(
            STEPS, shown(at.central_errors), CENTRAL, width=1.8, name="central difference",
            hover=hover,
        ),
        charts.line(
            STEPS[::2], ops.where(still, shown(curves.complex), np.nan), COMPLEX, dash="dot",
            width=2.6, name="complex step", hover=hover,
        ),
    ]  # fmt: skip
    _name_lines(layout, curves, at)
    return {"data": data, "layout": layout}


# Where each line is named: at which of the STEPS, how far beside it, on which side.
_NAMED: Final = (
    ("forward difference ∝ h", FORWARD, 100, 16, "right"),
    ("central ∝ h²", CENTRAL, 104, -14, "left"),
)


def _name_lines(layout: Figure, curves: Errors, at: Traced) -> None:
    """A name beside each line, in its colour."""
    for (text, hue, k, shift, side), values in zip(
        _NAMED, (at.forward_errors, at.central_errors), strict=True
    ):
        height = ops.minimum(ops.maximum(values[k], FLOOR), _CEILING / 100)
        charts.note(layout, float(STEPS[k]), height, text, color=hue, anchor=side)
        layout["annotations"][-1]["yshift"] = shift
    charts.note(layout, 1e-15, 60.0, "round-off ∝ 1/h", anchor="left")
    finite = curves.complex[np.isfinite(curves.complex)]
    if finite.size:
        charts.note(layout, 3e-16, 2e-17, "complex step", color=COMPLEX, anchor="left")
        layout["annotations"][-1]["yshift"] = 8


def on_curve(values: Any, h: Any) -> Any:
    """The height at which the step's handle stands: on an error over STEPS, within the picture."""
    place = (ops.log(h) / np.log(10.0) + 16.0) * (len(STEPS) - 1) / 16.0
    return ops.minimum(shown(entry(values, place)), _CEILING / 10)


def shown(values: Any) -> Any:
    """Errors as they are drawn: none below the floor, where a logarithm has no place for 0."""
    return ops.maximum(values, FLOOR)


def _name_step(layout: Figure, h: float, text: str, color: str, anchor: str) -> None:
    layout["annotations"].append(
        {
            "x": float(np.log10(h)), "yref": "paper", "y": 1, "yanchor": "top", "text": text,
            "xanchor": anchor, "showarrow": False, "font": {"size": 13, "color": style.word(color)},
            "xshift": -3 if anchor == "right" else 3,
        }
    )  # fmt: skip


def swell(counts: Swell, times: Any) -> Figure:
    """Operations of the derivative against the number of compositions, on a log axis."""
    n = np.arange(1, len(counts.function) + 1)
    series = {name: np.minimum(np.array(getattr(counts, name), float), MOST) for name in SWELL}
    top = max(float(values.max()) for values in (*series.values(), np.array([100.0])))
    layout = charts.axes(
        (0.7, COMPOSITIONS + 0.3), (0.7, 3.0 * top), x_title="times composed, n",
        y_title="operations", log_y=True, left=52,
    )  # fmt: skip
    layout["xaxis"]["dtick"] = 1
    charts.upright(layout, times, color=style.TARGET)
    data = []
    for name, values in series.items():
        known = values > 0
        if not known.any():
            continue
        look = SWELL[name]
        trace = charts.line(
            n[known], values[known], look.color, dash=look.dash, hover="n = %{x}: %{y:,.0f}"
        )
        marker = {"symbol": look.symbol, "size": 7, "color": look.color}
        data.append(trace | {"mode": "lines+markers", "marker": marker})
    for name, text, shift in (("unrolled", "written out", 14), ("reverse", "on the tape", 14)):
        k = min(5, len(n)) - 1
        if series[name][k] > 0:
            hue = SWELL[name].color
            charts.note(layout, k + 1.0, float(series[name][k]), text, color=hue, anchor="right")
            layout["annotations"][-1]["yshift"] = shift
    return {"data": data, "layout": layout}
