"""Training of networks: PyTorch's own numbers, determinism, accuracy, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.optimizers import OPTIMIZERS
from engine.optimizers.schedules import SCHEDULES
from engine.problems.data import DATASETS, Batches, Split, split, table
from engine.problems.networks import INITIALISATIONS, MLP
from engine.runs.learning import Competitor, Training
from engine.runs.objectives import LOSSES, Objective
from engine.runs.training import Trainer, one_group
from engine.tape import Vector

GOLDEN = Path(__file__).parents[2] / "golden" / "training.npz"
with np.load(GOLDEN) as _stored:
    KEPT = dict(_stored)
CASES = json.loads(str(KEPT["cases"]))["cases"]


@pytest.mark.parametrize("slug", sorted({case["optimizer"] for case in CASES}))
def test_training_is_its_reference_step_by_step(slug: str) -> None:
    """100 steps of the same weights and batches in float64, every loss and the weights at the end:
    PyTorch's rules under three losses times three activations, with and without clipping, the
    others as the libraries and papers that `training_rules` names have them, under three pairs.
    Muon's hidden matrix is once narrower and once wider than what it reads: torch.optim.Muon moves
    it as torch.nn.Linear keeps it, (out, in), optax's as a kernel, (in, out)."""
    for index, case in enumerate(CASES):
        if case["optimizer"] != slug:
            continue
        outputs = case["outputs"]
        start = [KEPT[f"{case['network']}_{i}"] for i in range(6)]
        network = MLP((2, *map(len, start[1::2])), case["activation"])
        groups = one_group(slug, start, case["hypers"], case["options"], {"lr": 0.01})
        trainer = Trainer(start, groups, clip=case["clip"])
        trainer.signs = lambda t, size: KEPT["signs"][t - 1, :size].astype(float)
        objective = Objective(network, {"softmax": "cross_entropy"}.get(case["loss"], case["loss"]))
        x, y = KEPT[f"x{outputs}"], KEPT[f"y{outputs}"]
        expected = KEPT[f"losses{index}"]
        batches = [...] * 100 if case["every_example"] else KEPT["batches"]
        losses = [trainer.step(objective, 1.0, x[b], y[b]) for b in batches[: len(expected)]]
        np.testing.assert_allclose(losses, expected, rtol=1e-10, err_msg=str(case))
        end = np.concatenate([w.ravel() for w in trainer.tensors])
        np.testing.assert_allclose(end, KEPT[f"end{index}"], rtol=0, atol=1e-10, err_msg=str(case))


def test_every_rule_of_networks_has_a_reference() -> None:
    """A new rule fails here until `training_rules` says who else trains by it."""
    held = {case["optimizer"] for case in CASES}
    assert held == {o.slug for o in OPTIMIZERS.values() if o.on_tensors}
    assert min(len(KEPT[f"losses{i}"]) for i in range(len(CASES))) >= 40


MOONS = split(table("two_moons", 512), test=0.5)
SMALL = MLP((2, 16, 16, 1))


@pytest.mark.parametrize("slug", [o.slug for o in OPTIMIZERS.values() if o.on_tensors])
def test_a_recorded_step_is_the_plain_one(slug: str) -> None:
    """The printed step and the tape written anew at every step give the same weights."""
    runs = []
    for plain in (False, True):
        run = Training(SMALL, MOONS, Competitor(slug, {"lr": 0.01}), dtype=np.float64)
        if plain:
            run.trainer._loss = run.objective
            run.trainer._step = run.trainer.advance_by(run.objective)  # type: ignore[assignment]
        run.advance(25)
        runs.append(run)
    np.testing.assert_allclose(runs[0].losses, runs[1].losses, rtol=1e-9)
    assert runs[0].trainer.evaluations == runs[1].trainer.evaluations >= 25


@pytest.mark.parametrize("slug", ["adam", "sophia", "muon"])
def test_the_same_seed_is_the_same_run_in_whatever_slices(slug: str) -> None:
    competitor = Competitor(slug, {"lr": 0.01}, schedule="cosine", dropout=0.2, clip=1.0)
    whole, sliced = (Training(SMALL, MOONS, competitor, steps=60, seed=3) for _ in range(2))
    whole.advance(60)
    for part in (1, 20, 39):
        sliced.advance(part)
    assert whole.losses == sliced.losses
    assert whole.losses != Training(SMALL, MOONS, competitor, steps=60, seed=4).losses


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_drives_the_rate_of_every_group(schedule: str) -> None:
    """The run is that of steps at the rates that the schedule says, for both of Muon's groups."""
    run = Training(SMALL, MOONS, Competitor("muon", schedule=schedule), steps=12, dtype=np.float64)
    run.advance(12)
    start = SMALL.initial(0, scheme="xavier")
    plain = [Trainer(start, run.trainer.groups) for _ in range(2)]
    for k, factor in enumerate(SCHEDULES[schedule].factors(12)):
        loss = plain[0].step(run.objective, float(factor), *run.batch(k))
        assert loss == run.losses[k]
        plain[1].step(run.objective, 1.0, *run.batch(k))
    moved = [
        all(np.array_equal(run.trainer.tensors[i], by.tensors[i]) for i in range(len(start)))
        for by in plain
    ]
    assert moved == [True, schedule == "constant"]


