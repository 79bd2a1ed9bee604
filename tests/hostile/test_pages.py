"""Any link and any message of a component: the page says what it thinks of it, and nothing breaks.

Streamlit's own widgets take only what a browser of its own sends; components take anything.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from engine.optimizers import OPTIMIZERS
from engine.problems.landscapes import LANDSCAPES
from pages.contents import SECTIONS
from tests.hostile import corpus
from tests.hostile.drawn import claim, complaints, drawn, open_link

PAGES = [entry.file for entries in SECTIONS.values() for entry in entries]
SECONDS = 1.0  # of processor time until a page has said something, at most


@pytest.fixture(scope="module", autouse=True)
def uncompiled() -> Iterator[None]:
    """Compilers would be counted with the pages' own time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESCENT_LAB_COMPILE", "0")
        open_link("/race")
        yield


def timed(link: str) -> tuple[AppTest, float]:
    begin = time.process_time()
    page = open_link(link)
    return page, time.process_time() - begin


@cache
def opened(name: str) -> AppTest:
    """The page as it opens; whoever sends it something sends it to all who come after."""
    return open_link(f"/{name}")


def values_of(page: AppTest) -> dict[str, Any]:
    """The values of its fields by name."""
    (store,) = page.session_state["_experiments"].values()
    found: dict[str, Any] = store["values"]
    return found


@pytest.mark.parametrize("link", corpus.LINKS, ids=range(len(corpus.LINKS)))
def test_links_that_hurt_once(link: str) -> None:
    page, seconds = timed(link)
    assert complaints(page) == []
    if seconds > SECONDS:  # what is made once for all readers is made by now
        assert min(timed(link)[1] for _ in range(3)) < SECONDS


# Pages whose runs start where their reader chooses.
STARTING = ["home", "race", "debugger", "bias_correction", "schedules", "map", "fair_race"]


def test_these_are_the_pages_with_a_start() -> None:
    # Basins starts everywhere.
    found = [n for n in PAGES if {"on", "start"} <= values_of(opened(n)).keys()]
    assert sorted(found) == sorted([*STARTING, "basins"])


@pytest.mark.parametrize("name", STARTING)
@pytest.mark.parametrize(("formula", "start"), corpus.STARTS)
def test_a_start_without_a_finite_value_is_said_in_words(
    name: str, formula: str, start: str
) -> None:
    page = open_link(corpus.link(name, on="formula", f=formula, start=start, stream="race"))
    assert complaints(page) == []
    said = " ".join(notice.value for notice in page.markdown)
    assert "the landscape has no finite value: move the start" in said


numbers = some.one_of(
    some.floats().map(str),
    some.integers().map(str),
    some.sampled_from(
        ["1e999", "-0", "1_0", "٣", "0x1", "1e-400", "nan", "inf", "1,2", "1e4,-1e4"]
    ),
)
texts = some.one_of(
    some.text(max_size=40), some.just(corpus.MARKUP), some.sampled_from(corpus.FORMULAS)
)
settings_of_runs = some.lists(
    some.tuples(
        some.sampled_from(["lr", "beta", "beta1", "eps", "amsgrad", "form", "?"]), numbers
    ).map("=".join),
    max_size=3,
).map(",".join)
runs = some.lists(
    some.one_of(
        some.tuples(some.sampled_from(list(OPTIMIZERS)), settings_of_runs).map(":".join),
        some.sampled_from(corpus.RULES).map(lambda rule: "typed~" + quote(rule, safe="")),
        some.text(max_size=10),
    ),
    max_size=4,
).map(";".join)
names = some.sampled_from(
    ["lr", "steps", "start", "noise", "f", "on", "runs", "view", "map", "T", "z", "p", "q", "log",
     "lock", "hide", "embed", "target", "seed", "names", "find", "by", "of", "ax", "ay", "against"]
) | some.text(max_size=12)  # fmt: skip
values = some.one_of(
    numbers, texts, runs, some.sampled_from(["formula", "1", "0", "true", *LANDSCAPES]),
    some.sampled_from(corpus.FORMULAS), some.binary(max_size=8).map(lambda b: b.decode("latin-1")),
    some.integers(1, 100_000).map(lambda n: "9" * n),
)  # fmt: skip
pairs = some.tuples(numbers, numbers).map(",".join)
lists = some.lists(numbers, max_size=9).map(",".join)
formulas = some.sampled_from(corpus.FORMULAS)
twice = runs.map(lambda said: f"{said};{said}")
# What the fields of the pages are written in; of the others anything is tried.
GRAMMAR = {
    "runs": runs | twice, "f": formulas, "start": pairs, "on": some.just("formula"),
    "p": lists, "q": lists, "z": lists, "map": some.just("f"),
}  # fmt: skip


