"""The gradient check's page: verdicts in words and numbers, and a mistake switched on by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import rerun
from tests.pages.programs import run_programs, specs_of
from tests.pages.running import markdown, open_page, tables

DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


SOUND = {"broken": "nothing"}


def test_it_opens_on_a_lost_sign_caught() -> None:
    page = open_page("gradient_check")
    assert not page.exception
    assert "Caught." in markdown(page)
    rows = re.findall(r"<tr><td>(\w+)\[.*?(✓|✗)", tables(page))
    assert {name for name, mark in rows if mark == "✗"} == {"W1", "b1"}  # before tanh
    assert {name for name, mark in rows if mark == "✓"} == {"W2", "b2"}  # after it


def test_a_sound_network_passes() -> None:
    page = open_page("gradient_check", **SOUND)
    assert "All 13 entries agree" in markdown(page)
    assert tables(page).count("✓ good") == 13
    errors = re.findall(r"<td>(?:[\d.]+\s×\s)?10⁻([⁰¹²³⁴⁵⁶⁷⁸⁹]+)</td>", tables(page))
    assert len(errors) == 13
    assert all(int(power.translate(DIGITS)) >= 9 for power in errors)  # eight digits


def test_a_poor_step_is_not_laid_to_the_mistake() -> None:
    said = markdown(open_page("gradient_check", h="1e-14"))
    assert "Caught." in said
    assert "would without a mistake too, by round-off: h is too small" in said


def test_a_typed_function_shows_the_numbers_of_the_course() -> None:
    page = open_page(
        "gradient_check", of="formula", a0="0.7853981633974483", a1="1", f="(x + y)*sin(x)"
    )
    assert "+1.969573930" in tables(page)
    assert "+0.707106781" in tables(page)


@pytest.mark.parametrize("mistake", ["sign", "factor", "dropped", "slight"])
def test_a_mistake_is_caught(mistake: str) -> None:
    page = open_page("gradient_check", mistake=mistake)
    assert "Caught." in markdown(page)
    assert tables(page).count("✓ good") == 4


@pytest.mark.parametrize(
    ("preset", "says"),
    [
        ("A lost sign", "9 of 13 entries stand out"),
        ("All right", "All 13 entries agree"),
        ("A slight slip", "9 of 13 entries stand out"),
        ("h too small", "The cause is round-off"),
        ("h too large", "The cause is truncation"),
        ("At a kink", "The cause is a kink"),
    ],
)
def test_what_a_preset_says_is_so(preset: str, says: str) -> None:
    page = open_page("gradient_check", seed="0")
    pills = next(group for group in page.get("button_group") if preset in str(group.options))
    page = pills.set_value(preset).run()
    assert not page.exception
    assert says in markdown(page)
    if says.startswith("The cause"):
        assert "The difference is off, not the gradient" in markdown(page)
        assert "✗ wrong" not in tables(page)


@pytest.mark.parametrize(
    ("link", "moved"),
    [({}, ["h"]), ({"of": "formula"}, ["a0", "a1", "h"])],
)
def test_the_picture_follows_the_hand(
    link: dict[str, str], moved: list[str], tmp_path: Path
) -> None:
    page = open_page("gradient_check", **link)
    (spec,) = specs_of(page)
    (result,) = run_programs([spec], tmp_path)
    assert not result["error"]
    assert sorted(result["moved"]) == sorted(moved)
    assert not result["doubts"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("h", "0"), ("f", "import os"), ("f", "+".join(["sin(x)"] * 40)), ("a0", "1e9"),
     ("mistake", "x"), ("of", "all"), ("broken", "os")],
)  # fmt: skip
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
    page.get_by_text("Caught.").wait_for()
    with rerun(page):
        page.get_by_role("combobox", name="spoil the rule of").select_option("nothing")
    page.get_by_text("All 13 entries agree").wait_for()
    page.wait_for_url("**broken=nothing")
