"""The computational graph of a typed function: nodes, local derivatives, both sweeps in words.

The function is run once on a tape; the graph is that record, with the tangent and the adjoint of
every node and, for each, the chain rule that gave it. Everything is a scalar. At traced values of
the inputs, numbers and sentences are traced as well: the drawing then follows the reader's hand.
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
from engine.emit.picture import words, written
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
_COMPARISONS = frozenset({"less", "less_equal", "greater", "greater_equal", "equal"})
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_LETTERS = "abcdghkmnpqrstuvw"


@dataclass(frozen=True, slots=True)
class NamedFormulas:
    """A function of named numbers: one formula, or lines `name = formula`.

    `inputs` are the names that no line assigns, in order of first appearance; `outputs` the names
    that no line reads, in the order of their lines.
    """

    text: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    lines: tuple[tuple[str, Formula], ...]

    def run(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Every name's value, the inputs' included."""
        known = dict(values)
        for name, formula in self.lines:
            known[name] = formula(**known)
        return known


def read_program(text: str) -> NamedFormulas:
    """Read a formula, or lines `name = formula`. Raises FormulaError (a ValueError)."""
    if "=" in text.replace("==", "").replace("<=", "").replace(">=", ""):
        lines = parse_program(text)
    else:
        lines = (("f", parse(text.strip(), None)),)
    moving: dict[str, bool] = {}  # an assigned name, and whether it depends on an input
    unread: dict[str, None] = {}
    inputs: dict[str, None] = {}
    for name, formula in lines:
        if name in inputs:
            raise FormulaError(f"{name} is read before it is assigned.", text)
        new = [n for n in formula.names if n not in moving]
        inputs |= dict.fromkeys(new)
        for read in formula.names:
            unread.pop(read, None)
        moving[name] = any(moving.get(n, True) for n in formula.names)
        unread.pop(name, None)
        unread[name] = None
    if not inputs:
        raise FormulaError("The function must depend on at least one input, such as x.", text)
    if len(inputs) > MAX_INPUTS:
        raise FormulaError(f"At most {MAX_INPUTS} inputs; this has {len(inputs)}.", text)
    outputs = tuple(name for name in unread if moving[name])
    if not outputs:
        raise FormulaError("No line that depends on an input is a result.", text)
    return NamedFormulas(text, tuple(inputs), outputs, lines)


@dataclass(frozen=True, slots=True)
class Node:
    """One entry of the tape that a result depends on, or leads to it.

    operation is its name on the tape, "" for an input. value, tangent (by
    the chosen input) and adjoint (of the chosen output) are numbers, or traced; the sentences are
    the chain rule that gave them.
    """

    name: str
    operation: str
    expression: str
    value: Any
    tangent: Any
    adjoint: Any
    evaluated: Any
    tangent_rule: Any
    adjoint_rule: Any

    @property
    def is_input(self) -> bool:
        """Whether it is given."""
        return not self.operation

    @property
    def logical(self) -> bool:
        """Whether it is a comparison: it has a truth value and passes no derivative."""
        return self.operation in _COMPARISONS

    @property
    def number(self) -> float:
        """The value of now, NaN where it is a truth value."""
        return math.nan if self.logical else _now(self.value)


