"""Other readings of a tape: the same function on numbers of another kind.

A function is run once on a tape; `interpret` walks that record with a table that says what each
operation means for complex numbers or for mpmath's long numbers. So one function typed once can be
differentiated by routes that share nothing but its record.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from engine.tape import Operation, Tape, Value
from engine.tape.operations import OPERATIONS

Table = Mapping[str, Callable[..., Any]]

# On a number these move nothing.
SHAPES = frozenset({"sum", "mean", "broadcast_to", "reshape"})


def trace_scalars(function: Callable[..., Any], names: Sequence[Any]) -> tuple[Tape, Any]:
    """Run function on one traced number per name; return the tape and the result."""
    tape = Tape()
    variables = [tape.variable(np.float64(0.7)) for _ in names]
    with np.errstate(all="ignore"):
        return tape, function(*variables)


@lru_cache(maxsize=256)
def lowering(operation: Operation, inputs: int) -> tuple[Tape, Any]:
    """The record of what an operation of so many inputs is in simpler operations."""
    assert operation.lowered is not None
    return trace_scalars(operation.lowered, range(inputs))


def interpret(
    function: Callable[..., Any],
    inputs: Sequence[Any],
    table: Table,
    constant: Callable[[Any], Any] = lambda x: x,
) -> Any:
    """The value of a function of scalars at inputs of any kind.

    table maps the name of an operation to what it does on that kind; constant turns a float of
    the function into it. Raises ValueError for an operation that the table lacks.
    """
    return _walk(*trace_scalars(function, inputs), inputs, table, constant)


def _walk(
    tape: Tape,
    result: Any,
    inputs: Sequence[Any],
    table: Table,
    constant: Callable[[Any], Any],
) -> Any:
    made: list[Any] = []

    def read(x: Any) -> Any:
        if type(x) is Value:
            return made[x.index]
        return bool(x) if isinstance(x, (bool, np.bool_)) else constant(x)

    for node in tape.nodes:
        operation = node.operation
        if operation is None:
            made.append(inputs[node.index])
            continue
        arguments = [read(x) for x in node.inputs]
        if operation.name in SHAPES:
            made.append(arguments[0])
        elif operation.name in table:
            made.append(table[operation.name](*arguments, **node.parameters))
        elif operation.lowered is not None:
            lower = lowering(operation, len(arguments))
            made.append(_walk(*lower, arguments, table, constant))
        else:
            raise ValueError(f"{operation.name} is not defined on scalars of this kind")
    return read(result)


@dataclass(frozen=True, slots=True)
class ScalarRecord:
    """A function of scalars that has been run once: what its results need, ready to be read."""

    tape: Tape
    results: tuple[Any, ...]
    needed: tuple[int, ...]

    @classmethod
    def of(cls, function: Callable[..., tuple[Any, ...]], inputs: int) -> ScalarRecord:
        """The record of a function of so many inputs that gives several results."""
        tape, results = trace_scalars(function, range(inputs))
        needed = {node.index for node in tape.nodes[:inputs]}
        waiting = [x for x in results if type(x) is Value]
        while waiting:
            node = waiting.pop()
            if node.index not in needed:
                needed.add(node.index)
                waiting += [x for x in node.inputs if type(x) is Value]
        return cls(tape, results, tuple(sorted(needed)))

    def at(self, *inputs: Any) -> tuple[Any, ...]:
        """The results at inputs of any kind that operations take, by the same operations."""
        made: dict[int, Any] = dict(enumerate(inputs))

        def read(x: Any) -> Any:
            return made[x.index] if type(x) is Value else x

        for index in self.needed[len(inputs) :]:
            node = self.tape.nodes[index]
            assert node.operation is not None
            given = tuple(map(read, node.inputs))
            shapes = node.operation.name in SHAPES
            made[index] = given[0] if shapes else node.operation(*given, **node.parameters)
        return tuple(map(read, self.results))


@dataclass(frozen=True, slots=True)
class Numbers:
    """A kind of number: its elementary functions by name, and the real number that orders it."""

    function: Callable[[str], Callable[[Any], Any]]
    log1p: Callable[[Any], Any]
    real: Callable[[Any], Any]


def _readings(kind: Numbers) -> Table:
    """The table of operations as it reads on a kind of number."""
    rows = OPERATIONS.items()
    return MappingProxyType({n: row.number(kind) for n, row in rows if row.number is not None})


def _complex_log1p(x: complex) -> complex:
    """log(1 + x) by real and imaginary part, so that small ones keep their digits."""
    return complex(
        0.5 * math.log1p(x.real * (2 + x.real) + x.imag**2), math.atan2(x.imag, 1 + x.real)
    )


COMPLEX: Table = _readings(
    Numbers(lambda name: getattr(cmath, name), _complex_log1p, lambda x: complex(x).real)
)


@lru_cache(maxsize=4)
def long_numbers(context: Any = None) -> Table:
    """What the operations mean for mpmath's numbers, in a context of its own where one is given."""
    import mpmath

    m = mpmath if context is None else context
    return _readings(Numbers(lambda name: getattr(m, name), lambda x: m.log(1 + x), lambda x: x))
