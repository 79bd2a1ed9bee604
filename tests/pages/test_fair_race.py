"""The fair race page: budgets kept, sentences that follow the result, the way back to the race."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from engine import limits
from engine.optimizers import OPTIMIZERS
from engine.problems.landscapes import LANDSCAPES
from engine.studies import fair_race as fair
from pages import background
from pages.competitors import parse_runners
from tests.pages.running import SECONDS, markdown, moved, open_page, tables


@pytest.fixture(autouse=True)
def _wait_for_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a browser nobody looks in on the work: the run waits for it, however long."""
    monkeypatch.setattr(background, "GRACE", SECONDS)
    monkeypatch.setattr(limits, "WORK_SECONDS", SECONDS)
    monkeypatch.setattr(limits, "LEFT_SECONDS", SECONDS)


QUICK = {"steps": "40", "budget": "2400", "seeds": "10", "repeats": "1"}


def cells(page: AppTest) -> list[list[str]]:
    """The rows of the table of numbers, without marks."""
    rows = re.findall(r"<tr>(<td>.*?)</tr>", tables(page))
    return [[re.sub(r"<[^>]*>|\W$", "", cell) for cell in row.split("</td><td>")] for row in rows]


def link(page: AppTest) -> dict[str, str]:
    """What the link to the race says."""
    query = page.get("page_link")[0].proto.query_string
    return {name: values[0] for name, values in parse_qs(urlsplit("?" + query).query).items()}


def said(page: AppTest) -> str:
    """What the page says, the verdict and the rest."""
    return tables(page) + markdown(page)


def test_everybody_keeps_to_the_budget() -> None:
    page = open_page("fair_race", **QUICK, runs="sgd;momentum;adam;newton")
    assert not page.exception
    rows = cells(page)
    assert len(rows) == 4
    for row in rows:
        assert 2400 - 120 < int(row[3].replace("\u202f", "")) <= 2400
    assert "spend 2400 gradient evaluations" in said(page)


def test_the_order_turns_between_one_rate_and_its_own() -> None:
    """At the bowl's own rate gradient descent is first; each at its best it is not."""
    page = open_page("fair_race", repeats="1")
    text = said(page)
    assert "At one η\u00a0=\u00a00.0185 for all it would be <b>SGD</b>" in text
    assert "<b>SGD</b> has the best mean rank" not in text
    alone = open_page("fair_race", repeats="1", show="one η for all")
    assert "<b>SGD</b> has the best mean rank" in said(alone)


def test_without_chance_the_page_says_that_ranks_mean_nothing() -> None:
    assert "every seed is the same run" in said(open_page("fair_race", **QUICK, noise="0"))
    strewn = said(open_page("fair_race", **QUICK, noise="0", strewn="1"))
    assert "every seed is the same run" not in strewn
    assert "best mean rank" in strewn


def test_other_searches_are_counted() -> None:
    page = open_page("fair_race", **{**QUICK, "repeats": "6"})
    text = said(page)
    assert "of 6 searches" in text or "by 6 searches in all" in text
    assert "searches" not in said(open_page("fair_race", **QUICK)).split("Budget")[0]


def held(on: str = "bowl", runs: str = "sgd;momentum;rmsprop;adam", **how: Any) -> fair.Outcome:
    """The race of a preset, straight from the engine."""
    surface = LANDSCAPES[on]
    start = None if how.get("strewn") else surface.start
    task = fair.Task(surface, start, how.get("steps", 100), how.get("noise", 2.0))
    entrants = [fair.Entrant(r.slug, r.optimizer, r.hypers, r.options) for r in parse_runners(runs)]
    protocol = fair.Protocol(
        how.get("budget", 20_000), 3, how.get("most", 2), how.get("search", 0), 1, 0, 50, 0.0185
    )
    return fair.hold(task, entrants, protocol)


def bands(outcome: fair.Outcome) -> np.ndarray:
    """By how many decades the upper quartile of everybody's last loss lies over the lower one."""
    ends = [np.sort(np.nan_to_num(curve[:, -1], nan=1e300)) for curve in outcome.own.curves]
    return np.array([np.log10(min(end[37], 1e300)) - np.log10(end[12]) for end in ends])


def test_with_a_small_budget_the_order_hangs_on_the_search() -> None:
    found = [held(budget=2400, search=number) for number in range(3)]
    assert all(8 <= len(search.trials) <= 16 for one in found for search in one.searches)
    assert len({tuple(one.own.standing.order) for one in found}) == 3


def test_from_anywhere_in_a_bent_valley_most_bands_are_wide() -> None:
    how: dict[str, Any] = {"on": "rosenbrock", "noise": 0.5, "steps": 300, "budget": 60_000}
    wide, narrow = bands(held(**how, strewn=True)), bands(held(**how))
    assert (wide > narrow + np.log10(1.5)).sum() == 3