@dataclass(frozen=True, slots=True)
class Edge:
    """source and target are places in Graph.nodes; derivative is ∂target/∂source, a number or
    traced, None where the target only looks at the source (a comparison)."""

    source: int
    target: int
    derivative: Any


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in the order of the tape, the places of the outputs among them, edges, where to draw,
    and what it costs."""

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
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


def build(program: NamedFormulas, values: Sequence[Any], seed: str, output: str) -> Graph:
    """The graph at these values of the inputs, with tangents along the input named seed and
    adjoints of the output of that name."""
    tape = Tape()
    variables = {
        name: tape.variable(v if type(v) is Value else np.float64(v))
        for name, v in zip(program.inputs, values, strict=True)
    }
    with np.errstate(all="ignore"):
        known = program.run(variables)
        results = [known[name] for name in program.outputs]
        kept = _ancestors(tape, [*results, *variables.values()])
        tangents = autograd.forward(tape, {variables[seed].index: 1.0})
        adjoints = autograd.backward(known[output])
        adjoints += [None] * (len(tape.nodes) - len(adjoints))
        arrows = _arrows(kept)
    say = _Speech(
        _names(kept, {**variables, **known}, program), arrows, tangents, adjoints, seed, output
    )
    place = {node.index: i for i, node in enumerate(kept)}
    nodes = tuple(say.node(node, is_output=node is known[output]) for node in kept)
    edges = tuple(
        Edge(place[source], place[target], slope) for (source, target), slope in arrows.items()
    )
    drawn = len(nodes) <= MAX_DRAWN
    layout = layered(len(nodes), [(e.source, e.target) for e in edges]) if drawn else None
    counts = Counter(node.operation.name for node in kept if node.operation is not None)
    at = tuple(place[result.index] for result in results)
    return Graph(nodes, at, edges, layout, dict(counts.most_common()))


def _ancestors(tape: Tape, wanted: Sequence[Value]) -> list[Value]:
    """The nodes that are wanted or lead to one that is, in the tape's order."""
    indices = {node.index for node in wanted}
    for node in reversed(tape.nodes):
        if node.index in indices:
            indices |= {x.index for x in _sources(node)}
    return [node for node in tape.nodes if node.index in indices]


def _sources(node: Value) -> list[Value]:
    """The nodes of its own tape that a node was made from."""
    return [x for x in node.inputs if type(x) is Value and x.tape is node.tape]


def _arrows(nodes: Sequence[Value]) -> dict[tuple[int, int], Any]:
    """(source, target) -> local derivative; two uses of one source by one target add up."""
    arrows: dict[tuple[int, int], Any] = {}
    for node in nodes:
        for i, x in enumerate(node.inputs):
            if type(x) is not Value or x.tape is not node.tape:
                continue
            key = (x.index, node.index)
            slope, before = autograd.slope(node, i), arrows.get(key)
            arrows[key] = slope if before is None else before + (0.0 if slope is None else slope)
    return arrows


def _names(
    nodes: Sequence[Value], known: Mapping[str, Any], program: NamedFormulas
) -> dict[int, str]:
    """A name for every node: the reader's where he gave one, else the next free letter."""
    names = {v.index: spoken(name) for name, v in known.items() if type(v) is Value}
    taken = set(names.values()) | set(program.inputs)
    free = (c for c in (*_LETTERS, *(f"v{i}" for i in range(1, 1000))) if c not in taken)
    return {node.index: names.get(node.index) or spoken(next(free)) for node in nodes}


def spoken(name: str) -> str:
    """w1 as w₁."""
    head = name.rstrip("0123456789")
    return head + name[len(head) :].translate(_SUBSCRIPTS)


def dotted(name: str) -> str:
    """The name of a tangent: ȧ, ẇ₁."""
    return f"{name[0]}\u0307{name[1:]}"


