"""Sentences that explain a NaN by something that did not happen.

What it stands for: a run that meets NaN is reported as "diverged" by whoever only asks whether a
number is small enough (comparisons with NaN are false), and its reader turns the learning rate down
in vain. Here a run that had not moved was said to have "no bottom, … past a distance of 10,000".
The sentence is chosen by what happened. Right values: the formulas, by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.studies.stability import explain, explain_each

FALSE_OF_NAN = ("10\u202f000", "no bottom", "diverged", "nan", "inf", "times the stability limit")


def run(text: str, rule: str, at: tuple[float, float], lr: float = 0.1, **how: Any) -> Any:
    place = engine.LANDSCAPES[text] if text in engine.LANDSCAPES else engine.landscape(text)
    optimizer = engine.optimizer(rule) if "=" in rule else rule
    return engine.descend(place, optimizer, at, 100, {"lr": lr}, **how)


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize(
    ("text", "rule", "at", "step", "told"),
    [
        ("sqrt(x) + y", "sgd", (-4.0, 0.0), 1, "(−4, 0) the gradient and the loss are not numbers"),
        ("sqrt(x) + y", "momentum", (-4.0, 0.0), 1, "the gradient and the loss are not numbers"),
        ("sqrt(x) + y", "adam", (-4.0, 0.0), 1, "the gradient and the loss are not numbers"),
        ("sqrt(x)*y", "newton", (-4.0, 1.0), 1, "the gradient and the loss are not numbers"),
        ("sqrt(x) + y**2", "sgd", (0.0, 1.0), 1, "at (0, 1) the gradient is infinite"),
        ("bowl", "w = w - lr*g/(g - g)", (5.0, 3.0), 1, "an infinite step"),
        ("bowl", "w = w - lr*(g - g)/(g - g)", (5.0, 3.0), 1, "a step that is not a number"),
        ("bowl", "v = g\nw = w - lr*v/where(t > 3, 0, 100)", (5.0, 3.0), 4, "infinite step"),
    ],
)  # fmt: skip
def test_what_stopped_a_run_is_said(
    text: str, rule: str, at: tuple[float, float], step: int, told: str, noise: float
) -> None:
    descent = run(text, rule, at, noise=noise)
    assert descent.diverged_at == step
    sentence = explain(descent).sentence
    assert f"stopped at step {step}" in sentence
    assert told in sentence
    for words in FALSE_OF_NAN:
        assert words not in sentence.replace("infinite", "")


def test_a_run_that_walks_off_its_function_is_told_where() -> None:
    descent = run("sqrt(x) + y**2", "sgd", (1.0, 1.0), lr=0.5)
    sentence = explain(descent).sentence
    x, y = descent.path[descent.last]
    assert x < 0  # where the root has no value
    at = f"at ({x:.3g}, {y:.3g})".replace("-", "−")
    assert f"stopped at step {descent.diverged_at}: {at}" in sentence


def test_a_loss_without_value_is_not_told_as_a_number() -> None:
    descent = run("log(x) + y**2", "sgd", (-1.0, 3.0))  # 1/x goes on where the logarithm ends
    assert descent.diverged_at is None
    sentence = explain(descent).sentence
    assert "the loss is not a number" in sentence
    assert "nan" not in sentence


def test_the_reported_run_finds_its_way() -> None:
    descent = run("where(x>0, sqrt(x), x)", "sgd", (-4.0, 0.0))
    assert descent.diverged_at is None
    np.testing.assert_allclose(descent.path[1], [-4.1, 0.0])  # the slope is 1
    assert explain(descent).sentence == "SGD went from a loss of −4 to −14."


@pytest.mark.parametrize(
    ("text", "rule", "at", "lr", "told"),
    [
        ("saddle", "sgd", (1.6, 0.001), 0.2, "no bottom that way; the loss still fell, from 2.56"),
        ("x*y**3", "momentum", (1.0, -1.0), 0.1, "no bottom that way"),
        ("bowl", "sgd", (5.0, 3.0), 0.026, "1.3 times the stability limit"),
        ("two_wells", "sgd", (1.9, 0.5), 200.0, "times the stability limit"),  # it has a bottom
        ("bowl", "adam", (5.0, 3.0), 1e7, "no limit is known in closed form"),
    ],
)
def test_what_left_the_world_is_still_said_to(
    text: str, rule: str, at: Any, lr: float, told: str
) -> None:
    descent = run(text, rule, at, lr)
    assert told in explain(descent).sentence
    assert "diverged at step" in explain(descent).sentence


def test_together_they_are_told_as_each_alone() -> None:
    runs = [run("sqrt(x) + y", rule, (-4.0, 0.0)) for rule in ("sgd", "adam")]
    assert [e.sentence for e in explain_each(runs)] == [explain(r).sentence for r in runs]
