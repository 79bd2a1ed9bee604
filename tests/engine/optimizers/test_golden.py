"""Every optimizer, under each of its named conventions, against the library it claims to equal.

The golden paths come from PyTorch, optax and their kin and, where no library has the form, from a
separate straight implementation; ``tests/golden/make_optimizers.py`` makes them and names the
versions.
"""

import json

import pytest

from tests.golden.cases import Case, engine_path, load_cases, relative_error
from tests.golden.parity import TABLE, parity_rows

TOLERANCE = 1e-12


@pytest.mark.parametrize("case", load_cases(), ids=str)
def test_path_equals_the_reference(case: Case) -> None:
    assert relative_error(engine_path(case), case.path) <= TOLERANCE


def test_parity_table_of_the_app_is_the_one_these_runs_give() -> None:
    shown, measured = json.loads(TABLE.read_text(encoding="utf-8")), parity_rows()
    errors = [row.pop("largest_relative_error") for row in shown]
    assert max(errors) <= TOLERANCE
    for row in measured:
        del row["largest_relative_error"]
    assert shown == measured, "run: python -m tests.golden.parity"
