"""What every benchmark does with the figures it found: percentiles, rounding, and how they print.

Each command prints a table for the eye, or with --json one object for a program.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any


def percentile(values: Sequence[float], share: int) -> float:
    """The value below which `share` per cent of them lie; NaN of none."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


def asking(doc: str | None) -> argparse.ArgumentParser:
    """A command's arguments, described by its module's first lines, with --json among them."""
    parser = argparse.ArgumentParser(description=(doc or "").split("\n\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")
    return parser


def rounded(found: Any, digits: int = 3) -> Any:
    """Figures to so many decimals, within what holds them."""
    if isinstance(found, Mapping):
        return {name: rounded(entry, digits) for name, entry in found.items()}
    if isinstance(found, list | tuple):
        return [rounded(entry, digits) for entry in found]
    return round(found, digits) if isinstance(found, float) else found


def show(found: Mapping[str, Any], *, as_json: bool, indent: str = "") -> None:
    """Print the figures: one a line, those of a group under its name; or all as one object."""
    if as_json:
        print(json.dumps(found))
        return
    width = 2 + max(map(len, found), default=0)
    for name, value in found.items():
        if isinstance(value, Mapping):
            print(f"{indent}{name}")
            show(value, as_json=False, indent=indent + "  ")
        else:
            print(f"{indent}{name:{width}}{value}")
