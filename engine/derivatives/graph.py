"""The computational graph of a typed function: nodes, local derivatives, both sweeps in words.

The function is run once on a tape; the graph is that record, with the tangent and the adjoint of
every node and, for each, the chain rule that gave it. Everything is a scalar.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.derivatives.graph_layout import Layout, layered
from engine.problems.formula import Formula, FormulaError, parse, parse_program
from engine.tape import Tape, Value, autograd
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

MAX_INPUTS = 16
MAX_DRAWN = 60  # nodes; beyond, edges can no longer be followed

_SIGNS = {
    "add": "{0} + {1}", "subtract": "{0} − {1}", "multiply": "{0} · {1}", "divide": "{0} / {1}",
    "power": "{0}^{1}", "negative": "−{0}", "sqrt": "√{0}", "absolute": "|{0}|",
    "less": "{0} < {1}", "less_equal": "{0} ≤ {1}", "greater": "{0} > {1}",
    "greater_equal": "{0} ≥ {1}", "equal": "{0} = {1}", "sigmoid": "σ({0})",
    "maximum": "max({0}, {1})", "minimum": "min({0}, {1})",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_LETTERS = "abcdghkmnpqrstuvw"


@dataclass(frozen=True, slots=True)
class Program:
    """A function of named numbers: one formula, or lines `name = formula` of which the last counts.

    `inputs` are the names that no line assigns, in order of first appearance; `output` is the
    name of the result.
    """

    text: str
    inputs: tuple[str, ...]
    output: str
    lines: tuple[tuple[str, Formula], ...]

    def run(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Every name's value, the inputs' included."""
        known = dict(values)
        for name, formula in self.lines:
            known[name] = formula(**known)
        return known


def read_program(text: str) -> Program:
    """Read a formula, or lines `name = formula`. Raises FormulaError (a ValueError)."""
    if "=" in text.replace("==", "").replace("<=", "").replace(">=", ""):
        lines = parse_program(text)
    else:
        lines = (("f", parse(text.strip(), None)),)
    assigned: set[str] = set()
    inputs: dict[str, None] = {}
    for name, formula in lines:
        if name in inputs:
            raise FormulaError(f"{name} is read before it is assigned.", text)
        inputs |= dict.fromkeys(n for n in formula.names if n not in assigned)
        assigned.add(name)
    if not inputs:
        raise FormulaError("The function must depend on at least one input, such as x.", text)
    if len(inputs) > MAX_INPUTS:
        raise FormulaError(f"At most {MAX_INPUTS} inputs; this has {len(inputs)}.", text)
    return Program(text, tuple(inputs), lines[-1][0], lines)


@dataclass(frozen=True, slots=True)
class Node:
    """One entry of the tape that the result depends on, or leads to it.

    value is None where it is no number (a comparison shows `text`), and so then are tangent (by
    the chosen input) and adjoint (of the output). The sentences are the chain rule that gave them.
    """

    name: str
    is_input: bool
    expression: str
    value: float | None
    text: str
    tangent: float | None
    adjoint: float | None
    evaluated: str
    tangent_rule: str
    adjoint_rule: str


@dataclass(frozen=True, slots=True)
class Edge:
    """source and target are places in Graph.nodes; derivative is ∂target/∂source, None where the
    target only looks at the source (a comparison)."""

    source: int
    target: int
    derivative: float | None


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in the order of the tape (the output last), edges, where to draw, and what it costs."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    layout: Layout | None
    operations: Mapping[str, int]

    @property
    def inputs(self) -> int:
        """How many inputs it has."""
        return len([n for n in self.nodes if n.is_input])

    @property
    def products(self) -> int:
        """Multiplications by a local derivative in one sweep: one an edge."""
        return len([e for e in self.edges if e.derivative is not None])


