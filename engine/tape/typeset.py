"""Pieces of LaTeX, each with how tightly it holds together, so that brackets stand where needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

# How tightly an expression holds together: what stands beside a tighter sign needs brackets.
SUM, PRODUCT, POWER, ATOM = range(4)
Piece = tuple[str, int]
# The formula of an operation from those of its inputs and its parameters.
Typeset = Callable[[Sequence[Piece], Mapping[str, Any]], Piece]


def held(piece: Piece, tightness: int) -> str:
    """The piece, in brackets where it holds together less tightly than asked."""
    text, own = piece
    return text if own >= tightness else rf"\left({text}\right)"


def call(name: str) -> Typeset:
    """name(x, y, …)."""

    def typeset(a: Sequence[Piece], _: Mapping[str, Any]) -> Piece:
        inside = r",\, ".join(part[0] for part in a)
        return rf"{name}\left({inside}\right)", ATOM

    return typeset


def around(form: str, tightness: int = ATOM) -> Typeset:
    """The inputs put in place of <0>, <1> … as they are: under a root, in a fraction."""

    def typeset(a: Sequence[Piece], _: Mapping[str, Any]) -> Piece:
        text = form
        for i, part in enumerate(a):
            text = text.replace(f"<{i}>", part[0])
        return text, tightness

    return typeset


def relation(sign: str) -> Typeset:
    """x < y and the like."""
    return lambda a, _: (f"{a[0][0]} {sign} {a[1][0]}", SUM)


def unchanged(a: Sequence[Piece], _: Mapping[str, Any]) -> Piece:
    """What an operation that only moves elements is on a scalar."""
    return a[0]


def plus(a: Sequence[Piece], _: Mapping[str, Any]) -> Piece:
    """x + y, and x − y where y begins with a minus."""
    right = a[1][0]
    join = f" - {right[1:]}" if right.startswith("-") else f" + {right}"
    return a[0][0] + join, SUM


def minus(a: Sequence[Piece], _: Mapping[str, Any]) -> Piece:
    """x − y."""
    return f"{a[0][0]} - {held(a[1], PRODUCT)}", SUM


def negated(a: Sequence[Piece], _: Mapping[str, Any]) -> Piece:
    """−x."""
    return f"-{held(a[0], PRODUCT)}", SUM


def times(a: Sequence[Piece], _: Mapping[str, Any]) -> Piece:
    """x y, with a dot where two digits would run into one number."""
    left, right = held(a[0], PRODUCT), held(a[1], PRODUCT)
    close = left[-1].isdigit() and (right[0].isdigit() or right.startswith(r"\frac"))
    sign = r" \cdot " if close or right[0].isdigit() else r"\, "
    return f"{left}{sign}{right}", PRODUCT


def raised(a: Sequence[Piece], parameters: Mapping[str, Any]) -> Piece:
    """x to the power of y, or of a whole number."""
    exponent = parameters["exponent"] if parameters else a[1][0]
    return f"{held(a[0], ATOM)}^{{{exponent}}}", POWER
