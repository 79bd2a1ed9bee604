"""Information on a tape: the same digits as without one, whatever stands there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.emit.picture import Picture
from engine.losses import information as info

PAIRS = [
    ([0.6, 0.3, 0.1], [0.2, 0.3, 0.5]),
    ([0.0, 1.0, 0.0], [0.2, 0.7, 0.1]),
    ([0.5, 0.3, 0.2], [0.6, 0.4, 0.0]),
    ([1.0, 0.0], [1.0, 0.0]),
    ([0.5, 0.5], [0.5 + 2.0**-40, 0.5 - 2.0**-40]),
]


@pytest.mark.parametrize(("p", "q"), PAIRS)
@pytest.mark.parametrize(
    "measure",
    [info.cross_entropy, info.kl_divergence, info.js_divergence, lambda p, _: info.entropy(p, 2)],
)
def test_of_two_distributions(measure: Any, p: list[float], q: list[float]) -> None:
    live = Picture({"p": p, "q": q})
    traced = measure(live["p"], live["q"])
    assert live.owns(traced)
    assert traced.data == measure(p, q)


@pytest.mark.parametrize("p", [[1.0, 0.0, 3.0], [0.0, 0.0], [2.0, 5.0, 1.0, 1.0]])
@pytest.mark.parametrize("value", [-0.5, 0.0, 0.3, 1.0, 2.0])
def test_of_weights_that_a_hand_moves(p: list[float], value: float) -> None:
    live = Picture({"p": p, "value": value, "k": 1.0})
    shares = info.normalized(live["p"])
    np.testing.assert_array_equal(shares.data, info.normalized(p))
    moved = info.renormalized(shares, live["k"], live["value"])
    np.testing.assert_array_equal(moved.data, info.renormalized(info.normalized(p), 1, value))
    assert moved.data.sum() == pytest.approx(1, abs=1e-15)
    t = np.linspace(0, 1, 5)
    along = info.entropy_along(shares, live["k"], t, 2)
    np.testing.assert_array_equal(along.data, info.entropy_along(info.normalized(p), 1, t, 2))


def test_what_is_no_distribution_is_refused_on_a_tape_as_well() -> None:
    live = Picture({"p": [0.5, 0.6]})
    with pytest.raises(ValueError, match=r"sums to 1\.1"):
        info.entropy(live["p"])
    with pytest.raises(ValueError, match="lies in"):
        info.surprise(live["p"] + 1.0)
