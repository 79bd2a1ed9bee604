"""Loss meets optimizer: the table, the rules that may race, and a link that says too much."""

from __future__ import annotations

import re

from tests.pages.running import menu_of, open_page, tables


def cells(**link: str) -> list[list[str]]:
    """The rows of the table, without swatches."""
    page = open_page("loss_race", **link)
    assert not page.exception
    rows = re.findall(r"<tr>(<td>.*?)</tr>", tables(page))
    return [[re.sub(r"<[^>]+>", "", c) for c in re.findall(r"<td>(.*?)</td>", r)] for r in rows]


def test_the_table_says_who_found_the_rare_class() -> None:
    rows = cells()
    assert [row[0] for row in rows] == ["squared error"] * 3 + ["cross-entropy"] * 3
    assert [row[2] for row in rows[:3]] == ["never", "204", "never"]
    assert rows[0][3].startswith("0")
    assert rows[3][3].startswith("50")


def test_both_losses_and_the_rules_are_words_of_the_lead() -> None:
    page = open_page("loss_race", loss="focal", smoothing="0.1", runs="lion:lr=0.05")
    assert not page.exception
    assert menu_of(page, "loss")["value"] == "focal"
    assert "adam" in menu_of(page, "runner0")["options"]
    assert "newton" not in menu_of(page, "runner0")["options"]


def test_a_rule_that_does_not_race_here_is_refused() -> None:
    page = open_page("loss_race", runs="newton")
    assert "runs" in page.warning[0].value
