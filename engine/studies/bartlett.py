"""Curvature from labels that a model draws itself, on a softmax classifier trained by Sophia.

Sophia needs the diagonal of the Hessian. Here it is had in four ways: exactly, by Hutchinson's
random signs, by Gauss–Newton–Bartlett, which squares the gradient for labels drawn from the model's
own answers (Liu et al. 2023, algorithms 1 and 2), and by the squared gradient of the data's labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.optimizers import OPTIMIZERS
from engine.runs.step import first_state, take_step
from engine.tape import Vector, autograd
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

CLASSES: Final = 3
POINTS: Final = 90
STEPS: Final = 150
SETTINGS: Final[Mapping[str, float]] = MappingProxyType(
    {"lr": 0.1, "beta1": 0.9, "gamma": 1.0, "interval": 10.0}
)
WEIGHTS: Final = tuple(f"{part}{'₁₂₃'[k]}" for part in ("w", "v", "b") for k in range(CLASSES))


@cache
def data() -> tuple[Array, Array]:
    """Points of three overlapping clouds with a 1 appended, (n, 3), and one-hot labels (n, 3)."""
    rng = np.random.default_rng(0)
    label = np.arange(POINTS) % CLASSES
    angle = 2.0 * np.pi * label / CLASSES
    centers = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    points = 1.2 * centers + rng.normal(0.0, 1.0, (POINTS, 2))
    return np.column_stack([points, np.ones(POINTS)]), np.eye(CLASSES)[label]


def start() -> Vector:
    """No knowledge: every logit 0."""
    return Vector([np.zeros((3, CLASSES))])


def loss(w: Vector, labels: Array) -> Any:
    """The mean cross-entropy of softmax regression with these labels, one-hot."""
    return ops.mean(ops.softmax_cross_entropy(ops.matmul(data()[0], w[0]), labels))


def answers(w: Vector) -> Array:
    """What the model says of every point, (n, 3)."""
    return np.asarray(ops.softmax(data()[0] @ np.asarray(w[0])))


def drawn(w: Vector, rng: np.random.Generator) -> Array:
    """Labels, one-hot, each drawn from the model's own answer."""
    upper = np.cumsum(answers(w), axis=1)
    chosen = (rng.uniform(size=(POINTS, 1)) > upper).sum(axis=1)
    labels: Array = np.eye(CLASSES)[np.minimum(chosen, CLASSES - 1)]
    return labels


def exact(w: Vector, rng: np.random.Generator) -> Vector:
    """The diagonal of the Hessian: the mean of p(1 − p) x² for each weight."""
    p = answers(w)
    return Vector([(data()[0] ** 2).T @ (p * (1.0 - p)) / POINTS])


def hutchinson(w: Vector, rng: np.random.Generator) -> Vector:
    """u ⊙ Hu for random signs u."""
    u = Vector([rng.choice((-1.0, 1.0), size=np.shape(part)) for part in w])
    product = autograd.jvp(autograd.grad(lambda v: loss(v, data()[1])), (w,), (u,))[1]
    found: Vector = u * product
    return found


def bartlett(w: Vector, rng: np.random.Generator) -> Vector:
    """n times the square of the gradient for labels that the model draws."""
    labels = drawn(w, rng)
    g = autograd.grad(lambda v: loss(v, labels))(w)
    found: Vector = POINTS * (g * g)
    return found


ESTIMATES: Final[Mapping[str, Callable[[Vector, np.random.Generator], Vector]]] = MappingProxyType(
    {"exact": exact, "hutchinson": hutchinson, "bartlett": bartlett}
)
FORMS: Final = (*ESTIMATES, "squares")


class _Classifier:
    """What the classifier answers to Sophia's rule at a step."""

    lower_bound: float | None = None
    output_axis = 1
    schedule: Any = 1.0

    def __init__(self, t: int, form: str, rng: np.random.Generator) -> None:
        self.t: Any = float(t)
        self._form, self._rng = form, rng

    def loss(self, w: Vector) -> Any:
        return loss(w, data()[1])

    def gradient(self, w: Vector) -> Vector:
        found: Vector = autograd.grad(self.loss)(w)
        return found

    def hessian(self, w: Vector) -> tuple[Vector, ...]:
        raise ValueError("Sophia asks for the diagonal alone")

    def hessian_diagonal(self, w: Vector) -> Vector:
        return exact(w, self._rng)

    def signs(self) -> Vector:
        raise ValueError("Sophia asks for estimates, not for signs")

    def hessian_probe(self, w: Vector) -> Vector:
        return ESTIMATES[self._form](w, self._rng)


@cache
def trained(form: str, lr: float = SETTINGS["lr"], seed: int = 0) -> tuple[Array, Vector]:
    """The loss before each of STEPS steps and after the last, (STEPS + 1,), and where Sophia ended.

    form is one of FORMS: the estimates, and "squares" of the data's own gradient at every step. The
    other settings are SETTINGS.
    """
    entry = OPTIMIZERS["sophia"]
    options = entry.option_values({"form": "squares" if form == "squares" else "hutchinson"})
    hypers = entry.hyper_values({**SETTINGS, "lr": lr})
    w, rng = start(), np.random.default_rng(seed)
    state: Any = first_state(entry.slots(options), w, np.zeros_like)
    found = []
    with np.errstate(all="ignore"):
        for t in range(1, STEPS + 1):
            oracle = _Classifier(t, form, rng)
            found.append(float(oracle.loss(w)))
            w, state = take_step(entry, oracle, w, state, hypers, options, entry.tensor_rule)
        found.append(float(loss(w, data()[1])))
    return np.asarray(found), w


def gaps() -> dict[str, Array]:
    """The losses of each form above the lowest that any of them reaches, (STEPS + 1,)."""
    runs = {form: trained(form)[0] for form in FORMS}
    lowest = min(float(run.min()) for run in runs.values())
    return {form: run - lowest for form, run in runs.items()}


DRAWS: Final = 200


@cache
def curvatures() -> dict[str, Array]:
    """Of every weight where the exact form ends, (9,): the curvature, the mean of DRAWS
    Gauss–Newton–Bartlett estimates, and n times the square of the data's gradient."""
    w, rng = trained("exact")[1], np.random.default_rng(0)
    drawn_mean = np.mean([bartlett(w, rng)[0] for _ in range(DRAWS)], axis=0)
    g = autograd.grad(lambda v: loss(v, data()[1]))(w)[0]
    return {
        "exact": np.asarray(exact(w, rng)[0]).ravel(),
        "bartlett": np.asarray(drawn_mean).ravel(),
        "squares": np.asarray(POINTS * g * g).ravel(),
    }
