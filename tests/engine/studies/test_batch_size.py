"""Batch size: gradients and runs against sums over the examples themselves, and what noise does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.emit.picture import Picture
from engine.problems.counted import order
from engine.problems.data import Batches
from engine.runs.per_step import run_per_step
from engine.studies import batch_size as study


@pytest.mark.parametrize("size", [1, 32])
def test_a_run_is_descent_on_the_batches_themselves(size: int) -> None:
    noise, lr, steps = 0.5, 0.05, 60
    x, y = study.examples(noise)
    batches = Batches(study.EXAMPLES, size, 3)
    w = np.array(study.LINE.start)
    path = [w]
    for k in range(steps):
        i = batches.take(k)
        error = w[0] * x[i] + w[1] - y[i]
        w = w - lr * np.array([np.mean(error * x[i]), np.mean(error)])
        path.append(w)
    found = run_per_step(
        study.LINE.landscape,
        "sgd",
        study.LINE.start,
        steps,
        study.of_steps(size, noise, 3),
        {"lr": lr},
    )
    np.testing.assert_allclose(found.path, path, rtol=1e-12, atol=1e-12)
    assert found.diverged_at is None


def test_a_run_needs_numbers_for_every_step() -> None:
    each = study.of_steps(1, 0.5, 0)
    with pytest.raises(ValueError, match="1000 numbers for 1001 steps"):
        run_per_step(study.LINE.landscape, "sgd", study.LINE.start, 1001, each)


def test_the_minimum_is_that_of_least_squares() -> None:
    x, y = study.examples(0.7)
    slope, intercept = np.polyfit(x, y, 1)
    np.testing.assert_allclose(study.LINE.best(study.of_all(0.7)), (slope, intercept), rtol=1e-10)
    hessian = np.array([[np.mean(x * x), np.mean(x)], [np.mean(x), 1.0]])
    assert study.sharpness() == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=1e-12)


def test_gradients_of_batches_are_means_of_single_ones_and_lie_in_the_ellipse() -> None:
    place = 3
    cloud = study.cloud(-1.0, 0.0, 0.5, place, 5)
    own = np.stack(cloud.own)
    for batch in (0, 7):
        members = order(5, batch, study.EXAMPLES)[: study.SIZES[place]]
        found = [float(part[batch]) for part in cloud.batches]
        np.testing.assert_allclose(found, own[:, members].mean(1), rtol=1e-10)
    np.testing.assert_allclose(cloud.full, own.mean(1), rtol=1e-12)
    # Over many drawn batches the spread, and the share inside the edge, are what is said.
    rng = np.random.default_rng(0)
    drawn = np.array([own[:, rng.permutation(1024)[:8]].mean(1) for _ in range(2000)])
    away = drawn - own.mean(1)
    assert math.sqrt(np.mean(np.sum(away**2, 1))) == pytest.approx(float(cloud.spread), rel=0.05)
    edge = np.stack(cloud.edge, 1) - own.mean(1)
    radius = np.linalg.norm(edge[np.argmin(
        np.abs(np.arctan2(*edge.T)[:, None] - np.arctan2(*away.T)), axis=0)], axis=1)  # fmt: skip
    assert np.mean(np.linalg.norm(away, axis=1) < radius) == pytest.approx(0.95, abs=0.03)


def test_noise_falls_as_the_root_of_the_batch_and_is_none_for_all() -> None:
    spread = [float(study.cloud(-1.0, 0.0, 0.5, place, 0).spread) for place in (0, 4, 10)]
    assert spread[1] == pytest.approx(spread[0] / 4, rel=0.01)
    assert spread[2] == 0.0


def test_sizes_are_found_by_their_place() -> None:
    found = [float(study.place(size)) for size in (0.0, 1, 5, 6, 1024, 9999)]
    assert found == [0, 0, 2, 3, 10, 10]


def test_the_noise_scale_is_large_where_the_gradient_is_small() -> None:
    assert float(study.cloud(-1.0, 0.0, 0.5, 3, 0).scale) < 5
    assert float(study.cloud(0.96, 0.33, 0.5, 3, 0).scale) > 200


def prices(**more: float) -> dict[int, study.Price]:
    values = {"lr": 0.1, "power": 0.0, "steps": 400, "noise": 0.5, "wide": 32} | more
    live = Picture(values)
    given = [live[name] for name in values]
    return {
        size: study.price(study.run("sgd", size, *given, 0), values["noise"])
        for size in study.RACED
    }


def test_one_rate_takes_as_many_steps_at_every_size_and_leaves_noise_by_eta_over_b() -> None:
    found = prices()
    assert max(found[s].steps for s in (32, 256, 1024)) < 1.1 * found[32].steps
    assert found[1].examples < found[32].examples / 20 < found[1024].examples / 400
    assert 10 < found[1].floor / found[32].floor < 60
    whole, half = prices(steps=1000), prices(lr=0.05, steps=1000)
    assert half[1].floor == pytest.approx(whole[1].floor / 2, rel=0.5)


def test_linear_scaling_ends_at_the_limit() -> None:
    found = prices(power=1.0, steps=1000)
    assert found[256].lr < 2 / study.sharpness() < found[1024].lr == pytest.approx(3.2)
    assert math.isnan(found[1024].steps)
    alike = prices(steps=1000)
    assert 0.4 < found[256].floor / found[32].floor < 2.5
    assert alike[32].floor / alike[256].floor > 6.0


def test_side_by_side_a_batch_of_256_is_as_quick() -> None:
    found = prices(wide=256)
    assert found[256].seconds < 2.1 * found[1].seconds
    assert found[256].floor < found[1].floor / 100
    assert found[1024].seconds > 3 * found[256].seconds


def test_two_layers_have_the_gradients_of_the_chain_rule() -> None:
    u, v, noise = 0.7, -1.2, 0.4
    x, y = study.examples(noise)
    cloud = study.cloud(u, v, noise, 3, 5, study.LAYERS)
    error = u * v * x - y
    np.testing.assert_allclose(np.stack(cloud.own), [error * v * x, error * u * x], rtol=1e-12)
    np.testing.assert_allclose(cloud.full, np.stack(cloud.own).mean(1), rtol=1e-10)
    members = order(5, 7, study.EXAMPLES)[:8]
    found = [float(part[7]) for part in cloud.batches]
    np.testing.assert_allclose(found, np.stack(cloud.own)[:, members].mean(1), rtol=1e-10)
    means = study.of_all(0.0)
    at = study.LAYERS.best(means)
    assert study.LAYERS.gradient(means, *at) == pytest.approx((0.0, 0.0), abs=1e-12)
    hessian = study.LAYERS.landscape(**means).hessian(at)
    assert np.linalg.eigvalsh(hessian)[-1] == pytest.approx(study.sharpness(study.LAYERS))


def test_noise_walks_along_the_valley_to_where_it_is_flat() -> None:
    """u² − v² shrinks by 1 − (η g)² a step, which is exact, g the slope by u·v of the step's own
    batch; what g is left at the end says how far it gets."""
    live = Picture({"lr": 0.1, "power": 0.0, "steps": 1000, "noise": 0.5, "wide": 32})
    given = [live[name] for name in ("lr", "power", "steps", "noise", "wide")]
    found = {}
    for size in study.RACED:
        run = study.run("sgd", size, *given, 0, study.LAYERS)
        path = np.stack([run.descent.x.data, run.descent.y.data], 1)
        means = study.of_steps(size, 0.5, 0)
        g = path[:-1].prod(1) * means["xx"] - means["xy"]
        apart = path[:, 0] ** 2 - path[:, 1] ** 2
        np.testing.assert_allclose(apart[1:], apart[:-1] * (1 - (0.1 * g) ** 2), rtol=1e-8)
        found[size] = apart[-1] / apart[0]
    assert found[1] < 0.3
    assert found[study.EXAMPLES] > 0.85
    assert found[1] < found[32] < found[256]


def test_noise_leaves_the_sharp_well_in_a_window_of_sizes() -> None:
    found = study.leaving(8.0, 0.1)
    assert found[16].flat > 0.6
    assert found[16].flat > 3 * found[16].sharp
    assert all(found[size].sharp == 1.0 for size in (64, 128, 256))
    assert all(found[size].neither > 0.8 for size in (1, 2))
    assert found[16].error < 0.08
