"""What Muon does to a matrix: its five Newton–Schulz steps, problems where they win and lose.

On singular values the steps are one polynomial, p(σ) = aσ + bσ³ + cσ⁵, applied again and again,
which works on numbers, arrays and traced values. The problems are small matrices on which every
rule is given the same steps, the same falling schedule and the best of the same rates. Sources:
Jordan et al., "Muon" (2024); Wang et al., "Muon outperforms Adam in tail-end associative memory
learning" (2025) for the memory with Zipf's frequencies, here with squared errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import floor
from engine.emit.tensor import compiled
from engine.optimizers import OPTIMIZERS, newton_schulz
from engine.optimizers.curvature import NEWTON_SCHULZ, NEWTON_SCHULZ_STEPS
from engine.problems import counted
from engine.problems.data import Split
from engine.problems.networks import MLP
from engine.runs.objectives import Objective
from engine.runs.training import Group, Trainer, hybrid, one_group
from engine.tape import Vector, autograd
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]
Coefficients = tuple[Any, Any, Any]

# The polynomial -----------------------------------------------------------------------------------


def polynomial(x: Any, coefficients: Coefficients = NEWTON_SCHULZ) -> Any:
    """Where one Newton–Schulz step sends a singular value x: a x + b x³ + c x⁵."""
    a, b, c = coefficients
    square = x * x
    return (a + (b + c * square) * square) * x


def stages(
    x: Any, coefficients: Coefficients = NEWTON_SCHULZ, steps: int = NEWTON_SCHULZ_STEPS
) -> list[Any]:
    """x and where it is after each step."""
    found = [x]
    for _ in range(steps):
        found.append(polynomial(found[-1], coefficients))
    return found


def lasting(coefficients: Coefficients = NEWTON_SCHULZ) -> tuple[Any, Any]:
    """(low, high): an interval that the polynomial maps into itself; NaN where it has none such.

    low is p's local minimum, high where p sends that; between them p rises nowhere above high.
    """
    a, b, c = coefficients
    # p′ = a + 3b x² + 5c x⁴ vanishes at the minimum; its larger root in x².
    within = 9.0 * b * b - 20.0 * a * c
    root = ops.sqrt(ops.maximum(within, 0.0))
    below = ops.where(ops.greater(c, 0.0), 10.0 * c, 1.0)
    square = (root - 3.0 * b) / below
    low = polynomial(ops.sqrt(ops.maximum(square, 0.0)), coefficients)
    high = polynomial(low, coefficients)
    exists = (
        ops.where(ops.greater(within, 0.0), 1.0, 0.0)
        * ops.where(ops.greater(c, 0.0), 1.0, 0.0)
        * ops.where(ops.greater(low, 0.0), 1.0, 0.0)
        * ops.where(ops.less(low, high), 1.0, 0.0)
    )
    there = ops.greater(exists, 0.5)
    return ops.where(there, low, math.nan), ops.where(there, high, math.nan)


# Problems -----------------------------------------------------------------------------------------

SIDE = 16  # rows and columns
RANK = 8  # of the matrix that is factorised


@dataclass(frozen=True)
class MatrixProblem:
    """Matrices to be learned: where they start, the loss that a step sees, the error that counts.

    loss(tensors, noise) is written with operations; noise (steps, …) differs from step to step.
    error and left are of NumPy's arrays: left (directions,) is what is still missing of each, 1 at
    the start or as a share of it. names says what the directions are.
    """

    name: str
    start: tuple[Array, ...]
    steps: int
    loss: Callable[..., Any]
    error: Callable[[Sequence[Array]], float]
    left: Callable[[Sequence[Array]], Array]
    directions: str
    noise: Array | None = None

    def batch(self, k: int) -> tuple[Array, ...]:
        """What step k is handed beside the tensors."""
        return () if self.noise is None else (self.noise[k],)


def _normal(seed: int, stream: int, *shape: int) -> Array:
    """Standard normals by Box and Muller, from numbers that are counted."""
    size = math.prod(shape)
    u = counted.uniform(seed, 2 * stream, size)
    angle = 2.0 * np.pi * counted.uniform(seed, 2 * stream + 1, size)
    return (np.sqrt(-2.0 * np.log1p(-u)) * np.cos(angle)).reshape(shape)


def _rotation(seed: int, stream: int, n: int = SIDE) -> Array:
    q, r = np.linalg.qr(_normal(seed, stream, n, n))
    return np.asarray(q * np.sign(np.diagonal(r)))


def memory(exponent: float = 2.0, seed: int = 0) -> MatrixProblem:
    """Facts in one matrix: key k should give value k, asked as often as Zipf says, ∝ k^−exponent.

    Keys and values are orthonormal and lie across the axes. The loss ½ Σ p_k ‖W e_k − u_k‖² has
    the p_k as its curvatures, so its condition number is 16^exponent.
    """
    keys, values = _rotation(seed, 1), _rotation(seed, 2)
    p = np.arange(1.0, SIDE + 1.0) ** -exponent
    p /= p.sum()

    def away(tensors: Any) -> Any:
        return ops.matmul(keys, tensors[0]) - values

    def loss(tensors: Any) -> Any:
        e = away(tensors)
        return 0.5 * ops.sum(p[:, None] * (e * e))

    def left(tensors: Sequence[Array]) -> Array:
        return np.asarray(np.sqrt(np.sum(away(tensors) ** 2, axis=1)))

    return MatrixProblem(
        "memory", (np.zeros((SIDE, SIDE)),), 60, loss, lambda w: float(loss(w)), left,
        "item, from the most to the least asked for",
    )  # fmt: skip


def factorisation(condition: float = 100.0, seed: int = 0) -> MatrixProblem:
    """M = AB of rank 8 from small random factors (16 × 8 and 8 × 16), ½‖AB − M‖², its singular
    values from 1 down to 1/condition."""
    u, v = _rotation(seed, 3)[:, :RANK], _rotation(seed, 4)[:, :RANK]
    sizes = np.geomspace(1.0, 1.0 / condition, RANK)
    target = (u * sizes) @ v.T
    start = 0.02 * _normal(seed, 5, SIDE, RANK), 0.02 * _normal(seed, 6, RANK, SIDE)

    def loss(tensors: Any) -> Any:
        e = ops.matmul(tensors[0], tensors[1]) - target
        return 0.5 * ops.sum(e * e)

    def left(tensors: Sequence[Array]) -> Array:
        along = np.einsum("ik,ij,jk->k", u, tensors[0] @ tensors[1] - target, v)
        return np.asarray(np.abs(along) / sizes)

    return MatrixProblem(
        "factorisation", start, 40, loss, lambda w: float(loss(w)), left,
        "direction of M, from the largest singular value",
    )  # fmt: skip


def one_direction(noise: float = 0.3, seed: int = 0) -> MatrixProblem:
    """½‖W − C‖² with C of rank one, under noise in every direction of every gradient: the signal is
    in one, and to make all directions alike is to listen to the noise."""
    a, b = _rotation(seed, 7), _rotation(seed, 8)
    target = 2.0 * np.outer(a[:, 0], b[:, 0])
    steps = 100
    added = noise / math.sqrt(SIDE) * _normal(seed, 9, steps, SIDE, SIDE)

    def loss(tensors: Any, extra: Any) -> Any:
        e = tensors[0] - target
        return 0.5 * ops.sum(e * e) + ops.sum(tensors[0] * extra)

    def error(tensors: Sequence[Array]) -> float:
        return float(0.5 * np.sum((tensors[0] - target) ** 2))

    def left(tensors: Sequence[Array]) -> Array:
        return np.asarray(np.abs(np.diagonal(a.T @ (tensors[0] - target) @ b)) / 2.0)

    return MatrixProblem(
        "one direction", (np.zeros((SIDE, SIDE)),), steps, loss, error, left,
        "direction: the signal's, then fifteen of noise alone", added,
    )  # fmt: skip


# Races --------------------------------------------------------------------------------------------

RACED = ("sgd", "momentum", "adamw", "adafactor", "muon", "shampoo", "soap", "kron")
RATES = np.geomspace(1e-3, 31.6, 19)
AVERAGING: Mapping[str, str] = {
    "momentum": "beta", "adamw": "beta1", "muon": "beta", "soap": "beta1", "kron": "beta",
}  # fmt: skip
"""The decay with which a rule averages gradients. In a race of some forty steps much hangs on it: a
rule whose own is 0.95 goes by what was true twenty steps ago."""


@dataclass(frozen=True)
class MatrixRun:
    """A rule on a problem at every rate: errors (rates, steps + 1), what is left of the directions
    at the end (rates, directions), NaN once a run is lost; at the best rate the singular values of
    each step of the first matrix over the largest, (steps, n). memory is what it keeps a weight."""

    slug: str
    rates: Array
    errors: Array
    left: Array
    spectra: Array
    memory: float

    @property
    def best(self) -> int:
        """The place of the rate whose error at the end is least."""
        return int(
            np.nanargmin(np.where(np.isfinite(self.errors[:, -1]), self.errors[:, -1], 1e300))
        )

    @property
    def rises(self) -> bool:
        """Whether the best run's error is at first thrown far above its start."""
        curve = self.errors[self.best]
        return bool(curve.max() > 10.0 * curve[0])

    @property
    def error(self) -> float:
        """The error at the end at the best rate."""
        return float(self.errors[self.best, -1])


