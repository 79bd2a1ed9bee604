"""The parity table: which reference each optimizer equals, and how closely.

``python -m tests.golden.parity`` runs the engine against every golden trajectory and writes the
table that the app shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.golden.cases import Case, engine_path, load_cases, relative_error

TABLE = Path(__file__).parents[2] / "engine" / "data" / "parity.json"


def _rule(case: Case) -> tuple[str, str, str]:
    options = ", ".join(f"{name}={value}" for name, value in case.options.items())
    return case.optimizer, options, case.reference


def parity_rows() -> list[dict[str, Any]]:
    """One row per optimizer, option and reference, in the order of the golden files.

    Keys: optimizer, option, reference, version, problems, runs, steps, largest_relative_error.
    ``version`` is empty where the reference is an independent implementation.
    """
    order: dict[tuple[str, str, str], list[Case]] = {}
    for case in load_cases():
        order.setdefault(_rule(case), []).append(case)
    rows = []
    for (optimizer, option, reference), cases in order.items():
        library, version, name = reference.split(" ", 2)
        rows.append(
            {
                "optimizer": optimizer,
                "option": option,
                "reference": f"{library} {name}",
                "version": version,
                "problems": len({(c.landscape, *c.params.items()) for c in cases}),
                "runs": len(cases),
                "steps": max(c.steps for c in cases),
                "largest_relative_error": max(
                    relative_error(engine_path(c), c.path) for c in cases
                ),
            }
        )
    return rows


if __name__ == "__main__":
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(json.dumps(parity_rows(), indent=1) + "\n")
    print(f"wrote {TABLE.name}")
