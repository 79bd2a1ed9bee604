"""The test problems of the golden runs, written apart from the engine's landscapes.

Each is plain arithmetic on two scalars, so the same line runs under PyTorch and under JAX, and
each oracle differentiates it with its own reverse mode.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import numpy as np

from tests.golden.reference import Derivatives

Function = Callable[[Any, Any], Any]


def _bowl(condition: float, rotation: float) -> Function:
    """w₁² + condition·w₂², turned anticlockwise by ``rotation`` degrees."""
    cos, sin = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))

    def bowl(x: Any, y: Any) -> Any:
        along, across = cos * x + sin * y, cos * y - sin * x
        return along * along + condition * across * across

    return bowl


def _rosenbrock(x: Any, y: Any) -> Any:
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def _beale(x: Any, y: Any) -> Any:
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _himmelblau(x: Any, y: Any) -> Any:
    return (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2


@dataclass(frozen=True)
class Problem:
    """One objective with the start of its runs; ``slug`` and ``params`` name the landscape."""

    slug: str
    function: Function
    start: tuple[float, float]
    params: dict[str, float] = field(default_factory=dict)

    def of_vector(self, w: Any) -> Any:
        """The objective of a vector w (2,) of PyTorch or JAX."""
        return self.function(w[0], w[1])

    @cached_property
    def derivatives(self) -> Derivatives:
        """Loss, gradient (2,) and Hessian (2, 2) at a point, by JAX."""
        loss, gradient, hessian = (
            jax.jit(f)
            for f in (self.of_vector, jax.grad(self.of_vector), jax.hessian(self.of_vector))
        )
        return Derivatives(
            lambda w: float(loss(w)),
            lambda w: np.asarray(gradient(w)),
            lambda w: np.asarray(hessian(w)),
        )


PROBLEMS = (
    Problem("bowl", _bowl(50, 0), (-1.8, 0.9), {"condition": 50, "rotation": 0}),
    Problem("bowl", _bowl(50, 30), (1.6, -1.2), {"condition": 50, "rotation": 30}),
    Problem("rosenbrock", _rosenbrock, (-1.2, 1.0)),
    Problem("beale", _beale, (0.5, 0.3)),
    Problem("himmelblau", _himmelblau, (1.0, 1.5)),
)
