"""The lead in a real browser: its words are menus, in a frame where the frame asks for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser import Visitor, rerun

pytestmark = pytest.mark.browser


def test_a_word_of_the_lead_is_chosen_added_to_and_removed(visit: Visitor) -> None:
    page = visit("/race")
    lead = page.locator(".dl-lead")
    expect(lead).to_contain_text("an ill-conditioned bowl")
    words = lead.locator(".dl-menu b")
    with rerun(page):
        lead.locator('[data-name="on"] select').select_option("himmelblau")
    expect(words.nth(3)).to_have_text("Himmelblau")
    with rerun(page):
        lead.locator('[data-name="add"] select').select_option("adam")
    with rerun(page):
        lead.locator('[data-name="runner0"] select').select_option("remove")
    expect(words).to_have_text(["Momentum", "Adam", "+", "Himmelblau", "overlaid"])
    with rerun(page):  # by keys, as every list of the browser's own
        lead.locator('[data-name="view"] select').press("s")
    expect(words.last).to_have_text("side by side")
    page.wait_for_url("**/race?on=himmelblau&**view=side+by+side**")


def test_a_frame_has_the_lead_and_the_presets_where_it_asks_for_them(visit: Visitor) -> None:
    _, bare = visit.embedded("/race?embed=true")
    expect(bare.locator(".dl-lead")).to_have_count(0)
    _, asked = visit.embedded("/race?embed=true&show=setup,presets", height=620)
    expect(asked.locator(".dl-lead .dl-menu")).to_have_count(5)
    expect(asked.locator('[class*="st-key-presets-"] button').first).to_be_visible()
    _, locked = visit.embedded("/race?embed=true&show=setup&lock=all", height=620)
    assert locked.locator(".dl-lead select:not(:disabled)").count() == 0


@pytest.mark.parametrize("page", ["race", "debugger", "schedules", "map", "basins"])
def test_the_picture_begins_right_under_its_furniture(visit: Visitor, page: str) -> None:
    opened = visit(f"/{page}", height=900)
    box = opened.locator(".dl-stage[data-seq]").first.bounding_box()
    assert box is not None
    assert box["y"] < 165


def test_a_frame_says_its_formula_and_leads_to_the_page_of_its_own(visit: Visitor) -> None:
    _, frame = visit.embedded("/race?embed=true&lr=0.015&hide=table&lock=lr")
    foot = frame.locator(".st-key-foot")
    expect(foot.locator(".katex")).to_be_visible()
    link = foot.get_by_role("link", name="open in Descent Lab")
    assert link.get_attribute("href") == "race?lr=0.015"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_lit_chip_is_read_in_either_theme(
    visit: Visitor, scheme: Literal["light", "dark"]
) -> None:
    page = visit("/race", color_scheme=scheme)
    chip = page.locator('[class*="st-key-presets-"] button[data-selected]')
    ink = chip.evaluate("e => getComputedStyle(e.querySelector('p') ?? e).color")
    lit = [int(part) for part in re.findall(r"\d+", ink)[:3]]
    paper = {"light": (253, 253, 252), "dark": (21, 23, 27)}[scheme]
    assert contrast(lit, paper) > 5


def contrast(one: Sequence[int], other: Sequence[int]) -> float:
    """How far two colours stand apart by WCAG 2.2's relative luminance."""

    def light(color: Sequence[int]) -> float:
        parts = [c / 255 for c in color]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)
