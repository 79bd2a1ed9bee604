"""The comparison of the Adam paper: presets' claims, what the page says, and one made anew."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from engine import limits
from engine.studies.adam_paper import THEN, TODAY, Outcome, Verdict, finished, verdict
from pages import background
from tests.browser import ROOT
from tests.pages.programs import component_data
from tests.pages.running import SECONDS, markdown, open_page, tables


def claimed(name: str) -> tuple[Outcome, Verdict]:
    """The comparison that a preset opens, and its verdict."""
    tree = ast.parse((ROOT / "pages" / "adam_paper.py").read_text(encoding="utf-8"))
    link = next(
        ast.literal_eval(n.args[3])
        for n in ast.walk(tree)
        if isinstance(n, ast.Call)
        and getattr(n.func, "id", "") == "Preset"
        and ast.literal_eval(n.args[0]) == name
    )
    rules = TODAY if link.get("field") == "today" else THEN
    found = finished()[link.get("model", "perceptron")].of(rules)
    return found, verdict(found, link.get("by", "learned"))


def test_adam_is_first_but_not_alone() -> None:
    _, judged = claimed("Figure 2: a perceptron")
    assert judged.order[0] == "adam"
    assert set(judged.like) == {"nesterov", "adadelta"}


def test_a_convex_loss_is_reached_by_all() -> None:
    _, judged = claimed("Figure 1: logistic regression")
    assert judged.order[0] == "nesterov"
    assert judged.wins == 5
    assert judged.medians[1] / judged.medians[0] == pytest.approx(1.01, abs=0.004)
    assert judged.medians[-1] / judged.medians[0] < 1.06


@pytest.mark.parametrize("name", ["Figure 2 with dropout", "Judged on what is held back"])
def test_bands_overlap(name: str) -> None:
    _, judged = claimed(name)
    assert len(judged.like) == len(THEN) - 1
    if name == "Figure 2 with dropout":
        assert judged.order[-1] == "adam"


def test_rules_for_matrices_are_far_below_and_not_better_on_what_is_held_back() -> None:
    found, judged = claimed("Ten years later")
    assert judged.order[:2] == ("kron", "muon")
    assert judged.wins == 5
    kron, muon, adam = (
        found.shown("learned")[found.rules.index(r), :, -1] for r in ("kron", "muon", "adam")
    )
    assert np.all(adam[:, 0] > muon[:, 0])
    assert np.median(adam[:, 0]) > 200 * np.median(muon[:, 0])
    assert kron[:, 0].max() < 1e-15
    for ends in (kron, muon):
        assert abs(np.median(ends[:, 2]) - np.median(adam[:, 2])) < 0.015


def test_averaging_pays() -> None:
    found, judged = claimed("Averaging pays under noise")
    assert judged.order[0] == "schedule_free_adamw"
    assert set(judged.like) == {"soap", "kron"}
    averaged, adam = (
        found.shown("learned")[found.rules.index(r), :, -1, 0]
        for r in ("schedule_free_adamw", "adam")
    )
    assert np.all(averaged < adam)


def test_a_loss_of_nothing_is_no_divisor() -> None:
    page = open_page("adam_paper", field="today")
    assert not page.exception
    assert "0 to the last digit of double precision; Muon is next" in markdown(page)
    assert tables(page).count("<tr>") == 1 + len(TODAY)


def test_the_page_says_who_is_first_and_how_it_was_made() -> None:
    page = open_page("adam_paper")
    assert not page.exception
    said = markdown(page)
    assert "**Adam** has the lowest median at the end" in said
    assert "5 seeds do not tell them apart" in said
    assert "The grid ends at the best rate of Adadelta" in said
    assert tables(page).count("<tr>") == 1 + len(THEN)


def test_other_settings_are_compared_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "GRACE", 0.0)
    monkeypatch.setattr(limits, "WORK_SECONDS", SECONDS)  # on a busy machine
    page = open_page("adam_paper", model="logistic", steps="60")
    assert not page.exception
    assert not any("panels" in data for data in component_data(page))
    work = page.session_state["adam_paper.work"]
    while not work.done:  # nobody's browser looks in here
        work.look()
        work.thread.join(0.1)
    page.run()
    assert not page.exception
    assert "has the lowest median" in markdown(page)
    # Back at the usual settings what was kept is there at once.
    page.session_state["_experiments"]["adam_paper"]["values"].update(steps=300)
    page.run()
    assert "**Nesterov** has the lowest median at the end" in markdown(page)
