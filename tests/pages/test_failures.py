"""Failures and cures: each story says what happens in it, at any setting of its sliders."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import rerun
from tests.pages.running import markdown, open_page

STORIES = {
    "decay": "Same λ = 0.3, two rules",
    "amsgrad": "it ends at 1.00",
    "adagrad": "its rate only falls",
    "curvature": "Newton divides by the curvature and needs one step",
    "eve": "lower than Adam",
}


@pytest.mark.parametrize(("part", "said"), STORIES.items())
def test_every_story_is_told(part: str, said: str) -> None:
    page = open_page("failures", part=part)
    assert not page.exception
    assert said in markdown(page)


@pytest.mark.parametrize(
    "link",
    [
        {"part": "decay", "decay.lr": "1", "decay.weight": "1"},
        {"part": "amsgrad", "ams.big": "20", "ams.steps": "60"},
        {"part": "adagrad", "ada.lr": "2", "ada.other": "1"},
        {"part": "curvature", "kappa": "1", "turned": "30"},
        {"part": "eve", "eve.lr": "1", "eve.beta3": "0", "eve.jump": "0"},
    ],
)
def test_extreme_settings_hold(link: dict[str, str]) -> None:
    page = open_page("failures", **link)
    assert not page.exception
    assert not page.warning
    assert "nan" not in markdown(page)


def test_unreadable_link_falls_back_with_a_notice() -> None:
    page = open_page("failures", part="moon")
    assert not page.exception
    assert any("**part**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_another_story_and_its_slider(visit: Callable[..., Page]) -> None:
    page = visit("/failures")
    with rerun(page):
        page.get_by_role("radio", name="Adam's wrong turn").click()
    expect(page.get_by_text("AMSGrad remembers the largest v")).to_be_visible()
    page.wait_for_url("**/failures?*part=amsgrad*")
    slider = page.locator('[data-name="ams.big"] .dc-range')
    slider.focus()
    with rerun(page):
        slider.press("End")
    expect(page.get_by_text("The gradient is C = 20 once")).to_be_visible()
