"""The page on maximum likelihood: one optimum, the chain of equalities, flips turned over."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser import rerun
from tests.pages.running import drag, markdown, open_page


def test_chain_of_equalities() -> None:
    page = open_page("likelihood")
    assert not page.exception
    said = markdown(page)
    assert r"0.3^{7}\cdot 0.7^{3}" in said
    assert said.count("0.9498") == 3  # the mean negative log-likelihood is the cross-entropy
    assert "0.6109" in said  # H(0.7)
    assert "0.3389" in said  # KL
    assert len(page.expander) == 7


def test_remark_follows_the_state() -> None:
    assert "Moving θ **up** towards 0.7" in markdown(open_page("likelihood"))
    assert "Moving θ **down**" in markdown(open_page("likelihood", theta="0.9"))
    assert "**flat here at once**" in markdown(open_page("likelihood", theta="0.7"))
    assert "Only heads so far" in markdown(open_page("likelihood", flips="111"))
    assert "Only tails so far" in markdown(open_page("likelihood", flips="0"))


@pytest.mark.parametrize(
    ("name", "value"), [("flips", "HTH"), ("flips", "1" * 61), ("theta", "1"), ("theta", "x")]
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("likelihood", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_dragging_theta_on_one_curve_moves_all(visit: Callable[..., Page]) -> None:
    page = visit("/likelihood")
    drag(page, '[data-panel="kl"] [data-handle="theta"]', 60)
    page.wait_for_function("() => Number(new URLSearchParams(location.search).get('theta')) > 0.35")
    page.wait_for_function(
        """() => {
            const handles = [...document.querySelectorAll('[data-handle="theta"]')]
            const at = handles.map((handle) => Number(handle.getAttribute("aria-valuenow")))
            return at.length === 4 && at[0] > 0.35 && Math.max(...at) - Math.min(...at) < 1e-3
        }"""
    )


@pytest.mark.browser
def test_a_click_turns_a_flip_over(visit: Callable[..., Page]) -> None:
    page = visit("/likelihood")
    page.get_by_text("towards 0.7").wait_for()
    plot = page.locator('[data-panel="flips"] .dl-plot')
    disc = plot.locator("text=T").first
    disc.wait_for()
    box = disc.bounding_box()
    assert box is not None
    with rerun(page):
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_text("towards 0.8").wait_for()