def shifted(times: Any) -> Any:
    """How many places further a rate stands among RATES that is so many times another; traced
    too."""
    apart = math.log(RATES[-1] / RATES[0]) / (len(RATES) - 1)
    return floor(ops.log(times) / apart + 0.5)


def settings(slug: str, beta: float | None = None) -> dict[str, float]:
    """A rule's hyper-parameters: its own, without weight decay, which is no part of these problems,
    and with that decay of AVERAGING where one is given."""
    own = OPTIMIZERS[slug].hyper_values()
    if "weight_decay" in own:
        own["weight_decay"] = 0.0
    if beta is not None and slug in AVERAGING:
        own[AVERAGING[slug]] = beta
    return own


def factors(steps: int) -> Array:
    """The schedule of all: straight down to a rate of 0."""
    return np.asarray(1.0 - np.arange(steps) / steps)


def raced(
    problem: MatrixProblem,
    slug: str,
    rates: Array = RATES,
    seed: int = 0,
    beta: float | None = None,
) -> MatrixRun:
    """Run a rule at every rate; all matrices are its own. beta is as in `settings`."""
    entry = OPTIMIZERS[slug]
    own = settings(slug, beta)
    group = Group(entry, tuple(range(len(problem.start))), own, entry.option_values())
    steps, fall = problem.steps, factors(problem.steps)
    trainer = Trainer(problem.start, (group,), seed=seed)
    begin = trainer.given(1.0)[:3]
    step = compiled(trainer.advance_by(problem.loss))
    errors = np.full((len(rates), steps + 1), np.nan)
    left = np.full((len(rates), len(problem.left(problem.start))), np.nan)
    errors[:, 0] = problem.error(problem.start)
    paths = []
    for row, rate in enumerate(rates):
        kept = begin
        hypers = (tuple({**group.hypers, "lr": float(rate)}.values()),)
        path = [problem.start[0]]
        for k in range(steps):
            trainer.t = k
            given = trainer.given(fall[k], *problem.batch(k))[3:]
            with np.errstate(all="ignore"):
                _, *kept, _ = step(*kept, *given, hypers)
            weights = trainer.laid_out(kept[0])
            with np.errstate(all="ignore"):
                errors[row, k + 1] = problem.error(weights)
            if not np.isfinite(errors[row, k + 1]):
                errors[row, k + 1 :] = np.nan
                break
            path.append(weights[0].copy())
        else:
            left[row] = problem.left(weights)
        paths.append(path)
    run = MatrixRun(slug, rates, errors, left, np.zeros(0), 0.0)
    moves = np.diff(np.array(paths[run.best]), axis=0)
    sizes = np.linalg.svd(moves, compute_uv=False)
    spectra = sizes / np.maximum(sizes[:, :1], 1e-300)
    weights_in_all = sum(part.size for part in problem.start)
    return replace(run, spectra=spectra, memory=trainer.memory / weights_in_all)


