"""The entropy of a density: closed forms, the cells it is cut into, and how the two differ."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.losses.density import (
    CELLS,
    DENSITIES,
    cells,
    density,
    differential_entropy,
    entropy_of_cells,
    finer,
)

SPREADS = (0.05, 0.3, 1.0, 2.0)


@pytest.mark.parametrize("spread", SPREADS)
def test_closed_forms(spread: float) -> None:
    """As in Cover and Thomas, Elements of Information Theory, table 17.2."""
    normal = 0.5 * math.log(2 * math.pi * math.e * spread**2)
    assert differential_entropy("normal", spread) == pytest.approx(normal, abs=1e-12)
    assert differential_entropy("normal", spread, 2) == pytest.approx(normal / math.log(2))
    uniform = math.log(spread * math.sqrt(12))
    assert differential_entropy("uniform", spread) == pytest.approx(uniform, abs=1e-12)
    assert differential_entropy("exponential", spread) == pytest.approx(1 + math.log(spread))


def test_golden_numbers() -> None:
    """½ log₂ 2πe = 2.0471 bits at σ = 1 (MacKay 2003, and any table); h is 0 at 1/√(2πe)."""
    assert f"{differential_entropy('normal', 1.0, 2):.4f}" == "2.0471"
    zero = 1 / math.sqrt(2 * math.pi * math.e)
    assert f"{zero:.3f}" == "0.242"
    assert differential_entropy("normal", zero) == pytest.approx(0, abs=1e-12)
    assert differential_entropy("normal", 0.1, 2) < 0


@pytest.mark.parametrize("name", DENSITIES)
@pytest.mark.parametrize("spread", SPREADS)
def test_h_is_the_integral_of_surprise(name: str, spread: float) -> None:
    x = (np.arange(400_000) + 0.5) / 400_000 * 40 * spread - 20 * spread
    p = np.asarray(density(name, x, spread))
    there = p > 0
    step = 40 * spread / 400_000
    assert (p * step).sum() == pytest.approx(1, abs=1e-4)
    assert (p * x * x * step).sum() - (p * x * step).sum() ** 2 == pytest.approx(
        spread**2, rel=1e-3
    )
    surprise = -(p[there] * np.log(p[there])).sum() * step
    assert differential_entropy(name, spread) == pytest.approx(surprise, abs=1e-3)


@pytest.mark.parametrize("ratio", [0.025, 0.3, 1.0, 4.0])
def test_cells_of_the_normal_density_by_the_error_function(ratio: float) -> None:
    edges = np.append(CELLS - 0.5, CELLS[-1] + 0.5) * ratio
    below = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in edges])
    assert cells("normal", 1.0, ratio) == pytest.approx(np.diff(below), abs=1e-12)


@pytest.mark.parametrize("name", DENSITIES)
@pytest.mark.parametrize("ratio", [0.025, 0.3, 1.0, 4.0])
def test_cells_hold_everything(name: str, ratio: float) -> None:
    shares = np.asarray(cells(name, 0.7, 0.7 * ratio))
    assert (shares >= 0).all()
    assert shares.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", DENSITIES)
def test_the_entropy_of_cells_comes_to_h_minus_log_width(name: str) -> None:
    """Theorem 8.3.1 of Cover and Thomas; each halving adds a bit in the end."""
    gaps = [
        float(entropy_of_cells(name, 1.0, width, 2) - differential_entropy(name, 1.0, 2))
        + math.log2(width)
        for width in (2.0, 0.5, 0.1, 0.025)
    ]
    assert gaps == sorted(gaps, reverse=True)
    assert 0 <= gaps[-1] < 0.02
    halved = entropy_of_cells(name, 1.0, 0.025, 2) - entropy_of_cells(name, 1.0, 0.05, 2)
    assert halved == pytest.approx(1, abs=0.02)


def test_halving_the_cells_adds_a_bit() -> None:
    assert finer(4.0, 2.0) == pytest.approx(-2.0)
    assert finer(0.25, 2.0) == pytest.approx(2.0)


def test_of_densities_of_one_spread_the_normal_holds_most() -> None:
    most = max(DENSITIES, key=lambda name: float(differential_entropy(name, 0.8)))
    assert most == "normal"


def test_entropy_of_cells_is_never_negative() -> None:
    for name in DENSITIES:
        for width in (0.05, 1.0, 4.0):
            assert entropy_of_cells(name, 0.05, width) >= 0
