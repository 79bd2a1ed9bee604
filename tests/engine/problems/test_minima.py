"""Where runs end: the minima found against known ones, and the labels of end points."""

import numpy as np
import pytest

from engine.problems.formula import landscape as typed
from engine.problems.landscapes import LANDSCAPES
from engine.problems.minima import (
    DIVERGED,
    NOWHERE,
    Minimum,
    arrival,
    disagreement,
    label,
    minima_of,
    share_of_global,
    shares,
)
from engine.runs.sweeps import sweep


@pytest.mark.parametrize("slug", [s for s, entry in LANDSCAPES.items() if entry.minima])
def test_every_known_global_minimum_is_found(slug: str) -> None:
    landscape = LANDSCAPES[slug]
    found = minima_of(landscape)
    lowest = [(m.x, m.y) for m in found if m.is_global]
    for known in landscape.minima:
        assert min(np.hypot(*np.subtract(known, place)) for place in lowest) < 1e-6
    assert found[0].value == pytest.approx(landscape.minimum, abs=1e-9)
    assert [m.value for m in found] == sorted(m.value for m in found)


@pytest.mark.parametrize(
    ("slug", "count"),
    [
        ("himmelblau", 4),
        ("styblinski_tang", 4),
        ("three_hump_camel", 3),  # Branin 1972
        ("six_hump_camel", 6),  # Dixon & Szegö 1978: six, two of them global
        ("two_wells", 2),
        ("saddle", 0),
        ("monkey_saddle", 0),
        ("bowl", 1),
    ],
)
def test_local_minima_are_all_found_and_nothing_else(slug: str, count: int) -> None:
    assert len(minima_of(LANDSCAPES[slug])) == count


def test_minima_follow_the_parameters_of_a_landscape() -> None:
    """Rosenbrock's minimum is (a, a²)."""
    for a in (0.7, 1.3):
        (minimum,) = minima_of(LANDSCAPES["rosenbrock"](a=a))
        assert (minimum.x, minimum.y) == pytest.approx((a, a * a))


def test_a_typed_landscape_has_its_minima_found() -> None:
    left, right = sorted(minima_of(typed("(x**2 - 4)**2 + y**2")), key=lambda m: m.x)
    assert (left.x, right.x) == pytest.approx((-2, 2))
    assert left.is_global
    assert right.is_global


def test_points_are_labelled_by_the_minimum_they_reached() -> None:
    minima = (Minimum(0.0, 0.0, 0.0, True), Minimum(1.0, 0.0, 1.0, False))
    points = [[0.01, 0.0], [1.1, 0.1], [0.5, 0.0], [9.0, 9.0], [0.0, 0.0]]
    diverged = [False, False, False, False, True]
    assert label(points, diverged, minima).tolist() == [0, 1, NOWHERE, NOWHERE, DIVERGED]
    assert label(points, diverged, ()).tolist() == [NOWHERE] * 4 + [DIVERGED]


def test_a_sweep_of_starts_knows_its_basins() -> None:
    """Gradient descent with a small step on Himmelblau ends in all four minima, one a quadrant."""
    axis = np.linspace(-4.5, 4.5, 20)
    found = sweep("himmelblau", "sgd", {"x": axis, "y": axis}, (0, 0), 800, hypers={"lr": 0.01})
    labels = found.nearest_minimum
    assert set(np.unique(labels)) >= {0, 1, 2, 3}
    places = minima_of(LANDSCAPES["himmelblau"])
    for i, j in ((-1, -1), (0, -1), (0, 0), (-1, 0)):
        minimum = places[labels[i, j]]
        assert (np.sign(minimum.x), np.sign(minimum.y)) == (np.sign(axis[i]), np.sign(axis[j]))


def test_shares_count_every_point_once() -> None:
    labels = np.array([[0, 0, 1], [NOWHERE, DIVERGED, 1]], np.int32)
    assert shares(labels, 2) == pytest.approx([2 / 6, 2 / 6, 1 / 6, 1 / 6])
    minima = (Minimum(0.0, 0.0, 0.0, True), Minimum(1.0, 0.0, 1.0, False))
    assert share_of_global(labels, minima) == pytest.approx(2 / 6)


def test_pictures_disagree_where_any_label_differs() -> None:
    one = np.array([[0, 1], [2, 2]], np.int32)
    other = np.array([[0, 1], [2, 0]], np.int32)
    assert disagreement([one, one]) == 0.0
    assert disagreement([one, other, one]) == pytest.approx(1 / 4)
    assert disagreement([np.kron(one, np.ones((2, 2), np.int32)), other]) == pytest.approx(1 / 4)


def test_with_noise_a_run_counts_to_a_minimum_within_half_the_way_to_the_next() -> None:
    """The wells lie at 1.49 and −1.44, 2.93 apart: without noise 0.5 is near, with it 1.46."""
    wells = minima_of(LANDSCAPES["two_wells"])
    points = np.array([[1.3, 0.0], [0.5, 0.0], [0.0, 1.4]])
    assert label(points, np.zeros(3), wells).tolist() == [0, -1, -1]
    assert label(points, np.zeros(3), wells, noisy=True).tolist() == [0, 0, -1]
    assert label(points, [True, False, False], wells).tolist() == [-2, -1, -1]


def test_every_run_into_a_minimum_passes_the_level_of_arrival() -> None:
    camel = LANDSCAPES["six_hump_camel"]
    found = minima_of(camel)
    level = arrival(camel, found)
    assert level is not None
    assert max(m.value for m in found) < level < max(m.value for m in found) + 0.1
    assert arrival(LANDSCAPES["saddle"], ()) is None
