"""Data for small networks: points drawn from a seed, measured sets, and what a reader pastes.

All of them become a `Table`; `split` makes of it what is learned and what is held back, and
`Batches` says which examples each step takes. The measured sets are those that scikit-learn brings
along: MNIST would have to be fetched, and the laboratory works offline, so digits are of 8 × 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.problems.counted import order

Array = npt.NDArray[Any]
Points = tuple[Array, Array]  # coordinates (n, 2) and class labels (n,), 0.0 or 1.0


def two_moons(n: int = 256, noise: float = 0.1, seed: int = 0) -> Points:
    """Two half circles of radius one, each other's mouth at the other's end.

    noise is the standard deviation of the Gaussian added to each coordinate.
    """
    rng = np.random.default_rng(seed)
    upper = n // 2
    angle = np.pi * np.concatenate([rng.random(upper), rng.random(n - upper)])
    label = np.repeat([0.0, 1.0], [upper, n - upper])
    x = np.where(label == 0, np.cos(angle), 1.0 - np.cos(angle))
    y = np.where(label == 0, np.sin(angle), 0.5 - np.sin(angle))
    return _shuffled(np.stack([x, y], axis=-1), label, noise, rng)


def circles(n: int = 256, noise: float = 0.1, seed: int = 0) -> Points:
    """A circle of radius one around a circle of radius one half."""
    rng = np.random.default_rng(seed)
    outer = n // 2
    angle = 2.0 * np.pi * rng.random(n)
    label = np.repeat([0.0, 1.0], [outer, n - outer])
    radius = np.where(label == 0, 1.0, 0.5)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return _shuffled(points, label, noise, rng)


def spirals(n: int = 256, noise: float = 0.1, seed: int = 0) -> Points:
    """Two arms that wind around each other one and a quarter times."""
    rng = np.random.default_rng(seed)
    first = n // 2
    along = np.sqrt(rng.random(n))  # evenly spread along the arm
    label = np.repeat([0.0, 1.0], [first, n - first])
    angle = 2.5 * np.pi * along + np.pi * label
    points = 1.5 * along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return _shuffled(points, label, noise, rng)


def blobs(n: int = 256, noise: float = 0.1, seed: int = 0) -> Points:
    """Two clouds round (−1, −½) and (1, ½); their spread is ½ and the noise beside it."""
    rng = np.random.default_rng(seed)
    first = n // 2
    label = np.repeat([0.0, 1.0], [first, n - first])
    middle = np.where(label == 0, -1.0, 1.0)[:, None] * np.array([1.0, 0.5])
    return _shuffled(middle + 0.5 * rng.standard_normal((n, 2)), label, noise, rng)


def xor(n: int = 256, noise: float = 0.1, seed: int = 0) -> Points:
    """Four squares of a board: the class says whether the signs of x and y differ."""
    rng = np.random.default_rng(seed)
    first = n // 2
    label = np.repeat([0.0, 1.0], [first, n - first])
    points = rng.uniform(0.15, 1.5, (n, 2))
    side = rng.choice([-1.0, 1.0], n)
    points *= np.stack([side, np.where(label == 0, side, -side)], axis=-1)
    return _shuffled(points, label, noise, rng)


def _shuffled(points: Array, label: Array, noise: float, rng: np.random.Generator) -> Points:
    points = points + noise * rng.standard_normal(points.shape)
    order = rng.permutation(len(points))
    return points[order], label[order]


DATASETS: Mapping[str, Callable[..., Points]] = MappingProxyType(
    {
        "two_moons": two_moons,
        "circles": circles,
        "spirals": spirals,
        "blobs": blobs,
        "xor": xor,
    }
)


# Sets that somebody measured ----------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """Examples (n, features) with labels (n,) of 0 … classes − 1, and what these are called."""

    x: Array
    y: npt.NDArray[np.intp]
    classes: tuple[str, ...]


def _measured(name: str) -> Table:
    from sklearn import datasets  # takes a second to import, so only where it is asked for

    found = getattr(datasets, f"load_{name}")()
    return Table(
        np.asarray(found.data, float),
        np.asarray(found.target, np.intp),
        tuple(str(label) for label in found.target_names),
    )


MEASURED: Mapping[str, str] = MappingProxyType(
    {
        "iris": "150 irises of three kinds by the lengths of their petals and sepals (Fisher 1936)",
        "breast_cancer": "569 tumours by 30 measures of their cells (Wolberg, Street et al. 1993)",
        "digits": "1797 handwritten digits of 8 × 8 pixels (Alpaydin & Kaynak 1998)",
    }
)


@lru_cache(maxsize=len(MEASURED))
def measured(name: str) -> Table:
    """A set that comes with scikit-learn; ValueError for an unknown name."""
    if name not in MEASURED:
        raise ValueError(f"there is no data set {name!r}; there are {', '.join(MEASURED)}")
    return _measured(name)


# What a reader brings along -----------------------------------------------------------------------

# The most of a table.
CSV_CHARACTERS = 60_000
CSV_ROWS = 2_000
CSV_CLASSES = 10
CSV_LABEL = 40  # characters of a label


def read_csv(text: str) -> Table:
    """Rows of two numbers and a label, separated by commas, semicolons or tabs.

    A first row of names is left out. ValueError says which row is wrong, or which limit is passed:
    CSV_CHARACTERS, CSV_ROWS, 2 to CSV_CLASSES labels. Nothing but numbers and labels is kept.
    """
    if len(text) > CSV_CHARACTERS:
        raise ValueError(f"{len(text)} characters, where {CSV_CHARACTERS} fit")
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    if not lines:
        raise ValueError("there is nothing in it")
    separator = next((s for s in (";", "\t") if s in lines[0]), ",")
    points: list[tuple[float, float]] = []
    labels: list[str] = []
    for place, line in enumerate(lines):
        cells = [cell.strip().strip('"').strip() for cell in line.split(separator)]
        if len(cells) != 3:
            raise ValueError(f"row {place + 1} has {len(cells)} cells, where two numbers and a "
                             "label belong")  # fmt: skip
        numbers = [_finite(cell) for cell in cells[:2]]
        if None in numbers:
            if place == 0:  # the names of the columns
                continue
            wrong = cells[numbers.index(None)][:CSV_LABEL]
            raise ValueError(f"row {place + 1}: {wrong!r} is not a number")
        if not cells[2] or len(cells[2]) > CSV_LABEL:
            raise ValueError(f"row {place + 1}: a label has 1 to {CSV_LABEL} characters")
        if len(points) == CSV_ROWS:
            raise ValueError(f"more than {CSV_ROWS} rows")
        points.append((float(numbers[0] or 0.0), float(numbers[1] or 0.0)))
        labels.append(cells[2])
    classes = tuple(sorted(set(labels)))
    if not 2 <= len(classes) <= CSV_CLASSES:
        raise ValueError(f"{len(classes)} different labels, where 2 to {CSV_CLASSES} can be told "
                         "apart")  # fmt: skip
    if len(points) < 2 * len(classes):
        raise ValueError(f"{len(points)} rows are too few for {len(classes)} classes")
    place_of = {label: i for i, label in enumerate(classes)}
    return Table(np.array(points), np.array([place_of[label] for label in labels]), classes)


def _finite(text: str) -> float | None:
    """The number that text says, up to ±1e6; None for anything else."""
    if not 0 < len(text) <= 32 or not text.isascii() or "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= 1e6 else None


_ROWS = "~"  # what stands between rows where a table is one line


def compact(source: Table) -> str:
    """A table of two features as one line, numbers to four digits; "" where a label could not be
    told from what stands between labels. `read_csv(expanded(…))` reads it."""
    if any(set(label) & set(',;\t\n"' + _ROWS) for label in source.classes):
        return ""
    return _ROWS.join(
        f"{x:.4g},{y:.4g},{source.classes[label]}"
        for (x, y), label in zip(source.x, source.y, strict=True)
    )


def expanded(text: str) -> str:
    """The rows of a table that `compact` wrote, a line each."""
    return text.replace(_ROWS, "\n")


# From a table to what a network learns ------------------------------------------------------------


@dataclass(frozen=True)
class Split:
    """What is learned and what is held back, inputs (n, features) and labels (n,).

    `centre` and `scale` (features,) are what standardisation took away: x = scale · input + centre.
    """

    x: Array
    y: npt.NDArray[np.intp]
    test_x: Array
    test_y: npt.NDArray[np.intp]
    classes: tuple[str, ...]
    centre: Array
    scale: Array

    @property
    def features(self) -> int:
        return int(self.x.shape[1])

    @property
    def outputs(self) -> int:
        """How many numbers a network gives: one logit for two classes, else one a class."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    def targets(self, labels: npt.NDArray[np.intp], dtype: npt.DTypeLike = float) -> Array:
        """What the outputs should say, (n, outputs): 0 or 1, or a 1 at the class."""
        if self.outputs == 1:
            return np.asarray(labels[:, None], dtype)
        return np.eye(len(self.classes), dtype=dtype)[labels]


