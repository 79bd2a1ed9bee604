"""A fair race: every optimizer gets the same budget to be tuned, then runs over many seeds.

The budget is counted in gradient evaluations, because that is what training costs. Each optimizer
spends it on a grid over the same range of learning rates (and, if asked, its own first memory
hyper-parameter); every setting is tried under the same few noise seeds, the best mean log gap
wins. The race itself is run on seeds that tuning never saw. Ranks are taken seed by seed, and
their means given with a bootstrap interval (Efron 1979) over the seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.descent import Descent, descend, find_landscape
from engine.landscapes import Landscape
from engine.maps import ARRIVED, axis, floor_of
from engine.optimizers import Hyper, Optimizer
from engine.sweeps import sweep

Array = npt.NDArray[np.float64]

LR_RANGE = (1e-4, 10.0)  # the same for all: nobody starts nearer to his best
TUNING_SEEDS = 3
_RACE_SEED = 1_000_000  # seeds of the race begin here, far from those of tuning
_RESAMPLES = 2000
_TAIL = 0.1  # the share of a run whose median counts as its end, so that noise does not decide
MAX_TRIALS = 4096


@dataclass(frozen=True)
class Contender:
    """Who races: an optimizer, its options, and the hyper-parameters that are not tuned."""

    optimizer: Optimizer
    hypers: Mapping[str, float]
    options: Mapping[str, str | bool]


@dataclass(frozen=True)
class Tuning:
    """The search of one contender.

    names are the tuned hyper-parameters and values their trial values, score the mean log10 gap of
    each trial (∞ where a seed diverged), shaped like the grid; best are the winning values, spent
    the gradient evaluations that it took.
    """

    names: tuple[str, ...]
    values: tuple[Array, ...]
    score: Array
    best: dict[str, float]
    spent: int


@dataclass(frozen=True)
class Entry:
    """One contender in the race.

    hypers are those it ran with, gaps (seeds, steps + 1) its loss above the minimum on each seed,
    median and band (2, steps + 1: quartiles) over the seeds, final (seeds,) where each seed ended
    (∞ where it diverged), rank its mean rank with the interval that holds 95 % of the resamples.
    evaluations is the cost of one step in gradient evaluations.
    """

    contender: Contender
    tuning: Tuning | None
    hypers: dict[str, float]
    gaps: Array
    median: Array
    band: Array
    final: Array
    rank: float
    interval: tuple[float, float]
    diverged: int
    evaluations: int


def trials_for(contender: Contender, budget: int, steps: int) -> int:
    """How many settings a budget of gradient evaluations lets it try; at least one."""
    cost = steps * contender.optimizer.evaluations * TUNING_SEEDS
    return min(max(budget // max(cost, 1), 1), MAX_TRIALS)


def memory_of(optimizer: Optimizer) -> Hyper | None:
    """The first hyper-parameter that says how long a rule remembers, if it has one."""
    return next((h for h in optimizer.hypers if h.name.startswith(("beta", "rho", "mu"))), None)


def tune(
    contender: Contender,
    landscape: Landscape | str,
    start: Sequence[float],
    steps: int,
    budget: int,
    *,
    noise: float = 0.0,
    seed: int = 0,
    memory: bool = False,
    lr_range: tuple[float, float] = LR_RANGE,
) -> Tuning:
    """Spend a budget of gradient evaluations on finding good hyper-parameters.

    memory also tunes the contender's first memory hyper-parameter, for which the same number of
    trials is spread over a grid.
    """
    landscape = find_landscape(landscape)
    optimizer = contender.optimizer
    trials = trials_for(contender, budget, steps)
    axes: dict[str, Array] = {}
    rates = trials
    remembered = memory_of(optimizer) if memory else None
    if remembered is not None and trials >= 4:
        rows = max(2, min(8, math.isqrt(trials) // 2))
        rates = trials // rows
        # Memories 1/(1 − β) equally spaced in ratio: 0.9 and 0.99 are as far apart as 0 and 0.9.
        longest = 1.0 - min(remembered.high, 0.999)
        axes[remembered.name] = 1.0 - np.geomspace(1.0, longest, rows)
    if any(h.name == "lr" for h in optimizer.hypers):
        axes["lr"] = axis(*lr_range, rates, log=True)
    elif not axes:  # nothing to tune
        axes[optimizer.hypers[0].name] = np.array([contender.hypers[optimizer.hypers[0].name]])
    total = np.zeros([len(values) for values in axes.values()])
    for tuning_seed in range(seed, seed + TUNING_SEEDS):
        found = sweep(
            landscape, optimizer, axes, start, steps, hypers=contender.hypers,
            options=contender.options, noise=noise, seed=tuning_seed,
        )  # fmt: skip
        with np.errstate(divide="ignore"):
            total += np.log10(_above(found.final_loss, found.diverged, landscape, start))
    score = total / TUNING_SEEDS
    at = np.unravel_index(int(np.argmin(score)), score.shape)
    best = {name: float(values[i]) for (name, values), i in zip(axes.items(), at, strict=True)}
    spent = score.size * steps * optimizer.evaluations * TUNING_SEEDS
    return Tuning(tuple(axes), tuple(axes.values()), score, best, spent)


def _above(
    loss: Array, diverged: npt.ArrayLike, landscape: Landscape, start: Sequence[float]
) -> Array:
    """The gap to the minimum, not below ARRIVED × the start's; ∞ where diverged."""
    low = floor_of(landscape)
    begin = abs(float(landscape.value(start)) - low) or 1.0
    above = np.maximum(loss - low, ARRIVED * begin)
    return np.where(np.asarray(diverged) | ~np.isfinite(above), np.inf, above)


