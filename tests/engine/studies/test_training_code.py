"""A network's training as a script: its losses are those of `Training` in double precision."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np
import pytest

from engine import OPTIMIZERS, SCHEDULES
from engine.problems.data import Split, split, table
from engine.problems.networks import ACTIVATIONS, INITIALISATIONS, MLP
from engine.runs.learning import Competitor, Training
from engine.runs.objectives import LOSSES
from engine.studies.training_code import FRAMEWORKS, Framework, training_script

STEPS = 12
PLAIN = [
    slug
    for slug, rule in OPTIMIZERS.items()
    if rule.elementwise and rule.tensor_state is None and rule.draws is None
]


@cache
def data(name: str) -> Split:
    return split(table(name, 30, 0.1, 3), seed=3)


def losses(
    framework: Framework, competitor: Competitor, *, data_set: str = "two_moons",
    activation: str = "tanh", seed: int = 5,
) -> tuple[Any, Any]:  # fmt: skip
    """The losses of the script and those of the laboratory."""
    if framework != "NumPy":
        os.environ["JAX_ENABLE_X64"] = "1"  # as the scripts do, before anything imports it
        pytest.importorskip({"PyTorch": "torch", "optax": "optax", "Keras": "keras"}[framework])
    learned = data(data_set)
    network = MLP((learned.features, 5, 4, learned.outputs), activation)
    run = Training(network, learned, competitor, steps=STEPS, seed=seed, dtype=np.float64)
    run.advance(STEPS)
    text = training_script(framework, network, learned, competitor, steps=STEPS, seed=seed)
    scope: dict[str, Any] = {"print": lambda *said: None}
    exec(compile(text, "<script>", "exec"), scope)
    return np.array(scope["losses"]), np.array(run.losses)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras on PyTorch
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("slug", PLAIN)
def test_every_rule_takes_the_same_steps(framework: Framework, slug: str) -> None:
    competitor = Competitor(slug, {"lr": 0.02}, batch=4)
    if framework == "Keras" and slug not in ("sgd", "adadelta", "lion"):  # by their defaults
        given = (MLP((2, 4, 1)), data("two_moons"), competitor)
        with pytest.raises(ValueError, match=r"keras\.optimizers has no"):
            training_script(framework, *given, steps=3)
        return
    theirs, ours = losses(framework, competitor)
    assert np.abs(theirs - ours).max() <= (1e-6 if framework == "Keras" else 1e-12)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras on PyTorch
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    ("competitor", "more"),
    [
        *((Competitor("sgd", {"lr": 0.3}, loss=name), {}) for name in LOSSES),
        *((Competitor("sgd", {"lr": 0.3}), {"activation": name}) for name in ACTIVATIONS),
        *((Competitor("sgd", {"lr": 0.1}, scheme=name), {}) for name in INITIALISATIONS),
        (Competitor("adam", {"lr": 0.02}, batch=0), {"data_set": "iris"}),
        (Competitor("adam", {"lr": 0.02}, loss="mse", smoothing=0.1), {"data_set": "iris"}),
        (Competitor("adam", {"lr": 0.02}, shuffle=False, batch=4), {}),
        (Competitor("sgd", {"lr": 1.0}, clip=0.05, average=0.9, l2=0.1), {}),
        (Competitor("momentum", {"lr": 0.1}, dropout=0.3, smoothing=0.2), {}),
        (Competitor("adamw", {"lr": 0.05}, schedule=SCHEDULES["cosine"](warmup=0.2)), {}),
        (Competitor("adamw", {"lr": 0.05}, schedule="one_cycle"), {}),
    ],
    ids=lambda value: "" if isinstance(value, Competitor) else str(value),
)
def test_every_setting_goes_into_the_script(
    framework: Framework, competitor: Competitor, more: dict[str, str]
) -> None:
    if framework == "Keras" and (competitor.dropout or competitor.optimizer != "sgd"):
        return  # refused, or without a rule: see above
    theirs, ours = losses(framework, competitor, **more)
    # optax counts the steps of its own schedules in single precision, Keras nearly all.
    loose = framework == "Keras" or (framework == "optax" and competitor.schedule != "constant")
    assert np.abs(theirs - ours).max() <= (1e-5 if loose else 1e-12)


def test_what_cannot_be_written_out_is_said() -> None:
    given = (MLP((2, 4, 1)), data("two_moons"))
    with pytest.raises(ValueError, match="form for tensors of its own"):
        training_script("NumPy", *given, Competitor("shampoo"), steps=3)
    with pytest.raises(ValueError, match="loss for two classes"):
        training_script(
            "NumPy", MLP((4, 4, 3)), data("iris"), Competitor("sgd", loss="hinge"), steps=3
        )