def test_more_to_tune_is_a_gain_where_decay_leads_home() -> None:
    runs = "adam;adamw;adan"
    two, every = (
        [float(np.median(curve[:, -1])) for curve in held(runs=runs, most=most).own.curves]
        for most in (2, None)
    )
    assert two[0] < every[0] < 1.5 * two[0]
    assert all(10 * b < a for a, b in zip(two[1:], every[1:], strict=True))


def test_what_the_landscape_gives_away_is_said() -> None:
    decayed = open_page("fair_race", **QUICK, runs="schedule_free_sgd;adam", tune="all")
    assert "it tells the answer" in said(decayed)
    assert "No minimum is known" in said(open_page("fair_race", **QUICK, on="monkey_saddle"))


def test_one_alone_cannot_win() -> None:
    assert "cannot win" in said(open_page("fair_race", **QUICK, runs="adam"))


def test_a_schedule_drives_the_race_and_is_told() -> None:
    page = open_page(
        "fair_race", **QUICK, runs="sgd;sam~adam;line_search;lbfgs", schedule="stable_decay",
        warmup="0.1",
    )  # fmt: skip
    assert not page.exception
    assert not page.warning
    assert "Warm-up, stable, decay" in said(page)
    found = cells(page)
    names = [row[0][1:] for row in found]
    assert names == ["SGD", "SAM(Adam", "Descent with line search", "L-BFGS"]  # ")" is cut
    for row in found:
        assert int(re.sub(r"\D", "", row[3])) <= 2_400
    costs = [("1", "0"), ("2", "4"), ("≥ 2", "1"), ("≥ 2", "24")]
    assert [(row[4], row[5]) for row in found] == costs


def test_search_again_changes_the_settings_found() -> None:
    page = open_page("fair_race", **QUICK)
    before = [row[1] for row in cells(page)]
    after = [row[1] for row in cells(open_page("fair_race", **QUICK, search="1"))]
    assert all(a != b for a, b in zip(before, after, strict=True))


def test_the_link_opens_the_race_at_what_was_found() -> None:
    page = open_page("fair_race", **QUICK, runs="sgd;adam", seed="7")
    query = link(page)
    rate = cells(page)[0][1].replace("\u00a0", "").removeprefix("η=")
    assert query["runs"].startswith(f"sgd:lr={rate};adam:lr=")
    assert (query["same"], query["seed"], query["steps"], query["noise"]) == ("0", "7", "40", "2")
    race = open_page("race", **query)
    assert not race.exception
    assert not race.warning


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ({"budget": "100"}, "does not pay for one trial"),
        ({"steps": "2000", "seeds": "500", "budget": "1000000"}, "at most 100\u202f000"),
    ],
)
def test_what_is_too_large_or_too_poor_is_refused_in_words(
    link: dict[str, str], reason: str
) -> None:
    page = open_page("fair_race", **link)
    assert not page.exception
    assert reason in page.warning[0].value


@pytest.mark.parametrize(
    ("name", "value"),
    [("budget", "1e9"), ("tune", "luck"), ("seeds", "1"), ("runs", "nobody"), ("show", "none")],
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("fair_race", **{**QUICK, name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


def test_every_optimizer_and_a_typed_one_can_be_tuned() -> None:
    slugs = [*OPTIMIZERS, "typed~w%20%3D%20w%20-%20lr%2Ag"]
    for first in range(0, len(slugs), 12):
        page = open_page("fair_race", **QUICK, runs=";".join(slugs[first : first + 12]), tune="all")
        assert not page.exception
        assert not page.warning
        assert len(cells(page)) == len(slugs[first : first + 12])


def test_only_the_view_changes_without_a_new_race() -> None:
    """Both ways are raced at once; the switch between them asks for nothing."""
    page = open_page("fair_race", **QUICK)
    kept = page.session_state["fair_race.kept"][1]
    moved(page, "fair_race", show="one η for all")
    assert not page.exception
    assert page.session_state["fair_race.kept"][1] is kept


def test_a_race_that_was_stopped_says_so_and_can_be_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "GRACE", 0.0)
    page = open_page("fair_race", budget="200000", repeats="20", seeds="500")
    next(button for button in page.button if button.label == "Stop").click().run()
    assert any("Stopped" in caption.value for caption in page.caption)
    next(button for button in page.button if button.label == "Run it").click().run()
    assert any(button.label == "Stop" for button in page.button)
    page.session_state["fair_race.work"].stop.set()


@pytest.mark.browser
def test_a_smaller_budget_by_hand_and_back(visit: Callable[..., Page]) -> None:
    page = visit("/fair_race?repeats=1&budget=6000")
    tried = page.locator("table.numbers tr").nth(4).locator("td").nth(2)
    expect(tried).to_have_text("20 (0)", timeout=30_000)
    page.locator('[data-name="budget"] .dc-number').fill("3000")
    page.keyboard.press("Enter")
    page.wait_for_function("() => new URLSearchParams(location.search).get('budget') === '3000'")
    expect(tried).to_have_text("10 (0)", timeout=30_000)
    page.go_back()
    page.wait_for_function("() => new URLSearchParams(location.search).get('budget') === '6000'")
    expect(tried).to_have_text("20 (0)", timeout=30_000)
