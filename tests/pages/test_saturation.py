"""The page that sets cross-entropy against MSE."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from engine.studies.saturation import LOSSES, slopes
from tests.pages.running import drag, markdown, open_page, tables


def test_worked_numbers() -> None:
    page = open_page("saturation")
    assert not page.exception
    for number in ("3.9120", "0.9604", "−0.9800", "−0.0384"):
        assert f">{number}<" in tables(page)
    assert "**25.5 times**" in markdown(page)
    assert "recovers in 50 epochs; with MSE it recovers in 224 epochs" in markdown(page)
    assert r"2\cdot(-0.9800)\cdot 0.0196 = -0.0384" in markdown(page)


def test_half_the_convention_is_half_the_gradient() -> None:
    assert ">−0.0192<" in tables(open_page("saturation", half="1"))


def test_input_multiplies_the_gradient_of_the_weight() -> None:
    assert ">−1.9600<" in tables(open_page("saturation", x="2"))


def test_remark_follows_the_state() -> None:
    assert "right and sure" in markdown(open_page("saturation", z="5"))
    assert "σ′(z) = 0.0595 is 24\u202f% of its largest value ¼" in markdown(
        open_page("saturation", z="2.69")
    )
    assert "does not recover within 300 epochs" in markdown(open_page("saturation", z="-7"))


# The claims of the presets ------------------------------------------------------------------------


def epochs(**link: str) -> list[str]:
    """Epochs until each loss has recovered, as the table says."""
    return re.findall(r">([^<>]+)</td></tr>", tables(open_page("saturation", **link)))


def test_undecided_is_where_the_two_are_closest() -> None:
    assert epochs(z="0") == ["34", "118"]
    ratios = [
        float(slopes("cross_entropy", z, 1.0).gradient / slopes("mse", z, 1.0).gradient)
        for z in (-8, -4, -1, 0.0, 1, 4, 8)
    ]
    assert min(ratios) == ratios[3] == pytest.approx(2)


def test_a_thousand_epochs_of_mse_do_not_help_the_hopelessly_wrong() -> None:
    assert epochs(z="-7", epochs="1000") == ["60", "not yet"]
    assert float(slopes("mse", -7.0, 1.0).prediction) < 0.001


def test_adam_makes_the_choice_of_loss_matter_less() -> None:
    assert epochs(opt="adam", lr="0.1", epochs="100") == ["37", "31"]


def test_the_mirror_image_pulls_the_other_way() -> None:
    here = [slopes(name, 3.8918, 0.0).gradient for name in LOSSES]
    there = [slopes(name, -3.8918, 1.0).gradient for name in LOSSES]
    assert here == pytest.approx([-g for g in there])
    assert ">+0.9800<" in tables(open_page("saturation", y="0", z="3.8918"))


# The link -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"), [("z", "9"), ("y", "2"), ("opt", "magic"), ("lr", "-1")]
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("saturation", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_dragging_the_logit_changes_the_gradients(visit: Callable[..., Page]) -> None:
    page = visit("/saturation")
    cells = page.locator("table.numbers tr").nth(2).locator("td")
    assert cells.nth(2).inner_text() == "−0.0384"
    drag(page, '[data-panel="gradient"] [data-handle="logit"]', 40)
    page.wait_for_function("() => new URLSearchParams(location.search).has('z')")
    assert float(cells.nth(2).inner_text().replace("−", "-")) < -0.1
