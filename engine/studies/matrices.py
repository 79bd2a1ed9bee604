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
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

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
class Form:
    """What all problems of a kind have in common, written with operations: so it is printed too.

    made(setting, *data) is what the setting makes of the data. Both together, with the step's own
    noise behind where there is any, are what loss(tensors, …) is given, and without noise
    error(tensors, …), which counts, and left(tensors, …): (directions,), what is still missing of
    each, 1 at the start or as a share of it. directions says what those are.
    """

    name: str
    steps: int
    made: Callable[..., tuple[Any, ...]]
    loss: Callable[..., Any]
    error: Callable[..., Any]
    left: Callable[..., Any]
    directions: str


@dataclass(frozen=True)
class MatrixProblem:
    """Matrices to be learned: where they start, how hard it is, what the seed fixes, and standard
    normals (steps, …) for noise that differs from step to step."""

    form: Form
    start: tuple[Array, ...]
    setting: float
    data: tuple[Array, ...]
    normals: Array | None = None

    @property
    def steps(self) -> int:
        """How many steps a race takes."""
        return self.form.steps

    @cached_property
    def given(self) -> tuple[Any, ...]:
        """What error and left are given beside the tensors."""
        return *self.data, *self.form.made(self.setting, *self.data)

    def batch(self, k: int) -> tuple[Any, ...]:
        """What step k is given beside the tensors."""
        return self.given if self.normals is None else (*self.given, self.normals[k])

    def error(self, tensors: Sequence[Array]) -> float:
        """How far off they are."""
        return float(self.form.error(tensors, *self.given))

    def left(self, tensors: Sequence[Array]) -> Array:
        """What is missing of each direction."""
        return np.asarray(self.form.left(tensors, *self.given))


def _normal(seed: int, stream: int, *shape: int) -> Array:
    """Standard normals by Box and Muller, from numbers that are counted."""
    size = math.prod(shape)
    u = counted.uniform(seed, 2 * stream, size)
    angle = 2.0 * np.pi * counted.uniform(seed, 2 * stream + 1, size)
    return (np.sqrt(-2.0 * np.log1p(-u)) * np.cos(angle)).reshape(shape)


def _rotation(seed: int, stream: int, n: int = SIDE) -> Array:
    q, r = np.linalg.qr(_normal(seed, stream, n, n))
    return np.asarray(q * np.sign(np.diagonal(r)))


def _away(tensors: Any, keys: Any, values: Any) -> Any:
    return ops.matmul(keys, tensors[0]) - values


def _frequencies(exponent: Any, *_: Any) -> tuple[Any, ...]:
    p = ops.exp(-exponent * np.log(np.arange(1.0, SIDE + 1.0)))
    return (p / ops.sum(p),)


def _forgotten(tensors: Any, keys: Any, values: Any, p: Any) -> Any:
    e = _away(tensors, keys, values)
    return 0.5 * ops.sum(ops.reshape(p, (SIDE, 1)) * (e * e))


def _items_left(tensors: Any, keys: Any, values: Any, p: Any) -> Any:
    e = _away(tensors, keys, values)
    return ops.sqrt(ops.sum(e * e, axis=1))


MEMORY = Form(
    "memory", 60, _frequencies, _forgotten, _forgotten, _items_left,
    "item, from the most to the least asked for",
)  # fmt: skip


def memory(exponent: float = 2.0, seed: int = 0) -> MatrixProblem:
    """Facts in one matrix: key k should give value k, asked as often as Zipf says, ∝ k^−exponent.

    Keys and values are orthonormal and lie across the axes. The loss ½ Σ p_k ‖W e_k − u_k‖² has
    the p_k as its curvatures, so its condition number is 16^exponent.
    """
    data = _rotation(seed, 1), _rotation(seed, 2)
    return MatrixProblem(MEMORY, (np.zeros((SIDE, SIDE)),), exponent, data)


def _target(condition: Any, u: Any, v: Any) -> tuple[Any, ...]:
    sizes = ops.exp(-ops.log(condition) * (np.arange(RANK) / (RANK - 1)))
    return ops.matmul(u * sizes, ops.transpose(v)), sizes


def _apart(tensors: Any, u: Any, v: Any, target: Any, sizes: Any) -> Any:
    e = ops.matmul(tensors[0], tensors[1]) - target
    return 0.5 * ops.sum(e * e)


def _parts_left(tensors: Any, u: Any, v: Any, target: Any, sizes: Any) -> Any:
    e = ops.matmul(tensors[0], tensors[1]) - target
    return ops.absolute(ops.sum(u * ops.matmul(e, v), axis=0)) / sizes


