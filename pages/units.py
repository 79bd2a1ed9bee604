"""The unit of information, chosen once for all pages: bits, nats or bans (hartleys).

A page has the field `units.field()`, offers `x.chooser("unit")` and asks `units.of(x)` for the
base of its logarithms, their LaTeX and the unit's name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pages.state import Choice, ChoiceField, Experiment


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit's name, the base of its logarithm, and that logarithm in LaTeX, as text and in NumPy;
    also what else it is called."""

    name: str
    base: float
    latex: str
    log: str
    numpy: str
    also: str = ""

    @property
    def spoken(self) -> str:
        """Its names."""
        return f"{self.name}, {self.also}" if self.also else self.name

    def __str__(self) -> str:
        return self.name


UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        unit.name: unit
        for unit in (
            Unit("bits", 2.0, r"\log_2", "log₂", "np.log2"),
            Unit("nats", math.e, r"\ln", "ln", "np.log"),
            Unit("bans", 10.0, r"\log_{10}", "log₁₀", "np.log10", "hartleys"),
        )
    }
)


def field(default: str = "bits") -> ChoiceField[str]:
    """The choice of a unit as a field of a page."""
    return Choice(
        "unit", default, list(UNITS), label="unit",
        says={unit.name: f"{unit.spoken} ({unit.log})" for unit in UNITS.values()},
        help="what information is counted in: the base of the logarithm",
    )  # fmt: skip


def of(x: Experiment) -> Unit:
    """The unit that the page stands at."""
    return UNITS[x["unit"]]