def link_of(page: str) -> some.SearchStrategy[str]:
    """Links to a page, of its own fields mostly."""
    fields = sorted(values_of(opened(page)))
    own = some.sampled_from(fields) if fields else names
    spoken = own.flatmap(
        lambda field: some.tuples(some.just(field), GRAMMAR.get(field, values) | values)
    )
    said = some.lists(spoken | spoken | some.tuples(names, values), max_size=6)
    return said.map(
        lambda p: f"/{page}?" + "&".join(f"{quote(k)}={quote(v, safe='')}" for k, v in p)
    )


links = some.sampled_from(PAGES).flatmap(link_of)


@drawn(16)
@given(links)
def test_any_link(link: str) -> None:
    page, seconds = timed(link)
    assert complaints(page) == [], link
    if seconds > SECONDS:  # a busy machine's caches are not the link's doing
        assert min(timed(link)[1] for _ in range(3)) < SECONDS, link


@pytest.mark.parametrize("name", PAGES)
def test_markup_in_every_field(name: str) -> None:
    """As a link's value of every field, as a name, as what is locked and hidden, and typed."""
    fields = [*values_of(opened(name)), "lock", "hide"]
    link = corpus.link(name, **dict.fromkeys([*fields, corpus.MARKUP], corpus.MARKUP))
    page = open_link(link)
    assert complaints(page) == []
    formula = corpus.link(name, on="formula", map="f", f=corpus.MARKUP, names=corpus.MARKUP)
    assert complaints(open_link(formula)) == []
    for widget in (*page.text_input, *page.text_area):
        if not widget.disabled:
            widget.set_value(corpus.MARKUP)
    if page.text_input or page.text_area:
        assert complaints(page.run()) == []


@pytest.mark.parametrize("state", corpus.STATES, ids=range(len(corpus.STATES)))
def test_states_that_no_component_has(state: str) -> None:
    name = PAGES[corpus.STATES.index(state) % len(PAGES)]
    assert complaints(claim(opened(name), state)) == []
    assert complaints(claim(opened("race"), state)) == []


junk = some.recursive(
    some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=8)
    | some.sampled_from(corpus.JUNK),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=4), inner),
    max_leaves=6,
)  # fmt: skip
payloads = some.fixed_dictionaries(
    {"seq": some.integers(1, 2**53) | junk},
    optional={
        "set": some.dictionaries(names | some.sampled_from(["0/lr", "1/beta", "start[0]"]), junk)
        | junk,
        "committed": junk, "group": some.sampled_from(["0", "9", "landscape"]) | junk,
        "id": some.sampled_from(["remove", "copy", "start"]) | junk, "panel": junk,
        "x": junk, "y": junk, "frame": junk, "refs": junk, "outputs": junk, "values": junk,
    },
)  # fmt: skip
states = some.dictionaries(
    some.sampled_from(["values", "action", "need", "doubt", "cursor", "click", "drop", "ask"]),
    payloads | junk,
).map(json.dumps)


@drawn(30)
@given(some.sampled_from(PAGES), states)
def test_any_message(name: str, state: str) -> None:
    page = claim(opened(name), state)
    assert complaints(page) == [], (name, state)
    for field, value in values_of(page).items():
        if isinstance(value, float):
            assert math.isfinite(value), field
