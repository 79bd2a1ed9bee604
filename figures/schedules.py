"""The pictures of a schedule: the learning rate over the run, and the loss of the run it drives.

All of it may be traced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.tape import operations as ops
from figures import charts, style
from figures.step_chart import Curve, StepChart, round_step, step_chart


@dataclass(frozen=True, slots=True)
class Look:
    """How a run is drawn."""

    color: str
    dash: style.Dash = "solid"
    marker: style.Marker = "circle"
    width: float = 2.2


SCHEDULED: Final = Look(charts.color("blue"))
CONSTANT: Final = Look(style.MUTED, "dot", "ring", 1.8)
# Two of the three forms of momentum run as one: a broad line under a thin one.
FORMS: Final = {
    "velocity": Look(charts.color("blue"), width=4.0),
    "averaged": Look(style.INK, "dot", "ring", 1.6),
    "lr_inside": Look(style.JUMP, "dash", "square"),
}
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
            _curve("constant", peak + 0.0 * rates, CONSTANT),
            _curve("with the schedule", rates, SCHEDULED),
        ],
        log=False,
    )
    layout = made.figure["layout"]
    layout["yaxis"]["range"] = [0.0, top]
    # At its end and below, where the rate has fallen: above the line there may be no room.
    charts.note(layout, ops.sum(0.0 * rates + 1.0) - 1.0, peak, "ηₘₐₓ", color=style.INK)
    layout["annotations"][-1] |= {
        "xanchor": "right", "xshift": -10, "yanchor": "top", "yshift": -2
    }  # fmt: skip
    if limit is not None:
        shown = ops.where(limit < top, limit, np.nan)
        charts.level(layout, shown, "stability limit", color=style.LIMIT)
    return made


def loss_chart(runs: Sequence[tuple[str, Look, Any]], title: str, *, log: bool) -> StepChart:
    """The heights of runs above the minimum at every frame, NaN where a run has ended; the last
    on top."""
    return step_chart(
        "loss",
        title,
        "The losses of the runs.",
        [_curve("", gap, look) for _, look, gap in runs],
        log=log,
        floor=FLOOR if log else None,
        ends=[name for name, _, _ in runs],
    )


def _curve(label: str, values: Any, look: Look) -> Curve:
    return Curve(label, values, look.color, look.dash, look.marker, look.width)
