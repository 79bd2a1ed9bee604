"""The pictures of a schedule: the learning rate over the run, and the loss of the run it drives.

All of it may be traced.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from engine.tape import operations as ops
from figures import charts, style
from figures.step_chart import Curve, StepChart, round_step, step_chart

SCHEDULED: Final = charts.color("blue")
CONSTANT: Final = style.MUTED
FLOOR: Final = 1e-16  # the loss axis does not go below this: round-off lives there


def ceiling(peak: Any) -> Any:
    """The top of the rate's axis: a round number, so that it rests while the peak is dragged."""
    return round_step(1.05 * peak)


def rate_chart(rates: Any, peak: Any, top: Any, limit: Any) -> StepChart:
    """η_t at every frame, over the constant rate; limit is where steps become unstable, if known.

    top is where the axis ends.
    """
    made = step_chart(
        "rate",
        "learning rate ηₜ",
        "The learning rate at every step of the run.",
        [
            Curve("constant", peak + 0.0 * rates, CONSTANT, "dot", "ring", 1.8),
            Curve("with the schedule", rates, SCHEDULED, "solid", "circle", 2.4),
        ],
        log=False,
    )
    layout = made.figure["layout"]
    layout["yaxis"]["range"] = [0.0, top]
    if limit is not None:
        shown = ops.where(limit < top, limit, np.nan)
        charts.level(layout, shown, "stability limit", color=style.LIMIT)
    return made


def loss_chart(driven: Any, constant: Any, title: str, *, log: bool) -> StepChart:
    """The heights of both runs above the minimum at every frame, NaN where a run has ended."""
    floor = FLOOR if log else -np.inf
    return step_chart(
        "loss",
        title,
        "The loss of the run with the schedule and of the run at a constant rate.",
        [
            Curve("", ops.maximum(constant, floor), CONSTANT, "dot", "ring", 1.8),
            Curve("", ops.maximum(driven, floor), SCHEDULED, "solid", "circle", 2.2),
        ],
        log=log,
    )
