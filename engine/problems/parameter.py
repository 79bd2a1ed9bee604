"""A number that a reader may set: of a landscape, of a rule, of a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number with all that a control needs to know of it: its name in links and calls, its
    symbol in text and in LaTeX, its first value, its range, what it means, and what it is called
    beside its control where its name is not a word for it."""

    name: str
    symbol: str
    latex: str
    default: float
    low: float
    high: float
    scale: Literal["linear", "log"]
    meaning: str
    label: str = ""

    @property
    def called(self) -> str:
        """What a reader sees it called."""
        return self.label or self.name.replace("_", " ")

    @property
    def explained(self) -> str:
        """What it means, with its name in links and code where it is called otherwise."""
        known = self.called in (self.name, self.name.replace("_", " "))
        return self.meaning if known else f"{self.meaning} ({self.name} in links and code)"
