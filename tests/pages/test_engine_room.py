"""The engine's page: the tape by steps, a network that learns under the reader's hand, branches."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser import rerun
from tests.pages.running import markdown, open_page, tables


def test_forward_sweep_writes_an_entry_a_step() -> None:
    for step in range(1, 6):
        page = open_page("engine_room", step=str(step))
        assert not page.exception
        assert tables(page).count("<tr><td>") == step
    assert "1.26247" in tables(page)


def test_backward_sweep_ends_at_the_gradient() -> None:
    page = open_page("engine_room", step="10")
    assert "<b>1.96957</b>" in tables(page)
    assert "∂f/∂x = **1.9696**" in markdown(page)
    assert "def backward" in page.code[0].value


def test_source_shown_is_the_engines_own() -> None:
    page = open_page("engine_room", step="3")
    assert page.code[0].value.startswith("def apply(operation: Operation")


def test_learning_stands_at_the_epoch_of_the_link() -> None:
    page = open_page("engine_room", part="learning", epoch="120")
    assert not page.exception
    assert "Epoch 120" in markdown(page)


def test_divergence_is_said() -> None:
    page = open_page(
        "engine_room", part="learning", epoch="60", rule="sgd", lr="10", activation="softplus",
        width="64",
    )  # fmt: skip
    assert not page.exception


@pytest.mark.parametrize(("at", "side"), [("1.5", "log(1 + x)"), ("-1.5", "−x²")])
def test_branches(at: str, side: str) -> None:
    page = open_page("engine_room", part="static or dynamic", branch=at)
    assert side in markdown(page)


def test_lineage() -> None:
    shown = tables(open_page("engine_room", part="lineage"))
    for year in ("1970", "1982", "1986", "2010", "2015", "2017", "2018"):
        assert f"<b>{year}</b>" in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [("f", "x.__class__"), ("f", "a*b*c*d*g"), ("width", "1"), ("rule", "newton"), ("part", "x")],
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("engine_room", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_start_and_pause(visit: Callable[..., Page]) -> None:
    page = visit("/engine_room?part=learning")
    page.get_by_role("button", name="Start").click()
    page.get_by_text(re.compile(r"Epoch [1-9]\d\d")).wait_for()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Start").wait_for()
    page.wait_for_function("location.search.includes('epoch=')")
    before = int(re.findall(r"epoch=(\d+)", page.url)[0])
    with rerun(page):
        page.get_by_role("button", name="Step").click()
    page.get_by_text(f"Epoch {before + 1}:").wait_for()