def test_competitors_begin_at_the_same_weights_and_learn_the_same_batches() -> None:
    rivals = [Competitor("sgd", {"lr": 0.0}), Competitor("adam", {"lr": 0.0})]
    *_, (one, other) = engine.train(SMALL, MOONS, rivals, steps=12, every=5)
    assert one.batch_loss == other.batch_loss
    assert (one.step, one.examples, one.evaluations) == (12, 12 * 32, 12)


def test_everything_is_learned_in_single_precision() -> None:
    run = Training(SMALL, MOONS, Competitor("muon", {"lr": 0.02}, average=0.9, l2=1e-4, clip=1.0))
    run.advance(3)
    assert {w.dtype for w in [*run.trainer.tensors, *run.trainer.averages]} == {np.dtype("f4")}


# What is learned ----------------------------------------------------------------------------------

# The share told apart of what is held back, and how far a seed may lie from it: about three
# standard deviations over seeds.
ACCURACY = {
    "two_moons": (0.995, 0.015), "circles": (0.99, 0.015), "spirals": (0.935, 0.035),
    "blobs": (0.98, 0.02), "xor": (0.985, 0.035), "iris": (0.965, 0.03),
    "breast_cancer": (0.965, 0.02), "digits": (0.963, 0.015),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCURACY)
def test_each_data_set_is_learned_to_a_stated_accuracy_over_seeds(name: str) -> None:
    """On every one of five seeds within the margin, and on their mean within half of it."""
    stated, margin = ACCURACY[name]
    found = []
    for seed in range(5):
        data = split(table(name, 512, seed=seed), seed=seed)
        network = MLP((data.features, 24, 24, data.outputs), "tanh")
        run = Training(network, data, Competitor("adam", {"lr": 0.01}), steps=600, seed=seed)
        run.advance(600)
        found.append(run.measured().test_accuracy)
    assert found == pytest.approx([stated] * 5, abs=margin)
    assert np.mean(found) == pytest.approx(stated, abs=margin / 2)


