"""The page of the computational graph: the course's numbers, bad links, a drag, a stepped sweep."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from engine.derivatives.graph import EXAMPLES
from tests.pages.programs import component_data, run_programs, specs_of
from tests.pages.running import markdown, open_page, tables


def shown(page: AppTest) -> dict[str, float | None]:
    """What stands under the drawing, by name: value and derivatives, as Python sends them."""
    data = next(d for d in component_data(page) if "answers" in d)
    samples = data["program"]["samples"]
    found = {}
    for answer in data["answers"]:
        text = answer["text"]
        leaf = text["args"][0] if isinstance(text, dict) else None
        found[answer["name"]] = samples[leaf["$live"]][0] if leaf else float(text)
    return found


def test_numbers_of_the_course() -> None:
    page = open_page("graph")
    assert not page.exception
    assert not page.warning
    assert shown(page) == pytest.approx({"f": 1.2625, "∂f/∂x": 1.9696, "∂f/∂y": 0.7071}, abs=5e-5)
    assert "two paths" in markdown(page)
    assert "backpropagation" in markdown(page)


@pytest.mark.parametrize(
    ("link", "numbers"),
    [
        # The course's scores, −log 0.13; the squared error by hand, 2(w₁x + w₂ − y) = 0.5.
        ({"on": "softmax"}, {"L": 2.0404}),
        ({"on": "squared", "mode": "forward", "by": "w2"}, {"L": 0.0625, "L\u0307": 0.5}),
        ({"on": "squared"}, {"L": 0.0625, "∂L/∂w₁": 1.0, "∂L/∂w₂": 0.5}),
        ({"on": "typed", "f": "x**2", "at": "3"}, {"f": 9.0, "∂f/∂x": 6.0}),
        ({"on": "typed", "f": "log(x)", "at": "-1"}, {"f": None}),
        ({"on": "typed", "f": "a = x*y\nL = tanh(a)", "at": "0,2"}, {"L": 0.0, "∂L/∂x": 2.0}),
        # A helix at t = 0.8: one forward sweep gives −sin t, cos t and ¼.
        (
            {"on": "helix", "mode": "forward"},
            {"x\u0307": -0.717356, "y\u0307": 0.696707, "z\u0307": 0.25},
        ),
        ({"on": "helix", "of": "x"}, {"∂x/∂t": -0.717356}),
    ],
)
def test_links_open_what_they_say(link: dict[str, str], numbers: dict[str, float]) -> None:
    page = open_page("graph", **link)
    assert not page.exception
    assert not page.warning
    found = shown(page)
    assert {name: found[name] for name in numbers} == pytest.approx(numbers, abs=5e-5)


def test_a_point_without_value_is_said() -> None:
    assert "is no number" in markdown(open_page("graph", on="typed", f="log(x)", at="-1"))


@pytest.mark.parametrize("on", [*EXAMPLES])
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_the_browser_finds_pythons_numbers_and_follows_the_inputs(
    on: str, mode: str, tmp_path: Path
) -> None:
    page = open_page("graph", on=on, mode=mode)
    (result,) = run_programs(specs_of(page), tmp_path)
    assert not result["error"]
    assert not result["doubts"]
    assert result["moved"] == ["at"]


def test_nothing_is_told_before_the_sweep_has_found_it() -> None:
    text = markdown(open_page("graph"))
    assert not any(number in text for number in ("1.26", "1.96", "0.707"))


def test_a_large_graph_is_summed_up() -> None:
    page = open_page("graph", on="typed", f="+".join(["sin(x)"] * 40))
    assert not page.exception
    assert any("40 × sin" in note.value for note in page.info)


def test_the_table_counts_passes() -> None:
    assert "<td>12</td>" in tables(open_page("graph", on="perceptron"))  # of forward mode
    table = tables(open_page("graph", on="helix"))
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in table.split("<tr>")[2:4]]
    assert [row[1] for row in rows] == ["1", "3"]


def test_locked_inputs_stand_still() -> None:
    page = open_page("graph", lock="at")
    data = next(d for d in component_data(page) if "answers" in d)
    assert all(node["locked"] for node in data["nodes"])
    sliders = next(d for d in component_data(page) if "groups" in d)["groups"][0]["items"]
    assert all(item["locked"] for item in sliders)


@pytest.mark.parametrize(
    ("name", "value"),
    [("f", "__import__('os')"), ("f", "(2"), ("at", "1,nan"), ("mode", "sideways"), ("on", "no")],
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
    expect(node).to_have_accessible_name("input x")
    expect(node).to_have_attribute("aria-valuetext", "x = 0.7854. ∂f/∂x 1.9696")
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
def test_a_neuron_is_seen_whole_in_a_frame(visit: Callable[..., Page]) -> None:
    page = visit("/graph?on=neuron&embed=true", width=800, height=500)
    expect(page.locator(".dg-node")).to_have_count(15)
    outside = page.evaluate(
        """() => [...document.querySelectorAll(".dg-node")].filter((node) => {
            const { left, right, top, bottom } = node.getBoundingClientRect()
            return left < 0 || top < 0 || right > innerWidth || bottom > innerHeight
        }).length"""
    )
    assert outside == 0


@pytest.mark.browser
def test_stepping_tells_the_chain_rule(visit: Callable[..., Page]) -> None:
    page = visit("/graph")
    drawing, say = page.locator(".dg-graph"), page.locator(".dg-say")
    expect(say).to_contain_text("1.9696")  # opens at the end of the backward pass
    drawing.focus()
    page.keyboard.press("Home")
    expect(page.locator('[data-node="f"] .dg-value')).to_have_text("")
    page.keyboard.press("ArrowRight")
    expect(say).to_have_text("a = x + y = 0.7854 + 1 = 1.7854")
    answers = page.locator(".dg-answers")
    expect(answers).to_have_text("f = …∂f/∂x = …∂f/∂y = …")
    page.locator('[data-node="b"]').click()
    expect(say).to_contain_text("∂f/∂b")
    page.keyboard.press("End")
    expect(answers).to_have_text("f = 1.2625∂f/∂x = 1.9696∂f/∂y = 0.70711")
    page.locator('[data-node="y"]').press("ArrowUp")
    page.wait_for_url("**at=0.785398%2C1.1")
