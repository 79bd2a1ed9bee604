"""What the engine's page shows from inside: tapes as text, branches, a perceptron's lesson."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.problems.formula import parse
from engine.studies.engine_room import Learner, Lesson, branching, entries, static


def test_tape_of_the_courses_example() -> None:
    rows = entries(parse("(x + y)*sin(x)"), {"x": math.pi / 4, "y": 1.0})
    assert [row.made for row in rows] == ["given", "given", "x + y", "sin(x)", "v2 · v3"]
    # Course material: f(x, y) = (x + y) sin x at (π/4, 1).
    assert [round(row.value, 3) for row in rows[2:]] == [1.785, 0.707, 1.262]
    assert [row.cotangent for row in rows] == pytest.approx(
        [1.9696, 0.7071, 0.7071, 1.7854, 1.0], abs=5e-5
    )


def test_what_does_not_matter_has_no_cotangent() -> None:
    rows = entries(lambda x, y: x * 2.0, {"x": 3.0, "y": 4.0})
    assert rows[1].cotangent is None
    assert entries(lambda x: 1.0, {"x": 3.0})[0].cotangent is None


@pytest.mark.parametrize("at", [-2.0, -0.3, 0.4, 2.5])
def test_both_graphs_agree_and_one_changes(at: float) -> None:
    dynamic, fixed = entries(branching, {"x": at}), entries(static, {"x": at})
    assert dynamic[-1].value == fixed[-1].value
    assert dynamic[0].cotangent == pytest.approx(fixed[0].cotangent, rel=1e-15)
    made = [row.made for row in dynamic]
    assert ("log(v1)" in made) == (at > 0)
    assert [row.operation for row in fixed] == [
        row.operation for row in entries(static, {"x": -at})
    ]


def test_a_lesson_is_learned_and_repeats() -> None:
    one, two = Learner(Lesson()), Learner(Lesson())
    one.learn(150)
    for _ in range(15):
        two.learn(10)
    assert one.losses == two.losses
    assert one.epoch == 150
    assert one.losses[-1] < 0.05 < one.losses[0]
    assert one.accuracy > 0.97


@pytest.mark.filterwarnings("error")
def test_a_lesson_that_diverges_stops_without_warning() -> None:
    learner = Learner(Lesson(optimizer="sgd", lr=1e160))
    learner.learn(50)
    assert learner.diverged
    epochs = learner.epoch
    learner.learn(10)
    assert learner.epoch == epochs < 50
    assert learner.probability(np.zeros((3, 2))).shape == (3,)
