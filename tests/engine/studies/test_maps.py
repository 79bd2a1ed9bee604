"""What a map is read by, against closed forms."""

import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, sweep
from engine.runs.live_sweep import Span
from engine.runs.live_sweep import middles as axis
from engine.studies import maps
from engine.studies.maps import (
    ARRIVED,
    gap,
    polyak_pair,
    quadratic_curvatures,
    stability_edge,
    valley,
)


def test_an_axis_holds_the_middles_of_its_cells() -> None:
    assert axis(0.0, 1.0, 4, log=False) == pytest.approx([0.125, 0.375, 0.625, 0.875])
    assert axis(1e-4, 1.0, 2, log=True) == pytest.approx([1e-3, 1e-1])


@pytest.mark.parametrize(
    ("slug", "expected"), [("bowl", (2.0, 100.0)), ("booth", (2.0, 18.0)), ("saddle", (-2.0, 2.0))]
)
def test_quadratics_are_known_by_their_curvatures(slug: str, expected: tuple[float, float]) -> None:
    """Hessians: diag(2, 2κ) with κ = 50; [[10, 8], [8, 10]]; diag(2, −2)."""
    assert quadratic_curvatures(LANDSCAPES[slug]) == pytest.approx(expected)


@pytest.mark.parametrize("slug", ["rosenbrock", "himmelblau", "ackley", "monkey_saddle"])
def test_other_landscapes_have_no_one_curvature(slug: str) -> None:
    assert quadratic_curvatures(LANDSCAPES[slug]) is None


def test_polyaks_pair_is_the_best_cell_of_the_map() -> None:
    """Polyak 1964, κ = 50: η = (2 / (√2 + √100))², β = ((√50 − 1) / (√50 + 1))²."""
    pair = polyak_pair(2.0, 100.0)
    assert pair == pytest.approx((0.0307021, 0.5658068), rel=1e-6)
    axes = {"beta": axis(0.3, 0.9, 61, log=False), "lr": axis(0.005, 0.06, 61, log=False)}
    gaps = gap(sweep("bowl", "momentum", axes, (5, 3), 50))
    best = valley(gaps, gaps.min()).cell
    assert axes["beta"][best[0]] == pytest.approx(pair[1], abs=0.05)
    assert axes["lr"][best[1]] == pytest.approx(pair[0], abs=0.004)
    assert np.isnan(polyak_pair(-2.0, 2.0)).all()


@pytest.mark.parametrize("slug", ["sgd", "momentum", "nesterov"])
def test_the_stability_edge_parts_the_cells_that_diverge(slug: str) -> None:
    optimizer = OPTIMIZERS[slug]
    other = "beta" if slug != "sgd" else None
    lrs = axis(0.001, 0.05, 60, log=False)
    betas = axis(0.05, 0.9, 12, log=False)
    axes = {**({"beta": betas} if other else {}), "lr": lrs}
    found = sweep("bowl", slug, axes, (5, 3), 4000).diverged.reshape(-1, len(lrs))
    options = optimizer.option_values()
    edge = stability_edge(optimizer, 100.0, other, betas, optimizer.hyper_values(), options)
    assert edge is not None
    for row, limit in zip(found, edge if other else edge[:1], strict=True):
        assert not row[lrs < 0.99 * limit].any()
        assert row[lrs > 1.02 * limit].all()


def test_no_edge_is_drawn_where_no_closed_form_is_known() -> None:
    adam = OPTIMIZERS["adam"]
    assert stability_edge(adam, 1.0, "beta1", [0.9], adam.hyper_values(), {}) is None


def test_a_valley_counts_the_cells_near_its_best() -> None:
    found = valley([[1e-3, 5e-3, 1.0], [np.inf, 1e-2, 2e-2]], best_of_all=1e-4)
    assert (found.best, found.cell) == (1e-3, (0, 0))
    assert found.share == pytest.approx(3 / 6)
    assert found.share_of_all == pytest.approx(1 / 6)
    assert found.diverged == pytest.approx(1 / 6)
    assert valley([np.inf, np.inf], 1.0).share == 0.0


def test_a_gap_is_measured_from_the_minimum_and_not_below_rounding() -> None:
    easom = LANDSCAPES["easom"]  # minimum −1
    found = sweep(easom, "adam", {"lr": [1e-9, 0.05]}, (2.5, 2.5), 2000)
    gaps = gap(found)
    begin = float(easom.value((2.5, 2.5))) + 1
    assert gaps[0] == pytest.approx(begin, rel=1e-5)
    assert ARRIVED * begin <= gaps[1] < 1e-15
    assert np.isinf(gap(sweep("bowl", "sgd", {"lr": [1.0]}, (5, 3), 300))).all()


def test_an_axis_moved_by_hand_keeps_its_order_and_is_never_empty() -> None:
    rate = maps.default_axis(LANDSCAPES["bowl"], OPTIMIZERS["sgd"], "lr")
    turned = rate.between(0.1, 0.01)
    assert (turned.low, turned.high, turned.log) == (0.01, 0.1, True)
    empty = rate.between(0.1, 0.1)
    assert empty.low < empty.high < 0.1001


def test_the_middle_of_a_region_is_named_where_it_is_large_enough() -> None:
    """Two of three columns (3.5 of 4 along) and both of two rows; on a log axis in between too."""
    mask = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]])
    x, y = maps.middle_of(mask, Span(0.0, 4.0, False), Span(1.0, 100.0, True))
    assert (x, y) == pytest.approx((3.0, 10.0))
    assert np.isnan(
        maps.middle_of(np.eye(8) / 8, Span(0.0, 1.0, False), Span(0.0, 1.0, False))
    ).all()


def test_a_start_without_a_number_does_not_break_the_scale() -> None:
    bowl = LANDSCAPES["bowl"]
    assert maps.start_gap(bowl, 5.0, 3.0, bowl.arguments) == pytest.approx(25 + 50 * 9)
    assert maps.start_gap(bowl, np.nan, 3.0, bowl.arguments) == 1.0
    assert not maps.starts_well(bowl, (np.nan, 0.0))


def test_curvatures_of_a_turned_bowl() -> None:
    """A rotation leaves the eigenvalues 2 and 2κ as they are."""
    bowl = LANDSCAPES["bowl"]
    found = maps.curvatures_at(bowl, 1.0, 2.0, {"condition": 50.0, "rotation": 30.0})
    assert found == pytest.approx((2.0, 100.0))


def test_shares_count_what_a_valley_counts() -> None:
    gaps = np.array([[1e-3, 5e-3, 1.0], [np.inf, 1e-2, 2e-2]])
    assert maps.live_shares(gaps) == pytest.approx((1e-3, 3 / 6, 1 / 6))
    assert maps.live_shares(np.full((2, 2), np.inf))[1:] == (0.0, 1.0)


def test_the_quickest_cell_is_the_first_at_the_target() -> None:
    assert maps.quickest(np.array([[-1, 9], [4, 7]], np.int32)) == (1, 0)
    assert maps.quickest(np.array([-1, -1], np.int32)) is None
