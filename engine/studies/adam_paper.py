"""The comparison of the Adam paper in small: rules on handwritten digits, each tuned alike.

Kingma & Ba, "Adam: a method for stochastic optimization" (2015), train logistic regression (their
figure 1) and a perceptron of two hidden layers with ReLU, with and without dropout (figure 2), on
MNIST in batches of 128, the rates searched densely and the rest not said. Here the digits are
1797 of 8 × 8 pixels, half of them held back, and every rule has the same grid of rates, the same
seeds to be tuned on and others to be shown on; what else it has stands at its default.

The finished comparison lies beside this file: `python -m engine.studies.adam_paper` makes it anew,
for the models and rules that are named, or for all.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from engine.optimizers import OPTIMIZERS
from engine.problems.data import Split, split, table
from engine.problems.networks import MLP
from engine.runs.learning import Competitor, Training
from engine.studies.fair_race import Cancelled

Array = npt.NDArray[np.float64]
Criterion = Literal["learned", "held"]

MODELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "logistic": "logistic regression",
        "perceptron": "two hidden layers of 32",
        "dropout": "two hidden layers with dropout",
    }
)
THEN: Final = ("nesterov", "adagrad", "rmsprop", "adadelta", "adam")
TODAY: Final = (
    "adam", "adamw", "lion", "muon", "adopt", "ademamix", "schedule_free_adamw", "prodigy",
    "soap", "sophia", "kron",
)  # fmt: skip
RATES: Final = tuple(float(f"{10 ** (k / 2):.2g}") for k in range(-8, 3))  # 0.0001 … 10
TUNED_ON: Final = (0, 1, 2)
SHOWN_ON: Final = (10, 11, 12, 13, 14)
RECORDS: Final = 30  # stretches of a run between the places where it is measured
CRITERIA: Final[tuple[Criterion, ...]] = ("learned", "held")
REST: Final = 0.01  # the rate of the rule that takes what a rule for matrices leaves
FINISHED: Final = Path(__file__).with_suffix(".npz")
DATA_SEED: Final = 0
L2: Final = 1e-3  # of logistic regression: without it the loss of separable digits has no minimum


@dataclass(frozen=True)
class Setting:
    """What is trained, on how many examples a step, for how many steps."""

    model: str = "perceptron"
    batch: int = 128
    steps: int = 300

    @property
    def network(self) -> MLP:
        return MLP((64, 10) if self.model == "logistic" else (64, 32, 32, 10), "relu")

    @property
    def l2(self) -> float:
        return L2 if self.model == "logistic" else 0.0

    def competitor(self, rule: str, rate: float) -> Competitor:
        """The rule at a rate, all else at its default."""
        rest = {"lr": REST} if OPTIMIZERS[rule].fallback else {}
        return Competitor(
            rule, {"lr": rate}, batch=self.batch, scheme="he", fallback_hypers=rest,
            dropout=0.5 if self.model == "dropout" else 0.0, l2=self.l2,
        )  # fmt: skip


@cache
def digits() -> Split:
    """The digits, half of them held back."""
    return split(table("digits"), seed=DATA_SEED)


def measured_steps(steps: int) -> npt.NDArray[np.intp]:
    """After which steps a run is measured, (RECORDS + 1,)."""
    return np.asarray(np.round(np.linspace(0, steps, RECORDS + 1)), np.intp)


def run(setting: Setting, rule: str, rate: float, seed: int, records: int = RECORDS) -> Array:
    """One training: loss on what is learned (with the penalty, where there is one), loss and
    accuracy on what is held back, (RECORDS + 1, 3), measured at the first and the last `records` of
    the measured steps. Infinite, and 0, where it was not, or was lost."""
    training = Training(
        setting.network, digits(), setting.competitor(rule, rate), steps=setting.steps, seed=seed
    )
    found = np.full((RECORDS + 1, 3), (math.inf, math.inf, 0.0))
    for place, step in enumerate(measured_steps(setting.steps)):
        training.advance(int(step) - training.step)
        if training.diverged_at is not None:
            break
        if place and place <= RECORDS - records:
            continue
        now = training.measured()
        if not math.isfinite(now.loss) or not math.isfinite(now.test_loss):
            break
        squares = sum(float(np.sum(w * w)) for w in training.trainer.averages if w.ndim == 2)
        penalty = 0.5 * setting.l2 * squares
        found[place] = now.loss + penalty, now.test_loss, now.test_accuracy
    return found


@dataclass(frozen=True, eq=False)
class Outcome:
    """A comparison that has been made.

    tuned (rules, rates, seeds, 2) is the loss on what is learned and on what is held back at the
    end of every run of the tuning; curves (criteria, rules, seeds, RECORDS + 1, 3) are those of
    `run` at the rate that each criterion chooses, on the seeds of SHOWN_ON.
    """

    setting: Setting
    rules: tuple[str, ...]
    tuned: Array
    curves: Array

    def middle(self, criterion: Criterion) -> Array:
        """The loss by which rates are chosen, the median over seeds: (rules, rates)."""
        return np.asarray(np.median(self.tuned[..., CRITERIA.index(criterion)], axis=2))

    def chosen(self, criterion: Criterion) -> npt.NDArray[np.intp]:
        """The place of each rule's best rate in RATES, (rules,)."""
        return np.asarray(np.argmin(self.middle(criterion), axis=1))

    def shown(self, criterion: Criterion) -> Array:
        """The curves (rules, seeds, RECORDS + 1, 3) at the rates so chosen."""
        return np.asarray(self.curves[CRITERIA.index(criterion)])

    def of(self, rules: Sequence[str]) -> Outcome:
        """The same for some of its rules."""
        places = [self.rules.index(rule) for rule in rules]
        return Outcome(self.setting, tuple(rules), self.tuned[places], self.curves[:, places])


