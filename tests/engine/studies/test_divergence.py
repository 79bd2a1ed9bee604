"""A Gaussian fitted by either KL divergence, against plain quadrature on a fine grid."""

from __future__ import annotations

import numpy as np
import pytest

from engine import LANDSCAPES, descend
from engine.studies import divergence as projection
from engine.studies.divergence import DIVERGENCES

GRID = np.linspace(-25, 25, 100_001)
SETTINGS = [
    {"separation": 4.0, "spread": 0.7, "weight": 0.5},
    {"separation": 2.0, "spread": 1.0, "weight": 0.3},
    {"separation": 0.0, "spread": 1.5, "weight": 0.5},
]


def by_quadrature(direction: str, m: float, s: float, p: np.ndarray) -> float:
    q = projection.normal_density(GRID, m, s)
    a, b = (p, q) if direction == "forward" else (q, p)
    terms = np.zeros_like(a)
    present = a > 0
    terms[present] = a[present] * (np.log(a[present]) - np.log(np.maximum(b[present], 1e-300)))
    return float(np.trapezoid(terms, GRID))


@pytest.mark.parametrize("direction", DIVERGENCES)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("m", "s"), [(0.0, 0.0), (1.5, -0.4), (-1.0, 0.7)])
def test_equals_quadrature(direction: str, setting: dict[str, float], m: float, s: float) -> None:
    p = projection.target_density(GRID, **setting)
    value = float(DIVERGENCES[direction](**setting).value([m, s]))
    assert value == pytest.approx(by_quadrature(direction, m, s, p), abs=2e-5)


def test_density_integrates_to_one() -> None:
    for setting in SETTINGS:
        p = projection.target_density(GRID, **setting)
        assert np.trapezoid(p, GRID) == pytest.approx(1)
        moments = projection.moments(**setting)
        assert np.trapezoid(p * GRID, GRID) == pytest.approx(moments.mean, abs=1e-9)
        second = np.trapezoid(p * (GRID - moments.mean) ** 2, GRID)
        assert second == pytest.approx(moments.deviation**2)


def test_one_hump_is_fitted_exactly_by_both() -> None:
    for landscape in DIVERGENCES.values():
        single = landscape(separation=0.0, spread=1.5, weight=0.5)
        assert float(single.value([0.0, np.log(1.5)])) == pytest.approx(0, abs=1e-7)


def test_forward_seeks_the_mean_and_reverse_a_mode() -> None:
    forward, right, left = (
        projection.fit(DIVERGENCES[direction](), start, 300)
        for direction, start in (
            ("forward", (1.0, -0.5)), ("reverse", (1.0, -0.5)), ("reverse", (-1.0, -0.5)),
        )
    )  # fmt: skip
    moments = projection.moments(4.0, 0.7, 0.5)
    assert forward.path[-1] == pytest.approx([moments.mean, np.log(moments.deviation)], abs=0.02)
    assert right.path[-1] == pytest.approx([2.0, np.log(0.7)], abs=0.05)
    assert left.path[-1] == pytest.approx([-2.0, np.log(0.7)], abs=0.05)
    assert right.divergence[-1] == pytest.approx(np.log(2), abs=0.01)  # half of p is ignored


def test_reverse_has_a_third_minimum_between_the_humps() -> None:
    between = projection.fit(DIVERGENCES["reverse"](), (0.3, 0.6), 300)
    assert between.path[-1][0] == pytest.approx(0, abs=0.01)
    curvature = np.linalg.eigvalsh(DIVERGENCES["reverse"]().hessian(between.path[-1]))
    assert (curvature > 0).all()
    assert between.divergence[-1] > np.log(2)


def test_rule_is_the_one_of_descend() -> None:
    """The loop here and the emitted program agree on a landscape that both can run."""
    bowl = LANDSCAPES["bowl"](condition=3)
    ours = projection.fit(bowl, (1.0, -0.5), 50, "momentum", 0.01)
    np.testing.assert_allclose(
        ours.path, descend(bowl, "momentum", (1.0, -0.5), 50, {"lr": 0.01}).path, rtol=1e-12
    )


def test_a_lost_run_stays_where_it_was() -> None:
    lost = projection.fit(DIVERGENCES["forward"](), (1.0, -1.3), 50, "sgd", 50.0)
    assert lost.lost_at is not None
    assert np.isfinite(lost.path).all()
    assert (lost.path[lost.lost_at :] == lost.path[lost.lost_at - 1]).all()


@pytest.mark.parametrize("direction", DIVERGENCES)
def test_gradient_equals_finite_differences(direction: str) -> None:
    landscape = DIVERGENCES[direction]()
    w, h = np.array([0.4, -0.2]), 1e-5
    numeric = [(landscape.value(w + d) - landscape.value(w - d)) / (2 * h) for d in h * np.eye(2)]
    np.testing.assert_allclose(landscape.gradient(w), numeric, rtol=1e-6)
