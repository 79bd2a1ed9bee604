"""The engine's page: fifteen lines at work, a network that learns in slices, branches, lineage."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import rerun
from tests.pages.programs import component_data, run_programs, specs_of
from tests.pages.running import markdown, open_page, tables


def sweep(**link: str) -> dict[str, Any]:
    """What the drawing was given."""
    page = open_page("engine_room", **link)
    assert not page.exception
    return next(d for d in component_data(page) if "answers" in d)


def test_it_opens_on_fifteen_lines_and_the_numbers_of_the_course() -> None:
    data = sweep()
    assert len(data["code"]["lines"]) == 15
    assert data["autoplay"]
    samples = {a["name"]: a["text"] for a in data["answers"]}
    found = [data["program"]["samples"][samples[n]["args"][0]["$live"]][0] for n in ("f", "∂f/∂x")]
    assert found == pytest.approx([1.2625, 1.9696], abs=5e-5)
    # One step for what is given, three forwards, five back, each of several lines.
    assert sorted(set(data["code"]["steps"])) == list(range(9))
    assert len(data["code"]["running"]) == len(data["code"]["steps"]) == 35


def test_the_real_tape_steps_line_by_line() -> None:
    code = sweep(source="tape")["code"]
    assert code["lines"][0].startswith("def apply(operation: Operation")
    assert sorted(set(code["steps"])) == list(range(9))
    assert len(code["running"]) > 200
    assert sweep(source="tape", step="2500")["start"] == len(code["running"]) - 1


def test_both_engines_give_the_same_gradient() -> None:
    shown = tables(open_page("engine_room", f="w*x + exp(x)", a0="0.5", a1="2"))
    assert shown.count("<td>0</td>") == 2


def test_what_python_cannot_divide_is_said() -> None:
    page = open_page("engine_room", f="1/x", a0="0")
    assert not page.exception
    assert "division by zero" in markdown(page)


def test_a_step_of_the_link_is_where_it_starts() -> None:
    data = sweep(step="6")
    assert (data["start"], data["autoplay"]) == (6, False)


@pytest.mark.parametrize("link", [{}, {"part": "static or dynamic"}])
def test_the_browser_finds_pythons_numbers(link: dict[str, str], tmp_path: Path) -> None:
    page = open_page("engine_room", **link)
    (result,) = run_programs(specs_of(page), tmp_path)
    assert not result["error"]
    assert not result["doubts"]
    assert result["moved"] == (["branch"] if link else ["a0", "a1"])


def test_learning_comes_to_the_step_of_the_link_in_slices() -> None:
    page = open_page("engine_room", part="learning", trained="300")
    for _ in range(60):
        if "Step 300:" in markdown(page):
            break
        assert "under way" in markdown(page)
        page.run()
    assert not page.exception
    assert "Step 300:" in markdown(page)


def test_the_worst_lesson_of_a_link_holds_nobody_up() -> None:
    open_page("engine_room", part="learning")
    begun = time.process_time()
    page = open_page("engine_room", part="learning", trained="3000", width="64", rule="sophia")
    assert not page.exception
    assert time.process_time() - begun < 3.0  # of the processor, where it took 27 s to the end


def test_divergence_is_said() -> None:
    page = open_page(
        "engine_room", part="learning", trained="60", rule="sgd", lr="10", activation="relu",
        width="64", seed="3",
    )  # fmt: skip
    assert not page.exception


@pytest.mark.parametrize(("at", "side"), [("1.5", "log(1 + x)"), ("-1.5", "−x²")])
def test_branches(at: str, side: str) -> None:
    page = open_page("engine_room", part="static or dynamic", branch=at)
    assert f"branch takes {side}" in markdown(page)


def test_lineage() -> None:
    shown = tables(open_page("engine_room", part="lineage"))
    for year in ("1970", "1982", "1986", "2010", "2015", "2017", "2018"):
        assert f"<b>{year}</b>" in shown
    assert "href='graph?mode=forward'" in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [("f", "x.__class__"), ("f", "a*b*c*d*g"), ("f", "max(x, y)"), ("width", "1"),
     ("rule", "newton"), ("part", "x"), ("trained", "1e9")],
)  # fmt: skip
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("engine_room", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


def test_a_locked_page_does_not_learn() -> None:
    page = open_page("engine_room", part="learning", lock="all")
    assert all(button.disabled for button in page.button)


@pytest.mark.browser
def test_the_running_line_is_lit_and_the_tape_fills(visit: Callable[..., Page]) -> None:
    page = visit("/engine_room?step=7")
    beads = page.locator(".dg-beads .dg-filled")
    expect(beads).to_have_count(4)  # x, y, and two operations
    expect(page.locator(".dg-lit").first).to_contain_text("return Number(a.tape, math.sin(a.data)")
    page.locator(".dg-graph").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".dg-lit")).to_contain_text("self.grad = tape, data, made, 0.0")
    page.wait_for_url("**step=8")


@pytest.mark.browser
def test_start_and_pause(visit: Callable[..., Page]) -> None:
    page = visit("/engine_room?part=learning")
    page.get_by_role("button", name="Start").click()
    page.get_by_text(re.compile(r"Step [1-9]\d\d")).wait_for()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Start").wait_for()
    page.wait_for_function("() => location.search.includes('trained=')")
    before = int(re.findall(r"trained=(\d+)", page.url)[0])
    with rerun(page):
        page.get_by_role("button", name="Step").click()
    page.get_by_text(f"Step {before + 1}:").wait_for()
