"""Bias correction: the course's factors, the weights behind them, streams with a known truth."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine.emit.picture import Picture
from engine.runs.live import still
from engine.studies import bias_correction as averages


def test_factors_of_the_course() -> None:
    """β 0.9: ×10 at t = 1, ×1.535 at t = 10, to 1; β₂ 0.999: ×1000 at t = 1."""
    assert averages.correction(0.9, np.array([1, 10])) == pytest.approx([10, 1.535], abs=5e-4)
    assert averages.correction(0.9, 500) == pytest.approx(1.0)
    assert averages.correction(0.999, 1) == pytest.approx(1000)


def test_a_constant_stream_is_right_at_once_when_corrected() -> None:
    found = averages.averages(np.full(50, 2.0), 0.9, 0.999)
    t = np.arange(51)
    np.testing.assert_allclose(found.m, 2.0 * (1 - 0.9**t), rtol=1e-12)
    np.testing.assert_allclose(found.v, 4.0 * (1 - 0.999**t), rtol=1e-9)
    np.testing.assert_allclose(found.m_hat[1:], 2.0, rtol=1e-12)
    np.testing.assert_allclose(found.v_hat[1:], 4.0, rtol=1e-9)
    assert np.isnan(found.m_hat[0])


def test_weights_make_the_average_and_miss_what_stands_on_zero() -> None:
    g = averages.sample("drifting", 30, level=1.5, noise=0.4, seed=3).gradients
    weights = averages.weights(0.9, 30)
    assert weights.sum() == pytest.approx(1 - 0.9**30)
    found = averages.averages(g, 0.9, 0.999)
    assert found.m[30] == pytest.approx(weights @ g[::-1], rel=1e-12)
    assert averages.memory(0.9) == pytest.approx(10)
    assert averages.lag(0.9) == pytest.approx(9)


@pytest.mark.parametrize("kind", averages.SIGNALS)
def test_they_are_adams_own_averages_and_steps(kind: str) -> None:
    """The rule itself, fed the same stream, with and without correction."""
    g = averages.sample(kind, 60, level=0.7, noise=0.4, seed=5).gradients
    found = averages.averages(g, 0.83, 0.97)
    hypers = {"lr": 1.0, "beta1": 0.83, "beta2": 0.97, "eps": 1e-8}
    on = engine.follow("adam", g, hypers)
    off = engine.follow("adam", g, hypers, options={"bias_correction": False})
    for name in ("m", "v", "m_hat", "v_hat"):
        np.testing.assert_allclose(getattr(found, name)[1:], on.state[name][:, 0], rtol=1e-12)
    np.testing.assert_allclose(found.walked, on.path[:, 0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.walked_raw, off.path[:, 0], rtol=1e-10, atol=1e-12)
    kept = engine.follow("momentum", g, {"lr": 1.0, "beta": 0.83}).state["v"][:, 0]
    np.testing.assert_allclose(found.velocity[1:], kept, rtol=1e-12)


@pytest.mark.parametrize("kind", averages.SIGNALS)
def test_a_traced_stream_is_the_plain_one_as_far_as_it_goes(kind: str) -> None:
    picture = Picture({"steps": 25.0, "level": 1.3, "noise": 0.2})
    traced = averages.sample(
        kind, picture["steps"], level=picture["level"], noise=picture["noise"], seed=2, room=40
    )
    plain = averages.sample(kind, 25, level=1.3, noise=0.2, seed=2)
    for name in ("gradients", "mean", "square"):
        column = getattr(traced, name).data
        np.testing.assert_array_equal(column[:25], getattr(plain, name))
        assert np.isnan(column[25:]).all()


def test_adams_first_steps_with_and_without() -> None:
    """The first step is one learning rate; without correction (1−β₁)/√(1−β₂) = 3.162 of them."""
    found = averages.averages(np.full(3, 0.7), 0.9, 0.999)
    assert found.walked[1] == pytest.approx(-1, rel=1e-6)
    assert found.walked_raw[1] == pytest.approx(-averages.first_step_without(0.9, 0.999), rel=1e-5)
    assert averages.first_step_without(0.9, 0.999) == pytest.approx(3.162, abs=5e-4)


@pytest.mark.parametrize("kind", averages.SIGNALS)
def test_streams_have_the_truth_they_claim(kind: str) -> None:
    drawn = [averages.sample(kind, 200, level=0.8, noise=0.5, seed=s) for s in range(400)]
    g = np.stack([d.gradients for d in drawn])
    # Over a whole period, since "alternating" and "sparse" speak of their mean over time.
    assert g.mean() == pytest.approx(drawn[0].mean.mean(), abs=0.01)
    assert (g**2).mean() == pytest.approx(drawn[0].square.mean(), rel=0.01)


def test_a_traced_seed_draws_what_it_would_alone() -> None:
    picture = Picture({"seed": 3.0})
    g = averages.sample(
        "drifting", 9, level=1.0, noise=0.5, seed=picture["seed"], seeds=range(10)
    ).gradients
    assert g.data.tolist() == [
        *averages.sample("drifting", 9, level=1.0, noise=0.5, seed=3).gradients
    ]


def test_the_same_seed_draws_the_same_stream() -> None:
    a, b = (averages.sample("constant", 9, level=1, noise=1, seed=5) for _ in range(2))
    np.testing.assert_array_equal(a.gradients, b.gradients)


def test_a_runs_gradients_give_the_runs_own_averages() -> None:
    run = engine.descend("bowl", "adam", (5, 3), 40, {"lr": 0.3}, noise=2.0, seed=1)
    given = averages.of_run(still(run), "y", 2.0)
    found = averages.averages(given.gradients, 0.9, 0.999)
    np.testing.assert_allclose(found.m[1:], run.state["m"][1:, 1], rtol=1e-12)
    np.testing.assert_allclose(found.v_hat[1:], run.state["v_hat"][1:, 1], rtol=1e-12)
    np.testing.assert_array_equal(given.mean, run.gradient[:-1, 1])


def test_an_unknown_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no stream"):
        averages.sample("pink", 10, level=1, noise=0, seed=0)
