"""The gradient check's page: verdicts in words and numbers, and a mistake switched on by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser import rerun
from tests.pages.running import markdown, open_page, tables


def test_a_sound_network_passes() -> None:
    page = open_page("gradient_check")
    assert not page.exception
    assert "All 13 entries agree" in markdown(page)
    assert tables(page).count("✓ good") == 13


def test_a_typed_function_shows_the_numbers_of_the_course() -> None:
    page = open_page(
        "gradient_check", of="formula", a0="0.7853981633974483", a1="1", f="(x + y)*sin(x)"
    )
    assert "+1.969573930" in tables(page)
    assert "+0.707106781" in tables(page)


@pytest.mark.parametrize("mistake", ["sign", "factor", "dropped", "slight"])
def test_a_mistake_is_caught(mistake: str) -> None:
    page = open_page("gradient_check", broken="tanh", mistake=mistake)
    assert "Caught." in markdown(page)
    assert tables(page).count("✓ good") == 4


def test_a_poor_step_is_named() -> None:
    assert "round-off" in markdown(open_page("gradient_check", h="1e-12"))
    assert "truncation" in markdown(open_page("gradient_check", h="0.1"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("h", "0"), ("f", "import os"), ("a0", "1e9"), ("mistake", "x"), ("of", "all")],
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("gradient_check", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


def test_a_point_without_value_is_said() -> None:
    page = open_page("gradient_check", of="formula", f="log(x)", a0="-1")
    assert not page.exception
    assert "no finite value" in page.error[0].value


@pytest.mark.browser
def test_spoiling_a_rule_by_hand_is_caught(visit: Callable[..., Page]) -> None:
    page = visit("/gradient_check")
    with rerun(page):
        page.get_by_role("combobox", name="spoil the rule of").select_option("tanh")
    page.get_by_text("Caught.").wait_for()
    assert "broken=tanh" in page.url
