"""Huffman's code: prefix-free, complete, within one bit of the entropy, and optimal."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.losses.huffman import huffman
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
    tree = huffman([0.4, 0.3, 0.2, 0.1]).tree
    assert tree[0].parent is None
    for node in tree[1:]:
        parent = tree[node.parent or 0]
        assert node.depth == parent.depth + 1
        assert node.word.startswith(parent.word)
    assert sorted(n.x for n in tree if n.outcome is not None) == [0, 1, 2, 3]


def test_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="sums to"):
        huffman([0.5, 0.4])
