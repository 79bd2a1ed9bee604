"""Formulas of the registries in LaTeX: placeholders filled with symbols, or with a step's numbers.

A template writes `<m>` for the new value of m, `<m->` for the one before, `<lr>` for a
hyper-parameter and `<t>` for the step. This is the one place that knows how to fill it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from engine.emit.picture import in_latex
from engine.optimizers import Optimizer
from engine.runs.descent import Descent

Array: TypeAlias = npt.NDArray[np.float64]
Writer: TypeAlias = Callable[[str, bool, bool], str]

_PLACEHOLDER = re.compile(r"<([A-Za-z][A-Za-z0-9_]*)(-?)>(?=(\^?))")
_LAST_SUBSCRIPT = re.compile(r"(?P<base>[^_]*)_(?:\{(?P<long>[^{}]*)\}|(?P<short>\w))")
# A thin space between two factors is enough for symbols; numbers need a dot there.
_PRODUCT = re.compile(
    r"(?<=[>)}])\s*\\,\s*(?=[<(|]|\\frac|\\tfrac|\\left|\\operatorname|\\lVert|\\langle)"
    r"|(?<=\d) (?=<)"
)
LINE, TALL, HEAD = 3.0, 4.8, 1.5  # heights of a line, of one of stacked columns, of a head; em


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One line of a rule: with symbols, and with numbers, once a coordinate or once for all."""

    symbols: str
    numbers: tuple[str, ...]
    name: str = ""  # of the quantity that it gives

    @property
    def height(self) -> float:
        """How high it is set beside others, in em."""
        stacked = any(r"\frac{\begin{pmatrix}" in text for text in self.numbers)
        return TALL if stacked else LINE


def number(value: float, digits: int = 4) -> str:
    """A number in LaTeX as it is written everywhere; what is not a number is undefined."""
    if np.isnan(value):
        return r"\text{undefined}"
    return in_latex(value, str(digits))


def factor(value: float, digits: int = 4, *, powered: bool = False) -> str:
    """A number inside a formula, or (powered) under an exponent: in parentheses if need be."""
    text = number(value, digits)
    return f"({text})" if text.startswith("-") or (powered and "10^" in text) else text


def column(values: Iterable[float]) -> str:
    """A vector of numbers as a column."""
    return r"\begin{pmatrix}" + r" \\ ".join(map(number, values)) + r"\end{pmatrix}"


def fill(template: str, write: Writer) -> str:
    """The template with write(name, before, powered) in the place of `<name>` and `<name->`.

    powered says that an exponent follows.
    """
    return _PLACEHOLDER.sub(lambda found: write(found[1], bool(found[2]), bool(found[3])), template)


def fill_numbers(template: str, values: Mapping[str, float]) -> str:
    """The template with plain numbers; a product gets its dot."""
    return fill(
        _dotted(template),
        lambda name, before, powered: factor(values[name + "-" * before], 6, powered=powered),
    )


def _dotted(template: str) -> str:
    return _PRODUCT.sub(r" \\cdot ", template)


def at_step(latex: str, step: str) -> str:
    r"""A symbol with the step as its subscript: \hat m -> \hat m_t, v_1 -> v_{1,t}."""
    found = _LAST_SUBSCRIPT.fullmatch(latex)
    if found:
        inner = found["long"] or found["short"]
        if re.fullmatch(r"t(-1)?", inner):  # a slot that names its own step
            return rf"{found['base']}_{{{step}}}"
        return rf"{found['base']}_{{{inner},{step}}}"
    base = f"{{{latex}}}" if "_" in latex else latex
    return rf"{base}_{{{step}}}" if len(step) > 1 else rf"{base}_{step}"


def symbols(optimizer: Optimizer, colors: Mapping[str, str] | None = None) -> Writer:
    """What stands for each placeholder of an optimizer when its rule is written with symbols.

    colors gives variables by name a colour (#rrggbb), that of their arrow.
    """
    hues = colors or {}
    own = {h.name: h.latex for h in optimizer.hypers}
    own |= {"t": "t", "schedule": r"\tfrac{\eta_t}{\eta}"}
    moving = {slot.name: slot.latex for slot in (*optimizer.state, *optimizer.shown)}
    moving |= {"w": "w", "g": "g"}

    def write(name: str, before: bool, powered: bool = False) -> str:
        if name in own:
            return own[name]
        text = at_step(moving.get(name, rf"\text{{{name}}}"), "t-1" if before else "t")
        return rf"\textcolor{{{hues[name]}}}{{{text}}}" if name in hues else text

    return write


