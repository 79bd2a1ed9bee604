"""The entropy page: the course's numbers, Huffman's code, sums that add up, a dragged coin."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.pages.programs import component_data, run_programs, specs_of
from tests.pages.running import drag, markdown, open_page, tables, unhued


@pytest.mark.parametrize(
    ("p", "unit", "h"),
    [
        ("0.5,0.5", "bits", "1"),
        ("0.99,0.01", "bits", "0.0808"),
        ("1,0", "bits", "0"),
        ("1,1,1,1,1,1,1,1", "bits", "3"),
        ("1,1", "nats", "0.6931"),
        ("1,1,1,1,1,1", "bits", "2.585"),
        ("4,2,1,1", "bits", "1.75"),
    ],
)
def test_numbers_of_the_course(p: str, unit: str, h: str) -> None:
    page = open_page("entropy", p=p, unit=unit)
    assert not page.exception
    named = unit if h != "1" else unit.removesuffix("s")
    assert rf"= {h}\ \text{{{named}}}" in markdown(page)


def test_the_entropy_of_a_density() -> None:
    """½ log₂ 2πe σ² = 2.0471 bits at σ = 1, −1.2748 bits at σ = 0.1."""
    page = open_page("entropy", part="a density")
    assert not page.exception
    said = markdown(page)
    assert r"= 2.0471\ \text{bits}" in said
    assert r"= 2.0471 + 1 = 3.0471\ \text{bits}" in said
    assert "halving them adds 1 bit, so H(Δ) grows **without end**" in said
    below = markdown(open_page("entropy", part="a density", spread="0.1", width="0.1"))
    assert r"= -1.2748\ \text{bits}" in below
    assert "is **negative**" in below
    assert "wider than the spread" in markdown(
        open_page("entropy", part="a density", width="2", unit="nats")
    )


@pytest.mark.parametrize("density", ["normal", "uniform", "exponential"])
def test_a_density_follows_the_hand_and_its_code_runs(density: str, tmp_path: Path) -> None:
    page = open_page("entropy", part="a density", density=density, spread="0.8", width="0.3")
    (result,) = run_programs(specs_of(page), tmp_path)
    assert (result["error"], result["doubts"]) == ("", [])
    assert set(result["moved"]) == {"spread", "width"}
    source = page.code[0].value
    names: dict[str, float] = {}
    exec(source, {}, names)  # the page's own text, as a reader runs it
    for name in ("H", "h"):
        said = re.search(rf"^{name} = .*# ([-\d.]+)", source, re.MULTILINE)
        assert said is not None
        assert names[name] == pytest.approx(float(said[1]), abs=2e-3)


@pytest.mark.parametrize("p", ["0.99,0.01", "1,1,1,1,1,1", "3,1,2,7,1", "5,3,2,1,1,1,1,2"])
@pytest.mark.parametrize("unit", ["bits", "nats", "bans"])
def test_what_is_printed_adds_up(p: str, unit: str) -> None:
    page = open_page("entropy", p=p, unit=unit)
    latex = unhued(page.latex[0].value)
    found = re.search(r"p_i = .*?&= (.*) = ([\d.]+)\\ \\text", latex.replace(r"&\quad", ""))
    assert found is not None
    terms, total = found.groups()
    numbers = [float(n) for n in re.findall(r"[\d.]+", terms)]
    assert f"{sum(numbers):.4f}" == f"{float(total):.4f}"


def test_remark_follows_the_state_and_the_unit() -> None:
    assert "**maximum**, log₂ 2 = 1 bit." in markdown(open_page("entropy"))
    assert "ln 2 = 0.6931 nats" in markdown(open_page("entropy", unit="nats"))
    assert "**certain**" in markdown(open_page("entropy", p="0,1"))
    assert "power of ½" in markdown(open_page("entropy", p="4,2,1,1"))
    assert "**tails** is the rarest and surprises most (3.32 bits)" in markdown(
        open_page("entropy", p="0.9,0.1")
    )
    assert "surprises most (2.30 nats)" in markdown(open_page("entropy", p="0.9,0.1", unit="nats"))
    assert "1 bit on average, 0.531 above H = 0.469 bits" in markdown(
        open_page("entropy", p="0.9,0.1")
    )


@pytest.mark.parametrize(
    ("p", "claims"),
    [
        ("0.99,0.01", ["surprises most (6.64 bits)", "counts only 0.01"]),
        ("1,0", ["0 bits"]),
        ("1,1,1,1,1,1", ["log₂ 6 = 2.585 bits", "2.6667 on average"]),
        ("4,2,1,1", ["**1.75 bits**"]),
        ("0.9,0.1", ["1 bit on average", "H = 0.469 bits"]),
    ],
)
def test_what_presets_claim(p: str, claims: list[str]) -> None:
    page = open_page("entropy", p=p)
    said = markdown(page) + tables(page)
    assert all(claim in said for claim in claims)


def test_the_table_is_in_the_chosen_unit_and_words_are_in_bits() -> None:
    table = tables(open_page("entropy", p="1,1,1,1,1,1", unit="nats"))
    assert "surprise −ln p, nats" in table
    assert ">1.7918<" in table
    assert ">2.6667 on average<" in table


def test_code_words() -> None:
    table = tables(open_page("entropy", p="4,2,1,1"))
    for word in ("0", "10", "110", "111"):
        assert f"<td>{word}</td>" in table
    assert "no bits" in tables(open_page("entropy", p="1,0"))


def moved(tmp_path: Path, **link: str) -> set[str]:
    """What the pictures of a page follow, once the browser's numbers are Python's."""
    results = run_programs(specs_of(open_page("entropy", **link)), tmp_path)
    assert not any(result["doubts"] or result["error"] for result in results)
    return {name for result in results for name in result["moved"]}


@pytest.mark.parametrize("p", ["1,2,3", "1,0", "0.5,0,0.3,0.2", "1,1,1,1,1,1,1,1"])
@pytest.mark.parametrize("unit", ["bits", "nats"])
def test_everything_that_a_hand_moves_moves_the_pictures(tmp_path: Path, p: str, unit: str) -> None:
    assert moved(tmp_path, p=p, unit=unit) == {"p", "k"}


def test_locked_probabilities_stand_still() -> None:
    data = component_data(open_page("entropy", lock="p"))
    (group,) = next(entry["groups"] for entry in data if "groups" in entry)
    assert all(action["locked"] for action in group["actions"])
    assert [item["locked"] for item in group["items"]] == [True, False]


@pytest.mark.parametrize(("name", "value"), [("p", "0.5,-0.5"), ("p", "1"), ("unit", "x")])
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("entropy", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_a_dragged_bar_takes_from_the_others_and_the_curve_follows_it(
    visit: Callable[..., Page],
) -> None:
    page = visit("/entropy?p=1,1,1,1")
    drag(page, '[data-panel="bars"] [data-handle="B"]', 0, -40)
    page.wait_for_function("() => new URLSearchParams(location.search).get('k') === '1'")
    page.get_by_text("as p(B) changes").wait_for()
    rows = page.locator("table.numbers tr")
    page.wait_for_function(
        "() => Number(document.querySelectorAll('table.numbers tr')[2].cells[1].innerText) > 0.3"
    )
    shares = [float(rows.nth(i).locator("td").nth(1).inner_text()) for i in range(1, 5)]
    assert shares[0] == shares[2] == shares[3] < 0.25
    assert sum(shares) == pytest.approx(1, abs=3e-4)