@pytest.mark.parametrize("slug", [o.slug for o in OPTIMIZERS.values() if o.on_tensors])
def test_every_rule_learns_a_tiny_batch_by_heart(slug: str) -> None:
    """Eight points with labels drawn at random: no rule for them, so they are remembered."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((8, 2)), np.array([0, 1, 1, 0, 1, 0, 0, 1])
    data = Split(x, y, x[:0], y[:0], ("0", "1"), np.zeros(2), np.ones(2))
    rate = {"sgd": 0.3, "asgd": 0.3, "momentum": 0.1, "nesterov": 0.1, "adadelta": 30.0,
            "aggmo": 0.05, "schedule_free_sgd": 1.0, "lion": 0.003, "adagrad": 0.1, "shampoo": 0.3,
            "lars": 20.0, "line_search": 10.0, "conjugate_gradient": 10.0,
            "lbfgs": 1.0}  # fmt: skip
    competitor = Competitor(slug, {"lr": rate.get(slug, 0.02)}, batch=0)
    run = Training(MLP((2, 16, 16, 1)), data, competitor, steps=1500)
    while not run.ended and not (run.measured().accuracy == 1.0 and run.measured().loss < 0.1):
        run.advance(50)
    assert run.measured().accuracy == 1.0
    assert run.measured().loss < 0.1
    assert np.isnan(run.measured().test_accuracy)


def test_a_network_of_zeros_keeps_its_units_alike() -> None:
    run = Training(SMALL, MOONS, Competitor("adam", {"lr": 0.01}, scheme="zero"), steps=200)
    run.advance(200)
    hidden = run.trainer.tensors[0]
    assert np.ptp(hidden, axis=1).max() == 0
    assert run.measured().accuracy < 0.9


def test_averaged_weights_are_what_is_measured() -> None:
    run = Training(SMALL, MOONS, Competitor("sgd", {"lr": 1.0}, batch=4, average=0.9))
    run.advance(1)
    first = [part.copy() for part in run.trainer.tensors]
    for average, now in zip(run.trainer.averages, first, strict=True):
        np.testing.assert_array_equal(average, now)  # as PyTorch's and Keras' averages begin
    run.advance(1)
    for average, begun, now in zip(run.trainer.averages, first, run.trainer.tensors, strict=True):
        np.testing.assert_allclose(average, 0.9 * begun + 0.1 * now, rtol=1e-6, atol=1e-8)
    assert np.array_equal(
        run.outputs(MOONS.x), SMALL(Vector(run.trainer.averages), MOONS.x.astype("f4"))
    )


def test_what_becomes_no_number_stops() -> None:
    network = MLP(SMALL.sizes, "relu")
    run = Training(network, MOONS, Competitor("momentum", {"lr": 1e4}, loss="hinge"), steps=50)
    run.advance(50)
    assert run.ended
    assert run.diverged_at is not None
    assert run.step == run.diverged_at + 1 < 50
    assert np.isnan(run.measured().accuracy)


def test_smoothing_penalty_and_dropout_say_what_they_are() -> None:
    x, y = MOONS.x[:6], MOONS.targets(MOONS.y[:6])
    weights = SMALL.initial(0)
    z = SMALL(weights, x)
    smooth = Objective(SMALL, smoothing=0.2)(weights, x, y)
    assert smooth == pytest.approx(LOSSES["cross_entropy"].of(z, 0.8 * y + 0.1))
    penalty = sum(float((w * w).sum()) for w in weights if w.ndim == 2)
    plain = Objective(SMALL)(weights, x, y)
    assert Objective(SMALL, l2=0.1)(weights, x, y) == pytest.approx(plain + 0.05 * penalty)
    run = Training(SMALL, MOONS, Competitor(dropout=0.25))
    masks = np.concatenate([np.ravel(m) for k in range(40) for m in run.masks(k)])
    assert set(np.unique(masks)) == {0.0, np.float32(1 / 0.75)}
    assert masks.mean() == pytest.approx(1.0, abs=0.02)


# What is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("competitor", "said"),
    [
        (Competitor(scheme="warm"), "no initialisation"),
        (Competitor(loss="guess"), "no loss"),
        (Competitor(dropout=1.0), "dropout"),
        (Competitor(l2=-1.0), "l2"),
        (Competitor(clip=float("nan")), "clip"),
        (Competitor(batch=-1), "batch"),
        (Competitor("newton"), "plane alone"),
        (Competitor("adam", {"speed": 1.0}), "speed"),
        (Competitor(schedule="slow"), "slow"),
    ],
)
def test_what_cannot_be_is_refused(competitor: Competitor, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Training(SMALL, MOONS, competitor).advance(1)


def test_a_loss_for_two_classes_is_refused_for_three() -> None:
    iris = split(table("iris"))
    with pytest.raises(ValueError, match="two classes"):
        Training(MLP((4, 8, 3)), iris, Competitor(loss="hinge"))
    with pytest.raises(ValueError, match="does not fit"):
        Training(MLP((2, 8, 3)), iris, Competitor())


def test_initialisations_have_the_spread_they_say() -> None:
    network = MLP((100, 200, 50))
    spread = {name: network.initial(0, scheme=name)[0].std() for name in INITIALISATIONS}
    assert spread["uniform"] == pytest.approx(0.1 / 3**0.5, rel=0.02)
    assert spread["xavier"] == pytest.approx((2 / 300) ** 0.5, rel=0.02)
    assert spread["he"] == pytest.approx(0.02**0.5, rel=0.02)
    assert spread["zero"] == 0
    assert spread["large"] == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize("size", [1, 3, 16, 50])
def test_batches_show_every_example_once_an_epoch(size: int) -> None:
    batches = Batches(50, size, seed=1)
    stream = np.concatenate([batches.take(k) for k in range(50)])
    for epoch in stream[: len(stream) // 50 * 50].reshape(-1, 50):
        assert sorted(epoch) == list(range(50))
    assert size == 50 or not np.array_equal(stream[:50], np.arange(50))
    assert all(len(batches.take(k)) == size for k in range(30))


def test_batches_of_no_size_are_refused() -> None:
    for size in (0, 51):
        with pytest.raises(ValueError, match="1 to 50"):
            Batches(50, size)


def test_every_drawn_set_trains_on_one_logit() -> None:
    assert {split(table(name, 40)).outputs for name in DATASETS} == {1}


def test_progress_counts_what_a_rule_really_takes() -> None:
    """Sophia's probe every ten steps is a Hessian–vector product: two gradients more."""
    run: Any = Training(SMALL, MOONS, Competitor("sophia", {"lr": 0.01}))
    run.advance(20)
    assert run.trainer.evaluations == 20 + 2 * 2


def test_a_smoothed_label_is_two_labels_in_their_shares_to_focal_loss() -> None:
    z, s = np.array([[-1.2], [0.4]]), 0.2
    one, zero = (LOSSES["focal"].of(z, np.full_like(z, label)) for label in (1.0, 0.0))
    found = LOSSES["focal"].of(z, np.full_like(z, 1 - s / 2))
    assert found == pytest.approx((1 - s / 2) * one + s / 2 * zero, rel=1e-12)
