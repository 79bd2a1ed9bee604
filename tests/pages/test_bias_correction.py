"""Bias correction: the course's factors on the page, streams, links that cannot be read, a drag."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import rerun
from tests.pages.running import markdown, open_page, tables


def test_the_factors_of_the_course() -> None:
    page = open_page("bias_correction")
    table = tables(page)
    for factor in ("×10<", "×1.535<", "×1000<"):
        assert f">{factor}" in table
    assert "×1.535" in markdown(page)
    assert "3.16 learning rates" in markdown(page)


def test_the_formula_carries_the_cursors_numbers() -> None:
    said = markdown(open_page("bias_correction", t="10", noise="0"))
    assert r"\frac{0.651322}{1 - 0.9^{10}} = 0.6513 \times \mathbf{1.535} = 1" in said


@pytest.mark.parametrize("stream", ["constant", "drifting", "alternating", "sparse", "race"])
def test_every_stream_is_shown(stream: str) -> None:
    page = open_page("bias_correction", stream=stream, t="4")
    assert not page.exception
    assert "After 4 gradients" in markdown(page)


def test_the_gradients_of_a_race_that_diverges() -> None:
    page = open_page("bias_correction", stream="race", runs="sgd:lr=0.05", steps="60", t="60")
    assert not page.exception


@pytest.mark.parametrize(
    ("name", "value"), [("beta1", "1"), ("beta2", "-0.1"), ("stream", "pink"), ("t", "1.5")]
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("bias_correction", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_moving_beta_changes_the_factors(visit: Callable[..., Page]) -> None:
    page = visit("/bias_correction?noise=0")
    table = page.locator("table.numbers")
    expect(table).to_contain_text("×1.535")
    slider = page.locator('[data-name="beta1"] .dc-range')
    with rerun(page):
        slider.focus()
        slider.press("Home")
    expect(table).to_contain_text("β₁ = 0")
    expect(table).not_to_contain_text("×1.535")
    page.wait_for_url("**/bias_correction?*beta1=0*")
