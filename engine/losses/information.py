"""Entropy, cross-entropy and the divergences, in bits, nats or bans.

The last axis of an array is the distribution; 0 · log 0 is 0, and what the true distribution holds
possible but the model holds impossible costs ∞. Everything is computed in float64, from terms that
are none of them negative, so that nothing cancels: every measure holds to about 1e-15 of itself,
however small it is. Where the numbers of a distribution add up to 1 only to within rounding (and no
double lies between 1 − 1e-16 and 1), its probabilities are those numbers over their sum.

Distributions may be traced, and then so is what comes of them: pictures follow them that way.

Sources: C. E. Shannon, "A mathematical theory of communication" (1948); S. Kullback &
R. A. Leibler, "On information and sufficiency" (1951); J. Lin, "Divergence measures based on the
Shannon entropy" (1991).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.tape import Value
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

UNITS: Mapping[float, str] = MappingProxyType({2: "bits", math.e: "nats", 10: "bans"})
TOLERANCE = 1e-6  # how far from 1 a distribution may sum


def check_distribution(p: Any, name: str = "p") -> Any:
    """p as float64, a traced one as it is; ValueError that says which entry or sum is wrong."""
    given, p = _numbers(p), _today(p)
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
    return given


def _today(x: Any) -> Array:
    """The numbers of an array, traced or not."""
    while isinstance(x, Value):
        x = x.data
    return np.asarray(x, dtype=np.float64)


def _numbers(x: Any) -> Any:
    """x as float64; as it is where it is traced."""
    return x if isinstance(x, Value) else np.asarray(x, dtype=np.float64)


def _check_shares(p: Any) -> Any:
    """Single probabilities; ValueError where one lies outside [0, 1]."""
    now = _today(p)
    if not ((now >= 0) & (now <= 1)).all():
        raise ValueError("a probability lies in [0, 1]")
    return _numbers(p)


def _check_pair(p: Any, q: Any) -> tuple[Any, Any]:
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


def _surprises(q: Any) -> Any:
    """−log of q over its sum, in nats, (..., n) -> (..., n); inf where q is 0."""
    total = ops.sum(q, axis=-1, keepdims=True)
    top = q > 0.5 * total  # one of them at most
    rest = ops.sum(ops.where(top, 0.0, q), axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        small = ops.log(total) - ops.log(q)
    # Near 1 a probability is known by what it leaves to the others, which has all its digits.
    return ops.where(top, ops.log1p(rest / ops.where(top, q, 1.0)), small)


def _expected(p: Any, surprises: Any) -> Any:
    """Σ p · surprise over the sum of p, where what cannot happen adds nothing."""
    with np.errstate(invalid="ignore"):
        terms = ops.where(p > 0, p * surprises, 0.0)
    return ops.sum(terms, axis=-1) / ops.sum(p, axis=-1)


# (x − 2s)/s = x and 2 atanh(s) = log(1 + x) for s = x / (2 + x), so that x − log(1 + x) is
# x s − 2 s³ (1/3 + s²/5 + s⁴/7 + …); with |x| ≤ ½ these many terms reach 1e-17.
_ATANH = tuple(1.0 / (2 * k + 3) for k in range(16))


def _less_log1p(x: Any) -> Any:
    """x − log(1 + x) ≥ 0 for x > −1, to full relative precision where it is about x²/2."""
    near = ops.absolute(x) <= 0.5
    small = ops.where(near, x, 0.0)
    s = small / (2.0 + small)
    series = 0.0 * s
    for coefficient in reversed(_ATANH):
        series = series * (s * s) + coefficient
    with np.errstate(all="ignore"):
        return ops.where(near, small * s - 2.0 * (s * s * s) * series, x - ops.log1p(x))


def _excess(p: Any, q: Any, difference: Any) -> Any:
    """p log(p/q) − p + q ≥ 0, term by term, from difference = q − p; inf where q alone is 0."""
    with np.errstate(all="ignore"):
        x = difference / p
        ratio = q / p
        usual = ops.both(ratio > 1e-290, ratio < 1e290)
        plain = ops.where(usual, ops.log(ratio), ops.log(q) - ops.log(p))
        near = ops.absolute(x) <= 0.5
        terms = ops.where(near, p * _less_log1p(x), difference - p * plain)
    return ops.where(p > 0, terms, q)


def surprise(p: Any, base: float = math.e) -> Any:
    """−log p of single probabilities, any shape; +inf at 0. ValueError outside [0, 1]."""
    p = _check_shares(p)
    with np.errstate(divide="ignore"):
        return _measured(0.0 - ops.log(p), base)  # 0 − … so that log 1 gives no −0


def _measured(nats: Any, base: float) -> Any:
    """Nats in the unit of the base, as an array unless traced."""
    return _numbers(nats / _log_unit(base))


def terms(p: Any, q: Any, base: float = math.e) -> Any:
    """−p log q outcome by outcome, (..., n): what cross-entropy is the sum of; 0 where p is 0."""
    p, q = _check_pair(p, q)
    with np.errstate(invalid="ignore"):
        return ops.where(p > 0, p * surprise(q, base), 0.0)


def entropy(p: Any, base: float = math.e) -> Any:
    """H(p) = −Σ p log p, shape (..., n) -> (...): the expected surprise, from 0 to log n.

    Raises ValueError for a p that is negative, not finite or does not sum to 1, and for a base
    other than 2, e and 10.

    >>> float(entropy([0.5, 0.25, 0.25], base=2))
    1.5
    """
    p = check_distribution(p)
    return _measured(_expected(p, _surprises(p)), base)


def binary_entropy(p: Any, base: float = math.e) -> Any:
    """H of a coin that shows heads with probability p, any shape; ValueError outside [0, 1]."""
    p = _check_shares(p)
    with np.errstate(all="ignore"):
        heads, tails = p * ops.log(p), (1.0 - p) * ops.log1p(-p)
    total = ops.where(p > 0, heads, 0.0) + ops.where(p < 1, tails, 0.0)
    return _measured(0.0 - total, base)


def cross_entropy(p: Any, q: Any, base: float = math.e) -> Any:
    """H(p, q) = −Σ p log q, shapes (..., n) -> (...): the mean surprise of a reader who believes q.

    inf where some p > 0 meets q = 0. Raises ValueError as `entropy` does, naming p or q.

    >>> float(cross_entropy([0.5, 0.5], [0.25, 0.75], base=2).round(4))
    1.2075
    """
    p, q = _check_pair(p, q)
    return _measured(_expected(p, _surprises(q)), base)


def kl_divergence(p: Any, q: Any, base: float = math.e) -> Any:
    """KL(p‖q) = Σ p log(p/q) ≥ 0, shapes (..., n) -> (...): what believing q costs beyond H(p).

    0 only where p = q; inf where some p > 0 meets q = 0. Raises ValueError as `entropy` does.
    """
    p, q = _check_pair(p, q)
    return _measured(_relative_entropy(p, q, q - p), base)


def _relative_entropy(p: Any, q: Any, difference: Any) -> Any:
    # The sum of p log(p/q) − p + q is the divergence but for what the two sums differ by.
    total = ops.sum(p, axis=-1)
    gap = ops.sum(difference, axis=-1) / total
    apart = ops.sum(_excess(p, q, difference), axis=-1) / total - _less_log1p(gap)
    return ops.maximum(apart, 0.0)


def js_divergence(p: Any, q: Any, base: float = math.e) -> Any:
    """½ KL(p‖m) + ½ KL(q‖m) with m = ½(p + q), shapes (..., n) -> (...).

    Symmetric, and at most log 2 (1 bit), whatever p and q are. Raises ValueError as `entropy` does.
    """
    p, q = _check_pair(p, q)
    # Against p + q in place of its half: the smallest floats have none.
    both, apart = p + q, q - p
    to_middle = _relative_entropy(2.0 * p, both, apart) + _relative_entropy(2.0 * q, both, -apart)
    return _measured(0.5 * to_middle, base)


def renormalized(p: Any, index: Any, value: Any) -> Any:
    """p (n,) with p[index] set to value and the others scaled to share what is left.

    Where the others are all 0 they share it equally. value is held in [0, 1]. Any may be traced.
    """
    p = _numbers(p)
    (n,) = p.shape
    if n == 1:
        return np.ones(1)
    here = ops.equal(np.arange(float(n)), index)
    value = ops.clip(value, 0.0, 1.0)
    others = ops.where(here, 0.0, p)
    rest = ops.sum(others)
    share = ops.where(rest > 0, others / ops.where(rest > 0, rest, 1.0), 1.0 / (n - 1))
    return ops.where(here, value, (1.0 - value) * share)


def normalized(weights: Any) -> Any:
    """Weights (n,) ≥ 0 divided by their sum, traced or not; uniform where all are 0."""
    w = _numbers(weights)
    total = ops.sum(w)
    return ops.where(
        total > 0, w / ops.where(total > 0, total, 1.0), np.full(w.shape, 1 / len(_today(w)))
    )


def dense_at_the_ends(count: int) -> Array:
    """Probabilities (count,) from 0 to 1, densest there: where the slope of entropy is infinite."""
    return np.asarray(0.5 - 0.5 * np.cos(np.linspace(0.0, math.pi, count)))


def entropy_along(p: Any, index: Any, values: Any, base: float = math.e) -> Any:
    """H as p[index] takes each of the values, the others in proportion, shape of values (m,).

    With two outcomes this is the binary entropy of the value. Any but the base may be traced.
    """
    t = ops.clip(_numbers(values), 0.0, 1.0)
    if _numbers(p).shape == (1,):
        return 0.0 * t
    # What is decided first is whether it is this outcome, then which of the others it is.
    others = renormalized(p, index, 0.0)
    return binary_entropy(t, base) + (1.0 - t) * entropy(others, base)
