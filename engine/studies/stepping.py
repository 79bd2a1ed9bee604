"""Which line of its own source the engine runs, one after the other, as it differentiates a
function: the scalar engine's fifteen lines, or the laboratory's own tape. Python itself tells: it
calls a trace function before each line of the functions that are shown.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np

from engine.studies import scalar
from engine.tape import Tape, Value, autograd, record
from engine.tape.interpret import interpret, trace_scalars

Function = Callable[..., Any]

_TRIED = (0.7, 1.9, -0.6)  # inputs: which lines run does not hang on them, but log needs its own


@dataclass(frozen=True, slots=True)
class Stepping:
    """Lines of source and, for each moment of a run, the line that runs and how far the sweep is.

    A step of the sweep is one of the drawn graph: 0 gives the inputs, then an operation a step,
    and backwards a node a step.
    """

    lines: tuple[str, ...]
    running: tuple[int, ...]
    steps: tuple[int, ...]


def by_the_lines(function: Function, names: Sequence[str]) -> Stepping:
    """The scalar engine at work on a function of scalars with these names.

    KeyError for an operation that it lacks.
    """
    tape, _ = trace_scalars(function, names)
    used = dict.fromkeys(node.operation.name for node in tape.nodes if node.operation)
    parts = [scalar.OPERATIONS[name] for name in used]

    def run(at: float, watch: _Watch) -> None:
        numbers: list[scalar.Number] = []
        with watch:
            watch.made += [scalar.Number(numbers, at) for _ in names]
            inputs = tuple(watch.made)
            end = interpret(
                function, inputs, scalar.OPERATIONS, lambda x: scalar.Number(numbers, float(x))
            )
            scalar.backward(end)

    return _seen(run, [scalar.Number, *parts, scalar.backward], parts, scalar.backward)


def by_the_tape(function: Function, names: Sequence[str]) -> Stepping:
    """The laboratory's tape at work on the same: how it records an operation and is read back."""

    def run(at: float, watch: _Watch) -> None:
        tape = Tape()
        with np.errstate(all="ignore"), watch:
            watch.made += [tape.variable(np.float64(at)) for _ in names]
            end = function(*tuple(watch.made))
            if type(end) is Value:
                autograd.backward(end)

    shown = [record.apply, record.Value.__init__, autograd.backward]
    return _seen(run, shown, [record.apply], autograd.backward)


def code_lines(part: Any) -> list[tuple[int, str]]:
    """The lines of a function's or class's source, each with its number in the file, without those
    that are empty or describe."""
    source, start = inspect.getsourcelines(part)
    described: set[int] = set()
    for node in ast.walk(ast.parse(textwrap.dedent("".join(source)))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            text = node.body[0]
            described |= set(range(text.lineno - 1, (text.end_lineno or text.lineno)))
    indent = len(source[0]) - len(source[0].lstrip())
    return [
        (start + i, line[indent:].rstrip())
        for i, line in enumerate(source)
        if line.strip() and i not in described and not line.lstrip().startswith("#")
    ]


def _seen(
    run: Callable[[float, _Watch], None],
    shown: Sequence[Any],
    begins: Sequence[Any],
    sweep: Callable[..., Any],
) -> Stepping:
    """What is seen of a run, at the first of a few inputs at which it comes to its end."""
    for at in _TRIED:
        watch = _Watch(shown, begins, sweep)
        try:
            run(at, watch)
            break
        except (ArithmeticError, ValueError):
            continue
    running, steps = zip(*watch.moments, strict=True)
    return Stepping(tuple(watch.lines), running, steps)


class _Watch:
    """Notes, while it is entered, each line that runs in the functions that are shown.

    `begins` are those of which each call makes a node, `sweep` is the one that reads the nodes
    back in a loop over `node`. `made` are the nodes in their order, inputs first.
    """

    def __init__(
        self, shown: Sequence[Any], begins: Sequence[Any], sweep: Callable[..., Any]
    ) -> None:
        self.lines: list[str] = []
        self.places: dict[tuple[CodeType, int], int] = {}
        for part in shown:
            function = vars(part)["__init__"] if isinstance(part, type) else part
            assert isinstance(function, FunctionType)
            for number, text in code_lines(part):
                self.places[function.__code__, number] = len(self.lines)
                self.lines.append(text)
        self.codes = {code for code, _ in self.places}
        self.begins = {part.__code__ for part in begins}
        self.sweep = sweep.__code__
        self.made: list[Any] = []
        self.begun = self.at = 0
        self.moments: list[tuple[int, int]] = []

    def __enter__(self) -> None:
        self.before = sys.gettrace()
        sys.settrace(self.called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def called(self, frame: FrameType, event: str, _: Any) -> Any:
        """A function is called: it is followed where it is shown."""
        if frame.f_code not in self.codes:
            return None
        self.begun += frame.f_code in self.begins
        return self.within

    def within(self, frame: FrameType, event: str, result: Any) -> Any:
        """A line of a function that is shown is about to run, or it returns."""
        if event == "return" and frame.f_code in self.begins:
            self.made.append(result)
        place = self.places.get((frame.f_code, frame.f_lineno)) if event == "line" else None
        if place is not None:
            self.moments.append((place, self.begun + self.read(frame)))
        return self.within

    def read(self, frame: FrameType) -> int:
        """How many nodes have been read back or are being."""
        if frame.f_code is not self.sweep or "node" not in frame.f_locals:
            return 0
        node = frame.f_locals["node"]
        index = next((i for i, made in enumerate(self.made) if made is node), None)
        if index is not None:
            self.at = len(self.made) - index
        return self.at
