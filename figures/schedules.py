"""The pictures of a schedule: the learning rate over the run, and the loss of the run it drives."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.runs.descent import Descent
from figures import charts, style
from figures.charts_against_step import Chart, Curve, chart

Array = npt.NDArray[Any]
Figure = dict[str, Any]

SCHEDULED: Final = charts.color("blue")
CONSTANT: Final = style.MUTED
FLOOR: Final = 1e-16  # the loss axis does not go below this: round-off lives there


def ceiling(peak: float) -> float:
    """The top of the rate's axis: a round number, so that it rests while the peak is dragged."""
    decade = 10.0 ** np.floor(np.log10(peak))
    return float(
        next(m for m in (1.25, 2.5, 5.0, 10.0, 20.0) if m * decade >= 1.05 * peak) * decade
    )


def rate_chart(rates: Array, peak: float, limit: float | None) -> Chart:
    """η_t at every step (steps,), over the constant rate; limit is where steps become unstable."""
    values = np.concatenate([rates, rates[-1:]])
    made = chart(
        "rate",
        "learning rate ηₜ",
        "The learning rate at every step of the run.",
        [
            Curve("constant", np.full(len(values), peak), CONSTANT, "dot", "ring", 1.8),
            Curve("with the schedule", values, SCHEDULED, "solid", "circle", 2.4),
        ],
        log=False,
    )
    layout = made.figure["layout"]
    top = ceiling(peak)
    layout["yaxis"]["range"] = [0.0, top]
    if limit is not None and limit < top:
        charts.level(layout, limit, "stability limit", color=style.LIMIT)
    return made


def loss_chart(driven: Descent, constant: Descent) -> Chart:
    """The loss above the minimum of both runs, logarithmic, as far as each got."""
    return chart(
        "loss",
        "loss, above its minimum",
        "The loss of the run with the schedule and of the run at a constant rate.",
        [
            Curve("", _reached(constant), CONSTANT, "dot", "ring", 1.8),
            Curve("", _reached(driven), SCHEDULED, "solid", "circle", 2.2),
        ],
        log=True,
    )


def _reached(run: Descent) -> Array:
    gap = np.maximum(run.gap, FLOOR)
    gap[run.last + 1 :] = np.nan
    return np.asarray(gap)
