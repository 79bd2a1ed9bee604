"""Emitters: the tape of a rule, printed as straight-line source.

`Program` is a traced function put into a form that can be printed: common subexpressions joined,
dead code dropped, every remaining operation sorted into the outermost loop that it may live in.
`python_run` prints the scalar loop of one run. The text runs as it is and, unchanged, under
`numba.njit`. Plain evaluation of the same function stays the reference; where only + − × ÷ √
occur the printed program agrees with it bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from engine.tape import Operation, Tape, Value, Vector
from engine.tape.interpret import SHAPES, lowering

# Every operation a scalar program may contain, as a Python (and Numba) expression.
PYTHON: Mapping[str, str] = {
    "add": "({0} + {1})",
    "subtract": "({0} - {1})",
    "multiply": "({0} * {1})",
    "divide": "({0} / {1})",
    "negative": "(-{0})",
    "power": "pow({0}, {1})",
    "exp": "exp({0})",
    "log": "log({0})",
    "log1p": "log1p({0})",
    "sqrt": "sqrt({0})",
    "sin": "sin({0})",
    "cos": "cos({0})",
    "tan": "tan({0})",
    "tanh": "tanh({0})",
    # e^-|x| cannot overflow, and what is small keeps its digits.
    "sigmoid": "((1.0 if {0} >= 0.0 else exp(-abs({0}))) / (1.0 + exp(-abs({0}))))",
    "softplus": "(max({0}, 0.0) + log1p(exp(-abs({0}))))",
    "sign": "(({0} > 0.0) * 1.0 - ({0} < 0.0) * 1.0 if {0} == {0} else {0})",
    "absolute": "abs({0})",
    # Not-a-number wins, as it does in NumPy: a run that broke must be seen to have broken.
    "relu": "(0.0 if {0} <= 0.0 else {0})",
    "maximum": "({0} if {0} >= {1} or {0} != {0} else {1})",
    "minimum": "({0} if {0} <= {1} or {0} != {0} else {1})",
    "clip": "({1} if {0} < {1} else {2} if {0} > {2} else {0})",
    "less": "({0} < {1})",
    "less_equal": "({0} <= {1})",
    "greater": "({0} > {1})",
    "greater_equal": "({0} >= {1})",
    "equal": "({0} == {1})",
    "where": "({1} if {0} else {2})",
}


class Level(IntEnum):
    """How often an expression must be computed: once a run, once a step, once a cell …"""

    CONSTANT = 0  # the same for the whole program
    CELL = 1  # per cell, the same at every step
    STEP = 2  # per step, the same in every cell
    BOTH = 3  # per cell and step


def _join(a: Level, b: Level) -> Level:
    return Level(a | b)


@dataclass(frozen=True, slots=True)
class Line:
    """One operation of a program: target name, operation name, argument texts, where it lives."""

    target: str
    operation: str
    arguments: tuple[str, ...]
    level: Level


@dataclass(frozen=True, slots=True)
class Program:
    """Straight-line code: lines in order, the text of each output, running powers.

    products maps a carried name p to its base b: p starts at 1 and is multiplied by b at the
    start of every step. That is b ** t made cheap (strength reduction).
    """

    lines: tuple[Line, ...]
    outputs: Mapping[str, str]
    products: Mapping[str, tuple[str, Level]]
    input_levels: Mapping[str, Level]

    def count(self, *operations: str) -> int:
        """How many lines per step and cell are one of those operations."""
        return len([x for x in self.lines if x.operation in operations and x.level == Level.BOTH])


def literal(x: Any) -> str:
    """A number as source text that reads back as exactly that number."""
    number = float(x)
    if math.isinf(number) or math.isnan(number):
        raise ValueError("a rule contains a constant that is not finite")
    return repr(number) if number >= 0 and not math.copysign(1.0, number) < 0 else f"({number!r})"


def compile_program(
    function: Callable[..., Mapping[str, Any]],
    inputs: Mapping[str, Level],
    *,
    step: str | None = "t",
) -> Program:
    """Trace `function(**inputs)` on scalars and sort it into a Program.

    function maps Values by name to a mapping of outputs (Values or numbers). An input of level
    CONSTANT or CELL never changes during a run; `step` names the input that counts the steps.
    """
    tape = Tape()
    variables = {name: tape.variable(np.float64(0.7)) for name in inputs}
    with np.errstate(all="ignore"):
        results = function(**variables)
    return _sort(tape, variables, inputs, results, step)


def _sort(
    tape: Tape,
    variables: Mapping[str, Value],
    levels: Mapping[str, Level],
    results: Mapping[str, Any],
    step: str | None,
) -> Program:
    text: dict[int, tuple[str, Level]] = {
        variables[name].index: (name, level) for name, level in levels.items()
    }
    lines: dict[tuple[str, ...], Line] = {}
    products: dict[str, tuple[str, Level]] = {}

    def read(x: Any) -> tuple[str, Level]:
        if type(x) is Value:
            return text[x.index]
        if isinstance(x, (bool, np.bool_)):
            return str(bool(x)), Level.CONSTANT
        return literal(x), Level.CONSTANT

    def write(name: str, *arguments: tuple[str, Level]) -> tuple[str, Level]:
        texts = tuple(a[0] for a in arguments)
        if name == "multiply" and "1.0" in texts:  # exact, and left behind by reverse mode's seed
            return arguments[1 - texts.index("1.0")]
        level = Level.CONSTANT
        for _, other in arguments:
            level = _join(level, other)
        line = lines.setdefault((name, *texts), Line(f"r{len(lines)}", name, texts, level))
        return line.target, line.level

    def whole_power(x: tuple[str, Level], exponent: int) -> tuple[str, Level]:
        """The same products as the operation's own evaluation, by repeated squaring."""
        if exponent < 0:
            return write("divide", ("1.0", Level.CONSTANT), whole_power(x, -exponent))
        result = ("1.0", Level.CONSTANT)
        while exponent:
            if exponent & 1:
                result = write("multiply", result, x)
            exponent >>= 1
            if exponent:
                x = write("multiply", x, x)
        return result

    def running_power(base: tuple[str, Level]) -> tuple[str, Level]:
        found = next((name for name, known in products.items() if known == base), None)
        name = found or f"power_{len(products)}"
        products[name] = base
        return name, _join(base[1], Level.STEP)

    def translate(
        operation: Operation, arguments: list[tuple[str, Level]], parameters: Mapping[str, Any]
    ) -> tuple[str, Level]:
        name = operation.name
        if name in SHAPES:  # nothing to do on a scalar
            return arguments[0]
        if name == "integer_power":
            return whole_power(arguments[0], parameters["exponent"])
        if name == "power" and arguments[1][0] == step and arguments[0][1] <= Level.CELL:
            return running_power(arguments[0])
        if operation.lowered is None:
            return write(name, *arguments)
        lower, result = lowering(operation, len(arguments))
        made = list(arguments)

        def of(x: Any) -> tuple[str, Level]:
            return made[x.index] if type(x) is Value else read(x)

        for inner in lower.nodes[len(arguments) :]:
            assert inner.operation is not None
            made.append(translate(inner.operation, [of(x) for x in inner.inputs], inner.parameters))
        return of(result)

    for node in tape.nodes:
        if node.operation is not None:
            arguments = [read(x) for x in node.inputs]
            text[node.index] = translate(node.operation, arguments, node.parameters)

    outputs = {name: read(x)[0] for name, x in results.items()}
    needed: set[str] = set()

    def need(*names: str) -> None:
        for name in names:
            needed.add(name)
            if name in products:  # its base was written earlier
                needed.add(products[name][0])

    need(*outputs.values())
    kept: list[Line] = []
    for line in reversed(lines.values()):
        if line.target in needed:
            kept.append(line)
            need(*line.arguments)
    alive = {name: base for name, base in products.items() if name in needed}
    return Program(tuple(reversed(kept)), outputs, alive, dict(levels))


