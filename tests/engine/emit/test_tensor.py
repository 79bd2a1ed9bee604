"""Recorded functions: they give what the plain tape gives, notice when shapes, types or decisions
change, hand out arrays that stay as they are, and leave alone what cannot be recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import pytest

from engine.emit.tensor import KEPT, RECORDINGS, compiled
from engine.losses import functions as losses
from engine.problems.networks import ACTIVATIONS, MLP, classification_loss, gradient_descent
from engine.tape import Value, Vector, autograd
from engine.tape import operations as ops

NETWORK = MLP((2, 5, 4, 1))


def batch(size: int, dtype: Any = np.float64, seed: int = 0) -> tuple[Any, Any]:
    """Points (size, 2) and labels of 0 and 1, (size, 1)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(size, 2)).astype(dtype)
    return x, (x[:, :1] * x[:, 1:] > 0).astype(dtype)


def leaves(x: Any) -> list[Any]:
    if isinstance(x, (tuple, list)):
        return [leaf for part in x for leaf in leaves(part)]
    return [x]


def assert_same(ours: Any, plain: Any, rtol: float = 1e-12, atol: float = 1e-14) -> None:
    """Equal forms, types and numbers."""
    assert type(ours) is type(plain)
    for a, b in zip(leaves(ours), leaves(plain), strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.result_type(a) == np.result_type(b)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def recorded(function: Callable[..., Any], *arguments: Any, times: int = 3) -> Any:
    """function compiled and called, after making sure that it gives the same each time."""
    ours = compiled(function)
    for _ in range(times):
        assert_same(ours(*arguments), function(*arguments))
        assert ours.reason == ""
    assert ours.recordings == 1
    return ours


# Equal to the tape --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("activation", [*ACTIVATIONS, ops.sin, ops.softplus])
def test_networks(activation: Any, dtype: Any) -> None:
    network = MLP((2, 5, 4, 1), activation)
    function = autograd.value_and_grad(classification_loss(network))
    ours = compiled(function)
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype is np.float32 else {}
    for seed in range(4):
        w, data = network.initial(seed, dtype), batch(7, dtype, seed)
        assert_same(ours(w, *data), function(w, *data), **tolerance)
    assert (ours.recordings, ours.reason) == (1, "")


TWO_CLASSES: dict[str, Callable[[Any, Any], Any]] = {
    "mse": losses.mse,
    "half mse": lambda z, y: losses.mse(z, y, half=True),
    "zero_one": lambda z, y: losses.zero_one(z > 0.0, y),
    "hinge": lambda z, y: losses.hinge(z, 2.0 * y - 1.0),
    "binary_cross_entropy": lambda z, y: losses.binary_cross_entropy(ops.sigmoid(z), y),
    "with_logits": losses.binary_cross_entropy_with_logits,
    "focal": lambda z, y: losses.focal(z, y, alpha=0.3),
    **{name: lambda z, y, f=f: ops.mean(f(z)) for name, f in losses.MARGIN_LOSSES.items()},
}


@pytest.mark.parametrize("name", TWO_CLASSES)
def test_losses_of_two_classes(name: str) -> None:
    def loss(w: Vector, x: Any, y: Any) -> Any:
        return TWO_CLASSES[name](NETWORK(w, x), y)

    w = NETWORK.initial(1)
    recorded(autograd.value_and_grad(loss), w, *batch(9), times=2)


@pytest.mark.parametrize("shared", ["indices", "probabilities"])
def test_losses_of_many_classes(shared: str) -> None:
    network = MLP((2, 5, 3), "relu")
    rng = np.random.default_rng(0)
    target = rng.integers(0, 3, 8) if shared == "indices" else rng.dirichlet(np.ones(3), 8)
    x = batch(8)[0]

    def loss(w: Vector, x: Any, y: Any) -> Any:
        return losses.cross_entropy(network(w, x), y)

    recorded(autograd.value_and_grad(loss), network.initial(0), x, target)


def test_training_takes_the_steps_of_the_tape() -> None:
    x, y = batch(64)
    start = NETWORK.initial(3)
    loss = classification_loss(NETWORK)
    value_and_grad = autograd.value_and_grad(loss)
    w = start
    for value, ours in islice(gradient_descent(loss, start, 0.3, x, y), 100):
        plain, gradient = value_and_grad(w, x, y)
        w = Vector([a - 0.3 * g for a, g in zip(w, gradient, strict=True)])
        assert value == pytest.approx(plain, rel=1e-11)
        assert_same(ours, w, rtol=1e-9, atol=1e-12)


def test_derivatives_of_second_order_and_forward_mode() -> None:
    w = np.array([0.3, -1.2, 2.0])

    def f(x: Any) -> Any:
        return ops.sum(ops.exp(ops.sin(x) * x) + ops.softplus(x)) * ops.sum(x)

    recorded(autograd.hessian(f), w)
    recorded(lambda x, t: autograd.jvp(f, (x,), (t,)), w, np.ones(3))


def test_values_of_another_tape_pass_through() -> None:
    w = np.array([0.3, -1.2, 2.0])
    gradient = autograd.grad(lambda x: ops.sum(ops.tanh(x) * x))
    ours = compiled(gradient)
    ours(w)
    plain = autograd.jvp(gradient, (w,), (np.ones(3),))
    assert_same(autograd.jvp(ours, (w,), (np.ones(3),)), plain)
    assert_same(compiled(lambda x: ours(x) + x)(w), gradient(w) + w)  # one record inside another


@pytest.mark.parametrize("seed", range(60))
def test_buffers_are_taken_again_only_when_nobody_needs_them(seed: int) -> None:
    """Random programs of square matrices: views, products and sums read at random distances."""
    plan = np.random.default_rng(seed).integers(0, 1 << 30, (40, 3))

    def program(*start: Any) -> Any:
        made = list(start)
        for kind, i, j in plan.tolist():
            x, y = made[-1 - i % min(len(made), 6)], made[-1 - j % min(len(made), 9)]
            xp = x.__array_namespace__()
            made.append(
                [
                    lambda x, y, xp: xp.tanh(x + y),
                    lambda x, y, xp: x.T - y * 0.5,
                    lambda x, y, xp: xp.where(x > y, x, y.T),
                    lambda x, y, xp: xp.where(x > 0.0, 0.0, y),
                    lambda x, y, xp: xp.tanh(x @ y),
                    lambda x, y, xp: x.T,
                    lambda x, y, xp: x.sum(axis=0) - y,
                    lambda x, y, xp: xp.max(x, axis=1, keepdims=True) * y,
                    lambda x, y, xp: xp.reshape(x.T, (2, 8))[1, :].reshape(2, 4)[:, 0].sum() - x,
                    lambda x, y, xp: xp.maximum(x[::-1, :], y),
                ][kind % 10](x, y, xp)
            )
        return made[-1], [made[-3], made[-5]], made[-7].sum()

    start = tuple(np.random.default_rng(seed + 100).normal(size=(3, 4, 4)))
    recorded(program, *start)


# Noticed changes ----------------------------------------------------------------------------------


def test_another_shape_or_type_is_recorded_anew_and_both_are_kept() -> None:
    function = autograd.value_and_grad(classification_loss(NETWORK))
    ours = compiled(function)
    w = NETWORK.initial(0)
    for _ in range(2):
        for size in (6, 9):
            assert_same(ours(w, *batch(size)), function(w, *batch(size)))
    assert ours.recordings == 2
    narrow = NETWORK.initial(0, np.float32)
    value, gradient = ours(narrow, *batch(6, np.float32))
    assert ours.recordings == 3
    assert {np.result_type(part) for part in (value, *gradient)} == {np.dtype(np.float32)}
    total = compiled(lambda parts: sum(parts[1:], parts[0]))
    for parts in (tuple(w[1::4]), list(w[1::4]), Vector(w[1::4])):
        assert_same(total(parts), w[1] + w[5])
    assert total.recordings == 3


def root_or_square(x: Any) -> Any:
    """√x where the sum is positive, x² elsewhere; Python decides, on what it is called with."""
    inside = x.data if type(x) is Value else x
    if inside.sum() > 0.0:
        return ops.sum(ops.sqrt(x))
    return ops.sum(x * x)


def test_another_decision_is_recorded_anew_and_both_are_kept() -> None:
    function = autograd.value_and_grad(root_or_square)
    ours = compiled(function)
    sides = [np.array([1.0, 4.0]), np.array([-1.0, -3.0]), np.array([9.0, 2.0])]
    for x in sides * 2:
        assert_same(ours(x), function(x))
    assert ours.recordings == 2
    assert "return MISSED" in ours.source
    assert "sqrt" in ours.source  # the last side


def test_a_loop_may_depend_on_the_numbers() -> None:
    def root(x: Any) -> Any:
        """Newton's iteration for √x, until x is met to 1e-12."""
        y = x
        while abs(y * y - x) > 1e-12 * x:
            y = 0.5 * (y + x / y)
        return y

    ours = compiled(root)
    for x in (2.0, 3.0, 1e6, 2.0, 0.5):
        assert_same(ours(np.float64(x)), root(np.float64(x)))
    assert 1 < ours.recordings < 5
    assert ours.reason == ""


def test_a_function_that_goes_another_way_every_time_is_left_to_run() -> None:
    def first_above(x: Any, bound: Any) -> Any:
        i = 0
        while x[i] < bound:
            i += 1
        return x[i] * 2.0

    x = np.arange(100.0)
    ours = compiled(first_above)
    for bound in range(RECORDINGS + KEPT):
        assert_same(ours(x, np.float64(bound)), 2.0 * np.float64(bound))
    assert ours.recordings == RECORDINGS
    assert "another way" in ours.reason


def test_settings_are_recorded_apart() -> None:
    def power(x: Any, exponent: int, name: str | None = None) -> Any:
        return ops.integer_power(x, exponent=exponent) if name is None else x

    ours = compiled(power)
    x = np.array([1.5, -2.0])
    for exponent in (2, 3, 2):
        assert_same(ours(x, exponent), power(x, exponent))
    assert_same(ours(x, 2, "import os"), x)
    assert ours.recordings == 3
    assert "import os" not in ours.source


def test_a_check_of_the_arguments_still_raises() -> None:
    network = MLP((2, 3))
    w, x = network.initial(0), batch(3)[0]
    ours = compiled(autograd.grad(lambda w, x, y: losses.cross_entropy(network(w, x), y)))
    ours(w, x, np.array([0, 2, 1]))
    with pytest.raises(ValueError, match="class index lies in"):
        ours(w, x, np.array([0, 3, 1]))
    ours(w, x, np.array([1, 1, 1]))
    assert ours.recordings == 1


# Arrays that are handed out -----------------------------------------------------------------------


def test_results_survive_the_next_call_and_may_be_written_to() -> None:
    function = autograd.value_and_grad(classification_loss(NETWORK))
    ours = compiled(function)
    calls = [(NETWORK.initial(seed), *batch(6, seed=seed)) for seed in range(3)]
    results = [ours(*call) for call in calls]
    for result, call in zip(results, calls, strict=True):
        assert_same(result, function(*call))
    parts = [part for _, gradient in results for part in gradient]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(parts) for b in parts[:i])
    for part in parts:
        part[...] = np.nan
    assert_same(ours(*calls[0]), function(*calls[0]))


