"""The page of agreement: every row of the table, the worst of them named, filters."""

from __future__ import annotations

import re

import pytest

from engine.optimizers import OPTIMIZERS
from engine.studies.parity import agreements
from tests.pages.running import markdown, open_page, tables


def test_every_row_is_shown_and_the_worst_is_named() -> None:
    page = open_page("parity")
    assert not page.exception
    table = tables(page)
    assert table.count("<tr>") == len(agreements()) + 1
    worst = max(row.largest_relative_error for row in agreements())
    assert f"**{worst:.1e}**" in markdown(page)
    for entry in OPTIMIZERS.values():
        assert f">{entry.name}<" in table


@pytest.mark.parametrize("library", ["torch", "optax", "a second implementation"])
def test_a_reference_can_be_chosen(library: str) -> None:
    table = tables(open_page("parity", **{"with": library}))
    wanted = [
        r
        for r in agreements()
        if (r.library if r.version else "a second implementation") == library
    ]
    assert table.count("<tr>") == len(wanted) + 1


def test_the_largest_errors_come_first_when_asked() -> None:
    table = tables(open_page("parity", sort="largest error"))
    shown = [float(text) for text in re.findall(r"</span>([\d.e+-]+)</td>", table)]
    assert shown == sorted(shown, reverse=True)


def test_unreadable_link_falls_back_with_a_notice() -> None:
    page = open_page("parity", **{"with": "jax"})
    assert not page.exception
    assert page.warning
