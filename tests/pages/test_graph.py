"""The page of the computational graph: the course's numbers, bad links, a drag, a stepped sweep."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.running import markdown, open_page, tables


def test_numbers_of_the_course() -> None:
    page = open_page("graph")
    assert not page.exception
    assert not page.warning
    text = markdown(page)
    for number in ("1.2625", "1.9696", "0.70711"):
        assert number in text
    assert "two paths" in text


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ({"on": "softmax"}, "2.0404"),
        ({"on": "squared", "mode": "forward", "by": "w2"}, r"\partial w_{2}} = 0.5"),
        ({"on": "typed", "f": "x**2", "at": "3"}, "= 6"),
        ({"on": "typed", "f": "log(x)", "at": "-1"}, "undefined"),
        ({"on": "typed", "f": "a = x*y\nL = tanh(a)"}, r"\partial L"),
    ],
)
def test_links_open_what_they_say(link: dict[str, str], says: str) -> None:
    page = open_page("graph", **link)
    assert not page.exception
    assert not page.warning
    assert says in markdown(page)


def test_a_large_graph_is_summed_up() -> None:
    page = open_page("graph", on="typed", f="+".join(["sin(x)"] * 40))
    assert not page.exception
    assert any("40 × sin" in note.value for note in page.info)


def test_the_table_counts_passes() -> None:
    table = tables(open_page("graph", on="perceptron"))
    assert "<td>12</td>" in table  # passes of forward mode


@pytest.mark.parametrize(
    ("name", "value"),
    [("f", "__import__('os')"), ("f", "2x"), ("at", "1,nan"), ("mode", "sideways"), ("on", "no")],
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("graph", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_dragging_an_input_moves_the_numbers_and_the_link(visit: Callable[..., Page]) -> None:
    page = visit("/graph")
    node, output = page.locator('[data-node="x"]'), page.locator('[data-node="f"] .dg-value')
    expect(output).to_have_text("1.2625")
    box = node.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + 20
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    expect(output).not_to_have_text("1.2625")  # while the hand is still on it
    page.mouse.up()
    page.wait_for_url("**at=**")


@pytest.mark.browser
def test_stepping_tells_the_chain_rule(visit: Callable[..., Page]) -> None:
    page = visit("/graph")
    drawing, say = page.locator(".dg-graph"), page.locator(".dg-say")
    expect(say).to_contain_text("1.9696")  # opens at the end of the backward sweep
    drawing.focus()
    page.keyboard.press("Home")
    expect(page.locator('[data-node="f"] .dg-value')).to_have_text("")
    page.keyboard.press("ArrowRight")
    expect(say).to_have_text("a = x + y = 0.7854 + 1 = 1.7854")
    page.locator('[data-node="b"]').click()
    expect(say).to_contain_text("∂f/∂b")
    page.locator('[data-node="y"]').press("ArrowUp")
    page.wait_for_url("**at=0.785398%2C1.1")