def test_equal_results_and_constants_are_arrays_of_their_own() -> None:
    unused = Vector([np.ones(2), np.ones((2, 2))])

    def f(w: Vector, other: Any) -> Any:
        return ops.sum(w[0] + other)  # both slopes are the same; w[1] has none

    ours = compiled(autograd.value_and_grad(f, (0, 1)))
    for _ in range(3):
        value, (of_w, of_other) = ours(unused, np.ones(2))
        assert value == 4.0
        for part, wanted in zip((*of_w, of_other), (1.0, 0.0, 1.0), strict=True):
            assert (part == wanted).all()
            if part.flags.writeable:
                part += 5.0
    twice = compiled(lambda x: (x * 2.0, (x * 2.0).T))
    for _ in range(2):
        a, b = twice(np.ones((2, 2)))
        assert not np.shares_memory(a, b)


def test_two_threads_do_not_share_buffers() -> None:
    function = autograd.value_and_grad(classification_loss(NETWORK))
    ours = compiled(function)
    wrong: list[bool] = []

    def work(seed: int) -> None:
        call = (NETWORK.initial(seed), *batch(200, seed=seed))
        wanted = function(*call)[0]
        off = (abs(ours(*call)[0] - wanted) for _ in range(200))
        wrong.append(max(off) > 1e-12)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [False] * 3