FACTORISATION = Form(
    "factorisation", 40, _target, _apart, _apart, _parts_left,
    "direction of M, from the largest singular value",
)  # fmt: skip


def factorisation(condition: float = 100.0, seed: int = 0) -> MatrixProblem:
    """M = AB of rank 8 from small random factors (16 × 8 and 8 × 16), ½‖AB − M‖², its singular
    values from 1 down to 1/condition."""
    data = _rotation(seed, 3)[:, :RANK], _rotation(seed, 4)[:, :RANK]
    start = 0.02 * _normal(seed, 5, SIDE, RANK), 0.02 * _normal(seed, 6, RANK, SIDE)
    return MatrixProblem(FACTORISATION, start, condition, data)


def _each(noise: Any, *_: Any) -> tuple[Any, ...]:
    return (noise / math.sqrt(SIDE),)


def _noisy(tensors: Any, a: Any, b: Any, target: Any, each: Any, normals: Any) -> Any:
    e = tensors[0] - target
    return 0.5 * ops.sum(e * e) + each * ops.sum(tensors[0] * normals)


def _distance(tensors: Any, a: Any, b: Any, target: Any, each: Any) -> Any:
    e = tensors[0] - target
    return 0.5 * ops.sum(e * e)


def _along(tensors: Any, a: Any, b: Any, target: Any, each: Any) -> Any:
    return ops.absolute(ops.sum(a * ops.matmul(tensors[0] - target, b), axis=0)) / 2.0


DIRECTION = Form(
    "one direction", 100, _each, _noisy, _distance, _along,
    "direction: the signal's, then fifteen of noise alone",
)  # fmt: skip


def one_direction(noise: float = 0.3, seed: int = 0) -> MatrixProblem:
    """½‖W − C‖² with C of rank one, under noise in every direction of every gradient: the signal is
    in one, and to make all directions alike is to listen to the noise."""
    a, b = _rotation(seed, 7), _rotation(seed, 8)
    data = a, b, 2.0 * np.outer(a[:, 0], b[:, 0])
    normals = _normal(seed, 9, DIRECTION.steps, SIDE, SIDE)
    return MatrixProblem(DIRECTION, (np.zeros((SIDE, SIDE)),), noise, data, normals)


PROBLEMS: Mapping[str, Callable[..., MatrixProblem]] = {
    "memory": memory, "factorisation": factorisation, "direction": one_direction,
}  # fmt: skip
"""By name: the problem of a setting and a seed."""

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
    def alone(self) -> MatrixRun:
        """The run at the best rate by itself."""
        one = slice(self.best, self.best + 1)
        return replace(self, rates=self.rates[one], errors=self.errors[one], left=self.left[one])

    @property
    def rises(self) -> bool:
        """Whether the best run's error is at first thrown far above its start."""
        curve = self.errors[self.best]
        return bool(curve.max() > 10.0 * curve[0])

    @property
    def error(self) -> float:
        """The error at the end at the best rate."""
        return float(self.errors[self.best, -1])


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


def trainer_of(
    problem: MatrixProblem,
    slug: str,
    beta: float | None = None,
    seed: int = 0,
    *,
    rate: float | None = None,
) -> Trainer:
    """A rule at the problem's start, with its own rate for None; all matrices are its own."""
    entry, own = OPTIMIZERS[slug], settings(slug, beta)
    if rate is not None:
        own["lr"] = rate
    group = Group(entry, tuple(range(len(problem.start))), own, entry.option_values())
    return Trainer(problem.start, (group,), seed=seed)


def raced(
    problem: MatrixProblem,
    slug: str,
    rates: Array = RATES,
    seed: int = 0,
    beta: float | None = None,
) -> MatrixRun:
    """Run a rule at every rate; beta is as in `settings`."""
    trainer = trainer_of(problem, slug, beta, seed)
    (group,) = trainer.groups
    steps, fall = problem.steps, factors(problem.steps)
    begin = trainer.given(1.0)[:3]
    step = compiled(trainer.advance_by(problem.form.loss))
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
    trainer = trainer_of(problem, "muon", beta, rate=rate)
    own = trainer.groups[0].hypers
    slope = compiled(autograd.grad(problem.form.loss))
    before, after = [], []
    for k, factor in enumerate(factors(problem.steps)):
        g = slope(Vector(trainer.tensors), *problem.batch(k))[0]
        trainer.step(problem.form.loss, float(factor), *problem.batch(k))
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
