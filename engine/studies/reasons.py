"""Why the rules differ, each shown on the smallest problem that shows it.

The direction that a gradient is, steady gradients (what momentum gains), a falling rate (which
momentum feels it at once), features of unlike frequency (what a rate per coordinate is for), and
squares of gradients in place of curvature (what Sophia leans on). Numbers may be traced throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.emit.picture import first, floor, largest, running_sum
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.problems.parameter import Parameter
from engine.runs.live import LiveDescent, live_descend
from engine.tape import operations as ops

STEPS: Final = 80
RATE: Final = 0.01
SAMPLES: Final = 16  # labels that the sampled estimate of the curvature draws
LOGITS: Final = np.linspace(-6.0, 6.0, 241)


# Steepest ascent ----------------------------------------------------------------------------------

HILL: Final = LANDSCAPES["bowl"](condition=4.0)
DIRECTIONS: Final = np.linspace(0.0, 360.0, 241)  # degrees, anticlockwise from the x axis
_RADIANS: Final = float(np.pi / 180.0)


@dataclass(frozen=True, slots=True)
class Ascent:
    """The gradient at a point, its length, the slope along one direction and along DIRECTIONS, and
    the direction among them that climbs most, in degrees."""

    gradient: tuple[Any, Any]
    length: Any
    slope: Any
    around: Any
    steepest: Any


def direction(degrees: Any) -> tuple[Any, Any]:
    """The unit vector at that angle."""
    return ops.cos(degrees * _RADIANS), ops.sin(degrees * _RADIANS)


def ascent(x: Any, y: Any, degrees: Any) -> Ascent:
    """How HILL's loss changes from (x, y) along unit directions, ∇f · u; numbers may be traced."""
    gx, gy = 2.0 * x, 2.0 * HILL.arguments["condition"] * y

    def along(angle: Any) -> Any:
        u, v = direction(angle)
        return gx * u + gy * v

    around = along(DIRECTIONS)
    steepest = first(ops.greater_equal(around, largest(around))) * float(DIRECTIONS[1])
    return Ascent((gx, gy), ops.sqrt(gx * gx + gy * gy), along(degrees), around, steepest)


def degrees_off(x: float, y: float) -> float:
    """The angle at (x, y) between −∇f and the way to HILL's minimum at the origin."""
    found = ascent(x, y, 0.0)
    along = found.gradient[0] * x + found.gradient[1] * y
    whole = float(found.length) * float(np.hypot(x, y))
    return float(np.degrees(np.arccos(np.clip(along / whole, -1.0, 1.0)))) if whole else 0.0


# Steady gradients and a falling rate --------------------------------------------------------------


def _slope(x: Any, y: Any) -> Any:
    return x + 0.0 * y


SLOPE: Final = Landscape(
    slug="slope",
    name="a slope without end",
    function=_slope,
    latex="x",
    domain=((-1e4, 1e4), (-1.0, 1.0)),
    start=(0.0, 0.0),
)


def _step_lengths(slug: str, beta: Any, rate: Any = RATE, **how: Any) -> Any:
    """Each step on the slope over RATE, (STEPS,): 1 is what gradient descent does there."""
    hypers = {"lr": rate} if slug == "sgd" else {"lr": rate, "beta": beta}
    run = live_descend(SLOPE, slug, (0.0, 0.0), STEPS, hypers, **how)
    return (run.x[:-1] - run.x[1:]) / RATE


def steady(beta: Any) -> Mapping[str, Any]:
    """Steps under one and the same gradient: momentum's grow to 1/(1 − β) times gradient
    descent's."""
    return {slug: _step_lengths(slug, beta) for slug in ("sgd", "momentum", "nesterov")}


def falling(beta: Any, drop: Any) -> Mapping[str, Any]:
    """Steps of the three forms of momentum where the rate falls to a tenth after step `drop`.

    The averaged form runs at η/(1 − β), so that the three are one until then.
    """
    factors = ops.where(ops.less(np.arange(STEPS, dtype=float), drop), 1.0, 0.1)
    return {
        form: _step_lengths(
            "momentum", beta, RATE / (1.0 - beta) if form == "averaged" else RATE,
            options={"form": form}, schedule=factors,
        )
        for form in ("velocity", "averaged", "lr_inside")
    }  # fmt: skip


