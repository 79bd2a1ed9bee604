"""Practice of the chain rule: what there is to ask of a graph, and whether an answer is right.

An answer is a number or an expression in the names of the graph (inputs and nodes). It is compared
at the inputs' values, and at others drawn around them: an expression that is right at all of them
is right for the function, not for the point alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.derivatives.graph import Graph, NamedFormulas, build, spoken
from engine.problems.formula import Formula, parse

DRAWS: Final = 6  # other points at which an answer is compared
HERE: Final = 5e-3  # relative error of a number typed with a few digits
EVERYWHERE: Final = 1e-6  # of an expression
SMALL: Final = 0.1  # below this size a number's error is absolute
_PLAIN: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

# What the local derivative of an operation is, by its place among the inputs where that matters.
RULES: Final[Mapping[str, str]] = {
    "add": "u + v changes with each of them as they do: 1.",
    "subtract": "u − v: 1 by u, −1 by v.",
    "multiply": "u · v by one factor is the other factor.",
    "divide": "u / v: 1/v by u, −u/v² by v.",
    "power": "uᵛ: v·uᵛ⁻¹ by u, uᵛ·ln u by v.",
    "integer_power": "uⁿ by u is n·uⁿ⁻¹.",
    "negative": "−u by u is −1.",
    "sqrt": "√u by u is 1/(2√u).",
    "exp": "eᵘ by u is eᵘ itself.",
    "log": "ln u by u is 1/u.",
    "sin": "sin u by u is cos u.",
    "cos": "cos u by u is −sin u.",
    "tan": "tan u by u is 1 + tan² u.",
    "tanh": "tanh u by u is 1 − tanh² u.",
    "sigmoid": "σ(u) by u is σ(u)(1 − σ(u)).",
    "softplus": "ln(1 + eᵘ) by u is σ(u).",
    "absolute": "|u| by u is the sign of u.",
    "maximum": "max(u, v): 1 by the larger, 0 by the other.",
    "minimum": "min(u, v): 1 by the smaller, 0 by the other.",
}


@dataclass(frozen=True, slots=True)
class Question:
    """A local derivative ∂target/∂source (an edge of the graph, by its place), or, where `edge` is
    None, the derivative of the result by the node `source`. `hints` lead on, one after another."""

    name: str
    source: int
    edge: int | None
    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer's value, what is true, and whether it is right here and at other points too."""

    value: float
    truth: float
    here: bool
    everywhere: bool


def questions(graph: Graph, output: str) -> tuple[Question, ...]:
    """Every edge's local derivative from the result backwards, then the gradient by each input."""
    found = []
    for k in reversed(range(len(graph.edges))):
        edge = graph.edges[k]
        if edge.derivative is None:
            continue
        source, target = graph.nodes[edge.source], graph.nodes[edge.target]
        rule = RULES.get(target.operation, "Take the derivative of the operation by this input.")
        found.append(
            Question(
                f"∂{target.name}/∂{source.name}", edge.source, k,
                (f"{target.name} = {target.expression}; the other inputs stand still.", rule),
            )
        )  # fmt: skip
    for i, node in enumerate(graph.nodes):
        if node.is_input:
            name = f"∂{spoken(output)}/∂{node.name}"
            found.append(Question(name, i, None, _paths(graph, i, output)))
    return tuple(found)


def _paths(graph: Graph, i: int, output: str) -> tuple[str, ...]:
    """How the derivative by a node is put together."""
    leaving = [e for e in graph.edges if e.source == i and e.derivative is not None]
    name, out = graph.nodes[i].name, spoken(output)
    terms = " + ".join(
        f"∂{out}/∂{graph.nodes[e.target].name} · ∂{graph.nodes[e.target].name}/∂{name}"
        for e in leaving
    )
    ways = "One edge leaves it." if len(leaving) == 1 else f"{len(leaving)} edges leave it: add up."
    return (
        f"Along a path local derivatives multiply, over paths they add up. {ways}",
        f"∂{out}/∂{name} = {terms}",
    )


def judge(
    program: NamedFormulas, values: Sequence[float], output: str, question: Question, text: str
) -> Verdict:
    """Whether an answer is right. Raises FormulaError (a ValueError) where it cannot be read."""
    graph = build(program, values, program.inputs[0], output)
    names = tuple(dict.fromkeys(node.name.translate(_PLAIN) for node in graph.nodes))
    answer = parse(text.strip(), names)
    value, truth = _both(graph, question, answer)
    around = np.random.default_rng(0).uniform(-0.7, 0.7, (DRAWS, len(values)))
    moved = [build(program, list(values + by), program.inputs[0], output) for by in around]
    others = [_both(graph, question, answer) for graph in moved]
    compared = [(a, b) for a, b in others if math.isfinite(b)]
    everywhere = bool(compared) and all(_near(a, b, EVERYWHERE) for a, b in compared)
    here = _near(value, truth, EVERYWHERE if everywhere else HERE)
    return Verdict(value, truth, here, everywhere and here)


def _both(graph: Graph, question: Question, answer: Formula) -> tuple[float, float]:
    """The answer's value on this graph, and what is true there."""
    if question.edge is None:
        truth = graph.nodes[question.source].adjoint
    else:
        truth = graph.edges[question.edge].derivative
    known = {node.name.translate(_PLAIN): float(node.value) for node in graph.nodes}
    with np.errstate(all="ignore"):
        return float(answer(**known)), float(truth)


def _near(a: float, b: float, relative: float) -> bool:
    return math.isfinite(a) and abs(a - b) <= relative * max(abs(b), SMALL)
