"""Runs of the engine that a page shows from inside: a tape entry by entry, a branch recorded anew
on either side, a perceptron that learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.limits import LEARNING_NUMBERS, LEARNING_SLICE, LEARNING_STEPS
from engine.problems.data import DATASETS
from engine.problems.networks import MLP
from engine.runs.training import Trainer, one_group
from engine.tape import Tape, Value, Vector, autograd
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

Function = Callable[..., Any]

COMPARISONS = {"less": "<", "less_equal": "≤", "greater": ">", "greater_equal": "≥", "equal": "="}
SIGNS = {"add": "+", "subtract": "−", "multiply": "·", "divide": "/", **COMPARISONS}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a tape as text: its name, how it came to be, its value and its cotangent.

    cotangent is None where none arrives. `parents` are the names of the entries it was made from.
    """

    name: str
    made: str
    operation: str
    parents: tuple[str, ...]
    value: float
    cotangent: float | None

    @property
    def logical(self) -> bool:
        """Whether its value is true or false."""
        return self.operation in COMPARISONS


def entries(function: Function, values: Mapping[str, float]) -> tuple[Entry, ...]:
    """The tape of function(**values), a scalar function of named numbers, with its reverse sweep.

    Where the result does not depend on them, no cotangents are there.
    """
    tape = Tape()
    variables = {name: tape.variable(np.float64(value)) for name, value in values.items()}
    with np.errstate(all="ignore"):
        output = function(**variables)
        cotangents = autograd.backward(output) if type(output) is Value else []
    names = {node.index: f"v{node.index}" for node in tape.nodes}
    names |= {variable.index: name for name, variable in variables.items()}
    rows = []
    for node in tape.nodes:
        inputs = tuple(_text(x, names) for x in node.inputs)
        cotangent = cotangents[node.index] if node.index < len(cotangents) else None
        rows.append(
            Entry(
                names[node.index],
                _made(node, inputs),
                node.operation.name if node.operation else "variable",
                tuple(names[x.index] for x in node.inputs if type(x) is Value),
                float(node.data),
                None if cotangent is None else float(cotangent),
            )
        )
    return tuple(rows)


def _text(x: Any, names: Mapping[int, str]) -> str:
    return names[x.index] if type(x) is Value else f"{float(x):g}"


def _made(node: Value, inputs: tuple[str, ...]) -> str:
    if node.operation is None:
        return "given"
    name = node.operation.name
    if name in SIGNS:
        return f"{inputs[0]} {SIGNS[name]} {inputs[1]}"
    if name == "negative":
        return f"−{inputs[0]}"
    if name == "integer_power":
        return f"{inputs[0]} ^ {node.parameters['exponent']}"
    return f"{name}({', '.join(inputs)})"


def tape_gradient(function: Function, values: Sequence[float]) -> tuple[float, ...]:
    """The gradient of a function of scalars by the engine's own tape, in reverse mode."""
    with np.errstate(all="ignore"):
        parts = autograd.grad(function, range(len(values)))(*map(np.float64, values))
    return tuple(float(part) for part in parts)


# A function whose graph depends on its input: Python's own branch, and the same as one operation.


def branching(x: Any) -> Any:
    """Python decides which operations run, so the tape holds one side only."""
    if autograd_value(x) > 0.0:
        return ops.log(1.0 + x)
    return -x * x


def static(x: Any) -> Any:
    """`where` is an operation like any other: both sides are computed and recorded."""
    inside = x > 0.0
    return ops.where(inside, ops.log(1.0 + ops.where(inside, x, 0.0)), -x * x)


def branch_and_slope(x: Any) -> tuple[Any, Any]:
    """Value and derivative of `static` at x, a number or traced, by forward mode."""
    value, slope = autograd.jvp(static, (x,), (1.0,))
    return value, slope


def autograd_value(x: Any) -> float:
    """The number that a traced value holds: what Python's `if` looks at."""
    return float(x.data) if type(x) is Value else float(x)


# A perceptron that learns -------------------------------------------------------------------------


@dataclass(frozen=True)
class LearningSetup:
    """Which network learns which data by which optimizer; the same setup always runs the same."""

    data: str = "two_moons"
    width: int = 16
    activation: str = "tanh"
    optimizer: str = "adam"
    lr: float = 0.03
    seed: int = 0
    points: int = 200


@dataclass
class Learner:
    """A two-hidden-layer perceptron in the middle of its learning; `learn` takes it on."""

    setup: LearningSetup
    losses: list[float] = field(default_factory=list)

    @cached_property
    def data(self) -> tuple[Array, Array]:
        """Points (n, 2) and labels (n,)."""
        return DATASETS[self.setup.data](self.setup.points, seed=self.setup.seed)

    @cached_property
    def network(self) -> MLP:
        width = self.setup.width
        return MLP((2, width, width, 1), self.setup.activation)

    @cached_property
    def _trainer(self) -> Trainer:
        start = self.network.initial(self.setup.seed)
        return Trainer(start, one_group(self.setup.optimizer, start, {"lr": self.setup.lr}))

    def _loss(self, tensors: Vector) -> Any:
        x, y = self.data
        return ops.mean(ops.logit_cross_entropy(self.network(tensors, x), y[:, None]))

    @property
    def steps(self) -> int:
        """Steps so far, each on all points (so each is an epoch)."""
        return len(self.losses)

    @property
    def most(self) -> int:
        """How many steps this network may take: steps times numbers learned are bounded."""
        return min(LEARNING_STEPS, LEARNING_NUMBERS // self.network.size)

    @property
    def ended(self) -> bool:
        """Whether it goes no further."""
        return self.diverged or self.steps >= self.most

    @property
    def diverged(self) -> bool:
        """Whether its loss is a thousand times that of its start, or no number at all."""
        return bool(self.losses) and not self.losses[-1] <= 1e3 * self.losses[0]

    def learn(self, until: int, seconds: float = LEARNING_SLICE) -> None:
        """Go on to that step, or as far as comes in so many seconds; where it diverges it ends."""
        end = monotonic() + seconds
        while self.steps < until and not self.ended:
            self.losses.append(self._trainer.step(self._loss))
            if monotonic() > end:
                return

    def probability(self, points: npt.ArrayLike) -> Array:
        """The probability of class 1 at points (..., 2) -> (...)."""
        points = np.asarray(points, dtype=float)
        with np.errstate(all="ignore"):
            logits = self.network(Vector(self._trainer.tensors), points.reshape(-1, 2))
            return np.asarray(ops.sigmoid(logits)).reshape(points.shape[:-1])

    @property
    def accuracy(self) -> float:
        """The share of the points on the right side of probability ½."""
        x, y = self.data
        return float(np.mean((self.probability(x) > 0.5) == (y > 0.5)))
