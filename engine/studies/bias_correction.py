"""Running averages of a stream of gradients: what they hold, what they miss, how Adam corrects it.

An average m ← βm + (1−β)g that starts at zero gives the gradient of `age` steps ago the weight
(1−β)βᵃᵍᵉ. After t steps these sum to 1 − βᵗ; the missing βᵗ stands on the zero at the start, and
dividing by 1 − βᵗ takes it away (Kingma & Ba 2015, section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from engine.runs.descent import Descent
from engine.runs.streams import follow

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Signal:
    """A kind of stream: its mean and its own spread at each step, before noise is added."""

    slug: str
    name: str
    meaning: str
    # (steps, level) -> (the gradients without noise, their true mean, their true mean square)
    shape: Callable[[int, float], tuple[Array, Array, Array]]


@dataclass(frozen=True, slots=True)
class Samples:
    """A stream of gradients and the truth behind it, each (steps,)."""

    gradients: Array
    mean: Array
    square: Array


def _constant(steps: int, level: float) -> tuple[Array, Array, Array]:
    g = np.full(steps, level)
    return g, g, g * g


def _drifting(steps: int, level: float) -> tuple[Array, Array, Array]:
    g = level * (1.0 - 2.0 * np.arange(steps) / max(steps - 1, 1))
    return g, g, g * g


def _alternating(steps: int, level: float) -> tuple[Array, Array, Array]:
    """Swings of twice the level around half of it: the mean is small, the square is not."""
    g = level * (0.5 + 2.0 * np.where(np.arange(steps) % 2 == 0, 1.0, -1.0))
    return g, np.full(steps, 0.5 * level), np.full(steps, 4.25 * level**2)


def _burst(steps: int, level: float) -> tuple[Array, Array, Array]:
    """Silence but for one gradient in ten, ten times the level."""
    g = np.where(np.arange(steps) % 10 == 0, 10.0 * level, 0.0)
    return g, np.full(steps, level), np.full(steps, 10.0 * level**2)


SIGNALS: Mapping[str, Signal] = MappingProxyType(
    {
        s.slug: s
        for s in (
            Signal("constant", "constant", "the same gradient at every step", _constant),
            Signal("drifting", "drifting", "from the level down to its negative", _drifting),
            Signal("alternating", "alternating", "swings around a small mean", _alternating),
            Signal("sparse", "sparse", "one large gradient in ten steps", _burst),
        )
    }
)


def sample(signal: str, steps: int, *, level: float, noise: float, seed: int) -> Samples:
    """A stream of that kind with Gaussian noise of standard deviation `noise`, drawn from seed.

    Raises ValueError for an unknown kind.
    """
    if signal not in SIGNALS:
        raise ValueError(f"there is no stream {signal!r}; there are {', '.join(SIGNALS)}")
    g, mean, square = SIGNALS[signal].shape(steps, level)
    drawn = noise * np.random.default_rng(seed).standard_normal(steps)
    return Samples(g + drawn, mean, square + noise**2)


def of_run(descent: Descent, coordinate: int, noise: float) -> Samples:
    """The gradients that a run was given in one coordinate; the truth is the exact gradient."""
    count = descent.last
    mean = descent.gradient[:count, coordinate]
    given = np.asarray(descent.state["g"])[1 : count + 1, coordinate]
    return Samples(given, mean, mean**2 + noise**2)


@dataclass(frozen=True, slots=True)
class Averages:
    """Adam's averages on a stream, row t after t gradients, row 0 the zeros they start from.

    m, v raw and m_hat, v_hat corrected, (steps + 1,), the latter NaN at 0; walked and walked_raw:
    where Adam's steps lead from 0 with and without correction, in units of its learning rate.
    """

    m: Array
    v: Array
    m_hat: Array
    v_hat: Array
    walked: Array
    walked_raw: Array


def averages(gradients: npt.ArrayLike, beta1: float, beta2: float, eps: float = 1e-8) -> Averages:
    """Feed a stream (steps,) to Adam, with and without bias correction."""
    hypers = {"lr": 1.0, "beta1": beta1, "beta2": beta2, "eps": eps}
    on = follow("adam", gradients, hypers)
    off = follow("adam", gradients, hypers, options={"bias_correction": False})

    def rows(name: str, first: float) -> Array:
        column = np.asarray(on.state[name]).reshape(-1) if name in on.state else np.empty(0)
        return np.concatenate([[first], column])

    return Averages(
        rows("m", 0.0),
        rows("v", 0.0),
        rows("m_hat", np.nan),
        rows("v_hat", np.nan),
        on.path[:, 0],
        off.path[:, 0],
    )


def correction(beta: float, t: npt.ArrayLike) -> Array:
    """The factor 1 / (1 − βᵗ) on an average after t ≥ 1 steps: ×10 at t = 1 for β = 0.9."""
    return np.asarray(1.0 / (1.0 - np.power(float(beta), np.asarray(t, dtype=float))))


def weights(beta: float, count: int) -> Array:
    """The weight of the gradient of `age` steps ago in the average, (count,) from age 0."""
    return np.asarray((1.0 - beta) * np.power(float(beta), np.arange(count, dtype=float)))


def memory(beta: float) -> float:
    """How many steps an average reaches back, 1 / (1 − β): weights older than that are small."""
    return 1.0 / (1.0 - beta)


def first_step_without(beta1: float, beta2: float) -> float:
    """Adam's first step without correction, in learning rates: (1 − β₁) / √(1 − β₂)."""
    return (1.0 - beta1) / float(np.sqrt(1.0 - beta2))
