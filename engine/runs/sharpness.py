"""The sharpness of a loss: the largest eigenvalue of its Hessian, without the Hessian.

The Hessian of a network has the square of its weights as entries, but its product with a direction
costs about as much as two gradients: a forward sweep over a reverse one (Pearlmutter, "Fast exact
multiplication by the Hessian", 1994). Lanczos' method asks for a few of these products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.tape import Vector, autograd
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

EXHAUSTED = 1e-10  # of the largest entry: what is left of a direction below it is round-off


@dataclass(frozen=True, slots=True)
class Line:
    """Tensors of these shapes laid end to end in one array."""

    shapes: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> int:
        return sum(map(prod, self.shapes))

    def cut(self, line: Any) -> Vector:
        """The tensors that a line (size,) holds."""
        parts, start = [], 0
        for shape in self.shapes:
            end = start + prod(shape)
            parts.append(line[start:end].reshape(shape))
            start = end
        return Vector(parts)

    def joined(self, tensors: Sequence[Any]) -> Any:
        """The line (size,) of tensors."""
        return ops.namespace(*tensors).concat([part.reshape((-1,)) for part in tensors])


def hessian_product(
    loss: Callable[..., Any], form: Line, line: Any, along: Any, *batch: Any
) -> Any:
    """H · along (size,) of loss(tensors, *batch) at the tensors that line holds."""
    gradient = autograd.grad(lambda tensors: loss(tensors, *batch))
    _, found = autograd.jvp(gradient, (form.cut(line),), (form.cut(along),))
    return form.joined(found)


def lanczos(product: Callable[[Array], Array], start: Array, most: int) -> tuple[Array, Array]:
    """Eigenvalues, rising, and eigenvectors (size, k) of a symmetric matrix, as far as `most`
    products with it show them: those at both ends of the spectrum come first.

    Every new direction is made orthogonal to all before it, twice, so that round-off leaves no
    eigenvalue standing twice (Golub & Van Loan, "Matrix computations", 10.3).
    """
    most = min(most, len(start))
    basis = np.empty((most + 1, len(start)))
    basis[0] = start / np.sqrt(start @ start)
    diagonal, beside = np.zeros(most), np.zeros(most)
    scale, k = 0.0, 0
    for k in range(1, most + 1):
        further = product(basis[k - 1])
        diagonal[k - 1] = basis[k - 1] @ further
        known = basis[:k]
        for _ in range(2):
            further = further - (known @ further) @ known
        beside[k - 1] = left = np.sqrt(further @ further)
        scale = max(scale, abs(diagonal[k - 1]), left)
        if not left > EXHAUSTED * scale:
            break
        basis[k] = further / left
    off = beside[: k - 1]
    values, vectors = np.linalg.eigh(np.diag(diagonal[:k]) + np.diag(off, 1) + np.diag(off, -1))
    return values, basis[:k].T @ vectors
