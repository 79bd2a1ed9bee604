"""On the pages of losses and derivatives every handle says what it is, and every picture has a name
short enough for a phone."""

from __future__ import annotations

import re

import pytest

from pages.contents import SECTIONS
from tests.pages.programs import component_data
from tests.pages.running import LOSS_STATES, open_page

STATES = (
    *LOSS_STATES,
    ("four_ways", {}),
    ("four_ways", {"view": "expression swell"}),
    ("gradient_check", {}),
    ("engine_room", {"part": "static or dynamic"}),
)
WORD = re.compile(r"[a-z]{3,}")
LONGEST = 24  # characters that a phone has room for beside a second name


@pytest.mark.parametrize(("name", "link"), STATES)
def test_handles_are_called_by_what_they_are(name: str, link: dict[str, str]) -> None:
    page = open_page(name, **link)
    for data in component_data(page):
        for panel in data.get("panels", ()):
            spoken = [handle["spoken"] for handle in panel["handles"]]
            assert all(WORD.search(said) for said in spoken), (panel["id"], spoken)
            assert len(set(spoken)) == len(spoken)
            title = panel["title"] if isinstance(panel["title"], str) else ""
            several = len(data["panels"]) > 1
            assert not several or 0 < len(panel["tab"] or title) <= LONGEST, panel["id"]


def test_a_coin_says_its_sides() -> None:
    page = open_page("entropy")
    panels = next(data["panels"] for data in component_data(page) if "panels" in data)
    said = [handle["spoken"] for handle in panels[0]["handles"]]
    assert said == ["probability of heads", "probability of tails"]


@pytest.mark.parametrize("name", dict.fromkeys(name for name, _ in STATES))
def test_a_page_is_called_in_the_menu_as_over_itself(name: str) -> None:
    entry = next(e for entries in SECTIONS.values() for e in entries if e.file == name)
    assert [title.value for title in open_page(name).title] == [entry.title]
