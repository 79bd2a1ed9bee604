"""Optimizers on a stream of gradients: the same rules, and averages that are what they claim."""

import numpy as np
import pytest

import engine


@pytest.mark.parametrize("slug", ["sgd", "momentum", "adam", "rmsprop", "lion", "nadam", "adan"])
def test_a_stream_of_a_runs_own_gradients_repeats_the_run(slug: str) -> None:
    run = engine.descend("bowl", slug, (3, 2), 50, {"lr": 0.02}, schedule="cosine")
    again = engine.follow(slug, run.gradient[:-1], {"lr": 0.02}, start=(3, 2), schedule="cosine")
    np.testing.assert_allclose(again.path, run.path, rtol=1e-12, atol=1e-12)
    for name, values in again.state.items():
        np.testing.assert_allclose(values, run.state[name][1:], rtol=1e-12, atol=1e-12)


def test_adams_average_is_a_sum_with_fading_weights() -> None:
    g = np.random.default_rng(0).standard_normal(30)
    m = engine.follow("adam", g).state["m"][:, 0]
    weights = 0.1 * 0.9 ** np.arange(30)
    expected = [np.dot(weights[: t + 1], g[t::-1]) for t in range(30)]
    np.testing.assert_allclose(m, expected, rtol=1e-12)


def test_bounds_hold_every_point() -> None:
    path = engine.follow("sgd", np.full(20, -1.0), {"lr": 0.3}, bounds=(-1, 1)).path
    assert path.max() == 1.0
    assert path[3] == pytest.approx(0.9)


def test_rules_that_ask_for_more_than_gradients_are_refused() -> None:
    with pytest.raises(ValueError, match="no Hessian"):
        engine.follow("sophia", np.ones(3))
    with pytest.raises(ValueError, match="no loss"):
        engine.follow("eve", np.ones(3))
