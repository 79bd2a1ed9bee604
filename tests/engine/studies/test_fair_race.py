"""Fair races: every evaluation is accounted for, seeds decide everything, intervals cover."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import engine
from engine.optimizers import OPTIMIZERS
from engine.optimizers.schedules import SCHEDULES
from engine.problems.landscapes import LANDSCAPES
from engine.runs.descent import find_optimizer
from engine.studies import fair_race as fair
from engine.studies.fair_race import (
    Task,
    race,
    race_seeds,
    ranks,
    spread,
    standing,
    tune,
    tuning_seeds,
)

BOWL = LANDSCAPES["bowl"]
TASK = Task(BOWL, BOWL.start, 40, 2.0)
SEEDS = tuning_seeds(0, 3)
ADAM, MOMENTUM, SGD = (OPTIMIZERS[slug] for slug in ("adam", "momentum", "sgd"))
TWICE = replace(SGD, slug="twice", evaluations=2)


# Tuning -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", ["sgd", "momentum", "adam", "sophia", "newton", "sam"])
def test_search_is_the_same_as_running_each_trial_by_itself(slug: str) -> None:
    """The loss and the cost of every trial against `descend`, run by run."""
    optimizer = OPTIMIZERS[slug]
    found = tune(TASK, optimizer, 2_000, SEEDS, names=fair.searched(optimizer, 2))
    assert len(found.scores) >= 2_000 // found.full
    for trial in range(len(found.scores)):
        ends, cost = [], 0
        for seed in SEEDS:
            hypers = found.setting(trial)
            steps, price = TASK.steps(optimizer, hypers), optimizer.price(hypers)
            run = engine.descend(BOWL, optimizer, BOWL.start, steps, hypers, noise=2.0, seed=seed)
            cost += math.ceil(price * (steps if run.diverged_at is None else run.diverged_at))
            ends.append(np.inf if run.diverged_at is not None else run.gap[-1])
        assert found.spent[trial] == cost
        assert found.scores[trial] == pytest.approx(sorted(ends)[1], rel=1e-9)


@pytest.mark.parametrize("budget", [120, 121, 1_999, 20_000])
def test_budget_is_spent_to_less_than_a_trial_and_never_exceeded(budget: int) -> None:
    found = tune(TASK, SGD, budget, SEEDS)
    assert found.full == 40 * 3
    assert 0 <= budget - found.spent.sum() < found.full
    # Each trial started while a whole one could still be paid for.
    before = np.cumsum(found.spent) - found.spent
    assert (budget - before >= found.full).all()


def test_diverging_trials_leave_money_for_more() -> None:
    """Most rates of gradient descent diverge on the bowl, none of Adam's do."""
    sgd, adam = (tune(TASK, o, 12_000, SEEDS) for o in (SGD, ADAM))
    assert adam.diverged == 0
    assert len(adam.scores) == 12_000 // adam.full
    assert sgd.diverged > 0
    assert len(sgd.scores) > len(adam.scores)


def test_a_step_of_two_evaluations_costs_twice_and_gets_half_the_steps() -> None:
    calm = replace(TASK, noise=0.0)
    once = tune(replace(calm, evaluations=20), SGD, 6_000, SEEDS)
    twice = tune(calm, TWICE, 12_000, SEEDS)
    assert twice.full == 2 * once.full
    np.testing.assert_array_equal(twice.spent, 2 * once.spent)
    np.testing.assert_array_equal(twice.scores, once.scores)


def test_tuned_is_never_worse_than_as_it_came() -> None:
    for slug in ("sgd", "adam", "adagrad", "muon"):
        found = tune(TASK, OPTIMIZERS[slug], 3_000, SEEDS)
        assert found.setting(0) == OPTIMIZERS[slug].hyper_values()
        assert found.scores[found.best] <= found.scores[0]
    kept = tune(TASK, ADAM, 3_000, SEEDS, names=("lr",), hypers={"lr": 0.2, "beta1": 0.5})
    assert kept.setting(0) == {"lr": 0.2}