def expression(line: Line, table: Mapping[str, str] = PYTHON) -> str:
    """The right-hand side of a line in the language of the table."""
    return table[line.operation].format(*line.arguments)


# One run, as a function of scalars ---------------------------------------------------------------


def python_run(
    program: Program,
    point: Sequence[str],
    carried: Mapping[str, str],
    constants: Sequence[str],
    per_step: Sequence[str],
    records: Sequence[str] = (),
) -> str:
    """Source of `run(steps, bound, *start, *carried starts, *constants, *per_step, *paths,
    *record arrays) -> int`.

    point names the coordinates of w; its next values are the outputs of the same names. carried
    maps each further state to the output that follows it. per_step inputs are sequences indexed
    by the step from 0. paths are sequences of length steps + 1, whose entry 0 is left alone, as
    are the records'. Returns the step at which the point left [-bound, bound], or -1.
    """
    paths = [f"path_{name}" for name in point]
    logs = [f"log_{i}" for i in range(len(records))]
    sequences = [f"{name}_at" for name in per_step]
    arguments = ["steps", "bound", *point, *carried, *constants, *sequences, *paths, *logs]
    invariant = [x for x in program.lines if not x.level & Level.STEP]
    inner = [x for x in program.lines if x.level & Level.STEP]
    out = [f"def run({', '.join(arguments)}):"]
    out += [f"    {x.target} = {expression(x)}" for x in invariant]
    out += [f"    {name} = 1.0" for name in program.products]
    out.append("    for k in range(steps):")
    body = ["t = k + 1.0", *(f"{n} = {s}[k]" for n, s in zip(per_step, sequences, strict=True))]
    body += [f"{name} = {name} * {base}" for name, (base, _) in program.products.items()]
    body += [f"{x.target} = {expression(x)}" for x in inner]
    body += [f"log_{i}[k + 1] = {program.outputs[name]}" for i, name in enumerate(records)]
    targets = [*point, *carried]
    sources = [program.outputs[n] for n in point] + [program.outputs[c] for c in carried.values()]
    if targets != sources:
        body.append(f"{', '.join(targets)} = {', '.join(sources)}")
    inside = " and ".join(f"-bound <= {name} <= bound" for name in point)
    body.append(f"if not ({inside}):")
    body.append("    return k + 1")
    body += [f"{path}[k + 1] = {name}" for path, name in zip(paths, point, strict=True)]
    out += [f"        {line}" for line in body]
    out.append("    return -1")
    return "\n".join(out) + "\n"


_CALLED = ("exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "pow")
_SCALAR = {name: getattr(math, name) for name in _CALLED}
_FORGIVING = {name: getattr(np, name) for name in _CALLED}


def python_function(
    source: str, name: str = "run", *, forgiving: bool = False
) -> Callable[..., Any]:
    """Turn emitted source into a function.

    With `math` it is quick but raises where a float operation has no finite answer (ValueError,
    OverflowError, ZeroDivisionError); forgiving uses NumPy's functions, which give inf or nan
    when handed NumPy scalars.
    """
    scope: dict[str, Any] = dict(_FORGIVING if forgiving else _SCALAR)
    exec(compile(source, f"<emitted {name}>", "exec"), scope)
    function: Callable[..., Any] = scope[name]
    return function


def vector_names(name: str, size: int = 2) -> tuple[str, ...]:
    """The scalar names of a vector's coordinates: m -> m_0, m_1."""
    return tuple(f"{name}_{i}" for i in range(size))


def gather(name: str, values: Mapping[str, Any], size: int = 2) -> Vector:
    """The Vector whose coordinates stand in `values` under vector_names."""
    return Vector(values[n] for n in vector_names(name, size))
