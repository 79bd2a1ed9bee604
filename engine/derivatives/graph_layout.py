"""Where to draw the nodes of an acyclic graph: in layers, with few crossings and short edges.

Sugiyama's method in its simplest form: longest-path layers, dummy nodes on edges that span
several, the order within a layer by barycentres, places by averaging over neighbours. Units are
layers to the right and rows downwards. Source: Sugiyama, Tagawa & Toda, IEEE Trans. SMC 11 (1981).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_ORDER_SWEEPS = 12
_PLACE_SWEEPS = 24
_DUMMY_GAP = 0.62  # an edge passing through needs less room than a node

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """places[i] is (layer, row) of node i; routes[k] the points between the ends of edge k."""

    places: tuple[tuple[float, float], ...]
    routes: tuple[tuple[tuple[float, float], ...], ...]
    layers: int
    rows: float


def layered(count: int, edges: Sequence[Edge]) -> Layout:
    """Lay out nodes 0 … count − 1; every edge leads from a lower to a higher number."""
    layer = _layers(count, edges)
    members: list[list[int]] = [[] for _ in range(max(layer, default=0) + 1)]
    for node in range(count):
        members[layer[node]].append(node)
    chains: list[list[int]] = []
    for source, target in edges:  # dummies get numbers from count on
        chain = [source]
        for between in range(layer[source] + 1, layer[target]):
            chain.append(len(layer))
            members[between].append(len(layer))
            layer.append(between)
        chains.append([*chain, target])
    before: list[list[int]] = [[] for _ in layer]
    after: list[list[int]] = [[] for _ in layer]
    for chain in chains:
        for a, b in pairwise(chain):
            after[a].append(b)
            before[b].append(a)
    best = _order(members, before, after)
    row = _rows(best, before, after, count)
    top = min(row, default=0.0)
    row = [r - top for r in row]
    return Layout(
        places=tuple((float(layer[i]), row[i]) for i in range(count)),
        routes=tuple(tuple((float(layer[i]), row[i]) for i in chain[1:-1]) for chain in chains),
        layers=len(members),
        rows=max(row, default=0.0) + 1.0,
    )


def _layers(count: int, edges: Sequence[Edge]) -> list[int]:
    """The longest path to each node; sources move right, to just before whoever uses them."""
    layer = [0] * count
    for source, target in sorted(edges, key=lambda e: e[1]):
        layer[target] = max(layer[target], layer[source] + 1)
    targets = {target for _, target in edges}
    for node in range(count):
        users = [layer[target] for source, target in edges if source == node]
        if node not in targets and users:
            layer[node] = min(users) - 1
    return layer


def _order(
    members: list[list[int]], before: list[list[int]], after: list[list[int]]
) -> list[list[int]]:
    """Sort every layer by the mean place of its neighbours, to and fro; keep the least tangled."""
    best, least = [list(m) for m in members], _crossings(members, after)
    for sweep in range(_ORDER_SWEEPS):
        forward = sweep % 2 == 0
        sequence = range(1, len(members)) if forward else range(len(members) - 2, -1, -1)
        for i in sequence:
            neighbours = before if forward else after
            place = {n: k for k, n in enumerate(members[i - 1 if forward else i + 1])}

            def mean(
                node: int,
                near: list[list[int]] = neighbours,
                place: dict[int, int] = place,
                own: list[int] = members[i],
            ) -> float:
                found = [place[n] for n in near[node]]
                return sum(found) / len(found) if found else float(own.index(node))

            members[i] = sorted(members[i], key=mean)
        tangled = _crossings(members, after)
        if tangled < least:
            best, least = [list(m) for m in members], tangled
    return best


def _crossings(members: list[list[int]], after: list[list[int]]) -> int:
    total = 0
    for left, right in pairwise(members):
        place = {n: k for k, n in enumerate(right)}
        ends = [place[t] for s in left for t in sorted(after[s], key=place.__getitem__)]
        total += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return total


def _rows(
    members: list[list[int]], before: list[list[int]], after: list[list[int]], count: int
) -> list[float]:
    """A row for each node: drawn towards its neighbours, kept apart from the next in its layer."""
    row = [0.0] * len(before)
    for layer in members:
        for k, node in enumerate(layer):
            row[node] = k - (len(layer) - 1) / 2

    def gap(a: int, b: int) -> float:
        return 1.0 if a < count and b < count else _DUMMY_GAP

    for _ in range(_PLACE_SWEEPS):
        for layer in members:
            wanted = []
            for node in layer:
                near = before[node] + after[node]
                wanted.append(sum(row[n] for n in near) / len(near) if near else row[node])
            for node, r in zip(layer, _apart(layer, wanted, gap), strict=True):
                row[node] = r
    return row


def _apart(layer: list[int], wanted: list[float], gap: Callable[[int, int], float]) -> list[float]:
    """The places nearest to those wanted, in least squares, that keep order and gaps.

    Pool adjacent violators: nodes that want to overlap are set side by side around their mean.
    """
    offsets = [0.0]
    for a, b in pairwise(layer):
        offsets.append(offsets[-1] + gap(a, b))
    pools: list[tuple[float, int]] = []  # (mean of wanted − offset, how many)
    for want, offset in zip(wanted, offsets, strict=True):
        mean, size = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, many = pools.pop()
            mean = (mean * size + other * many) / (size + many)
            size += many
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
