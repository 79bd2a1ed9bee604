"""The page of four ways: known slopes on it, what it says, links that cannot be read, drags."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser import rerun, wait_until_settled
from tests.pages.running import markdown, open_page, tables

COMPLEX_STEP = {"f": "exp(x)/sqrt(sin(x)**3 + cos(x)**3)", "x": "1.5"}


@pytest.mark.parametrize(
    ("link", "numbers"),
    [
        # (x + y)·sin x at (π/4, 1): 1.9696 and 0.7071; a square's slope at 3; Martins et al. 2003.
        ({}, ["1.969573929642891", "9", "12", "8"]),
        ({"by": "y"}, ["0.7071067811865475"]),
        ({"f": "x**2", "x": "3"}, ["6"]),
        (COMPLEX_STEP, ["4.05342789389862"]),
        ({"n": "8"}, ["6,143", "64", "not asked"]),
        ({"n": "2"}, ["23", "16", "21"]),
    ],
)
def test_numbers(link: dict[str, str], numbers: list[str]) -> None:
    page = open_page("four_ways", **link)
    assert not page.exception
    assert not page.warning
    for number in numbers:
        assert f">{number}<" in tables(page)


def test_fifty_digits_and_symbols() -> None:
    page = open_page("four_ways")
    said = " ".join(caption.value for caption in page.caption)
    assert "1.969573929642890825032779845836298419813669740895" in said
    formulas = " ".join(element.value for element in page.latex)
    assert r"\left(x + y\right) \cos{\left(x \right)} + \sin{\left(x \right)}" in formulas
    assert "&= 1.969574" in formulas


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({}, "h is **too large**"),
        ({"h": "1e-11"}, "h is **too small**"),
        ({"h": "6e-6"}, "near the best for the central difference"),
        ({"f": "abs(x)", "x": "0"}, "slope −1 on its left and 1 on its right"),
        ({"f": "log(x)", "x": "-1"}, "no finite value"),
        ({"f": "(1 - cos(x))/x**2", "x": "0.0001"}, "Even reverse mode is off"),
        ({"f": "2*x", "x": "0"}, "no valley"),
        ({"n": "8"}, "96 times the tape's"),
        ({"f": "abs(x)", "map": "f"}, "not much of a swell"),
    ],
)
def test_remark_follows_the_state(link: dict[str, str], said: str) -> None:
    page = open_page("four_ways", **link)
    assert not page.exception
    assert said in markdown(page)


def test_a_derivative_too_long_to_print_or_to_ask_for() -> None:
    def captions(f: str) -> str:
        page = open_page("four_ways", f=f)
        assert not page.exception
        return " ".join(caption.value for caption in page.caption)

    assert "more than fits a line" in captions("*".join(f"(x-{n})" for n in range(1, 14)))
    assert "at most 32" in captions("+".join(f"sin({n}*x)" for n in range(2, 15)))


@pytest.mark.parametrize(
    ("name", "value"),
    [("f", "x.real"), ("f", "4"), ("x", "101"), ("y", "nan"), ("h", "0"), ("by", "z"), ("n", "9"),
     ("map", "g"), ("reach", "3")],
)  # fmt: skip
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("four_ways", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


def test_a_typed_formula_is_taken_or_pointed_at() -> None:
    page = open_page("four_ways")
    page.text_input[0].set_value("x**3 + qx").run()
    assert "qx is not known here" in page.error[0].value
    assert "\n       ^" in page.error[0].value
    assert ">1.969573929642891<" in tables(page)  # what stood before stays
    page.text_input[0].set_value("x**2").run()
    assert not page.error
    assert page.query_params["f"] == "x**2"
    assert ">1.570796326794897<" in tables(page)


def drag(page: Page, handle: str, dx: float) -> None:
    """Drag a handle to the side, and wait for what comes of it."""
    box = page.locator(f'[data-handle="{handle}"]').bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y)
    with rerun(page):
        page.mouse.move(x + dx, y)
    page.mouse.up()
    wait_until_settled(page)


@pytest.mark.browser
def test_dragging_the_point_moves_the_tangent(visit: Callable[..., Page]) -> None:
    page = visit("/four_ways")
    slope = page.locator("table.numbers").first.locator("tr").nth(6).locator("td").nth(1)
    assert slope.inner_text() == "1.969573929642891"
    drag(page, "point", 50)
    page.wait_for_function("new URLSearchParams(location.search).has('x')")
    assert float(slope.inner_text().replace("−", "-")) < 1.9


@pytest.mark.browser
def test_dragging_h_to_the_left_finds_the_valley(visit: Callable[..., Page]) -> None:
    page = visit("/four_ways")
    error = page.locator("table.numbers").first.locator("tr").nth(3).locator("td").nth(2)
    before = float(error.inner_text().replace("−", "-"))
    drag(page, "h", -60)
    page.wait_for_function("new URLSearchParams(location.search).has('h')")
    assert float(error.inner_text().replace("−", "-")) < before / 10
