"""Dialects: how a language writes numbers, truth, and the few operations that it spells otherwise.

All else is the table of operations' own spelling, made of signs and calls that Python, C++ and
JavaScript share.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.emit.program import Atom, Line
from engine.tape.operations import OPERATIONS

# Functions of one number that whoever runs printed text supplies under the table's names.
FUNCTIONS: tuple[str, ...] = tuple(
    match[1]
    for operation in OPERATIONS.values()
    if (match := re.fullmatch(r"(\w+)\(\{0\}\)", operation.spelled)) and match[1] != "absolute"
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a language writes what a line is made of; spelled holds what it says in its own way."""

    number: str = "{0}"
    true: str = "True"
    false: str = "False"
    infinity: str = "inf"
    nan: str = "nan"
    spelled: Mapping[str, str] = field(default_factory=dict)

    def atom(self, x: Atom) -> str:
        """A variable by its name, a number so that it reads back as exactly that number."""
        if isinstance(x, str):
            return x
        if isinstance(x, bool):
            return self.true if x else self.false
        if math.isnan(x):
            return self.number.format(self.nan)
        size = self.infinity if math.isinf(x) else repr(abs(x))
        # A minus is not left to stand before whatever sign the line begins with.
        return self.number.format(f"(-{size})" if math.copysign(1.0, x) < 0 else size)

    def expression(self, line: Line) -> str:
        """The right-hand side of a line."""
        form = self.spelled.get(line.operation) or OPERATIONS[line.operation].spelled
        return form.format(*map(self.atom, line.arguments))

    def lines(self, lines: Iterable[Line], form: str = "{0} = {1}") -> list[str]:
        """Lines as assignments of that form."""
        return [form.format(line.target, self.expression(line)) for line in lines]


# Choice as Python writes it, which is quickest on plain numbers.
_PYTHON = {"where": "({1} if {0} else {2})", "power": "pow({0}, {1})", "absolute": "abs({0})"}
PYTHON = Dialect(spelled=_PYTHON)
CAREFUL = Dialect("real({0})", spelled=_PYTHON)  # a literal divides by zero no better than a float
# `real` is the type of all numbers; `where`, `power` and `absolute` are supplied.
CELLS = Dialect("real({0})")
CUDA = Dialect("real({0})", "true", "false", "(1e300 * 1e300)", "(1e300 * 1e300 * 0.0)")
JAVASCRIPT = Dialect(
    true="true",
    false="false",
    infinity="Infinity",
    nan="NaN",
    spelled={"where": "({0} ? {1} : {2})", "absolute": "abs({0})"},
)


def indent(depth: int, lines: Iterable[str], by: str = "    ") -> list[str]:
    """Lines moved in."""
    return [by * depth + line for line in lines]