def test_what_is_not_searched_stays_as_it_came() -> None:
    half, most = (
        tune(TASK, MOMENTUM, 3_000, SEEDS, names=("lr",), hypers={"beta": beta})
        for beta in (0.5, 0.99)
    )
    np.testing.assert_array_equal(half.trials[1:10], most.trials[1:10])
    assert not np.array_equal(half.scores[:10], most.scores[:10])


def test_same_seeds_same_search_other_seeds_another() -> None:
    first, again, other = (
        tune(TASK, ADAM, 3_000, tuning_seeds(seed, 3)) for seed in (0, 0, 1)
    )  # fmt: skip
    np.testing.assert_array_equal(first.trials, again.trials)
    np.testing.assert_array_equal(first.scores, again.scores)
    assert not np.array_equal(first.trials, other.trials)


def test_a_larger_budget_goes_on_where_the_smaller_ended() -> None:
    small, large = (tune(TASK, MOMENTUM, budget, SEEDS) for budget in (2_000, 8_000))
    count = len(small.scores)
    assert len(large.scores) > count
    np.testing.assert_array_equal(large.trials[:count], small.trials)
    np.testing.assert_array_equal(large.scores[:count], small.scores)


@pytest.mark.parametrize(
    ("budget", "names", "message"),
    [
        (119, None, "does not pay for one trial"),
        (fair.MAX_BUDGET + 1, None, "at most 1\u202f000\u202f000"),
        (1_000, ("gamma",), "can be tuned in lr"),
        (1_000, (), "can be tuned in lr"),
    ],
)
def test_what_cannot_be_tuned_is_refused(
    budget: int, names: tuple[str, ...] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        tune(TASK, SGD, budget, SEEDS, names=names)


def test_points_fill_the_cube_more_evenly_than_chance() -> None:
    points = spread(256, 2)
    assert ((points >= 0) & (points < 1)).all()
    cells = np.histogram2d(*points.T, bins=8, range=[[0, 1]] * 2)[0]
    assert cells.min() >= 2  # 4 a cell on average; by chance one cell in eleven holds fewer
    np.testing.assert_array_equal(spread(10, 2, first=246), points[246:])
    assert not np.array_equal(spread(256, 2, seed=1), points)
    with pytest.raises(ValueError, match="at most 12"):
        spread(10, 13)


def test_every_coordinate_alone_is_stratified() -> None:
    """Of Halton's sequence in base b, any b^k points in a row have one in each of b^k intervals."""
    points = spread(2 * 11 * 11, 5, seed=3, first=4)
    for column, width in enumerate((64, 81, 125, 49, 121)):
        cells = np.floor(points[:width, column] * width + 1e-6)
        assert sorted(cells) == list(range(width))
    # Columns of large bases rise together in the plain sequence; here they do not.
    assert abs(np.corrcoef(points[:11, 3], points[:11, 4])[0, 1]) < 0.75


def test_ranges_are_walked_on_their_own_scale() -> None:
    lr, beta2 = ADAM.hypers[0], ADAM.hypers[2]
    assert fair.place(lr, [0, 0.5, 1]).tolist() == [1e-5, 0.01, 10.0]
    assert fair.place(beta2, [0, 0.4, 1]) == pytest.approx([0, 0.99, 0.99999])
    assert [h.name for h in ADAM.hypers if fair.is_memory(h)] == ["beta1", "beta2"]
    nu = next(h for h in OPTIMIZERS["qhadam"].hypers if h.name == "nu1")
    assert fair.place(nu, [0, 0.25, 1]).tolist() == [0, 0.25, 1]
    for optimizer in OPTIMIZERS.values():
        for hyper in optimizer.hypers:
            values = fair.place(hyper, np.linspace(0, 1, 50))
            assert (values >= hyper.low).all()
            assert (values <= hyper.high).all()
            assert (np.diff(values) >= 0).all()


def test_best_of_n_by_counting() -> None:
    """Against all draws of n out of a few, written out."""
    scores = np.array([9.0, 1.0, 2.0, 3.0, np.inf])  # the first one was not drawn
    found = fair.Search(("lr",), np.ones((5, 1)), scores, np.full(5, 10), 50, 10)
    drawn = scores[1:]
    two = sorted(min(a, b) for a in drawn for b in drawn)
    assert found.best_of([1, 2], 0.5).tolist() == [2.0, two[7]]
    assert found.best_of([2], 0.9).tolist() == [two[14]] == [3.0]
    assert found.best_of([1], 1.0).tolist() == [np.inf]
    assert found.best_of([1000]).tolist() == [1.0]


# Racing -------------------------------------------------------------------------------------------


def test_a_race_is_the_runs_of_descend() -> None:
    curves = race(TASK, MOMENTUM, race_seeds(5, 4), {"lr": 0.005})
    assert curves.shape == (4, 41)
    run = engine.descend(BOWL, MOMENTUM, BOWL.start, 40, {"lr": 0.005}, noise=2.0, seed=7)
    np.testing.assert_allclose(curves[2], run.gap, rtol=1e-12)


def test_divergence_is_an_infinite_loss_from_its_step_on() -> None:
    curves = race(TASK, SGD, race_seeds(0, 2), {"lr": 1.0})
    run = engine.descend(BOWL, SGD, BOWL.start, 40, {"lr": 1.0}, noise=2.0, seed=0)
    assert run.diverged_at is not None
    assert np.isinf(curves[0, run.diverged_at :]).all()
    assert np.isfinite(curves[0, : run.diverged_at]).all()


def test_a_race_against_evaluations_stands_still_between_steps() -> None:
    curves = race(replace(TASK, evaluations=41), TWICE, race_seeds(0, 1), {"lr": 0.005})
    run = engine.descend(BOWL, SGD, BOWL.start, 20, {"lr": 0.005}, noise=2.0, seed=0)
    np.testing.assert_allclose(curves[0, ::2], run.gap, rtol=1e-12)
    np.testing.assert_array_equal(curves[0, 1::2], curves[0, ::2])


def test_seeds_change_noise_starts_and_nothing_else() -> None:
    fixed = race(TASK, SGD, race_seeds(0, 3), {"lr": 0.005})
    assert len(set(fixed[:, 0])) == 1
    assert len(set(fixed[:, -1])) == 3
    strewn = replace(TASK, start=None, noise=0.0)
    assert len(set(race(strewn, SGD, race_seeds(0, 3), {"lr": 0.005})[:, 0])) == 3
    (x0, x1), (y0, y1) = BOWL.window
    for seed in range(50):
        x, y = strewn.start_of(seed)
        assert x0 <= x <= x1
        assert y0 <= y <= y1
    calm = replace(TASK, noise=0.0)
    assert not calm.varies(SGD)
    assert calm.varies(OPTIMIZERS["sophia"]) == OPTIMIZERS["sophia"].draws_probe()
    assert len(set(race(calm, SGD, race_seeds(0, 3), {"lr": 0.005})[:, -1])) == 1


def test_no_race_sees_a_seed_of_tuning() -> None:
    assert not set(race_seeds(0, 10_000)) & set(tuning_seeds(0, 10_000))
    with pytest.raises(ValueError, match="cannot be"):
        race_seeds(999_999, 2)


def test_too_large_a_race_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 100\u202f000"):
        race(replace(TASK, evaluations=2_000), SGD, race_seeds(0, 51))


@pytest.mark.parametrize("change", [{"evaluations": 0}, {"noise": -1.0}, {"start": (np.nan, 0)}])
def test_a_task_that_cannot_be_run_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"evaluation|noise|start"):
        replace(TASK, **change)  # type: ignore[arg-type]


