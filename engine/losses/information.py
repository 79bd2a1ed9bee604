"""Entropy, cross-entropy and the divergences, in bits, nats or bans.

The last axis of an array is the distribution; 0 · log 0 is 0, and what the true distribution holds
possible but the model holds impossible costs ∞. Everything is computed in float64, from terms that
are none of them negative, so that nothing cancels: every measure holds to about 1e-15 of itself,
however small it is. Where the numbers of a distribution add up to 1 only to within rounding (and no
double lies between 1 − 1e-16 and 1), its probabilities are those numbers over their sum.

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
    if p.ndim != q.ndim and min(p.ndim, q.ndim) > 1:  # which rows are meant to meet?
        raise ValueError(f"p and q must have as many axes, got {p.shape} and {q.shape}")
    return p, q


def _log_unit(base: float) -> float:
    """The logarithm of the base; ValueError for a base without a name."""
    if base not in UNITS:
        raise ValueError(f"base is 2 (bits), e (nats) or 10 (bans), got {base!r}")
    return math.log(base)


def _surprises(q: Array) -> Array:
    """−log of q over its sum, in nats, (..., n) -> (..., n); inf where q is 0."""
    top = np.arange(q.shape[-1]) == q.argmax(axis=-1)[..., None]
    rest = np.where(top, 0.0, q).sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        small = np.log(q.sum(axis=-1, keepdims=True)) - np.log(q)
    # Near 1 a probability is known by what it leaves to the others, which has all its digits.
    return np.asarray(np.where(top, np.log1p(rest / np.where(top, q, 1.0)), small))


def _expected(p: Array, surprises: Array) -> Array:
    """Σ p · surprise over the sum of p, where what cannot happen adds nothing."""
    with np.errstate(invalid="ignore"):
        terms = np.where(p > 0, p * surprises, 0.0)
    return np.asarray(terms.sum(axis=-1) / p.sum(axis=-1))


# (x − 2s)/s = x and 2 atanh(s) = log(1 + x) for s = x / (2 + x), so that x − log(1 + x) is
# x s − 2 s³ (1/3 + s²/5 + s⁴/7 + …); with |x| ≤ ½ these many terms reach 1e-17.
_ATANH = tuple(1.0 / (2 * k + 3) for k in range(16))


def _less_log1p(x: Array) -> Array:
    """x − log(1 + x) ≥ 0 for x > −1, to full relative precision where it is about x²/2."""
    near = np.abs(x) <= 0.5
    small = np.where(near, x, 0.0)
    s = small / (2.0 + small)
    series = np.zeros_like(s)
    for coefficient in reversed(_ATANH):
        series = series * (s * s) + coefficient
    with np.errstate(all="ignore"):
        return np.where(near, small * s - 2.0 * s**3 * series, x - np.log1p(x))


def _excess(p: Array, q: Array, difference: Array) -> Array:
    """p log(p/q) − p + q ≥ 0, term by term, from difference = q − p; inf where q alone is 0."""
    with np.errstate(all="ignore"):
        x = difference / p
        ratio = q / p
        plain = np.where((ratio > 1e-290) & (ratio < 1e290), np.log(ratio), np.log(q) - np.log(p))
        terms = np.where(np.abs(x) <= 0.5, p * _less_log1p(x), difference - p * plain)
    return np.where(p > 0, terms, q)


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
    return np.asarray(_expected(p, _surprises(p)) / unit)


def binary_entropy(p: npt.ArrayLike, base: float = math.e) -> Array:
    """H of a coin that shows heads with probability p, any shape; ValueError outside [0, 1]."""
    p = np.asarray(p, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a probability lies in [0, 1]")
    with np.errstate(all="ignore"):
        heads, tails = p * np.log(p), (1 - p) * np.log1p(-p)
    total = np.where(p > 0, heads, 0.0) + np.where(p < 1, tails, 0.0)
    return np.asarray(0.0 - total / _log_unit(base))


def cross_entropy(p: npt.ArrayLike, q: npt.ArrayLike, base: float = math.e) -> Array:
    """H(p, q) = −Σ p log q, shapes (..., n) -> (...): the mean surprise of a reader who believes q.

    inf where some p > 0 meets q = 0. Raises ValueError as `entropy` does, naming p or q.
    """
    unit = _log_unit(base)
    p, q = _check_pair(p, q)
    return np.asarray(_expected(p, _surprises(q)) / unit)


def kl_divergence(p: npt.ArrayLike, q: npt.ArrayLike, base: float = math.e) -> Array:
    """KL(p‖q) = Σ p log(p/q) ≥ 0, shapes (..., n) -> (...): what believing q costs beyond H(p).

    0 only where p = q; inf where some p > 0 meets q = 0. Raises ValueError as `entropy` does.
    """
    unit = _log_unit(base)
    p, q = _check_pair(p, q)
    return np.asarray(_relative_entropy(p, q, q - p) / unit)


def _relative_entropy(p: Array, q: Array, difference: Array) -> Array:
    # The sum of p log(p/q) − p + q is the divergence but for what the two sums differ by.
    total = p.sum(axis=-1)
    gap = difference.sum(axis=-1) / total
    apart = _excess(p, q, difference).sum(axis=-1) / total - _less_log1p(gap)
    return np.asarray(np.maximum(apart, 0.0))


def js_divergence(p: npt.ArrayLike, q: npt.ArrayLike, base: float = math.e) -> Array:
    """½ KL(p‖m) + ½ KL(q‖m) with m = ½(p + q), shapes (..., n) -> (...).

    Symmetric, and at most log 2 (1 bit), whatever p and q are. Raises ValueError as `entropy` does.
    """
    unit = _log_unit(base)
    p, q = _check_pair(p, q)

    # Against p + q in place of its half: the smallest floats have none.
    both, apart = p + q, q - p
    to_middle = _relative_entropy(2.0 * p, both, apart) + _relative_entropy(2.0 * q, both, -apart)
    return np.asarray(0.5 * to_middle / unit)


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
    t = np.clip(np.asarray(values, dtype=np.float64), 0.0, 1.0)
    if len(p) == 1:
        return np.zeros_like(t)
    # What is decided first is whether it is this outcome, then which of the others it is.
    others = renormalized(p, index, 0.0)[np.arange(len(p)) != index]
    return np.asarray(binary_entropy(t, base) + (1 - t) * entropy(others, base))
