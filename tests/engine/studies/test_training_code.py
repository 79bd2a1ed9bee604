"""A network's training as a script: its losses are those of `Training` in double precision."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock

import numpy as np
import pytest

from engine import OPTIMIZERS, SCHEDULES
from engine.optimizers.wrappers import wrap
from engine.problems.data import Split, split, table
from engine.problems.networks import ACTIVATIONS, INITIALISATIONS, MLP
from engine.runs.learning import Competitor, Training
from engine.runs.objectives import LOSSES
from engine.studies.frameworks import FRAMEWORKS, Framework
from engine.studies.training_code import training_script

STEPS = 12
RULES = [slug for slug, rule in OPTIMIZERS.items() if rule.on_tensors]
LIBRARY = {"PyTorch": "torch", "optax": "optax", "Keras": "keras"}


@cache
def data(name: str) -> Split:
    return split(table(name, 30, 0.1, 3), seed=3)


def in_a_line(parts: Any) -> Any:
    return np.concatenate([np.ravel(part) for part in parts])


def losses(
    framework: Framework, competitor: Competitor, *, data_set: str = "two_moons",
    activation: str = "tanh", seed: int = 5, hidden: tuple[int, int] = (5, 4),
) -> tuple[Any, Any]:  # fmt: skip
    """The losses of the script and those of the laboratory."""
    if framework != "NumPy":
        os.environ["JAX_ENABLE_X64"] = "1"  # as the scripts do, before anything imports it
        os.environ.setdefault("KERAS_BACKEND", "jax")
        pytest.importorskip(LIBRARY[framework])
    learned = data(data_set)
    network = MLP((learned.features, *hidden, learned.outputs), activation)
    start = network.initial(seed, np.float32, competitor.scheme)
    run = Training(
        network, learned, competitor, steps=STEPS, seed=seed, dtype=np.float64, start=start
    )
    run.advance(STEPS)
    text = training_script(framework, network, learned, competitor, steps=STEPS, seed=seed)
    scope: dict[str, Any] = {"print": lambda *said: None}
    exec(compile(text, "<script>", "exec"), scope)
    if competitor.average:
        # Keras' own begins as the laboratory's; PyTorch's is written out as that of
        # torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn.
        stored = [np.asarray(part) for part in scope["average"]]
        if "parameters" in scope:  # PyTorch's own, a layer as (outputs, inputs)
            stored = [part.T for part in stored]
        apart = in_a_line(stored) - in_a_line(run.trainer.averages)
        assert np.abs(apart).max() <= (1e-6 if framework == "Keras" else 1e-12)
    return np.array(scope["losses"]), np.array(run.losses)


def agree(framework: Framework, competitor: Competitor, least: float = 1e-12) -> None:
    theirs, ours = losses(framework, competitor)
    assert np.abs(theirs - ours).max() <= (1e-6 if framework == "Keras" else least)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("slug", RULES)
def test_every_rule_takes_the_same_steps(framework: Framework, slug: str) -> None:
    with native_in_double(framework, slug):
        agree(framework, Competitor(slug, {"lr": 0.02}, batch=4))


@contextmanager
def native_in_double(framework: Framework, slug: str) -> Iterator[None]:
    """PyTorch's Muon counts in bfloat16; here in double precision, so that it can be compared."""
    if (framework, slug) != ("PyTorch", "muon"):
        yield
        return
    torch = pytest.importorskip("torch")
    with mock.patch.object(torch.Tensor, "bfloat16", torch.Tensor.double):
        yield


@pytest.mark.parametrize("rest", ["adamw", "sgd", "kron"])  # keeps much, nothing, draws signs
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_muon_moves_a_layer_as_the_framework_stores_it(framework: Framework, rest: str) -> None:
    """√(out/in) where a hidden layer gives more than it reads: nn.Linear keeps it (out, in)."""
    muon = Competitor("muon", {"lr": 0.02}, fallback=rest, fallback_hypers={"lr": 0.01})
    with native_in_double(framework, "muon"):
        theirs, ours = losses(framework, muon, hidden=(4, 7))
    assert np.abs(theirs - ours).max() <= (1e-6 if framework == "Keras" else 1e-12)


# A wrapper goes tensor by tensor, on one line of all weights, or asks for the gradient elsewhere.
ROUND = ["sam~lamb", "sam~muon", "lookahead~lbfgs", "cautious~soap", "lookahead~muon", "sam~sophia"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("slug", ROUND)
def test_rules_round_rules_take_the_same_steps(framework: Framework, slug: str) -> None:
    wrapper, inner = slug.split("~")
    agree(framework, Competitor(wrap(wrapper, OPTIMIZERS[inner]), {"lr": 0.02}, batch=4))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_rules_that_the_gradient_is_not_enough_for_take_every_setting(framework: Framework) -> None:
    """A Hessian product through masks, smoothed targets and a penalty; a rule's other forms."""
    more: dict[str, Any] = {"dropout": 0.3} if framework != "Keras" else {}
    sophia = Competitor("sophia", {"lr": 0.05}, smoothing=0.1, l2=0.1, clip=0.5, **more)
    agree(framework, sophia)
    kron = Competitor("kron", {"lr": 0.05}, average=0.9, clip=0.05, schedule="cosine")
    agree(framework, kron)
    agree(framework, Competitor("mars", {"lr": 0.05}, {"form": "exact"}, batch=4))
    agree(framework, Competitor("lbfgs", {"lr": 0.05}, {"step": "fixed"}, batch=0))
    agree(framework, Competitor("muon", {"lr": 0.05}, {"scale": "none"}, batch=4))


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("slug", RULES)
def test_a_script_says_whether_it_carries_its_rule(framework: Framework, slug: str) -> None:
    given = MLP((2, 3, 1)), data("two_moons"), Competitor(slug)
    said = ast.get_docstring(ast.parse(text := training_script(framework, *given, steps=3)))
    carried = re.search(r"^def \w+\(t, factor, value, g, w\b", text, re.MULTILINE) is not None
    assert said is not None
    assert carried == (framework == "NumPy" or "carries the rule" in " ".join(said.split()))


def test_what_pytorch_has_is_taken_from_it() -> None:
    given = MLP((2, 3, 3, 1)), data("two_moons")
    text = training_script("PyTorch", *given, Competitor("muon", {"lr": 0.1}), steps=3)
    assert "torch.optim.Muon([parameters[i] for i in (2,)], lr=0.1," in text
    assert "torch.optim.AdamW([parameters[i] for i in (0, 1, 3, 4, 5,)]," in text
    text = training_script("PyTorch", *given, Competitor("adafactor"), steps=3)
    assert "torch.optim.Adafactor(parameters, lr=0.01, beta2_decay=-0.8," in text


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
    if framework == "Keras" and competitor.dropout:
        return  # refused: it draws masks of its own
    theirs, ours = losses(framework, competitor, **more)
    # optax counts the steps of its own schedules in single precision, Keras nearly all.
    loose = framework == "Keras" or (framework == "optax" and competitor.schedule != "constant")
    assert np.abs(theirs - ours).max() <= (1e-5 if loose else 1e-12)


def test_what_cannot_be_written_out_is_said() -> None:
    given = (MLP((2, 4, 1)), data("two_moons"))
    with pytest.raises(ValueError, match="masks of its own"):
        training_script("Keras", *given, Competitor("sgd", dropout=0.1), steps=3)
    with pytest.raises(ValueError, match="loss for two classes"):
        training_script(
            "NumPy", MLP((4, 4, 3)), data("iris"), Competitor("sgd", loss="hinge"), steps=3
        )
