"""Formulas out of tapes: LaTeX as the formula was written, and SymPy expressions.

Both are interpretations of the record that a function leaves when it runs on a tape, by the rows of
the table of operations. No text is ever parsed: SymPy is handed symbols and calls, never a string.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.tape import Value
from engine.tape.interpret import interpret, trace_scalars
from engine.tape.operations import OPERATIONS
from engine.tape.typeset import ATOM, PRODUCT, SUM, Piece

if TYPE_CHECKING:
    import sympy

MAX_LATEX = 4000  # characters; a formula this long helps nobody

_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega",
}  # fmt: skip


def latex_of(function: Callable[..., Any], names: Sequence[str]) -> str:
    """The formula of a function of scalars, with an input called by each name.

    Raises ValueError where it would be longer than MAX_LATEX characters.
    """
    tape, result = trace_scalars(function, names)
    pieces: list[Piece] = []

    def read(x: Any) -> Piece:
        return pieces[x.index] if type(x) is Value else number_latex(x)

    for node in tape.nodes:
        if node.operation is None:
            pieces.append((name_latex(names[node.index]), ATOM))
            continue
        if node.operation.typeset is None:
            raise ValueError(f"{node.operation.name} has no formula for scalars")
        piece = node.operation.typeset([read(x) for x in node.inputs], node.parameters)
        if len(piece[0]) > MAX_LATEX:
            raise ValueError(f"the formula would be longer than {MAX_LATEX} characters")
        pieces.append(piece)
    return read(result)[0]


def name_latex(name: str) -> str:
    """w1 and w_1 as w_{1}, beta1 as β₁, words upright, one letter as it is."""
    match = re.fullmatch(r"([A-Za-zα-ωΑ-Ω]+?)_?(\d*)", name)
    if match is None:
        escaped = name.replace("_", r"\_")
        return rf"\mathrm{{{escaped}}}"
    word, digits = match.groups()
    if word in _GREEK:
        word = rf"\{word}"
    elif len(word) > 1:
        word = rf"\mathrm{{{word}}}"
    return f"{word}_{{{digits}}}" if digits else word


def number_latex(x: Any) -> Piece:
    """A number to six digits; simple multiples of π, and e, by name."""
    value = float(x)
    if value == math.e:
        return "e", ATOM
    share = _share_of_pi(value)
    if share:
        sign = "-" if share < 0 else ""
        times = abs(share.numerator)
        top = r"\pi" if times == 1 else rf"{times}\pi"
        text = top if share.denominator == 1 else rf"\tfrac{{{top}}}{{{share.denominator}}}"
        return sign + text, SUM if sign else PRODUCT
    text = f"{value:.6g}"
    if "e" in text:
        digits, exponent = text.split("e")
        return rf"{digits} \times 10^{{{int(exponent)}}}", PRODUCT if value > 0 else SUM
    return text, SUM if text.startswith("-") else ATOM


def _share_of_pi(value: float) -> Fraction | None:
    """The simple fraction of π that the number is, if it is one."""
    if not math.isfinite(value):
        return None
    share = Fraction(value / math.pi).limit_denominator(12)
    simple = 0 < abs(share.numerator) <= 12
    return share if simple and math.isclose(share * math.pi, value, rel_tol=1e-15) else None


# SymPy --------------------------------------------------------------------------------------------


def to_sympy(function: Callable[..., Any], names: Sequence[str]) -> sympy.Expr:
    """The same function as a SymPy expression in real symbols of those names.

    Decimal numbers become exact (0.1 is 1/10), multiples of π stay π.
    """
    return interpret(function, symbols(names), _sympy_table(), exact)


def symbols(names: Sequence[str]) -> list[sympy.Symbol]:
    """The real symbols that stand for inputs of those names."""
    import sympy

    return [sympy.Symbol(name, real=True) for name in names]


def exact(x: Any) -> sympy.Expr:
    """The exact number that a float was most likely meant to be."""
    import sympy

    value = float(x)
    share = _share_of_pi(value)
    if share:
        return sympy.Rational(share.numerator, share.denominator) * sympy.pi
    if value == math.e:
        return sympy.E
    simple = Fraction(value).limit_denominator(1000)
    meant = simple if float(simple) == value else Fraction(repr(value))
    return sympy.Rational(meant.numerator, meant.denominator)


@lru_cache(maxsize=1)
def _opaque() -> Mapping[str, Any]:
    """step, maximum, minimum, sigmoid and softplus: functions that SymPy only differentiates; and
    tanh, with a slope that keeps its digits.

    Its own Max compares its arguments pair by pair and asks nested exponentials for their signs,
    which takes minutes on formulas of a line.
    """
    import sympy as s

    made: dict[str, Any] = {}

    def add(name: str, latex: str, *slopes: Callable[..., Any], close: str = r"\right)") -> None:
        def fdiff(self: Any, argindex: int = 1) -> Any:
            return slopes[argindex - 1](*self.args)

        def is_real(self: Any) -> Any:
            return s.core.logic.fuzzy_and(a.is_extended_real for a in self.args)

        def write(self: Any, printer: Any, exp: str | None = None) -> str:
            inside = r",\, ".join(printer._print(a) for a in self.args)
            text = f"{latex}{inside}{close}"
            return text if exp is None else f"{text}^{{{exp}}}"

        body = {
            "nargs": len(slopes), "fdiff": fdiff, "_latex": write,
            "_eval_is_extended_real": is_real,
        }  # fmt: skip
        made[name] = type(name, (s.Function,), body)

    def step(x: Any) -> Any:
        return made["step"](x)

    add("step", r"\mathbf{1}\!\left[", lambda x: s.S.Zero, close=r" > 0\right]")
    add("maximum", r"\max\left(", lambda x, y: step(x - y), lambda x, y: step(y - x))
    add("minimum", r"\min\left(", lambda x, y: step(y - x), lambda x, y: step(x - y))
    add("sigmoid", r"\sigma\left(", lambda x: made["sigmoid"](x) * made["sigmoid"](-x))
    add("softplus", r"\operatorname{softplus}\left(", lambda x: made["sigmoid"](x))
    slope = {"fdiff": lambda self, argindex=1: s.cosh(self.args[0]) ** -2}
    made["tanh"] = type("tanh", (s.tanh,), slope)
    return made


def compiled(expression: sympy.Expr, names: Sequence[str]) -> Callable[..., Any]:
    """A function that evaluates an expression of `to_sympy`, or its derivative, in doubles."""
    import sympy

    table = {
        "step": lambda x: np.heaviside(x, 0.5),
        "maximum": np.maximum,
        "minimum": np.minimum,
        "sigmoid": OPERATIONS["sigmoid"].evaluate,
        "softplus": OPERATIONS["softplus"].evaluate,
        "DiracDelta": lambda x: np.where(x == 0, np.inf, 0.0),  # the slope of a sign
    }
    run: Callable[..., Any] = sympy.lambdify(symbols(names), expression, modules=[table, "numpy"])
    return run


class _Symbols:
    """What the table of operations may call to make an expression."""

    def __getattr__(self, name: str) -> Any:
        import sympy

        found = _opaque().get(name)
        return getattr(sympy, name) if found is None else found


@lru_cache(maxsize=1)
def _sympy_table() -> Mapping[str, Callable[..., Any]]:
    """One SymPy expression per operation on scalars."""
    rows = OPERATIONS.items()
    return {n: row.symbol(_Symbols()) for n, row in rows if row.symbol is not None}
