"""Automatic differentiation of scalars in fifteen lines, in the manner of micrograd's `Value`.

A number remembers what it was made from, with the slope of each, and writes itself onto a tape;
`backward` reads that tape from its end. It stands beside the engine's own tape, which does the
same with arrays, to be read in one look and to be held against it: both give the same gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from engine.tape.interpret import interpret, trace_scalars


class Number:
    """A number on a tape: its data, what it was made from with each slope, its gradient."""

    def __init__(self, tape: list[Number], data: float, made: Made = ()):
        self.tape, self.data, self.made, self.grad = tape, data, made, 0.0
        tape.append(self)


def add(a: Number, b: Number) -> Number:
    """a + b."""
    return Number(a.tape, a.data + b.data, [(a, 1.0), (b, 1.0)])


def multiply(a: Number, b: Number) -> Number:
    """a · b."""
    return Number(a.tape, a.data * b.data, [(a, b.data), (b, a.data)])


def sin(a: Number) -> Number:
    """sin a."""
    return Number(a.tape, math.sin(a.data), [(a, math.cos(a.data))])


def subtract(a: Number, b: Number) -> Number:
    """a − b."""
    return Number(a.tape, a.data - b.data, [(a, 1.0), (b, -1.0)])


def divide(a: Number, b: Number) -> Number:
    """a / b."""
    return Number(a.tape, a.data / b.data, [(a, 1 / b.data), (b, -a.data / b.data**2)])


def negative(a: Number) -> Number:
    """−a."""
    return Number(a.tape, -a.data, [(a, -1.0)])


def raised(a: Number, exponent: int) -> Number:
    """A to a whole power."""
    return Number(a.tape, a.data**exponent, [(a, exponent * a.data ** (exponent - 1))])


def exp(a: Number) -> Number:
    """e to the a."""
    return Number(a.tape, math.exp(a.data), [(a, math.exp(a.data))])


def log(a: Number) -> Number:
    """ln a."""
    return Number(a.tape, math.log(a.data), [(a, 1 / a.data)])


def sqrt(a: Number) -> Number:
    """The root of a."""
    return Number(a.tape, math.sqrt(a.data), [(a, 0.5 / math.sqrt(a.data))])


def cos(a: Number) -> Number:
    """cos a."""
    return Number(a.tape, math.cos(a.data), [(a, -math.sin(a.data))])


def tanh(a: Number) -> Number:
    """tanh a."""
    return Number(a.tape, math.tanh(a.data), [(a, math.cosh(a.data) ** -2)])


def sigmoid(a: Number) -> Number:
    """1 / (1 + e to the −a)."""
    y = 1 / (1 + math.exp(-a.data))
    return Number(a.tape, y, [(a, y * (1 - y))])


def relu(a: Number) -> Number:
    """max(a, 0)."""
    return Number(a.tape, max(a.data, 0.0), [(a, float(a.data > 0))])


def backward(end: Number) -> None:
    """Give every number on the tape of `end` the derivative of `end` by it."""
    end.grad = 1.0
    for node in reversed(end.tape):
        for source, slope in node.made:
            source.grad += slope * node.grad


Made = Sequence[tuple[Number, float]]

# The operations of the engine's tape that have a line here.
OPERATIONS: Mapping[str, Callable[..., Number]] = MappingProxyType(
    {
        "add": add,
        "subtract": subtract,
        "multiply": multiply,
        "divide": divide,
        "negative": negative,
        "integer_power": raised,
        "exp": exp,
        "log": log,
        "sqrt": sqrt,
        "sin": sin,
        "cos": cos,
        "tanh": tanh,
        "sigmoid": sigmoid,
        "relu": relu,
    }
)


def usage(function: Callable[..., Any], names: Sequence[str], values: Sequence[float]) -> str:
    """Python that builds a function of scalars from the lines above and prints its gradient."""

    def written(name: str) -> Callable[..., str]:
        called = OPERATIONS[name].__name__

        def call(*inputs: str, **parameters: Any) -> str:
            return f"{called}({', '.join([*inputs, *map(str, parameters.values())])})"

        return call

    expression = interpret(
        function, names, {name: written(name) for name in OPERATIONS}, lambda x: f"number({x!r})"
    )
    given = ", ".join(f"number({float(value)!r})" for value in values)
    return (
        "tape = []\nnumber = lambda data: Number(tape, data)\n"
        f"{', '.join(names)} = {given}\n"
        f"end = {expression}\n"
        "backward(end)\n"
        f"print(end.data, {', '.join(f'{name}.grad' for name in names)})\n"
    )


def missing(function: Callable[..., Any], names: Sequence[str]) -> tuple[str, ...]:
    """The operations of a function that these lines do not know."""
    tape, _ = trace_scalars(function, names)
    used = dict.fromkeys(node.operation.name for node in tape.nodes if node.operation)
    return tuple(name for name in used if name not in OPERATIONS)


def gradient(
    function: Callable[..., Any], values: Sequence[float]
) -> tuple[float, tuple[float, ...]]:
    """Value and gradient of a function of scalars by the lines above.

    Raises ValueError for an operation that they lack, ArithmeticError or ValueError where a number
    has no place in a double.
    """
    tape: list[Number] = []
    inputs = [Number(tape, float(value)) for value in values]
    end = interpret(function, inputs, OPERATIONS, lambda x: Number(tape, float(x)))
    backward(end)
    return end.data, tuple(x.grad for x in inputs)
