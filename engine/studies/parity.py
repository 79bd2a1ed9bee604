"""How closely each optimizer agrees with the library it claims to equal, as measured by the tests.

The numbers are made by `python -m tests.golden.parity` from stored runs of the libraries; a test
fails where they are not what the engine gives today, and where a combination of options lacks one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.optimizers import OPTIMIZERS

TABLE = Path(__file__).parent / "data" / "parity.json"
TOLERANCE = 1e-12  # what the tests ask for
ROUNDING = 2.0**-54  # no error of a float64 path worth telling from none
OWN = "a second implementation"


@dataclass(frozen=True, slots=True)
class Agreement:
    """One optimizer under one set of options against one reference.

    Errors are relative to the largest size of each coordinate along the path, in float64.
    version is empty where the reference is a second implementation from the paper.
    """

    optimizer: str
    options: Mapping[str, str | bool]
    library: str
    version: str
    call: str
    problems: int
    runs: int
    steps: int
    largest_relative_error: float

    @property
    def reference(self) -> str:
        """Whose run it was held against."""
        return self.library if self.version else OWN

    @property
    def spelled(self) -> str:
        """The options in words of the rule's own, empty where it has none."""
        return ", ".join(
            f"{option.label}: {meaning}"
            for option in OPTIMIZERS[self.optimizer].options
            for value, meaning in option.choices
            if value == self.options[option.name]
        )

    @property
    def shown_error(self) -> float:
        """The error, at least that of rounding: what a logarithmic axis can show."""
        return max(self.largest_relative_error, ROUNDING)


@lru_cache(maxsize=1)
def agreements() -> tuple[Agreement, ...]:
    """Every row of the table, in its order."""
    return tuple(Agreement(**row) for row in json.loads(TABLE.read_text()))


def compared() -> tuple[int, int]:
    """How many combinations of an optimizer's options are compared, and how many there are."""
    held = {(row.optimizer, *row.options.items()) for row in agreements()}
    every = sum(math.prod(len(o.choices) for o in e.options) for e in OPTIMIZERS.values())
    return len(held), every
