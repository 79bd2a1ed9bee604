"""Maximum likelihood for a coin: one argument, four curves that have it in common.

Likelihood, negative log-likelihood per flip, cross-entropy and KL divergence of k heads in n flips
as functions of the coin's θ. The second and third are equal, the fourth differs by the constant
H(k/n), and the first falls as they rise, so all share their optimum k/n. The same holds for
measurements with normal noise, where the negative log-likelihood is the squared error but for a
factor and a constant. Counts, flips, θ, measurements and their model may be traced.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import losses
from engine.emit.picture import join, running_sum
from engine.losses import information
from engine.tape import Value, autograd
from engine.tape import operations as ops


@dataclass(frozen=True, slots=True)
class Curves:
    """Over theta (m,): each quantity (m,), in nats where it is a logarithm.

    likelihood is the probability of exactly this sequence of flips; nll is −log of it per flip.
    """

    theta: Any
    likelihood: Any
    nll: Any
    cross_entropy: Any
    kl: Any

    @property
    def by_name(self) -> Mapping[str, Any]:
        """The four curves under their names."""
        return {
            "likelihood": self.likelihood,
            "nll": self.nll,
            "cross_entropy": self.cross_entropy,
            "kl": self.kl,
        }


def curves(heads: Any, flips: Any, theta: Any) -> Curves:
    """The four quantities of heads in flips at each theta in [0, 1].

    Raises ValueError unless 0 ≤ heads ≤ flips, 1 ≤ flips, and for a theta outside [0, 1].
    """
    k, n = _now(heads), _now(flips)
    if not 0 <= k <= n or n < 1:
        raise ValueError(f"there are 0 to {n} heads in {n} flips, not {k}")
    now = np.asarray(_now(theta), dtype=np.float64)
    if not ((now >= 0) & (now <= 1)).all():
        raise ValueError("theta lies in [0, 1]")
    t = theta if isinstance(theta, Value) else np.atleast_1d(now)
    t = ops.reshape(t, shape=(t.shape or (1,)))
    share = heads / flips
    column = ops.reshape(t, shape=(*t.shape, 1))
    model = ops.where(np.array([True, False]), column, 1.0 - column)
    data = ops.where(np.array([True, False]), share, 1.0 - share) + np.zeros((*t.shape, 2))
    # Flip by flip: as many terms −log θ as there are heads, and −log(1 − θ) as there are tails.
    nll = _times(heads, information.surprise(t)) + _times(
        flips - heads, information.surprise(1.0 - t)
    )
    return Curves(
        theta=t,
        likelihood=ops.exp(0.0 - nll),
        nll=nll / flips,
        cross_entropy=information.cross_entropy(data, model),
        kl=information.kl_divergence(data, model),
    )


def _now(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x


def _times(count: Any, cost: Any) -> Any:
    """So many times the cost: nothing where it never falls due, be it infinite."""
    with np.errstate(invalid="ignore"):
        return ops.where(count > 0, count * ops.where(count > 0, cost, 0.0), 0.0)


def estimate(heads: Any, flips: Any) -> Any:
    """The θ that all four agree on: k/n."""
    return heads / flips


def curvature(heads: int, flips: int) -> float:
    """The second derivative of the mean negative log-likelihood at its minimum, 1/(θ(1 − θ)).

    Its product with n is the Fisher information: how sharply the data fix θ; inf at θ = 0 and 1.
    """
    share = heads / flips
    return math.inf if share in (0, 1) else 1 / (share * (1 - share))


def slope(heads: int, flips: int, theta: float) -> float:
    """The derivative of the mean negative log-likelihood by θ in (0, 1), by autograd."""
    outcomes = np.repeat([1.0, 0.0], [heads, flips - heads])
    return float(autograd.grad(lambda t: losses.binary_cross_entropy(t, outcomes))(theta))


def resequenced(flips: Any, heads: Any, count: Any, most: int) -> tuple[Any, Any]:
    """Flips (1 heads, 0 tails) brought to a count and a number of heads, changing the fewest.

    Flips are added and dropped at the end; the last ones that can are turned over. Returned are
    `most` flips and whether each is there, (most,) both; all arguments but the last may be traced.
    """
    place = np.arange(float(most))
    there = place < count
    # What is added shows tails.
    drawn = ops.where(there, join(flips, np.zeros(most))[:most], 0.0)
    short = heads - ops.sum(drawn)  # heads that are missing; below 0, too many
    wrong = ops.where(short > 0, ops.where(there, 1.0 - drawn, 0.0), drawn)
    from_the_end = ops.sum(wrong) - running_sum(wrong) + wrong  # the last wrong one is number 1
    turn = ops.both(wrong > 0, from_the_end <= ops.absolute(short))
    return ops.where(turn, 1.0 - drawn, drawn), there


# Measurements with normal noise -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NormalCurves:
    """Over mu (m,): −log likelihood a measurement, in nats; the mean squared error over 2σ²; and
    the constant log(σ√2π) by which they differ."""

    nll: Any
    squared: Any
    constant: Any


def normal_curves(measured: Any, mu: Any, sigma: Any) -> NormalCurves:
    """The cost of measurements (n,) under N(mu, σ²) for each mu (m,); any may be traced."""
    (n,) = ops.shape_of(measured)
    error = ops.reshape(measured, shape=(1, n)) - ops.reshape(mu, shape=(*ops.shape_of(mu), 1))
    z = error / sigma
    log_density = -0.5 * (z * z) - ops.log(sigma) - 0.5 * math.log(2 * math.pi)
    mse = losses.mse(error, np.zeros(ops.shape_of(error)), reduction="none")
    return NormalCurves(
        nll=0.0 - ops.mean(log_density, axis=-1),
        squared=ops.mean(mse, axis=-1) / (2.0 * sigma * sigma),
        constant=ops.log(sigma) + 0.5 * math.log(2 * math.pi),
    )
