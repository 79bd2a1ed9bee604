"""The parity table: which reference each optimizer equals, and how closely.

``python -m tests.golden.parity`` runs the engine against every golden trajectory and writes the
table that the app shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.optimizers import OPTIMIZERS
from tests.golden.cases import Case, engine_path, load_cases, relative_error

TABLE = Path(__file__).parents[2] / "engine" / "studies" / "data" / "parity.json"


def _largest_error(cases: list[Case]) -> float:
    """To two digits: the rest of a rounding error depends on the machine."""
    return float(f"{max(relative_error(engine_path(c), c.path) for c in cases):.1e}")


def parity_rows() -> list[dict[str, Any]]:
    """One row per optimizer, options and reference, in the order of the golden files.

    Keys: optimizer, options, library, version (empty for an independent implementation), call,
    problems, runs, steps, largest_relative_error.
    """
    groups: dict[tuple[Any, ...], list[Case]] = {}
    for case in load_cases():
        options = OPTIMIZERS[case.optimizer].option_values(case.options)
        groups.setdefault((case.optimizer, tuple(options.items()), *case.reference), []).append(
            case
        )
    return [
        {
            "optimizer": key[0],
            "options": dict(key[1]),
            **dict(zip(("library", "version", "call"), key[2:], strict=True)),
            "problems": len({(c.landscape, *c.params.items()) for c in cases}),
            "runs": len(cases),
            "steps": max(c.steps for c in cases),
            "largest_relative_error": _largest_error(cases),
        }
        for key, cases in groups.items()
    ]


if __name__ == "__main__":
    TABLE.parent.mkdir(exist_ok=True)
    table = json.dumps(parity_rows(), indent=1, ensure_ascii=False)
    TABLE.write_text(table + "\n", encoding="utf-8")
    print(f"wrote {TABLE.name}")
