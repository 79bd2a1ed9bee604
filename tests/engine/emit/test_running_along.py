"""What runs along an array on a picture's tape, here and in the browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import engine
from components.live import Live
from components.wire import Wire
from engine.emit.picture import Picture, bounded_sum, running_average, running_largest
from tests.pages.programs import run_programs


def test_it_is_the_average_that_adam_keeps() -> None:
    stream = np.random.default_rng(1).standard_normal(40)
    kept = engine.follow("adam", stream, {"beta1": 0.83}).state["m"][:, 0]
    np.testing.assert_array_equal(running_average(stream, 0.83), kept)


def test_a_constant_stream_climbs_as_one_less_a_power() -> None:
    np.testing.assert_allclose(
        running_average(np.full(30, 2.0), 0.9), 2.0 * (1.0 - 0.9 ** np.arange(1, 31)), rtol=1e-13
    )


def test_the_browser_finds_the_same_and_follows(tmp_path: Path) -> None:
    picture = Picture({"beta": 0.97, "level": 1.5})
    stream = picture["level"] * np.random.default_rng(2).standard_normal(50)
    live = Live("page", picture)
    live.leaf(running_average(stream, picture["beta"]))
    live.leaf(running_largest(stream))
    live.leaf(bounded_sum(stream, -1.0, 1.0))
    (result,) = run_programs([live.spec(Wire(named=False), 0, ())], tmp_path)
    assert not result["error"]
    assert not result["doubts"]
    assert sorted(result["moved"]) == ["beta", "level"]


def test_a_walk_between_walls_stops_at_them() -> None:
    np.testing.assert_allclose(
        bounded_sum(np.array([0.5, 0.7, -0.3, -2.5, np.nan, 1.0]), -1.0, 1.0),
        [0.5, 1.0, 0.7, -1.0, np.nan, np.nan],
    )
    np.testing.assert_array_equal(running_largest(np.array([1.0, 3.0, 2.0])), [1.0, 3.0, 3.0])
