"""Practice of the chain rule: what is asked, and which answers are right."""

from __future__ import annotations

import math

import pytest

from engine.derivatives.graph import EXAMPLES, build, read_program
from engine.derivatives.practice import RULES, judge, questions
from engine.problems.formula import FormulaError

PROGRAM = read_program("(x + y) * sin(x)")
AT = (math.pi / 4, 1.0)
BY_NAME = {q.name: q for q in questions(build(PROGRAM, AT, "x", "f"), "f")}


def test_every_edge_is_asked_and_then_the_gradient() -> None:
    assert list(BY_NAME) == ["∂f/∂b", "∂f/∂a", "∂b/∂x", "∂a/∂y", "∂a/∂x", "∂f/∂x", "∂f/∂y"]
    assert BY_NAME["∂f/∂x"].hints[1] == "∂f/∂x = ∂f/∂a · ∂a/∂x + ∂f/∂b · ∂b/∂x"


@pytest.mark.parametrize(
    ("name", "answer", "here", "everywhere"),
    [
        ("∂b/∂x", "cos(x)", True, True),
        ("∂b/∂x", "0.707", True, False),  # as the course rounds it
        ("∂b/∂x", "sin(x)", True, False),  # at π/4 both are 0.7071
        ("∂b/∂x", "-cos(x)", False, False),
        ("∂f/∂a", "b", True, True),
        ("∂f/∂b", "x + y", True, True),
        ("∂f/∂x", "b + a*cos(x)", True, True),
        ("∂f/∂x", "1.9696", True, False),
        ("∂f/∂x", "sin(x)", False, False),  # one path alone
        ("∂f/∂y", "log(-a)", False, False),
    ],
)
def test_an_answer_is_judged(name: str, answer: str, here: bool, everywhere: bool) -> None:
    verdict = judge(PROGRAM, AT, "f", BY_NAME[name], answer)
    assert (verdict.here, verdict.everywhere) == (here, everywhere)


@pytest.mark.parametrize("answer", ["", "cos(", "z", "__import__('os')", "1 = 2"])
def test_what_cannot_be_read_is_said(answer: str) -> None:
    with pytest.raises(FormulaError):
        judge(PROGRAM, AT, "f", BY_NAME["∂b/∂x"], answer)


def test_names_with_an_index_are_typed_plainly() -> None:
    program = read_program(EXAMPLES["neuron"].text)
    at, out = EXAMPLES["neuron"].values, program.outputs[-1]
    graph = build(program, at, program.inputs[0], out)
    for question in questions(graph, out):
        truth = (graph.nodes[question.source].adjoint if question.edge is None
                 else graph.edges[question.edge].derivative)  # fmt: skip
        verdict = judge(program, at, out, question, repr(float(truth)))
        assert verdict.here, question.name
        assert verdict.truth == truth


def test_the_operations_of_the_examples_have_a_rule() -> None:
    for example in EXAMPLES.values():
        program = read_program(example.text)
        graph = build(program, example.values, program.inputs[0], program.outputs[-1])
        for edge in graph.edges:
            if edge.derivative is not None:
                assert graph.nodes[edge.target].operation in RULES
