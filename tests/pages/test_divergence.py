"""The page of cross-entropy and KL: identities and infinities on bars, and the fitted Gaussian."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.pages.running import drag, markdown, open_page, tables

FIT = "fit a Gaussian"


def test_one_hot_truth_reads_one_slot() -> None:
    page = open_page("divergence", p="0,1,0", q="0.2,0.7,0.1", unit="nats")
    assert not page.exception
    said = markdown(page)
    assert "H(p, q)\\,=\\,0.357" in said
    assert "H(p)\\,=\\,0.000" in said
    for trap in ("1.6094", "2.3026"):
        assert f">{trap}<" in tables(page)


def test_remark_follows_the_state() -> None:
    assert "**not symmetric**" in markdown(open_page("divergence"))
    assert "both divergences are **0**" in markdown(open_page("divergence", p="1,1", q="2,2"))


def test_infinite_divergence_is_said_in_words() -> None:
    page = open_page("divergence", p="0.5,0.3,0.2", q="0.6,0.4,0")
    said = markdown(page)
    assert "KL(p‖q) is **infinite**" in said
    assert r"\infty" in said
    assert "nan" not in (said + tables(page)).lower()
    assert "in both directions" in markdown(open_page("divergence", p="1,0", q="0,1"))


def test_unlike_lengths_are_fitted_with_a_notice() -> None:
    page = open_page("divergence", p="1,1,1", q="1,1")
    assert not page.exception
    assert any("**q**" in warning.value for warning in page.warning)


@pytest.mark.parametrize(
    ("name", "value"), [("p", "1,-1"), ("q", "x"), ("part", "?"), ("spread", "0"), ("start", "1")]
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("divergence", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({}, ["Forward KL ends at μ = 0.01", "Reverse KL ends at μ = 1.98, inside one hump"]),
        ({"start": "-1,-0.5"}, ["Reverse KL ends at μ = -1.98, inside one hump"]),
        ({"start": "0.3,0.6"}, ["between the humps"]),
        ({"opt": "sgd", "lr": "1", "start": "3,-1.3"}, ["left all bounds at step"]),
        ({"separation": "0"}, ["both directions agree"]),
    ],
)
def test_fitted_gaussian(link: dict[str, str], said: list[str]) -> None:
    page = open_page("divergence", part=FIT, **link)
    assert not page.exception
    for words in said:
        assert words in markdown(page)


@pytest.mark.browser
def test_dragging_a_bar_to_zero_makes_the_divergence_infinite(visit: Callable[..., Page]) -> None:
    page = visit("/divergence")
    drag(page, '[data-handle="q1"]', 0, 300)
    page.wait_for_function("new URLSearchParams(location.search).has('q')")
    page.get_by_text("is infinite", exact=False).first.wait_for()
    assert "∞" in page.locator("table.numbers").inner_text()


@pytest.mark.browser
def test_dragging_the_start_across_the_middle_finds_the_other_hump(
    visit: Callable[..., Page],
) -> None:
    page = visit("/divergence?part=fit+a+Gaussian")
    page.get_by_text("μ = 1.98").wait_for()
    drag(page, '[data-panel="reverse"] [data-handle="start"]', -60, 0)
    page.wait_for_function("new URLSearchParams(location.search).has('start')")
    page.get_by_text("μ = -1.98").wait_for()