def build(program: Program, values: Sequence[float], seed: str) -> Graph:
    """The graph at these values of the inputs, with tangents along the input named seed."""
    tape = Tape()
    variables = {
        name: tape.variable(np.float64(v)) for name, v in zip(program.inputs, values, strict=True)
    }
    with np.errstate(all="ignore"):
        known = program.run(variables)
        result = known[program.output]
        kept = _ancestors(result, variables.values())
        tangents = autograd.forward(tape, {variables[seed].index: 1.0})
        adjoints = autograd.backward(result)
        arrows = _arrows(kept)
    names = _names(kept, {**variables, **known}, program)
    place = {node.index: i for i, node in enumerate(kept)}
    out = program.output
    nodes = []
    for node in kept:
        name = names[node.index]
        value, text = _value(node.data)
        tangent, adjoint = (_number(x[node.index]) or 0.0 for x in (tangents, adjoints))
        nodes.append(
            Node(
                name=name,
                is_input=node.operation is None,
                expression=_expression(node, lambda i: names[i]),
                value=value,
                text=text,
                tangent=tangent if value is not None else None,
                adjoint=adjoint if value is not None else None,
                evaluated=_evaluated(node, names),
                tangent_rule=_tangent_rule(node, names, arrows, tangents, seed),
                adjoint_rule=_adjoint_rule(node, names, arrows, adjoints, out, node is result),
            )
        )
    edges = tuple(
        Edge(place[source], place[target], slope) for (source, target), slope in arrows.items()
    )
    drawn = len(nodes) <= MAX_DRAWN
    layout = layered(len(nodes), [(e.source, e.target) for e in edges]) if drawn else None
    counts = Counter(node.operation.name for node in kept if node.operation is not None)
    return Graph(tuple(nodes), edges, layout, dict(counts.most_common()))


def _ancestors(result: Value, inputs: Any) -> list[Value]:
    """The nodes that lead to the result, and every input, in the tape's order."""
    wanted = {result.index} | {v.index for v in inputs}
    for node in reversed(result.tape.nodes):
        if node.index in wanted:
            wanted |= {x.index for x in node.inputs if type(x) is Value}
    return [node for node in result.tape.nodes if node.index in wanted]


def _arrows(nodes: Sequence[Value]) -> dict[tuple[int, int], float | None]:
    """(source, target) -> local derivative; two uses of one source by one target add up."""
    arrows: dict[tuple[int, int], float | None] = {}
    for node in nodes:
        if node.operation is None:
            continue
        for i, x in enumerate(node.inputs):
            if type(x) is not Value:
                continue
            key = (x.index, node.index)
            slope = _number(autograd.slope(node, i))
            before = arrows.get(key)
            arrows[key] = slope if before is None else before + (slope or 0.0)
    return arrows


def _names(nodes: Sequence[Value], known: Mapping[str, Value], program: Program) -> dict[int, str]:
    """A name for every node: the reader's where he gave one, else the next free letter."""
    names = {v.index: spoken(name) for name, v in known.items() if type(v) is Value}
    taken = set(names.values()) | set(program.inputs)
    free = (c for c in (*_LETTERS, *(f"v{i}" for i in range(1, 1000))) if c not in taken)
    return {node.index: names.get(node.index) or spoken(next(free)) for node in nodes}


def spoken(name: str) -> str:
    """w1 as w₁."""
    head = name.rstrip("0123456789")
    return head + name[len(head) :].translate(_SUBSCRIPTS)


def _expression(node: Value, name_of: Callable[[int], str]) -> str:
    if node.operation is None:
        return ""
    operation = node.operation.name
    arguments = [name_of(x.index) if type(x) is Value else show(x) for x in node.inputs]
    if operation == "integer_power":
        return arguments[0] + str(node.parameters["exponent"]).translate(_SUPERSCRIPTS)
    if operation in _SIGNS:
        return _SIGNS[operation].format(*arguments)
    return f"{operation}({', '.join(arguments)})"


def _evaluated(node: Value, names: Mapping[int, str]) -> str:
    name = names[node.index]
    shown = _value(node.data)[1]
    if node.operation is None:
        return f"{name} = {shown}"
    data = {x.index: _bracketed(x.data) for x in node.inputs if type(x) is Value}
    with_names = _expression(node, lambda i: names[i])
    return f"{name} = {with_names} = {_expression(node, lambda i: data[i])} = {shown}"


def _tangent_rule(
    node: Value,
    names: Mapping[int, str],
    arrows: Mapping[tuple[int, int], float | None],
    tangents: Sequence[Any],
    seed: str,
) -> str:
    name = names[node.index]
    if node.operation is None:
        why = f"derivatives are taken by {spoken(seed)}"
        return f"{name}̇ = {1 if name == spoken(seed) else 0}: {why}"
    terms = [
        (s, slope) for (s, t), slope in arrows.items() if t == node.index and slope is not None
    ]
    if not terms:
        return f"{name} passes no derivative on"
    words = " + ".join(f"∂{name}/∂{names[s]} · {names[s]}̇" for s, _ in terms)
    numbers = " + ".join(
        f"{_bracketed(slope)} · {_bracketed(_number(tangents[s]) or 0.0)}" for s, slope in terms
    )
    return f"{name}̇ = {words} = {numbers} = {show(_number(tangents[node.index]) or 0.0)}"


