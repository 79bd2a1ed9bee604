"""The learning-rate range test, and how far its advice is from the best of a sweep over rates.

One run whose learning rate rises step by step from far too small to far too large: where its loss
falls fastest a rate already works, and where it is least a larger one no longer does. Source:
Smith, "Cyclical learning rates for training neural networks" (2017), section 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.problems.data import Split
from engine.problems.networks import MLP
from engine.runs.learning import Competitor, Training
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

MEMORY = 0.9  # of the average that smooths the losses of single batches
RISEN = 1.1  # times the least loss: a rate from which it stays above that is none to train at
EXPLODED = 4.0  # times the least loss: the test ends


@dataclass(frozen=True)
class RangeTest:
    """One range test: rates and losses (n,), the losses smoothed, and the places read off.

    steepest is where the smoothed loss falls fastest against log η, lowest where it is least. All
    that is read off are numbers of `rates`; the test ended where the loss exploded or the rates
    did.
    """

    rates: Array
    losses: Array
    smoothed: Array
    steepest: float
    lowest: float

    @property
    def safe(self) -> float:
        """The last safe rate: beyond it the smoothed loss is over RISEN times its least for good;
        the last of all where it never is."""
        near = np.flatnonzero(self.smoothed <= RISEN * float(self.smoothed.min()))
        return float(self.rates[near[-1]])

    @property
    def tenth(self) -> float:
        """The rule of thumb: a tenth of where the loss is least."""
        return self.lowest / 10.0


def range_test(
    network: MLP,
    split: Split,
    competitor: Competitor,
    *,
    low: float,
    high: float,
    steps: int,
    seed: int = 0,
) -> RangeTest:
    """Train once while the rate rises from low to high by the same factor each step."""
    if not 0.0 < low < high:
        raise ValueError(f"a range of rates goes up from above 0, got {low!r} to {high!r}")
    if steps < 10:
        raise ValueError(f"a range test has at least 10 steps, got {steps!r}")
    rates = np.geomspace(low, high, steps)
    base = replace(competitor, hypers={**competitor.hypers, "lr": low}, schedule="constant")
    run = Training(network, split, base, steps=steps, seed=seed)
    run.factors = rates / low
    average, best = 0.0, math.inf
    smoothed: list[float] = []
    while not run.ended:
        run.advance(1)
        loss = run.losses[-1]
        if not math.isfinite(loss):
            break
        average = MEMORY * average + (1.0 - MEMORY) * loss
        smoothed.append(average / (1.0 - MEMORY ** len(run.losses)))
        best = min(best, smoothed[-1])
        if len(smoothed) > 5 and smoothed[-1] > EXPLODED * best:
            break
    n = len(smoothed)
    curve = np.array(smoothed)
    lowest = int(np.argmin(curve))
    # Falls are measured over a tenth of the test: single batches rise and fall by chance.
    width = max(3, steps // 10)
    falls = curve[width : lowest + 1] - curve[: max(0, lowest + 1 - width)]
    steepest = int(np.argmin(falls)) + width // 2 if falls.size else lowest
    return RangeTest(
        rates[:n], np.array(run.losses[:n]), curve, float(rates[steepest]),
        float(rates[lowest]),
    )  # fmt: skip


@dataclass(frozen=True)
class RateSweep:
    """Whole runs over rates (n,) and seeds: the loss on all that is learned at their end,
    (n, seeds), infinite where a run ended in no number."""

    rates: Array
    losses: Array

    @property
    def middle(self) -> Array:
        """The median over seeds, (n,)."""
        return np.asarray(np.median(self.losses, axis=1))

    @property
    def best(self) -> float:
        """The rate whose median is least."""
        return float(self.rates[int(np.argmin(self.middle))])

    def at(self, rate: float) -> float:
        """The median at the rate nearest to this one, in factors."""
        return float(self.middle[int(np.argmin(np.abs(np.log(self.rates / rate))))])


def rate_sweep(
    network: MLP,
    split: Split,
    competitor: Competitor,
    rates: Sequence[float] | Array,
    *,
    steps: int,
    seeds: int = 3,
) -> RateSweep:
    """Train to the end at every rate, on seeds 0 … seeds − 1 of weights and batches."""
    found: list[list[float]] = []
    for rate in rates:
        row = []
        for seed in range(seeds):
            own: Any = replace(competitor, hypers={**competitor.hypers, "lr": float(rate)})
            run = Training(network, split, own, steps=steps, seed=seed)
            run.advance(steps)
            loss = run.measured().loss
            row.append(loss if math.isfinite(loss) else math.inf)
        found.append(row)
    return RateSweep(np.asarray(rates, float), np.array(found))


def joined(sweeps: Sequence[RateSweep]) -> RateSweep:
    """Sweeps over a rate or more each as one, in their order."""
    return RateSweep(
        np.concatenate([sweep.rates for sweep in sweeps]),
        np.concatenate([sweep.losses for sweep in sweeps]),
    )


def nearest(rates: Mapping[str, float], rate: float) -> str:
    """The name of the one that is fewest times larger or smaller than a rate."""
    return min(rates, key=lambda name: abs(math.log(rates[name] / rate)))


def below(rates: Array, rate: Any) -> Any:
    """How many of the rates are at most this one, which may be traced."""
    return ops.sum(ops.where(ops.less_equal(rates, rate), 1.0, 0.0))