@dataclass(frozen=True, slots=True)
class _Speech:
    """What is said of every node: its value, its tangent and its adjoint, each with its rule."""

    names: Mapping[int, str]
    arrows: Mapping[tuple[int, int], Any]
    tangents: Sequence[Any]
    adjoints: Sequence[Any]
    seed: str
    output: str

    def node(self, node: Value, *, is_output: bool) -> Node:
        """The node with its numbers and sentences."""
        return Node(
            name=self.names[node.index],
            operation=node.operation.name if node.operation else "",
            expression=_expression(node, lambda x: self.names[x.index]),
            value=node.data,
            tangent=_or_zero(self.tangents[node.index]),
            adjoint=_or_zero(self.adjoints[node.index]),
            evaluated=self._evaluated(node),
            tangent_rule=self._tangent_rule(node),
            adjoint_rule=self._adjoint_rule(node, is_output),
        )

    def _evaluated(self, node: Value) -> Any:
        name = self.names[node.index]
        if node.operation is None:
            return words(f"{name} = {{:5}}", node.data)
        bracket = "" if node.operation.name not in (*_SIGNS, "integer_power") else "b"
        numbers = _expression(node, lambda x: "{:t}" if _is_logical(x) else f"{{:5{bracket}}}")
        shown = "{:t}" if _is_logical(node) else "{:5}"
        written_out = _expression(node, lambda x: self.names[x.index])
        arguments = [x.data for x in _sources(node)]
        return words(f"{name} = {written_out} = {numbers} = {shown}", *arguments, node.data)

    def _tangent_rule(self, node: Value) -> Any:
        name, dot = self.names[node.index], dotted(self.names[node.index])
        if node.operation is None:
            seed = spoken(self.seed)
            return f"{dot} = {int(name == seed)}: derivatives are taken by {seed}"
        terms = [(s, d) for (s, t), d in self.arrows.items() if t == node.index and d is not None]
        if not terms:
            return f"{name} passes no derivative on"
        written_out = " + ".join(
            f"∂{name}/∂{self.names[s]} · {dotted(self.names[s])}" for s, _ in terms
        )
        numbers = [n for s, d in terms for n in (d, _or_zero(self.tangents[s]))]
        result = _or_zero(self.tangents[node.index])
        return words(f"{dot} = {written_out} = {_products(terms)} = {{:5}}", *numbers, result)

    def _adjoint_rule(self, node: Value, is_output: bool) -> Any:
        name, out = self.names[node.index], spoken(self.output)
        if is_output:
            return f"∂{out}/∂{out} = 1: the backward pass starts here"
        terms = [
            (t, d)
            for (s, t), d in self.arrows.items()
            if s == node.index and d is not None and self.adjoints[t] is not None
        ]
        if not terms:
            return f"{out} does not change with {name}"
        written_out = " + ".join(
            f"∂{out}/∂{self.names[t]} · ∂{self.names[t]}/∂{name}" for t, _ in terms
        )
        numbers = [n for t, d in terms for n in (_or_zero(self.adjoints[t]), d)]
        result = _or_zero(self.adjoints[node.index])
        template = f"∂{out}/∂{name} = {written_out} = {_products(terms)} = {{:5}}"
        return words(template, *numbers, result)


def _products(terms: Sequence[Any]) -> str:
    return " + ".join(["{:5b} · {:5b}"] * len(terms))


def _or_zero(x: Any) -> Any:
    return 0.0 if x is None else x


def _is_logical(node: Value) -> bool:
    return node.operation is not None and node.operation.name in _COMPARISONS


def _expression(node: Value, name_of: Callable[[Value], str]) -> str:
    if node.operation is None:
        return ""
    operation = node.operation.name
    own = _sources(node)
    arguments = [name_of(x) if any(x is n for n in own) else show(x) for x in node.inputs]
    if operation == "integer_power":
        return arguments[0] + str(node.parameters["exponent"]).translate(_SUPERSCRIPTS)
    if operation in _SIGNS:
        return _SIGNS[operation].format(*arguments)
    return f"{operation}({', '.join(arguments)})"


def show(x: Any) -> str:
    """The number of now to five digits, with a true minus; ∞ and words for what is none."""
    x = _data(x)
    return written(x, "t" if isinstance(x, (bool, np.bool_)) else "5")


def _data(x: Any) -> Any:
    return x.data if type(x) is Value else x


def _now(x: Any) -> float:
    return float(_data(x))


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
        "helix": Example(
            "one input, three outputs: a helix",
            "x = cos(t)\ny = sin(t)\nz = 0.25 * t",
            (0.8,),
            "Velocity of a helix: one forward pass gives all three derivatives, while reverse "
            "mode needs a pass for each output.",
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
