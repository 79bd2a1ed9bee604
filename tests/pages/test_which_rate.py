"""Which learning rate: what stands in the picture and in the table, and what presets open with."""

from __future__ import annotations

import math
import re

import pytest

from engine.emit.picture import written
from engine.problems.data import MEASURED, split, table
from engine.problems.networks import MLP
from engine.runs.learning import Competitor
from engine.studies.range_test import range_test
from tests.pages.running import markdown, open_page, tables

ADVICE = (
    "where the test falls fastest", "a tenth of where it is least",
    "the last safe rate of the test",
)  # fmt: skip


def numbers(**link: str) -> list[float]:
    """η by the steepest fall, a tenth of the least, the last safe rate, the best; what is said of
    them agrees."""
    page = open_page("which_rate", **link)
    assert not page.exception
    cells = re.findall(r"<td>([^<]*)</td>", tables(page))
    found = [float(cells[4 * row + 1]) for row in range(4)]
    said, (*advice, best) = markdown(page), found
    apart = advice[-1] / best
    assert ("times below it" in said, "times above it" in said) == (apart > 1.5, apart < 1 / 1.5)
    nearest = min(advice, key=lambda rate: abs(math.log(rate / best)))
    assert any(
        f"{name} comes closest" in said
        for name, rate in zip(ADVICE, advice, strict=True)
        if rate == nearest
    )
    return found


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


QUICK = {"steps": "50", "length": "30", "width": "8"}


def test_data_of_more_than_two_features_and_classes_are_learned_too() -> None:
    page = open_page("which_rate", data="iris", rule="sgd", **QUICK)
    assert not page.exception
    assert MEASURED["iris"] in [caption.value for caption in page.caption]
    data = split(table("iris"), seed=0)
    found = range_test(
        MLP((4, 8, 8, 3)), data, Competitor("sgd", batch=32), low=1e-5, high=10.0, steps=30
    )
    cells = re.findall(r"<td>([^<]*)</td>", tables(page))
    assert cells[1] == written(found.steepest, "3")


def test_a_table_of_ones_own_is_tested_as_well() -> None:
    page = open_page("which_rate", data="pasted", **QUICK)
    assert "two moons" in markdown(page)
    rows = "\n".join(f"{i % 7},{i * i % 11},{'abc'[i % 3]}" for i in range(40))
    moons = tables(page)
    assert tables(page.text_area[0].set_value(rows).run()) != moons
    assert "table" in page.query_params


@pytest.mark.parametrize("rule", ["lion", "muon", "sophia"])
def test_other_rules_are_tested_too(rule: str) -> None:
    assert all(0 < rate <= 10 for rate in numbers(rule=rule, steps="60", length="40"))