def _adjoint_rule(
    node: Value,
    names: Mapping[int, str],
    arrows: Mapping[tuple[int, int], float | None],
    adjoints: Sequence[Any],
    output: str,
    is_output: bool,
) -> str:
    name, out = names[node.index], spoken(output)
    if is_output:
        return f"∂{out}/∂{out} = 1: the backward sweep starts here"
    terms = [
        (t, slope) for (s, t), slope in arrows.items() if s == node.index and slope is not None
    ]
    if not terms:
        return f"{out} does not change with {name}"
    words = " + ".join(f"∂{out}/∂{names[t]} · ∂{names[t]}/∂{name}" for t, _ in terms)
    numbers = " + ".join(
        f"{_bracketed(_number(adjoints[t]) or 0.0)} · {_bracketed(slope)}" for t, slope in terms
    )
    return f"∂{out}/∂{name} = {words} = {numbers} = {show(_number(adjoints[node.index]) or 0.0)}"


def _value(data: Any) -> tuple[float | None, str]:
    if isinstance(data, (bool, np.bool_)):
        return None, "true" if data else "false"
    return float(data), show(data)


def _number(x: Any) -> float | None:
    return None if x is None else float(x)


def show(x: Any) -> str:
    """A number to five digits, with a true minus; ∞ and words for what is none."""
    if isinstance(x, (bool, np.bool_)):
        return "true" if x else "false"
    value = float(x)
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.5g}".replace("-", "−")


def _bracketed(x: Any) -> str:
    text = show(x)
    return f"({text})" if text.startswith("−") else text


def gradient_costs(counts: Sequence[int]) -> tuple[Array, Array]:
    """Products for the whole gradient of a neuron tanh(Σ wᵢxᵢ + b) with that many weights.

    One array for forward mode (a pass for each weight), one for reverse mode (a single pass); the
    products of a pass are the edges of the neuron's tape.
    """
    edges = []
    for n in counts:
        tape, _ = autograd.trace(_neuron, *([np.float64(0.1)] * (n + 1)))
        edges.append(sum(type(x) is Value for node in tape.nodes for x in node.inputs))
    reverse = np.array(edges, dtype=float)
    return reverse * np.array(counts), reverse


def _neuron(b: Any, *weights: Any) -> Any:
    z = b
    for w in weights:
        z = ops.add(z, ops.multiply(w, 0.5))
    return ops.tanh(z)


@dataclass(frozen=True, slots=True)
class Example:
    """A function worth looking at, with values for its inputs and what to notice."""

    name: str
    text: str
    values: tuple[float, ...]
    note: str


EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "product": Example(
            "f = (x + y)·sin x",
            "a = x + y\nb = sin(x)\nf = a * b",
            (round(math.pi / 4, 6), 1.0),
            "x reaches f by two paths, so two products add up in ∂f/∂x.",
        ),
        "squared": Example(
            "L = (w₁x + w₂ − y)²",
            "r = w1*x + w2 - y\nL = r**2",
            (0.5, 2.0, 0.25, 1.0),
            "One backward pass gives the derivative by both weights; forward mode needs two.",
        ),
        "neuron": Example(
            "sigmoid neuron, cross-entropy",
            "z = w*x + c\np = sigmoid(z)\nL = -y*log(p) - (1 - y)*log(1 - p)",
            (-1.5, 2.0, -0.9, 1.0),
            "Whatever happens on the way, ∂L/∂z comes out as p − y.",
        ),
        "softmax": Example(
            "softmax, cross-entropy",
            "e1 = exp(z1)\ne2 = exp(z2)\ne3 = exp(z3)\np1 = e1 / (e1 + e2 + e3)\nL = -log(p1)",
            (3.2, 5.1, -1.7),
            "The course's scores: L = 2.04, and ∂L/∂z is p − y in every class.",
        ),
        "perceptron": Example(
            "two-layer perceptron",
            "h1 = tanh(u1*x1 + u2*x2 + c1)\nh2 = tanh(u3*x1 + u4*x2 + c2)\n"
            "z = v1*h1 + v2*h2 + c3\nL = softplus(z) - y*z",
            (0.8, 1.0, -0.4, -0.5, 0.1, -0.6, 0.9, 0.2, 1.2, -0.7, 0.1, 1.0),
            "Twelve inputs, one output: one backward pass against twelve forward passes.",
        ),
    }
)
