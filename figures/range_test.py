"""The pictures of a learning-rate range test and of the sweep that its advice is held against."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.studies.range_test import RangeTest, RateSweep
from figures import charts, style

Figure = dict[str, Any]


def _bounds(values: Any, least: float = 1e-6) -> tuple[float, float]:
    """The range of a log axis round the finite ones."""
    found = np.asarray(values, float)
    found = found[np.isfinite(found) & (found > 0)]
    low = max(float(found.min()), least) if found.size else 0.1
    high = float(found.max()) if found.size else 1.0
    return low / 1.4, max(high, low * 2) * 1.4


def test(found: RangeTest, low: float, high: float, chosen: Any) -> Figure:
    """Loss against the rate as it rose, the smoothed loss, and the places that are read off."""
    bounds = _bounds(np.minimum(found.losses, 8.0 * found.losses[0]), 1e-3)
    layout = charts.axes(
        (low, high), bounds,
        x_title="learning rate η of the step", y_title="loss of its batch", log_x=True, log_y=True,
        left=58,
    )  # fmt: skip
    charts.upright(layout, found.steepest, "steepest", color=charts.color("green"))
    charts.upright(layout, found.lowest, "least", color=charts.color("red"))
    charts.upright(layout, found.safe, color=charts.color("brown"))
    low_down = bounds[0] * (bounds[1] / bounds[0]) ** 0.06  # clear of the names of the others
    charts.note(
        layout, found.safe, low_down, "last safe", color=charts.color("brown"), anchor="right"
    )
    charts.upright(layout, chosen, color=style.INK, dash="solid")
    return {
        "data": [
            charts.marks(found.rates, found.losses, style.MUTED, size=4),
            charts.line(found.rates, found.smoothed, charts.color("blue"), name="smoothed"),
        ],
        "layout": layout,
    }


def sweep(found: RateSweep, test: RangeTest, chosen: Any) -> Figure:
    """The loss at the end of whole runs against the rate, with the test's advice."""
    floor = np.maximum(found.losses, 1e-6)
    finite = np.where(np.isfinite(floor), floor, np.nan)
    rates = found.rates
    layout = charts.axes(
        (float(rates[0]), float(rates[-1])), _bounds(finite),
        x_title="learning rate η of the whole run", y_title="loss at its end", log_x=True,
        log_y=True, left=58,
    )  # fmt: skip
    charts.upright(layout, test.steepest, "steepest", color=charts.color("green"))
    charts.upright(layout, test.tenth, "a tenth of least", color=charts.color("red"))
    charts.upright(layout, chosen, color=style.INK, dash="solid")
    each = np.repeat(rates, found.losses.shape[1])
    middle = np.maximum(found.middle, 1e-6)
    middle = np.where(np.isfinite(middle), middle, np.nan)
    return {
        "data": [
            charts.marks(each, finite.ravel(), style.MUTED, size=4),
            charts.line(rates, middle, charts.color("blue"), name="median"),
            charts.marks(
                [found.best], [max(found.at(found.best), 1e-6)], charts.color("purple"),
                symbol="star", size=13,
            ),
        ],
        "layout": layout,
    }  # fmt: skip
