"""A landscape from a grid of heights: the formula of its largest waves.

A grid is read as the heights of a square, and written as a sum of the cosines and sines that it is
made of most (the discrete cosine transform, as in JPEG), few enough to be a formula that a reader
could have typed. So everything that works on a formula works on it: gradients, runs, maps, links.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.problems.formula import MAX_LENGTH

HALF: Final = 5.0  # the square is [-5, 5] both ways, as for every typed formula
HEIGHT: Final = 10.0  # from the lowest to the highest of its cells
MOST_WAVES: Final = 9  # half waves across the square
MOST_TERMS: Final = 14
MOST_CELLS: Final = 4_000_000
_SIDE: Final = 96  # cells to which a finer grid is averaged


@dataclass(frozen=True, slots=True)
class Waves:
    """The formula, and which share of the grid's variance it holds (0 to 1)."""

    formula: str
    share: float


def waves_of(heights: npt.ArrayLike) -> Waves:
    """The formula in x and y of a grid (rows, columns), its first row at the top (y = 5).

    Raises ValueError where it is no grid of at least 2 × 2 finite numbers that differ.
    """
    z = np.asarray(heights, dtype=float)
    if z.ndim != 2 or min(z.shape) < 2:
        raise ValueError("a landscape needs at least two rows and two columns of numbers")
    if z.size > MOST_CELLS:
        raise ValueError(f"a landscape may have {MOST_CELLS:,} cells, this one has {z.size:,}")
    if not np.isfinite(z).all():
        raise ValueError("some of its cells are not numbers")
    z = _averaged(z[::-1])
    low, high = float(z.min()), float(z.max())
    if not high > low:
        raise ValueError("all its cells are equal, so there is nothing to descend")
    z = (z - low) * (HEIGHT / (high - low))
    down, across = _waves(z.shape[0]), _waves(z.shape[1])
    # Waves are orthogonal on the cells' middles: each has its amplitude by itself.
    size = np.outer((down**2).sum(axis=1), (across**2).sum(axis=1))
    amplitude = (down @ z @ across.T) / size
    power = amplitude**2 * size
    power[0, 0] = np.inf  # the mean comes first
    terms: list[str] = []
    kept = np.zeros_like(amplitude)
    for place in np.argsort(power, axis=None, kind="stable")[::-1][: MOST_TERMS + 1]:
        i, j = np.unravel_index(place, power.shape)
        number = float(f"{amplitude[i, j]:.3g}")
        term = _term(number, int(j), int(i))
        if number == 0.0 or len("".join([*terms, term])) > MAX_LENGTH - 1:
            continue
        terms.append(term)
        kept[i, j] = number
    drawn = down.T @ kept @ across
    share = 1.0 - float(((z - drawn) ** 2).sum() / ((z - z.mean()) ** 2).sum())
    return Waves("".join(terms).removeprefix("+"), max(share, 0.0))


def _averaged(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A grid of at most _SIDE cells a side, each the mean of those that it stands for."""
    for axis in (0, 1):
        n = z.shape[axis]
        if n > _SIDE:
            begin = np.linspace(0, n, _SIDE, endpoint=False).astype(int)
            counts = np.diff([*begin, n])
            shape = (-1, 1) if axis == 0 else (1, -1)
            z = np.add.reduceat(z, begin, axis=axis) / counts.reshape(shape)
    return z


def _waves(cells: int) -> npt.NDArray[np.float64]:
    """(waves, cells): k half waves across the square, at the cells' middles."""
    at = HALF * (2.0 * (np.arange(cells) + 0.5) / cells - 1.0)
    rows = []
    for k in range(min(MOST_WAVES + 1, cells)):
        rate = float(_rate(k))
        rows.append(np.sin(rate * at) if k % 2 else np.cos(rate * at))
    return np.array(rows)


def _rate(k: int) -> str:
    return f"{math.pi * k / (2 * HALF):.4g}"


def _term(amplitude: float, across: int, up: int) -> str:
    parts = [f"{amplitude:+.3g}"]
    for k, name in ((across, "x"), (up, "y")):
        if k:
            parts.append(f"{'sin' if k % 2 else 'cos'}({_rate(k)}*{name})")
    return "*".join(parts)
