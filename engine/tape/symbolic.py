"""Formulas out of tapes: LaTeX as the formula was written, and SymPy expressions.

Both are interpretations of the record that a function leaves when it runs on a tape, one case per
operation. No text is ever parsed: SymPy is handed symbols and calls, never a string.
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

if TYPE_CHECKING:
    import sympy

MAX_LATEX = 4000  # characters; a formula this long helps nobody

# How tightly an expression holds together: what stands beside a tighter sign needs brackets.
SUM, PRODUCT, POWER, ATOM = range(4)
Piece = tuple[str, int]

_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega",
}  # fmt: skip
_FUNCTIONS = {
    "exp": r"\exp", "log": r"\ln", "sin": r"\sin", "cos": r"\cos", "tan": r"\tan",
    "tanh": r"\tanh", "sigmoid": r"\sigma", "softplus": r"\operatorname{softplus}",
    "relu": r"\operatorname{relu}", "sign": r"\operatorname{sign}", "maximum": r"\max",
    "minimum": r"\min", "log1p": r"\operatorname{log1p}", "clip": r"\operatorname{clip}",
}  # fmt: skip
_RELATIONS = {
    "less": "<", "less_equal": r"\le", "greater": ">", "greater_equal": r"\ge", "equal": "=",
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
        piece = _piece(node.operation.name, [read(x) for x in node.inputs], node.parameters)
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
        return rf"{digits} \cdot 10^{{{int(exponent)}}}", PRODUCT if value > 0 else SUM
    return text, SUM if text.startswith("-") else ATOM


def _share_of_pi(value: float) -> Fraction | None:
    """The simple fraction of π that the number is, if it is one."""
    if not math.isfinite(value):
        return None
    share = Fraction(value / math.pi).limit_denominator(12)
    simple = 0 < abs(share.numerator) <= 12
    return share if simple and math.isclose(share * math.pi, value, rel_tol=1e-15) else None


def _held(piece: Piece, tightness: int) -> str:
    """The piece, in brackets where it holds together less tightly than asked."""
    text, own = piece
    return text if own >= tightness else rf"\left({text}\right)"


def _piece(name: str, a: Sequence[Piece], parameters: Mapping[str, Any]) -> Piece:
    match name:
        case "add":
            right = a[1][0]
            join = f" - {right[1:]}" if right.startswith("-") else f" + {right}"
            return a[0][0] + join, SUM
        case "subtract":
            return f"{a[0][0]} - {_held(a[1], PRODUCT)}", SUM
        case "negative":
            return f"-{_held(a[0], PRODUCT)}", SUM
        case "multiply":
            return _product(_held(a[0], PRODUCT), _held(a[1], PRODUCT)), PRODUCT
        case "divide":
            return rf"\frac{{{a[0][0]}}}{{{a[1][0]}}}", PRODUCT
        case "integer_power":
            return f"{_held(a[0], ATOM)}^{{{parameters['exponent']}}}", POWER
        case "power":
            return f"{_held(a[0], ATOM)}^{{{a[1][0]}}}", POWER
        case "sqrt":
            return rf"\sqrt{{{a[0][0]}}}", ATOM
        case "absolute":
            return rf"\left|{a[0][0]}\right|", ATOM
        case "where":
            lines = rf"{a[1][0]} & {a[0][0]}\\{a[2][0]} & \text{{else}}"
            return rf"\begin{{cases}}{lines}\end{{cases}}", ATOM
        case "sum" | "mean" | "broadcast_to" | "reshape":  # nothing to do on a scalar
            return a[0]
    if name in _RELATIONS:
        return f"{a[0][0]} {_RELATIONS[name]} {a[1][0]}", SUM
    if name in _FUNCTIONS:
        inside = r",\, ".join(text for text, _ in a)
        return rf"{_FUNCTIONS[name]}\left({inside}\right)", ATOM
    raise ValueError(f"{name} has no formula for scalars")


def _product(left: str, right: str) -> str:
    """Juxtaposed, with a dot where two digits would run into one number."""
    close = left[-1].isdigit() and (right[0].isdigit() or right.startswith(r"\frac"))
    sign = r" \cdot " if close or right[0].isdigit() else r"\, "
    return f"{left}{sign}{right}"


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
    """step, maximum, minimum, sigmoid and softplus: functions that SymPy only differentiates.

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
    add("sigmoid", r"\sigma\left(", lambda x: made["sigmoid"](x) * (1 - made["sigmoid"](x)))
    add("softplus", r"\operatorname{softplus}\left(", lambda x: made["sigmoid"](x))
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


@lru_cache(maxsize=1)
def _sympy_table() -> Mapping[str, Callable[..., Any]]:
    """One SymPy expression per operation on scalars."""
    import sympy as s

    opaque = _opaque()
    largest, smallest = opaque["maximum"], opaque["minimum"]
    return {
        "add": lambda x, y: x + y,
        "subtract": lambda x, y: x - y,
        "multiply": lambda x, y: x * y,
        "divide": lambda x, y: x / y,
        "negative": lambda x: -x,
        "power": lambda x, y: x**y,
        "integer_power": lambda x, exponent: x**exponent,
        "exp": s.exp,
        "log": s.log,
        "log1p": lambda x: s.log(1 + x),
        "sqrt": s.sqrt,
        "sin": s.sin,
        "cos": s.cos,
        "tan": s.tan,
        "tanh": s.tanh,
        "sigmoid": opaque["sigmoid"],
        "softplus": opaque["softplus"],
        "sign": s.sign,
        "absolute": s.Abs,
        "relu": lambda x: largest(x, s.S.Zero),
        "maximum": largest,
        "minimum": smallest,
        "less": s.Lt,
        "less_equal": s.Le,
        "greater": s.Gt,
        "greater_equal": s.Ge,
        "equal": s.Eq,
        "clip": lambda x, low, high: smallest(largest(x, low), high),
        "where": lambda condition, x, y: s.Piecewise((x, condition), (y, True)),
    }
