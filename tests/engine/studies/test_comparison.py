"""Every optimizer at its own best rate, the table of agreement, and the map of the family."""

import numpy as np
import pytest

import engine
from engine.optimizers import BRANCHES, OPTIMIZERS
from engine.studies.comparison import compare, rates_of
from engine.studies.family import RELATIONS
from engine.studies.parity import TOLERANCE, agreements, compared

BOWL = engine.LANDSCAPES["bowl"](condition=50)


def test_the_best_rate_is_the_best_of_all_that_were_tried() -> None:
    (outcome,) = compare(BOWL, (5, 3), 200, 0.01, ["momentum"])
    first = {}
    for lr in rates_of(OPTIMIZERS["momentum"]):
        run = engine.descend(BOWL, "momentum", (5, 3), 200, {"lr": lr})
        if run.diverged_at is None and run.gap[-1] <= 0.01:
            first[lr] = run.steps_to_gap(0.01)
    assert outcome.steps == min(first.values())
    assert first[outcome.lr] == outcome.steps


def test_where_no_rate_arrives_the_lowest_end_is_best() -> None:
    (outcome,) = compare(BOWL, (5, 3), 5, 1e-12, ["sgd"])
    assert outcome.steps is None
    ends = [
        engine.descend(BOWL, "sgd", (5, 3), 5, {"lr": lr}).gap[-1]
        for lr in rates_of(OPTIMIZERS["sgd"])
    ]
    assert outcome.gap == pytest.approx(min(ends))


def test_on_an_ill_conditioned_bowl_momentum_is_quicker_than_sgd_and_newton_than_both() -> None:
    sgd, momentum, newton = compare(BOWL, (5, 3), 400, 1e-6, ["sgd", "momentum", "newton"])
    assert sgd.steps is not None
    assert momentum.steps is not None
    assert momentum.steps < 0.6 * sgd.steps
    assert newton.steps is not None
    assert newton.steps < 10
    assert sgd.diverged > 0.3
    assert newton.diverged == 0


def test_the_branches_hold_every_optimizer_once() -> None:
    listed = [entry.slug for entries in BRANCHES.values() for entry in entries]
    assert sorted(listed) == sorted(OPTIMIZERS)
    assert len(set(listed)) == len(listed)


def test_relations_run_downhill() -> None:
    """No optimizer becomes itself by way of others: the map can be drawn in levels."""
    below = {slug: {r.special for r in RELATIONS if r.general == slug} for slug in OPTIMIZERS}
    placed: set[str] = set()
    while len(placed) < len(OPTIMIZERS):
        ready = {slug for slug in OPTIMIZERS if slug not in placed and below[slug] <= placed}
        assert ready
        placed |= ready


def test_every_optimizer_agrees_with_a_reference() -> None:
    rows = agreements()
    assert {row.optimizer for row in rows} == set(OPTIMIZERS)
    assert np.max([row.largest_relative_error for row in rows]) <= TOLERANCE
    for row in rows:
        assert OPTIMIZERS[row.optimizer].option_values(row.options) == row.options
        assert row.spelled.count(": ") >= len(row.options)


def test_every_combination_of_options_is_compared() -> None:
    held, every = compared()
    assert held == every >= 60
