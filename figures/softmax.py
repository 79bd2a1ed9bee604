"""The pictures of softmax: scores, probabilities and gradient as bars; what temperature does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.losses.temperature import Cooling
from figures import charts, style

Figure = dict[str, Any]
Array = npt.NDArray[np.float64]


def _colors(n: int) -> list[str]:
    return [charts.class_color(k) for k in range(n)]


def _bar_axes(names: Sequence[str], y: tuple[float, float]) -> Figure:
    layout = charts.axes((-0.6, len(names) - 0.4), y, kind="bars", bottom=30, top=14)
    charts.name_bars(layout, names)
    return layout


def scores(values: Array, names: Sequence[str], reach: float) -> Figure:
    """Logits (or energies) as bars about 0; reach is the largest that can be shown."""
    layout = _bar_axes(names, (-1.15 * reach, 1.15 * reach))
    trace = charts.bars(values, _colors(len(values)), labels=charts.handled(values), opacity=0.85)
    return {"data": [trace], "layout": layout}


def probabilities(p: Array, true_class: int, names: Sequence[str]) -> Figure:
    """Probabilities as bars; the true class is hatched."""
    layout = _bar_axes(names, (0, 1.12))
    layout["yaxis"]["tickvals"] = [0, 0.25, 0.5, 0.75, 1]
    trace = charts.bars(p, _colors(len(p)), labels=[f"{x:.3f}" for x in p])
    trace["marker"]["pattern"] = {
        "shape": ["/" if k == true_class else "" for k in range(len(p))],
        "solidity": 0.3,
        "size": 7,
        "fillmode": "replace",
    }
    return {"data": [trace], "layout": layout}


def gradient(error: Array, names: Sequence[str]) -> Figure:
    """ŷ − y as bars about 0: below 0 a logit is pushed up."""
    reach = max(1.0, float(np.abs(error).max()))
    layout = _bar_axes(names, (-1.25 * reach, 1.25 * reach))
    labels = [charts.signed(x) for x in error]
    return {"data": [charts.bars(error, _colors(len(error)), labels=labels)], "layout": layout}


def against_temperature(study: Cooling, names: Sequence[str], temperature: float) -> Figure:
    """Every class's probability against T (log axis), with both limits."""
    t = study.temperatures
    layout = charts.axes((t[0], t[-1]), (0, 1.06), x_title="temperature T", log_x=True)
    classes = study.probabilities.shape[1]
    charts.level(layout, 1 / classes, f"T → ∞: 1/{classes}")
    charts.upright(layout, temperature, color=style.TARGET)
    charts.note(layout, 1.2 * t[0], 0.88, "T → 0: the<br>largest takes all", anchor="left")
    data = [
        charts.line(
            t,
            study.probabilities[:, k],
            charts.class_color(k),
            dash=style.DASHES[k % len(style.DASHES)],
            name=names[k],
            hover="T = %{x:.3g}: %{y:.3f}",
        )
        for k in range(classes)
    ]
    return {"data": data, "layout": layout}


def entropy(study: Cooling, temperature: float, most: float, unit: str) -> Figure:
    """Entropy against T, from 0 (hard maximum) to log C (uniform)."""
    t = study.temperatures
    layout = charts.axes((t[0], t[-1]), (0, 1.12 * most), x_title="temperature T", log_x=True)
    charts.level(layout, most, f"log C = {most:.3f} {unit}")
    charts.upright(layout, temperature, color=style.TARGET)
    hover = f"T = %{{x:.3g}}: %{{y:.3f}} {unit}"
    return {"data": [charts.line(t, study.entropy, style.INK, hover=hover)], "layout": layout}