def table(name: str, n: int = 256, noise: float = 0.1, seed: int = 0) -> Table:
    """A drawn set of that size, or a measured one, noise added where it is standardised."""
    if name in MEASURED:
        return measured(name)
    if name not in DATASETS:
        known = ", ".join([*DATASETS, *MEASURED])
        raise ValueError(f"there is no data set {name!r}; there are {known}")
    x, y = DATASETS[name](n, noise, seed)
    return Table(x, y.astype(np.intp), ("0", "1"))


def split(
    source: Table,
    *,
    test: float = 0.5,
    seed: int = 0,
    imbalance: float = 1.0,
    noise: float = 0.0,
    standardise: bool = True,
) -> Split:
    """The table in two parts, each class in its share, in an order drawn from the seed.

    imbalance is what is kept of every class but the first, in (0, 1]; noise is the deviation of
    what is added to each standardised feature. Centre and scale are those of the training part.
    Raises ValueError where a share lies outside, or too few examples are left.
    """
    if not 0.0 <= test < 1.0:
        raise ValueError(f"the share held back lies in [0, 1), got {test!r}")
    if not 0.0 < imbalance <= 1.0:
        raise ValueError(f"the share kept of a class lies in (0, 1], got {imbalance!r}")
    learned, held = [], []
    for label in range(len(source.classes)):
        members = np.flatnonzero(source.y == label)
        members = members[order(seed, label, len(members))]
        if label:
            members = members[: max(2, round(imbalance * len(members)))]
        back = min(round(test * len(members)), len(members) - 1)
        if back < 0:
            raise ValueError(f"there is no example of class {source.classes[label]!r}")
        held.append(members[:back])
        learned.append(members[back:])
    parts = [np.concatenate(part) for part in (learned, held)]
    first, second = (p[order(seed, 1000 + k, len(p))] for k, p in enumerate(parts))
    x = source.x[first]
    still = np.zeros(x.shape[1]), np.ones(x.shape[1])
    centre, scale = (x.mean(0), x.std(0)) if standardise else still
    scale = np.where(scale > 0, scale, 1.0)
    rng = np.random.default_rng(seed)

    def given(rows: Array) -> Array:
        found = (rows - centre) / scale
        return found + noise * rng.standard_normal(found.shape) if noise else found

    return Split(
        given(x), source.y[first], given(source.x[second]), source.y[second], source.classes,
        centre, scale,
    )  # fmt: skip


