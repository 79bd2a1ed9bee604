"""Every optimizer, under each of its named conventions, against the library it claims to equal.

The golden paths come from PyTorch, optax and their kin and, where no library has the form, from a
separate straight implementation; ``tests/golden/make_optimizers.py`` makes them and names the
versions.
"""

import itertools
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import engine
from engine.optimizers import OPTIMIZERS
from engine.studies.parity import compared
from engine.tape import Vector
from tests.golden.cases import Case, engine_path, load_cases, relative_error
from tests.golden.parity import TABLE, parity_rows

TOLERANCE = 1e-12


@pytest.mark.parametrize("case", load_cases(), ids=str)
def test_path_equals_the_reference(case: Case) -> None:
    assert relative_error(engine_path(case), case.path) <= TOLERANCE


# Combinations of options that nothing independent was found for, and why.
NOT_COMPARED: Mapping[tuple[str, str], str] = {}


def test_every_rule_has_an_independent_reference_for_every_convention() -> None:
    """A new rule, or a new option of an old one, fails here until it has its golden runs."""
    held = {(c.optimizer, *full_options(c.optimizer, c.options)) for c in load_cases()}
    wanted = {
        (slug, *combination)
        for slug, entry in OPTIMIZERS.items()
        for combination in itertools.product(
            *([(o.name, value) for value, _ in o.choices] for o in entry.options)
        )
    }
    missing = {(slug, str(dict(options))) for slug, *options in wanted - held}
    assert missing == set(NOT_COMPARED)
    assert compared() == (len(wanted) - len(missing), len(wanted))


def full_options(slug: str, options: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(OPTIMIZERS[slug].option_values(options).items())


@pytest.mark.parametrize("slug", list(OPTIMIZERS))
def test_a_step_the_wrong_way_is_caught(slug: str) -> None:
    """A rule whose step has the wrong sign is far from its reference."""
    case = next(c for c in load_cases() if c.optimizer == slug)
    entry = OPTIMIZERS[slug]

    def backward(oracle: Any, w: Vector, s: Any, h: Any, o: Any) -> Any:
        following, state = entry.rule(oracle, w, s, h, o)
        return w + (w - following), state

    landscape = engine.LANDSCAPES[case.landscape](**case.params)
    run = engine.descend(
        landscape, replace(entry, rule=backward), case.start, case.steps, dict(case.hypers),
        options=dict(case.options), schedule=case.schedule,
    )  # fmt: skip
    path = np.asarray(run.path)[case.kept]
    assert not relative_error(path, case.path) < 1e-3


def test_parity_table_of_the_app_is_the_one_these_runs_give() -> None:
    shown, measured = json.loads(TABLE.read_text(encoding="utf-8")), parity_rows()
    errors = [row.pop("largest_relative_error") for row in shown]
    assert max(errors) <= TOLERANCE
    for row in measured:
        del row["largest_relative_error"]
    assert shown == measured, "run: python -m tests.golden.parity"
