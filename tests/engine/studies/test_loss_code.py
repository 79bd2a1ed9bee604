"""Losses as code: what the scripts find is what the laboratory's own losses give."""

from __future__ import annotations

import ast
import math
import os
from typing import Any

import numpy as np
import pytest

from engine import losses
from engine.losses.information import entropy
from engine.studies.loss_code import LOSSES, loss_scripts
from engine.tape import autograd
from engine.tape import operations as ops

LOGIT = -1.3


def focal(z: Any) -> Any:
    p = ops.sigmoid(z)
    return -0.25 * (1.0 - p) ** 2.0 * ops.log(p)


CASES: dict[str, tuple[dict[str, Any], Any]] = {
    "squared error": (
        {"by": "error", "start": (4.0, -2.0), "half": True},
        lambda e: ops.sum(0.5 * e * e),
    ),
    "binary cross-entropy": (
        {"by": "z", "start": LOGIT, "y": 1, "base": 2},
        lambda z: ops.logit_cross_entropy(z, 1.0) / math.log(2),
    ),
    "focal": ({"by": "z", "start": LOGIT, "gamma": 2.0, "alpha": 0.25}, focal),
    "margins": (
        {"by": "m", "start": 0.3, "which": "hinge"},
        lambda m: losses.hinge(m, 1.0, reduction="none"),
    ),
    "softmax": (
        {"by": "z", "start": (2.0, 1.0, 0.1), "true_class": 1, "T": 0.7},
        lambda z: ops.sum(ops.softmax_cross_entropy(z / 0.7, np.array([0.0, 1.0, 0.0]))),
    ),
    "one neuron": (
        {"by": "z", "start": LOGIT, "y": 1, "half": False, "which": "MSE"},
        lambda z: (ops.sigmoid(z) - 1.0) ** 2.0,
    ),
    "entropy": (
        {"by": "p", "start": (0.2, 0.5, 0.3), "base": 2},
        lambda p: -ops.sum(p * ops.log(p)) / math.log(2),
    ),
}


@pytest.mark.parametrize("framework", ["PyTorch", "JAX"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_framework_finds_the_same_value_and_gradient(loss: str, framework: str) -> None:
    given, ours = CASES[loss]
    text = loss_scripts(loss, **given)[framework]
    ast.parse(text)
    os.environ["JAX_ENABLE_X64"] = "1"
    pytest.importorskip("torch" if framework == "PyTorch" else "optax")
    scope: dict[str, Any] = {"print": lambda *said: None}
    exec(compile(text, "<script>", "exec"), scope)
    value, gradient = autograd.value_and_grad(ours)(np.array(given["start"]))
    assert abs(scope["value"].item() - float(value)) <= 1e-12
    assert np.abs(np.array(scope["gradient"].tolist()) - np.asarray(gradient)).max() <= 1e-12


def test_other_names_are_refused() -> None:
    with pytest.raises(ValueError, match="there is no loss"):
        loss_scripts("nothing", "z", 1.0)


def test_entropy_is_the_laboratorys() -> None:
    given, ours = CASES["entropy"]
    assert math.isclose(float(ours(np.array(given["start"]))), float(entropy(given["start"], 2)))
