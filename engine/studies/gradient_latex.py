"""The gradient of a landscape as a formula, found by the tape's own rules."""

from __future__ import annotations

from functools import lru_cache

from engine.derivatives.expression import derivative
from engine.problems.landscapes import Landscape

LONGEST = 400  # characters of LaTeX; a longer formula would not fit a page


def gradient_latex(landscape: Landscape) -> tuple[str, str] | None:
    """∂f/∂x and ∂f/∂y in LaTeX at the landscape's present parameters; None where too long."""
    return _gradient(landscape.function, tuple(landscape.arguments.items()))


@lru_cache(maxsize=64)
def _gradient(function: object, arguments: tuple[tuple[str, float], ...]) -> tuple[str, str] | None:
    def value(x: object, y: object) -> object:
        return function(x, y, **dict(arguments))  # type: ignore[operator]

    slopes = tuple(derivative(value, ("x", "y"), i).latex for i in range(2))
    if any(not text or len(text) > LONGEST for text in slopes):
        return None
    return slopes[0], slopes[1]
