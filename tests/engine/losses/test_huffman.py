"""Huffman's code: prefix-free, complete, within one bit of the entropy, and optimal."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.emit.picture import Picture
from engine.losses.huffman import grown, huffman
from engine.losses.information import entropy, normalized

distributions = st.lists(st.floats(0.001, 1), min_size=2, max_size=8).map(normalized)


@given(distributions)
def test_within_one_bit_of_the_entropy(p: np.ndarray) -> None:
    h, average = float(entropy(p, 2)), huffman(p).average
    assert h - 1e-9 <= average < h + 1


@given(distributions)
def test_prefix_free_and_complete(p: np.ndarray) -> None:
    words = huffman(p).words
    for a, b in itertools.permutations(words, 2):
        assert a is not None
        assert b is not None
        assert not b.startswith(a)
    assert sum(2.0 ** -len(word or "") for word in words) == 1  # Kraft's sum, nothing wasted


@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(normalized))
def test_no_shorter_code_of_four(p: np.ndarray) -> None:
    """Every complete tree of four leaves has lengths 2, 2, 2, 2 or 1, 2, 3, 3."""
    shapes = [(2, 2, 2, 2), *set(itertools.permutations((1, 2, 3, 3)))]
    best = min(float(np.dot(p, lengths)) for lengths in shapes)
    assert huffman(p).average == pytest.approx(best)


def test_powers_of_a_half_reach_the_entropy() -> None:
    code = huffman([0.5, 0.25, 0.125, 0.125])
    assert [len(word or "") for word in code.words] == [1, 2, 3, 3]
    assert code.average == entropy([0.5, 0.25, 0.125, 0.125], 2) == 1.75


def test_certain_and_impossible() -> None:
    code = huffman([0.0, 1.0, 0.0])
    assert code.words == (None, "", None)
    assert code.average == 0
    assert huffman([0.5, 0.0, 0.5]).words[1] is None


def test_tree_can_be_drawn() -> None:
    tree = grown([0.5, 0.25, 0.15, 0.1])
    np.testing.assert_array_equal(tree.x[:4], [0, 1, 2, 3])
    np.testing.assert_array_equal(tree.depth, [1, 2, 3, 3, 2, 1, 0])
    np.testing.assert_array_equal(tree.parent, [6, 5, 4, 4, 5, 6, math.nan])
    np.testing.assert_array_equal(tree.side, [0, 0, 0, 1, 1, 1, math.nan])
    np.testing.assert_allclose(tree.x[4:], [2.5, 1.75, 0.875])
    np.testing.assert_allclose(tree.probability[4:], [0.25, 0.5, 1])


def test_the_likelier_branch_is_on_the_left_and_of_equals_the_older() -> None:
    assert huffman([0.1, 0.9]).words == ("1", "0")
    assert huffman([0.25] * 4).words == ("00", "01", "10", "11")


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8).map(normalized))
def test_on_a_tape_it_is_the_same_tree(p: np.ndarray) -> None:
    live = Picture({"p": p.tolist()})
    traced, plain = grown(live["p"]), grown(p)
    for name in ("probability", "depth", "x", "parent", "side", "average"):
        now = getattr(traced, name)
        np.testing.assert_array_equal(getattr(now, "data", now), getattr(plain, name))
    leaves = plain.x[: len(p)][p > 0]
    assert sorted(leaves) == list(range(len(leaves)))  # side by side, none in another's place


def test_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="sums to"):
        huffman([0.5, 0.4])
