"""The page of agreement: a dot for every row, the worst named, the table folded, filters."""

from __future__ import annotations

import re

import pytest

from engine.emit.picture import written
from engine.optimizers import OPTIMIZERS
from engine.studies.parity import OWN, ROUNDING, TOLERANCE, agreements, compared
from figures.parity import dots
from tests.pages.running import markdown, open_page, tables

REFERENCES = list(dict.fromkeys(row.reference for row in agreements()))


def test_every_row_is_shown_and_the_worst_is_named() -> None:
    page = open_page("parity")
    assert not page.exception
    table = tables(page)
    assert table.count("<tr>") == len(agreements()) + 1
    worst = max(row.largest_relative_error for row in agreements())
    assert f"**{written(worst, '2')}**" in markdown(page)
    held, every = compared()
    assert held == every
    assert f"All {every} combinations of options of {len(OPTIMIZERS)} optimizers" in markdown(page)
    for entry in OPTIMIZERS.values():
        assert f"{entry.name}<" in table


def test_the_picture_has_a_dot_a_row_between_rounding_and_the_tolerance() -> None:
    figure = dots(agreements(), REFERENCES)
    assert sum(len(trace["x"]) for trace in figure["data"]) == len(agreements())
    assert len({trace["marker"]["color"] for trace in figure["data"]}) == len(REFERENCES)
    for trace in figure["data"]:
        assert (trace["x"] >= ROUNDING).all()
        assert (trace["x"] <= TOLERANCE).all()
    names = figure["layout"]["yaxis"]["ticktext"]
    assert sorted(names) == sorted(entry.name for entry in OPTIMIZERS.values())


@pytest.mark.parametrize("library", ["torch", "optax", OWN])
def test_a_reference_can_be_chosen(library: str) -> None:
    table = tables(open_page("parity", **{"with": library}))
    wanted = [row for row in agreements() if row.reference == library]
    assert table.count("<tr>") == len(wanted) + 1


def test_the_largest_errors_come_first_when_asked() -> None:
    table = tables(open_page("parity", sort="largest error"))
    first = re.findall(r">([^<>]+)</td></tr>", table)[0]
    assert first == written(max(row.largest_relative_error for row in agreements()), "2")


def test_unreadable_link_falls_back_with_a_notice() -> None:
    page = open_page("parity", **{"with": "jax"})
    assert not page.exception
    assert page.warning
