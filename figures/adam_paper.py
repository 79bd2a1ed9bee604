"""The pictures of rules compared on digits: losses over seeds, and the rates they were tuned on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.studies.adam_paper import CRITERIA, RATES, Criterion, Outcome, measured_steps
from figures import charts, style

Array = npt.NDArray[Any]
Figure = dict[str, Any]

LOWEST = 1e-8  # of a loss in a picture
HIGHEST = 10.0


def within(values: Any) -> Array:
    """Losses as they are drawn."""
    return np.asarray(np.clip(np.asarray(values, float), LOWEST, HIGHEST))


def curves(outcome: Outcome, criterion: Criterion, looks: tuple[style.Look, ...]) -> Figure:
    """Axes of the loss that the criterion looks at, with each rule's least to most over seeds."""
    found = within(outcome.shown(criterion)[..., CRITERIA.index(criterion)])
    along = measured_steps(outcome.setting.steps)
    layout = charts.axes(
        (0.0, float(along[-1])), (float(found.min()) / 1.5, float(found.max()) * 1.5),
        x_title="step", log_y=True, left=50,
    )  # fmt: skip
    bands = [
        {
            "type": "scatter", "mode": "lines", "x": np.concatenate([along, along[::-1]]),
            "y": np.concatenate([rows.max(axis=0), rows.min(axis=0)[::-1]]), "fill": "toself",
            "fillcolor": look.color, "line": {"width": 0, "color": look.color}, "opacity": 0.14,
            "hoverinfo": "skip",
        }
        for look, rows in zip(looks, found, strict=True)
    ]  # fmt: skip
    return {"data": bands, "layout": layout}


def middle(outcome: Outcome, criterion: Criterion) -> Array:
    """The median over seeds, (rules, records)."""
    column = outcome.shown(criterion)[..., CRITERIA.index(criterion)]
    return within(np.median(column, axis=1))


def rates(
    outcome: Outcome, criterion: Criterion, looks: tuple[style.Look, ...], chosen: Any
) -> Figure:
    """The loss at the end against the rate, for every rule, its best marked; `chosen` is a rate
    that is held against them."""
    found = within(outcome.middle(criterion))
    best = outcome.chosen(criterion)
    layout = charts.axes(
        (RATES[0] / 1.3, RATES[-1] * 1.3), (float(found.min()) / 1.5, HIGHEST * 1.2),
        x_title="learning rate η", log_x=True, log_y=True, left=50,
    )  # fmt: skip
    charts.upright(layout, chosen, color=style.INK, dash="solid")
    data: list[Figure] = []
    for look, row, k in zip(looks, found, best, strict=True):
        data += [
            charts.line(RATES, row, look.color, dash=look.dash, width=1.8),
            charts.marks([RATES[k]], [row[k]], look.color, symbol="star", size=12),
        ]
    return {"data": data, "layout": layout}
