"""One run at a time: a loop printed as Python on plain numbers, and run so that nothing raises.

Python's own arithmetic is quick (a step of Adam takes about half a microsecond) but raises where
IEEE arithmetic gives inf or NaN. The step at which it does is done over by the same text on NumPy's
numbers, which do not raise; then the quick form goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.dialect import CAREFUL, FUNCTIONS, PYTHON, Dialect, indent
from engine.emit.program import Level, Loop

Array = npt.NDArray[np.float64]


def python_source(loop: Loop, dialect: Dialect = PYTHON) -> str:
    """Source of `run(k, steps, bound, constants, per_step, kept, paths, logs)`.

    It takes steps k + 1 … steps from the kept variables (point, then what is carried), and fills
    paths and logs (lists of a number a step, their entry 0 left alone). It returns (steps, False,
    what is kept then), or earlier (k, True, …) where step k + 1 leaves [-bound, bound], and
    (k, False, …) where it would raise.
    """
    program = loop.program
    moving = (*loop.point, *loop.carried)
    kept = _tuple(c.variable for c in moving)
    following = [dialect.atom(c.following) for c in moving]
    paths = [f"path{i}" for i in range(len(loop.point))]
    parts = [dialect.atom(part) for record in loop.records for part in record.parts]
    logs = [f"log{i}" for i in range(len(parts))]
    series = [f"{variable}_at" for variable in loop.per_step.values()]
    out = ["def run(k, steps, bound, constants, per_step, kept, paths, logs):"]
    body = [
        f"{_tuple(names)} = {source}"
        for names, source in (
            (loop.constants.values(), "constants"), (series, "per_step"), (paths, "paths"),
            (logs, "logs"),
        )
        if names
    ]  # fmt: skip
    body += [f"{kept} = kept", "try:"]
    inner = dialect.lines(program.at(Level.CONSTANT, Level.CELL))
    inner.append("for k in range(k, steps):")
    step = [f"t = k + {dialect.atom(1.0)}"]
    step += [f"{v} = {s}[k]" for v, s in zip(loop.per_step.values(), series, strict=True)]
    step += dialect.lines(program.at(Level.STEP, Level.BOTH))
    inside = " and ".join(f"-bound <= {x} <= bound" for x in following[: len(paths)])
    step += [f"if not ({inside}):", f"    return k, True, {kept}"]
    step += [f"{log}[k + 1] = {part}" for log, part in zip(logs, parts, strict=True)]
    step += [f"{path}[k + 1] = {x}" for path, x in zip(paths, following, strict=False)]
    step.append(f"{kept} = {_tuple(following)}")
    body += indent(1, inner) + indent(2, step)
    body += ["except (ArithmeticError, ValueError):", f"    return k, False, {kept}"]
    body += [f"return steps, False, {kept}"]
    return "\n".join([*out, *indent(1, body)]) + "\n"


def _tuple(names: Any) -> str:
    return f"({', '.join(names)},)"


def _careful(name: str) -> Callable[..., Any]:
    """math's function, and NumPy's answer where math raises for want of a finite one."""
    quick, ieee = getattr(math, name), getattr(np, name)

    def function(*x: Any) -> Any:
        try:
            return np.float64(quick(*x))
        except (ArithmeticError, ValueError):
            return ieee(*x)

    return function


_CALLED = (*FUNCTIONS, "pow")
_NUMBERS = {"inf": math.inf, "nan": math.nan, "real": np.float64}
_QUICK = {**{name: getattr(math, name) for name in _CALLED}, **_NUMBERS}
_CAREFUL = {**{name: _careful(name) for name in _CALLED}, **_NUMBERS}


def _function(source: str, scope: Mapping[str, Any]) -> Any:
    """The function `run` of printed source."""
    names = dict(scope)
    exec(compile(source, "<printed run>", "exec"), names)
    return names["run"]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run left: path (steps + 1, coordinates), records by name (steps + 1, …), and the step
    at which it left all bounds, None for never. From there on every row repeats the last."""

    path: Array
    records: Mapping[str, Array]
    stopped: int | None


class Kernel:
    """A loop that can be run, one run at a time."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop

    @cached_property
    def source(self) -> str:
        return python_source(self.loop)

    @cached_property
    def quick(self) -> Any:
        return _function(self.source, _QUICK)

    @cached_property
    def careful(self) -> Any:
        return _function(python_source(self.loop, CAREFUL), _CAREFUL)

    def run(
        self,
        steps: int,
        bound: float,
        start: Sequence[float],
        constants: Sequence[float],
        per_step: Sequence[Array],
        first: float = 0.0,
    ) -> Run:
        """Run from start; constants and per_step (each (steps,)) are in the order of the loop's.

        first is row 0 of the records of what starts at nothing.
        """
        loop = self.loop
        here = dict(zip((c.variable for c in loop.point), map(float, start), strict=True))
        begin = [*here.values(), *(_start(c.start, here) for c in loop.carried)]
        paths = [[x] * (steps + 1) for x in here.values()]
        logs = [
            [_start(at, here) if at else first] * (steps + 1)
            for record in loop.records
            for at in record.first
        ]
        series = [a.tolist() for a in per_step]  # lists are several times quicker to index
        stopped = self._advance(steps, bound, begin, constants, series, paths, logs)
        if stopped is not None:
            for column in (*paths, *logs):
                column[stopped:] = [column[stopped - 1]] * (steps + 1 - stopped)
        columns = iter(logs)
        records = {}
        for record in loop.records:
            parts = [next(columns) for _ in record.parts]
            records[record.name] = (
                _columns(parts) if len(parts) > 1 else np.array(parts[0], dtype=float)
            )
        return Run(_columns(paths), records, stopped)

    def _advance(
        self,
        steps: int,
        bound: float,
        kept: Sequence[float],
        constants: Sequence[float],
        series: Sequence[list[float]],
        paths: Sequence[list[float]],
        logs: Sequence[list[float]],
    ) -> int | None:
        """All steps, each by the quick form if it can; the step that left the bound."""
        numbers = [float(c) for c in constants]
        k, left, end = self.quick(0, steps, bound, numbers, series, kept, paths, logs)
        if left or k == steps:
            return k + 1 if left else None
        wide, wide_series = [np.float64(c) for c in numbers], [np.array(s) for s in series]
        stride = 1
        while k < steps and not left:
            until = min(k + stride, steps)
            at: list[Any] = [np.float64(x) for x in end]
            with np.errstate(all="ignore"):
                k, left, end = self.careful(k, until, bound, wide, wide_series, at, paths, logs)
            if left:
                break
            assert k == until, "NumPy's numbers do not raise"
            at = [float(x) for x in end]
            k, left, end = self.quick(k, steps, bound, numbers, series, at, paths, logs)
            # Where every step raises, the quick form is not tried again at every step.
            stride = 2 * stride if k == until else 1
        return k + 1 if left else None


def _columns(parts: Sequence[Sequence[float]]) -> Array:
    return np.ascontiguousarray(np.array(parts, dtype=float).T)


def _start(at: str | float | bool, here: Mapping[str, float]) -> float:
    return here[at] if isinstance(at, str) else float(at)
