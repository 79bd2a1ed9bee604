"""What `descend` promises: the path, divergence as data, noise that repeats, refusals in words."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.emit.compiled import CellsKernel
from engine.optimizers import OPTIMIZERS
from engine.problems.landscapes import LANDSCAPES
from engine.runs.descent import DIVERGENCE_RADIUS, MAX_STEPS, kernel_of
from engine.runs.tracing import landscape_loop

BOWL = LANDSCAPES["bowl"]


def test_a_path_begins_at_the_start_and_has_a_point_for_every_step() -> None:
    run = engine.descend("booth", "momentum", (-7, -5), 40, {"lr": 0.01, "beta": 0.5})
    assert run.path.shape == (41, 2)
    assert run.loss.shape == (41,)
    assert run.gradient.shape == (41, 2)
    np.testing.assert_array_equal(run.path[0], (-7, -5))
    np.testing.assert_array_equal(run.loss, run.landscape.value(run.path))
    assert (run.steps, run.last, run.diverged_at) == (40, 40, None)


def test_gradient_descent_on_a_bowl_has_a_closed_form() -> None:
    """w_t = (1 − η·λ)ᵗ w₀ along each axis, λ = 2 and 2κ."""
    run = engine.descend(BOWL(condition=10), "sgd", (3, -2), 50, {"lr": 0.03})
    t = np.arange(51)
    np.testing.assert_allclose(run.path[:, 0], 3 * (1 - 0.06) ** t, rtol=1e-12)
    np.testing.assert_allclose(run.path[:, 1], -2 * (1 - 0.6) ** t, rtol=1e-12)


def test_no_steps_is_a_run_too() -> None:
    run = engine.descend("rosenbrock", "adam", (0.5, 0.5), 0)
    np.testing.assert_array_equal(run.path, [(0.5, 0.5)])
    assert (run.steps, run.last, run.diverged_at) == (0, 0, None)
    assert run.state["m"].shape == (1, 2)


def test_the_first_step_to_a_target_and_the_distance_left() -> None:
    run = engine.descend("himmelblau", "sgd", (2.5, 2.5), 80, {"lr": 0.01})
    reached = run.steps_to_gap(1e-3)
    assert reached is not None
    assert run.gap[reached] <= 1e-3 < run.gap[reached - 1]
    assert run.steps_to_gap(-1.0) is None
    assert run.distance == pytest.approx(math.dist(run.path[-1], (3, 2)))
    camel = engine.descend("six_hump_camel", "sgd", (0.2, -0.5), 200, {"lr": 0.02})
    assert camel.loss[-1] < 0
    assert camel.gap[-1] == pytest.approx(0, abs=1e-9)
    assert camel.steps_to_gap(1e-6) is not None
    assert engine.descend("saddle", "sgd", (1, 0), 5).distance is None


def test_to_come_below_for_good_takes_longer_than_to_cross() -> None:
    """x² + 50y² from (5, 3) at η = 0.0185: momentum 0.9 crosses 0.01 and swings out again."""
    run = engine.descend("bowl", "momentum", (5, 3), 120, {"lr": 0.0185, "beta": 0.9})
    assert (run.steps_to_gap(0.01), run.steps_to_stay(0.01)) == (82, 106)
    assert run.gap[105] > 0.01 >= run.gap[106:].max()
    assert run.steps_to_stay(run.gap[-1] * 0.9) is None
    assert run.steps_to_stay(1e9) == 0
    away = engine.descend("bowl", "sgd", (5, 3), 60, {"lr": 0.03})
    assert away.diverged_at is not None
    assert away.steps_to_stay(1e300) is None, "what got away did not stay"


def test_state_is_what_the_rule_carried() -> None:
    run = engine.descend("booth", "momentum", (-7, -5), 30, {"lr": 0.01, "beta": 0.9})
    v, g = run.state["v"], run.state["g"]
    np.testing.assert_array_equal(v[0], (0, 0))
    np.testing.assert_array_equal(g[1:], run.gradient[:-1])
    for t in range(1, 31):
        np.testing.assert_array_equal(v[t], 0.9 * v[t - 1] + g[t])
        np.testing.assert_array_equal(run.path[t], run.path[t - 1] - 0.01 * v[t])


def test_a_schedule_is_a_factor_on_each_steps_rate() -> None:
    factors = np.linspace(1, 0, 25)
    run = engine.descend("booth", "sgd", (-7, -5), 25, {"lr": 0.05}, schedule=factors)
    steps = np.diff(run.path, axis=0)
    np.testing.assert_allclose(steps, -0.05 * factors[:, None] * run.gradient[:-1], atol=1e-13)


# Noise --------------------------------------------------------------------------------------------


def noisy(seed: int, noise: float = 2.0) -> np.ndarray:
    return engine.descend("booth", "sgd", (0, 0), 50, {"lr": 0.01}, noise=noise, seed=seed).path


def test_noise_repeats_with_its_seed_and_only_with_it() -> None:
    np.testing.assert_array_equal(noisy(3), noisy(3))
    assert not np.array_equal(noisy(3), noisy(4))
    assert not np.array_equal(noisy(3), noisy(3, noise=1.0))
    exact = engine.descend("booth", "sgd", (0, 0), 50, {"lr": 0.01}).path
    np.testing.assert_array_equal(noisy(3, noise=0.0), exact)


def test_noise_has_the_size_that_is_asked_for() -> None:
    run = engine.descend("saddle", "sgd", (0, 0), 20_000, {"lr": 1e-9}, noise=3.0, seed=1)
    away = run.state["g"][1:] - run.gradient[:-1]
    assert away.std(axis=0) == pytest.approx([3, 3], rel=0.03)
    assert away.mean(axis=0) == pytest.approx([0, 0], abs=0.1)


# Divergence ---------------------------------------------------------------------------------------


def test_a_run_past_its_limit_stops_at_the_last_point_inside() -> None:
    run = engine.descend(BOWL, "sgd", (5, 3), 200, {"lr": 0.026})
    at = run.diverged_at
    assert at is not None
    assert run.last == at - 1
    assert np.abs(run.path).max() <= DIVERGENCE_RADIUS
    np.testing.assert_array_equal(run.path[at:], np.tile(run.path[at - 1], (201 - at, 1)))
    # |1 − ηλ| = 1.6 a step: the first power of it that carries 3 out of the radius.
    assert at == math.ceil(math.log(DIVERGENCE_RADIUS / 3, 1.6))
    frozen = run.state["g"][at - 1 :]
    np.testing.assert_array_equal(frozen, np.broadcast_to(frozen[0], frozen.shape))


@pytest.mark.parametrize("landscape", LANDSCAPES)
@pytest.mark.parametrize("slug", OPTIMIZERS)
def test_no_run_ever_warns_or_shows_what_is_not_finite(slug: str, landscape: str) -> None:
    rates = {"lr": 10.0} if any(h.name == "lr" for h in OPTIMIZERS[slug].hypers) else {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = engine.descend(landscape, slug, LANDSCAPES[landscape].start, 60, rates)
        assert np.isfinite(run.path).all()
        assert np.isfinite(run.loss).all()


@pytest.mark.parametrize(
    ("slug", "landscape", "lr"),
    [("sgd", "goldstein_price", 1.0), ("momentum", "beale", 0.4), ("nesterov", "rosenbrock", 0.01)],
)
def test_all_ways_to_run_stop_at_the_same_step_and_bits(
    slug: str, landscape: str, lr: float
) -> None:
    """Quick Python, NumPy's numbers throughout, lanes of one, and a compiled block."""
    place, rule = LANDSCAPES[landscape], OPTIMIZERS[slug]
    constants = [*rule.hyper_values({"lr": lr}).values(), *place.arguments.values()]
    run = engine.descend(place, rule, place.start, 80, {"lr": lr})
    assert run.diverged_at is not None
    kernel = kernel_of(place, rule)
    kept = [*place.start, *[0.0] * len(kernel.loop.carried)]
    paths = [[x] * 81 for x in place.start]
    with np.errstate(all="ignore"):
        wide = [np.float64(x) for x in kept], [np.float64(x) for x in constants]
        k, left, _ = kernel.careful(0, 80, DIVERGENCE_RADIUS, wide[1], [], wide[0], paths, [])
    assert (k + 1, left) == (run.diverged_at, True)
    np.testing.assert_array_equal(np.array(paths).T[: k + 1], run.path[: k + 1])
    cells = CellsKernel(landscape_loop(place, rule, rule.option_values()), np.float64)
    begin = [np.array([x]) for x in place.start]
    for _ in range(2):
        x, y, stopped = cells.run(80, DIVERGENCE_RADIUS, 0.0, constants, [], begin)
        assert (x[0], y[0], stopped[0]) == (*run.path[-1], run.diverged_at)
        cells.compile()


