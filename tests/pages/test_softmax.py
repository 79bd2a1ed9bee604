"""The softmax page: the course's numbers on it, presets that hold, pasted scores, a dragged one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.pages.programs import component_data, run_programs, specs_of
from tests.pages.running import drag, markdown, open_page, tables


@pytest.mark.parametrize(
    ("link", "numbers"),
    [
        ({}, ["0.6590", "0.2424", "0.0986"]),
        ({"z": "20,10,1"}, ["1.0000", "0.0000"]),
        ({"z": "3.2,5.1,-1.7", "names": "cat,car,frog"},
         ["24.53", "164", "0.1827", "2.0404", "0.1404", "0.0610"]),
        ({"z": "0,0,0,0,0,0,0,0,0,0"}, ["2.3026", "3.3219", "1.0000"]),
        ({"z": "1000,-1000,0"},
         ["1.97 × 10<sup>434</sup>", "5.08 × 10<sup>−435</sup>", "1.0000", "2000.0000"]),
        ({"T": "0.01"}, ["1.0000"]),
        ({"T": "100"}, ["0.3366", "0.3332", "0.3302"]),
    ],
)  # fmt: skip
def test_numbers_of_the_course(link: dict[str, str], numbers: list[str]) -> None:
    page = open_page("softmax", **link)
    table = tables(page)
    for number in numbers:
        assert f">{number}<" in table
    assert "inf" not in table
    assert not page.exception
    assert not page.warning


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({}, "leads with 0.659"),
        ({"z": "20,10,1"}, "close to a hard maximum"),
        ({"z": "3.2,5.1,-1.7", "names": "cat,car,frog"}, "car has the highest logit"),
        ({"z": ",".join("0" * 10), "true": "3"}, "log 10 = 2.303"),
        ({"z": "1000,-1000,999"}, "leads with 0.731"),
        ({"T": "90"}, "almost uniform"),
    ],
)
def test_remark_follows_the_state(link: dict[str, str], said: str) -> None:
    assert said in markdown(open_page("softmax", **link))


def moved(tmp_path: Path, **link: str) -> set[str]:
    """What the pictures of a page follow, once the browser's numbers are Python's."""
    results = run_programs(specs_of(open_page("softmax", **link)), tmp_path)
    assert not any(result["doubts"] or result["error"] for result in results)
    return {name for result in results for name in result["moved"]}


@pytest.mark.parametrize("z", ["2,1,0.1", "1000,-1000,999", "0,0,0,0,0,0,0,0,0,0"])
def test_everything_that_a_hand_moves_moves_the_pictures(tmp_path: Path, z: str) -> None:
    assert moved(tmp_path, z=z) == {"z", "T"}


def test_a_unit_holds_for_formula_and_line() -> None:
    page = open_page("softmax", unit="bits")
    assert r"-\log_2\,\hat y_k = 0.602\ \text{bits}" in markdown(page)
    assert r"\text{(in nats)}" in markdown(page)  # the gradient is that of the loss in nats


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ("tensor([2.5, -1.0, 0.3], device='cuda:0')", (2.5, -1.0, 0.3)),
        ("[ 1e2  2 ]", (100.0, 2.0)),
        ("3; 4; −5", (3.0, 4.0, -5.0)),
    ],
)
def test_pasted_scores(text: str, scores: tuple[float, ...]) -> None:
    page = open_page("softmax")
    page.text_input[0].set_value(text).run()
    assert not page.error
    assert page.query_params["z"] == ",".join(f"{z:g}" for z in scores)


@pytest.mark.parametrize("text", ["1", "one, two", "1,2e9", "nan, 1", "1 " * 11])
def test_what_cannot_be_pasted_is_said(text: str) -> None:
    page = open_page("softmax")
    page.text_input[0].set_value(text).run()
    assert page.error
    assert "z" not in page.query_params


def test_locked_scores_have_locked_buttons() -> None:
    data = component_data(open_page("softmax", lock="z"))
    groups = next(entry["groups"] for entry in data if "groups" in entry)
    assert all(a["locked"] for group in groups for a in group["actions"])
    assert not any(i["locked"] for group in groups for i in group["items"])


def test_the_axis_fits_the_scores() -> None:
    def bounds(**link: str) -> list[float]:
        data = component_data(open_page("softmax", **link))
        (panels,) = (
            entry["panels"] for entry in data if "panels" in entry and "flow" in str(entry)
        )
        found: list[float] = panels[0]["figure"]["layout"]["xaxis"]["range"]
        return found

    assert bounds() == pytest.approx([-0.9, 3])
    assert bounds(z="1000,-1000") == [-1300, 1300]


@pytest.mark.parametrize(
    ("name", "value"),
    [("z", "2,nan"), ("z", "1"), ("T", "0"), ("names", "<b>"), ("unit", "apples"), ("true", "-1")],
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("softmax", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_dragging_a_score_changes_the_probabilities(visit: Callable[..., Page]) -> None:
    page = visit("/softmax")
    row = page.locator("table.numbers tr").nth(2)
    assert row.locator("td").nth(3).inner_text() == "0.2424"
    drag(page, '[data-handle="B"]', 40)
    page.wait_for_function("() => new URLSearchParams(location.search).has('z')")
    page.wait_for_function(
        "() => Number(document.querySelectorAll('table.numbers tr')[2].cells[3].innerText) > 0.3"
    )
