"""What noise decides: where a run ends, over many seeds of the noise in its gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.optimizers import Optimizer
from engine.problems import minima as basins
from engine.problems.landscapes import Landscape
from engine.runs.descent import descend

MOST_STEPS = 60_000  # of all seeds together
SEEDS = 100


@dataclass(frozen=True, slots=True)
class Ends:
    """Of `seeds` runs from one start, the share that ended at each minimum, at none, diverged."""

    seeds: int
    shares: tuple[float, ...]

    def error(self, place: int) -> float:
        """The standard error of a share: it is an estimate over so many seeds."""
        share = self.shares[place]
        return math.sqrt(share * (1 - share) / self.seeds)


def ends_over_seeds(
    landscape: Landscape,
    optimizer: Optimizer,
    start: tuple[float, float],
    steps: int,
    hypers: Mapping[str, float],
    *,
    options: Mapping[str, str | bool] | None = None,
    noise: float,
) -> Ends:
    """Run from one start on SEEDS seeds (fewer where runs are long) and count where they end.

    Raises ValueError where `descend` would.
    """
    seeds = max(1, min(SEEDS, MOST_STEPS // max(steps, 1)))
    minima = basins.minima_of(landscape)
    runs = [
        descend(landscape, optimizer, start, steps, hypers, options=options, noise=noise, seed=seed)
        for seed in range(seeds)
    ]
    labels = basins.label(
        np.array([run.path[-1] for run in runs]),
        np.array([run.diverged_at is not None for run in runs]),
        minima,
        noisy=noise > 0,
    )
    return Ends(seeds, tuple(basins.shares(labels, len(minima))))
