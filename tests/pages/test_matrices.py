"""Muon and matrices: every view opens, and says the numbers that the engine finds."""

from __future__ import annotations

import re

import pytest

from engine.studies.matrices import memory, raced
from tests.pages.programs import component_data
from tests.pages.running import markdown, open_page, tables


def cells(**link: str) -> list[list[str]]:
    page = open_page("matrices", **link)
    assert not page.exception
    found = re.findall(r"<tr>((?:<td>[^<]*</td>)+)</tr>", tables(page))
    return [re.findall(r"<td>([^<]*)</td>", row) for row in found]


def test_the_table_of_a_race_is_the_engines() -> None:
    rows = {row[0]: row for row in cells(view="race")}
    assert float(rows["AdamW"][3]) == pytest.approx(
        raced(memory(), "adamw", beta=0.8).error, rel=0.01
    )
    assert [rows[name][4] for name in ("SGD", "Muon", "AdamW", "Shampoo")] == ["0", "1", "2", "2"]


def test_groups_name_the_rule_of_each() -> None:
    rows = cells(view="groups")
    assert [row[:2] for row in rows] == [
        ["AdamW", "AdamW"], ["Sophia", "Sophia"], ["Muon", "AdamW"], ["Muon", "Sophia"],
    ]  # fmt: skip
    assert float(rows[0][3]) > 1e-5


def test_an_interval_is_said_where_there_is_one() -> None:
    """Also while a hand moves, by the browser: the cubic has none (see the engine's tests)."""
    given = component_data(open_page("matrices"))
    (line,) = next(data["lines"] for data in given if "lines" in data)
    pieces = line["$text"]
    at = next(i for i, piece in enumerate(pieces) if "What is in [" in piece)
    assert pieces[at - 1] == pieces[at + 5] == ["?"]
    assert pieces[at + 4] == "] stays there. "


@pytest.mark.parametrize("problem", ["factorisation", "direction"])
def test_the_spectra_of_a_run_stand_beside_the_polynomial(problem: str) -> None:
    page = open_page("matrices", source="run", problem=problem)
    assert not page.exception
    assert "goes through p by itself" in markdown(page)
