"""The page on maximum likelihood: one optimum, the chain of equalities, data that hands change."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.pages.programs import component_data, run_programs, specs_of
from tests.pages.running import drag, markdown, open_page


def test_chain_of_equalities() -> None:
    page = open_page("likelihood")
    assert not page.exception
    said = markdown(page)
    assert r"0.3^{7}\cdot 0.7^{3}" in said
    assert said.count("0.9498") == 3  # the mean negative log-likelihood is the cross-entropy
    assert "0.9498 &= 0.6109 + 0.3389" in said  # H(0.7) and KL
    assert "-1.9048" in said  # (0.3 − 0.7) / (0.3 · 0.7)
    assert len([e for e in page.expander if e.label[0].isdigit()]) == 7


@pytest.mark.parametrize("theta", ["0.123", "0.5", "0.777", "0.995"])
def test_the_identity_as_printed_adds_up(theta: str) -> None:
    said = markdown(open_page("likelihood", theta=theta, flips="110"))
    found = re.search(r"([\d.]+) &= ([\d.]+) \+ ([\d.]+)", said)
    assert found is not None
    total, *parts = map(float, found.groups())
    assert sum(parts) == pytest.approx(total, abs=1e-12)


def test_remark_follows_the_state() -> None:
    assert "Moving θ **up** towards 0.7" in markdown(open_page("likelihood"))
    assert "Moving θ **down**" in markdown(open_page("likelihood", theta="0.9"))
    assert "**flat here at once**" in markdown(open_page("likelihood", theta="0.7"))
    assert "Only heads so far" in markdown(open_page("likelihood", flips="111"))
    assert "Only tails so far" in markdown(open_page("likelihood", flips="0"))


def test_what_presets_claim() -> None:
    assert "Only heads so far: the optimum is at the very edge, θ = 1" in markdown(
        open_page("likelihood", flips="111")
    )
    many = markdown(open_page("likelihood", flips="1101101110" * 6))
    assert "towards 0.7" in many  # the optimum stays
    # One flip is one label: −log 0.3 = 1.2040, the binary cross-entropy of ŷ = 0.3 with y = 1.
    assert "1.204 &= 0 + 1.204" in markdown(open_page("likelihood", flips="1", theta="0.3"))


def test_normal_noise_costs_the_squared_error() -> None:
    page = open_page("likelihood", model="measurements", y="0,2", mu="0", sigma="1")
    assert not page.exception
    # MSE/2σ² = (0 + 4)/2/2 = 1 and ln √2π = 0.9189
    assert "1.9189 &= 1 + 0.9189" in markdown(page)
    assert "Moving μ **up** towards 1" in markdown(page)
    still = open_page("likelihood", model="measurements", y="0,2", mu="1", sigma="0.3")
    assert "is the mean of the measurements, 1" in markdown(still)


def test_several_labels_add_up() -> None:
    # torch: BCEWithLogitsLoss(reduction="none") of (2, −1, 0.5) with (1, 0, 1), and its sum
    assert "0.1269 + 0.3133 + 0.4741 = 0.9143" in markdown(open_page("likelihood"))


def moved(tmp_path: Path, **link: str) -> set[str]:
    """What the pictures of a page follow, once the browser's numbers are Python's."""
    results = run_programs(specs_of(open_page("likelihood", **link)), tmp_path)
    assert not any(result["doubts"] or result["error"] for result in results)
    return {name for result in results for name in result["moved"]}


def test_everything_that_a_hand_moves_moves_the_pictures(tmp_path: Path) -> None:
    assert moved(tmp_path) == {"flips", "n", "k", "theta", "slide"}
    assert moved(tmp_path, flips="111", slide="1") == {"flips", "n", "k", "theta", "slide"}
    assert moved(tmp_path, model="measurements") == {"y", "mu", "sigma", "slide"}


def test_locked_flips_have_locked_controls() -> None:
    data = component_data(open_page("likelihood", lock="flips"))
    model, flips = next(entry["groups"] for entry in data if "groups" in entry)
    assert all(action["locked"] for action in flips["actions"])
    assert all(item["locked"] for item in flips["items"])
    assert not any(item["locked"] for item in model["items"])


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
    drag(page, '[data-handle="KL"]', 60)
    page.wait_for_function("() => Number(new URLSearchParams(location.search).get('theta')) > 0.35")
    page.wait_for_function(
        """() => {
            const handles = [...document.querySelectorAll('[data-handle]')]
            const at = handles.map((handle) => Number(handle.getAttribute("aria-valuenow")))
            return at.length === 3 && at[0] > 0.35 && Math.max(...at) - Math.min(...at) < 2e-3
        }"""
    )


@pytest.mark.browser
def test_a_click_turns_a_flip_over(visit: Callable[..., Page]) -> None:
    page = visit("/likelihood")
    page.get_by_text("towards 0.7").wait_for()
    box = page.locator('[data-panel="flips"] .dl-plot').bounding_box()
    assert box is not None
    # The last of ten, a tail: the axis goes from −0.7 to 9.7 over all but 18 pixels.
    x = box["x"] + 8 + (9 + 0.7) / 10.4 * (box["width"] - 18)
    page.mouse.click(x, box["y"] + box["height"] / 2)
    page.get_by_text("towards 0.8").wait_for()
    page.wait_for_function(
        "() => new URLSearchParams(location.search).get('flips') === '1101101111'"
    )
