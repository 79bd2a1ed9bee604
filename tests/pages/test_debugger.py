"""The update debugger: its numbers, what it compares, links that cannot be read, the cursor."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine.optimizers import OPTIMIZERS
from tests.browser import rerun, wait_until_settled
from tests.pages.running import markdown, open_page


def test_the_rule_stands_there_with_symbols_and_numbers() -> None:
    page = open_page("debugger", t="1", runs="adam:lr=0.001")
    said = markdown(page)
    assert r"\hat m_t" in said
    assert r"0.9 \cdot 0 + (1 - 0.9) \cdot 10 = \mathbf{1}" in said
    assert r"0.9 \cdot 0 + (1 - 0.9) \cdot 300 = \mathbf{30}" in said
    assert not page.exception


def test_before_the_first_step_there_are_symbols_alone() -> None:
    said = markdown(open_page("debugger", t="0"))
    assert "Nothing has moved yet" in said
    assert r"\mathbf" not in said


@pytest.mark.parametrize("slug", OPTIMIZERS)
def test_every_optimizer_can_be_looked_into(slug: str) -> None:
    page = open_page("debugger", runs=slug, t="3")
    assert not page.exception
    assert not page.warning
    assert "w_t" in markdown(page)


def test_what_a_convention_changes_is_said() -> None:
    said = markdown(open_page("debugger", runs="adam:lr=0.4", against="bias_correction=False"))
    assert "Dotted: bias correction: off" in said
    assert "part at step 1" in said
    assert "cannot be told apart" in markdown(
        open_page("debugger", runs="adam:lr=0.4", against="epsilon=inside", steps="5")
    )


def test_another_runner_of_the_race_can_be_laid_over() -> None:
    page = open_page("debugger", runs="sgd:lr=0.01;adam:lr=0.3", at="1", against="runner0")
    assert "Dotted: SGD" in markdown(page)


def test_a_link_of_the_race_carries_over() -> None:
    page = open_page("debugger", on="rosenbrock", runs="nesterov:lr=0.001", start="-1,1", steps="9")
    assert not page.exception
    assert r"\beta" in markdown(page)


def test_a_diverged_run_is_explained() -> None:
    page = open_page("debugger", runs="sgd:lr=0.03", steps="100", t="90")
    assert "1.5 times the stability limit" in markdown(page)
    assert not page.exception


@pytest.mark.parametrize(
    ("name", "value"),
    [("runs", "adam:lr=nan"), ("t", "-1"), ("at", "x"), ("on", "moon"), ("steps", "1e9")],
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("debugger", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


def test_an_unknown_comparison_is_none() -> None:
    page = open_page("debugger", against="bias_correction=perhaps")
    assert not page.exception
    assert "Dotted" not in markdown(page)


@pytest.mark.browser
def test_stepping_forward_changes_the_numbers_and_the_link(visit: Callable[..., Page]) -> None:
    page = visit("/debugger?t=1&runs=adam:lr=0.001")
    page.locator('.dl-stage[data-frame="1"]').wait_for()
    formula = page.locator('[class*="st-key-formula"]')
    expect(formula).to_contain_text("step 1")
    with rerun(page):
        page.get_by_role("button", name="Step forward").click()
    expect(formula).to_contain_text("step 2")
    page.locator('.dl-stage[data-frame="2"]').wait_for()
    page.wait_for_url("**/debugger?*t=2*")
    assert page.locator(".katex-error").count() == 0


@pytest.mark.browser
def test_the_race_is_one_click_away_and_keeps_the_setting(visit: Callable[..., Page]) -> None:
    page = visit("/debugger?runs=momentum:lr=0.004&steps=33")
    page.get_by_role("link", name="Race it on this landscape").click()
    expect(page.get_by_role("heading", name="The race")).to_be_visible()
    wait_until_settled(page)
    assert "momentum%3Alr%3D0.004" in page.url or "momentum:lr=0.004" in page.url
    assert "steps=33" in page.url


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_is_wider_than_the_window(visit: Callable[..., Page], width: int) -> None:
    page = visit("/debugger", width=width)
    page.locator(".dl-stage[data-frame]").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
