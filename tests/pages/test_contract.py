"""What every page promises: it opens, its pictures are the same in the browser and here, and
lock, hide and link bind every control, picture and key of it.
"""

from __future__ import annotations

import ast
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from components import wire
from pages.contents import SECTIONS
from pages.state import Choice, Experiment, Flag, Integer, Number, Numbers
from tests.browser import ROOT
from tests.pages.programs import component_data, run_programs, specs_of
from tests.pages.running import open_page

PAGES = [entry.file for entries in SECTIONS.values() for entry in entries]
# Nothing there follows a hand by a program of its page; a training has its own.
STILL = {"parity", "family", "fair_race", "train", "lessons", "recap", "glossary", "teachers"}
NATIVE = (
    "button", "button_group", "checkbox", "multiselect", "number_input", "pills", "radio",
    "segmented_control", "selectbox", "slider", "text_area", "text_input", "toggle",
)  # fmt: skip


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[AppTest, list[Any]]]:
    """Every page as it opens, and what Node makes of its programs, in one go."""
    before, wire._REMEMBERED = wire._REMEMBERED, 0  # every array in full: Node has no memory
    try:
        pages = {name: open_page(name) for name in PAGES}
    finally:
        wire._REMEMBERED = before
    specs = {name: specs_of(page) for name, page in pages.items()}
    flat = [spec for found in specs.values() for spec in found]
    results = iter(run_programs(flat, tmp_path_factory.mktemp("programs")))
    return {name: (pages[name], [next(results) for _ in specs[name]]) for name in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_and_its_pictures_agree(
    name: str, opened: dict[str, tuple[AppTest, list[Any]]]
) -> None:
    page, results = opened[name]
    assert not page.exception
    assert not page.warning, [w.value for w in page.warning]
    for result in results:
        assert result["error"] == ""
        assert result["doubts"] == []
    if name not in STILL:
        assert any(result["moved"] for result in results), "nothing on the page follows a hand"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_embedded_in_a_lecture(name: str) -> None:
    page = open_page(name, embed="true")
    assert not page.exception


def controls_of(page: AppTest) -> list[dict[str, Any]]:
    """The items of every panel of controls."""
    return [
        item
        for data in component_data(page)
        for group in data.get("groups", ())
        for item in group["items"]
    ]


def store_of(page: AppTest) -> dict[str, Any] | None:
    """What the page's store was given."""
    return next((d for d in component_data(page) if "locked" in d and "values" in d), None)


@pytest.mark.parametrize("name", PAGES)
def test_every_control_moves_the_store(
    name: str, opened: dict[str, tuple[AppTest, list[Any]]]
) -> None:
    page, _ = opened[name]
    store = store_of(page)
    assert store is not None, "the page never publishes"
    for item in controls_of(page):
        targets = list(item.get("sets") or {}) or [item["name"]]
        for target in targets:
            assert target.partition("[")[0] in store["values"], f"{target} is not in the store"
    for data in component_data(page):
        for panel in data.get("panels", ()):
            for sets in [panel["clicks"], *(h["sets"] for h in panel["handles"])]:
                for target in sets:
                    assert target.partition("[")[0] in store["values"]


@pytest.mark.parametrize("name", PAGES)
def test_all_is_locked(name: str) -> None:
    page = open_page(name, lock="all")
    assert not page.exception
    store = store_of(page)
    assert store is not None
    assert set(store["locked"]) == set(store["values"])
    free = [item["name"] for item in controls_of(page) if not item["locked"]]
    assert free == []
    words = [p for d in component_data(page) for p in d.get("pieces", ())]
    menus = [word for word in words if isinstance(word, dict) and "id" in word]
    assert [menu["id"] for menu in menus if not menu["locked"]] == []
    actions = [
        action["id"]
        for data in component_data(page)
        for group in data.get("groups", ())
        for action in group["actions"]
        if not action["locked"]
    ]
    assert actions == []
    live = [
        f"{kind} {widget.label!r}"
        for kind in NATIVE
        for widget in page.get(kind)
        if not widget.disabled
    ]
    assert live == []


@pytest.mark.parametrize("name", PAGES)
def test_controls_are_hidden(name: str) -> None:
    page = open_page(name, hide="controls")
    assert not page.exception
    assert controls_of(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_each_control_is_locked_and_hidden_by_its_name(
    name: str, opened: dict[str, tuple[AppTest, list[Any]]]
) -> None:
    names = [item["name"] for item in controls_of(opened[name][0])]
    if not names:
        return
    locked = open_page(name, lock=",".join(names))
    assert not locked.warning
    assert all(item["locked"] for item in controls_of(locked))
    hidden = open_page(name, hide=",".join(names))
    assert not hidden.warning
    assert controls_of(hidden) == []


@pytest.mark.parametrize("name", PAGES)
def test_what_a_link_cannot_say_is_named(name: str) -> None:
    page = open_page(name, Steps="5", lock="nonsense", hide="nothing_of_that_name")
    assert not page.exception
    said = " ".join(w.value for w in page.warning)
    for word in ("Steps", "nonsense", "nothing_of_that_name"):
        assert word in said


LONGEST_REASON = 165  # characters that fit the line under the presets at a desk


def test_a_presets_reason_is_one_line() -> None:
    reasons = {
        ast.literal_eval(call.args[0]): ast.literal_eval(call.args[2])
        for path in (ROOT / "pages").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Preset"
    }
    assert len(reasons) > 50
    assert [name for name, reason in reasons.items() if len(reason) > LONGEST_REASON] == []


FIELDS = {
    f.name: f
    for f in (
        Number("T", 1.0, 0.01, 100.0),
        Integer("n", 3, 1, 9),
        Numbers("z", (2, 1, 0.1), -1000, 1000, count=(2, 10)),
        Choice("unit", "nats", ["nats", "bits"]),
        Flag("log", True),
    )
}
junk = some.recursive(
    some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=4), inner),
    max_leaves=6,
)


@settings(max_examples=200)
@given(some.dictionaries(some.sampled_from([*FIELDS, "none", "z[9]"]) | some.text(), junk))
def test_whatever_a_browser_sends_is_taken_or_left(moved: dict[str, Any]) -> None:
    store: dict[str, Any] = {
        "values": {f.name: f.default for f in FIELDS.values()},
        "hide": [], "lock": [], "show": [], "held": False, "restart": 0, "brought": {},
        "notices": [], "query": {},
    }  # fmt: skip
    x = Experiment("page", FIELDS, (), store)
    x.accept(moved, True)
    assert 0.01 <= x["T"] <= 100
    assert math.isfinite(x["T"])
    assert x["n"] in range(1, 10)
    assert 2 <= len(x["z"]) <= 10
    assert all(-1000 <= v <= 1000 for v in x["z"])
    assert x["unit"] in ("nats", "bits")
    assert x["log"] in (True, False)
    json.dumps(x.query(), allow_nan=False)


def test_a_locked_value_stays() -> None:
    store: dict[str, Any] = {
        "values": {f.name: f.default for f in FIELDS.values()},
        "hide": [], "lock": ["T"], "show": [], "held": False, "restart": 0, "brought": {},
        "notices": [], "query": {},
    }  # fmt: skip
    x = Experiment("page", FIELDS, (), store)
    x.accept({"T": 5.0, "n": 4}, True)
    assert (x["T"], x["n"]) == (1.0, 4)
