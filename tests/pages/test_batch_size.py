"""Batch size: what the page says and tables, and that its presets open."""

from __future__ import annotations

import re

import pytest

from tests.pages.running import markdown, open_page, tables


def test_the_chosen_example_is_said_with_its_error() -> None:
    page = open_page("batch_size", chosen="5", noise="0", at="1,1.3")
    assert not page.exception
    assert "lies 1 off the line" in markdown(page)


def test_the_table_is_computed() -> None:
    page = open_page("batch_size", view="runs")
    rows = re.findall(r"<td>(?:<span.*?</span></span>)?([^<]*)</td>", tables(page))
    sizes, epochs = rows[0::8], rows[1::8]
    assert [size[1:] for size in sizes] == ["1", "32", "256", "all"]
    assert epochs == ["1024", "32", "4", "1"]
    assert rows[3::8] == ["0.1"] * 4


def test_a_run_that_leaves_the_picture_reaches_nothing() -> None:
    page = open_page("batch_size", view="runs", power="1", steps="1000")
    assert "never" in tables(page)
    assert "∞" in tables(page)


@pytest.mark.parametrize("rule", ["adam", "lion"])
def test_other_rules_run_over_batches_too(rule: str) -> None:
    page = open_page("batch_size", view="runs", rule=rule, against="seconds")
    assert not page.exception


@pytest.mark.parametrize("view", ["gradients", "runs"])
def test_two_layers_are_a_model_too(view: str) -> None:
    page = open_page("batch_size", view=view, model="layers", noise="0", at="1,1", chosen="5")
    assert not page.exception
    assert view == "runs" or "error · x · (v, u)" in markdown(page)


def test_the_wells_open() -> None:
    assert "matter of chance" in markdown(open_page("batch_size", view="wells"))
