"""Traced functions put into a form that can be printed: the programs that all dialects share.

A `Program` is straight-line code: operations written out in the few that every language has,
common subexpressions joined, dead code dropped, each line sorted into the outermost loop that it
may live in. A `Loop` is a program that is run step after step, with the part that each of its
variables plays. Every variable is named here (x0, v0, p0 …), so no name that a reader typed ever
stands in printed text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from engine.tape import Operation, Tape, Value
from engine.tape.interpret import SHAPES, lowering
from engine.tape.operations import OPERATIONS

Atom = str | float | bool
"""What a line reads: a variable by its name, a number or a truth value."""
Key = Hashable
"""What an input or output means to whoever traced the function."""


class Level(IntEnum):
    """How often an expression must be computed: once a run, once a step, once a cell …"""

    CONSTANT = 0  # the same for the whole program
    CELL = 1  # per cell, the same at every step
    STEP = 2  # per step, the same in every cell
    BOTH = 3  # per cell and step


@dataclass(frozen=True, slots=True)
class Line:
    """One operation of a program: the variable it gives, what it reads, where it lives."""

    target: str
    operation: str
    arguments: tuple[Atom, ...]
    level: Level


@dataclass(frozen=True, slots=True)
class Carried:
    """A variable that a loop takes from step to step: where it starts, and what follows it.

    It is of level STEP where it is the same in every cell.
    """

    variable: str
    start: Atom
    following: Atom
    level: Level = Level.BOTH


@dataclass(frozen=True, slots=True)
class Program:
    """Straight-line code: the variable of each input, the lines in order, each output.

    powers are the running powers b ** t: they start at 1 and are multiplied by b in every step,
    which is b ** t made cheap (strength reduction).
    """

    inputs: Mapping[Key, str]
    lines: tuple[Line, ...]
    outputs: Mapping[Key, Atom]
    powers: tuple[Carried, ...]
    levels: Mapping[str, Level]

    def at(self, *levels: Level) -> tuple[Line, ...]:
        """The lines on those levels, in order."""
        return tuple(line for line in self.lines if line.level in levels)

    def count(self, *operations: str) -> int:
        """How many lines per step and cell are one of those operations."""
        return len([x for x in self.at(Level.BOTH) if x.operation in operations])


@dataclass(frozen=True, slots=True)
class Record:
    """A quantity that a run keeps of every step: its parts, and what they are before the first."""

    name: str
    parts: tuple[Atom, ...]
    first: tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """A program that is run step after step, for one run or for many at once ("cells").

    point and carried go from step to step; a run ends when a coordinate of the point leaves
    [-bound, bound]. constants are shared by all cells, varied differ from cell to cell, per_step
    hold a number for each step: the variables, by what they mean. records are kept of a single
    run; loss, the value at the point before the step, is what a sweep holds against a target.
    """

    program: Program
    point: tuple[Carried, ...]
    carried: tuple[Carried, ...]
    constants: Mapping[Key, str]
    per_step: Mapping[Key, str]
    varied: Mapping[Key, str]
    records: tuple[Record, ...] = ()
    loss: Atom | None = None


STEP = "t"
"""The variable that counts the steps from 1."""


class TooLong(ValueError):
    """A program that would have more lines than it may."""


def compile_program(
    function: Callable[[Mapping[Any, Value]], Mapping[Any, Any]],
    inputs: Mapping[Any, Level],
    *,
    step: Key | None = None,
    most: float = math.inf,
) -> Program:
    """Trace function on scalars and sort it into a Program.

    function maps Values by key to a mapping of outputs (Values or numbers). An input of level
    CONSTANT or CELL never changes during a run; step is the key of the one that counts the steps.
    Raises ValueError for an operation that scalars do not have, and TooLong as soon as more than
    `most` lines are written.
    """
    tape = Tape()
    values = {key: tape.variable(np.float64(0.7)) for key in inputs}
    with np.errstate(all="ignore"):
        results = function(values)
    names = {key: STEP if key == step else f"x{i}" for i, key in enumerate(inputs)}
    compiler = _Compiler({names[key]: level for key, level in inputs.items()}, most)
    read = compiler.run(tape, list(names.values()))
    return compiler.program(names, {key: read(x) for key, x in results.items()})


class _Compiler:
    """Writes lines for the entries of tapes, each expression once."""

    def __init__(self, levels: Mapping[str, Level], most: float) -> None:
        self.levels = dict(levels)
        self.most = most
        self.lines: dict[tuple[str, ...], Line] = {}
        self.powers: dict[str, Carried] = {}  # by base

    def run(self, tape: Tape, inputs: list[Any]) -> Callable[[Any], Atom]:
        """Write the lines of a tape whose variables are those atoms; returns what reads it."""
        made: list[Atom] = []

        def read(x: Any) -> Atom:
            if type(x) is Value:
                return made[x.index]
            return bool(x) if isinstance(x, (bool, np.bool_)) else float(x)

        for node in tape.nodes:
            if node.operation is None:
                made.append(inputs[node.index])
            else:
                arguments = [read(x) for x in node.inputs]
                made.append(self._translate(node.operation, arguments, node.parameters))
        return read

    def _translate(
        self, operation: Operation, arguments: list[Atom], parameters: Mapping[str, Any]
    ) -> Atom:
        name = operation.name
        if name in SHAPES:  # nothing to do on a scalar
            return arguments[0]
        if name == "integer_power":
            return self._whole_power(arguments[0], parameters["exponent"])
        if name == "power" and arguments[1] == STEP and self._level(arguments[0]) <= Level.CELL:
            return self._running_power(arguments[0])
        if operation.lowered is not None:
            tape, result = lowering(operation, len(arguments))
            return self.run(tape, arguments)(result)
        if not operation.spelled:
            raise ValueError(f"{name} cannot be printed for scalars")
        return self._write(name, *arguments)

    def _level(self, atom: Atom) -> Level:
        return self.levels[atom] if isinstance(atom, str) else Level.CONSTANT

    def _write(self, name: str, *arguments: Atom) -> Atom:
        if not any(isinstance(a, str) for a in arguments):  # known already
            with np.errstate(all="ignore"):
                value = OPERATIONS[name].evaluate(*arguments)
            return bool(value) if isinstance(value, (bool, np.bool_)) else float(value)
        if name == "where" and isinstance(arguments[0], bool):
            return arguments[1] if arguments[0] else arguments[2]
        if name == "multiply" and 1.0 in arguments:  # exact; reverse mode begins with it
            return arguments[1] if arguments[0] == 1.0 else arguments[0]
        level = Level.CONSTANT
        for argument in arguments:
            level = Level(level | self._level(argument))
        key = (name, *map(repr, arguments))  # -0.0 is not 0.0, and True not 1.0
        if key not in self.lines:
            if len(self.lines) >= self.most:
                raise TooLong(f"the program has more than {self.most} operations")
            self.lines[key] = Line(f"v{len(self.lines)}", name, arguments, level)
            self.levels[self.lines[key].target] = level
        return self.lines[key].target

    def _whole_power(self, x: Atom, exponent: int) -> Atom:
        """The same products as the operation's own evaluation, by repeated squaring."""
        if exponent < 0:
            return self._write("divide", 1.0, self._whole_power(x, -exponent))
        result: Atom = 1.0
        while exponent:
            if exponent & 1:
                result = self._write("multiply", result, x)
            exponent >>= 1
            if exponent:
                x = self._write("multiply", x, x)
        return result

    def _running_power(self, base: Atom) -> Atom:
        if repr(base) not in self.powers:
            variable, level = f"p{len(self.powers)}", Level(self._level(base) | Level.STEP)
            self.levels[variable] = level
            following = self._write("multiply", variable, base)
            self.powers[repr(base)] = Carried(variable, 1.0, following, level)
        return self.powers[repr(base)].following

    def program(self, inputs: Mapping[Key, str], outputs: Mapping[Key, Atom]) -> Program:
        """What the outputs depend on."""
        needed = set(outputs.values())
        kept: list[Line] = []
        for line in reversed(self.lines.values()):
            if line.target in needed:
                kept.append(line)
                needed.update(line.arguments)
        powers = tuple(p for p in self.powers.values() if p.following in needed)
        return Program(inputs, tuple(reversed(kept)), outputs, powers, dict(self.levels))