def test_an_overflow_in_the_middle_is_divergence_and_not_an_error() -> None:
    """exp of a far point has no finite answer: Python would raise, the run must not."""
    steep = engine.landscape("exp(x) + y**2")
    run = engine.descend(steep, "sgd", (9.0, 1.0), 5, {"lr": 10.0})
    assert run.diverged_at is not None
    assert np.isfinite(run.path).all()
    start = engine.descend(steep, "sgd", (900.0, 1.0), 5, {"lr": 0.1})
    assert start.diverged_at == 1
    np.testing.assert_array_equal(start.path, np.tile((900.0, 1.0), (6, 1)))


# Invariance ---------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(
    slug=st.sampled_from(["sgd", "momentum", "nesterov"]),
    rotation=st.floats(-90, 90),
    condition=st.floats(1, 100),
    x=st.floats(-5, 5),
    y=st.floats(-5, 5),
)
def test_rules_without_coordinates_do_not_notice_a_turned_bowl(
    slug: str, rotation: float, condition: float, x: float, y: float
) -> None:
    a = math.radians(rotation)
    turn = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    hypers = {"lr": 0.5 / condition}  # stable for all three: rounding must not grow
    straight = engine.descend(BOWL(condition=condition), slug, (x, y), 60, hypers)
    turned = engine.descend(
        BOWL(condition=condition, rotation=rotation), slug, turn @ (x, y), 60, hypers
    )
    np.testing.assert_allclose(turned.path, straight.path @ turn.T, rtol=1e-9, atol=1e-9)


# Refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"landscape": "alps"}, "no landscape 'alps'; there are bowl"),
        ({"optimizer": "sdg"}, "no optimizer 'sdg'; there are sgd"),
        ({"start": (1, 2, 3)}, "two finite numbers"),
        ({"start": (1, math.nan)}, "two finite numbers"),
        ({"steps": -1}, "steps must lie in"),
        ({"steps": MAX_STEPS + 1}, "steps must lie in"),
        ({"hypers": {"rate": 1.0}}, "no hyper-parameter 'rate'; it has lr"),
        ({"hypers": {"lr": math.inf}}, "lr must be finite"),
        ({"options": {"form": "heavy"}}, "no option 'form'"),
        ({"noise": -1.0}, "noise must be"),
        ({"noise": math.nan}, "noise must be"),
        ({"schedule": [1.0, 1.0]}, "3 finite factors"),
        ({"schedule": [1.0, math.nan, 1.0]}, "3 finite factors"),
        ({"schedule": "sawtooth"}, "sawtooth"),
    ],
)
def test_what_cannot_be_run_is_refused_in_words(change: dict[str, Any], words: str) -> None:
    given_ = {"landscape": "bowl", "optimizer": "sgd", "start": (1, 1), "steps": 3, **change}
    with pytest.raises(ValueError, match=words):
        engine.descend(**given_)