# Types --------------------------------------------------------------------------------------------


def test_numbers_of_python_do_not_widen_float32() -> None:
    def step(w: Any, g: Any, lr: float) -> Any:
        return w - ops.exp(lr * 2.0) / 3.0 * g, lr * 0.5

    w, g = np.ones(3, np.float32), np.arange(3, dtype=np.float32)
    ours = compiled(step)
    for lr in (0.1, 0.25, 0.3):
        moved, half = ours(w, g, lr)
        assert moved.dtype == np.float32
        np.testing.assert_allclose(moved, step(w, g, lr)[0], rtol=1e-6)
        assert type(half) is float
        assert half == lr * 0.5
    assert ours.recordings == 1


def test_zero_has_a_sign() -> None:
    ours = compiled(lambda x: (x * 0.0, x * -0.0, x * 1, x * True))
    for part, wanted in zip(ours(np.ones(2)), (0.0, -0.0, 1.0, 1.0), strict=True):
        np.testing.assert_array_equal(np.copysign(1.0, part), np.copysign(1.0, wanted))
        np.testing.assert_array_equal(part, wanted)


def test_silenced_warnings_stay_silent() -> None:
    p = np.array([0.0, 1.0, 0.5])
    y = np.array([0.0, 1.0, 1.0])
    for given in (p, p[::-1].copy()):
        recorded(losses.binary_cross_entropy, given, y)

    def loud(x: Any) -> Any:
        return ops.log(x)

    ours = compiled(loud)
    ours(np.ones(1))
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        ours(np.zeros(1))


