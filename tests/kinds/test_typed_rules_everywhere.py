"""Rules and formulas that a reader typed, wherever a run is taken.

What it stands for: a feature that one page learned and the others did not. A link that carries a
typed rule from the race to another page met "there is no optimizer 'typed'" there, a traceback in
place of a page (any course widget that grows page by page knows it). One function reads what is to
run, one what it runs on, and this test goes over every entrance and every page that takes runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

import engine
from engine.runs.browser import browser_run, browser_sweep
from engine.runs.changing import pursue
from engine.runs.descent import find_landscape, find_optimizer
from engine.studies.comparison import compare
from engine.studies.tuning import best_rate, halve_until_stable
from tests.browser import ROOT
from tests.pages.running import markdown, open_page

RULE = "v = 0.8*v + g\nw = w - lr*v"
SPELLED = "typed~" + quote(RULE, safe="")
FORMULA = "x² + 4y² + sin(x)"

ENTRANCES: dict[str, Callable[[str, str], Any]] = {
    "descend": lambda on, rule: engine.descend(on, rule, (2, 1), 8, {"lr": 0.01}).path,
    "scheduled": lambda on, rule: (
        engine.descend(on, rule, (2, 1), 8, {"lr": 0.01}, schedule="cosine", noise=0.1).path
    ),
    "sweep": lambda on, rule: (
        engine.sweep(on, rule, {"lr": np.array([0.01, 0.02])}, (2, 1), 8).final_point
    ),
    "follow": lambda on, rule: engine.follow(rule, np.ones(8), {"lr": 0.01}).path,
    "pursue": lambda on, rule: pursue(on, rule, (2, 1), np.zeros((9, 2)), {"lr": 0.01}).path,
    "halve_until_stable": lambda on, rule: halve_until_stable(on, rule, (2, 1), 8, {"lr": 0.01}).lr,
    "best_rate": lambda on, rule: best_rate(find_landscape(on), find_optimizer(rule), (2, 1), 8),
    "compare": lambda on, rule: len(compare(on, (2, 1), 8, 1e-3, [rule])),
    "browser_run": lambda on, rule: len(browser_run(on, rule)),
    "browser_sweep": lambda on, rule: len(browser_sweep(on, rule, ["lr"])),
}


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize("rule", [RULE, SPELLED], ids=["typed", "as a link spells it"])
@pytest.mark.parametrize("on", ["bowl", FORMULA])
def test_every_entrance_takes_them(entrance: str, on: str, rule: str) -> None:
    made = engine.optimizer(RULE)
    np.testing.assert_array_equal(
        ENTRANCES[entrance](on, rule), ENTRANCES[entrance](find_landscape(on), made)
    )


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("saturation", {"opt": "typed"}),
        ("divergence", {"opt": "typed", "part": "fit a Gaussian"}),
        ("engine_room", {"rule": "typed", "part": "learning", "trained": "20"}),
    ],
)
def test_pages_with_one_rule_and_a_rate_of_their_own_take_them(
    page: str, link: dict[str, str]
) -> None:
    shown = open_page(page, **link, own="v = 0.5*v + g\nw = w - lr*v")
    assert not shown.exception
    assert not shown.warning
    assert "v = 0.5*v + g" in shown.text_area[0].value
    wrong = open_page(page, **link, own="w = w - 0.1*g")
    assert not wrong.exception
    assert any("must use lr" in warning.value for warning in wrong.warning)


def test_a_rule_typed_as_momentum_trains_the_neuron_as_momentum_does() -> None:
    rule = "v = 0.9*v + g\nw = w - lr*v"
    typed, named = (
        open_page("saturation", opt=opt, own=rule, epochs="100") for opt in ("typed", "momentum")
    )
    assert markdown(typed) == markdown(named)


def test_a_typed_rule_is_the_rule() -> None:
    runs = [
        engine.descend("x**2 + 4*y**2 + sin(x)", rule, (2, 1), 20, hypers).path
        for rule, hypers in ((RULE, {"lr": 0.01}), ("momentum", {"lr": 0.01, "beta": 0.8}))
    ]
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-13)


@pytest.mark.parametrize(
    ("on", "rule", "told"),
    [
        ("bowll", "sgd", "did you mean bowl"), ("bowl", "adamm", "did you mean adam"),
        ("bowl", "typed", "there is no optimizer 'typed'"), ("x + z", "sgd", "z is not known"),
        ("bowl", "w = w - lr*(g", "never closed"), ("bowl", "typed~w%20%3D%20q(", "never closed"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_so(on: str, rule: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        engine.descend(on, rule, (2, 1), 3)


# Every page that declares runs in its link.
PAGES = sorted(
    page.stem
    for page in (ROOT / "pages").glob("*.py")
    if page.stem != "problem"
    and re.search(r"problem\.fields\(|\bRunners\(\"", page.read_text(encoding="utf-8"))
)


def test_pages_that_take_runs_are_found() -> None:
    assert {"race", "schedules", "debugger", "map", "basins"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "link",
    [
        {"runs": SPELLED + ":lr=0.01"},
        {"runs": "typed~w%20%3D%20w%20-%20lr%2Ag", "on": "formula", "f": "x**2 + 3*y**2"},
        {"runs": f"sgd:lr=0.01;{SPELLED}", "on": "formula", "f": FORMULA},
    ],
    ids=["rule", "rule on a formula", "rule beside another"],
)
def test_every_page_takes_them(page: str, link: dict[str, str]) -> None:
    shown = open_page(page, **link)
    assert not shown.exception
    assert not shown.error
    assert not [w.value for w in shown.warning if "**runs**" in w.value or "**f**" in w.value]
    assert "there is no optimizer" not in markdown(shown)
