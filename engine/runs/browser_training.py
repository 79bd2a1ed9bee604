"""A network's training printed for the reader's browser: the same step, the same random numbers.

The text comes from the record of Python's own step, so there is no second implementation of a
rule; `components/web/training/run.js` calls it. Beside it go the losses that Python finds over the
first steps, in double precision, against which the browser holds its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import thread_time
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.tensor import Unrecordable
from engine.emit.tensor_javascript import leaves, printed
from engine.limits import TRAINING_CHECK
from engine.problems.data import Split
from engine.problems.networks import MLP
from engine.runs.learning import Competitor, Training
from engine.runs.objectives import LOSSES
from engine.runs.training import Loss, Trainer
from engine.tape import Vector

Array = npt.NDArray[np.float64]

CHECKED = 100  # steps that Python makes too
LATE = 1000.0  # a step at which rules that act more rarely as they go do so
SELDOM = 1e9  # steps between two turns of what is then no turn


class Ways:
    """The texts of a trainer's step, one for each way that its decisions go: those of the steps
    that have been taken, and those that later ones may go."""

    def __init__(self, trainer: Trainer, loss: Loss) -> None:
        self.trainer = trainer
        self.advance = trainer.advance_by(loss)
        self.hypers = tuple(tuple(group.hypers.values()) for group in trainer.groups)
        self.texts: list[str] = []
        self.seen = 0

    def saw(self, given: tuple[Any, ...]) -> None:
        """After a step from what was given: its text, where it went a way of its own."""
        if self.trainer.recordings > self.seen:
            self.seen = self.trainer.recordings
            self._add(given)

    def later(self, *batch: Any) -> None:
        """The step from here, were it a late one, and were it the turn, or not, of what a rule does
        every so many steps: where a step decides anything."""
        if not any("return null" in text for text in self.texts):
            return
        given = self.trainer.given(1.0, *batch)
        self._add((*given[:3], LATE, *given[4:]))
        for interval in (1.0, SELDOM):
            hypers = tuple(
                tuple(interval if n == "interval" else value for n, value in group.hypers.items())
                for group in self.trainer.groups
            )
            if hypers != self.hypers:
                self._add(given, hypers)

    def _add(self, given: tuple[Any, ...], hypers: Any = None) -> None:
        text = printed(self.advance, *given, hypers or self.hypers)
        if text not in self.texts:
            self.texts.append(text)


@dataclass(frozen=True)
class BrowserTraining:
    """A competitor for the browser.

    `steps` are texts of one step, one for each way its decisions may go; `train`, `test` and `grid`
    are those that measure (the outputs alone on a grid), "" where there is nothing to measure on,
    and `one` measures on any one example.
    `kept` are the arrays and numbers that a step moves, `weights` the places among them of those
    that are measured, `hypers` the numbers it is given by group and name, `drawn` how many signs a
    step takes, `factors` the schedule's. `losses` are Python's own of the first steps, `cost` the
    evaluations of a gradient that one of them took on average. `memory` counts the numbers that are
    kept from step to step beside the weights.
    """

    steps: tuple[str, ...]
    train: str
    test: str
    one: str
    grid: str
    kept: tuple[Any, ...]
    weights: tuple[int, int]
    hypers: tuple[tuple[str, float], ...]
    drawn: tuple[int, ...]
    factors: Array
    losses: Array
    memory: int
    cost: float


def drawn_by(trainer: Trainer) -> tuple[int, ...]:
    """How many signs a step draws for each group."""
    return tuple(
        sum(part.size for part in point) if group.optimizer.draws is not None else 0
        for group, point in zip(trainer.groups, trainer.points, strict=True)
    )


def browser_training(
    network: MLP,
    split: Split,
    competitor: Competitor,
    *,
    steps: int,
    seed: int = 0,
    grid: Array | None = None,
    checked: int = CHECKED,
    start: Sequence[npt.ArrayLike] | None = None,
) -> BrowserTraining:
    """Print a competitor's training; grid (n, features) is where the outputs are shown, start the
    weights where it begins instead of those that the seed draws.

    `losses` are of `checked` steps, or of as many as a little processor time buys. Raises
    Unrecordable for what cannot be printed, and ValueError as `Training` does.
    """
    run = Training(
        network, split, competitor, steps=steps, seed=seed, dtype=np.float64, start=start
    )
    trainer = run.trainer
    ways = Ways(trainer, run.objective)
    kept = leaves(trainer.given(1.0)[:3])
    until = thread_time() + TRAINING_CHECK
    while run.step < min(checked, steps) and not run.ended and thread_time() < until:
        k = run.step
        given = trainer.given(run.factors[k], *run.batch(k))
        run.advance(1)
        ways.saw(given)
    ways.later(*run.batch(run.step))
    if [np.shape(x) for x in leaves(trainer.given(1.0)[:3])] != [np.shape(x) for x in kept]:
        raise Unrecordable("its state changes its form")
    points = len(leaves(trainer.points))
    averaged = (len(kept) - points, len(kept)) if competitor.average else (0, points)
    loss = LOSSES[competitor.loss]

    def measure(points: Any, x: Any, targets: Any) -> Any:
        outputs = network(Vector(trainer.laid_out(points)), x)
        return loss.of(outputs, targets), outputs

    def shown(points: Any, x: Any) -> Any:
        return network(Vector(trainer.laid_out(points)), x)

    def text_of(function: Callable[..., Any], x: Array | None, *more: Any) -> str:
        return "" if x is None or not len(x) else printed(function, trainer.points, x, *more)

    names = [
        (f"{k}/{name}", float(value))
        for k, group in enumerate(trainer.groups)
        for name, value in group.hypers.items()
    ]
    return BrowserTraining(
        tuple(ways.texts),
        text_of(measure, split.x, split.targets(split.y)),
        text_of(measure, split.test_x, split.targets(split.test_y)),
        text_of(measure, split.x[:1], split.targets(split.y[:1])),
        text_of(shown, grid),
        tuple(kept),
        averaged,
        tuple(names),
        drawn_by(trainer),
        run.factors,
        np.array(run.losses),
        trainer.memory + (sum(np.size(x) for x in kept[-points:]) if competitor.average else 0),
        trainer.evaluations / max(run.step, 1),
    )
