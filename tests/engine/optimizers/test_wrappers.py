"""Wrappers round any rule: nothing changes where they do nothing, else what their papers say."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest

import engine
from engine.optimizers import OPTIMIZERS, WRAPPERS, wrap
from engine.runs.descent import find_optimizer
from engine.runs.sweeps import _describe, _described
from engine.runs.training import Trainer, one_group
from engine.tape import Vector
from engine.tape import operations as ops

SURFACE = engine.LANDSCAPES["rosenbrock"]
# A wrapper of the registry wears its own name already.
BARE = sorted(set(OPTIMIZERS) - set(WRAPPERS))
IDLE = {"lookahead": {"pull": 1.0}, "sam": {"radius": 0.0}}


@pytest.mark.parametrize(("slug", "wrapper"), list(itertools.product(BARE, IDLE)))
def test_an_idle_wrapper_is_the_rule_inside(slug: str, wrapper: str) -> None:
    inside, around = (
        engine.descend(SURFACE, name, (-1.2, 1.0), 30, {"lr": 1e-3, **hypers}, schedule="cosine")
        for name, hypers in ((slug, {}), (f"{wrapper}~{slug}", IDLE[wrapper]))
    )
    np.testing.assert_allclose(around.path, inside.path, rtol=1e-9)
    entry = OPTIMIZERS[slug]
    assert around.optimizer.evaluations == entry.evaluations * (2 if wrapper == "sam" else 1)


@pytest.mark.parametrize("slug", BARE)
def test_a_cautious_step_never_goes_uphill(slug: str) -> None:
    run = engine.descend(
        SURFACE, f"cautious~{slug}", (-1.2, 1.0), 60,
        {"lr": 1e-3, **({"weight_decay": 0.0} if slug in ("adamw", "muon") else {})},
        noise=1.0, seed=4,
    )  # fmt: skip
    step = run.path[:-1] - run.path[1:]
    assert (step * run.state["g"][1:] >= -1e-12).all()


def test_sam_round_lion_and_caution_round_lion_as_written_out() -> None:
    """By hand, on a bowl whose gradient is (2x, 20y)."""
    lr, radius, beta1, beta2 = 0.013, 0.3, 0.9, 0.99
    slopes = np.array([2.0, 20.0])
    uphill, cautious = (
        engine.descend("x**2 + 10*y**2", f"{wrapper}~lion", (1.7, 1.1), 50, {"lr": lr, **more}).path
        for wrapper, more in (("sam", {"radius": radius}), ("cautious", {}))
    )
    w, m = np.array([1.7, 1.1]), np.zeros(2)
    v, n = w.copy(), np.zeros(2)
    for t in range(50):
        g = slopes * w
        g = slopes * (w + radius * g / np.hypot(*g))
        w = w - lr * np.sign(beta1 * m + (1 - beta1) * g)
        m = beta2 * m + (1 - beta2) * g
        np.testing.assert_allclose(uphill[t + 1], w, rtol=1e-12, atol=1e-12)
        g = slopes * v
        u = np.sign(beta1 * n + (1 - beta1) * g)
        agrees = (u * g > 0).astype(float)
        v = v - lr * agrees * u / max(agrees.mean(), 1e-3)
        n = beta2 * n + (1 - beta2) * g
        np.testing.assert_allclose(cautious[t + 1], v, rtol=1e-12, atol=1e-12)


def test_the_same_wrapper_is_one_object_and_knows_its_inside() -> None:
    nested = find_optimizer("lookahead~sam~adam")
    assert nested is wrap("lookahead", wrap("sam", OPTIMIZERS["adam"]))
    assert nested.name == "Lookahead(SAM(Adam))"
    assert {"sync", "pull", "radius", "beta1"} <= set(nested.hyper_values())
    travelled = _described(pickle.loads(pickle.dumps(_describe(nested))))
    assert travelled is nested


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sam~sam~sgd", "both have the same names"),
        ("sam~lookahead~sam~sgd", "both have the same names"),
        ("sam~nobody", "no optimizer 'nobody'"),
        ("shy~adam", "no optimizer"),
    ],
)
def test_what_cannot_be_wrapped_is_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_optimizer(name)


def loss(w: Vector) -> Any:
    """A bowl of two tensors, of three numbers and of one."""
    return ops.sum(SLOPES * w[0] * w[0]) + ops.sum(3.0 * w[1] * w[1])


SLOPES = np.array([1.0, 5.0, 0.5])
TENSORS = [np.array([1.0, -0.4, 2.0]), np.array([0.7])]


def test_sam_goes_uphill_along_all_tensors_at_once() -> None:
    trainer = Trainer(TENSORS, one_group("sam~sgd", TENSORS, {"lr": 0.01, "radius": 0.3}))
    trainer.step(loss)
    g = np.concatenate([2 * SLOPES * TENSORS[0], 6.0 * TENSORS[1]])
    there = np.concatenate(TENSORS) + 0.3 * g / np.linalg.norm(g)
    slope = np.r_[2 * SLOPES, 6.0]
    expected = np.concatenate(TENSORS) - 0.01 * slope * there
    np.testing.assert_allclose(np.concatenate(trainer.tensors), expected, rtol=1e-12)


def test_caution_counts_in_each_tensor_by_itself() -> None:
    """Momentum that still rolls uphill in one coordinate of the first tensor."""
    groups = one_group("cautious~momentum", TENSORS, {"lr": 0.05, "beta": 0.9})
    trainer = Trainer(TENSORS, groups)
    w, v = [t.copy() for t in TENSORS], [0.0 * t for t in TENSORS]
    masked = 0
    for _ in range(12):
        g = [2 * SLOPES * w[0], 6.0 * w[1]]
        v = [0.9 * a + b for a, b in zip(v, g, strict=True)]
        for i in range(2):
            agrees = (v[i] * g[i] > 0).astype(float)
            masked += int(0 < agrees.mean() < 1)
            w[i] = w[i] - 0.05 * v[i] * agrees / max(agrees.mean(), 1e-3)
        trainer.step(loss)
        for got, right in zip(trainer.tensors, w, strict=True):
            np.testing.assert_allclose(got, right, rtol=1e-12, atol=1e-14)
    assert masked
