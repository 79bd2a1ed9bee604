"""A number that a reader may set: of a landscape, of a rule, of a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number with all that a control needs to know of it: its name in links and calls, its
    symbol in text and in LaTeX, its first value, its range and what it means."""

    name: str
    symbol: str
    latex: str
    default: float
    low: float
    high: float
    scale: Literal["linear", "log"]
    meaning: str