def with_points(data: Split, points: Array) -> Split:
    """The split with points (n, 3) of the plane (x, y and a class) to learn beside the others."""
    labels = np.clip(points[:, 2].round(), 0, len(data.classes) - 1).astype(np.intp)
    inside = (points[:, :2] - data.centre) / data.scale
    return replace(data, x=np.concatenate([data.x, inside]), y=np.concatenate([data.y, labels]))


@dataclass(frozen=True)
class Batches:
    """Which examples each step learns: all of them once an epoch, in an order of the epoch's own.

    Step k takes the places k·size … (k + 1)·size − 1 of the epochs laid end to end, so every batch
    has one size. Where they are not shuffled, every epoch runs through the examples as they stand.
    """

    examples: int
    size: int
    seed: int = 0
    shuffle: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.size <= self.examples:
            raise ValueError(f"a batch has 1 to {self.examples} examples, got {self.size}")

    def take(self, k: int) -> npt.NDArray[np.intp]:
        """The places of the examples of step k, (size,)."""
        first, last = k * self.size, (k + 1) * self.size
        epochs = range(first // self.examples, (last - 1) // self.examples + 1)
        places = np.concatenate([self.epoch(e) for e in epochs])
        offset = epochs[0] * self.examples
        return places[first - offset : last - offset]

    def epoch(self, number: int) -> npt.NDArray[np.intp]:
        """The order of one epoch, (examples,)."""
        if not self.shuffle or self.size == self.examples:
            return np.arange(self.examples)
        return _epoch(self.examples, self.seed, number)


@lru_cache(maxsize=64)
def _epoch(examples: int, seed: int, number: int) -> npt.NDArray[np.intp]:
    return order(seed, 2000 + number, examples)
