"""Finding a learning rate: the oldest method there is, and the one everybody starts with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.optimizers import Optimizer
from engine.problems.landscapes import Landscape
from engine.runs.descent import Descent, descend, kernel_of
from engine.runs.sweeps import sweep

MAX_HALVINGS = 60  # from any learning rate a control offers down to nothing that moves


@dataclass(frozen=True, slots=True)
class Halving:
    """The learning rate at which a run no longer diverges, and how often it had to be halved."""

    lr: float
    halvings: int


def gets_away(run: Descent) -> bool:
    """Whether a run ends worse than it began: it left every bound, or its loss rose overall."""
    return run.diverged_at is not None or not bool(run.loss[-1] <= run.loss[0])


def halve_until_stable(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    start: Sequence[float],
    steps: int,
    hypers: Mapping[str, float],
    *,
    options: Mapping[str, str | bool] | None = None,
    noise: float = 0.0,
    seed: int = 0,
) -> Halving | None:
    """Halve hypers["lr"] until the run ends no worse than it began; None if it never does.

    Raises ValueError where `descend` would.
    """
    lr = float(hypers["lr"])
    for halvings in range(MAX_HALVINGS + 1):
        run = descend(
            landscape,
            optimizer,
            start,
            steps,
            {**hypers, "lr": lr},
            options=options,
            noise=noise,
            seed=seed,
        )
        if not gets_away(run):
            return Halving(lr, halvings)
        lr = float(np.float64(lr) / 2)
    return None


@dataclass(frozen=True, slots=True)
class RateCurve:
    """What each learning rate reaches: rates (n,), gap (n,) above the minimum (∞ where the run gets
    away), and the best of them, None where none gets anywhere."""

    rates: npt.NDArray[np.float64]
    gap: npt.NDArray[np.float64]
    best: float | None

    def at(self, rate: float) -> float:
        """What the nearest rate that was tried reaches."""
        return float(self.gap[int(np.argmin(np.abs(np.log(self.rates / rate))))])


RATES = 121  # tried by `rate_curve`, some twenty a decade


def length_of(
    landscape: Landscape,
    optimizer: Optimizer,
    steps: int,
    options: Mapping[str, str | bool] | None = None,
) -> int:
    """How much a run is, in lines of the printed program × steps."""
    return steps * len(kernel_of(landscape, optimizer, options).loop.program.lines)


def rate_curve(
    landscape: Landscape,
    optimizer: Optimizer,
    start: Sequence[float],
    steps: int,
    hypers: Mapping[str, float] | None = None,
    *,
    options: Mapping[str, str | bool] | None = None,
    noise: float = 0.0,
    seed: int = 0,
) -> RateCurve:
    """The loss reached against the learning rate, over all rates that a control offers.

    The best is where the loss is lowest; a run that ends above its start gets away. Raises
    ValueError where `sweep` would, and for a rule without a learning rate.
    """
    rate = next((h for h in optimizer.hypers if h.name == "lr"), None)
    if rate is None:
        raise ValueError(f"{optimizer.slug} has no learning rate")
    rates = np.geomspace(rate.low, rate.high, RATES)
    others = {n: v for n, v in (hypers or {}).items() if n != "lr"}
    tried = sweep(
        landscape, optimizer, {"lr": rates}, start, steps,
        hypers=others, options=options, noise=noise, seed=seed,
    )  # fmt: skip
    first = float(landscape.value(np.asarray(start, dtype=float)))
    lost = tried.diverged | ~(tried.final_loss <= first)
    gap = np.where(lost, np.inf, tried.final_loss - (landscape.minimum or 0.0))
    best = None if lost.all() else float(f"{rates[int(np.argmin(gap))]:.3g}")
    return RateCurve(rates, gap, best)


RATES_A_DECADE = 4  # learning rates tried by `best_rate`


def best_rate(
    landscape: Landscape | str, optimizer: Optimizer, start: Sequence[float], steps: int
) -> float:
    """The learning rate, of a few a decade, that leads furthest down in that many steps.

    It is found by trying all that a control offers; the default where none gets anywhere.
    """
    rate = next((h for h in optimizer.hypers if h.name == "lr"), None)
    if rate is None:
        raise ValueError(f"{optimizer.slug} has no learning rate")
    decades = float(np.log10(rate.high / rate.low))
    best, lowest = rate.default, np.inf
    for lr in np.geomspace(rate.low, rate.high, round(decades * RATES_A_DECADE) + 1):
        lr = float(f"{lr:.2g}")
        run = descend(landscape, optimizer, start, steps, {"lr": min(lr, rate.high)})
        reached = float(run.loss[-1])
        if not gets_away(run) and reached < lowest:
            best, lowest = lr, reached
    return best


def settled_gap(run: Descent, share: float = 0.1) -> float:
    """The median loss above the minimum over the last share of a run: where noise leaves it."""
    last = max(round(share * run.steps), 1)
    return float(np.median(run.gap[run.last + 1 - min(last, run.last + 1) : run.last + 1]))
