"""Huffman's optimal prefix code: what entropy says in theory, built as actual code words.

No code that can be told apart word by word is shorter on average, and Huffman's is less than one
bit above the entropy. Source: D. A. Huffman, "A method for the construction of minimum-redundancy
codes" (1952).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import numpy.typing as npt

from engine.losses.information import check_distribution


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the code's tree: probability, the word that leads to it, and where to draw it.

    outcome is the index of a leaf's outcome, None inside the tree. x counts leaves from the left;
    parent is the index of the node above in `Code.tree`, None at the root.
    """

    probability: float
    word: str
    outcome: int | None
    x: float
    parent: int | None

    @property
    def depth(self) -> int:
        return len(self.word)


@dataclass(frozen=True, slots=True)
class Code:
    """A prefix code: the word of each outcome (None for an impossible one), and its tree."""

    words: tuple[str | None, ...]
    tree: tuple[Node, ...]
    average: float  # bits an outcome, in the mean


@dataclass(frozen=True, slots=True)
class _Branch:
    probability: float
    outcome: int | None = None
    zero: _Branch | None = None
    one: _Branch | None = None


def huffman(p: npt.ArrayLike) -> Code:
    """The optimal code of a distribution (n,). Impossible outcomes get no word; a certain one the
    empty word. Raises ValueError where p is not a distribution."""
    p = check_distribution(p)
    order = count()
    heap = [(float(x), next(order), _Branch(float(x), i)) for i, x in enumerate(p) if x > 0]
    heapq.heapify(heap)
    while len(heap) > 1:
        (p0, _, zero), (p1, _, one) = heapq.heappop(heap), heapq.heappop(heap)
        # The likelier branch is 0 and stands on the left, as does the older one of two equals.
        joined = _Branch(p0 + p1, None, *((one, zero) if p1 > p0 else (zero, one)))
        heapq.heappush(heap, (p0 + p1, next(order), joined))
    tree = tuple(_drawn(heap[0][2]))
    words: list[str | None] = [None] * len(p)
    for node in tree:
        if node.outcome is not None:
            words[node.outcome] = node.word
    lengths = [len(word or "") for word in words]
    return Code(tuple(words), tree, float(np.dot(p, lengths)))


def _drawn(root: _Branch) -> Iterator[Node]:
    """The nodes, parents first; a leaf's x counts leaves, a parent stands between its children."""
    nodes: list[Node] = []
    leaves = count()

    def visit(branch: _Branch, word: str, parent: int | None) -> float:
        at = len(nodes)
        nodes.append(Node(branch.probability, word, branch.outcome, 0.0, parent))
        if branch.zero is None or branch.one is None:
            x = float(next(leaves))
        else:
            x = 0.5 * (visit(branch.zero, word + "0", at) + visit(branch.one, word + "1", at))
        nodes[at] = replace(nodes[at], x=x)
        return x

    visit(root, "", None)
    yield from nodes