def rule_in_symbols(
    optimizer: Optimizer,
    options: Mapping[str, str | bool] | None = None,
    colors: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """The lines of an update rule under these options, with symbols."""
    o = SimpleNamespace(**optimizer.option_values(options))
    return tuple(fill(line, symbols(optimizer, colors)) for line in optimizer.latex(o))


def rule_at(
    descent: Descent, step: int, colors: Mapping[str, str] | None = None
) -> tuple[RuleLine, ...]:
    """The rule of a run as it was applied at `step` (1 … last), with symbols and with numbers.

    A rule that treats coordinates one by one gives a line of numbers for each of them; any other
    gives one line, of columns. Raises ValueError for a step that the run did not make.
    """
    if not 1 <= step <= descent.steps:
        raise ValueError(f"step must lie in [1, {descent.steps}], got {step}")
    optimizer = descent.optimizer
    o = SimpleNamespace(**descent.options)
    write = symbols(optimizer, colors)
    after, before = _values(descent, step), _values(descent, step - 1)
    fixed = {**descent.hypers, "t": float(step), "schedule": _factor(descent, step)}
    coordinates: tuple[int | None, ...] = (0, 1) if optimizer.elementwise else (None,)
    return tuple(
        RuleLine(
            fill(template, write),
            tuple(_numbers(template, write, fixed, after, before, i) for i in coordinates),
            _left_name(template),
        )
        for template in optimizer.latex(o)
    )


def _left_name(template: str) -> str:
    """The quantity that a line says, "" where it says a relation."""
    named = _PLACEHOLDER.fullmatch(template.partition(" = ")[0].strip())
    return named[1] if named else ""


def _values(descent: Descent, step: int) -> dict[str, Array]:
    values = {name: np.asarray(rows[step]) for name, rows in descent.state.items()}
    return values | {"w": descent.path[step]}


def _factor(descent: Descent, step: int) -> float:
    return 1.0 if descent.schedule is None else float(descent.schedule[step - 1])


def _numbers(
    template: str,
    write: Writer,
    fixed: Mapping[str, float],
    after: Mapping[str, Array],
    before: Mapping[str, Array],
    coordinate: int | None,
) -> str:
    """One line with numbers, and what it comes to where its left side is one quantity."""

    def look_up(name: str, previous: bool) -> Any:
        if name in fixed:
            return fixed[name] * (fixed["schedule"] if name == "lr" else 1.0)
        return (before if previous else after).get(name)

    def put(name: str, previous: bool, powered: bool) -> str:
        value = look_up(name, previous)
        if value is None:
            return write(name, previous, powered)
        if np.ndim(value) == 0:
            return factor(float(value), 6 if name in fixed else 4, powered=powered)
        return column(value) if coordinate is None else factor(value[coordinate], powered=powered)

    left, _, right = template.partition(" = ")
    named = _left_name(template)
    filled = f"{fill(left, write)} = {fill(_dotted(right), put)}"
    result = after.get(named)
    if result is None:
        return filled
    if np.ndim(result) == 0:
        value = number(float(result))
    else:
        value = column(result) if coordinate is None else number(result[coordinate])
    name = r",\quad " + fill(left, write) if r"\quad" in right else ""
    return rf"{filled}{name} = \mathbf{{{value}}}"


def array(
    lines: Iterable[str], columns: Iterable[Iterable[str]] = (), heads: Iterable[str] = ()
) -> str:
    """Lines aligned at their first equals sign; beside them columns of the same lines in numbers.

    A column repeats no left side. heads are words above all columns, the symbols' first.
    """
    rows = []
    for line, *others in zip(lines, *columns, strict=True):
        left, right = _sides(line)
        cells = [left, rf"={{}} {right}", *(f"= {_sides(o)[1]}" for o in others)]
        rows.append(" & ".join(rf"\displaystyle {cell}" for cell in cells))
    words = [rf"\small\text{{{head}}}" for head in heads]
    top = [" & ".join(["", *words])] if words else []
    return _stacked(top + rows)


def blocks(lines: Sequence[RuleLine], heads: Sequence[str]) -> tuple[str, ...]:
    """The symbols and each column of numbers as arrays of their own, each line of its height.

    So they may stand side by side where there is room and one below the other where there is not,
    a picture of each line beside them.  heads are words above each, the symbols' first.
    """
    columns = zip(*([line.symbols, *line.numbers] for line in lines), strict=True)
    found = []
    for head, column in zip(heads, columns, strict=True):
        rows = [rf"& \small\text{{{head}}}\rule[-0.5em]{{0pt}}{{{HEAD}em}}"]
        for line, text in zip(lines, column, strict=True):
            left, right = _sides(text)
            strut = rf"\rule[-{0.45 * line.height:.2f}em]{{0pt}}{{{line.height}em}}"
            rows.append(rf"\displaystyle {left} & \displaystyle ={{}} {right}{strut}")
        body = r" \\ ".join(rows)
        found.append(rf"\begin{{array}}{{rl}}{body}\end{{array}}")
    return tuple(found)


def _sides(line: str) -> tuple[str, str]:
    left, _, right = line.partition(" = ")
    return left, right


def _stacked(rows: Sequence[str]) -> str:
    layout = "rl" + "l" * (rows[-1].count("&") - 1)
    # TeX counts the gap from the text's own depth: below a fraction it must be the larger.
    gaps = [11 if r"\frac" in row else 5 for row in rows]
    spaced = [rf"{row} \\[{gap}pt]" for row, gap in zip(rows, gaps, strict=True)]
    body = " ".join(spaced).rpartition(r" \\[")[0]
    return rf"\begin{{array}}{{{layout}}}{body}\end{{array}}"
