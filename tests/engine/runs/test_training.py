"""The rules on tensors: the same as in the plane, Muon as PyTorch's on matrices, groups apart."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.optimizers import OPTIMIZERS, newton_schulz
from engine.runs.descent import probe_signs
from engine.runs.step import first_state
from engine.runs.training import Group, Trainer, hidden_matrices, hybrid, one_group
from engine.tape import Vector
from engine.tape import operations as ops

# These see two tensors, two layers, where the plane has one vector; Muon and Newton need matrices,
# the plane.
SEARCHING = ("line_search", "conjugate_gradient", "lbfgs")
BY_LAYER = {"shampoo", "lars", "lamb", "mars", "adafactor", "soap", "kron"}
SAME_AS_IN_THE_PLANE = sorted(set(OPTIMIZERS) - BY_LAYER - {"muon", "newton"})


@pytest.mark.parametrize("slug", SAME_AS_IN_THE_PLANE)
def test_a_rule_on_tensors_is_the_rule_of_the_plane(slug: str) -> None:
    surface = engine.LANDSCAPES["rosenbrock"]
    options = {"form": "hutchinson"} if slug == "sophia" else {}
    run = engine.descend(
        surface, slug, (-1.2, 1.0), 40, {"lr": 1e-3}, options=options, schedule="cosine"
    )
    tensors = [np.array([-1.2]), np.array([1.0])]
    trainer = Trainer(
        tensors, one_group(slug, tensors, {"lr": 1e-3}, options), lower_bound=surface.minimum
    )
    probes = probe_signs(40, 0)
    trainer.signs = lambda t, size: probes[t - 1]  # the plane's, for the rules that draw

    def loss(w: Vector) -> Any:
        return ops.sum(surface.at(w[0], w[1]))

    for t, factor in enumerate(engine.SCHEDULES["cosine"].factors(40)):
        assert trainer.step(loss, float(factor)) == pytest.approx(run.loss[t], rel=1e-9)
        np.testing.assert_allclose(np.concatenate(trainer.tensors), run.path[t + 1], rtol=1e-9)


with np.load(Path(__file__).parents[2] / "golden" / "matrices.npz") as _stored:
    MATRICES = dict(_stored)
MATRIX_CASES = json.loads(str(MATRICES["cases"]))["cases"]


@pytest.mark.parametrize("index", range(len(MATRIX_CASES)))
def test_rules_on_matrices_are_their_libraries(index: int) -> None:
    """PyTorch's Muon (its Newton–Schulz in float64) and Adafactor, pytorch_optimizer's Shampoo,
    SOAP and Kron, on ½‖AW − C‖²: square, tall and wide matrices (SOAP square ones), and vectors."""
    a, c, path = (MATRICES[f"{name}{index}"] for name in ("a", "c", "path"))
    case, tensors = MATRIX_CASES[index], [path[0]]
    rule = OPTIMIZERS[case["optimizer"]]
    own = rule.hyper_values(case["hypers"]), rule.option_values(case["options"])
    trainer = Trainer(tensors, [Group(rule, (0,), *own)])  # as it stands, in no network
    trainer.signs = lambda t, size: MATRICES[f"signs{index}"][t - 1].astype(float)

    def loss(w: Vector) -> Any:
        away = ops.matmul(a, w[0]) - c
        return 0.5 * ops.sum(away * away)

    kept = dict(zip(MATRICES["kept"].tolist(), path, strict=True))
    for t in range(1, max(kept) + 1):
        trainer.step(loss)
        if t in kept:
            error = np.abs(trainer.tensors[0] - kept[t]).max() / np.abs(path).max()
            assert error < 1e-12, (case["optimizer"], path[0].shape, t)


@pytest.mark.parametrize(
    "index", [i for i, c in enumerate(MATRIX_CASES) if c["optimizer"] == "muon"]
)
def test_newton_schulz_is_pytorchs(index: int) -> None:
    np.testing.assert_allclose(
        newton_schulz(MATRICES[f"gradient{index}"]), MATRICES[f"orthogonalised{index}"],
        rtol=1e-12, atol=1e-14,
    )  # fmt: skip


def network(w: Vector) -> Any:
    """A multilayer perceptron 3-5-4-1 on fixed data, its mean square error."""
    w1, b1, w2, b2, w3 = w
    hidden = ops.tanh(ops.matmul(INPUTS, w1) + b1)
    hidden = ops.tanh(ops.matmul(hidden, w2) + b2)
    away = ops.matmul(hidden, w3) - TARGETS
    return ops.mean(away * away)


RANDOM = np.random.default_rng(7)
INPUTS = RANDOM.standard_normal((24, 3))
TARGETS = np.sin(INPUTS.sum(axis=1, keepdims=True))
WEIGHTS = [0.5 * RANDOM.standard_normal(s) for s in ((3, 5), (5,), (5, 4), (4,), (4, 1))]


@pytest.mark.parametrize("slug", sorted(set(OPTIMIZERS) - {"newton"}))
def test_every_rule_trains_a_network(slug: str) -> None:
    rates = {"adadelta": 1.0, "sgd": 0.1, "momentum": 0.03, "nesterov": 0.03}
    rate = (rates | dict.fromkeys(SEARCHING, 1.0) | {"lars": 10.0, "prodigy": 1.0}).get(slug, 0.01)
    trainer = Trainer(WEIGHTS, one_group(slug, WEIGHTS, {"lr": rate}))
    losses = [trainer.step(network) for _ in range(150)]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.9 * losses[0]
    assert [t.shape for t in trainer.tensors] == [w.shape for w in WEIGHTS]


def test_groups_move_their_own_tensors_as_if_alone() -> None:
    """With the rest frozen by a rate of zero, each half of a hybrid moves as it does by itself."""
    groups = hybrid(WEIGHTS, ("muon", {"lr": 0.02}, None), ("sophia", {"lr": 0.0}, None))
    assert [(g.optimizer.slug, g.members) for g in groups] == [
        ("muon", (2,)),
        ("sophia", (0, 1, 3, 4)),
    ]
    trainer = Trainer(WEIGHTS, groups)
    alone = Trainer([WEIGHTS[2]], one_group("muon", [WEIGHTS[2]], {"lr": 0.02}))

    def rest_frozen(w: Vector) -> Any:
        return network(Vector((*WEIGHTS[:2], w[0], *WEIGHTS[3:])))

    for _ in range(5):
        assert trainer.step(network) == pytest.approx(alone.step(rest_frozen))
    np.testing.assert_allclose(trainer.tensors[2], alone.tensors[0], rtol=1e-12)
    np.testing.assert_array_equal(trainer.tensors[0], WEIGHTS[0])


@pytest.mark.parametrize("slug", [*sorted(BY_LAYER), "muon"])
@pytest.mark.parametrize("shape", [(3, 5), (5, 3)])
def test_a_layer_moves_alike_however_it_is_stored(slug: str, shape: tuple[int, int]) -> None:
    """As (in, out), which is x W and a kernel of optax's, and as (out, in), which is nn.Linear."""
    random = np.random.default_rng(3)
    bend, aim, start = (random.standard_normal(shape) for _ in range(3))
    signs = np.sign(random.standard_normal((6, *shape)))
    hypers = {"lr": 0.1} | ({"eps": 0.1} if slug == "soap" else {})  # else 0/0 shows roundings
    rule, ends = OPTIMIZERS[slug], []
    for output_axis in (1, 0):
        stored = (lambda m: m) if output_axis else np.transpose

        def loss(w: Vector, stored: Any = stored) -> Any:
            away = w[0] - stored(aim)
            return ops.sum(away * away * stored(np.exp(bend)))

        own = rule.hyper_values(hypers), rule.option_values()
        trainer = Trainer([stored(start)], [Group(rule, (0,), *own, output_axis)])
        trainer.signs = lambda t, size, stored=stored: stored(signs[t - 1]).ravel()
        for _ in range(6):
            trainer.step(loss)
        ends.append(stored(trainer.tensors[0]))
    np.testing.assert_allclose(*ends, rtol=1e-9, atol=1e-12)
    assert np.abs(ends[0] - start).max() > 1e-4


