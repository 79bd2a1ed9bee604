"""The loss gallery: each part shows the course's numbers and follows the reader's hand."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from engine.studies.imbalance import Batch, easy_share, focal_curve
from engine.studies.loss_curves import over_error, over_logit, over_probability
from engine.studies.margins import descend_margin
from pages.gallery import binary, focal, margins, squared
from tests.pages.running import drag, markdown, open_page, tables

PARTS = ("squared error", "cross-entropy", "margin losses", "focal loss")


def test_the_parts_are_the_menu() -> None:
    assert tuple(m.NAME for m in (squared, binary, margins, focal)) == PARTS


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ({"part": PARTS[0]}, ["(4)^2 = 16", "(2)^2 = 4", "**4 to 1**", r"8, \quad 4"]),
        ({"part": PARTS[0], "half": "1"}, [r"\tfrac12(4)^2 = 8", r"4, \quad 2"]),
        ({"part": PARTS[0], "b": "0"}, ["here squared error rests"]),
        ({"part": PARTS[1], "p": "0.01"}, ["4.6052", "grows without bound", "of slope 1:"]),
        ({"part": PARTS[1], "p": "0.01", "unit": "bits"}, ["of slope 1.44:"]),
        ({"part": PARTS[1], "p": "0.99"}, ["0.0101"]),
        ({"part": PARTS[1], "p": "0.775", "unit": "bits"}, ["0.3677"]),
        ({"part": PARTS[1], "p": "0.936", "unit": "bits"}, ["0.0954"]),
        ({"part": PARTS[2]}, ["Zero-one loss still stands at m = −2", "hinge, logistic, squared"]),
        ({"part": PARTS[2], "m": "0.5"}, ["zero-one loss is content"]),
        ({"part": PARTS[3]}, ["**0.01 times**", "0.1054", "0.001054"]),
        ({"part": PARTS[3], "gamma": "0"}, ["focal loss **is** cross-entropy", "86.2\u202f%"]),
        ({"part": PARTS[3], "weigh": "1"}, [r"\alpha_t"]),
    ],
)
def test_numbers_and_remarks(link: dict[str, str], words: list[str]) -> None:
    page = open_page("losses", **link)
    assert not page.exception
    assert not page.warning
    for word in words:
        assert word in markdown(page)


def test_one_number_found_four_ways() -> None:
    table = tables(open_page("losses", part=PARTS[1], p="0.25", y="0"))
    assert table.count(">0.287682<") == 4


def test_no_descent_on_zero_one_and_none_past_the_limit() -> None:
    table = tables(open_page("losses", part=PARTS[2], lr="1.05", steps="300"))
    assert "<td>zero-one</td><td>1.0000</td><td>+0.0000</td><td>−2.0000</td>" in table
    assert "diverged" in table
    assert "nan" not in table.lower()


def test_zero_one_has_no_gradient_at_its_jump() -> None:
    table = tables(open_page("losses", part=PARTS[2], m="0"))
    assert "<td>zero-one</td><td>1.0000</td><td>undefined</td>" in table


@pytest.mark.parametrize("module", [squared, binary, margins, focal], ids=PARTS)
def test_the_copied_code_runs_and_gives_the_numbers(module: object) -> None:
    page = open_page("losses", part=module.PART.name)  # type: ignore[attr-defined]
    code = next(block.value for block in page.code if "import numpy" in block.value)
    space: dict[str, object] = {}
    exec(code, space)  # our own text
    expected = {
        squared.NAME: ("cost", over_error([4.0, 2.0]).loss),
        binary.NAME: ("by_z", over_logit(binary.logit(0.2), 1).gradient),
        focal.NAME: ("pull", -focal_curve(0.9, 2.0).gradient),
    }
    if module.PART.name in expected:  # type: ignore[attr-defined]
        name, value = expected[module.PART.name]  # type: ignore[attr-defined]
        assert space[name] == pytest.approx(value)


# The claims of the presets ------------------------------------------------------------------------


def test_sure_and_wrong_and_sure_and_right() -> None:
    assert float(over_probability(0.01, 1).loss) == pytest.approx(4.605, abs=5e-4)
    assert float(over_probability(0.99, 1).loss) == pytest.approx(0.01005, abs=5e-6)


def test_only_squared_loss_lands_farther_out_at_every_step() -> None:
    runs = {n: descend_margin(n, -2.0, 12, 1.05).curve for n in ("squared", "hinge", "logistic")}
    away = abs(runs["squared"].margin - 1.0)
    assert (away[1:] > away[:-1]).all()
    assert all(runs[n].margin[-1] > 1 and abs(runs[n].gradient).max() <= 1 for n in list(runs)[1:])


def test_the_detector_of_the_paper() -> None:
    batch = Batch(easy=100_000, hard=10, easy_p=0.99, hard_p=0.2)
    assert f"{easy_share(batch, 0.0):.1%}" == "99.2%"
    assert f"{easy_share(batch, 2.0):.1%}" == "3.1%"


def test_every_preset_is_lit_at_its_own_state() -> None:
    for module in (squared, binary, margins, focal):
        for preset in module.PART.presets:
            page = open_page("losses", **preset.link)
            assert not page.exception
            assert not page.warning
            assert any(preset.reason == caption.value for caption in page.caption), preset.name


# The link and the hand ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"), [("part", "all"), ("gamma", "6"), ("easy", "1.5"), ("p", "0"), ("y", "3")]
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("losses", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_dragging_a_point_changes_what_is_said(visit: Callable[..., Page]) -> None:
    page = visit("/losses?part=cross-entropy")
    page.locator('[data-panel="logit"] [data-handle="logit of class 1"]').wait_for()
    before = page.locator(".stMain").inner_text()
    drag(page, '[data-panel="logit"] [data-handle="logit of class 1"]', 40)
    page.wait_for_function("() => new URLSearchParams(location.search).has('p')")
    assert page.locator(".stMain").inner_text() != before
    assert re.search(r"p=0\.\d+", page.url)