@dataclass(frozen=True)
class Spectrum:
    """What Muon orthogonalises at each step of a run, Nesterov's mix of its momentum: its singular
    values over its length (steps, n), and those of what comes of it, (steps, n)."""

    before: Array
    after: Array


def spectrum(problem: MatrixProblem, rate: float, beta: float | None = None) -> Spectrum:
    """Muon's run at a rate, looked at in its first matrix."""
    entry = OPTIMIZERS["muon"]
    own = {**settings("muon", beta), "lr": rate}
    group = Group(entry, tuple(range(len(problem.start))), own, entry.option_values())
    trainer = Trainer(problem.start, (group,))
    slope = compiled(autograd.grad(problem.loss))
    before, after = [], []
    for k, factor in enumerate(factors(problem.steps)):
        g = slope(Vector(trainer.tensors), *problem.batch(k))[0]
        trainer.step(problem.loss, float(factor), *problem.batch(k))
        m = trainer.states[0]["m"][0]
        mix = (1.0 - own["beta"]) * g + own["beta"] * m
        mix = mix / max(np.sqrt(np.sum(mix * mix)), 1e-300)
        before.append(np.linalg.svd(mix, compute_uv=False))
        after.append(np.linalg.svd(newton_schulz(mix), compute_uv=False))
    return Spectrum(np.array(before), np.array(after))


