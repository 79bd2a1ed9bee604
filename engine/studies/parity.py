"""How closely each optimizer agrees with the library it claims to equal, as measured by the tests.

The numbers are made by `python -m tests.golden.parity` from stored runs of the libraries; a test
fails where they are not what the engine gives today.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

TABLE = Path(__file__).parent / "data" / "parity.json"
TOLERANCE = 1e-12  # what the tests ask for
ROUNDING = 2.0**-54  # no error of a float64 path worth telling from none


@dataclass(frozen=True, slots=True)
class Agreement:
    """One optimizer under one set of options against one reference.

    Errors are relative to the largest size of each coordinate along the path, in float64.
    version is empty where the reference is a second implementation from the paper.
    """

    optimizer: str
    options: str
    library: str
    version: str
    call: str
    problems: int
    runs: int
    steps: int
    largest_relative_error: float

    @property
    def share(self) -> float:
        """Where the error lies between rounding (0) and the tolerance (1), logarithmically."""
        error = max(self.largest_relative_error, ROUNDING)
        return min(math.log(error / ROUNDING) / math.log(TOLERANCE / ROUNDING), 1.0)


@lru_cache(maxsize=1)
def agreements() -> tuple[Agreement, ...]:
    """Every row of the table, in its order."""
    return tuple(Agreement(**row) for row in json.loads(TABLE.read_text()))
