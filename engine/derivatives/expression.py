"""The symbolic route: a derivative as one expression, found by the tape's own rules and tidied up.

A forward sweep is traced, and its record read as an expression in the inputs: products with 1,
sums with 0 and the like are dropped, and parts that are equal are kept once. So it is linear in
the size of the function, whatever that is; what may be exponential is its writing, where a part
that is used twice is written twice. Sizes are therefore counted before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from engine.limits import PRINTED_OPERATIONS
from engine.tape import Tape, Value, autograd
from engine.tape.latex import name_latex, number_latex
from engine.tape.operations import OPERATIONS
from engine.tape.typeset import ATOM, Piece

Function = Callable[..., Any]
Part = tuple[str, Any]  # ("part", place among the rows) or ("number", value)


@dataclass(frozen=True, slots=True)
class _Row:
    """One part of an expression: operation, what it is made of, parameters."""

    operation: str
    parts: tuple[Part, ...]
    parameters: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Expression:
    """An expression in named inputs, each part held once; `result` is a place or a number."""

    names: tuple[str, ...]
    rows: tuple[_Row | None, ...]  # None: an input
    result: Part

    @property
    def shared(self) -> int:
        """Its operations, with every part that occurs twice worked out once."""
        return sum(self.rows[i] is not None for i in self._needed)

    @cached_property
    def operations(self) -> int:
        """Its operations as it is written, where a part that is used twice is written twice."""
        sizes: list[int] = []
        for row in self.rows:
            parts = () if row is None else row.parts
            below = sum(sizes[value] for kind, value in parts if kind == "part")
            sizes.append(below + (row is not None))
        kind, value = self.result
        return sizes[value] if kind == "part" else 0

    @cached_property
    def _needed(self) -> set[int]:
        needed: set[int] = set()
        waiting = [self.result]
        while waiting:
            kind, value = waiting.pop()
            if kind == "part" and value not in needed:
                needed.add(value)
                row = self.rows[value]
                waiting += [] if row is None else row.parts
        return needed

    def __call__(self, *values: Any) -> Any:
        """Its value, each part worked out once."""
        made: list[Any] = []

        def read(part: Part) -> Any:
            kind, value = part
            return made[value] if kind == "part" else value

        given = iter(values)
        with np.errstate(all="ignore"):
            for row in self.rows:
                if row is None:
                    made.append(next(given))
                else:
                    evaluate = OPERATIONS[row.operation].evaluate
                    made.append(evaluate(*map(read, row.parts), **dict(row.parameters)))
        return read(self.result)

    @cached_property
    def latex(self) -> str:
        """Its LaTeX; "" where it would have more than PRINTED_OPERATIONS."""
        if self.operations > PRINTED_OPERATIONS:
            return ""
        pieces: dict[int, Piece] = {}

        def read(part: Part) -> Piece:
            kind, value = part
            return pieces[value] if kind == "part" else number_latex(value)

        names = iter(self.names)
        for place, row in enumerate(self.rows):
            if row is None:
                pieces[place] = (name_latex(next(names)), ATOM)
            elif place in self._needed:
                typeset = OPERATIONS[row.operation].typeset
                if typeset is None:
                    return ""
                pieces[place] = typeset([read(p) for p in row.parts], dict(row.parameters))
        return read(self.result)[0]


def derivative(function: Function, names: Sequence[str], i: int) -> Expression:
    """The derivative of a function of scalars by its input i, as an expression in all of them."""
    outer, inner = Tape(), Tape()
    inputs = [outer.variable(np.float64(0.7)) for _ in names]
    moving = inner.variable(inputs[i])
    with np.errstate(all="ignore"):
        result = function(*inputs[:i], moving, *inputs[i + 1 :])
        for node in inner.nodes:
            if node.operation is not None and node.operation.name == "power":
                node.operation = _POWER
        carried = autograd.forward(inner, {moving.index: 1.0})
        known = type(result) is Value and result.tape is inner
        slope = carried[result.index] if known else None
        return _read(outer, 0.0 if slope is None else slope, tuple(names))


# A power by the rule of the books; the engine's own guards it where a factor is infinite.
_POWER = replace(
    OPERATIONS["power"],
    jvps=(
        lambda t, out, x, y: t * (y * OPERATIONS["power"](x, y - 1.0)),
        lambda t, out, x, y: t * (out * OPERATIONS["log"](x)),
    ),
)


def _read(tape: Tape, result: Any, names: tuple[str, ...]) -> Expression:
    """The record that leads to a result, tidied up."""
    writer = _Writer(len(names))
    parts: list[Part] = []

    def part_of(x: Any) -> Part:
        return parts[x.index] if type(x) is Value else ("number", x)

    for node in tape.nodes:
        if node.operation is None:
            parts.append(("part", node.index))
        else:
            given = tuple(map(part_of, node.inputs))
            parts.append(writer.write(node.operation.name, given, node.parameters))
    return Expression(names, tuple(writer.rows), part_of(result))


@dataclass
class _Writer:
    """Writes rows, none of them twice, none that comes to nothing."""

    inputs: int
    rows: list[_Row | None] = field(default_factory=list)
    known: dict[Any, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = [None] * self.inputs

    def write(self, operation: str, parts: tuple[Part, ...], parameters: dict[str, Any]) -> Part:
        if all(kind == "number" for kind, _ in parts):
            with np.errstate(all="ignore"):
                value = OPERATIONS[operation].evaluate(*(v for _, v in parts), **parameters)
            return "number", value
        if (simple := self._simpler(operation, parts, parameters)) is not None:
            return simple
        row = _Row(operation, parts, tuple(parameters.items()))
        key = (operation, tuple((kind, repr(value)) for kind, value in parts), row.parameters)
        if key not in self.known:
            self.known[key] = len(self.rows)
            self.rows.append(row)
        return "part", self.known[key]

    def _simpler(
        self, operation: str, parts: tuple[Part, ...], parameters: dict[str, Any]
    ) -> Part | None:
        """What an operation comes to where one of its inputs decides it; None where none does."""
        first, second = parts[0], parts[1] if len(parts) > 1 else None
        one, zero = ("number", 1.0), ("number", 0.0)
        if operation == "multiply":
            for a, b in ((first, second), (second, first)):
                if _is(a, 0.0):
                    return zero
                if _is(a, 1.0):
                    return b
                if _is(a, -1.0):
                    assert b is not None
                    return self.write("negative", (b,), {})
            if first == second:
                return self.write("integer_power", (first,), {"exponent": 2})
        elif operation == "add":
            assert second is not None
            if first == second:
                return self.write("multiply", (("number", 2.0), first), {})
            if _is(first, 0.0):
                return second
            if _is(second, 0.0):
                return first
            if inner := self._negated(second):
                return self.write("subtract", (first, inner), {})
            if inner := self._negated(first):
                return self.write("subtract", (second, inner), {})
        elif operation == "subtract":
            assert second is not None
            if _is(second, 0.0):
                return first
            if first == second:
                return zero
            if _is(first, 0.0):
                return self.write("negative", (second,), {})
        elif operation == "divide":
            if _is(second, 1.0):
                return first
            if _is(first, 0.0):
                return zero
            if quotient := self._made_by("divide", first):
                assert second is not None
                below = self.write("multiply", (quotient[1], second), {})
                return self.write("divide", (quotient[0], below), {})
        elif operation == "negative":
            return self._negated(first)
        elif operation == "integer_power":
            return {0: one, 1: first}.get(parameters["exponent"])
        elif operation == "where" and parts[1] == parts[2]:
            return parts[1]
        return None

    def _negated(self, part: Part | None) -> Part | None:
        """What a part is the negative of, where it is one."""
        made = self._made_by("negative", part)
        return made[0] if made else None

    def _made_by(self, operation: str, part: Part | None) -> tuple[Part, ...] | None:
        """What a part is made of, where it is made by that operation."""
        if part is None or part[0] != "part":
            return None
        row = self.rows[part[1]]
        return row.parts if row is not None and row.operation == operation else None


def _is(part: Part | None, number: float) -> bool:
    return part is not None and part[0] == "number" and bool(part[1] == number)
