"""Small multilayer perceptrons on the tape: how they begin and what they say.

The parameters are one Vector of arrays, weights and biases in turn, so that a gradient is a Vector
too and any update rule of the engine takes both as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.tensor import compiled
from engine.tape import Vector, autograd
from engine.tape import operations as ops

Array = npt.NDArray[Any]

ACTIVATIONS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {"tanh": ops.tanh, "relu": ops.relu, "sigmoid": ops.sigmoid, "softplus": ops.softplus}
)

Drawn = Callable[[np.random.Generator, int, int], tuple[Array, Array]]


def _uniform(rng: np.random.Generator, inputs: int, outputs: int) -> tuple[Array, Array]:
    bound = 1.0 / math.sqrt(inputs)
    weights = rng.uniform(-bound, bound, (inputs, outputs))
    return weights, rng.uniform(-bound, bound, (outputs,))


def _xavier(rng: np.random.Generator, inputs: int, outputs: int) -> tuple[Array, Array]:
    bound = math.sqrt(6.0 / (inputs + outputs))
    return rng.uniform(-bound, bound, (inputs, outputs)), np.zeros(outputs)


def _he(rng: np.random.Generator, inputs: int, outputs: int) -> tuple[Array, Array]:
    return math.sqrt(2.0 / inputs) * rng.standard_normal((inputs, outputs)), np.zeros(outputs)


def _zero(rng: np.random.Generator, inputs: int, outputs: int) -> tuple[Array, Array]:
    return np.zeros((inputs, outputs)), np.zeros(outputs)


def _large(rng: np.random.Generator, inputs: int, outputs: int) -> tuple[Array, Array]:
    return 10.0 / math.sqrt(inputs) * rng.standard_normal((inputs, outputs)), np.zeros(outputs)


@dataclass(frozen=True, slots=True)
class Initialisation:
    """How the weights (inputs, outputs) and biases (outputs,) of a layer are drawn."""

    name: str
    draw: Drawn
    meaning: str


INITIALISATIONS: Mapping[str, Initialisation] = MappingProxyType(
    {
        "uniform": Initialisation(
            "PyTorch's", _uniform, "uniform in ±1/√in, biases too: torch.nn.Linear's own"
        ),
        "xavier": Initialisation(
            "Xavier", _xavier, "uniform in ±√(6/(in + out)), for tanh (Glorot & Bengio 2010)"
        ),
        "he": Initialisation("He", _he, "normal of variance 2/in, for ReLU (He et al. 2015)"),
        "zero": Initialisation("all zero", _zero, "all hidden units stay the same one"),
        "large": Initialisation(
            "too large", _large, "normal of deviation 10/√in: units saturate before they learn"
        ),
    }
)


@dataclass(frozen=True, slots=True)
class MLP:
    """Layers of sizes[i] → sizes[i + 1], an activation after each but the last.

    activation is a name of ACTIVATIONS or any elementwise operation.
    """

    sizes: tuple[int, ...]
    activation: str | Callable[[Any], Any] = "tanh"

    def initial(
        self, seed: int = 0, dtype: npt.DTypeLike = np.float64, scheme: str = "uniform"
    ) -> Vector:
        """Weights (in, out) and biases (out,) in turn, as a scheme of INITIALISATIONS draws them.

        The same seed gives the same weights.
        """
        rng = np.random.default_rng(seed)
        draw = INITIALISATIONS[scheme].draw
        parts = []
        for inputs, outputs in zip(self.sizes, self.sizes[1:], strict=False):
            parts += [part.astype(dtype) for part in draw(rng, inputs, outputs)]
        return Vector(parts)

    def __call__(self, parameters: Vector, x: Any, masks: Sequence[Any] = ()) -> Any:
        """The last layer's output, (batch, sizes[-1]), for x of shape (batch, sizes[0]).

        masks, one for each hidden layer, multiply its units: dropout hands in 0 and 1/(1 − p).
        """
        chosen = self.activation
        activation = ACTIVATIONS[chosen] if isinstance(chosen, str) else chosen
        h = x
        for i in range(0, len(parameters), 2):
            h = ops.affine(h, parameters[i], parameters[i + 1])
            if i + 2 < len(parameters):
                h = activation(h)
                if masks:
                    h = h * masks[i // 2]
        return h

    @property
    def size(self) -> int:
        """How many numbers it learns."""
        return sum((a + 1) * b for a, b in zip(self.sizes, self.sizes[1:], strict=False))


def classification_loss(network: MLP) -> Callable[[Vector, Any, Any], Any]:
    """loss(parameters, x, y): mean binary cross-entropy of the one logit, labels y (batch, 1)."""

    def loss(parameters: Vector, x: Any, y: Any) -> Any:
        return ops.mean(ops.logit_cross_entropy(network(parameters, x), y))

    return loss


def gradient_descent(
    loss: Callable[..., Any], parameters: Vector, lr: float, *data: Any
) -> Iterator[tuple[float, Vector]]:
    """Full-batch gradient descent without end: (loss before the step, parameters after it).

    The step is recorded once and printed (`engine.emit.tensor`), so loss must be a pure function.
    """
    value_and_grad = autograd.value_and_grad(loss)

    def step(parameters: Vector, *data: Any) -> tuple[Any, Vector]:
        value, gradient = value_and_grad(parameters, *data)
        return value, Vector([w - lr * g for w, g in zip(parameters, gradient, strict=True)])

    recorded = compiled(step)
    while True:
        value, parameters = recorded(parameters, *data)
        yield float(value), parameters
