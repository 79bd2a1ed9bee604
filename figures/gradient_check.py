"""The picture of a gradient check: every parameter's error over bands of verdicts, and the network
whose weights they are. Errors may be traced, and then move from band to band under the hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from engine.derivatives.gradient_check import GOOD, WRONG, Measured, Verdict
from engine.emit.picture import written
from engine.tape import operations as ops
from figures import charts, style

Figure = dict[str, Any]

FLOOR = 1e-16  # an error of zero stands here: nothing smaller can be told from it
LIGHTS: dict[Verdict, str] = {
    "good": "green", "doubtful": "olive", "wrong": "red", "unchecked": "purple",
}  # fmt: skip
MARKS: dict[Verdict, str] = {"good": "✓", "doubtful": "?", "wrong": "✗", "unchecked": "∅"}
SYMBOLS: dict[Verdict, str] = {
    "good": "circle", "doubtful": "diamond", "wrong": "x", "unchecked": "circle-open",
}  # fmt: skip
_TOP = 10.0


def color(verdict: Verdict) -> str:
    """The colour of a verdict, "light|dark"."""
    return charts.color(LIGHTS[verdict])


def errors(names: tuple[str, ...], measured: Measured) -> Figure:
    """Lollipops of relative error on a log axis, over the bands of good, doubtful and wrong."""
    count = len(names)
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
        "ticktext": list(names),
        "tickangle": -60 if count > 6 else 0,
    }
    bounds = (FLOOR, GOOD, WRONG, _TOP)
    for verdict, low, high in zip(LIGHTS, bounds, bounds[1:], strict=False):
        _band(layout, low, high, verdict)
    at = np.arange(count, dtype=float)
    height = ops.minimum(ops.maximum(measured.error, 2 * FLOOR), _TOP / 2)
    height = ops.where(measured.where("unchecked"), 2 * FLOOR, height)
    data = []
    for verdict in LIGHTS:
        shown = ops.where(measured.where(verdict), height, np.nan)
        data.append(_stems(at, shown, count, color(verdict)))
        head = charts.marks(at, shown, color(verdict), symbol=SYMBOLS[verdict], size=10)
        data.append({**head, "hovertemplate": f"{MARKS[verdict]} {verdict}: %{{y:.1e}}"})
    return {"data": data, "layout": layout}


def _band(layout: Figure, low: float, high: float, verdict: Verdict) -> None:
    """A pale band across the picture, named at its right end."""
    layout["shapes"].append(
        {
            "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": low, "y1": high,
            "fillcolor": color(verdict), "opacity": 0.1, "line": {"width": 0}, "layer": "below",
        }
    )  # fmt: skip
    said = {
        "good": f"● good, up to {written(GOOD)}",
        "doubtful": "◆ doubtful",
        "wrong": "✖ wrong, ◆ doubtful",
    }
    layout["annotations"].append(
        {
            "xref": "paper", "x": 1, "xanchor": "right", "text": said[verdict], "showarrow": False,
            "y": float(np.log10(low if verdict == "wrong" else high)),
            "yanchor": "bottom" if verdict == "wrong" else "top",
            "font": {"size": 12, "color": style.word(color(verdict))},
        }
    )  # fmt: skip


def _stems(at: Any, height: Any, count: int, hue: str) -> Figure:
    """A line from the foot to each head; none where there is no head."""
    x = np.stack([at, at, np.full(count, np.nan)], axis=1).ravel()
    foot = ops.where(ops.equal(height, height), FLOOR, np.nan)
    columns = [ops.reshape(part, shape=(count, 1)) for part in (foot, height)]
    picks = np.eye(3)  # which column each part goes to; the third is a gap
    y = ops.matmul(columns[0], picks[:1]) + ops.matmul(columns[1], picks[1:2])
    gap = np.array([[0.0, 0.0, np.nan]])
    trace = charts.line(x, ops.reshape(y + gap, shape=(3 * count,)), hue, width=2.4)
    return {**trace, "hoverinfo": "skip"}


def network(sizes: tuple[int, ...], activation: str, measured: Measured) -> Figure:
    """A perceptron's weights as edges and biases as short ones, in the colour of their verdict.

    The entries of `measured` come layer by layer: weights (in, out) row by row, then biases.
    """
    widest = max(sizes)
    layout = charts.axes((-0.35, len(sizes) - 0.55), (-0.75, widest - 0.3), kind="plane", left=8)
    layout["margin"] |= {"b": 8, "t": 8}
    for axis in ("xaxis", "yaxis"):
        layout[axis] |= {"visible": False, "showgrid": False, "showticklabels": False, "ticks": ""}
    height = [[(widest - size) / 2 + i for i in range(size)] for size in sizes]
    ends: list[tuple[float, float, float, float]] = []
    for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
        left, right = height[layer], height[layer + 1]
        for i in range(inputs):
            ends += [(layer, left[i], layer + 1, right[j]) for j in range(outputs)]
        ends += [(layer + 0.86, right[j] - 0.42, layer + 1, right[j]) for j in range(outputs)]
    places = np.array(ends, dtype=float)
    gaps = np.full(len(places), np.nan)
    xs = np.stack([places[:, 0], places[:, 2], gaps], axis=1)
    ys = np.stack([places[:, 1], places[:, 3], gaps], axis=1)
    data = []
    for verdict in LIGHTS:
        mask = ops.reshape(measured.where(verdict), shape=(len(places), 1))
        dash: style.Dash = "dash" if verdict == "doubtful" else "solid"
        trace = charts.line(
            xs.ravel(),
            ops.reshape(ops.where(mask, ys, np.nan), shape=(ys.size,)),
            color(verdict),
            dash=dash,
            width=2.6,
        )
        data.append({**trace, "name": verdict, "hoverinfo": "skip"})
    for layer, rows in enumerate(height):
        dots = charts.marks(np.full(len(rows), float(layer)), rows, style.INK, size=17)
        data.append({**dots, "hoverinfo": "skip"})
    called = ["inputs", *[activation] * (len(sizes) - 2), "logit → loss"]
    for layer, text in enumerate(called):
        top = height[layer][-1] + 0.46
        charts.note(layout, float(layer), top, text, color=style.MUTED)
        if layer:
            charts.note(layout, layer - 0.2, height[layer][0] - 0.46, "biases", color=style.MUTED)
    return {"data": data, "layout": layout}
