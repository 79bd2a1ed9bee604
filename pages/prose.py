"""Names that pages still use from here; each has its place elsewhere.

The unit of information is `pages.units`, the sentence under a picture `frame.notice`, a row of
settings `frame.choose_preset`, a number in LaTeX `engine.emit.picture.in_latex`.
"""

from __future__ import annotations

from engine.emit.picture import in_latex
from pages.frame import choose_preset as presets
from pages.frame import notice
from pages.units import UNITS

BASES = {name: unit.base for name, unit in UNITS.items()}
LOGS = {name: unit.latex for name, unit in UNITS.items()}

__all__ = ["BASES", "LOGS", "notice", "number", "presets"]


def number(value: float, digits: int = 3) -> str:
    """A number in LaTeX with so many digits after the point."""
    return in_latex(value, f".{digits}f")
