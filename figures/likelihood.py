"""The pictures of maximum likelihood: the data, and curves that share their optimum, laid over each
other so that the constant between them is seen. Numbers may be traced throughout."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from engine.emit.picture import ceil, entry, largest, smallest, stack, words
from engine.losses.likelihood import Curves, NormalCurves
from engine.tape import operations as ops
from figures import charts, style

Figure = dict[str, Any]

LIKELIHOOD: Final = charts.CLASS_COLORS[2]
LOSS: Final = charts.CLASS_COLORS[0]
APART: Final = charts.CLASS_COLORS[1]  # what lies a constant below the loss
TALLEST: Final = 2.6  # nats; the curves rise to infinity at the ends
PER_ROW: Final = 20
_NAMED_AT: Final = 0.12  # of the axis, from the end that is farther from the optimum


def flips(drawn: Any, there: Any, count: Any) -> Figure:
    """One disc a flip, filled for heads; PER_ROW in a row. drawn and there are (most,)."""
    (most,) = ops.shape_of(drawn)
    rows = ceil(count / float(PER_ROW))
    across = ops.maximum(ops.minimum(count, float(PER_ROW)), 10.0)
    layout = charts.axes((-0.7, across - 0.3), (rows - 0.4, -0.6), kind="bars", left=8, bottom=8)
    for axis in ("xaxis", "yaxis"):
        layout[axis]["visible"] = False
    place = np.arange(most)
    data = []
    for heads, text, fill, ink in (
        (1.0, "H", LOSS, style.BACKGROUND), (0.0, "T", style.PANEL, style.INK),
    ):  # fmt: skip
        shown = ops.both(there, ops.equal(drawn, heads))
        discs = charts.marks(
            ops.where(shown, (place % PER_ROW).astype(float), math.nan),
            (place // PER_ROW).astype(float), fill, size=20, labels=[text] * most,
            position="middle center",
        )  # fmt: skip
        discs["marker"]["line"] = {"width": 1.4, "color": LOSS}
        discs["textfont"] = {"size": 11, "color": ink}
        discs["hovertemplate"] = "click to turn over<extra></extra>"
        data.append(discs)
    return {"data": data, "layout": layout}


def losses(over: Curves, here: Curves, best: Any, floor: Any, written: Any, slid: Any) -> Figure:
    """Negative log-likelihood and cross-entropy, which are one curve, and KL, slid up by a part of
    the entropy of the data, `floor`, that lies between; `written` is that as it is printed. here
    is all of them at the chosen θ."""
    layout = charts.axes((0, 1), (0, TALLEST), x_title="θ", left=44)
    charts.upright(layout, best, words("k/n = {:3}", best), color=style.LIMIT, dash="dash")
    raised = over.kl + slid * floor
    data = [
        _held(over.theta, over.cross_entropy, LOSS, width=7.0, opacity=0.4, name="cross-entropy"),
        _held(over.theta, over.nll, style.INK, width=1.4, name="−log L / n"),
        _held(over.theta, raised, APART, width=2.6, dash="dash", name="KL"),
        _gap(here.theta[0], here.kl[0] + slid * floor, here.cross_entropy[0],
             words("H(k/n) = {:8}", written)),
        _names(
            over.theta, ops.where(best > 0.5, _NAMED_AT, 1.0 - _NAMED_AT),
            (over.cross_entropy, "−log L/n = cross-entropy", LOSS), (raised, "KL", APART),
        ),
    ]  # fmt: skip
    return {"data": data, "layout": layout}


def _held(x: Any, y: Any, color: str, **more: Any) -> Figure:
    """A curve that leaves the picture instead of rising without end."""
    return charts.line(x, ops.minimum(y, 2.0 * TALLEST), color, **more)


def _gap(x: Any, low: Any, high: Any, text: Any) -> Figure:
    """What lies between two curves at one place, named below its middle, where the upper curve
    falls towards it, while there is room."""
    middle = ops.where(high - low > 0.1, low + 0.32 * (high - low), math.nan)
    return {
        "type": "scatter", "mode": "lines+markers+text",
        "x": stack(x, x, x), "y": stack(low, middle, high),
        "line": {"color": style.INK, "width": 1.4, "dash": "dot"},
        "marker": {"size": [0, 0, 0], "color": style.INK},
        "text": ["", text, ""], "textposition": "middle right",
        "textfont": {"size": 12, "color": style.INK}, "hoverinfo": "skip",
    }  # fmt: skip


def _names(x: Any, part: Any, *curves: tuple[Any, str, str]) -> Figure:
    """The names of curves over x (m,), beside them at that part of their length."""
    at = part * (len(x) - 1.0)
    marks = charts.marks(
        [entry(x, at)] * len(curves),
        [ops.minimum(entry(y, at) + 0.03 * TALLEST, 0.93 * TALLEST) for y, _, _ in curves],
        style.INK, size=0, labels=[text for _, text, _ in curves], position="top right",
    )  # fmt: skip
    marks |= {"mode": "text", "hoverinfo": "skip"}
    marks["textfont"]["color"] = [style.word(color) for _, _, color in curves]
    return marks


def likelihood(over: Curves, best: Any) -> Figure:
    """The probability of the very sequence over θ, with its peak marked."""
    top = 1.15 * largest(over.likelihood)
    layout = charts.axes((0, 1), (0, top), x_title="θ", left=52)
    layout["yaxis"] |= {"nticks": 5, "exponentformat": "power"}
    charts.upright(layout, best, words("k/n = {:3}", best), color=style.LIMIT, dash="dash")
    return {"data": [charts.line(over.theta, over.likelihood, LIKELIHOOD)], "layout": layout}


# Measurements -------------------------------------------------------------------------------------

REACH: Final = 4.0  # of the axis of measurements, either way


def measurements(measured: Any, x: Any, density: Any, at: Any) -> Figure:
    """The model's density over x, and on each measurement (n,) a stick up to it, `at` (n,) high."""
    (n,) = ops.shape_of(measured)
    top = 1.15 * ops.maximum(largest(density), 0.2)
    layout = charts.axes((-REACH, REACH), (0, top), x_title="y")
    sticks = [
        charts.line(
            stack(measured[i], measured[i]), stack(0.0, at[i]), LOSS, width=1.6, hover="%{y:.3f}"
        )
        for i in range(n)
    ]
    tips = charts.marks(measured, at, LOSS, size=6)
    return {"data": [charts.line(x, density, style.INK), *sticks, tips], "layout": layout}


def normal_losses(
    over: NormalCurves, here: NormalCurves, mu: Any, x: Any, best: Any, written: Any, slid: Any
) -> Figure:
    """Negative log-likelihood over μ, and the squared error, slid up by a part of the constant,
    which is printed as `written`."""
    low = smallest(over.nll, over.squared) - 0.25
    top = smallest(over.nll) + TALLEST
    layout = charts.axes((-REACH, REACH), (low, top), x_title="μ", left=44)
    charts.upright(layout, best, words("mean of y = {:3}", best), color=style.LIMIT, dash="dash")
    raised = over.squared + slid * over.constant
    data = [
        charts.line(x, over.nll, LOSS, width=7.0, opacity=0.4, name="−log L / n"),
        charts.line(x, raised, APART, width=2.6, dash="dash", name="MSE / 2σ²"),
        _gap(
            mu, here.squared[0] + slid * here.constant, here.nll[0],
            words("log σ√2π = {:8}", written),
        ),
    ]  # fmt: skip
    return {"data": data, "layout": layout}
