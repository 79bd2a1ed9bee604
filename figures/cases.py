"""Pictures of the telling cases: curves against the step, and steps against the condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.cases import Moving
from engine.landscapes import Landscape
from engine.optimizers import OPTIMIZERS
from figures import charts, race, style
from figures.moving import Chart, Curve, chart

Array = npt.NDArray[Any]
Figure = dict[str, Any]


def _curve(slug: str, values: Array, label: str = "") -> Curve:
    look = style.look(slug)
    return Curve(label or OPTIMIZERS[slug].name, values, look.color, look.dash, look.marker)


def plane(surface: Landscape) -> Figure:
    """The contours, with the point 0 to which decay pulls."""
    figure = race.plane(surface, log=True)
    zero = charts.marks([0], [0], style.MUTED, symbol="circle-open", size=9, labels=["0"])
    return {**figure, "data": [*figure["data"], zero]}


def norms(lengths: Mapping[str, Array]) -> Chart:
    """How far from zero the weights are, for both decays."""
    curves = [_curve(slug, values) for slug, values in lengths.items()]
    alt = "Length of the weights against the step for Adam with L2 and for AdamW."
    return chart("norms", "length of the weights ‖w‖", alt, curves, low=0.0)


def walks(paths: Mapping[str, Array]) -> Chart:
    """Where each rule stands on [−1, 1]."""
    curves = [_curve(slug, values) for slug, values in paths.items()]
    drawn = chart(
        "walks", "x; the best point is −1", "Position against the step.", curves, low=-1.0
    )
    charts.level(drawn.figure["layout"], -1.0, "best", color=style.TARGET)
    charts.level(drawn.figure["layout"], 1.0, "worst", color=style.LIMIT)
    return drawn


def averages(paths: Mapping[str, Array], size: float) -> Chart:
    """The average loss so far: regret made visible."""
    curves = []
    for slug, path in paths.items():
        slopes = np.where(np.arange(len(path) - 1) % 3 == 0, size, -1.0)
        mean = np.cumsum(slopes * path[:-1]) / np.arange(1, len(path))
        curves.append(_curve(slug, np.concatenate([[0.0], mean])))
    return chart("mean", "average loss so far", "Average loss against the step.", curves)


def stream(gradients: Array) -> Chart:
    """The gradients that every rule is given."""
    curve = Curve("gradient", np.concatenate([gradients[:1], gradients]), style.MUTED)
    return chart("stream", "gradient g", "The gradient against the step.", [curve])


def rates(found: Mapping[str, Array]) -> Chart:
    """What each rule makes of its learning rate."""
    curves = [_curve(slug, np.concatenate([v[:1], v])) for slug, v in found.items()]
    alt = "Effective rate against the step, on a logarithmic axis."
    return chart("rates", "effective rate |Δw| / |g|", alt, curves, log=True)


def conditions(kappas: Sequence[float], needed: Mapping[str, Array], steps: int) -> Figure:
    """Steps to the target against the condition number, both logarithmic."""
    layout = charts.axes(
        (0.8, kappas[-1] * 1.4), (0.8, steps * 1.3), x_title="condition number κ",
        y_title="steps to the target", log_x=True, log_y=True, left=52,
    )  # fmt: skip
    data = []
    for slug, values in needed.items():
        look = style.look(slug)
        line = charts.line(kappas, values, look.color, dash=look.dash, name=OPTIMIZERS[slug].name)
        line |= {"mode": "lines+markers", "marker": {"symbol": look.symbol, "size": 8}}
        data.append(line)
        reached = np.flatnonzero(np.isfinite(values))
        if reached.size:
            at = int(reached[-1])
            note_x, note_y = kappas[at], float(values[at]) * 1.18
            charts.note(
                layout, note_x, note_y, OPTIMIZERS[slug].name, color=look.color, anchor="right"
            )
    return {"data": data, "layout": layout}


def chase(moving: Moving) -> Chart:
    """The minimum that jumps, and both rules after it."""
    target = Curve("minimum", moving.target, style.TARGET, "dot", width=1.4)
    curves = [target, *(_curve(slug, path) for slug, path in moving.paths.items())]
    return chart("chase", "x and the minimum that jumps", "Position against the step.", curves)


def change(moving: Moving) -> Chart:
    """Eve's measure of change: its rate is divided by this."""
    alt = "Eve's d against the step."
    return chart("d", "d: Eve's rate is η/d", alt, [_curve("eve", moving.d, "Eve's d")], low=0.0)