# Ranks --------------------------------------------------------------------------------------------


def test_ranks_share_ties_and_put_the_diverged_last() -> None:
    losses = [[1.0, 2.0, np.inf], [2.0, 2.0, np.inf], [3.0, 1.0, 5.0]]
    assert ranks(losses).tolist() == [[1, 2.5, 2.5], [2, 2.5, 2.5], [3, 1, 1]]
    assert (ranks(losses).sum(axis=0) == 6).all()


def test_standing_counts_wins_and_orders() -> None:
    table = standing(ranks([[1.0, 1.0, 2.0, 1.0], [2.0, 2.0, 1.0, 1.0], [3.0, 3.0, 3.0, 3.0]]))
    assert table.wins.tolist() == [2.5, 1.5, 0]
    assert table.mean.tolist() == [1.375, 1.625, 3]
    assert fair.leader([[3.0, 1.0, 3.0], [1.0, 2.0, 1.0]]) == 1
    assert table.order == [0, 1, 2]
    assert table.first.sum() == pytest.approx(1)
    assert not table.clear
    assert (table.low[2], table.high[2]) == (3, 3)


def test_bootstrap_by_hand() -> None:
    """Two seeds: a mean of two draws is 1, 1.5 or 2 with probability ¼, ½, ¼."""
    table = standing([[1.0, 2.0], [2.0, 1.0]], resamples=4_000, confidence=0.4)
    assert (table.low.tolist(), table.high.tolist()) == ([1.5, 1.5], [1.5, 1.5])
    wide = standing([[1.0, 2.0], [2.0, 1.0]], resamples=4_000, confidence=0.6)
    assert (wide.low.tolist(), wide.high.tolist()) == ([1, 1], [2, 2])
    assert table.first == pytest.approx([0.5, 0.5], abs=0.03)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Three optimizers whose losses are normal with known shifts: the true mean rank follows from
    pairwise chances of winning. The percentile interval is a little narrow at 30 seeds."""
    shifts = np.array([0.0, 0.4, 1.0])
    draw = np.random.default_rng(1)
    truth = ranks(draw.normal(shifts[:, None], 1, (3, 200_000))).mean(axis=1)
    held = []
    for trial in range(400):
        losses = draw.normal(shifts[:, None], 1, (3, 30))
        table = standing(ranks(losses), resamples=400, seed=trial)
        held.append((table.low <= truth) & (truth <= table.high))
    cover = np.mean(held, axis=0)
    assert (cover > 0.9).all()
    assert (cover < 0.985).all()


def test_standing_is_decided_by_its_seed() -> None:
    places = ranks(np.random.default_rng(0).random((3, 20)))
    one, same, other = (standing(places, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.low, same.low)
    np.testing.assert_array_equal(one.first, same.first)
    assert not np.array_equal(one.first, other.first)


def test_one_rate_for_all_and_the_way_home() -> None:
    assert fair.at_one_rate(ADAM, 0.3, {"beta1": 0.5}) == {**ADAM.hyper_values(), "lr": 0.3,
                                                          "beta1": 0.5}  # fmt: skip
    assert fair.drawn_home(TASK, {"lr": 1.0, "weight_decay": 0.1})
    assert not fair.drawn_home(TASK, {"lr": 1.0, "weight_decay": 0.0})
    beale = LANDSCAPES["beale"]
    assert not fair.drawn_home(Task(beale, beale.start, 10, 0.0), {"weight_decay": 0.1})


# The whole ----------------------------------------------------------------------------------------


def test_a_race_is_held_as_its_parts_are_run_one_by_one() -> None:
    """Searches, both heats and the count of leaders against `tune` and `race` themselves."""
    entrants = [
        fair.Entrant("sgd", SGD, {}, SGD.option_values()),
        fair.Entrant("adam", ADAM, {}, ADAM.option_values()),
    ]
    protocol = fair.Protocol(2_400, 3, 2, 0, 2, 10, 8, 0.0185)
    told: list[float] = []
    found = fair.hold(TASK, entrants, protocol, progress=told.append)
    assert told[-1] == 1.0
    assert told == sorted(told)
    seeds = race_seeds(10, 8)
    for entrant, search, own, one in zip(
        entrants, found.searches, found.own.curves, found.one.curves, strict=True
    ):
        rule = entrant.optimizer
        alone = tune(TASK, rule, 2_400, tuning_seeds(0, 3), names=fair.searched(rule, 2))
        np.testing.assert_array_equal(search.scores, alone.scores)
        np.testing.assert_array_equal(own, race(TASK, rule, seeds, alone.setting(alone.best)))
        np.testing.assert_array_equal(one, race(TASK, rule, seeds, {"lr": 0.0185}))
    assert found.firsts.total() == 2
    assert found.varies


def test_a_race_that_is_told_to_stop_stops() -> None:
    entrant = fair.Entrant("sgd-stopped", SGD, {}, SGD.option_values())
    protocol = fair.Protocol(2_400, 3, 2, 5, 2, 10, 8, 0.0185)
    with pytest.raises(fair.Cancelled):
        fair.hold(TASK, [entrant], protocol, cancelled=lambda: True)


def test_quartiles_are_values_of_the_sample() -> None:
    """Of 1, 2, 3, 4 by the inverted distribution function: 1, 2 and 3."""
    assert fair.quartiles([[4.0], [1.0], [3.0], [2.0]]) == ([1.0], [2.0], [3.0])


# What a step costs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "hypers", "options", "price"),
    [
        ("adam", {}, {}, 1), ("eve", {}, {}, 1), ("sam", {}, {}, 2), ("newton", {}, {}, 5),
        ("sophia", {"interval": 10}, {}, 1.4), ("sophia", {"interval": 4}, {}, 2),
        ("sophia", {"interval": 4}, {"form": "hutchinson"}, 1.5),
        ("sophia", {}, {"form": "squares"}, 1), ("mars", {}, {"form": "exact"}, 2),
        ("sam~sophia", {"interval": 4}, {}, 4), ("lookahead~sam~adam", {}, {}, 2),
    ],
)  # fmt: skip
def test_gradients_losses_and_hessian_products_are_paid_for(
    slug: str, hypers: dict[str, float], options: dict[str, str], price: float
) -> None:
    optimizer = find_optimizer(slug)
    assert optimizer.price(hypers, options) == pytest.approx(price)
    assert TASK.steps(optimizer, hypers, options) == int(40 / price)


@pytest.mark.parametrize("slug", ["line_search", "conjugate_gradient", "lbfgs"])
def test_a_line_search_pays_for_every_loss_that_it_asks_for(slug: str) -> None:
    """Trials and gradients counted on the way, and the race at e evaluations what they pay for."""
    calm, optimizer = replace(TASK, noise=0.0), OPTIMIZERS[slug]
    curve = fair.race(calm, optimizer, (0,))[0]
    run = engine.descend(BOWL, slug, BOWL.start, 40)
    spent, expected = 0, [calm.height(run.loss[0])]
    for step in range(1, 40):
        lengths = run.state["p"][step]
        moved = run.path[step] - run.path[step - 1]
        along = np.argmax(np.abs(lengths))
        assert run.state["alpha"][step] == pytest.approx(moved[along] / lengths[along])
        spent += int(run.state["asked"][step])
        assert 2 <= run.state["asked"][step] <= 13
        if spent <= 40:
            expected += [expected[-1]] * (spent - len(expected)) + [calm.height(run.loss[step])]
    expected += [expected[-1]] * (41 - len(expected))
    np.testing.assert_allclose(curve, expected)
    found = tune(calm, optimizer, 2_000, (1_000_000,), names=("lr", "shrink"))
    assert (found.spent <= 40).all()
    assert found.spent.sum() <= 2_000
    setting = found.setting(found.best)
    again = fair.race(calm, optimizer, (1_000_000,), setting)[0]
    assert again[-1] == found.scores[found.best]


# Schedules ----------------------------------------------------------------------------------------


def test_a_schedule_drives_tuning_and_race_alike() -> None:
    falling = replace(TASK, schedule=SCHEDULES["stable_decay"](decay=0.5))
    found = tune(falling, ADAM, 2_000, SEEDS, names=("lr",))
    setting = found.setting(found.best)
    raced = fair.race(falling, ADAM, SEEDS, setting)
    assert sorted(raced[:, -1])[1] == pytest.approx(found.scores[found.best], rel=1e-9)
    run = engine.descend(
        BOWL, ADAM, BOWL.start, 40, setting, schedule=falling.schedule, noise=2.0, seed=SEEDS[0]
    )
    np.testing.assert_allclose(raced[0], falling.height(run.loss))
    assert not np.allclose(raced, fair.race(TASK, ADAM, SEEDS, setting))
    assert falling.plan != TASK.plan
    search = OPTIMIZERS["line_search"]
    np.testing.assert_array_equal(fair.race(falling, search, (0,)), fair.race(TASK, search, (0,)))
