"""Huffman's optimal prefix code: what entropy says in theory, built as actual code words.

No code that can be told apart word by word is shorter on average, and Huffman's is less than one
bit above the entropy. The tree is grown with array operations alone, so that on a tape it follows
the probabilities: a picture of it regrows under the reader's hand. Source: D. A. Huffman, "A method
for the construction of minimum-redundancy codes" (1952).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import entry, first, smallest
from engine.losses.information import check_distribution
from engine.tape import operations as ops


@dataclass(frozen=True, slots=True)
class Tree:
    """The tree of a code over n outcomes as arrays over its 2n − 1 nodes: the outcomes first, then
    the inner nodes as they came to be. Where p is traced, so are they.

    probability, depth and x are where to draw a node (x counts leaves from the left), NaN for one
    that there is not: an impossible outcome, or an inner node where there is nothing to join.
    parent is the node above, NaN at the root; side is 0 for what hangs on the left of it and 1 on
    the right, which are the bits of the words. average is the mean length of a word, in bits.
    """

    probability: Any
    depth: Any
    x: Any
    parent: Any
    side: Any
    average: Any

    def above(self, values: Any) -> Any:
        """The values of the nodes above, (2n − 1,); NaN at the root and where there is no node."""
        (m,) = ops.shape_of(values)
        hit = ops.equal(ops.reshape(self.parent, shape=(m, 1)), np.arange(float(m)))
        found = ops.where(hit, ops.reshape(values, shape=(1, m)), 0.0)
        return ops.where(self.parent >= 0, ops.sum(found, axis=-1), math.nan)


def grown(p: Any) -> Tree:
    """Huffman's tree of a distribution p (n,), traced or not, by n − 1 joinings of the two rarest.

    Of equals the older is joined first; the likelier of two branches stands on the left. Raises
    ValueError where p is not a distribution.
    """
    p = check_distribution(p)
    (n,) = p.shape
    nodes = np.arange(2.0 * n - 1.0)
    outcome = np.eye(n, 2 * n - 1)
    probability = ops.sum(ops.reshape(p, shape=(n, 1)) * outcome, axis=0)
    # What still waits to be joined, by its probability; all else is infinitely likely.
    waiting = ops.where(probability > 0, probability, math.inf)
    top, x = 0.0 * nodes + nodes, 0.0 * nodes  # the root above each node, and its place there
    depth = 0.0 * nodes
    width = ops.where(nodes < n, 1.0, 0.0)  # leaves below
    parent = np.full(2 * n - 1, math.nan)
    side = parent
    for made in range(n, 2 * n - 1):
        one = first(ops.equal(waiting, smallest(waiting)))
        rest = ops.where(ops.equal(nodes, one), math.inf, waiting)
        two = first(ops.equal(rest, smallest(rest)))
        joins = smallest(rest) < math.inf
        a, b = entry(waiting, one), entry(rest, two)
        left, right = ops.where(b > a, two, one), ops.where(b > a, one, two)
        below_left = ops.both(ops.equal(top, left), joins)
        below_right = ops.both(ops.equal(top, right), joins)
        below = ops.either(below_left, below_right)
        here = ops.equal(nodes, float(made))
        x = ops.where(below_right, x + entry(width, left), x)
        depth = ops.where(below, depth + 1.0, depth)
        middle = 0.5 * (entry(x, left) + entry(x, right))
        x = ops.where(here, ops.where(joins, middle, math.nan), x)
        depth = ops.where(here, ops.where(joins, 0.0, math.nan), depth)
        probability = ops.where(here, ops.where(joins, a + b, math.nan), probability)
        width = ops.where(here, entry(width, left) + entry(width, right), width)
        own = ops.both(ops.either(ops.equal(nodes, left), ops.equal(nodes, right)), joins)
        parent = ops.where(own, float(made), parent)
        side = ops.where(own, ops.where(ops.equal(nodes, right), 1.0, 0.0), side)
        top = ops.where(ops.either(below, here), float(made), top)
        gone = ops.where(own, math.inf, waiting)
        waiting = ops.where(here, ops.where(joins, a + b, math.inf), gone)
    there = probability > 0
    average = ops.sum(ops.where(ops.both(there, nodes < n), probability * depth, 0.0))
    return Tree(
        probability=ops.where(there, probability, math.nan),
        depth=ops.where(there, depth, math.nan),
        x=ops.where(there, x, math.nan),
        parent=parent,
        side=side,
        average=average,
    )


@dataclass(frozen=True, slots=True)
class Code:
    """A prefix code: the word of each outcome (None for an impossible one), and its mean length."""

    words: tuple[str | None, ...]
    average: float  # bits an outcome


def huffman(p: npt.ArrayLike) -> Code:
    """The optimal code of a distribution (n,). Impossible outcomes get no word; a certain one the
    empty word. Raises ValueError where p is not a distribution."""
    tree = grown(np.asarray(p, dtype=np.float64))

    def word(node: int) -> str:
        above = tree.parent[node]
        return "" if math.isnan(above) else f"{word(int(above))}{tree.side[node]:.0f}"

    n = (len(tree.x) + 1) // 2
    words = tuple(None if math.isnan(tree.x[k]) else word(k) for k in range(n))
    return Code(words, float(tree.average))
