"""The family page: filters and sorts, outcomes that are real runs, and links that open the race."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page

import engine
from engine.optimizers import BRANCHES, OPTIMIZERS
from engine.studies.family import RELATIONS, Relation
from figures.family import COLUMN, family_map, layout, levels
from pages import problem
from pages.runners import Runner, parse_runners
from tests.pages.running import markdown, open_page, tables

OUTCOMES = "what they do here"
RELATED = "who becomes whom"


def rows(text: str) -> list[str]:
    """Names in the first cells of a Markdown table, in order."""
    return re.findall(r"\*\*([^*]+)\*\* \|", text)


def test_every_optimizer_has_its_row_and_its_formula() -> None:
    page = open_page("family")
    text = markdown(page)
    assert not page.exception
    assert rows(text) == [entry.name for entry in OPTIMIZERS.values()]
    assert r"$\displaystyle w_t = w_{t-1} - \eta\, g_t$" in text
    assert "Kingma & Ba" in unescape(text)


def test_filters_and_sorts() -> None:
    assert rows(markdown(open_page("family", find="2019"))) == ["AggMo", "AdamW", "QHAdam"]
    branch = "curvature and matrices"
    names = [entry.name for entry in BRANCHES[branch]]
    assert rows(markdown(open_page("family", branch=branch))) == names
    by_year = rows(markdown(open_page("family", sort="year")))
    assert by_year[0] == "SGD"
    assert by_year[-1].startswith(("Muon", "Schedule-free"))
    assert open_page("family", find="zzz").info


def test_outcomes_are_what_the_race_would_show() -> None:
    page = open_page("family", view=OUTCOMES, find="sgd", kappa="50", rotation="0")
    assert not page.exception
    table = tables(page)
    row = next(r for r in re.findall("<tr>.*?</tr>", table) if ">SGD<" in r)
    rate, steps = re.findall(r"<td>([\d.]+)</td>", row)[:2]
    link = parse_qs(urlsplit(unescape(re.findall(r"href='([^']+)'", row)[0])).query)
    (runner,) = parse_runners(link["runs"][0])
    assert f"{runner.hypers['lr']:.3g}" == rate
    surface = engine.LANDSCAPES["bowl"](condition=50, rotation=0)
    run = engine.descend(surface, "sgd", surface.start, 300, runner.hypers)
    assert run.steps_to_gap(0.01) == int(steps)


def test_every_relation_is_told_and_measured() -> None:
    page = open_page("family", view=RELATED)
    assert not page.exception
    table = unescape(tables(page))
    for relation in RELATIONS:
        assert f"<td>{relation.under}</td>" in table
    assert table.count("race them") == len(RELATIONS)


@pytest.mark.parametrize("name", ["view", "branch", "sort", "on", "kappa", "steps", "target"])
def test_unreadable_link_falls_back_with_a_notice(name: str) -> None:
    page = open_page("family", **{name: "nonsense"})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


def test_the_map_puts_the_general_right_of_the_special() -> None:
    places, height = layout(list(OPTIMIZERS), RELATIONS)
    for r in RELATIONS:
        assert places[r.general].x >= places[r.special].x + COLUMN
    columns: dict[float, list[float]] = {}
    for place in places.values():
        assert 0 < place.y < height
        columns.setdefault(place.x, []).append(place.y)
    for column in columns.values():
        assert np.diff(sorted(column)).min(initial=np.inf) >= 40
    assert levels(["sgd"], [])["sgd"] == 0


def test_the_map_links_every_relation_and_dims_the_rest() -> None:
    svg = family_map(RELATIONS, lambda r: f"race?{r.general}&{r.special}", dimmed=["sgd"])
    assert len(re.findall(r"class='edge[ ']", svg)) == len(RELATIONS)
    for r in RELATIONS:
        assert f"race?{r.general}&amp;{r.special}" in svg
    touched = sum("sgd" in (r.general, r.special) for r in RELATIONS)
    assert len(re.findall("class='edge dim", svg)) == touched


@pytest.mark.parametrize("relation", RELATIONS, ids=lambda r: f"{r.general}-{r.special}")
def test_the_race_of_a_relation_opens_without_a_notice(relation: Relation) -> None:
    runners = [Runner(*side) for side in relation.sides()]
    link = problem.race_address(relation.surface, runners, start=relation.start, steps=60)
    values = {name: value[0] for name, value in parse_qs(urlsplit(link).query).items()}
    assert [r.slug for r in parse_runners(values["runs"])] == [relation.general, relation.special]
    for given, runner in zip(relation.sides(), parse_runners(values["runs"]), strict=True):
        full = OPTIMIZERS[given[0]].hyper_values(given[1])
        assert runner.optimizer.hyper_values(runner.hypers) == pytest.approx(full)


@pytest.mark.browser
def test_an_arrow_of_the_map_opens_the_race(visit: Callable[..., Page]) -> None:
    page = visit("/family?view=who+becomes+whom")
    edge = page.get_by_label("Momentum becomes SGD: β = 0. See them race.")
    edge.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/race?**")
    page.get_by_role("heading", name="The race").wait_for()
    given = parse_qs(urlsplit(page.url).query)
    assert [r.slug for r in parse_runners(given["runs"][0])] == ["momentum", "sgd"]


@pytest.mark.browser
def test_the_map_scrolls_inside_a_phone(visit: Callable[..., Page]) -> None:
    page = visit("/family?view=who+becomes+whom", width=360, height=800)
    page.locator("svg.family").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
