"""Small data sets of points in the plane, each drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Points = tuple[Array, Array]  # coordinates (n, 2) and class labels (n,), 0.0 or 1.0


def two_moons(n: int = 256, noise: float = 0.1, seed: int = 0) -> Points:
    """Two half circles of radius one, each other's mouth at the other's end.

    noise is the standard deviation of the Gaussian added to each coordinate.
    """
    rng = np.random.default_rng(seed)
    upper = n // 2
    angle = np.pi * np.concatenate([rng.random(upper), rng.random(n - upper)])
    label = np.repeat([0.0, 1.0], [upper, n - upper])
    x = np.where(label == 0, np.cos(angle), 1.0 - np.cos(angle))
    y = np.where(label == 0, np.sin(angle), 0.5 - np.sin(angle))
    return _shuffled(np.stack([x, y], axis=-1), label, noise, rng)


def circles(n: int = 256, noise: float = 0.1, seed: int = 0) -> Points:
    """A circle of radius one around a circle of radius one half."""
    rng = np.random.default_rng(seed)
    outer = n // 2
    angle = 2.0 * np.pi * rng.random(n)
    label = np.repeat([0.0, 1.0], [outer, n - outer])
    radius = np.where(label == 0, 1.0, 0.5)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return _shuffled(points, label, noise, rng)


def spirals(n: int = 256, noise: float = 0.1, seed: int = 0) -> Points:
    """Two arms that wind around each other one and a quarter times."""
    rng = np.random.default_rng(seed)
    first = n // 2
    along = np.sqrt(rng.random(n))  # evenly spread along the arm
    label = np.repeat([0.0, 1.0], [first, n - first])
    angle = 2.5 * np.pi * along + np.pi * label
    points = 1.5 * along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return _shuffled(points, label, noise, rng)


def _shuffled(points: Array, label: Array, noise: float, rng: np.random.Generator) -> Points:
    points = points + noise * rng.standard_normal(points.shape)
    order = rng.permutation(len(points))
    return points[order], label[order]


DATASETS: Mapping[str, Callable[..., Points]] = MappingProxyType(
    {"two_moons": two_moons, "circles": circles, "spirals": spirals}
)
