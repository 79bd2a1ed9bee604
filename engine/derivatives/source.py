"""A traced function and its gradient to take along: by reverse mode as Python that runs anywhere,
and in LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.derivatives.expression import derivative
from engine.emit.dialect import FUNCTIONS, PYTHON
from engine.emit.program import Atom, Key, Level, Line, compile_program
from engine.tape import Value, autograd
from engine.tape.latex import latex_of, name_latex

LONGEST = 2000  # lines; what is longer nobody would paste


def python_gradient(function: Callable[..., Any], names: Sequence[str], called: str = "f") -> str:
    """The text of `CALLED_and_gradient(*names)`, which returns the value and a tuple of slopes.

    function takes scalars in the order of names. ValueError for an operation that scalars do not
    have, or where the text would be too long.
    """

    def traced(at: Mapping[Key, Value]) -> dict[Key, Any]:
        value, slopes = autograd.value_and_grad(function, range(len(names)))(*at.values())
        return {"value": value, **dict(enumerate(slopes))}

    levels: dict[Key, Level] = dict.fromkeys(range(len(names)), Level.CELL)
    program = compile_program(traced, levels, most=LONGEST)
    known = {program.inputs[i]: name for i, name in enumerate(names)}
    free = (f"v{i}" for i in range(1, LONGEST + len(names) + 2) if f"v{i}" not in names)
    known |= {line.target: name for line, name in zip(program.lines, free, strict=False)}

    def named(x: Atom) -> Atom:
        return known[x] if isinstance(x, str) else x

    lines = [
        Line(str(known[x.target]), x.operation, tuple(map(named, x.arguments)), x.level)
        for x in program.lines
    ]
    value, *slopes = (PYTHON.atom(named(x)) for x in program.outputs.values())
    used = sorted({x.operation for x in lines if x.operation in FUNCTIONS})
    found = ", ".join(slopes) + ("," if len(slopes) == 1 else "")
    head = f"from math import {', '.join(used)}\n\n\n" if used else ""
    body = [*PYTHON.lines(lines), f"return {value}, ({found})"]
    signature = f"def {called}_and_gradient({', '.join(names)}):\n"
    return head + signature + "".join(f"    {line}\n" for line in body)


def latex_gradient(function: Callable[..., Any], names: Sequence[str], called: str = "f") -> str:
    """The function and its derivatives as aligned lines of LaTeX; those too long to print are left
    out."""
    f, letters = name_latex(called), [name_latex(name) for name in names]
    d = r"\partial" if len(names) > 1 else "d"
    rows = [rf"{f}({', '.join(letters)}) &= {latex_of(function, names)}"]
    for i, letter in enumerate(letters):
        slope = derivative(function, tuple(names), i).latex
        if slope:
            rows.append(rf"\frac{{{d} {f}}}{{{d} {letter}}} &= {slope}")
    whole = r" \\ ".join(rows)
    return rf"\begin{{aligned}} {whole} \end{{aligned}}"
