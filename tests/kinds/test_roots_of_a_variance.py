"""The root of a variance that rounding has carried below 0.

What it stands for: E[g²] − E[g]² of a steady gradient cancels to nothing and a little below, and
centred RMSProp takes its root: NaN from then on (apache/mxnet#6235; the same in PyTorch and optax
today). Held at 0 it is the rule's own limit: a step of η g/ε. Right values: the recursion of the
variance itself, s ← β s + β(1 − β)(g − m)², which has nothing to cancel, by hand.
"""

from __future__ import annotations

import numpy as np
import pytest

import engine

SLOPES = ["3*x + 0.7*y", "0.1*x + 0.1*y", "1e6*x + 1e-3*y", "1e-8*x - 1e-9*y"]
CENTRED = {"epsilon": "outside", "centered": True}


def by_hand(gradient: np.ndarray, steps: int, lr: float, beta: float, eps: float) -> np.ndarray:
    w, m, s = np.zeros(2), np.zeros(2), np.zeros(2)
    path = [w]
    for _ in range(steps):
        s = beta * s + beta * (1 - beta) * (gradient - m) ** 2
        m = beta * m + (1 - beta) * gradient
        w = w - lr * gradient / (np.sqrt(s) + eps)
        path.append(w)
    return np.array(path)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("epsilon", ["outside", "inside"])
@pytest.mark.parametrize("slope", SLOPES)
def test_a_steady_gradient_never_gives_nan(slope: str, epsilon: str, beta: float) -> None:
    run = engine.descend(
        engine.landscape(slope), "rmsprop", (0.0, 0.0), 400, {"lr": 1e-13, "beta": beta},
        options={"epsilon": epsilon, "centered": True},
    )  # fmt: skip
    assert run.diverged_at is None
    assert np.isfinite(run.path).all()


def test_the_reported_run_goes_on() -> None:
    run = engine.descend(
        engine.landscape("3*x + 0.7*y"), "rmsprop", (0.0, 0.0), 60, {"lr": 1e-6, "beta": 0.5},
        options=CENTRED,
    )  # fmt: skip
    assert run.diverged_at is None
    np.testing.assert_allclose(np.diff(run.path[-3:], axis=0), [[-300, -70]] * 2)  # η g/ε


def test_while_the_digits_last_it_is_the_variance() -> None:
    run = engine.descend(
        engine.landscape("3*x + 0.7*y"), "rmsprop", (0.0, 0.0), 20, {"lr": 1e-3, "beta": 0.5},
        options=CENTRED,
    )  # fmt: skip
    right = by_hand(np.array([3.0, 0.7]), 20, 1e-3, 0.5, 1e-8)
    np.testing.assert_allclose(run.path, right, rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_sweep_agrees(dtype: str) -> None:
    rates = np.array([1e-9, 1e-8])
    found = engine.sweep(
        engine.landscape("3*x + 0.7*y"), "rmsprop", {"lr": rates}, (0.0, 0.0), 100,
        hypers={"beta": 0.5}, options=CENTRED, dtype=dtype,
    )  # fmt: skip
    assert not found.diverged.any()
    assert np.isfinite(found.final_loss).all()


def test_the_difference_is_named() -> None:
    entry = engine.OPTIMIZERS["rmsprop"]
    assert "PyTorch and optax" in entry.relatives
    labels = [label for o in entry.options if o.name == "centered" for _, label in o.choices]
    assert any("at least 0" in label for label in labels)