# What cannot be recorded --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * float(x.sum()),
        lambda x: x * np.asarray(x).max(),
        lambda x: x * next(i for i in range(5) if i > x.sum().item()),
        lambda x: {"twice": 2.0 * x}["twice"] if x.tolist() else x,
        lambda x: np.add.reduce(x) * x,
        lambda x: np.divmod(x, 2.0)[0],
        autograd.grad(lambda x: x[1] * x[0]),  # writes into an array of zeros
    ],
)
def test_what_cannot_be_recorded_runs_as_it_stands(function: Callable[[Any], Any]) -> None:
    ours = compiled(function)
    for x in (np.array([0.5, 1.0]), np.array([2.0, 0.75])):
        assert_same(ours(x), function(x))
    assert ours.reason
    assert ours.source == ""


def test_a_refusal_that_the_function_catches_is_still_one() -> None:
    def sly(x: Any) -> Any:
        try:
            return x * float(x[0])
        except TypeError:
            return x

    ours = compiled(sly)
    for x in (np.array([2.0, 1.0]), np.array([3.0, 1.0])):
        assert_same(ours(x), sly(x))
    assert "a number itself" in ours.reason


def test_an_argument_is_not_written_to() -> None:
    def rude(x: Any) -> Any:
        x += 1.0
        return x * 2.0

    x = np.ones(2)
    assert_same(compiled(rude)(x), np.full(2, 4.0))
    np.testing.assert_array_equal(x, 2.0)  # as the plain function leaves it
