"""The page that sets cross-entropy against squared error."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.pages.running import drag, markdown, open_page, tables


def test_worked_numbers() -> None:
    page = open_page("saturation")
    assert not page.exception
    for number in ("3.9120", "0.9604", "−0.9800", "−0.0384"):
        assert f">{number}<" in tables(page)
    assert "**25.5 times**" in markdown(page)
    assert "recovers in 50 epochs" in markdown(page)


def test_half_the_convention_is_half_the_gradient() -> None:
    assert ">−0.0192<" in tables(open_page("saturation", half="1"))


def test_input_multiplies_the_gradient_of_the_weight() -> None:
    assert ">−1.9600<" in tables(open_page("saturation", x="2"))


def test_remark_follows_the_state() -> None:
    assert "right and sure" in markdown(open_page("saturation", z="5"))
    assert "near its largest value" in markdown(open_page("saturation", z="0"))
    assert "not within 300" in markdown(open_page("saturation", z="-7"))


@pytest.mark.parametrize(
    ("name", "value"), [("z", "9"), ("y", "2"), ("opt", "magic"), ("lr", "-1")]
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("saturation", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_dragging_the_point_changes_the_gradients(visit: Callable[..., Page]) -> None:
    page = visit("/saturation")
    cells = page.locator("table.numbers tr").nth(2).locator("td")
    assert cells.nth(2).inner_text() == "−0.0384"
    drag(page, '[data-panel="gradient"] [data-handle="ce"]', 40)
    page.wait_for_function("new URLSearchParams(location.search).has('z')")
    assert float(cells.nth(2).inner_text().replace("−", "-")) < -0.1
