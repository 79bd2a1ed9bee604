"""Formulas out of tapes, in LaTeX, as they were written.

They are a reading of the record that a function leaves when it runs on a tape, by the rows of the
table of operations: no text is parsed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from engine.tape import Value
from engine.tape.interpret import trace_scalars
from engine.tape.typeset import ATOM, PRODUCT, SUM, Piece

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
