"""Other readings of a tape: the same function on numbers of another kind.

A function is run once on a tape; `interpret` walks that record with a table that says what each
operation means for complex numbers, for mpmath's long numbers or for symbols. So one function
typed once can be differentiated by routes that share nothing but its record.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from engine.tape import Tape, Value

Table = Mapping[str, Callable[..., Any]]

# On a number these move nothing.
_SHAPES = frozenset({"sum", "mean", "broadcast_to", "reshape"})


def trace_scalars(function: Callable[..., Any], names: Sequence[Any]) -> tuple[Tape, Any]:
    """Run function on one traced number per name; return the tape and the result."""
    tape = Tape()
    variables = [tape.variable(np.float64(0.7)) for _ in names]
    with np.errstate(all="ignore"):
        return tape, function(*variables)


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
    tape, result = trace_scalars(function, inputs)
    made: list[Any] = []

    def read(x: Any) -> Any:
        if type(x) is Value:
            return made[x.index]
        return bool(x) if isinstance(x, (bool, np.bool_)) else constant(x)

    for node in tape.nodes:
        if node.operation is None:
            made.append(inputs[node.index])
        elif node.operation.name in _SHAPES:
            made.append(read(node.inputs[0]))
        elif node.operation.name in table:
            rule = table[node.operation.name]
            made.append(rule(*(read(x) for x in node.inputs), **node.parameters))
        else:
            raise ValueError(f"{node.operation.name} is not defined on scalars of this kind")
    return read(result)


def _arithmetic() -> dict[str, Callable[..., Any]]:
    """What Python's own signs say, for every kind of number."""
    return {
        "add": lambda x, y: x + y,
        "subtract": lambda x, y: x - y,
        "multiply": lambda x, y: x * y,
        "divide": lambda x, y: x / y,
        "negative": lambda x: -x,
        "power": lambda x, y: x**y,
        "integer_power": lambda x, exponent: x**exponent,
        "where": lambda condition, x, y: x if condition else y,
    }


def _ordered(real: Callable[[Any], Any]) -> dict[str, Callable[..., Any]]:
    """Operations that look at the order of numbers, which is that of their real parts.

    At a tie both sides count by half, as in the table of operations.
    """

    def sign(x: Any) -> float:
        return float((real(x) > 0) - (real(x) < 0))

    def larger(x: Any, y: Any) -> Any:
        return (x + y) / 2 if real(x) == real(y) else x if real(x) > real(y) else y

    def smaller(x: Any, y: Any) -> Any:
        return (x + y) / 2 if real(x) == real(y) else x if real(x) < real(y) else y

    return {
        "less": lambda x, y: real(x) < real(y),
        "less_equal": lambda x, y: real(x) <= real(y),
        "greater": lambda x, y: real(x) > real(y),
        "greater_equal": lambda x, y: real(x) >= real(y),
        "equal": lambda x, y: real(x) == real(y),
        "sign": sign,
        "absolute": lambda x: sign(x) * x,
        "relu": lambda x: x if real(x) > 0 else 0 * x,
        "maximum": larger,
        "minimum": smaller,
        "clip": lambda x, low, high: (
            low if real(x) < real(low) else high if real(x) > real(high) else x
        ),
    }


def _complex_softplus(x: complex) -> complex:
    """log(1 + e^x) with the exponential that cannot overflow."""
    return x + cmath.log(1 + cmath.exp(-x)) if x.real > 0 else cmath.log(1 + cmath.exp(x))


def _complex_sigmoid(x: complex) -> complex:
    if x.real >= 0:
        return 1 / (1 + cmath.exp(-x))
    return cmath.exp(x) / (1 + cmath.exp(x))


def _complex_log1p(x: complex) -> complex:
    """log(1 + x) by real and imaginary part, so that small ones keep their digits."""
    return complex(
        0.5 * math.log1p(x.real * (2 + x.real) + x.imag**2), math.atan2(x.imag, 1 + x.real)
    )


COMPLEX: Table = MappingProxyType(
    {
        **_arithmetic(),
        **_ordered(lambda x: complex(x).real),
        **{
            name: getattr(cmath, name)
            for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh")
        },
        "log1p": _complex_log1p,
        "sigmoid": _complex_sigmoid,
        "softplus": _complex_softplus,
    }
)


@lru_cache(maxsize=4)
def long_numbers(context: Any = None) -> Table:
    """What the operations mean for mpmath's numbers, in a context of its own where one is given."""
    import mpmath

    m = mpmath if context is None else context
    return MappingProxyType(
        {
            **_arithmetic(),
            **_ordered(lambda x: x),
            **{
                name: getattr(m, name)
                for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh")
            },
            "log1p": lambda x: m.log(1 + x),
            "sigmoid": lambda x: 1 / (1 + m.exp(-x)),
            "softplus": lambda x: m.log(1 + m.exp(x)),
        }
    )