def test_muon_leaves_vectors_and_outer_matrices_to_adamw() -> None:
    muon, adamw = one_group("muon", WEIGHTS, {"lr": 0.02}, None, {"lr": 0.005})
    assert (muon.members, adamw.optimizer.slug) == ((2,), "adamw")
    assert adamw.hypers["lr"] == 0.005
    other = one_group("muon", WEIGHTS, {"lr": 0.02}, None, {"rho": 0.5}, "sophia")[1]
    assert (other.optimizer.slug, other.hypers["rho"], other.members) == (
        "sophia", 0.5, adamw.members,
    )  # fmt: skip
    assert hidden_matrices(WEIGHTS[:2]) == (0,)  # a shallow network has no other


def test_a_matrix_that_diverged_takes_no_roots_and_raises_nothing() -> None:
    start = [np.full((3, 2), 1e200)]
    trainer = Trainer(start, one_group("shampoo", start, {"lr": 1e200}))
    losses = [trainer.step(lambda w: ops.sum(w[0] * w[0] * w[0] * w[0])) for _ in range(3)]
    assert not np.isfinite(losses[-1])


def test_memory_is_counted_in_what_is_kept() -> None:
    """A 6 × 4 matrix and 4 biases beside it: 28 numbers, and what each rule keeps of them."""
    tensors = [np.ones((6, 4)), np.ones(4)]
    kept = {
        "sgd": 0, "momentum": 28, "adamw": 56, "shampoo": 36 + 16 + 1 + 16,
        "adafactor": 6 + 4 + 4, "soap": 2 * 28 + 2 * (36 + 16) + 1,
        "kron": 28 + 36 + 16 + 4 + 1,
    }  # fmt: skip
    for slug, numbers in kept.items():
        assert Trainer(tensors, one_group(slug, tensors)).memory == numbers, slug


@pytest.mark.parametrize("slug", OPTIMIZERS)
def test_what_a_rule_keeps_in_the_plane_is_counted(slug: str) -> None:
    """The count is what a step of the rule really hands to the next one."""
    entry = OPTIMIZERS[slug]
    state = first_state(entry.slots(), Vector((1.0, 2.0)))
    numbers = sum(len(value) if isinstance(value, Vector) else 1 for value in state.values())
    assert entry.kept() == numbers
    assert set(state) <= set(engine.descend("bowl", slug, (1.0, 2.0), 2).state)


def test_what_cannot_be_trained_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot take the rest"):
        one_group("muon", WEIGHTS, fallback="muon")
    with pytest.raises(ValueError, match="plane alone"):
        one_group("newton", WEIGHTS)
    with pytest.raises(ValueError, match="exactly one group"):
        Trainer(WEIGHTS, one_group("sgd", WEIGHTS)[:0])
