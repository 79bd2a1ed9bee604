"""Which learning rate: what stands in the picture and in the table, and what presets open with."""

from __future__ import annotations

import re

import pytest

from tests.pages.running import markdown, open_page, tables


def numbers(**link: str) -> list[float]:
    """η by the steepest fall, a tenth of the least, the last safe rate, the best."""
    page = open_page("which_rate", **link)
    assert not page.exception
    cells = re.findall(r"<td>([^<]*)</td>", tables(page))
    return [float(cells[4 * row + 1]) for row in range(4)]


def test_the_table_holds_the_advice_against_the_best() -> None:
    steepest, tenth, safe, best = numbers()
    assert steepest < best / 3 < best < safe
    assert best / 3 < tenth < 3 * best


def test_gradient_descents_curves_lie_to_the_right() -> None:
    adam, sgd = numbers(), numbers(rule="sgd")
    assert sgd[0] > 5 * adam[0]
    assert sgd[3] > 10 * adam[3]


def test_a_longer_test_moves_the_advice_and_not_the_best() -> None:
    short, long = numbers(), numbers(length="300")
    assert long[0] < 0.7 * short[0]
    assert long[3] == short[3]


@pytest.mark.parametrize("rule", ["lion", "muon", "sophia"])
def test_other_rules_are_tested_too(rule: str) -> None:
    page = open_page("which_rate", rule=rule, steps="60", length="40")
    assert not page.exception
    assert "The test took" in markdown(page)
