"""Functions of whole matrices: what they promise, and the same in printed JavaScript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.emit.tensor import compiled
from engine.emit.tensor_javascript import printed
from engine.tape import matrices
from tests.engine.emit.node import Batch

RANDOM = np.random.default_rng(3)


def symmetric(n: int, rank: int) -> np.ndarray:
    g = RANDOM.standard_normal((n, rank))
    return np.asarray(g @ g.T)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 17])
def test_a_basis_makes_its_matrix_diagonal_from_the_largest_down(n: int) -> None:
    a = symmetric(n, n)
    q = matrices.basis(a)
    values = q.T @ a @ q
    np.testing.assert_allclose(q.T @ q, np.eye(n), atol=1e-13)
    np.testing.assert_allclose(values, np.diag(np.linalg.eigvalsh(a)[::-1]), atol=1e-12 * a.max())
    found = matrices.eigen(a)
    np.testing.assert_allclose((found[1:] * found[0]) @ found[1:].T, a, atol=1e-12)


def test_rounding_turns_no_direction_that_a_matrix_does_not_see() -> None:
    """Two directions of five are seen; the other three are no matter of the last digit."""
    a = symmetric(5, 2)
    noise = 1e-16 * RANDOM.standard_normal((5, 5))
    for function in (matrices.basis, matrices.orthonormal):
        once, again = function(a), function(a + noise + noise.T)
        np.testing.assert_allclose(np.abs(again.T @ once), np.eye(5), atol=1e-12)
        np.testing.assert_allclose(once.T @ once, np.eye(5), atol=1e-14)
        np.testing.assert_array_equal(function(np.zeros((3, 3))), np.eye(3))


def test_columns_made_orthonormal_and_a_triangle_solved() -> None:
    a, triangle = RANDOM.standard_normal((6, 6)), np.triu(RANDOM.standard_normal((6, 6)))
    q = matrices.orthonormal(a)
    r = q.T @ a
    np.testing.assert_allclose(q.T @ q, np.eye(6), atol=1e-14)
    assert np.abs(np.tril(r, -1)).max() < 1e-13
    x = RANDOM.standard_normal((4, 6))
    np.testing.assert_allclose(matrices.solved_right(x, triangle) @ triangle, x, rtol=1e-8)


@pytest.mark.parametrize("n", [1, 31, 33, 100])
def test_a_triangle_solved_by_halves_is_the_one_substituted_column_by_column(n: int) -> None:
    triangle = np.triu(RANDOM.standard_normal((n, n))) / n + np.diag(RANDOM.uniform(0.5, 2.0, n))
    x = RANDOM.standard_normal((3, n))
    expected = np.empty_like(x)
    for j in range(n):
        expected[:, j] = (x[:, j] - expected[:, :j] @ triangle[:j, j]) / triangle[j, j]
    np.testing.assert_allclose(matrices.solved_right(x, triangle), expected, rtol=1e-12)
    triangle[n // 2, n // 2] = 0.0
    assert np.isnan(matrices.solved_right(x, triangle)).all()


@pytest.mark.parametrize("name", ["eigen", "basis", "orthonormal", "solved_right"])
def test_what_is_not_finite_is_no_number_and_no_error(name: str) -> None:
    bad = np.array([[1.0, np.inf], [np.inf, 1.0]])
    operands = [bad] * (2 if name == "solved_right" else 1)
    assert np.isnan(getattr(matrices, name)(*operands)).all()


def steps(a: Any, b: Any, triangle: Any) -> tuple[Any, ...]:
    q, seen = matrices.basis(a @ a.T), matrices.orthonormal(a @ a.T)
    found = matrices.eigen(a.T @ a)
    return (
        q * q,
        seen * seen,
        (found[1:] / found[0]) @ found[1:].T,
        matrices.orthonormal(b) * matrices.orthonormal(b),
        matrices.solved_right(b.T, triangle),
    )


def test_printed_they_are_the_same(tmp_path: Path) -> None:
    """By printed NumPy bit for bit; by JavaScript to the last digits, where nothing is seen too."""
    a, b = RANDOM.standard_normal((7, 5)), RANDOM.standard_normal((6, 6))
    given = a, b, np.triu(RANDOM.standard_normal((6, 6))) + 3.0 * np.eye(6)
    step = compiled(steps)
    expected = steps(*given)
    for found, own in zip(step(*given), expected, strict=True):
        np.testing.assert_array_equal(found, own)
    assert "basis(" in step.source
    text = printed(steps, *given)
    batch = Batch()
    batch.add(text + "export const call = (given) => make()(...given)", "call", list(given))
    (answer,) = batch.run(tmp_path)
    for found, own in zip(answer.values(), expected, strict=True):
        np.testing.assert_allclose(found.reshape(own.shape), own, atol=1e-12)