_MADE: Final[dict[tuple[Setting, str], tuple[Array, Array]]] = {}  # the latest, oldest first
_MOST_MADE: Final = 64


def compare(
    setting: Setting,
    rules: Sequence[str],
    *,
    progress: Callable[[float], None] = lambda share: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Tune every rule on the grid and run it at its best on the other seeds.

    progress is told the share done; raises Cancelled when told to stop. The rules that were
    finished by then need not be made again.
    """

    def tell(before: int, share: float) -> None:
        progress((before + share) / len(rules))

    for place, rule in enumerate(rules):
        if (setting, rule) not in _MADE:
            _MADE[setting, rule] = _of_one(setting, rule, partial(tell, place), cancelled)
    tuned, curves = (np.array(p) for p in zip(*(_MADE[setting, r] for r in rules), strict=True))
    while len(_MADE) > _MOST_MADE:
        del _MADE[next(iter(_MADE))]
    return Outcome(setting, tuple(rules), tuned, np.moveaxis(curves, 0, 1))


def _of_one(
    setting: Setting, rule: str, progress: Callable[[float], None], cancelled: Callable[[], bool]
) -> tuple[Array, Array]:
    """Of one rule the losses of the tuning (rates, seeds, 2), and the curves at what each
    criterion chooses, (criteria, seeds, RECORDS + 1, 3)."""
    units = len(RATES) * len(TUNED_ON) + len(CRITERIA) * len(SHOWN_ON)
    done = 0

    def made(rate: float, seed: int, records: int) -> Array:
        nonlocal done
        if cancelled():
            raise Cancelled
        done += 1
        progress(done / units)
        return run(setting, rule, rate, seed, records)

    tuned = np.array([[made(rate, seed, 1)[-1, :2] for seed in TUNED_ON] for rate in RATES])
    chosen = [RATES[int(k)] for k in np.argmin(np.median(tuned, axis=1), axis=0)]
    shown = {
        rate: [made(rate, seed, RECORDS) for seed in SHOWN_ON] for rate in dict.fromkeys(chosen)
    }
    return tuned, np.array([shown[rate] for rate in chosen])


# The verdict --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """Who ends lowest: rules from the lowest median over seeds on, these medians, on how many
    seeds the first is lowest of all, and who cannot be told from it: whose band over seeds
    overlaps the first's."""

    order: tuple[str, ...]
    medians: tuple[float, ...]
    wins: int
    like: tuple[str, ...]


def verdict(outcome: Outcome, criterion: Criterion) -> Verdict:
    """By the loss at the end on what the criterion looks at."""
    ends = outcome.shown(criterion)[:, :, -1, CRITERIA.index(criterion)]
    medians = np.median(ends, axis=1)
    order = [int(k) for k in np.argsort(medians, kind="stable")]
    first = order[0]
    like = [k for k in order[1:] if ends[k].min() <= ends[first].max()]
    return Verdict(
        tuple(outcome.rules[k] for k in order),
        tuple(float(medians[k]) for k in order),
        int(np.sum(np.argmin(ends, axis=0) == first)),
        tuple(outcome.rules[k] for k in like),
    )


def at_an_end(outcome: Outcome, criterion: Criterion) -> tuple[str, ...]:
    """The rules whose best rate is the first or the last of the grid."""
    pairs = zip(outcome.rules, outcome.chosen(criterion), strict=True)
    return tuple(rule for rule, k in pairs if k in (0, len(RATES) - 1))


# The finished comparison ------------------------------------------------------------------------


def everyone() -> tuple[str, ...]:
    """All rules, each once."""
    return tuple(dict.fromkeys((*THEN, *TODAY)))


@cache
def finished() -> Mapping[str, Outcome]:
    """The comparisons that lie beside this file, by model."""
    with np.load(FINISHED) as kept:
        return {
            model: Outcome(
                Setting(model), tuple(kept["rules"].tolist()),
                np.asarray(kept[f"{model}.tuned"], float),
                np.asarray(kept[f"{model}.curves"], float),
            )
            for model in MODELS
        }  # fmt: skip


def _one(model: str, rule: str) -> Outcome:
    return compare(Setting(model), (rule,))


def make(models: Sequence[str], rules: Sequence[str]) -> None:
    """Make the comparisons of these models and rules and write them, keeping those of others."""
    kept: dict[tuple[str, str], Outcome] = {}
    if FINISHED.exists():
        kept = {(m, r): found.of((r,)) for m, found in finished().items() for r in found.rules}
    with ProcessPoolExecutor() as pool:
        waiting = {(m, r): pool.submit(_one, m, r) for m in models for r in rules}
        kept |= {place: made.result() for place, made in waiting.items()}
    written: dict[str, Any] = {"rules": np.array(everyone())}
    for model in MODELS:
        found = [kept[model, rule] for rule in everyone()]
        written[f"{model}.tuned"] = np.concatenate([o.tuned for o in found]).astype(np.float32)
        joined = np.concatenate([o.curves for o in found], axis=1)
        written[f"{model}.curves"] = joined.astype(np.float32)
    np.savez_compressed(FINISHED, **written)


if __name__ == "__main__":
    named = sys.argv[1:]
    if unknown := set(named) - {*MODELS, *everyone()}:
        sys.exit(f"no model and no rule: {', '.join(sorted(unknown))}")
    make(
        [model for model in MODELS if model in named] or list(MODELS),
        [rule for rule in everyone() if rule in named] or everyone(),
    )
