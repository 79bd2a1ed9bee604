"""The page of four ways: known slopes on it, what it says, links that cannot be read, drags."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page
from streamlit.testing.v1 import AppTest

from tests.pages.programs import run_programs, specs_of
from tests.pages.running import markdown, open_page, tables

COMPLEX_STEP = {"f": "exp(x)/sqrt(sin(x)**3 + cos(x)**3)", "x": "1.5"}


SWELL = {"view": "expression swell"}


@pytest.mark.parametrize(
    ("link", "numbers"),
    [
        # (x + y)·sin x at (π/4, 1): 1.9696 and 0.7071; a square's slope at 3; Martins et al. 2003.
        ({}, ["1.969573929642891", "9", "12", "8"]),
        ({"by": "y"}, ["0.7071067811865475"]),
        ({"f": "x**2", "x": "3"}, ["6"]),
        (COMPLEX_STEP, ["4.05342789389862"]),
        ({**SWELL, "n": "8"}, ["6143", "64"]),
        ({**SWELL, "n": "2"}, ["23", "16", "21"]),
    ],
)
def test_numbers(link: dict[str, str], numbers: list[str]) -> None:
    page = open_page("four_ways", **link)
    assert not page.exception
    assert not page.warning
    for number in numbers:
        assert f">{number}<" in tables(page)


def test_digits_of_long_arithmetic_and_symbols() -> None:
    page = open_page("four_ways")
    said = " ".join(caption.value for caption in page.caption)
    assert "1.9695739296428908250." in said  # 1.96957392964289082503277… in mpmath
    formulas = " ".join(element.value for element in page.latex)
    assert r"\sin\left(x\right) + \cos\left(x\right)\, \left(x + y\right)" in formulas
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
        ({"f": "4*x*(1 - x)", "x": "0.2"}, "no valley"),
        ({"f": "sigmoid(x)", "x": "40", "h": "1e-8"}, "every digit is lost"),
        ({**SWELL, "n": "8"}, "96 times the tape's"),
        ({**SWELL, "f": "abs(x)", "map": "f"}, "not much of a swell"),
    ],
)
def test_remark_follows_the_state(link: dict[str, str], said: str) -> None:
    page = open_page("four_ways", **link)
    assert not page.exception
    assert said in markdown(page)


def rows(page: AppTest) -> dict[str, list[str]]:
    """The table of ways, by its first column."""
    found = {}
    for row in tables(page).split("<tr>")[2:]:
        cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td>(.*?)</td>", row)]
        name = cells[0].split(": ")[-1].split(",")[0]
        found[name.lstrip("●■◆")] = cells[1:]
    return found


def test_what_the_presets_say_is_so() -> None:
    page = open_page("four_ways", y="1")

    def at(preset: str) -> AppTest:
        pills = next(group for group in page.get("button_group") if "A kink" in str(group.options))
        return pills.set_value(preset).run()

    course = rows(at("(x + y)·sin x"))
    assert course["reverse mode"][0].startswith("1.96957")
    own = rows(at("The complex step's own"))
    assert own["complex step"][0].startswith("4.0534278938986")
    assert (
        "×\u00a010⁻⁷" in own["central difference"][1]
        or "×\u00a010⁻⁸" in own["central difference"][1]
    )
    kink = at("A kink")
    assert "it has no derivative" in markdown(kink)
    assert len({row[0] for row in rows(kink).values()}) > 1
    lost = rows(at("A formula that cancels"))
    assert lost["symbolic"][1] == lost["reverse mode"][1]
    sure = rows(at("Too sure a neuron"))
    assert sure["central difference"][0] == "0"
    assert sure["reverse mode"][0].startswith("4.24835")
    assert sure["complex step"][0].startswith("4.24835")
    assert "96 times the tape's" in markdown(at("Swell"))


@pytest.mark.parametrize(
    "link",
    [{}, {"by": "y", "h": "1e-9"}, {"f": "abs(x)", "x": "0"}, {"f": "log(x)", "x": "-1"}, SWELL],
)
def test_the_picture_follows_the_hand(link: dict[str, str], tmp_path: Path) -> None:
    page = open_page("four_ways", **link)
    (result,) = run_programs(specs_of(page), tmp_path)
    assert not result["error"]
    assert not result["doubts"]
    moved = {"n"} if link is SWELL else {"x", "h"}
    assert moved <= set(result["moved"])


@pytest.mark.parametrize(
    "f",
    [
        "where(y<max(x,-64),log(x-y),tanh(y)-y)",
        "sigmoid(" * 30 + "where(x>0,min(x,y),max(x,y))" + ")" * 30,
        "max(" + ",".join(["x*y"] * 60) + ")",
        "(((x)**(y))**(y))**(x)",
    ],
)
@pytest.mark.parametrize("link", [{}, {**SWELL, "map": "f"}])
def test_no_link_holds_a_core(f: str, link: dict[str, str]) -> None:
    open_page("four_ways")
    begun = time.process_time()
    page = open_page("four_ways", f=f, **link)
    assert not page.exception
    assert time.process_time() - begun < 10.0  # it was more than ninety seconds, on a free core


def test_a_derivative_too_long_to_print_is_counted() -> None:
    page = open_page("four_ways", f="*".join(f"(x-{n})" for n in range(1, 14)))
    assert not page.exception
    assert "more than fits a line" in " ".join(caption.value for caption in page.caption)


@pytest.mark.parametrize(
    ("name", "value"),
    [("f", "x.real"), ("f", "4"), ("x", "101"), ("y", "nan"), ("h", "0"), ("by", "z"), ("n", "9"),
     ("map", "g"), ("reach", "3"), ("view", "x")],
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
    """Drag a handle to the side and let go."""
    box = page.locator(f'[data-handle="{handle}"]').bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y)
    page.mouse.move(x + dx, y)
    page.mouse.up()


@pytest.mark.browser
def test_dragging_h_and_the_point_moves_all_that_follows(visit: Callable[..., Page]) -> None:
    page = visit("/four_ways")
    said = page.locator(".dl-lines").filter(has_text="by the rules")
    said.filter(has_text="1.9695739 by the rules; the secant over x ± 0.5").wait_for()
    drag(page, "h", -60)
    page.wait_for_url("**h=**")
    assert "± 0.5 " not in said.inner_text()
    drag(page, "point", 50)
    page.wait_for_url("**x=**")
    assert "1.9695739" not in said.inner_text()
