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
from engine.tape import Operation
from engine.tape import operations as ops

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
    start = points.copy()
    points = points.copy()
    moving = np.arange(len(points))  # those that have neither settled nor wandered off
    with np.errstate(all="ignore"):
        for _ in range(_NEWTON_STEPS):
            if not moving.size:
                break
            here = points[moving]
            gradient = landscape.gradient(here)
            h = landscape.hessian(here)
            determinant = h[..., 0, 0] * h[..., 1, 1] - h[..., 0, 1] * h[..., 1, 0]
            dx = (h[..., 1, 1] * gradient[..., 0] - h[..., 0, 1] * gradient[..., 1]) / determinant
            dy = (h[..., 0, 0] * gradient[..., 1] - h[..., 1, 0] * gradient[..., 0]) / determinant
            step = np.stack([dx, dy], axis=-1)
            step = np.where(np.isfinite(step), step, 0.0)
            points[moving] = here - step
            away = (np.abs(points[moving] - start[moving]) > reach).any(axis=-1)
            still = (np.abs(step) <= 1e-15 * (1.0 + np.abs(here))).all(axis=-1)
            moving = moving[~(away | still)]
        if not len(points):
            return points
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


def reach(minima: tuple[Minimum, ...], *, noisy: bool = False) -> Array:
    """How near to each minimum a run has ended at it, (minima,).

    A quarter of the way to the next minimum, at most 0.5. Noise keeps runs on the move: with it,
    half of the way.
    """
    places = np.array([(m.x, m.y) for m in minima]).reshape(-1, 2)
    between = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(between, np.inf)
    apart = between.min(axis=1, initial=np.inf)
    within: Array = np.minimum(4.0, apart / 2) if noisy else np.minimum(0.5, apart / 4)
    return within


def _nearest(x: Any, y: Any, xs: Array, ys: Array, within: Array) -> Array:
    labels = np.full(np.shape(x), float(NOWHERE))
    least = np.full(np.shape(x), np.inf)
    for number, (px, py, most) in enumerate(zip(xs, ys, within, strict=True)):
        away = np.hypot(x - px, y - py)  # one minimum at a time keeps memory O(points)
        mine = (away <= most) & (away < least)
        labels[mine] = number
        least = np.where(mine, away, least)
    return labels


nearest = Operation("nearest", _nearest)
"""The number of the nearest of the places (xs, ys) that lies within its reach, NOWHERE for none."""


def label(
    points: npt.ArrayLike,
    diverged: npt.ArrayLike,
    minima: tuple[Minimum, ...],
    *,
    noisy: bool = False,
) -> npt.NDArray[np.int32]:
    """Which minimum each point has reached: its number, NOWHERE or DIVERGED, (..., 2) -> (...)."""
    at = np.asarray(points, dtype=float)
    found = live_label(
        at[..., 0], at[..., 1], np.asarray(diverged, dtype=float), minima, noisy=noisy
    )
    return np.asarray(found).astype(np.int32)


def live_label(
    x: Any, y: Any, diverged: Any, minima: tuple[Minimum, ...], *, noisy: bool = False
) -> Any:
    """`label` as numbers, for points and 1 or 0 for divergence that may be traced."""
    xs = np.array([m.x for m in minima], dtype=float)
    ys = np.array([m.y for m in minima], dtype=float)
    numbers = nearest(x, y, xs, ys, reach(minima, noisy=noisy))
    return ops.where(diverged > 0.0, float(DIVERGED), numbers)


def arrival(landscape: Landscape, minima: tuple[Minimum, ...]) -> float | None:
    """A loss that every run has passed on its way into one of the minima; None without minima.

    A five-hundredth of the window's usual height above the highest of them.
    """
    if not minima:
        return None
    (x0, x1), (y0, y1) = landscape.window
    x, y = np.meshgrid(np.linspace(x0, x1, 33), np.linspace(y0, y1, 33))
    values = np.broadcast_to(landscape.value(np.stack([x, y], axis=-1)), x.shape)
    usual = float(np.median(values[np.isfinite(values)]))
    highest = max(m.value for m in minima)
    return highest + 0.002 * max(usual - minima[0].value, 1e-6)


def shares(labels: npt.NDArray[np.int32], count: int) -> list[float]:
    """The share of points at each of count minima, then at none, then diverged; sums to 1."""
    return [float((labels == which).mean()) for which in (*range(count), NOWHERE, DIVERGED)]


def share_of_global(labels: npt.NDArray[np.int32], minima: tuple[Minimum, ...]) -> float:
    """The share of points at a minimum that is as low as the lowest."""
    return float(np.isin(labels, [i for i, m in enumerate(minima) if m.is_global]).mean())


def disagreement(labels: list[npt.NDArray[np.int32]]) -> float:
    """The share of points that not all pictures label alike, on the coarsest of their grids."""
    rows, columns = (min(one.shape[axis] for one in labels) for axis in (0, 1))
    alike = [
        one[np.ix_(_middles(rows, one.shape[0]), _middles(columns, one.shape[1]))] for one in labels
    ]
    return float(np.any([one != alike[0] for one in alike[1:]], axis=0).mean())


def _middles(few: int, many: int) -> npt.NDArray[np.intp]:
    """Which of many equal cells along a line holds the middle of each of a few."""
    return (2 * np.arange(few) + 1) * many // (2 * few)
