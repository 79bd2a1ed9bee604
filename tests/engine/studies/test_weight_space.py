"""Paths in weight space: planes against NumPy's decompositions, the edge of stability over seeds,
and the browser's study under Node against Python's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.optimizers import OPTIMIZERS, Optimizer
from engine.optimizers.wrappers import wrap
from engine.studies.live_weight_space import ByStart, Rule, module, parts
from engine.studies.weight_space import (
    RECORDS,
    RULES,
    borne,
    drawn,
    filter_normalised,
    follow,
    principal_directions,
    random_walk,
    seen,
    task,
    trainer_of,
    walk_shares,
)
from tests.engine.emit.node import Batch

CURVE = task("curve", 12, 2, "tanh", 0)


def test_principal_directions_are_those_of_the_singular_values() -> None:
    path = follow(CURVE, "sgd", {"lr": 0.25}, steps=500)
    centred = path.weights - path.weights.mean(axis=0)
    _, sizes, rows = np.linalg.svd(centred, full_matrices=False)
    found = principal_directions(path.weights)
    assert np.abs(np.sum(found * rows[:2], axis=1)) == pytest.approx([1.0, 1.0], abs=1e-9)
    view = seen(CURVE, [path])
    assert view.share == pytest.approx(sizes[:2] ** 2 / np.sum(sizes**2), rel=1e-9)


def test_a_plane_passes_through_the_end_of_the_first_path() -> None:
    path = follow(CURVE, "sgd", {"lr": 0.25}, steps=500)
    for plane in ("pca", "random"):
        view = seen(CURVE, [path], plane)  # type: ignore[arg-type]
        assert view.x[0][-1] == 0
        assert view.y[0][-1] == 0
        # At a point of the grid the loss is that of the weights there.
        u, v = view.across[3], view.up[20]
        axes = (
            principal_directions(path.weights)
            if plane == "pca"
            else filter_normalised(drawn(len(CURVE.start), 0, 2), path.weights[-1], CURVE.filters)
        )
        there = path.weights[-1] + u * axes[0] + v * axes[1]
        tensors = CURVE.form.cut(there)
        outputs = CURVE.network(tensors, CURVE.x)
        assert view.loss[20, 3] == pytest.approx(0.5 * np.mean((outputs - CURVE.targets) ** 2))


def test_filters_are_as_long_as_the_weights_and_biases_stand() -> None:
    start = CURVE.form.cut(CURVE.start)
    found = filter_normalised(drawn(len(CURVE.start), 3, 2), CURVE.start, CURVE.filters)
    for direction in found:
        for part, own in zip(CURVE.form.cut(direction), start, strict=True):
            if own.ndim == 2:  # one column leads into one unit
                assert np.linalg.norm(part, axis=0) == pytest.approx(np.linalg.norm(own, axis=0))
            else:
                assert not part.any()


def test_the_shares_of_a_random_walk() -> None:
    # Centred points of a walk have the path graph's pseudo-inverse Laplacian for their products.
    n = 40
    laplacian = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    laplacian[0, 0] = laplacian[-1, -1] = 1
    values = np.sort(np.linalg.eigvalsh(np.linalg.pinv(laplacian)))[::-1]
    assert walk_shares(n, 3) == pytest.approx(values[:3] / values.sum(), rel=1e-9)
    assert walk_shares(10_000) == pytest.approx(np.array([1, 1 / 4]) * 6 / np.pi**2, rel=1e-6)
    _, _, shares = random_walk(101, 4000, seed=1)
    assert shares == pytest.approx(walk_shares(101), rel=0.06)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lr", [0.25, 0.4])
def test_gradient_descent_comes_to_the_edge_and_stays(seed: int, lr: float) -> None:
    path = follow(task("curve", 12, 2, "tanh", seed), "sgd", {"lr": lr}, steps=2000)
    edge = 2 / lr
    assert path.sharpness[0] < edge  # it begins below
    assert path.sharpness.max() > edge  # passes it
    assert path.sharpness[-25:] == pytest.approx(edge, rel=0.12)  # and ends there
    assert np.any(np.diff(path.loss) > 0)  # not every record lower than the one before
    assert path.loss[-1] < 0.05 * path.loss[0]


def test_a_rule_of_the_plane_alone_is_not_followed() -> None:
    assert "newton" not in RULES
    with pytest.raises(ValueError, match="the plane alone"):
        follow(CURVE, "newton", steps=10)


def test_the_metric_of_a_rule_that_divides() -> None:
    """Against the whole matrix, P^-½ H P^-½ with P = √v̂ + ε, of a trainer of its own."""
    path = follow(CURVE, "adam", {"lr": 0.01}, steps=300)
    trainer = trainer_of(CURVE, "adam", {"lr": 0.01})
    for _ in range(150):
        trainer.step(CURVE.loss, 1.0, CURVE.x, CURVE.targets)
    (v,) = trainer.states[0]["v"]
    scale = 1 / np.sqrt(np.sqrt(v / (1 - 0.999**150)) + 1e-8)
    line = path.weights[50]
    hessian = np.array([CURVE.curved(line, row) for row in np.eye(len(line))])
    exact = np.linalg.eigvalsh(scale[:, None] * hessian * scale)[-1]
    assert path.effective[50] == pytest.approx(exact, rel=1e-3)
    adam = OPTIMIZERS["adam"]
    assert borne(adam, {"lr": 0.01, "beta1": 0.5}) == pytest.approx(600)
    assert borne(adam, {"lr": 0.01, "beta1": 0.5}, {"epsilon": "inside"}) is None
    inside = follow(CURVE, "adam", {"lr": 0.01}, {"epsilon": "inside"}, steps=100)
    assert np.array_equal(inside.effective, inside.sharpness)


def test_a_rate_far_beyond_the_edge_is_lost_at_once_and_seen_all_the_same() -> None:
    path = follow(CURVE, "sgd", {"lr": 5.0}, steps=2000)
    assert len(path.loss) == 1
    view = seen(CURVE, [path])
    found = parts([path], view)
    assert found["stopped0"] == 1
    assert np.isnan(found["loss0"][1:]).all()
    assert np.isfinite(view.loss).all()


def entry(slug: str) -> Optimizer:
    """A rule of the registry, or one round another, as in sam~adam."""
    wrapper, _, inside = slug.rpartition("~")
    return wrap(wrapper, OPTIMIZERS[inside]) if wrapper else OPTIMIZERS[inside]


def rate(lr: float) -> dict[str, float]:
    """The rate as a setting; 0 for rules that have none."""
    return {"lr": lr} if lr else {}


def given(rules: list[tuple[str, float]], steps: int, draw: int = 0) -> dict[str, Any]:
    """What a study in the browser is handed."""
    runs = {str(k): entry(rule).hyper_values(rate(lr)) for k, (rule, lr) in enumerate(rules)}
    size = len(CURVE.start)
    return {
        "runs": runs, "steps": steps, "x": CURVE.x.ravel(), "y": CURVE.targets.ravel(),
        "start": CURVE.start, "probe": drawn(size, 0)[0],
        "filters": CURVE.filters.astype(float), "normals": drawn(size, draw, 2).ravel(),
    }  # fmt: skip


def test_the_browser_finds_the_same(tmp_path: Path) -> None:
    cases: list[tuple[list[tuple[str, float]], int, str, int]] = [
        ([("sgd", 0.05), ("momentum", 0.02), ("rmsprop", 0.001)], 200, "pca", 0),
        ([("nesterov", 0.02), ("adam", 0.003)], 200, "random", 4),
        ([("lion", 0.001), ("adamw", 0.003)], 150, "pca", 0),
        ([("sgd", 5.0)], 2000, "pca", 0),
        ([("muon", 0.01), ("adafactor", 0.01), ("sophia", 0.001)], 100, "pca", 0),
        ([("sam~adam", 0.003), ("shampoo", 0.01), ("lbfgs", 0.01)], 40, "pca", 0),
        # SOAP's first turn takes up directions that no gradient has had: there a last bit decides.
        ([("soap", 0.003)], 10, "pca", 0),
        ([("kron", 1e-4)], 600, "random", 0),  # which learns more rarely from step 500 on
    ]
    batch, expected = Batch(), []
    for rules, steps, plane, draw in cases:
        text = module(ByStart(CURVE), tuple(Rule(rule, entry(rule)) for rule, _ in rules), plane)  # type: ignore[arg-type]
        batch.add(text, "study", given(rules, steps, draw))
        paths = [follow(CURVE, entry(rule), rate(lr), steps=steps) for rule, lr in rules]
        expected.append(parts(paths, seen(CURVE, paths, plane, draw)))  # type: ignore[arg-type]
    for found, wanted in zip(batch.run(tmp_path), expected, strict=True):
        assert set(found) == set(wanted)
        for name, value in wanted.items():
            ours = np.ravel(value)
            scale = max(1e-9, float(np.max(np.abs(ours), where=np.isfinite(ours), initial=0)))
            assert np.ravel(found[name]) == pytest.approx(
                ours, rel=0, abs=1e-6 * scale, nan_ok=True
            ), name


def test_beyond_the_edge_the_browser_is_the_same_until_a_last_bit_has_grown(
    tmp_path: Path,
) -> None:
    batch = Batch()
    text = module(ByStart(CURVE), (Rule("sgd", OPTIMIZERS["sgd"]),), "pca")
    batch.add(text, "study", given([("sgd", 0.25)], 2000))
    (found,) = batch.run(tmp_path)
    path = follow(CURVE, "sgd", {"lr": 0.25}, steps=2000)
    below = int(np.argmax(path.sharpness > 8.0))
    assert 10 < below < RECORDS
    assert found["sharpness0"][:below] == pytest.approx(path.sharpness[:below], rel=1e-6)
    assert found["sharpness0"][-25:] == pytest.approx(8.0, rel=0.12)
