"""What the engine's page shows from inside: tapes as text, branches, a perceptron's lesson."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
import pytest

from engine.derivatives.graph import build, read_program
from engine.limits import LEARNING_NUMBERS, LEARNING_STEPS
from engine.problems.formula import parse
from engine.studies import scalar
from engine.studies.engine_room import (
    Learner,
    LearningSetup,
    branching,
    entries,
    static,
)
from engine.studies.lineage import LINEAGE
from engine.studies.stepping import Stepping, by_the_lines, by_the_tape
from engine.tape import autograd
from engine.tape import operations as ops
from tests.browser import ROOT


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


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("(x + y)*sin(x)", (math.pi / 4, 1.0)),
        ("(w*x + c - y)**2", (0.5, 2.0, 0.25, 1.0)),
        ("-tanh(x)/exp(y) + log(x)*cos(y)", (0.7, 1.3)),
        ("sigmoid(3*x) - relu(x - 1)*sqrt(y)", (0.7, 1.3)),
        ("1/x**3 + relu(2*x)", (0.7,)),
    ],
)
def test_the_scalar_engine_gives_the_gradients_of_the_tape(
    text: str, values: tuple[float, ...]
) -> None:
    formula = parse(text, None)

    def f(*at: float) -> object:
        return formula(**dict(zip(formula.names, at, strict=True)))

    value, gradient = scalar.gradient(f, values)
    wanted, slopes = autograd.value_and_grad(f, range(len(values)))(*values)
    assert value == pytest.approx(float(wanted), rel=1e-15)
    assert gradient == pytest.approx([float(s) for s in slopes], rel=1e-14, abs=1e-15)


def test_the_course_takes_fifteen_lines() -> None:
    stepping = by_the_lines(lambda x, y: (x + y) * ops.sin(x), ["x", "y"])
    assert len(stepping.lines) == 15
    assert max(map(len, stepping.lines)) <= 82
    value, gradient = scalar.gradient(lambda x, y: (x + y) * ops.sin(x), (math.pi / 4, 1.0))
    assert round(value, 3) == 1.262
    assert [round(g, 4) for g in gradient] == [1.9696, 0.7071]


def test_what_the_lines_lack_is_named() -> None:
    assert scalar.missing(lambda x: ops.maximum(x, ops.exp(x)), ["x"]) == ("maximum",)
    with pytest.raises(ValueError, match="not defined on scalars"):
        scalar.gradient(lambda x: ops.maximum(x, 2.0), (1.0,))


def test_each_line_runs_when_it_does() -> None:
    stepping = by_the_lines(lambda x, y: (x + y) * ops.sin(x), ["x", "y"])
    ran = [
        (step, stepping.lines[line].strip())
        for line, step in zip(stepping.running, stepping.steps, strict=True)
    ]
    assert ran[1] == (0, "tape.append(self)")
    assert ran[4][0] == 1
    assert ran[4][1].startswith("return Number(a.tape, a.data + b.data")
    assert ran.index((3, "end.grad = 1.0")) == 13
    pushed = [step for step, line in ran if line == "source.grad += slope * node.grad"]
    assert pushed == [4, 4, 5, 6, 6]  # two edges into f, one into sin, two into the sum
    assert ran[-1] == (8, "for node in reversed(end.tape):")


@pytest.mark.parametrize("by", [by_the_lines, by_the_tape])
@pytest.mark.parametrize(
    "text", ["(x + y)*sin(x)", "w*x + exp(x)", "log(x - 1)", "x**2*2 + 3", "sigmoid(x)/sqrt(z)"]
)
def test_lines_and_graph_go_the_same_steps(by: Callable[..., Stepping], text: str) -> None:
    formula = parse(text, None)
    stepping = by(
        lambda *values: formula(**dict(zip(formula.names, values, strict=True))), formula.names
    )
    graph = build(read_program(text), [1.9] * len(formula.names), formula.names[0], "f")
    last = 2 * len(graph.nodes) - graph.inputs
    assert list(stepping.steps) == sorted(stepping.steps)
    assert set(stepping.steps) == set(range(last + 1))
    assert len(stepping.running) == len(stepping.steps)
    assert not any('"""' in line for line in stepping.lines)


def test_the_tape_shows_its_real_source() -> None:
    stepping = by_the_tape(lambda x: x * x, ["x"])
    assert stepping.lines[0].startswith("def apply(operation: Operation")
    assert any(line.startswith("def backward(output: Value") for line in stepping.lines)
    assert stepping.lines[stepping.running[-1]] == "    return cotangents"
    assert type(getattr(sys.gettrace(), "__self__", None)).__module__ != by_the_tape.__module__


def test_a_lesson_is_learned_and_repeats() -> None:
    one, two = Learner(LearningSetup()), Learner(LearningSetup())
    one.learn(150, 60.0)
    for until in range(10, 160, 10):
        two.learn(until, 60.0)
    assert one.losses == two.losses
    assert one.steps == 150
    assert one.losses[-1] < 0.05 < one.losses[0]
    assert one.accuracy > 0.97


@pytest.mark.filterwarnings("error")
def test_a_lesson_that_diverges_stops_without_warning() -> None:
    learner = Learner(LearningSetup(optimizer="sgd", lr=1e160))
    learner.learn(50, 60.0)
    assert learner.diverged
    steps = learner.steps
    learner.learn(60, 60.0)
    assert learner.steps == steps < 50
    assert learner.probability(np.zeros((3, 2))).shape == (3,)


def test_a_slice_ends_and_the_whole_is_bounded() -> None:
    learner = Learner(LearningSetup(width=64))
    learner.learn(LEARNING_STEPS, 0.0)
    assert learner.steps == 1
    assert learner.most * learner.network.size <= LEARNING_NUMBERS
    assert Learner(LearningSetup(width=2)).most == LEARNING_STEPS


def test_the_lineage_is_in_order_and_leads_to_pages() -> None:
    years = [m.year for m in LINEAGE]
    assert years == sorted(years)
    assert all((ROOT / "pages" / f"{m.link.partition('?')[0]}.py").exists() for m in LINEAGE)
