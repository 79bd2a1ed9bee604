"""A landscape from a grid: its largest waves, as a formula."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine.problems.formula import MAX_LENGTH
from engine.problems.grid import HALF, waves_of


def middles(n: int) -> np.ndarray:
    return HALF * (2 * (np.arange(n) + 0.5) / n - 1)


def grid(f: object, rows: int = 60, columns: int = 80) -> np.ndarray:
    """f at the cells' middles, the first row at the top."""
    x, y = np.meshgrid(middles(columns), middles(rows)[::-1])
    return f(x, y)  # type: ignore[operator]


def test_a_sum_of_waves_comes_back() -> None:
    k = np.pi / 10
    z = grid(lambda x, y: 3 * np.sin(k * x) - 2 * np.cos(2 * k * x) * np.sin(3 * k * y))
    found = waves_of(z)
    assert found.share > 0.99999
    surface = engine.landscape(found.formula)
    x, y = np.meshgrid(middles(80), middles(60)[::-1])
    drawn = surface.value(np.stack([x, y], axis=-1))
    wanted = (z - z.min()) * 10 / (z.max() - z.min())
    assert np.abs(drawn - wanted).max() < 0.05  # three digits of each amplitude


def test_up_is_up_and_right_is_right() -> None:
    z = np.array([[0.0, 10.0], [0.0, 0.0]])  # high at the upper right
    surface = engine.landscape(waves_of(np.kron(z, np.ones((20, 20)))).formula)
    corner = {(a, b): float(surface.value((2.5 * a, 2.5 * b))) for a in (-1, 1) for b in (-1, 1)}
    assert max(corner, key=corner.__getitem__) == (1, 1)


def test_any_picture_gives_a_formula_that_can_be_descended() -> None:
    noise = np.random.default_rng(0).normal(size=(300, 500)).cumsum(axis=0).cumsum(axis=1)
    found = waves_of(noise)
    assert 0.3 < found.share <= 1
    assert len(found.formula) <= MAX_LENGTH
    surface = engine.landscape(found.formula)
    run = engine.descend(surface, "momentum", surface.start, 100, {"lr": surface.lr})
    assert run.diverged_at is None
    assert run.loss[-1] < run.loss[0]


@pytest.mark.parametrize(
    ("z", "why"),
    [
        ([[1.0]], "two rows"),
        ([1.0, 2.0], "two rows"),
        ([[1.0, np.nan], [0.0, 1.0]], "not numbers"),
        (np.ones((4, 4)), "equal"),
        (np.zeros((2, 2_000_001)), "may have"),
    ],
)
def test_what_is_no_landscape_is_said(z: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        waves_of(z)  # type: ignore[arg-type]
