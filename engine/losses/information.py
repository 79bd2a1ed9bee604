"""Entropy, cross-entropy and the divergences, in bits, nats or bans.

The last axis of an array is the distribution; 0 · log 0 is 0, and what the true distribution holds
possible but the model holds impossible costs ∞. Everything is computed in float64.

Sources: C. E. Shannon, "A mathematical theory of communication" (1948); S. Kullback &
R. A. Leibler, "On information and sufficiency" (1951); J. Lin, "Divergence measures based on the
Shannon entropy" (1991).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

UNITS: Mapping[float, str] = MappingProxyType({2: "bits", math.e: "nats", 10: "bans"})
TOLERANCE = 1e-6  # how far from 1 a distribution may sum


def check_distribution(p: npt.ArrayLike, name: str = "p") -> Array:
    """p as float64; ValueError that says which entry or sum is wrong, and how."""
    p = np.asarray(p, dtype=np.float64)
    if p.ndim == 0 or p.shape[-1] == 0:
        raise ValueError(f"{name} must hold at least one probability on its last axis")
    for what, wrong in (("not finite", ~np.isfinite(p)), ("negative", p < 0)):
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            where = ", ".join(map(str, at))
            raise ValueError(f"{name}[{where}] is {what}: {p[at]}")
    sums = p.sum(axis=-1)
    off = np.abs(sums - 1) > TOLERANCE
    if off.any():
        raise ValueError(f"{name} sums to {sums[off].flat[0]:.9g}, not to 1")
    return p


def _check_pair(p: npt.ArrayLike, q: npt.ArrayLike) -> tuple[Array, Array]:
    p, q = check_distribution(p, "p"), check_distribution(q, "q")
    if p.shape[-1] != q.shape[-1]:
        raise ValueError(f"p has {p.shape[-1]} outcomes and q has {q.shape[-1]}")
    return p, q


def _log_unit(base: float) -> float:
    """The logarithm of the base; ValueError for a base without a name."""
    if base not in UNITS:
        raise ValueError(f"base is 2 (bits), e (nats) or 10 (bans), got {base!r}")
    return math.log(base)


def _times_log(p: Array, q: Array) -> Array:
    """p · log q in nats, 0 where p is 0 and −inf where q alone is."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(p > 0, q, 1.0))
    return np.where(p > 0, p * logs, 0.0)


def surprise(p: npt.ArrayLike, base: float = math.e) -> Array:
    """−log p of single probabilities, any shape; +inf at 0. ValueError outside [0, 1]."""
    p = np.asarray(p, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a probability lies in [0, 1]")
    with np.errstate(divide="ignore"):
        return np.asarray(0.0 - np.log(p) / _log_unit(base))  # 0 − … so that log 1 gives no −0


def entropy(p: npt.ArrayLike, base: float = math.e) -> Array:
    """H(p) = −Σ p log p, shape (..., n) -> (...): the expected surprise, from 0 to log n.

    Raises ValueError for a p that is negative, not finite or does not sum to 1, and for a base
    other than 2, e and 10.
    """
    unit = _log_unit(base)
    p = check_distribution(p)
    return np.asarray(0.0 - _times_log(p, p).sum(axis=-1) / unit)


def binary_entropy(p: npt.ArrayLike, base: float = math.e) -> Array:
    """H of a coin that shows heads with probability p, any shape; ValueError outside [0, 1]."""
    p = np.asarray(p, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a probability lies in [0, 1]")
    return entropy(np.stack([p, 1 - p], axis=-1), base)


def cross_entropy(p: npt.ArrayLike, q: npt.ArrayLike, base: float = math.e) -> Array:
    """H(p, q) = −Σ p log q, shapes (..., n) -> (...): the mean surprise of a reader who believes q.

    inf where some p > 0 meets q = 0. Raises ValueError as `entropy` does, naming p or q.
    """
    unit = _log_unit(base)
    p, q = _check_pair(p, q)
    return np.asarray(0.0 - _times_log(p, q).sum(axis=-1) / unit)


def kl_divergence(p: npt.ArrayLike, q: npt.ArrayLike, base: float = math.e) -> Array:
    """KL(p‖q) = Σ p log(p/q) ≥ 0, shapes (..., n) -> (...): what believing q costs beyond H(p).

    0 only where p = q; inf where some p > 0 meets q = 0. Raises ValueError as `entropy` does.
    """
    unit = _log_unit(base)
    p, q = _check_pair(p, q)
    return _relative_entropy(p, q) / unit


def _relative_entropy(p: Array, q: Array) -> Array:
    # A difference of logarithms, as p/q overflows where q is tiny; and never below 0, where
    # rounding would carry nearly equal distributions.
    with np.errstate(divide="ignore"):
        ratio = np.log(np.where(p > 0, p, 1.0)) - np.log(np.where(p > 0, q, 1.0))
    terms = np.where(p > 0, p * ratio, 0.0)
    return np.asarray(np.maximum(terms.sum(axis=-1), 0.0))


def js_divergence(p: npt.ArrayLike, q: npt.ArrayLike, base: float = math.e) -> Array:
    """½ KL(p‖m) + ½ KL(q‖m) with m = ½(p + q), shapes (..., n) -> (...).

    Symmetric, and at most log 2 (1 bit), whatever p and q are. Raises ValueError as `entropy` does.
    """
    unit = _log_unit(base)
    p, q = _check_pair(p, q)

    def to_middle(a: Array) -> Array:
        # a / m as 2a / (p + q): halving the smallest floats would make m zero.
        ratio = np.divide(
            2 * a, p + q, out=np.ones_like(p + q), where=np.broadcast_to(a > 0, (p + q).shape)
        )
        return np.asarray((a * np.log(ratio)).sum(axis=-1))

    return np.asarray(np.maximum(0.5 * (to_middle(p) + to_middle(q)), 0.0) / unit)


def renormalized(p: Sequence[float] | Array, index: int, value: float) -> Array:
    """p (n,) with p[index] set to value and the others scaled to share what is left.

    Where the others are all 0 they share it equally. value is held in [0, 1].
    """
    p = np.array(p, dtype=np.float64)
    value = min(max(float(value), 0.0), 1.0)
    others = np.arange(len(p)) != index
    rest = p[others].sum()
    share: Any = p[others] / rest if rest > 0 else 1 / max(len(p) - 1, 1)
    p[others] = (1 - value) * share
    p[index] = value if len(p) > 1 else 1.0
    return p


def normalized(weights: Sequence[float] | Array) -> Array:
    """Weights (n,) ≥ 0 divided by their sum; uniform where all are 0."""
    w = np.asarray(weights, dtype=np.float64)
    total = w.sum()
    return w / total if total > 0 else np.full(len(w), 1 / len(w))


def entropy_along(
    p: Sequence[float] | Array, index: int, values: npt.ArrayLike, base: float = math.e
) -> Array:
    """H as p[index] takes each of the values, the others in proportion, shape of values (m,).

    With two outcomes this is the binary entropy of the value.
    """
    return entropy([renormalized(p, index, t) for t in np.asarray(values)], base)
