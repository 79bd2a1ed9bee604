"""Labels that a model draws show its curvature; the data's own, once fitted, do not."""

from __future__ import annotations

import numpy as np
import pytest

from engine.studies import bartlett
from engine.tape import Vector, autograd


def _at(seed: int) -> Vector:
    return Vector([np.random.default_rng(seed).normal(0.0, 0.7, (3, bartlett.CLASSES))])


def _mean(form: str, w: Vector, draws: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.mean([bartlett.ESTIMATES[form](w, rng)[0] for _ in range(draws)], axis=0)


def test_the_exact_diagonal_is_that_of_the_hessian() -> None:
    w, rng = _at(0), np.random.default_rng(0)
    gradient = autograd.grad(lambda v: bartlett.loss(v, bartlett.data()[1]))
    for i, j in ((0, 0), (1, 2), (2, 1)):
        unit = np.zeros((3, 3))
        unit[i, j] = 1.0
        product = autograd.jvp(gradient, (w,), (Vector([unit]),))[1][0]
        assert bartlett.exact(w, rng)[0][i, j] == pytest.approx(product[i, j], rel=1e-12)


@pytest.mark.parametrize("form", ["hutchinson", "bartlett"])
def test_both_estimates_are_right_on_average(form: str) -> None:
    """Bartlett's identity holds at any weights, fitted or not (Liu et al. 2023, section 2.3)."""
    w = _at(3)
    truth = bartlett.exact(w, np.random.default_rng(0))[0]
    assert np.abs(_mean(form, w, 4000) - truth).max() < 0.08 * truth.max()


def test_one_estimate_from_drawn_labels_is_never_negative() -> None:
    rng = np.random.default_rng(2)
    assert all((bartlett.bartlett(_at(k), rng)[0] >= 0).all() for k in range(20))
    assert any((bartlett.hutchinson(_at(k), rng)[0] < 0).any() for k in range(20))


def test_sophia_settles_with_curvature_and_wanders_on_squares_of_the_data() -> None:
    gaps = bartlett.gaps()
    for form in ("exact", "hutchinson", "bartlett"):
        assert gaps[form][-20:].max() < 1e-4
    assert gaps["squares"][-20:].max() > 1e-3
    for seed in (1, 2, 3):
        assert bartlett.trained("bartlett", seed=seed)[0][-1] < gaps["exact"].min() + 0.6709


def test_once_trained_the_squares_of_the_data_show_nothing() -> None:
    found = bartlett.curvatures()
    np.testing.assert_allclose(found["bartlett"], found["exact"], rtol=0.25)
    assert found["squares"].max() < 1e-3 * found["exact"].min()
