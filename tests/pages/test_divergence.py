"""The page of cross-entropy and KL: identities and infinities on bars, and the fitted Gaussian."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.pages.programs import component_data, run_programs, specs_of
from tests.pages.running import drag, markdown, open_page, tables

FIT = "fit a Gaussian"


def test_one_hot_truth_reads_one_slot() -> None:
    page = open_page("divergence", p="0,1,0", q="0.2,0.7,0.1", unit="nats")
    assert not page.exception
    assert not page.caption or "sum to" not in page.caption[-1].value
    said = markdown(page)
    assert r"0.3567 &= 0 + 0.3567\ \text{nats}" in said
    assert "p is a **label**" in said
    assert "reads one slot of q alone, −ln 0.7 = 0.3567 nats" in said
    assert "**q** says" not in said
    assert "the binary formula" in said
    assert f"That would be {-math.log(0.7) - math.log(0.8) - math.log(0.9):.4f}," in said
    for trap in ("1.6094", "2.3026"):
        assert f">{trap}<" in tables(page)


@pytest.mark.parametrize(
    ("q", "loss"), [("0.125,0.775,0.1", "0.3677"), ("0.044,0.936,0.02", "0.0954")]
)
def test_losses_of_the_course_in_bits(q: str, loss: str) -> None:
    assert f"= {loss} bits" in markdown(open_page("divergence", p="0,1,0", q=q))


@pytest.mark.parametrize("unit", ["bits", "nats", "bans"])
def test_the_identity_as_printed_adds_up(unit: str) -> None:
    for p, q in (("0.6,0.3,0.1", "0.2,0.3,0.5"), ("1,2,3,4", "3,1,1,2")):
        latex = open_page("divergence", p=p, q=q, unit=unit).latex[0].value
        found = re.search(r"([\d.]+) &= ([\d.]+) \+ ([\d.]+)", latex)
        assert found is not None
        total, *parts = map(float, found.groups())
        assert sum(parts) == pytest.approx(total, abs=1e-12)


def test_the_line_says_what_the_formula_says() -> None:
    """2.0142 = 1.2955 + 0.7188 does not add up as printed; three digits do."""
    page = open_page("divergence")
    assert r"2.014 &= 1.295 + 0.719\ \text{bits}" in page.latex[0].value
    (line,) = next(d["lines"] for d in component_data(page) if "panels" in d)
    assert line["$text"].count(["8"]) == 3


def test_columns_of_the_table_add_up_to_their_sums() -> None:
    rows = re.findall(r"<tr>(.*?)</tr>", tables(open_page("divergence")))
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in rows[1:]]
    for column in (4, 5, 6):
        *parts, total = (float(row[column].replace("−", "-")) for row in cells)
        digits = len(cells[-1][column].partition(".")[2])
        assert f"{sum(parts):.{digits}f}" == f"{total:.{digits}f}"


def test_remark_follows_the_state() -> None:
    assert "**not symmetric**" in markdown(open_page("divergence"))
    assert "both divergences are **0**" in markdown(open_page("divergence", p="1,1", q="2,2"))
    assert "Only the reverse, KL(q‖p), is **infinite**" in markdown(
        open_page("divergence", p="0.5,0.5,0", q="0.4,0.4,0.2")
    )


def test_weights_are_said_to_be_rescaled() -> None:
    page = open_page("divergence", p="0,1,0", q="0.21,0.7,0.1")
    assert any("q sum to 1.01" in caption.value for caption in page.caption)


def moved(tmp_path: Path, **link: str) -> set[str]:
    """What the pictures of a page follow, once the browser's numbers are Python's."""
    results = run_programs(specs_of(open_page("divergence", **link)), tmp_path)
    assert not any(result["doubts"] or result["error"] for result in results)
    return {name for result in results for name in result["moved"]}


def test_everything_that_a_hand_moves_moves_the_pictures(tmp_path: Path) -> None:
    assert moved(tmp_path, compare="1") == {"p", "q"}
    assert moved(tmp_path, p="0.5,0.3,0.2", q="0.6,0.4,0") == {"p", "q"}
    humps = {"separation", "spread", "weight"}
    assert moved(tmp_path, part=FIT) == {"start", "lr", "steps", *humps}


def test_infinite_divergence_is_said_in_words() -> None:
    page = open_page("divergence", p="0.5,0.3,0.2", q="0.6,0.4,0")
    said = markdown(page)
    assert "KL(p‖q) is **infinite**" in said
    assert r"\infty" in said
    assert "nan" not in (said + tables(page)).lower()
    assert "in both directions" not in said  # the other way round it is finite
    assert "in both directions" in markdown(open_page("divergence", p="1,0", q="0,1"))
    assert "∞" in tables(page)


def test_unlike_lengths_are_fitted_with_a_notice() -> None:
    page = open_page("divergence", p="1,1,1", q="1,1")
    assert not page.exception
    assert any("**q**" in warning.value for warning in page.warning)


@pytest.mark.parametrize(
    ("name", "value"), [("p", "1,-1"), ("q", "x"), ("part", "?"), ("spread", "0"), ("start", "1")]
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("divergence", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({}, ["Forward KL ends at μ = 0.01", "Reverse KL ends at μ = 1.98, inside one hump"]),
        ({"start": "-1,-0.5"}, ["Reverse KL ends at μ = −1.98, inside one hump"]),
        ({"start": "0.3,0.6"}, ["between the humps"]),
        ({"opt": "sgd", "lr": "1", "start": "3,-1.3"}, ["left all bounds at step"]),
        ({"separation": "0"}, ["both directions agree"]),
    ],
)
def test_fitted_gaussian(link: dict[str, str], said: list[str]) -> None:
    page = open_page("divergence", part=FIT, **link)
    assert not page.exception
    for words in said:
        assert words in markdown(page)


@pytest.mark.browser
def test_dragging_a_bar_to_zero_makes_the_divergence_infinite(visit: Callable[..., Page]) -> None:
    page = visit("/divergence")
    drag(page, '[data-handle="q(A)"]', 0, 300)
    page.wait_for_function("() => new URLSearchParams(location.search).has('q')")
    page.get_by_text("is infinite", exact=False).first.wait_for()
    assert "∞" in page.locator("table.numbers").inner_text()


@pytest.mark.browser
def test_dragging_the_start_across_the_middle_finds_the_other_hump(
    visit: Callable[..., Page],
) -> None:
    page = visit("/divergence?part=fit+a+Gaussian")
    page.get_by_text("Reverse KL ends at μ = 1.98").wait_for()
    drag(page, '[data-panel="reverse"] [data-handle="start"]', -60, 0)
    page.wait_for_function("() => new URLSearchParams(location.search).has('start')")
    page.get_by_text("Reverse KL ends at μ = −1.98").wait_for()
