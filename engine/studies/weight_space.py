"""Paths of a training through weight space: on a plane, with the loss on it, and how sharp it is.

The plane of principal components is the one that most of a path lies in; a random plane through
its end with directions as long, neuron by neuron, as the weights there is the alternative (Li, Xu,
Taylor, Studer & Goldstein, "Visualizing the loss landscape of neural nets", 2018). A random walk
has a plane too that holds most of it (Antognini & Sohl-Dickstein, "PCA of high dimensional random
walks with comparison to neural network training", 2018): its expected shares stand beside.
Sharpness is measured along the path and held against the largest that the rule bears, 2/η for
gradient descent (Cohen, Kaur, Li, Kolter & Talwalkar, "Gradient descent on neural networks
typically occurs at the edge of stability", 2021). A rule that divides by √v bears as much in the
metric that it divides by: Adam (2 + 2β₁)/((1 − β₁)η), 38/η at β₁ = 0.9 (Cohen et al., "Adaptive
gradient methods at the edge of stability", 2022). All training is on the full batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import pairwise
from math import prod
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from engine.emit.tensor import compiled
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.problems.data import split, table
from engine.problems.networks import MLP
from engine.runs.sharpness import Line, hessian_product, lanczos
from engine.runs.training import Trainer, one_group
from engine.studies.stability import live_bound
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

TASKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "curve": "a curve of four bends",
        "moons_squared": "two moons by squared error",
        "moons": "two moons by cross-entropy",
    }
)
RULES: Final = tuple(slug for slug, rule in OPTIMIZERS.items() if rule.on_tensors)
REST: Final = 0.01  # rate of the rule that takes what one for matrices leaves
# Rules that divide by √v, and the hyper-parameter of v's bias correction, "" for none.
ADAPTIVE: Final[Mapping[str, str]] = MappingProxyType(
    {"rmsprop": "", "adam": "beta2", "adamw": "beta2"}
)
RECORDS: Final = 100  # stretches between the places where a path is measured
SIDE: Final = 31  # points along each side of the plane's grid
FIRST: Final = 16  # products for the first measure of sharpness,
NEXT: Final = 6  # and for those that begin at the direction of the one before
STIRRED: Final = 0.05  # of the first direction that goes into the next: another may have overtaken
COMPONENTS: Final = 30  # products for the two principal components
LOST: Final = 1e3  # a loss from which a run is over
PAD: Final = 0.2  # of the path's extent that the plane shows beyond it
LEAST: Final = 0.3  # of its longer side that the shorter one has

Plane = Literal["pca", "random"]


@dataclass(frozen=True)
class Task:
    """A small network and all that it learns."""

    slug: str
    network: MLP
    x: Array
    targets: Array
    start: Array  # its weights at the start, (size,)

    @property
    def form(self) -> Line:
        pairs = pairwise(self.network.sizes)
        return Line(tuple(shape for a, b in pairs for shape in ((a, b), (b,))))

    def loss(self, tensors: Any, x: Any, targets: Any) -> Any:
        """Half the mean squared error or, where the task says so, cross-entropy."""
        outputs = self.network(tensors, x)
        if self.slug == "moons":
            return ops.mean(ops.logit_cross_entropy(outputs, targets))
        apart = outputs - targets
        return 0.5 * ops.mean(apart * apart)

    def at(self, line: Any, x: Any, targets: Any) -> Any:
        """The loss where a line (size,) of weights says."""
        return self.loss(self.form.cut(line), x, targets)

    def product(self, line: Any, along: Any, x: Any, targets: Any) -> Any:
        """Its Hessian there times a direction."""
        return hessian_product(self.loss, self.form, line, along, x, targets)

    @property
    def filters(self) -> npt.NDArray[np.int32]:
        """For each weight the unit that it leads into; -1 for a bias."""
        found = np.full(len(self.start), -1, np.int32)
        units = at = 0
        for shape in self.form.shapes:
            size = prod(shape)
            if len(shape) == 2:
                found[at : at + size] = np.tile(np.arange(shape[1]) + units, shape[0])
                units += shape[1]
            at += size
        return found

    @cached_property
    def value(self) -> Callable[[Array], float]:
        """The loss at a line of weights."""
        run = compiled(self.at)
        return lambda line: float(run(line, self.x, self.targets))

    @cached_property
    def curved(self) -> Callable[[Array, Array], Array]:
        """Hessian times direction at a line of weights."""
        run = compiled(self.product)
        return lambda line, along: np.asarray(run(line, along, self.x, self.targets))


@lru_cache(maxsize=16)
def task(slug: str, width: int, depth: int, activation: str, seed: int) -> Task:
    """A task of TASKS for hidden layers of that width; seed is of its weights and its data.

    The curve is T₄, the fourth Chebyshev polynomial, at twenty points. KeyError for another name.
    """
    if slug == "curve":
        x = np.linspace(-1.0, 1.0, 20).reshape(-1, 1)
        targets = 8.0 * x**4 - 8.0 * x**2 + 1.0
    elif slug in TASKS:
        data = split(table("two_moons", 60, 0.15, seed), seed=seed)
        x, targets = data.x, data.targets(data.y)
        if slug == "moons_squared":
            targets = 2.0 * targets - 1.0
    else:
        raise KeyError(slug)
    network = MLP((x.shape[1], *[width] * depth, 1), activation)
    tensors = network.initial(seed, np.float64, "xavier")
    return Task(slug, network, x, targets, np.concatenate([part.ravel() for part in tensors]))


def drawn(size: int, seed: int, directions: int = 1) -> Array:
    """Directions (directions, size) of standard normals."""
    return np.random.default_rng(seed).standard_normal((directions, size))


def recorded_steps(steps: int) -> npt.NDArray[np.intp]:
    """After which steps a path is measured, (RECORDS + 1,)."""
    return np.asarray(np.floor(np.arange(RECORDS + 1) * (steps / RECORDS) + 0.5), np.intp)


# Paths ------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Path:
    """A training as it was measured: weights (n, size), loss and sharpness (n,).

    Where it was lost n ends before RECORDS + 1; `sharpness` is the largest eigenvalue of the
    Hessian, `effective` that in the metric of the rule, the same where it has none.
    """

    weights: Array
    loss: Array
    sharpness: Array
    effective: Array


def divides(optimizer: Optimizer, options: Mapping[str, str | bool] | None = None) -> bool:
    """Whether the rule divides by √v as ADAPTIVE says, which it does under its default options."""
    usual = optimizer.option_values(options) == optimizer.option_values()
    return optimizer.slug in ADAPTIVE and usual


def borne(
    optimizer: Optimizer, hypers: Mapping[str, Any], options: Mapping[str, str | bool] | None = None
) -> Any:
    """The largest effective sharpness at which the rule is stable, None where that is not known.

    hypers may be traced. A decay of the weights is left out of account.
    """
    if not divides(optimizer, options):
        return live_bound(optimizer, hypers, options)
    beta1 = hypers.get("beta1", 0.0)
    return (2.0 + 2.0 * beta1) / ((1.0 - beta1) * hypers["lr"])


def _metric(trainer: Trainer) -> Array | None:
    """One over the root of what the rule divides by now, (size,); None where it divides by
    nothing."""
    group = trainer.groups[0]
    if not divides(group.optimizer, group.options):
        return None
    (v,) = trainer.states[0]["v"]
    if trainer.t == 0:
        return np.ones(v.shape)
    beta = ADAPTIVE[group.optimizer.slug]
    kept = 1.0 - group.hypers[beta] ** trainer.t if beta else 1.0
    return np.array(1.0 / np.sqrt(np.sqrt(v / kept) + group.hypers["eps"]))


def _measured_by(metric: Array, times: Callable[[Array], Array], v: Array) -> Array:
    return metric * times(metric * v)


class _Sharpest:
    """The largest eigenvalue of one matrix after another, each search from where the last ended."""

    def __init__(self, size: int) -> None:
        self.probe = self.direction = drawn(size, 0)[0]
        self.most = FIRST

    def __call__(self, product: Callable[[Array], Array]) -> float:
        values, vectors = lanczos(product, self.direction, self.most)
        stirred = STIRRED * self.probe / np.sqrt(self.probe @ self.probe)
        self.direction, self.most = vectors[:, -1] + stirred, NEXT
        return float(values[-1])


def trainer_of(
    found: Task,
    optimizer: Optimizer | str,
    hypers: Mapping[str, float] | None = None,
    options: Mapping[str, str | bool] | None = None,
) -> Trainer:
    """The rule at the task's start; what a rule for matrices leaves goes to its fallback at the
    rate REST. ValueError for a rule of the plane alone."""
    rule = OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer
    tensors = found.form.cut(found.start)
    rest = {"lr": REST} if rule.fallback else None
    return Trainer(tensors, one_group(rule, tensors, hypers, options, rest))


def follow(
    found: Task,
    optimizer: Optimizer | str,
    hypers: Mapping[str, float] | None = None,
    options: Mapping[str, str | bool] | None = None,
    *,
    steps: int,
) -> Path:
    """Train on all examples at once and measure as it goes."""
    trainer = trainer_of(found, optimizer, hypers, options)
    plain, scaled = _Sharpest(len(found.start)), _Sharpest(len(found.start))
    weights: list[Array] = []
    measured: list[tuple[float, float, float]] = []
    for k in recorded_steps(steps):
        while trainer.t < k:
            if not abs(trainer.step(found.loss, 1.0, found.x, found.targets)) < LOST:
                break
        line = np.concatenate([part.ravel() for part in trainer.tensors])
        value = found.value(line)
        if trainer.t < k or not abs(value) < LOST:
            break
        times = partial(found.curved, line)
        sharpness = effective = plain(times)
        metric = _metric(trainer)
        if metric is not None:
            effective = scaled(partial(_measured_by, metric, times))
        weights.append(line)
        measured.append((value, sharpness, effective))
    return Path(np.array(weights), *np.array(measured).T)


Stand = Literal["lost", "below", "at", "off"]


def stand(path: Path, bound: float) -> Stand:
    """Where a path stands to its edge at its end: lost, never come to it, at it (over the last
    tenth of its records within a sixth on average), or off it again."""
    if len(path.loss) <= RECORDS:
        return "lost"
    if float(path.effective.max()) < bound:
        return "below"
    end = float(np.mean(path.effective[-RECORDS // 10 :]))
    return "at" if abs(end / bound - 1.0) < 1 / 6 else "off"


# Planes -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Seen:
    """Paths on a plane through the end of the first.

    x and y (n,) are each path's coordinates along the two directions; share the parts of the
    paths' variance that lie along the first and, at a right angle to it, along the second.
    across (SIDE,), up (SIDE,) and loss (SIDE, SIDE) are the grid and the loss on the plane, below
    it the loss there where the first path's start falls.
    """

    x: tuple[Array, ...]
    y: tuple[Array, ...]
    share: tuple[float, float]
    across: Array
    up: Array
    loss: Array
    below: float


def principal_directions(weights: Array) -> Array:
    """The two directions (2, size) along which points (n, size) vary most, of length one.

    The first points from where the points begin to where they end, the second to their middle one.
    """
    centred = weights - weights.mean(axis=0)
    _, vectors = lanczos(
        lambda v: centred.T @ (centred @ v), drawn(centred.shape[1], 0)[0], COMPONENTS
    )
    first = vectors[:, -1]
    if vectors.shape[1] > 1:
        second = vectors[:, -2]
    else:  # a single point: any direction is as good
        second = drawn(len(first), 0)[0][::-1]
        second = second - (first @ second) * first
        second = second / np.sqrt(second @ second)
    along = first @ (weights[-1] - weights[0])
    beside = second @ centred[len(weights) // 2]
    return np.stack([first if along >= 0 else -first, second if beside >= 0 else -second])


def filter_normalised(directions: Array, line: Array, filters: npt.NDArray[np.int32]) -> Array:
    """Directions (k, size), those weights that lead into one unit made as long as they are in the
    line, and no bias moved."""
    found = np.zeros_like(directions)
    for unit in range(int(filters.max()) + 1):
        own = filters == unit
        length = np.sqrt(np.sum(directions[:, own] ** 2, axis=1, keepdims=True))
        found[:, own] = directions[:, own] / length * np.sqrt(np.sum(line[own] ** 2))
    return found


def seen(found: Task, paths: Sequence[Path], plane: Plane = "pca", draw: int = 0) -> Seen:
    """Paths and loss on a plane; draw is the seed of a random one."""
    origin = paths[0].weights[-1]
    together = np.concatenate([path.weights for path in paths])
    if plane == "pca":
        axes = principal_directions(together)
    else:
        axes = filter_normalised(drawn(len(origin), draw, 2), origin, found.filters)
    # Coordinates are those of the nearest point of the plane.
    a, b, c = axes[0] @ axes[0], axes[0] @ axes[1], axes[1] @ axes[1]
    dual = np.stack([c * axes[0] - b * axes[1], a * axes[1] - b * axes[0]]) / (a * c - b * b)
    x, y = ([(path.weights - origin) @ side for path in paths] for side in dual)
    centred = together - together.mean(axis=0)
    total = max(float(np.sum(centred * centred)), 1e-300)
    beside = axes[1] - (b / a) * axes[0]
    share = tuple(float(np.sum((centred @ v) ** 2) / (v @ v)) / total for v in (axes[0], beside))
    across, up = _extent(np.concatenate(x), np.concatenate(y), plane)

    def at(u: float, v: float) -> float:
        with np.errstate(all="ignore"):
            return found.value(origin + u * axes[0] + v * axes[1])

    loss = np.array([[at(u, v) for u in across] for v in up])
    return Seen(
        tuple(x), tuple(y), (share[0], share[1]), across, up, loss,
        at(float(x[0][0]), float(y[0][0])),
    )  # fmt: skip


def _extent(x: Array, y: Array, plane: Plane) -> tuple[Array, Array]:
    """The grid's coordinates: round the paths or, at random, one length of the weights around."""
    if plane == "random":
        reach = max(1.0, (1.0 + PAD) * float(np.max(np.abs(np.concatenate([x, y])))))
        line = np.linspace(-reach, reach, SIDE)
        return line, line
    spans = [max(float(np.ptp(v)), 1e-9) for v in (x, y)]
    found = []
    for v, span in zip((x, y), spans, strict=True):
        half = 0.5 * max(span, LEAST * max(spans)) * (1.0 + 2.0 * PAD)
        middle = 0.5 * (float(v.min()) + float(v.max()))
        found.append(np.linspace(middle - half, middle + half, SIDE))
    return found[0], found[1]


# Random walks -------------------------------------------------------------------------------------


def walk_shares(points: int, components: int = 2) -> Array:
    """The shares of variance of the first principal components of a random walk of so many
    points, in expectation as its dimension grows.

    Centred, its points are the steps summed, so that their products are the inverse of the path
    graph's Laplacian, with eigenvalues 1/(4 sin²(πk/2n)), in all (n² − 1)/6: the shares go as
    1/k², 61 % and 15 % for a long walk, and the components are the cosines of a Lissajous curve.
    """
    k = np.arange(1, components + 1)
    parts = 1.0 / (4.0 * np.sin(np.pi * k / (2 * points)) ** 2)
    return np.asarray(parts * 6.0 / (points**2 - 1))


def random_walk(points: int, size: int, seed: int = 0) -> tuple[Array, Array, Array]:
    """A walk of independent normal steps on its own two principal directions: x and y (points,),
    and the shares (2,) that they hold of its variance."""
    steps = np.random.default_rng(seed).standard_normal((points, size))
    walk = np.cumsum(steps, axis=0)
    centred = walk - walk.mean(axis=0)
    x, y = principal_directions(walk) @ centred.T
    total = float(np.sum(centred * centred))
    return x, y, np.array([x @ x, y @ y]) / total
