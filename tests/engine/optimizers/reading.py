"""Reads the LaTeX of update rules as it is shown, and works it out with numbers.

Only what rules are written in is understood: + − products by juxtaposition, fractions, roots,
powers, max, min, sign, clip, exp, ln, |…|, ‖…‖, ‖…‖₁, ⟨…, …⟩, ∇J(…), placeholders and one-letter
names of a line before.
Anything else raises `Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_TOKEN = re.compile(
    r"(?P<skip>\s+|\\[,;!]|\\left|\\right|\\vert(?=\s))"
    r"|(?P<hole><[A-Za-z_]\w*-?>)"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<word>\\operatorname\{\w+\}|\\nabla J|\\[A-Za-z]+)"
    r"|(?P<sign>[-+(){}^_,|])"
    r"|(?P<letter>[A-Za-z])"
)
_CALLS: Mapping[str, Callable[..., Any]] = {
    r"\max": np.maximum,
    r"\min": np.minimum,
    r"\operatorname{sign}": np.sign,
    r"\exp": np.exp,
    r"\ln": np.log,
}
_CLOSING = (")", "}", ",", "|", r"\rVert", r"\rangle")


class Unreadable(ValueError):
    """A formula says something that this reader has no meaning for."""


class Reader:
    """The value of one right-hand side; `values` holds placeholders as written, "<m->" and so on,
    and letters; `gradient` answers for ∇J at a point."""

    def __init__(
        self, text: str, values: Mapping[str, Any], gradient: Callable[[Any], Any]
    ) -> None:
        self._values, self._gradient = values, gradient
        self._tokens: list[str] = []
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise Unreadable(text[at:])
            if found.lastgroup != "skip":
                self._tokens.append(found[0])
            at = found.end()

    def value(self) -> Any:
        """The value of the whole."""
        result = self._sum()
        if self._tokens:
            raise Unreadable(" ".join(self._tokens))
        return result

    def _next(self, wanted: str = "") -> str:
        if not self._tokens or (wanted and self._tokens[0] != wanted):
            raise Unreadable(f"{wanted or 'more'} in place of {self._tokens[:1]}")
        return self._tokens.pop(0)

    def _meets(self, *tokens: str) -> bool:
        return bool(self._tokens) and self._tokens[0] in tokens

    def _sum(self) -> Any:
        result = -self._product() if self._meets("-") and self._next() else self._product()
        while self._meets("+", "-"):
            result = result + (self._product() if self._next() == "+" else -self._product())
        return result

    def _product(self) -> Any:
        result = self._power()
        while self._tokens and not self._meets("+", "-", *_CLOSING):
            result = result * self._power()
        return result

    def _power(self) -> Any:
        base = self._factor()
        if self._meets("^"):
            self._next()
            base = base ** (self._braced() if self._meets("{") else self._factor())
        return base

    def _braced(self, opening: str = "{", closing: str = "}") -> Any:
        self._next(opening)
        result = self._sum()
        self._next(closing)
        return result

    def _factor(self) -> Any:
        token = self._next()
        if token in self._values:
            return self._values[token]
        if token == "(":
            self._tokens.insert(0, token)
            return self._braced("(", ")")
        if token == "|":
            self._tokens.insert(0, token)
            return np.abs(self._braced("|", "|"))
        if token == r"\lVert":
            self._tokens.insert(0, token)
            return self._norm(self._braced(r"\lVert", r"\rVert"))
        if token == r"\langle":
            left = self._sum()
            self._next(",")
            right = self._sum()
            self._next(r"\rangle")
            return np.sum(left * right)
        if re.fullmatch(r"\d+(\.\d+)?", token):
            return float(token)
        if token in (r"\frac", r"\tfrac"):
            return self._part() / self._part()
        if token == r"\sqrt":
            return np.sqrt(self._part())
        if token == r"\nabla J":
            return self._gradient(self._braced("(", ")"))
        if token == r"\operatorname{clip}":
            self._next("_")
            low = self._part()
            self._next("^")
            high = self._part()
            return np.clip(self._power(), low, high)
        if token in _CALLS:
            return self._call(_CALLS[token])
        raise Unreadable(token)

    def _part(self) -> Any:
        """What a fraction or a root takes: a group, or a single digit."""
        if self._meets("{"):
            return self._braced()
        digits = self._next()
        if not digits.isdigit():
            raise Unreadable(digits)
        if len(digits) > 1:
            self._tokens.insert(0, digits[1:])
        return float(digits[0])

    def _norm(self, inside: Any) -> Any:
        if self._meets("_"):
            self._next()
            self._next("1")
            return np.abs(inside).sum()
        return np.linalg.norm(inside)

    def _call(self, function: Callable[..., Any]) -> Any:
        self._next("(")
        given = [self._sum()]
        while self._meets(","):
            self._next()
            given.append(self._sum())
        self._next(")")
        return function(*given)
