"""What the picture of a training needs of its data: the window, the grid, colours and marks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.optimizers import Optimizer
from engine.problems.data import Split
from figures import style

Array = npt.NDArray[Any]

SIDE = 56  # a side of the grid on which the outputs are shown
MARGIN = 0.12  # of the spread, round the points
MARKERS = (
    "circle", "diamond", "triangle", "square", "cross", "x", "hexagon", "star", "triangle-down",
    "pentagon",
)  # fmt: skip


def window(data: Split) -> tuple[float, float, float, float]:
    """(x0, x1, y0, y1) in the data's own units, round all points."""
    points = np.concatenate([data.x, data.test_x]) * data.scale + data.centre
    low, high = points.min(0), points.max(0)
    room = MARGIN * np.maximum(high - low, 1e-6)
    (x0, y0), (x1, y1) = low - room, high + room
    return float(x0), float(x1), float(y0), float(y1)


def grid(data: Split, side: int) -> Array:
    """Middles of side × side cells over the window, as the network takes them, (side², 2)."""
    x0, x1, y0, y1 = window(data)
    steps = (np.arange(side) + 0.5) / side
    across, up = np.meshgrid(x0 + (x1 - x0) * steps, y0 + (y1 - y0) * steps)
    return (np.stack([across.ravel(), up.ravel()], axis=-1) - data.centre) / data.scale


def colors(data: Split) -> list[str]:
    """A colour for each class: as many as there may be classes."""
    return list(style.CLASSES[: len(data.classes)])


def markers(data: Split) -> list[str]:
    """A mark for each class."""
    return list(MARKERS[: len(data.classes)])


def usual_rate(optimizer: Optimizer) -> float:
    """A learning rate to begin with on a small network: within the rule's own limits."""
    lr = next(h for h in optimizer.hypers if h.name == "lr")
    plain = {
        "sgd": 0.3, "asgd": 0.3, "momentum": 0.1, "nesterov": 0.1, "aggmo": 0.05, "adadelta": 1.0
    }  # fmt: skip
    found = plain.get(optimizer.slug, max(lr.default, 0.01) if lr.default < 0.1 else lr.default)
    return float(min(max(found, lr.low), lr.high)) if math.isfinite(found) else lr.default
