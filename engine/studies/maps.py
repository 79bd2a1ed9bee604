"""What a map of hyper-parameters is read by: its axes, its valley of good settings, its theory.

Theory stands where there is any: on a quadratic the curvatures are the same everywhere, and with
them the learning rate up to which a rule is stable, and Polyak's best pair for momentum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.optimizers import Optimizer
from engine.problems import minima as basins
from engine.problems.landscapes import Landscape
from engine.runs.sweeps import Sweep
from engine.studies.stability import symmetric_eigenvalues

Array = npt.NDArray[np.float64]

# A loss this much below the start's counts as arrived: what is left is a matter of rounding.
ARRIVED = 1e-16
# Points at which a landscape's curvature is looked at, in parts of its window.
_PROBES = np.array([[0.13, 0.21], [0.5, 0.5], [0.37, 0.91], [0.88, 0.16], [0.71, 0.64]])


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a map: a hyper-parameter or coordinate of the start, from low to high."""

    name: str
    symbol: str
    low: float
    high: float
    log: bool

    def values(self, count: int) -> Array:
        """The middles of count equal cells."""
        return axis(self.low, self.high, count, log=self.log)

    def over(self, low: float, high: float, *, log: bool) -> Axis:
        """The same from low to high; the wrong way round, empty or log of nothing is mended."""
        low, high = min(low, high), max(low, high)
        if log and low <= 0:
            low = min(self.low if self.low > 0 else high / 1e4, high / 1e4) if high > 0 else 1e-4
            high = high if high > 0 else 1.0
        if not low < high:
            low, high = (low / 2, low * 2) if log else (low - 0.5, low + 0.5)
        return Axis(self.name, self.symbol, low, high, log)


def axis_names(optimizer: Optimizer) -> tuple[str, ...]:
    """What a map of this optimizer can have along an axis."""
    return (*(h.name for h in optimizer.hypers), "x", "y")


def second_axis(optimizer: Optimizer, first: str) -> str | None:
    """What best stands against `first`: the memory, the learning rate, or what else there is."""
    names = [h.name for h in optimizer.hypers if h.name != first]
    memory = [n for n in names if n.startswith(MEMORIES)]
    return next(iter([*(["lr"] if "lr" in names else []), *memory, *names]), None)


def default_axis(landscape: Landscape, optimizer: Optimizer, name: str) -> Axis:
    """A range worth seeing: for learning rates one about the landscape's own.

    Raises ValueError for a name that is no axis.
    """
    if name in ("x", "y"):
        low, high = landscape.window["xy".index(name)]
        return Axis(name, name, low, high, False)
    for hyper in optimizer.hypers:
        if hyper.name == name:
            low, high = hyper.low, hyper.high
            if name == "lr":
                # A rule with a limit is well-behaved up to there; the others take any scale.
                below, above = (30, 4) if optimizer.stability is not None else (100, 100)
                low = max(low, float(f"{landscape.lr / below:.1g}"))
                high = min(high, float(f"{landscape.lr * above:.1g}"))
            return Axis(name, hyper.symbol, low, high, hyper.scale == "log")
    raise ValueError(f"{optimizer.slug} has no axis {name!r}")


# Names of hyper-parameters that say how long a rule remembers.
MEMORIES = ("beta", "rho", "mu")


def axis(low: float, high: float, count: int, *, log: bool) -> Array:
    """The middles of count equal cells from low to high, (count,); equal in ratio where log."""
    at = (np.arange(count) + 0.5) / count
    return np.asarray(low * (high / low) ** at if log else low + (high - low) * at)


def floor_of(landscape: Landscape) -> float:
    """The value that losses are measured from: the known minimum, the lowest found, or 0."""
    if landscape.minimum is not None:
        return landscape.minimum
    found = basins.minima_of(landscape)
    return found[0].value if found else 0.0


def gap(sweep: Sweep) -> Array:
    """How far above the minimum each cell ended, not below ARRIVED × the start's; ∞ if diverged."""
    low = floor_of(sweep.landscape)
    begin = abs(float(sweep.landscape.value(sweep.start)) - low) or 1.0
    above = np.maximum(sweep.final_loss - low, ARRIVED * begin)
    return np.where(sweep.diverged | ~np.isfinite(above), np.inf, above)


@dataclass(frozen=True, slots=True)
class Valley:
    """The good settings of a map: the best gap, its cell, and the share of cells near it.

    share counts cells whose gap is within `factor` of this map's best, share_of_all within that of
    the best of all maps compared, diverged those that diverged.
    """

    best: float
    cell: tuple[int, ...]
    share: float
    share_of_all: float
    diverged: float


def valley(gaps: npt.ArrayLike, best_of_all: float, factor: float = 10.0) -> Valley:
    """How wide the valley of good settings is; gaps as of `gap`, cells spread as on the map."""
    values = np.asarray(gaps, dtype=float)
    best = float(values.min())
    cell = tuple(int(i) for i in np.unravel_index(int(values.argmin()), values.shape))
    if not math.isfinite(best):
        return Valley(best, cell, 0.0, 0.0, 1.0)
    return Valley(
        best,
        cell,
        float((values <= factor * best).mean()),
        float((values <= factor * best_of_all).mean()),
        float(np.isinf(values).mean()),
    )


def quadratic_curvatures(landscape: Landscape) -> tuple[float, float] | None:
    """The smallest and largest curvature where they are the same everywhere; None elsewhere."""
    (x0, x1), (y0, y1) = landscape.window
    points = np.array([x0, y0]) + _PROBES * np.array([x1 - x0, y1 - y0])
    curvatures = symmetric_eigenvalues(landscape.hessian(points))
    if not np.isfinite(curvatures).all():
        return None
    if np.abs(curvatures - curvatures[0]).max() > 1e-9 * np.abs(curvatures).max():
        return None
    return float(curvatures[0, 0]), float(curvatures[0, 1])


def stability_edge(
    optimizer: Optimizer,
    curvature: float,
    other: str | None,
    values: npt.ArrayLike,
    hypers: Mapping[str, float],
    options: Mapping[str, str | bool],
) -> Array | None:
    """The largest stable learning rate for each value of the hyper-parameter `other`, (values,).

    None where no closed form is known. `other` None: the one limit, repeated.
    """
    limits = [
        optimizer.stability_limit(
            curvature, {**hypers, **({other: float(v)} if other else {})}, options
        )
        for v in np.asarray(values)
    ]
    return None if any(x is None for x in limits) else np.array(limits, dtype=float)


def polyak_pair(smallest: float, largest: float) -> tuple[float, float] | None:
    """The learning rate and β at which momentum (velocity form) is quickest on a quadratic.

    η = (2 / (√λ₁ + √λₙ))², β = ((√λₙ − √λ₁) / (√λₙ + √λ₁))²: Polyak 1964. None unless both
    curvatures are positive.
    """
    if not 0 < smallest <= largest:
        return None
    a, b = math.sqrt(smallest), math.sqrt(largest)
    return (2 / (a + b)) ** 2, ((b - a) / (b + a)) ** 2
