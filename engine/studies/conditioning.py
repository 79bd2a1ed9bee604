"""What the condition number costs each optimizer: steps to a target on bowls of growing κ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.problems.landscapes import LANDSCAPES
from engine.studies.comparison import compare

Array = npt.NDArray[np.float64]

CONDITIONS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
START = (5.0, 3.0)
RATES = 21  # learning rates tried by each rule on each bowl


def steps_against_condition(
    optimizers: Sequence[str], rotation: float, steps: int, target: float
) -> dict[str, Array]:
    """Steps to the target at each of CONDITIONS, each optimizer at its own best learning rate.

    By slug an array (7,), NaN where the target is not reached in so many steps.
    """
    found: dict[str, list[float]] = {slug: [] for slug in optimizers}
    for condition in CONDITIONS:
        bowl = LANDSCAPES["bowl"](condition=condition, rotation=rotation)
        for outcome in compare(bowl, START, steps, target, optimizers, rates=RATES):
            found[outcome.slug].append(np.nan if outcome.steps is None else float(outcome.steps))
    return {slug: np.asarray(column) for slug, column in found.items()}
