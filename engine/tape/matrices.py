"""What rules ask of whole matrices and no elementwise operation gives: eigenvectors, orthonormal
columns, a triangular system solved.

Each gives one array, so that a step that uses it can be recorded and printed: an array of another
kind than NumPy's answers by its own `__array_function__`, as it does for NumPy's functions. What is
not finite gives NaN and never raises: divergence is data.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ROUNDING = 4096.0  # times the last digit of the largest: what is smaller counts as nothing
BLOCK = 32  # rows of a triangle that are quicker inverted than halved
LEVEL = 1e-6  # axes that are left of equally, but for so much: the first is taken


def _answered(function: Callable[..., Array]) -> Callable[..., Any]:
    """function, or what an operand that is no array of NumPy's makes of it; NaN where it fails."""
    checked = finite(function)

    @wraps(function)
    def answer(*operands: Any) -> Any:
        for x in operands:
            if type(x) is not np.ndarray and hasattr(x, "__array_function__"):
                return x.__array_function__(answer, (type(x),), operands, {})
        return checked(*operands)

    return answer


def finite(function: Callable[..., Array]) -> Callable[..., Array]:
    """function, and NaN where an operand is not finite."""

    def checked(*operands: Array) -> Array:
        if not all(np.isfinite(x).all() for x in operands):
            return np.full_like(function(*map(np.zeros_like, operands)), np.nan)
        return function(*operands)

    return checked


@_answered
def eigen(matrix: Array) -> Array:
    """Eigenvalues, ascending, in the first row, and below it the eigenvectors as columns, of a
    symmetric matrix (n, n): (n + 1, n). Columns are known up to their sign, and where values are
    equal up to a turn among them: for what hangs on neither."""
    values, vectors = np.linalg.eigh(matrix)
    return np.concatenate([values[None], vectors])


@_answered
def basis(matrix: Array) -> Array:
    """The eigenvectors of a symmetric positive semidefinite matrix (n, n) as columns, the largest
    eigenvalue first. Directions that the matrix does not see follow from the others."""
    values, vectors = np.linalg.eigh(matrix)
    seen = values > _least(values)
    return _completed(np.where(seen, vectors, 0.0)[:, ::-1], seen[::-1])


@_answered
def orthonormal(matrix: Array) -> Array:
    """The orthonormal columns that Gram and Schmidt's procedure makes of a square matrix's, up to
    their signs: the Q of its QR. Columns that hold nothing new follow from the others."""
    q, r = np.linalg.qr(matrix)
    size = np.abs(np.diagonal(r))
    seen = size > _least(size)
    if seen.all():
        return np.asarray(q)
    out = np.zeros_like(matrix)  # what comes after a column of rounding alone is not turned by it
    for j in np.flatnonzero(seen):
        column = matrix[:, j]
        for _ in range(2):
            column = column - out @ (out.T @ column)
        size = np.sqrt(column @ column)
        seen[j] = size > _least(np.abs(np.diagonal(r)))
        out[:, j] = column / size if seen[j] else 0.0
    return _completed(out, seen)


def _least(sizes: Array) -> Any:
    """What counts as nothing beside the largest."""
    return ROUNDING * np.finfo(sizes.dtype).eps * np.max(sizes, initial=0.0)


def _completed(columns: Array, seen: npt.NDArray[np.bool_]) -> Array:
    """Columns (n, n), those not seen put in: each the axis that the others leave most of.

    So it is the same wherever it is computed: rounding alone would give any turn among them.
    """
    out = np.array(columns)
    for j in np.flatnonzero(~seen):
        out[:, j] = 0.0
        left = 1.0 - np.sum(out * out, axis=1)
        column = np.zeros_like(out[:, j])
        column[np.argmax(left >= (1.0 - LEVEL) * np.max(left))] = 1.0
        for _ in range(2):
            column = column - out @ (out.T @ column)
        out[:, j] = column / np.sqrt(column @ column)
    return out


@_answered
def ranking(values: Array) -> Array:
    """The permutation (n, n) that sorts values (n,) from the largest down: `values @ ranking`.
    Those that count as nothing beside the largest stay in order."""
    least = _least(values)
    order = np.argsort(-np.where(values > least, values, 0.0), kind="stable")
    return np.eye(len(values), dtype=values.dtype)[:, order]


@_answered
def bound(matrix: Array) -> Array:
    """Of a symmetric positive semidefinite matrix, what its largest eigenvalue is at least, (1,):
    the length of the image of the image of its longest column."""
    largest = np.max(np.abs(matrix))
    if not largest > 0.0:
        return np.zeros(1, matrix.dtype)
    scaled = matrix / largest
    column = scaled[:, np.argmax(np.sum(scaled * scaled, axis=0))]
    image = scaled @ column
    image = scaled @ (image / np.sqrt(image @ image))
    return np.array([largest * np.sqrt(image @ image)], matrix.dtype)


@_answered
def solved_right(x: Array, triangle: Array) -> Array:
    """x times the inverse of an upper triangular matrix (n, n), for x (m, n); NaN where its
    diagonal holds a zero."""
    if not np.diagonal(triangle).all():
        return np.full_like(x, np.nan)
    return _by_halves(x, triangle)


def _by_halves(x: Array, triangle: Array) -> Array:
    """X (A B; 0 D)⁻¹ = (Y, (X₂ − Y B) D⁻¹) with Y = X₁ A⁻¹, down to blocks of BLOCK.

    LAPACK finds nothing to eliminate in such a block and only substitutes backwards.
    """
    if len(triangle) <= BLOCK:
        return np.asarray(x @ np.linalg.inv(triangle))
    k = len(triangle) // 2
    left = _by_halves(x[:, :k], triangle[:k, :k])
    right = _by_halves(x[:, k:] - left @ triangle[:k, k:], triangle[k:, k:])
    return np.concatenate([left, right], axis=1)