# Groups -------------------------------------------------------------------------------------------

GROUPS: Mapping[str, tuple[str, str]] = {
    "AdamW everywhere": ("adamw", "adamw"),
    "Sophia everywhere": ("sophia", "sophia"),
    "Muon + AdamW": ("muon", "adamw"),
    "Muon + Sophia": ("muon", "sophia"),
}
"""By name: the rule of the hidden matrices, and of all else."""
GROUP_RATES = np.geomspace(3e-3, 0.3, 5)


@dataclass(frozen=True)
class Hybrid:
    """A hybrid's best run: the rates of matrices and rest, its losses over all examples,
    (steps + 1,), and how many numbers each group holds."""

    name: str
    rates: tuple[float, float]
    losses: Array
    sizes: tuple[int, int]


def hybrids(data: Split, network: MLP, **how: Any) -> tuple[Hybrid, ...]:
    """`grouped` for each of GROUPS."""
    return tuple(grouped(name, data, network, **how) for name in GROUPS)


def grouped(
    name: str, data: Split, network: MLP, *, steps: int = 150, seed: int = 0,
    rates: Array = GROUP_RATES,
) -> Hybrid:  # fmt: skip
    """One of GROUPS trains the network on all examples, at the best pair of rates of the grid.

    A rule on both sides has one rate.
    """
    matrices, rest = GROUPS[name]
    weights = network.initial(seed, np.float64, "xavier")
    objective = Objective(network)
    x, targets = data.x, data.targets(data.y)
    fall = factors(steps)
    best: tuple[float, Any, Any] = (math.inf, None, None)
    step = None
    for pair in [(a, b) for a in rates for b in rates if matrices != rest or a == b]:
        own = [
            (slug, {**settings(slug), "lr": float(rate)}, _estimate(slug))
            for slug, rate in zip((matrices, rest), pair, strict=True)
        ]
        groups = (
            hybrid(weights, own[0], own[1])
            if matrices != rest
            else one_group(matrices, weights, own[0][1], own[0][2])
        )
        trainer = Trainer(weights, groups, seed=seed)
        step = step or compiled(trainer.advance_by(objective))
        hypers = tuple(tuple(group.hypers.values()) for group in trainer.groups)
        kept: Any = trainer.given(1.0)[:3]
        losses = []
        for k in range(steps):
            trainer.t = k
            given = trainer.given(fall[k], x, targets)[3:]
            with np.errstate(all="ignore"):
                value, *kept, _ = step(*kept, *given, hypers)
            losses.append(float(value))
            if not math.isfinite(losses[-1]):
                break
        else:
            losses.append(float(objective(Vector(trainer.laid_out(kept[0])), x, targets)))
            if losses[-1] < best[0]:
                best = losses[-1], pair, losses
    inside = hybrid(weights, ("muon", None, None), ("adamw", None, None))[0].members
    sizes = sum(weights[i].size for i in inside), sum(w.size for w in weights)
    return Hybrid(name, best[1], np.array(best[2]), (sizes[0], sizes[1] - sizes[0]))


def _estimate(slug: str) -> dict[str, str | bool]:
    """Sophia's curvature by random probes, which is what a network has."""
    return {"form": "hutchinson"} if slug == "sophia" else {}
