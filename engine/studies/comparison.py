"""All optimizers on one landscape, each at its own best learning rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from engine.optimizers import OPTIMIZERS, Optimizer
from engine.problems.landscapes import Landscape
from engine.runs.descent import find_landscape, find_optimizer
from engine.runs.sweeps import sweep

RATES = 41  # learning rates tried, evenly spread over the logarithm of the optimizer's range


# Settings without which a rule is another one: PyTorch's default λ makes Adam + L2 plain Adam.
TRIED_WITH: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {"adam_l2": MappingProxyType({"weight_decay": 0.01})}
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one optimizer can do: its best rate `lr`, the step at which it first came down to the
    target (None where it does not end there), the loss above the minimum at the end, and the share
    of all rates tried at which it diverged."""

    slug: str
    lr: float
    steps: int | None
    gap: float
    diverged: float


def rates_of(optimizer: Optimizer, count: int = RATES) -> np.ndarray:
    """The learning rates that an optimizer is tried at, its default among them, (count + 1,)."""
    own = next(h for h in optimizer.hypers if h.name == "lr")
    return np.sort(np.append(np.geomspace(own.low, own.high, count), own.default))


def compare(
    landscape: Landscape | str,
    start: Sequence[float],
    steps: int,
    target: float,
    optimizers: Iterable[Optimizer | str] = tuple(OPTIMIZERS),
    *,
    rates: int = RATES,
) -> tuple[Outcome, ...]:
    """Try every optimizer at its default and `rates` other learning rates, and keep its best.

    The other hyper-parameters are at their defaults, but for those in TRIED_WITH.

    Best is the rate that is first at a loss of target above the landscape's minimum (above zero
    where it has none), among those that end at the target too: who only flies past does not count.
    Where no rate does, it is the one that ends lowest.
    Raises ValueError where `sweep` would.
    """
    surface = find_landscape(landscape)
    floor = surface.minimum or 0.0
    outcomes = []
    for entry in map(find_optimizer, optimizers):
        tried = rates_of(entry, rates)
        found = sweep(
            surface, entry, {"lr": tried}, start, steps, hypers=TRIED_WITH.get(entry.slug),
            target=floor + target, device="cpu",
        )  # fmt: skip
        assert found.steps_to_target is not None  # a target was given
        gaps = np.where(found.diverged | ~np.isfinite(found.final_loss), np.inf, found.final_loss)
        gaps = gaps - floor
        never = (found.steps_to_target < 0) | (gaps > target)
        needed = np.where(never, steps + 1, found.steps_to_target)
        best = int(np.lexsort((gaps, needed))[0])
        outcomes.append(
            Outcome(
                entry.slug,
                float(tried[best]),
                None if never[best] else int(needed[best]),
                float(gaps[best]),
                float(found.diverged.mean()),
            )
        )
    return tuple(outcomes)
