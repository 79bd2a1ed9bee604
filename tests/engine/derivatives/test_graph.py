"""Graphs of typed functions: the course's numbers, rules in words, drawings that can be read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from engine.derivatives.graph import (
    EXAMPLES,
    MAX_DRAWN,
    MAX_INPUTS,
    Graph,
    build,
    gradient_costs,
    read_program,
    show,
)
from engine.derivatives.graph_layout import layered
from engine.emit.picture import Picture
from engine.problems.formula import FormulaError
from engine.tape import autograd
from engine.tape.latex import latex_of


def drawn(text: str, values: Sequence[Any], seed: str, output: str | None = None) -> Graph:
    program = read_program(text)
    return build(program, values, seed, output or program.outputs[-1])


def test_the_course_example_node_by_node() -> None:
    # Curriculum C2, at (π/4, 1).
    example = EXAMPLES["product"]
    graph = drawn(example.text, example.values, "x")
    by_name = {node.name: node for node in graph.nodes}
    assert list(by_name) == ["x", "y", "a", "b", "f"]
    assert [round(by_name[n].value, 3) for n in "abf"] == [1.785, 0.707, 1.262]
    assert round(by_name["a"].adjoint, 3) == 0.707
    assert round(by_name["b"].adjoint, 3) == 1.785
    assert round(by_name["x"].adjoint, 4) == 1.9696
    assert round(by_name["y"].adjoint, 3) == 0.707
    assert by_name["f"].tangent == pytest.approx(by_name["x"].adjoint, rel=1e-15)
    assert by_name["x"].adjoint_rule == (
        "∂f/∂x = ∂f/∂a · ∂a/∂x + ∂f/∂b · ∂b/∂x = 0.70711 · 1 + 1.7854 · 0.70711 = 1.9696"
    )
    assert by_name["a"].evaluated == "a = x + y = 0.7854 + 1 = 1.7854"
    assert by_name["f"].tangent_rule.startswith("f\u0307 = ∂f/∂a · a\u0307 + ∂f/∂b · b\u0307 = ")
    assert (graph.inputs, graph.products) == (2, 5)


def test_softmax_cross_entropy_of_the_course() -> None:
    # Curriculum A10: scores 3.2, 5.1, −1.7 cost 2.040 where the first class is true; A9: ŷ − y.
    example = EXAMPLES["softmax"]
    graph = drawn(example.text, example.values, "z1")
    assert round(graph.nodes[-1].value, 3) == 2.040
    z = np.array(example.values)
    p = np.exp(z) / np.exp(z).sum()
    np.testing.assert_allclose([n.adjoint for n in graph.nodes[:3]], p - [1, 0, 0], rtol=1e-12)


@pytest.mark.parametrize("slug", EXAMPLES)
def test_adjoints_and_tangents_of_every_example_are_the_derivatives(slug: str) -> None:
    example = EXAMPLES[slug]
    program = read_program(example.text)

    n = len(program.inputs)
    for output in program.outputs:

        def f(*values: float, output: str = output) -> object:
            return program.run(dict(zip(program.inputs, values, strict=True)))[output]

        gradient = autograd.grad(f, tuple(range(n)))(*example.values)
        for i, name in enumerate(program.inputs):
            graph = build(program, example.values, name, output)
            np.testing.assert_allclose([v.adjoint for v in graph.nodes[:n]], gradient, rtol=1e-14)
            at = graph.outputs[program.outputs.index(output)]
            assert graph.nodes[at].tangent == pytest.approx(gradient[i], rel=1e-12)
        assert len(graph.nodes) <= MAX_DRAWN
        assert latex_of(f, program.inputs)


@pytest.mark.parametrize("slug", EXAMPLES)
def test_traced_inputs_give_the_same_numbers_and_sentences(slug: str) -> None:
    example = EXAMPLES[slug]
    program = read_program(example.text)
    values = Picture({"at": list(example.values)})["at"]
    traced = [values[i] for i in range(len(example.values))]
    for name in program.inputs[:2]:
        still = drawn(example.text, example.values, name)
        moving = drawn(example.text, traced, name)
        for a, b in zip(still.nodes, moving.nodes, strict=True):
            assert (a.name, a.expression, a.number) == (b.name, b.expression, b.number)
            for field in ("evaluated", "tangent_rule", "adjoint_rule"):
                assert str(getattr(a, field)) == str(getattr(b, field))


def test_what_no_line_reads_is_a_result() -> None:
    assert read_program(EXAMPLES["helix"].text).outputs == ("x", "y", "z")
    assert read_program("a = x*y\nf = sin(x)").outputs == ("a", "f")
    assert read_program("c = 3\nf = c*x").outputs == ("f",)
    # What does not depend on an input is no function of it.
    assert read_program("c = 3\nf = x").outputs == ("f",)
    graph = drawn(EXAMPLES["helix"].text, (0.8,), "t", "x")
    assert [graph.nodes[i].name for i in graph.outputs] == ["x", "y", "z"]
    assert graph.nodes[0].adjoint == pytest.approx(-np.sin(0.8), rel=1e-15)
    assert graph.nodes[graph.outputs[1]].adjoint_rule == "x does not change with y"


def test_an_input_used_twice_by_one_operation_is_one_edge() -> None:
    graph = drawn("x * x", (3.0,), "x")
    assert len(graph.edges) == 1
    assert graph.edges[0].derivative == 6.0
    assert graph.nodes[0].adjoint == 6.0


def test_a_comparison_has_no_derivative_and_a_dead_branch_none_either() -> None:
    graph = drawn("where(x > 0, x**2, 5*x)", (-2.0,), "x")
    compared = next(n for n in graph.nodes if "x > 0" in n.expression)
    assert compared.logical
    assert compared.evaluated.endswith("= false")
    assert compared.adjoint == 0.0
    assert "passes no derivative" in compared.tangent_rule
    assert graph.nodes[0].adjoint == 5.0
    assert graph.products < len(graph.edges)


def test_what_has_no_value_is_said_in_words() -> None:
    graph = drawn("log(x) + 1/y", (-1.0, 0.0), "x")
    says = [str(node.evaluated).rpartition("= ")[2] for node in graph.nodes[2:]]
    assert says == ["not a number", "∞", "not a number"]
    assert show(-0.5) == "−0.5"


def test_unused_inputs_and_constants_are_handled() -> None:
    graph = drawn("a = x*y\nf = sin(x) + 2", (1.0, 2.0), "y", "f")
    assert [n.name for n in graph.nodes[:2]] == ["x", "y"]
    assert graph.nodes[1].adjoint == 0.0
    assert "does not change with y" in graph.nodes[1].adjoint_rule


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2 + 3", "at least one input"),
        ("f = 3", "at least one input"),
        ("+".join(f"x{i}" for i in range(MAX_INPUTS + 1)), f"At most {MAX_INPUTS}"),
        ("b = a\na = 2*x", "a is read before it is assigned"),
        ("a = x\nimport os", "name = expression"),
        ("", "nothing to read"),
    ],
)
def test_a_program_that_cannot_be_drawn_is_refused(text: str, says: str) -> None:
    with pytest.raises(FormulaError, match=says):
        read_program(text)


def test_a_graph_too_large_to_read_is_not_laid_out() -> None:
    text = "+".join(["sin(x)"] * 40)
    graph = drawn(text, (1.0,), "x")
    assert len(graph.nodes) > MAX_DRAWN
    assert graph.layout is None
    assert graph.operations == {"sin": 40, "add": 39}


def test_forward_mode_costs_n_times_as_much() -> None:
    forward, reverse = gradient_costs((1, 10, 100))
    assert list(reverse) == [4, 31, 301]  # n products with weights, 2n into the sum, one tanh
    np.testing.assert_array_equal(forward, reverse * [1, 10, 100])


# Layout -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_a_layout_keeps_nodes_apart_and_edges_rightwards(seed: int) -> None:
    rng = random.Random(seed)
    count = rng.randint(2, MAX_DRAWN)
    edges = [
        (source, target)
        for target in range(1, count)
        for source in rng.sample(range(target), k=min(target, rng.randint(1, 2)))
    ]
    layout = layered(count, edges)
    assert len(set(layout.places)) == count
    for i, (layer, row) in enumerate(layout.places):
        assert 0 <= layer < layout.layers
        assert 0 <= row <= layout.rows - 1
        for other_layer, other_row in layout.places[:i]:
            assert other_layer != layer or abs(other_row - row) > 0.99
    for (source, target), route in zip(edges, layout.routes, strict=True):
        columns = [layout.places[source][0], *(x for x, _ in route), layout.places[target][0]]
        assert columns == list(np.arange(columns[0], columns[-1] + 1))


def test_a_tree_is_drawn_without_crossings() -> None:
    # Two pairs of inputs given in the worst order: 0 and 2 feed 4, 1 and 3 feed 5.
    layout = layered(7, [(0, 4), (1, 5), (2, 4), (3, 5), (4, 6), (5, 6)])
    row = [r for _, r in layout.places]
    assert (row[4] < row[5]) == (max(row[0], row[2]) < min(row[1], row[3]))