def race(
    contenders: Sequence[Contender],
    landscape: Landscape | str,
    start: Sequence[float],
    steps: int,
    *,
    seeds: int = 25,
    noise: float = 0.0,
    seed: int = 0,
    tunings: Sequence[Tuning] | None = None,
    lr: float | None = None,
) -> tuple[Entry, ...]:
    """Race contenders over fresh seeds: each at its tuned setting, or all at one learning rate.

    Without noise every seed is the same run, unless the rule itself draws; one seed is then run.
    """
    landscape = find_landscape(landscape)
    settings: list[dict[str, float]] = []
    for place, contender in enumerate(contenders):
        own = dict(contender.hypers)
        if tunings is not None:
            own |= tunings[place].best
        elif lr is not None and any(h.name == "lr" for h in contender.optimizer.hypers):
            own["lr"] = lr
        settings.append(own)
    drawn = noise > 0 or any(c.optimizer.draws_probe(c.options) for c in contenders)
    count = seeds if drawn else 1
    gaps, finals, gone = [], [], []
    for contender, hypers in zip(contenders, settings, strict=True):
        runs = [
            descend(
                landscape, contender.optimizer, start, steps, hypers,
                options=contender.options, noise=noise, seed=_RACE_SEED + seed + i,
            )
            for i in range(count)
        ]  # fmt: skip
        gaps.append(np.stack([_curve(run, start) for run in runs]))
        lost = [run.diverged_at is not None for run in runs]
        gone.append(sum(lost))
        tail = max(round(_TAIL * steps), 1)
        finals.append(np.where(lost, np.inf, np.median(gaps[-1][:, -tail:], axis=1)))
    ranks = rank_by_seed(np.stack(finals))
    intervals = bootstrap_mean(ranks, seed)
    return tuple(
        Entry(
            contender,
            tunings[i] if tunings is not None else None,
            settings[i],
            gaps[i],
            np.median(gaps[i], axis=0),
            np.quantile(gaps[i], (0.25, 0.75), axis=0),
            finals[i],
            float(ranks[i].mean()),
            (float(intervals[i, 0]), float(intervals[i, 1])),
            gone[i],
            contender.optimizer.evaluations,
        )
        for i, contender in enumerate(contenders)
    )


def _curve(run: Descent, start: Sequence[float]) -> Array:
    """A run's gap at every step; past divergence it stays where it left."""
    frozen = np.zeros(len(run.loss), bool)
    return _above(run.loss, frozen, run.landscape, start)


def rank_by_seed(finals: Array) -> Array:
    """Ranks within each seed, 1 the lowest, ties sharing their mean; (contenders, seeds)."""
    below = (finals[:, None, :] > finals[None, :, :]).sum(axis=1)
    ties = (finals[:, None, :] == finals[None, :, :]).sum(axis=1)
    return np.asarray(below + (ties + 1) / 2, dtype=float)


def bootstrap_mean(values: Array, seed: int = 0, level: float = 0.95) -> Array:
    """Percentile intervals of the means along the last axis, (n, seeds) -> (n, 2).

    The same seeds are drawn for all rows, because they were raced together.
    """
    count = values.shape[-1]
    drawn = np.random.default_rng(seed).integers(0, count, (_RESAMPLES, count))
    means = values[:, drawn].mean(axis=-1)
    tail = (1 - level) / 2
    return np.asarray(np.quantile(means, (tail, 1 - tail), axis=-1).T)
