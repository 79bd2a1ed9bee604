"""Products with the Hessian and Lanczos' method against matrices that are written out."""

from __future__ import annotations

import numpy as np
import pytest

from engine.runs.sharpness import Line, hessian_product, lanczos
from engine.studies.weight_space import follow, task
from engine.tape import Vector
from engine.tape import operations as ops


def test_a_line_is_cut_and_joined_again() -> None:
    form = Line(((2, 3), (3,), (3, 1)))
    line = np.arange(12.0)
    tensors = form.cut(line)
    assert [part.shape for part in tensors] == [(2, 3), (3,), (3, 1)]
    assert form.size == 12
    assert np.array_equal(form.joined(tensors), line)


def test_a_product_with_a_known_hessian() -> None:
    def loss(tensors: Vector) -> object:
        a, b = tensors
        return ops.sum(a * a * a) + ops.sum(a) * ops.sum(b * b)

    form = Line(((2,), (2,)))
    line, along = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, -1.0, 0.5, 2.0])
    # By hand: ∂²/∂a² = 6a on the diagonal, ∂²/∂a∂b = 2b, ∂²/∂b² = 2(a₁ + a₂) on the diagonal.
    hessian = np.array([[6, 0, 6, 8], [0, 12, 6, 8], [6, 6, 6, 0], [8, 8, 0, 6]], float)
    assert hessian_product(loss, form, line, along) == pytest.approx(hessian @ along, rel=1e-14)


def test_lanczos_finds_both_ends_of_a_spectrum() -> None:
    rng = np.random.default_rng(0)
    square = rng.standard_normal((80, 80))
    matrix = square + square.T
    values, vectors = lanczos(lambda v: matrix @ v, rng.standard_normal(80), 60)
    exact = np.linalg.eigvalsh(matrix)
    assert values[-2:] == pytest.approx(exact[-2:], rel=1e-9)
    assert values[0] == pytest.approx(exact[0], rel=1e-9)
    top = vectors[:, -1]
    assert matrix @ top == pytest.approx(values[-1] * top, abs=1e-6)


def test_lanczos_ends_where_nothing_is_left() -> None:
    values, vectors = lanczos(lambda v: 3.0 * v, np.ones(5), 4)
    assert values == pytest.approx([3.0])
    assert vectors.shape == (5, 1)


@pytest.mark.parametrize(("slug", "rule", "lr"), [("curve", "sgd", 0.25), ("moons", "adam", 0.01)])
def test_sharpness_along_a_path_is_the_whole_hessians(slug: str, rule: str, lr: float) -> None:
    here = task(slug, 6, 2, "tanh", 1)
    path = follow(here, rule, {"lr": lr}, steps=400)
    for record in (0, 1, 30, 60, 100):
        line = path.weights[record]
        hessian = np.array([here.curved(line, row) for row in np.eye(len(line))])
        assert hessian == pytest.approx(hessian.T, abs=1e-10)
        assert path.sharpness[record] == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=1e-4)
