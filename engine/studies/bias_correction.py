"""Running averages of a stream of gradients: what they hold, what they miss, how Adam corrects it.

An average m ← βm + (1−β)g that starts at zero gives the gradient of `age` steps ago the weight
(1−β)βᵃᵍᵉ. After t steps these sum to 1 − βᵗ; the missing βᵗ stands on the zero at the start, and
dividing by 1 − βᵗ takes it away (Kingma & Ba 2015, section 3). Every number may be traced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import join, running_average, running_sum
from engine.runs.live import LiveDescent
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Signal:
    """A kind of stream: its mean and its own spread at each step, before noise is added."""

    slug: str
    name: str
    meaning: str
    # (t = 0, 1, …, steps, level) -> (gradients without noise, their true mean and mean square)
    shape: Callable[[Array, Any, Any], tuple[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Samples:
    """A stream of gradients and the truth behind it, one column each."""

    gradients: Any
    mean: Any
    square: Any


def _constant(t: Array, steps: Any, level: Any) -> tuple[Any, Any, Any]:
    g = level + 0.0 * t
    return g, g, g * g


def _drifting(t: Array, steps: Any, level: Any) -> tuple[Any, Any, Any]:
    g = level * (1.0 - 2.0 * t / ops.maximum(steps - 1.0, 1.0))
    return g, g, g * g


def _alternating(t: Array, steps: Any, level: Any) -> tuple[Any, Any, Any]:
    """Swings of twice the level around half of it: the mean is small, the square is not."""
    g = level * (0.5 + 2.0 * np.where(t % 2 == 0, 1.0, -1.0))
    return g, 0.5 * level + 0.0 * t, 4.25 * (level * level) + 0.0 * t


def _burst(t: Array, steps: Any, level: Any) -> tuple[Any, Any, Any]:
    """Silence but for one gradient in ten, ten times the level."""
    g = level * np.where(t % 10 == 0, 10.0, 0.0)
    return g, level + 0.0 * t, 10.0 * (level * level) + 0.0 * t


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


def sample(
    signal: str,
    steps: Any,
    *,
    level: Any,
    noise: Any,
    seed: Any,
    room: int | None = None,
    seeds: range | None = None,
) -> Samples:
    """A stream of that kind with Gaussian noise of standard deviation `noise`, drawn from seed.

    Its columns have `room` entries, NaN from `steps` on (as many as there are steps where None, and
    then steps is an int). The seed may be traced where `seeds` says which ones it may become: what
    each of them draws is then at hand. Raises ValueError for an unknown kind.
    """
    if signal not in SIGNALS:
        raise ValueError(f"there is no stream {signal!r}; there are {', '.join(SIGNALS)}")
    t = np.arange(steps if room is None else room, dtype=float)
    g, mean, square = SIGNALS[signal].shape(t, steps, level)
    columns = (g + noise * _drawn(seed, seeds, len(t)), mean, square + noise * noise)
    if room is None:
        return Samples(*columns)
    return Samples(*(ops.where(t < steps, column, np.nan) for column in columns))


def _drawn(seed: Any, seeds: range | None, count: int) -> Any:
    """So many standard normal numbers; of several seeds' rows the one whose seed it is."""
    draws = [np.random.default_rng(s).standard_normal(count) for s in seeds or (seed,)]
    if seeds is None:
        return draws[0]
    chosen = ops.maximum(
        1.0 - ops.absolute(seed - np.array(seeds, dtype=float)), 0.0
    )  # one, else zeros
    return ops.matmul(chosen, np.array(draws))


def of_run(run: LiveDescent, coordinate: str, noise: Any) -> Samples:
    """The gradients that a recorded run was given in coordinate "x" or "y"; the truth is the exact
    gradient. NaN from the step on that diverged."""
    given, exact = run.part(f"g.{coordinate}")[1:], run.part(f"gradient.{coordinate}")[:-1]
    number = running_sum(0.0 * run.x[1:] + 1.0)
    columns = (given, exact, exact * exact + noise * noise)
    return Samples(*(ops.where(number >= run.stopped, np.nan, column) for column in columns))


@dataclass(frozen=True, slots=True)
class Averages:
    """Adam's averages on a stream, row t after t gradients, row 0 the zeros they start from.

    m, v raw and m_hat, v_hat corrected, the latter NaN at 0; steps and steps_raw: Adam's steps with
    and without correction, in units of its learning rate, NaN at 0; walked and walked_raw: where
    they lead from 0; velocity: the sum that momentum keeps at the same β₁.
    """

    m: Any
    v: Any
    m_hat: Any
    v_hat: Any
    steps: Any
    steps_raw: Any
    walked: Any
    walked_raw: Any
    velocity: Any


def averages(gradients: Any, beta1: Any, beta2: Any, eps: float = 1e-8) -> Averages:
    """Run Adam's averages on a column of gradients, with and without bias correction."""
    t = running_sum(0.0 * gradients + 1.0)
    m, v = running_average(gradients, beta1), running_average(gradients * gradients, beta2)
    m_hat, v_hat = m / (1.0 - beta1**t), v / (1.0 - beta2**t)
    steps = -m_hat / (ops.sqrt(v_hat) + eps)
    raw = -m / (ops.sqrt(v) + eps)
    return Averages(
        m=join(0.0, m),
        v=join(0.0, v),
        m_hat=join(np.nan, m_hat),
        v_hat=join(np.nan, v_hat),
        steps=join(np.nan, steps),
        steps_raw=join(np.nan, raw),
        walked=join(0.0, running_sum(steps)),
        walked_raw=join(0.0, running_sum(raw)),
        velocity=join(0.0, m / (1.0 - beta1)),
    )


def correction(beta: Any, t: Any) -> Any:
    """The factor 1 / (1 − βᵗ) on an average after t ≥ 1 steps: ×10 at t = 1 for β = 0.9."""
    return 1.0 / (1.0 - beta**t)


def weights(beta: Any, count: int) -> Any:
    """The weight of the gradient of `age` steps ago in the average, (count,) from age 0."""
    return (1.0 - beta) * beta ** np.arange(count, dtype=float)


def memory(beta: Any) -> Any:
    """The window of an average, 1 / (1 − β): how many equal weights would reach as far."""
    return 1.0 / (1.0 - beta)


def lag(beta: Any) -> Any:
    """How many steps an average stays behind a steady drift: the mean age β / (1 − β)."""
    return beta / (1.0 - beta)


def first_step_without(beta1: Any, beta2: Any) -> Any:
    """Adam's first step without correction, in learning rates: (1 − β₁) / √(1 − β₂)."""
    return (1.0 - beta1) / ops.sqrt(1.0 - beta2)
