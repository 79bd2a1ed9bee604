"""Maximum likelihood for a coin: one argument, four curves that have it in common.

Likelihood, negative log-likelihood per flip, cross-entropy and KL divergence of k heads in n flips
as functions of the coin's θ. The second and third are equal, the fourth differs by the constant
H(k/n), and the first falls as they rise, so all share their optimum k/n.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine import losses
from engine.losses import information
from engine.losses.information import Array
from engine.tape import autograd


@dataclass(frozen=True, slots=True)
class Curves:
    """Over theta (m,): each quantity (m,), in nats where it is a logarithm.

    likelihood is the probability of exactly this sequence of flips; nll is −log of it per flip.
    """

    theta: Array
    likelihood: Array
    nll: Array
    cross_entropy: Array
    kl: Array

    @property
    def by_name(self) -> Mapping[str, Array]:
        """The four curves under their names."""
        return {
            "likelihood": self.likelihood,
            "nll": self.nll,
            "cross_entropy": self.cross_entropy,
            "kl": self.kl,
        }


def curves(heads: int, flips: int, theta: npt.ArrayLike) -> Curves:
    """The four quantities of heads in flips at each theta in [0, 1].

    Raises ValueError unless 0 ≤ heads ≤ flips, 1 ≤ flips, and for a theta outside [0, 1].
    """
    if not 0 <= heads <= flips or flips < 1:
        raise ValueError(f"there are 0 to {flips} heads in {flips} flips, not {heads}")
    t = np.atleast_1d(np.asarray(theta, dtype=np.float64))
    if not ((t >= 0) & (t <= 1)).all():
        raise ValueError("theta lies in [0, 1]")
    share = heads / flips
    model = np.stack([t, 1 - t], axis=-1)
    data = np.array([share, 1 - share])
    outcomes = np.repeat([1.0, 0.0], [heads, flips - heads])
    elements = losses.binary_cross_entropy(
        np.broadcast_to(t[:, None], (len(t), flips)),
        np.broadcast_to(outcomes, (len(t), flips)),
        reduction="none",
    )
    return Curves(
        theta=t,
        likelihood=np.power(t, heads) * np.power(1 - t, flips - heads),
        nll=np.asarray(elements).mean(axis=-1),
        cross_entropy=information.cross_entropy(data, model),
        kl=information.kl_divergence(data, model),
    )


def estimate(heads: int, flips: int) -> float:
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


def resequenced(flips: str, heads: int, count: int) -> str:
    """Flips ("1" heads, "0" tails) brought to a count and a number of heads, changing the fewest.

    Flips are added and dropped at the end; the last ones that can are turned over.
    """
    drawn = list(flips[:count].ljust(count, "0"))
    wrong, right = ("1", "0") if drawn.count("1") > heads else ("0", "1")
    for i in reversed(range(count)):
        if drawn.count("1") == heads:
            break
        if drawn[i] == wrong:
            drawn[i] = right
    return "".join(drawn)
