"""Schedules: what each does to a noisy run, its formula, links that cannot be read, its handles."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine.optimizers.schedules import SCHEDULES
from tests.browser import rerun
from tests.pages.running import markdown, open_page


@pytest.mark.parametrize("slug", SCHEDULES)
def test_every_schedule_drives_a_run(slug: str) -> None:
    page = open_page("schedules", schedule=slug, steps="60")
    assert not page.exception
    assert r"\eta" in markdown(page)


def test_cosine_settles_a_noisy_run() -> None:
    said = markdown(open_page("schedules"))
    assert "84.8 times lower" in said  # seed 0: 0.0553 against 4.69
    assert r"\eta_{\max} = 0.0185" in said


def test_without_noise_it_only_takes_speed_away() -> None:
    assert "only takes speed away" in markdown(open_page("schedules", noise="0"))


def test_one_cycle_survives_a_peak_at_which_a_constant_rate_diverges() -> None:
    said = markdown(
        open_page("schedules", schedule="one_cycle", runs="sgd:lr=0.023", noise="0", steps="120")
    )
    assert "At a constant rate the run diverges at step 31" in said


def test_a_driven_run_that_diverges_is_explained() -> None:
    page = open_page("schedules", schedule="constant", runs="sgd:lr=0.03", noise="0")
    assert "1.5 times the stability limit" in markdown(page)
    assert not page.exception


@pytest.mark.parametrize(
    ("name", "value"), [("schedule", "sawtooth"), ("s.warmup", "0.9"), ("s.drop", "0")]
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("schedules", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_dragging_the_peak_changes_the_rate(visit: Callable[..., Page]) -> None:
    page = visit("/schedules")
    handle = page.locator('[data-handle="peak"]')
    handle.focus()
    with rerun(page):
        handle.press("ArrowDown")
    page.wait_for_url("**/schedules?*lr*")
    expect(page.locator('[class*="st-key-formula"]')).not_to_contain_text("ηmax=0.0185")
    assert page.locator(".katex-error").count() == 0
