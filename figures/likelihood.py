"""The pictures of maximum likelihood: the flips, and four curves over θ with one optimum."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.losses.likelihood import Curves
from figures import charts, style

Figure = dict[str, Any]

COLORS = {
    "likelihood": charts.color("green"),
    "nll": charts.color("blue"),
    "cross_entropy": charts.color("red"),
    "kl": charts.color("purple"),
}
TALLEST = 3.0  # nats; the curves rise to infinity at the ends
PER_ROW = 20


def flips(sequence: str) -> Figure:
    """One disc a flip, filled for heads; PER_ROW in a row."""
    n = len(sequence)
    rows = -(-n // PER_ROW)
    layout = charts.axes(
        (-0.7, min(n, PER_ROW) - 0.3 if n > 10 else 9.7), (rows - 0.4, -0.6), kind="bars", left=8,
        bottom=8,
    )  # fmt: skip
    for axis in ("xaxis", "yaxis"):
        layout[axis]["visible"] = False
    heads = [c == "1" for c in sequence]
    discs = charts.marks(np.arange(n) % PER_ROW, np.arange(n) // PER_ROW, style.INK, size=20)
    discs["mode"] = "markers+text"
    discs["marker"]["color"] = [COLORS["nll"] if h else style.PANEL for h in heads]
    discs["marker"]["line"] = {"width": 1.4, "color": COLORS["nll"]}
    discs["text"] = ["H" if h else "T" for h in heads]
    discs["textposition"] = "middle center"
    discs["textfont"] = {
        "size": 11, "color": [style.BACKGROUND if h else style.INK for h in heads],
    }  # fmt: skip
    discs["hovertemplate"] = "click to turn over<extra></extra>"
    return {"data": [discs], "layout": layout}


def curve(study: Curves, name: str, best: float, floor: float | None = None) -> Figure:
    """One of the four over θ, with the optimum marked; floor is a level worth drawing."""
    y = study.by_name[name]
    top = float(y.max()) if name == "likelihood" else TALLEST
    layout = charts.axes((0, 1), (0, 1.15 * top if top else 1.0), x_title="θ", left=52)
    layout["yaxis"]["nticks"] = 5
    layout["yaxis"]["exponentformat"] = "power"
    charts.upright(layout, best, f"k/n = {best:.3g}", color=style.LIMIT, dash="dash")
    if floor is not None and floor > 0.02:
        charts.level(layout, floor, "H(k/n)", side="left")
    shown = np.minimum(y, 2 * layout["yaxis"]["range"][1])
    return {"data": [charts.line(study.theta, shown, COLORS[name])], "layout": layout}
