"""The pictures of bias correction: the averages and their truth, the factors, the weights."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.studies.bias_correction import Averages, Samples, correction, weights
from figures import charts, style
from figures.charts_against_step import Chart, Curve, chart, rounded_top

Array = npt.NDArray[Any]
Figure = dict[str, Any]

GRADIENT: Final = style.MUTED
RAW: Final = charts.color("brown")  # an average as it is
CORRECTED: Final = charts.color("blue")
TRUTH: Final = style.TARGET
SECOND: Final = charts.color("purple")  # what belongs to β₂ where β₁ has the blue
MISSING: Final = style.LIMIT  # the weight that stands on the zero at the start
AGES: Final = 40  # past gradients whose weights are drawn


def _before_first(values: Array) -> Array:
    """A value a step as a value a frame: nothing at frame 0."""
    return np.concatenate([[np.nan], values])


def average_chart(name: str, samples: Samples, found: Averages) -> Chart:
    """m (or v) raw and corrected, over the gradients (or their squares) and the true mean."""
    first = name == "m"
    given = samples.gradients if first else samples.gradients**2
    truth = samples.mean if first else samples.square
    raw, hat = (found.m, found.m_hat) if first else (found.v, found.v_hat)
    about = "gradients" if first else "squared gradients"
    return chart(
        name,
        f"{name} and {name}̂ after the {about}",
        f"The average {name} climbs from zero; corrected, it stands at the truth from the start.",
        [
            Curve(
                "" if not first else "gradients",
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
    )


def step_chart(found: Averages) -> Chart:
    """The size of Adam's steps in learning rates, with and without correction."""
    return chart(
        "steps",
        "Adam's step, in learning rates",
        "The size of each step of Adam, with bias correction and without.",
        [
            Curve("", _before_first(np.abs(np.diff(found.walked_raw))), RAW, "dash", "square"),
            Curve("", _before_first(np.abs(np.diff(found.walked))), CORRECTED, "solid", "circle"),
        ],
        log=False,
        low=0.0,
    )


def walk_chart(found: Averages) -> Chart:
    """Where those steps lead from zero."""
    return chart(
        "walk",
        "where Adam is, in learning rates",
        "The distance that Adam has come, with bias correction and without.",
        [
            Curve("", found.walked_raw, RAW, "dash", "square"),
            Curve("", found.walked, CORRECTED, "solid", "circle"),
        ],
        log=False,
    )


def factor_chart(beta1: float, beta2: float, steps: int) -> Chart:
    """The factors 1/(1 − βᵗ), logarithmic, with the first and the tenth of β₁ marked."""
    t = np.arange(1, steps + 1)
    first, second = correction(beta1, t), correction(beta2, t)
    made = chart(
        "factors",
        "factor 1/(1 − βᵗ), β₂ dashed",
        "The factor by which each average is corrected falls to one.",
        [
            Curve("", _before_first(first), CORRECTED, "solid", "circle"),
            Curve("", _before_first(second), SECOND, "dash", "diamond"),
        ],
        log=True,
    )
    made.figure["layout"]["yaxis"]["range"][0] = float(np.log10(0.7))
    return made


def factor_marks(beta1: float, beta2: float, steps: int) -> list[tuple[int, float, str]]:
    """Factors worth reading off as (step, factor, colour): the first and the tenth of β₁, …"""
    marked = ((1, beta1, CORRECTED), (10, beta1, CORRECTED), (1, beta2, SECOND))
    return [(t, float(correction(beta, t)), color) for t, beta, color in marked if t <= steps]


def weight_figure(beta: float) -> Figure:
    """Axes for the weights of past gradients, by age."""
    top = rounded_top(1.0 - beta)
    layout = charts.axes((-0.8, AGES - 0.2), (0.0, top * 1.04), left=40, bottom=20, top=4)
    layout["yaxis"] |= {"nticks": 4, "tickfont": {"size": 11}}
    layout["xaxis"] |= {"nticks": 5, "tickfont": {"size": 11}}
    return {"data": [], "layout": layout}


def weight_bars(beta: float, steps: int) -> tuple[Array, Array]:
    """Heights of the bars that hold gradients and of those that hold the zero at the start.

    Both (steps + 1, AGES): after t steps the ages below t are gradients.
    """
    heights = weights(beta, AGES)
    seen = np.arange(AGES)[None, :] < np.arange(steps + 1)[:, None]
    return np.where(seen, heights, 0.0), np.where(seen, 0.0, heights)
