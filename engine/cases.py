"""Small problems that tell optimizers apart: where one fails and its cure does not.

Each function runs one of them and gives what is worth drawing, a row a step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine import operations as ops
from engine.comparison import compare
from engine.descent import Descent, descend
from engine.landscapes import LANDSCAPES
from engine.streams import follow
from engine.tape import Vector
from engine.training import Trainer, one_group

Array = npt.NDArray[np.float64]

BURST_STEPS = 20  # large gradients at the start of `shrinking`
CONDITIONS = (1.0, 5.0, 25.0, 125.0, 625.0)
# Sophia as a second-order rule: curvature counts in full and no step is clipped.
UNCLIPPED: Mapping[str, float] = {"gamma": 1.0, "rho": 10.0, "interval": 1.0}


def reddi(size: float, lr: float, steps: int) -> dict[str, Array]:
    """Paths (steps + 1,) of Adam, AMSGrad and SGD on f = size·x every third step and −x else.

    On average f falls to the left, so that −1 is best on [−1, 1]; all start at 0 with rates
    lr/√t, β₁ = 0 and β₂ = 1/(1 + size²). Reddi, Kale & Kumar (2018), theorem 1: for size > 2
    Adam ends at +1.
    """
    gradients = np.where(np.arange(steps) % 3 == 0, size, -1.0)
    rates = 1.0 / np.sqrt(np.arange(1, steps + 1))
    moments = {"beta1": 0.0, "beta2": 1.0 / (1.0 + size * size)}
    rules: tuple[tuple[str, dict[str, float], dict[str, str | bool]], ...] = (
        ("adam", moments, {"bias_correction": False}),
        ("amsgrad", moments, {"maximum": "paper"}),
        ("sgd", {}, {}),
    )
    return {
        slug: follow(
            slug, gradients, {"lr": lr, **own}, options=options, schedule=rates, bounds=(-1.0, 1.0)
        ).path[:, 0]
        for slug, own, options in rules
    }


def decays(start: tuple[float, float], lr: float, weight_decay: float, steps: int) -> list[Descent]:
    """Adam with L2 and AdamW on Booth's function, whose minimum (1, 3) lies away from 0."""
    hypers = {"lr": lr, "weight_decay": weight_decay}
    return [descend("booth", slug, start, steps, hypers) for slug in ("adam_l2", "adamw")]


def penalised_minimum(weight_decay: float) -> Array:
    """Where Booth's function with the penalty ½λ‖w‖² is least, (2,): (H + λI)⁻¹ H (1, 3)."""
    booth = LANDSCAPES["booth"]
    hessian, minimum = booth.hessian((0.0, 0.0)), np.array(booth.minima[0])
    least: Array = np.linalg.solve(hessian + weight_decay * np.eye(2), hessian @ minimum)
    return least


def shrinking(burst: float, steps: int) -> tuple[Array, dict[str, Array]]:
    """Gradients (steps,) that begin with a burst, and the rate (steps,) each rule makes of its own:
    the length of its step over the gradient."""
    gradients = np.where(np.arange(steps) < BURST_STEPS, burst, 1.0)
    rules: dict[str, dict[str, float]] = {
        "adagrad": {"lr": 0.1},
        "rmsprop": {"lr": 0.1, "beta": 0.9},
        "adadelta": {"lr": 1.0, "rho": 0.9},
        "sgd": {"lr": 0.1},
    }
    rates = {}
    for slug, hypers in rules.items():
        path = follow(slug, gradients, hypers).path[:, 0]
        rates[slug] = np.abs(np.diff(path)) / np.abs(gradients)
    return gradients, rates


def against_condition(
    rotation: float, steps: int, target: float, conditions: Sequence[float] = CONDITIONS
) -> dict[str, Array]:
    """Steps to `target` of the starting loss on bowls of each condition, (conditions,) by slug:
    each rule at its best rate, NaN where it does not get there. Sophia looks at the curvature
    at every step and is not clipped.
    """
    slugs = ("sgd", "momentum", "adam", "sophia", "newton")
    needed: dict[str, list[float]] = {slug: [] for slug in slugs}
    for condition in conditions:
        bowl = LANDSCAPES["bowl"](condition=condition, rotation=rotation)
        begin = (1.3, 0.7)
        outcomes = compare(
            bowl,
            begin,
            steps,
            target * float(bowl.value(begin)),
            slugs,
            rates=19,
            hypers={"sophia": UNCLIPPED},
        )
        for outcome in outcomes:
            needed[outcome.slug].append(np.nan if outcome.steps is None else outcome.steps)
    return {slug: np.array(values, dtype=float) for slug, values in needed.items()}


@dataclass(frozen=True, slots=True)
class Moving:
    """A parabola (x − target)² whose minimum jumps: target (steps + 1,), and for each rule its path
    (steps + 1,); d (steps + 1,) is Eve's measure of the objective's change."""

    target: Array
    paths: Mapping[str, Array]
    d: Array


def moving_target(period: int, lr: float, beta3: float, steps: int) -> Moving:
    """Adam and Eve after a minimum that jumps between +1 and −1 every `period` steps."""
    target = np.where(np.arange(steps + 1) // period % 2 == 0, 1.0, -1.0)
    paths: dict[str, Array] = {}
    d = np.ones(steps + 1)
    for slug, hypers in (("adam", {"lr": lr}), ("eve", {"lr": lr, "beta3": beta3})):
        tensors = [np.zeros(1)]
        trainer = Trainer(tensors, one_group(slug, tensors, hypers))
        path = np.zeros(steps + 1)
        for t in range(steps):
            trainer.step(_parabola(float(target[t])))
            path[t + 1] = trainer.tensors[0][0]
            if slug == "eve":
                d[t + 1] = float(trainer.states[0].d)
        paths[slug] = path
    return Moving(target, paths, d)


def _parabola(minimum: float) -> Any:
    def loss(w: Vector) -> Any:
        away = w[0] - minimum
        return ops.sum(away * away)

    return loss
