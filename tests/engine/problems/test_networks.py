"""Networks and data sets: shapes, seeds, gradients, and that training separates the classes."""

from __future__ import annotations

import gc
from itertools import islice
from typing import Any

import numpy as np
import pytest

from benchmarks.autograd import by_engine, by_hand
from engine.derivatives.numerical import check_grads
from engine.problems.data import DATASETS, two_moons
from engine.problems.networks import ACTIVATIONS, MLP, classification_loss, gradient_descent
from engine.tape import Value, Vector, autograd
from engine.tape import operations as ops

NETWORK = MLP((2, 16, 16, 1))


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_is_two_even_classes_drawn_from_its_seed(name: str) -> None:
    x, y = DATASETS[name](101, noise=0.05, seed=4)
    assert x.shape == (101, 2)
    assert sorted(np.unique(y, return_counts=True)[1]) == [50, 51]
    same = DATASETS[name](101, noise=0.05, seed=4)
    np.testing.assert_array_equal(same[0], x)
    assert not np.array_equal(DATASETS[name](101, noise=0.05, seed=5)[0], x)
    assert abs(np.corrcoef(np.arange(101), y)[0, 1]) < 0.4  # shuffled: a batch holds both classes


def test_the_moons_lie_on_their_half_circles() -> None:
    x, y = two_moons(400, noise=0.0)
    upper, lower = x[y == 0], x[y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1.0, rtol=1e-12)
    assert (upper[:, 1] >= 0).all()
    np.testing.assert_allclose(np.hypot(*(lower - [1.0, 0.5]).T), 1.0, rtol=1e-12)
    assert (lower[:, 1] <= 0.5).all()


def test_the_parameters_are_counted_and_bounded() -> None:
    parameters = NETWORK.initial(seed=1, dtype=np.float32)
    assert [p.shape for p in parameters] == [(2, 16), (16,), (16, 16), (16,), (16, 1), (1,)]
    assert sum(p.size for p in parameters) == NETWORK.size == 337
    assert {p.dtype for p in parameters} == {np.dtype(np.float32)}
    assert max(abs(parameters[2]).max(), abs(parameters[3]).max()) <= 0.25  # 1/√16


@pytest.mark.parametrize("activation", [*ACTIVATIONS, ops.sin])
def test_gradients_of_a_network(activation: Any) -> None:
    network = MLP((2, 5, 4, 1), activation)
    x, y = two_moons(12)
    loss = classification_loss(network)
    check_grads(lambda *w: loss(Vector(w), x, y[:, None]), *network.initial(3), rtol=1e-5)


def test_training_is_what_the_same_steps_by_hand_give() -> None:
    x, y = two_moons(64)
    start = NETWORK.initial(0)
    ours = islice(by_engine([p.copy() for p in start], x, y[:, None]), 200)
    np.testing.assert_allclose(
        list(ours), list(islice(by_hand(list(start), x, y[:, None]), 200)), rtol=0, atol=1e-12
    )


def test_training_separates_the_moons() -> None:
    x, y = two_moons(200, noise=0.1)
    steps = gradient_descent(classification_loss(NETWORK), NETWORK.initial(0), 1.0, x, y[:, None])
    *_, (loss, parameters) = islice(steps, 1500)
    right = (NETWORK(parameters, x)[:, 0] > 0) == (y == 1)
    assert loss < 0.05
    assert right.mean() > 0.98


def test_a_step_leaves_nothing_for_the_garbage_collector() -> None:
    x, y = two_moons(16)
    step = autograd.value_and_grad(classification_loss(NETWORK))
    parameters = NETWORK.initial(0)
    gc.collect()
    gc.disable()
    try:
        before = sum(type(o) is Value for o in gc.get_objects())
        for _ in range(5):
            step(parameters, x, y[:, None])
        assert sum(type(o) is Value for o in gc.get_objects()) == before
    finally:
        gc.enable()
