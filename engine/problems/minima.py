"""Where runs end: the local minima of a landscape, and which of them a point belongs to.

The minima are found, not only looked up, because a run may well end in one that is not global.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.problems.landscapes import Landscape

Array = npt.NDArray[np.float64]

NOWHERE = -1  # ended at no minimum: still under way, stuck on a plain, or at a saddle
DIVERGED = -2

MAX_MINIMA = 40  # more cannot be told apart in a picture; the lowest are kept
_GRID = 161  # points along each side from which minima are looked for
_NEWTON_STEPS = 40


@dataclass(frozen=True, slots=True)
class Minimum:
    """A local minimum: where, how low, and whether it is as low as the lowest."""

    x: float
    y: float
    value: float
    is_global: bool


def minima_of(landscape: Landscape) -> tuple[Minimum, ...]:
    """The strict local minima inside the landscape's window, lowest first, at most MAX_MINIMA.

    Points of a grid that are no higher than their neighbours are brought to a zero of the gradient
    by Newton's method; those with a positive definite Hessian stay. A known minimum at a kink,
    where there is no Hessian, is taken from the landscape's entry.
    """
    return _minima(landscape.function, tuple(landscape.arguments.values()), _Unhashed(landscape))


class _Unhashed:
    """Carries a landscape past the cache, which knows it by function and parameters."""

    def __init__(self, landscape: Landscape) -> None:
        self.landscape = landscape

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unhashed)


@lru_cache(maxsize=64)
def _minima(
    function: Any, parameters: tuple[float, ...], carried: _Unhashed
) -> tuple[Minimum, ...]:
    landscape = carried.landscape
    (x0, x1), (y0, y1) = landscape.window
    size = np.array([x1 - x0, y1 - y0])
    candidates = _hollows(landscape)
    if landscape.minima:
        candidates = np.concatenate([np.array(landscape.minima, dtype=float), candidates])
    points = _settle(landscape, candidates, 0.05 * size)
    found: list[Minimum] = []
    for point in points[np.argsort(landscape.value(points), kind="stable")] if len(points) else []:
        away = [max(abs(point - (m.x, m.y)) / size) for m in found]
        if not away or min(away) > 1e-4:
            value = float(landscape.value(point))
            lowest = found[0].value if found else value
            is_global = bool(value <= lowest + 1e-9 * max(1.0, abs(lowest)))
            found.append(Minimum(float(point[0]), float(point[1]), value, is_global))
    return tuple(found[:MAX_MINIMA])


def _hollows(landscape: Landscape) -> Array:
    """Grid points inside the window no higher than their eight neighbours, (n, 2)."""
    (x0, x1), (y0, y1) = landscape.window
    x, y = np.linspace(x0, x1, _GRID), np.linspace(y0, y1, _GRID)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    z = np.broadcast_to(landscape.value(grid), grid.shape[:-1])
    inner = z[1:-1, 1:-1]
    around = [
        z[1 + i : _GRID - 1 + i, 1 + j : _GRID - 1 + j]
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if i or j
    ]
    low = np.all([inner <= other for other in around], axis=0) & np.isfinite(inner)
    low &= np.any([inner < other for other in around], axis=0)  # a plain is no hollow
    hollows: Array = grid[1:-1, 1:-1][low]
    return hollows[np.argsort(inner[low], kind="stable")][: 8 * MAX_MINIMA]


def _settle(landscape: Landscape, points: Array, reach: Array) -> Array:
    """Newton's method from each point; those that settle within reach at a strict minimum."""
    start = points
    with np.errstate(all="ignore"):
        for _ in range(_NEWTON_STEPS):
            gradient = landscape.gradient(points)
            h = landscape.hessian(points)
            determinant = h[..., 0, 0] * h[..., 1, 1] - h[..., 0, 1] * h[..., 1, 0]
            dx = (h[..., 1, 1] * gradient[..., 0] - h[..., 0, 1] * gradient[..., 1]) / determinant
            dy = (h[..., 0, 0] * gradient[..., 1] - h[..., 1, 0] * gradient[..., 0]) / determinant
            step = np.stack([dx, dy], axis=-1)
            points = points - np.where(np.isfinite(step), step, 0.0)
        slope = np.linalg.norm(landscape.gradient(points), axis=-1)
        h = landscape.hessian(points)
        determinant = h[..., 0, 0] * h[..., 1, 1] - h[..., 0, 1] * h[..., 1, 0]
        strict = (h[..., 0, 0] > 0) & (determinant > 0)
        # Where the curvature is infinite (the tip of a cone) a known minimum never moved.
        strict |= ~np.isfinite(determinant) & (points == start).all(axis=-1)
        flat = slope <= 1e-6 * np.maximum(1.0, np.abs(h).max(axis=(-2, -1)))
        near = (np.abs(points - start) <= reach).all(axis=-1)
    settled: Array = points[(strict & flat & near)]
    return settled


def label(
    points: npt.ArrayLike, diverged: npt.ArrayLike, minima: tuple[Minimum, ...]
) -> npt.NDArray[np.int32]:
    """Which minimum each point has reached: its number, NOWHERE or DIVERGED, (..., 2) -> (...).

    A point belongs to the nearest minimum if it is closer than a quarter of the distance from that
    one to the next (and closer than 0.5).
    """
    at = np.asarray(points, dtype=float)
    labels = np.full(at.shape[:-1], NOWHERE, np.int32)
    if minima:
        places = np.array([(m.x, m.y) for m in minima])
        between = np.linalg.norm(places[:, None] - places[None], axis=-1)
        np.fill_diagonal(between, np.inf)
        radius = np.minimum(0.5, between.min(axis=1) / 4)
        nearest = np.full(at.shape[:-1], np.inf)
        for number, place in enumerate(places):  # one minimum at a time keeps memory O(points)
            away = np.hypot(at[..., 0] - place[0], at[..., 1] - place[1])
            mine = (away <= radius[number]) & (away < nearest)
            labels[mine] = number
            nearest = np.where(mine, away, nearest)
    labels[np.asarray(diverged, dtype=bool)] = DIVERGED
    return labels


def shares(labels: npt.NDArray[np.int32], count: int) -> list[float]:
    """The share of points at each of count minima, then at none, then diverged; sums to 1."""
    return [float((labels == which).mean()) for which in (*range(count), NOWHERE, DIVERGED)]


def share_of_global(labels: npt.NDArray[np.int32], minima: tuple[Minimum, ...]) -> float:
    """The share of points at a minimum that is as low as the lowest."""
    return float(np.isin(labels, [i for i, m in enumerate(minima) if m.is_global]).mean())


def disagreement(labels: list[npt.NDArray[np.int32]]) -> float:
    """The share of points that not all pictures label alike, on the coarsest of their grids."""
    side = min(len(one) for one in labels)
    alike = [one[:: len(one) // side, :: one.shape[1] // side] for one in labels]
    return float(np.any([one != alike[0] for one in alike[1:]], axis=0).mean())