# Rare features ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How far a feature has come after each step, (STEPS,), in units of the rate, where it is met
    at every step and where only at a share of them; by gradient descent and by Adagrad."""

    sgd: tuple[Any, Any]
    adagrad: tuple[Any, Any]


def frequencies(share: Any) -> Frequencies:
    """Gradients of size 1, at every step and at a share of the steps.

    n of them carry gradient descent n rates far and Adagrad Σ 1/√i, about 2√n.
    """
    t = np.arange(1, STEPS + 1, dtype=float)
    met = floor(t * share + 1e-9)
    fresh = met - floor((t - 1.0) * share + 1e-9)
    rare = running_sum(fresh / ops.sqrt(ops.maximum(met, 1.0)))
    return Frequencies(sgd=(t, met), adagrad=(np.cumsum(t**-0.5), rare))


_COMMON, _RARE = 0.7, 0.95  # how often a sentence is positive, and one with the rare word


def _two_words(x: Any, y: Any, share: Any) -> Any:
    def mean(logit: Any, positive: float) -> Any:
        return positive * ops.softplus(-logit) + (1.0 - positive) * ops.softplus(logit)

    return (1.0 - share) * mean(x, _COMMON) + share * mean(x + y, _RARE)


TWO_WORDS: Final = Landscape(
    slug="two_words",
    name="logistic regression on two words",
    function=_two_words,
    latex=(
        r"(1-s)\bigl(0.7\,\ell(x) + 0.3\,\ell(-x)\bigr) + "
        r"s\bigl(0.95\,\ell(x+y) + 0.05\,\ell(-x-y)\bigr),\quad \ell(z) = \ln(1+e^{-z})"
    ),
    domain=((-0.5, 3.0), (-0.5, 3.0)),
    start=(0.0, 0.0),
    parameters=(
        Parameter("share", "s", "s", 0.1, 0.02, 1.0, "log", "share of sentences with the word"),
    ),
    minima=((float(np.log(_COMMON / 0.3)), float(np.log(_RARE / 0.05) - np.log(_COMMON / 0.3))),),
    log_levels=False,
    note="x weighs a word that every sentence has, y one that a share s of them has: 70 % of the "
    "sentences are positive, of those with the rare word 95 %.",
)
WORD_RATES: Final[Mapping[str, float]] = {"sgd": 4.0, "adagrad": 0.3, "adam": 0.05}


def two_words(share: Any) -> dict[str, LiveDescent]:
    """The mean loss over all sentences descended by three rules, each at a rate that suits it."""
    return {
        slug: live_descend(
            TWO_WORDS, slug, TWO_WORDS.start, STEPS, {"lr": lr}, parameters={"share": share}
        )
        for slug, lr in WORD_RATES.items()
    }


# Squares for curvature ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Curvatures:
    """Of −log p at each logit: the second derivative, the mean square of the gradient over labels
    as the model draws them, the same from SAMPLES draws, and the square for one given label."""

    exact: Any
    expected: Any
    sampled: Any
    observed: Any


def curvatures(logits: Any, label: float) -> Curvatures:
    """p(1 − p) against squares of p − y, for numbers or arrays (n,).

    Over labels y that the model itself would draw, the mean of (p − y)² is p(1 − p): Bartlett's
    identity, on which Sophia's Gauss–Newton–Bartlett estimate rests (Liu et al. 2023).
    """
    p = ops.sigmoid(logits)
    draws = np.random.default_rng(1).uniform(size=SAMPLES)
    sampled: Any = 0.0
    for u in draws:
        error = p - ops.where(ops.greater(p, float(u)), 1.0, 0.0)
        sampled = sampled + error * error / SAMPLES
    given = p - label
    return Curvatures(
        exact=p * (1.0 - p),
        expected=p * (1.0 - p) * (1.0 - p) + (1.0 - p) * p * p,
        sampled=sampled,
        observed=given * given,
    )
