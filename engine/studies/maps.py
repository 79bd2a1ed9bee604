"""What a map of hyper-parameters is read by: its axes, its valley of good settings, its theory.

Theory stands where there is any: on a quadratic the curvatures are the same everywhere, and with
them the learning rate up to which a rule is stable, and Polyak's best pair for momentum. What a
picture shows of a map is written for numbers and traced Values alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import count, running_sum, smallest
from engine.optimizers import Optimizer
from engine.problems import minima as basins
from engine.problems.landscapes import Landscape
from engine.runs.live_sweep import LiveSweep, Span, middles
from engine.runs.sweeps import Sweep
from engine.studies.stability import hessian_entries, symmetric_eigenvalues
from engine.tape import operations as ops

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
        return middles(self.low, self.high, count, log=self.log)

    def between(self, low: Any, high: Any) -> Span:
        """The axis as a hand moves its ends: whichever is lower comes first, and never empty."""
        bottom, top = ops.minimum(low, high), ops.maximum(low, high)
        least = bottom * (1 + 1e-6) if self.log else bottom + 1e-9 * (1 + ops.absolute(bottom))
        return Span(bottom, ops.maximum(top, least), self.log)

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


def start_gap(landscape: Landscape, x: Any, y: Any, parameters: Mapping[str, Any]) -> Any:
    """How far above the minimum a start lies; 1 where that is no positive number. May be traced."""
    with np.errstate(all="ignore"):
        away = ops.absolute(landscape.function(x, y, **parameters) - floor_of(landscape))
    return ops.where((away > 0.0) * (away < np.inf), away, 1.0)


def live_gap(found: LiveSweep, landscape: Landscape, begin: Any) -> Any:
    """`gap` of a sweep in a picture, begin being the start's own (`start_gap`)."""
    with np.errstate(all="ignore"):
        above = ops.maximum(found.loss - floor_of(landscape), ARRIVED * begin)
    return ops.where((found.diverged > 0.0) + ops.equal(above < np.inf, 0.0), np.inf, above)


def live_shares(gaps: Any, factor: float = 10.0) -> tuple[Any, Any, Any]:
    """The best gap of a map, the share of cells within `factor` of it, and the share that diverged.

    As in `Valley`, for gaps that follow the hand. The best is infinite where every cell diverged.
    """
    best = smallest(gaps)
    near = ops.mean(ops.where((gaps <= factor * best) * (gaps < np.inf), 1.0, 0.0))
    return best, near, ops.mean(ops.where(gaps < np.inf, 0.0, 1.0))


def cell_places(like: Any, span: Span) -> Any:
    """Where the cells of a row (or column) `like` lie along an axis, (n,), whatever n is now."""
    at = (running_sum(like * 0.0 + 1.0) - 0.5) / count(like)
    return place(span, at)


def place(span: Span, share: Any) -> Any:
    """The coordinate at a share of the way along an axis."""
    if span.log:
        return span.low * ops.exp(ops.log(span.high / span.low) * share)
    return span.low + (span.high - span.low) * share


def ends_and_between(span: Span, count: int = 120) -> Any:
    """Places along an axis from end to end, (count,)."""
    return place(span, np.linspace(0.0, 1.0, count))


def starts_well(landscape: Landscape, start: tuple[float, float]) -> bool:
    """Whether the landscape has a finite value at a start."""
    return bool(np.isfinite(landscape.value(start)))


def middle_of(mask: Any, across: Span, up: Span, least: float = 0.04) -> tuple[Any, Any]:
    """A place for words among the cells where mask (up, across) is 1: the middle of those, the
    widest rows counting most; NaN where they are too few to name."""
    share = ops.mean(mask)
    wide = ops.mean(mask, axis=1) ** 6.0
    rows, columns = wide, ops.matmul(wide, mask)
    found = []
    for along, span in ((columns, across), (rows, up)):
        at = (running_sum(along * 0.0 + 1.0) - 0.5) / count(along)
        middle = ops.sum(along * at) / ops.maximum(ops.sum(along), 1e-12)
        found.append(ops.where(share > least, place(span, middle), np.nan))
    return found[0], found[1]


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


def quickest(steps: npt.NDArray[np.int32]) -> tuple[int, ...] | None:
    """The cell that is at the target first, of steps as of `Sweep`; None where none ever is."""
    needed = np.where(steps < 0, np.iinfo(np.int32).max, steps)
    cell = tuple(int(i) for i in np.unravel_index(int(needed.argmin()), steps.shape))
    return cell if steps[cell] >= 0 else None


def quadratic_curvatures(landscape: Landscape) -> tuple[float, float] | None:
    """The smallest and largest curvature where they are the same everywhere; None elsewhere."""
    (x0, x1), (y0, y1) = landscape.window
    points = np.array([x0, y0]) + _PROBES * np.array([x1 - x0, y1 - y0])
    x, y = points.T
    with np.errstate(all="ignore"):
        entries = hessian_entries(landscape, x, y, landscape.arguments)
    a, b, d = (entry + 0.0 * x for entry in entries)
    curvatures = symmetric_eigenvalues(np.stack([a, b, b, d], axis=-1).reshape(-1, 2, 2))
    if not np.isfinite(curvatures).all():
        return None
    if np.abs(curvatures - curvatures[0]).max() > 1e-9 * np.abs(curvatures).max():
        return None
    return float(curvatures[0, 0]), float(curvatures[0, 1])


def curvatures_at(
    landscape: Landscape, x: Any, y: Any, parameters: Mapping[str, Any]
) -> tuple[Any, Any]:
    """The smallest and the largest eigenvalue of the Hessian at (x, y); all may be traced."""

    with np.errstate(all="ignore"):  # steep landscapes overflow, which is what is then drawn
        a, b, d = hessian_entries(landscape, x, y, parameters)
    half = 0.5 * (a - d)
    root = ops.sqrt(half * half + b * b)
    return 0.5 * (a + d) - root, 0.5 * (a + d) + root


def stability_edge(
    optimizer: Optimizer,
    curvature: Any,
    other: str | None,
    values: Any,
    hypers: Mapping[str, Any],
    options: Mapping[str, str | bool],
) -> Any:
    """The largest stable learning rate for each value of the hyper-parameter `other`, (values,).

    None where no closed form is known. `other` None: the one limit, repeated. Numbers or traced.
    """
    if optimizer.stability is None:
        return None
    h = SimpleNamespace(**{**hypers, **({other: values} if other else {})})
    unit = optimizer.stability(h, SimpleNamespace(**optimizer.option_values(options)))
    return unit / curvature + 0.0 * values


def polyak_pair(smallest: Any, largest: Any) -> tuple[Any, Any]:
    """The learning rate and β at which momentum (velocity form) is quickest on a quadratic.

    η = (2 / (√λ₁ + √λₙ))², β = ((√λₙ − √λ₁) / (√λₙ + √λ₁))²: Polyak 1964. Not a number unless
    both curvatures are positive.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = ops.sqrt(smallest), ops.sqrt(largest)
        rate, memory = 2.0 / (a + b), (b - a) / (b + a)
    return rate * rate, memory * memory
