"""The pictures of bias correction: the averages and their truth, the factors, the weights.

All of it may be traced. `last` is the step at which the pictures end: the columns may be longer.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from engine.emit.picture import join, words
from engine.studies.bias_correction import Averages, Samples, correction, weights
from engine.tape import operations as ops
from figures import charts, style
from figures.step_chart import Curve, StepChart, round_step, step_chart

Figure = dict[str, Any]

GRADIENT: Final = style.MUTED
RAW: Final = charts.color("brown")  # an average as it is
CORRECTED: Final = charts.color("blue")
TRUTH: Final = style.TARGET
SECOND: Final = charts.color("purple")  # what belongs to β₂ where β₁ has the blue
MISSING: Final = style.LIMIT  # the weight that stands on the zero at the start
AGES: Final = 40  # past gradients whose weights are drawn


def _before_first(column: Any) -> Any:
    """A value a step as a value a frame: nothing at frame 0."""
    return join(np.nan, column)


def average_chart(name: str, samples: Samples, found: Averages, last: Any) -> StepChart:
    """m (or v) raw and corrected, over the gradients (or their squares) and the true mean."""
    first = name == "m"
    given = samples.gradients if first else samples.gradients * samples.gradients
    truth = samples.mean if first else samples.square
    raw, hat = (found.m, found.m_hat) if first else (found.v, found.v_hat)
    about = "gradients" if first else "squares"
    return step_chart(
        name,
        f"{name} and {name}̂ after the {about}",
        f"The average {name} climbs from zero; corrected, it stands at the truth from the start.",
        [
            Curve(
                "gradients" if first else "",
                _before_first(given),
                GRADIENT,
                marker="ring",
                mode="points",
            ),
            Curve("truth", _before_first(truth), TRUTH, "dot", "plus", 1.4),
            Curve("raw, from zero", raw, RAW, "dash", "square"),
            Curve("corrected", hat, CORRECTED, "solid", "circle", 2.4),
        ],
        log=False,
        low=0.0,
        last=last,
        ends=("", "", "raw", "corrected") if first else (),
    )


def size_chart(found: Averages, last: Any) -> StepChart:
    """The size of Adam's steps in learning rates, with and without correction."""
    return step_chart(
        "steps",
        "Adam's step, in learning rates",
        "The size of each step of Adam, with bias correction and without.",
        [
            Curve("", ops.absolute(found.steps_raw), RAW, "dash", "square"),
            Curve("", ops.absolute(found.steps), CORRECTED, "solid", "circle"),
        ],
        log=False,
        low=0.0,
        last=last,
    )


def walk_chart(found: Averages, last: Any) -> StepChart:
    """Where those steps lead from zero."""
    return step_chart(
        "walk",
        "where Adam is, in learning rates",
        "The distance that Adam has come, with bias correction and without.",
        [
            Curve("", found.walked_raw, RAW, "dash", "square"),
            Curve("", found.walked, CORRECTED, "solid", "circle"),
        ],
        log=False,
        last=last,
    )


def velocity_chart(found: Averages, last: Any) -> StepChart:
    """Momentum's velocity at the same β₁, which is a sum, over the average."""
    return step_chart(
        "velocity",
        "momentum's velocity (bold) and m",
        "The velocity of momentum grows to 1/(1 − β₁) times a steady gradient; the average m to 1.",
        [
            Curve("", found.m, RAW, "dash", "square", 1.4),
            Curve("", found.velocity, SECOND, "solid", "diamond", 2.4),
        ],
        log=False,
        low=0.0,
        last=last,
    )


def factor_chart(beta1: Any, beta2: Any, room: int, last: Any) -> StepChart:
    """The factors 1/(1 − βᵗ) at the steps up to `room`, logarithmic."""
    t = np.arange(1.0, room + 1)
    first, second = correction(beta1, t), correction(beta2, t)
    made = step_chart(
        "factors",
        "factor 1/(1 − βᵗ), β₂ dashed",
        "The factor by which each average is corrected falls to one.",
        [
            Curve("", _before_first(first), CORRECTED, "solid", "circle"),
            Curve("", _before_first(second), SECOND, "dash", "diamond"),
        ],
        log=True,
        last=last,
    )
    layout = made.figure["layout"]
    layout["yaxis"]["range"][0] = float(np.log10(0.7))
    for step, beta, color in ((1, beta1, CORRECTED), (10, beta1, CORRECTED), (1, beta2, SECOND)):
        factor = correction(beta, float(step))
        charts.note(layout, step, factor, words("×{:4}", factor), color=color, anchor="left")
        layout["annotations"][-1] |= {"xshift": 8, "yshift": 8}  # clear of the marker there
    return made


def weight_figure(beta: Any) -> Figure:
    """Axes for the weights of past gradients, by age."""
    layout = style.base_layout("curve")
    layout["margin"] = {"l": 40, "r": 10, "t": 4, "b": 20}
    layout["dragmode"] = False
    layout["xaxis"] |= {"range": [-0.8, AGES - 0.2], "nticks": 5, "tickfont": {"size": 11}}
    layout["yaxis"] |= {
        "range": [0.0, 1.04 * round_step(1.0 - beta)], "nticks": 4, "tickfont": {"size": 11},
    }  # fmt: skip
    return {"data": [], "layout": layout}


def weight_bars(beta: Any, room: int) -> tuple[Any, Any]:
    """Heights of the bars that hold gradients and of those that hold the zero at the start.

    Both (room + 1, AGES): after t steps the ages below t are gradients.
    """
    heights = weights(beta, AGES)
    seen = np.arange(AGES)[None, :] < np.arange(room + 1)[:, None]
    return ops.where(seen, heights, 0.0), ops.where(seen, 0.0, heights)
