"""Entropy and the divergences: the course's numbers, SciPy's, and the theorems they obey."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.losses import information as info

GOLDEN = np.load(Path(__file__).parents[2] / "golden" / "losses.npz")
BASES = {"2": 2, "e": math.e, "10": 10}


def distributions(size: int, smallest: float = 0.0) -> st.SearchStrategy[np.ndarray]:
    weights = st.lists(st.floats(smallest, 1.0), min_size=size, max_size=size)
    return weights.filter(lambda w: sum(w) > 1e-3).map(lambda w: np.array(w) / sum(w))


pairs = st.integers(1, 8).flatmap(lambda n: st.tuples(distributions(n), distributions(n)))
overlapping = st.integers(2, 8).flatmap(
    lambda n: st.tuples(distributions(n), distributions(n, smallest=1e-6))
)
bases = st.sampled_from(list(BASES.values()))


# The course's numbers (CURRICULUM A1, A3, A11) ----------------------------------------------------


@pytest.mark.parametrize(
    ("p", "bits"), [(0.5, 1.0), (0.99, 0.0807931), (0.01, 0.0807931), (1.0, 0.0), (0.0, 0.0)]
)
def test_coin(p: float, bits: float) -> None:
    assert info.binary_entropy(p, 2) == pytest.approx(bits, abs=5e-8)
    assert info.entropy([p, 1 - p], 2) == info.binary_entropy(p, 2)


def test_coin_is_most_uncertain_when_fair() -> None:
    p = np.linspace(0, 1, 1001)
    assert p[np.argmax(info.binary_entropy(p))] == 0.5


@pytest.mark.parametrize("n", range(1, 9))
def test_uniform_has_log_n(n: int) -> None:
    assert info.entropy(np.full(n, 1 / n), 2) == pytest.approx(math.log2(n), abs=1e-15)


def test_one_hot_reads_only_the_true_slot() -> None:
    assert info.cross_entropy([0, 1, 0], [0.2, 0.7, 0.1]) == pytest.approx(0.357, abs=5e-4)
    # The two traps of the course: the loss of another slot.
    assert info.surprise([0.2, 0.1]) == pytest.approx([1.609, 2.303], abs=5e-4)


def test_surprise_in_bits() -> None:
    assert info.surprise([0.775, 0.936], 2) == pytest.approx([0.3677, 0.0954], abs=5e-5)


def test_believing_something_impossible_costs_infinitely() -> None:
    assert info.kl_divergence([0.5, 0.5], [1, 0]) == math.inf
    assert info.cross_entropy([0.5, 0.5], [1, 0]) == math.inf
    assert info.kl_divergence([1, 0], [0.5, 0.5], 2) == 1
    assert info.js_divergence([1, 0], [0, 1], 2) == 1
    assert info.surprise(0.0) == math.inf
    assert info.surprise(1.0) == 0


# SciPy --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", ["entropy", "cross_entropy", "kl_divergence", "js_divergence"])
def test_equals_scipy(name: str, base: str) -> None:
    p, q = GOLDEN["pairs/p"], GOLDEN["pairs/q"]
    function = getattr(info, name)
    ours = function(p, BASES[base]) if name == "entropy" else function(p, q, BASES[base])
    np.testing.assert_allclose(ours, GOLDEN[f"base {base}/{name}"], rtol=1e-12, atol=1e-14)


# Theorems -----------------------------------------------------------------------------------------


@given(pairs, bases)
def test_gibbs(pair: tuple[np.ndarray, np.ndarray], base: float) -> None:
    p, q = pair
    assert info.kl_divergence(p, q, base) >= 0
    assert info.kl_divergence(p, p, base) == 0


@given(overlapping)
def test_kl_is_zero_only_between_equals(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, q = pair
    # Pinsker: KL ≥ ½ |p − q|², in nats and the 1-norm.
    assert info.kl_divergence(p, q) >= 0.5 * np.abs(p - q).sum() ** 2 - 1e-12


@given(pairs, bases)
def test_entropy_lies_between_0_and_log_n(pair: tuple[np.ndarray, np.ndarray], base: float) -> None:
    p, _ = pair
    assert 0 <= info.entropy(p, base) <= math.log(len(p)) / math.log(base) + 1e-12


@given(overlapping, bases)
def test_cross_entropy_is_entropy_plus_kl(pair: tuple[np.ndarray, np.ndarray], base: float) -> None:
    p, q = pair
    parts = info.entropy(p, base) + info.kl_divergence(p, q, base)
    assert info.cross_entropy(p, q, base) == pytest.approx(parts, abs=1e-12)


@given(pairs, bases)
def test_js_is_symmetric_and_at_most_log_2(
    pair: tuple[np.ndarray, np.ndarray], base: float
) -> None:
    p, q = pair
    js = info.js_divergence(p, q, base)
    assert js == info.js_divergence(q, p, base)
    assert 0 <= js <= math.log(2) / math.log(base) + 1e-12


@given(overlapping)
def test_bases_differ_by_a_factor(pair: tuple[np.ndarray, np.ndarray]) -> None:
    nats, bits = info.kl_divergence(*pair), info.kl_divergence(*pair, 2)
    assert nats == pytest.approx(bits * math.log(2), rel=1e-12, abs=1e-15)


def test_kl_is_not_symmetric() -> None:
    p, q = [0.9, 0.1], [0.5, 0.5]
    assert info.kl_divergence(p, q) != pytest.approx(info.kl_divergence(q, p), rel=0.1)


def test_the_last_axis_is_the_distribution() -> None:
    rows = np.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]])
    assert info.entropy(rows).shape == (3,)
    assert info.cross_entropy(rows[:, None], rows[None, :2]).shape == (3, 2)


def test_tiny_probabilities_do_not_overflow() -> None:
    tiny = 1e-320
    assert info.kl_divergence([1.0, 0.0], [tiny, 1.0]) == pytest.approx(-math.log(tiny))


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([0.5, 0.6], "p sums to 1.1, not to 1"),
        ([1.5, -0.5], r"p\[1\] is negative: -0.5"),
        ([0.5, math.nan], r"p\[1\] is not finite: nan"),
        ([[0.5, 0.5], [math.inf, 0.5]], r"p\[1, 0\] is not finite: inf"),
        ([], "at least one probability"),
        (1.0, "at least one probability"),
    ],
)
def test_says_what_is_wrong_with_a_distribution(p: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        info.entropy(p)  # type: ignore[arg-type]


def test_names_the_distribution_that_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"q sums to 0\.9"):
        info.kl_divergence([0.5, 0.5], [0.5, 0.4])
    with pytest.raises(ValueError, match="p has 2 outcomes and q has 3"):
        info.js_divergence([0.5, 0.5], [0.5, 0.25, 0.25])
    with pytest.raises(ValueError, match="base is 2"):
        info.entropy([0.5, 0.5], 3)
    with pytest.raises(ValueError, match="lies in"):
        info.binary_entropy(1.1)
    with pytest.raises(ValueError, match="lies in"):
        info.surprise(-0.1)


def test_sum_may_be_off_by_a_millionth() -> None:
    assert info.entropy([0.5, 0.5 + 9e-7]) == pytest.approx(math.log(2), abs=1e-6)


# Editing a bar ------------------------------------------------------------------------------------


@given(distributions(5), st.integers(0, 4), st.floats(-1, 2))
def test_renormalized_keeps_the_sum_and_the_ratios(p: np.ndarray, i: int, value: float) -> None:
    moved = info.renormalized(p, i, value)
    assert moved.sum() == pytest.approx(1)
    assert moved[i] == pytest.approx(min(max(value, 0), 1))
    assert (moved >= 0).all()
    rest, before = np.delete(moved, i), np.delete(p, i)
    assume(before.sum() > 0)
    np.testing.assert_allclose(rest * before.sum(), before * rest.sum(), atol=1e-12)


def test_renormalized_from_certainty_shares_equally() -> None:
    np.testing.assert_allclose(info.renormalized([1.0, 0.0, 0.0], 0, 0.4), [0.4, 0.3, 0.3])


@given(distributions(4), st.integers(0, 3))
def test_entropy_along_an_outcome(p: np.ndarray, i: int) -> None:
    along = info.entropy_along(p, i, [p[i], 1.0], 2)
    assert along[0] == pytest.approx(info.entropy(p, 2), abs=1e-9)
    assert along[1] == pytest.approx(0, abs=1e-12)


def test_entropy_along_a_coin_is_binary_entropy() -> None:
    t = np.linspace(0, 1, 11)
    along = info.entropy_along([0.3, 0.7], 0, t)
    np.testing.assert_allclose(along, info.binary_entropy(t), atol=1e-15)


def test_normalized() -> None:
    np.testing.assert_array_equal(info.normalized([1, 3]), [0.25, 0.75])
    np.testing.assert_array_equal(info.normalized([0, 0]), [0.5, 0.5])
