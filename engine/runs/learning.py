"""Competitors that train one network on one data set: the same weights, the same batches.

A `Training` is one competitor in the middle of its run; `train` takes several on in turn and
yields how they stand. Everything is drawn from the seed, by counting (`engine.problems.counted`),
so that a run is the same wherever and in whatever slices it is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.tensor import compiled
from engine.optimizers import Optimizer
from engine.optimizers.schedules import Schedule, find_schedule
from engine.problems import counted
from engine.problems.data import Batches, Split
from engine.problems.networks import INITIALISATIONS, MLP
from engine.runs.descent import find_optimizer
from engine.runs.objectives import LOSSES, Objective, classified
from engine.runs.training import Group, Trainer, one_group
from engine.tape import Vector

Array = npt.NDArray[Any]

MASK_STREAM = 1 << 20  # the first stream of bits for masks, beyond those of the epochs


@dataclass(frozen=True)
class Competitor:
    """How one network is trained; what is not said is the same for all.

    batch is the number of examples a step, 0 for all of them. scheme is one of INITIALISATIONS,
    loss one of LOSSES. Of a rule for matrices, such as Muon, fallback is the slug of the rule that
    takes what it leaves ("": its own choice), with fallback_hypers.
    clip is the longest gradient (0: none), average the decay of an average of the weights that is
    measured in their place (0: none). Unshuffled, examples come sorted by class, as files often
    hold them.
    """

    optimizer: Optimizer | str = "adam"
    hypers: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, str | bool] = field(default_factory=dict)
    schedule: Schedule | str = "constant"
    batch: int = 32
    loss: str = "cross_entropy"
    scheme: str = "xavier"
    smoothing: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    clip: float = 0.0
    average: float = 0.0
    shuffle: bool = True
    fallback: str = ""
    fallback_hypers: Mapping[str, float] = field(default_factory=dict)

    def check(self, split: Split) -> None:
        """ValueError where it cannot train on this data."""
        if self.scheme not in INITIALISATIONS:
            raise ValueError(
                f"there is no initialisation {self.scheme!r}; there are "
                + ", ".join(INITIALISATIONS)
            )
        if self.loss not in LOSSES:
            raise ValueError(f"there is no loss {self.loss!r}; there are {', '.join(LOSSES)}")
        if split.outputs > 1 and LOSSES[self.loss].many is None:
            raise ValueError(f"{LOSSES[self.loss].name} is a loss for two classes")
        for name in ("smoothing", "dropout", "average"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} lies in [0, 1), got {getattr(self, name)!r}")
        for name in ("l2", "clip"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is at least 0, got {getattr(self, name)!r}")
        if not self.batch >= 0:
            raise ValueError(f"a batch has at least one example, got {self.batch!r}")

    @property
    def name(self) -> str:
        return find_optimizer(self.optimizer).name


@dataclass(frozen=True)
class Measured:
    """Loss and accuracy of a network on both parts of the data; NaN where nothing is held back."""

    loss: float
    accuracy: float
    test_loss: float
    test_accuracy: float


@dataclass(frozen=True)
class Progress:
    """How a competitor stands after `step` steps.

    batch_loss is the loss of the last batch before its step; examples and evaluations count from
    the start; diverged_at is the first step whose loss was no number.
    """

    step: int
    examples: int
    evaluations: int
    batch_loss: float
    measured: Measured
    diverged_at: int | None


class Training:
    """One competitor in the middle of its run; it ends at `steps` or where its loss is no number.

    The batches and (for one scheme) the weights at the start are the same for every competitor of
    the same seed. Raises ValueError where the competitor cannot train on this data.
    """

    def __init__(
        self,
        network: MLP,
        split: Split,
        competitor: Competitor,
        *,
        steps: int = 1000,
        seed: int = 0,
        dtype: npt.DTypeLike = np.float32,
        start: Sequence[npt.ArrayLike] | None = None,
    ) -> None:
        competitor.check(split)
        if network.sizes[0] != split.features or network.sizes[-1] != split.outputs:
            raise ValueError(
                f"a network of {network.sizes} does not fit {split.features} features and "
                f"{split.outputs} outputs"
            )
        self.network, self.split, self.competitor = network, split, competitor
        self.steps, self.seed, self.dtype = steps, seed, np.dtype(dtype)
        weights = network.initial(seed, dtype, competitor.scheme) if start is None else start
        groups = groups_of(competitor, weights)
        self.trainer = Trainer(
            weights, groups, seed=seed, dtype=dtype, clip=competitor.clip,
            average=competitor.average,
        )  # fmt: skip
        self.objective = Objective(
            network, competitor.loss, competitor.smoothing, competitor.l2, competitor.dropout
        )
        self.losses: list[float] = []
        self.diverged_at: int | None = None

    @cached_property
    def x(self) -> Array:
        """The inputs to learn from, in the order in which an epoch without shuffling takes them."""
        return self.split.x[self.order].astype(self.dtype)

    @cached_property
    def targets(self) -> Array:
        """What the outputs should say to `x`."""
        return self.split.targets(self.split.y[self.order], self.dtype)

    @cached_property
    def order(self) -> npt.NDArray[np.intp]:
        """The places of the examples as an epoch without shuffling takes them."""
        if self.competitor.shuffle:
            return np.arange(len(self.split.y))
        return np.argsort(self.split.y, kind="stable")

    @cached_property
    def batches(self) -> Batches:
        n = len(self.split.y)
        return Batches(n, min(self.competitor.batch or n, n), self.seed, self.competitor.shuffle)

    @cached_property
    def factors(self) -> Array:
        """The schedule's factor on the learning rate at each step."""
        return find_schedule(self.competitor.schedule).factors(max(self.steps, 1))

    @property
    def step(self) -> int:
        """Steps taken."""
        return len(self.losses)

    @property
    def ended(self) -> bool:
        return self.diverged_at is not None or self.step >= self.steps

    def masks(self, k: int) -> list[Array]:
        """Step k's masks for the hidden units: 0 with probability `dropout`, else 1/(1 − p)."""
        p = self.competitor.dropout
        if not p:
            return []
        found = []
        for layer, width in enumerate(self.network.sizes[1:-1]):
            stream = MASK_STREAM + k * (len(self.network.sizes) - 2) + layer
            size = self.batches.size * width
            kept = counted.uniform(self.seed, stream, size) >= p
            found.append((kept / (1.0 - p)).reshape(-1, width).astype(self.dtype))
        return found

    def advance(self, steps: int = 1, seconds: float = math.inf) -> None:
        """So many steps more, or as many as come in so many seconds; where it diverges it ends."""
        end = monotonic() + seconds
        for _ in range(steps):
            if self.ended:
                return
            k = self.step
            loss = self.trainer.step(self.objective, self.factors[k], *self.batch(k))
            self.losses.append(loss)
            if not math.isfinite(loss):
                self.diverged_at = k
            if monotonic() > end:
                return

    def batch(self, k: int) -> tuple[Array, ...]:
        """What step k learns from: inputs, targets, and masks where units are dropped."""
        x, targets = self.x, self.targets
        if self.batches.size < len(x):
            chosen = self.batches.take(k)
            x, targets = x[chosen], targets[chosen]
        return x, targets, *self.masks(k)

    def outputs(self, x: npt.ArrayLike) -> Array:
        """The network's outputs (n, outputs) at standardised inputs (n, features)."""
        weights = Vector(self.trainer.averages)
        with np.errstate(all="ignore"):
            return np.asarray(self.network(weights, np.asarray(x, self.dtype)))

    def measured(self) -> Measured:
        """Loss and accuracy on all that is learned and all that is held back.

        The loss is the competitor's own, without smoothing, penalty and dropout; the weights are
        the averaged ones where an average is kept.
        """
        weights = Vector(self.trainer.averages)
        found: list[float] = []
        for x, labels, targets in self._measured_on:
            if not len(labels):
                found += [math.nan, math.nan]
                continue
            with np.errstate(all="ignore"):
                loss, outputs = self._measure(weights, x, targets)
            right = np.mean(classified(outputs, labels)) if np.isfinite(loss) else math.nan
            found += [float(loss), float(right)]
        return Measured(*found)

    @cached_property
    def _measured_on(self) -> list[tuple[Array, Array, Array]]:
        split = self.split
        parts = ((split.x, split.y), (split.test_x, split.test_y))
        return [(x.astype(self.dtype), y, split.targets(y, self.dtype)) for x, y in parts]

    @cached_property
    def _measure(self) -> Any:
        loss = LOSSES[self.competitor.loss]

        def measure(weights: Vector, x: Any, targets: Any) -> Any:
            outputs = self.network(weights, x)
            return loss.of(outputs, targets), outputs

        return compiled(measure)

    def progress(self) -> Progress:
        """How it stands now."""
        return Progress(
            self.step, self.step * self.batches.size, self.trainer.evaluations,
            self.losses[-1] if self.losses else math.nan, self.measured(), self.diverged_at,
        )  # fmt: skip


def groups_of(competitor: Competitor, weights: Sequence[npt.ArrayLike]) -> tuple[Group, ...]:
    """The parameter groups of a competitor: one, or the hidden matrices and the rest."""
    return one_group(
        competitor.optimizer, weights, competitor.hypers, competitor.options,
        competitor.fallback_hypers, competitor.fallback,
    )  # fmt: skip


def train(
    network: MLP,
    data: Split,
    competitors: Sequence[Competitor],
    *,
    steps: int = 1000,
    every: int = 10,
    seed: int = 0,
    dtype: npt.DTypeLike = np.float32,
) -> Iterator[tuple[Progress, ...]]:
    """Train competitors side by side: yields how each stands at the start and every so many steps.

    All begin at the weights that the seed draws and learn the same batches; whoever's loss is no
    number stands still from then on. Ends when all have.
    """
    runs = [
        Training(network, data, competitor, steps=steps, seed=seed, dtype=dtype)
        for competitor in competitors
    ]
    yield tuple(run.progress() for run in runs)
    while not all(run.ended for run in runs):
        for run in runs:
            run.advance(every)
        yield tuple(run.progress() for run in runs)
