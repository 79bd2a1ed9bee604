"""The family page: filters and sorts, outcomes that are real runs, and links that open the race."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page

import engine
from engine.emit.picture import written
from engine.optimizers import BRANCHES, OPTIMIZERS
from engine.studies.advice import ADVICE, DEPARTURES, HISTORY, USUAL
from engine.studies.comparison import TRIED_WITH, compare
from engine.studies.family import HEIRS, RELATIONS, Relation, origin, thumbnail
from figures.family import (
    COLUMN,
    family_map,
    family_tree,
    layout,
    levels,
    tree_layout,
    year_at,
)
from pages import problem
from pages.competitors import Runner, parse_runners
from tests.pages.programs import run_programs, specs_of
from tests.pages.running import markdown, open_page, tables

RULES = "what they are"
OUTCOMES = "what they do here"
RELATED = "who becomes whom"


def rows(text: str) -> list[str]:
    """Names in the first cells of a Markdown table, in order."""
    return re.findall(r"\*\*([^*]+)\*\* \|", text)


def test_every_optimizer_has_its_row_and_its_formula() -> None:
    page = open_page("family", view=RULES)
    text = markdown(page)
    assert not page.exception
    assert rows(text) == [entry.name for entry in OPTIMIZERS.values()]
    assert r"$\displaystyle w_t = w_{t-1} - \eta\, g_t$" in text
    assert "Kingma & Ba" in unescape(text)


def test_filters_and_sorts() -> None:
    of_2012 = markdown(open_page("family", view=RULES, find="2012"))
    assert rows(of_2012) == ["Adadelta", "RMSProp"]
    branch = "curvature and matrices"
    names = [entry.name for entry in BRANCHES[branch]]
    assert rows(markdown(open_page("family", view=RULES, branch=branch))) == names
    by_year = rows(markdown(open_page("family", view=RULES, sort="year")))
    assert by_year[0] == "SGD"
    years = {entry.name: entry.year for entry in OPTIMIZERS.values()}
    assert [years[name] for name in by_year] == sorted(years.values())
    assert open_page("family", find="zzz").info


def test_outcomes_are_what_the_race_would_show() -> None:
    page = open_page("family", view=OUTCOMES, find="sgd", kappa="50", rotation="0")
    assert not page.exception
    table = tables(page)
    row = next(r for r in re.findall("<tr>.*?</tr>", table) if re.search(r">\W?SGD<", r))
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


# The tree -----------------------------------------------------------------------------------------


def test_every_rule_has_its_row_below_its_parent_and_no_earlier() -> None:
    places = tree_layout(list(OPTIMIZERS), HEIRS)
    assert set(places) == set(OPTIMIZERS)
    assert len({place.y for place in places.values()}) == len(places)
    for heir in HEIRS:
        child, parent = places[heir.child], places[heir.parent]
        assert child.y > parent.y
        assert child.x > parent.x
        assert origin(heir.child) >= origin(heir.parent)
    assert not {"sgd", "newton"} & {heir.child for heir in HEIRS}
    assert len({heir.child for heir in HEIRS}) == len(HEIRS)


def test_a_rule_without_parent_stands_in_the_tree_by_its_year() -> None:
    places = tree_layout([*OPTIMIZERS], [h for h in HEIRS if h.child != "lion"])
    assert places["lion"].x == year_at(2023)


def test_the_page_opens_on_the_tree_with_its_history_and_cards() -> None:
    page = open_page("family")
    assert not page.exception
    text = unescape(tables(page))
    for heir in HEIRS:
        assert f"{OPTIMIZERS[heir.parent].name}, but {heir.change}" in text
    for word in ("Robbins & Monro", "Polyak", "never published", "Hogwild"):
        assert word in text


def test_the_tree_leads_to_the_race_of_a_rule_and_its_parent() -> None:
    runs = {slug: thumbnail(slug) for slug in OPTIMIZERS}
    svg = family_tree(HEIRS, runs, lambda slug: f"race?{slug}", dimmed=["sgd"])
    for slug in OPTIMIZERS:
        assert f"href='race?{slug}'" in svg
        assert runs[slug].diverged_at is None
        assert runs[slug].loss[-1] < runs[slug].loss[0]
    assert svg.count("class='node dim'") == 1


# Settings and advice ------------------------------------------------------------------------------


def test_every_default_and_range_is_shown_with_what_is_usual() -> None:
    text = unescape(tables(open_page("family", view="settings and advice")))
    for entry in OPTIMIZERS.values():
        for hyper in entry.hypers:
            shown = f"{hyper.symbol} {written(hyper.default)} <small>({written(hyper.low)} …"
            assert shown in text
    for usual in USUAL.values():
        assert usual.source in text
    for said in DEPARTURES.values():
        assert said in text


def test_what_is_said_of_rules_is_of_rules_that_there_are() -> None:
    assert set(USUAL) <= set(OPTIMIZERS)
    assert set(DEPARTURES) <= set(OPTIMIZERS)
    assert {slug for advice in ADVICE for slug in advice.take} <= set(OPTIMIZERS)


def test_what_is_usual_is_the_default_or_a_departure_that_is_said() -> None:
    for slug, usual in USUAL.items():
        known = {h.symbol: h.default for h in OPTIMIZERS[slug].hypers}
        said = re.findall(r"(β₁|β₂|β₃|ν₁|ν₂|ρ|γ|λ|k) (\d[\d.]*)", usual.values)
        for symbol, number in said:
            if known.get(symbol, float(number)) != float(number):
                assert slug in DEPARTURES, (slug, symbol)


def test_all_that_is_said_has_a_source() -> None:
    assert all(usual.source for usual in USUAL.values())
    assert all(advice.source for advice in ADVICE)
    assert all(event.source for event in HISTORY)
    assert [event.year for event in HISTORY] == sorted(event.year for event in HISTORY)


def test_departures_are_true_of_the_registry() -> None:
    defaults = {slug: entry.hyper_values() for slug, entry in OPTIMIZERS.items()}
    assert (defaults["rmsprop"]["beta"], defaults["rmsprop"]["lr"]) == (0.99, 0.01)
    assert defaults["adam_l2"]["weight_decay"] == 0
    assert TRIED_WITH["adam_l2"]["weight_decay"] == 0.01
    assert defaults["sophia"]["lr"] == 0.06
    assert (defaults["muon"]["weight_decay"], defaults["lion"]["lr"]) == (0.1, 0.0001)
    assert OPTIMIZERS["muon"].option_values()["nesterov"] is True
    assert (defaults["adadelta"]["rho"], defaults["qhadam"]["beta1"]) == (0.9, 0.9)
    assert (defaults["adamw"]["beta2"], defaults["adamw"]["weight_decay"]) == (0.999, 0.01)


@pytest.mark.parametrize(
    ("why", "word"),
    [
        ("steepest ascent", "36° off it here"),
        ("a steady gradient", "a sum of gradients, not an average"),
        ("a falling rate", "rolls on at the old rate"),
        ("rare features", "moves the rare one 10\u202f% as far"),
        ("unlike layers", "At its best of these rates SGD reaches 0.69 and Adam reaches 0.2"),
        ("squares for curvature", "Labels that the model draws go on showing the curvature"),
    ],
)
def test_why_they_differ(why: str, word: str) -> None:
    page = open_page("family", view="why they differ", why=why)
    assert not page.exception
    assert not page.warning
    assert word in markdown(page)


@pytest.mark.parametrize(
    ("why", "fields"),
    [
        ("steepest ascent", {"at", "angle"}),
        ("a steady gradient", {"beta"}),
        ("a falling rate", {"beta", "drop"}),
        ("rare features", {"share"}),
        ("unlike layers", {"gain"}),
        ("squares for curvature", {"z"}),
    ],
)
def test_the_pictures_of_why_follow_the_hand(
    why: str, fields: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.wire._REMEMBERED", 0)
    spec, *_ = specs_of(open_page("family", view="why they differ", why=why))
    (result,) = run_programs([spec], tmp_path)
    assert not result["error"]
    assert not result["doubts"]
    assert set(result["moved"]) == fields


@pytest.mark.parametrize(
    "link",
    [
        {"why": "steepest ascent", "at": "0,0"},
        {"why": "rare features", "share": "0.5"},
        {"why": "unlike layers", "activation": "relu", "gain": "5", "hidden": "5"},
        {"why": "unlike layers", "activation": "relu", "gain": "0.2", "hidden": "5"},
    ],
)
def test_why_holds_at_its_edges(link: dict[str, str]) -> None:
    page = open_page("family", view="why they differ", **link)
    assert not page.exception
    assert not page.warning
    assert "nan" not in markdown(page)


def test_adam_with_l2_is_measured_with_a_penalty() -> None:
    page = open_page("family", view=OUTCOMES, find="l2")
    assert "Adam + L2, λ 0.01" in tables(page)
    bowl = engine.LANDSCAPES["bowl"](condition=50, rotation=30)
    plain, penalised = compare(bowl, bowl.start, 300, 0.01, ["adam", "adam_l2"])
    assert plain.gap != penalised.gap


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
