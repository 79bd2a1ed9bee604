"""Bias correction: the course's factors on the page, streams, links that cannot be read, a drag."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from engine.studies import bias_correction as averages
from tests.browser import rerun
from tests.pages.programs import run_programs, specs_of
from tests.pages.running import markdown, open_page, tables


def test_the_factors_of_the_course() -> None:
    page = open_page("bias_correction")
    table = tables(page)
    for factor in ("×10<", "×1.535<", "×1000<"):
        assert f">{factor}" in table
    assert "×1.535" in markdown(page)
    assert "The first is 3.16 learning rates long" in markdown(page)


def test_the_formula_carries_the_cursors_numbers() -> None:
    said = markdown(open_page("bias_correction", t="10", noise="0"))
    assert r"\frac{0.651322}{1 - 0.9^{10}} = 0.6513 \times \mathbf{1.535} = 1" in said


@pytest.mark.parametrize("stream", ["constant", "drifting", "alternating", "sparse", "race"])
def test_every_stream_is_shown(stream: str) -> None:
    page = open_page("bias_correction", stream=stream, t="4")
    assert not page.exception
    assert "After 4 gradients" in markdown(page)


def test_the_gradients_of_a_race_that_diverges() -> None:
    page = open_page("bias_correction", stream="race", runs="sgd:lr=0.05", steps="60", t="60")
    assert not page.exception


@pytest.mark.parametrize(
    ("name", "value"), [("beta1", "1"), ("beta2", "-0.1"), ("stream", "pink"), ("t", "1.5")]
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("bias_correction", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


# Presets and corrections keep their word ----------------------------------------------------------


def found_on(kind: str, noise: float, steps: int = 60, **betas: float) -> averages.Averages:
    given = averages.sample(kind, steps, level=1.0, noise=noise, seed=0)
    return averages.averages(given.gradients, *(betas or {"beta1": 0.9, "beta2": 0.999}).values())


def test_a_constant_gradient_is_right_at_once_and_a_velocity_ten_times_it() -> None:
    found = found_on("constant", 0.0, 200)
    np.testing.assert_allclose(found.m_hat[1:], 1.0, rtol=1e-12)
    np.testing.assert_allclose(found.m[1:], 1 - 0.9 ** np.arange(1, 201), rtol=1e-12)
    assert found.velocity[-1] == pytest.approx(10.0, rel=1e-8)


def test_the_average_quarters_the_noise_but_not_at_first() -> None:
    """√((1 − β)/(1 + β)) = 0.229 of the noise is left; the first m̂ is the first gradient."""
    drawn = [averages.sample("constant", 80, level=1.0, noise=1.5, seed=s) for s in range(300)]
    hats = np.stack([averages.averages(d.gradients, 0.9, 0.999).m_hat for d in drawn])
    assert hats[:, -1].std() / 1.5 == pytest.approx(0.229, rel=0.1)
    assert hats[:, 1].std() / 1.5 == pytest.approx(1.0, rel=0.1)


def test_a_drift_is_followed_nine_steps_behind() -> None:
    found = found_on("drifting", 0.0, 200)
    slope = -2.0 / 199
    truth = 1.0 + slope * np.arange(200)
    assert (found.m[200] - truth[199]) / slope == pytest.approx(-9.0, rel=1e-3)


def test_alternating_signs_make_small_steps_of_signal_to_noise() -> None:
    found = found_on("alternating", 0.0, 300)
    late = np.abs(found.steps[-20:])
    assert late.max() < 0.4
    assert late.mean() == pytest.approx(0.5 / np.sqrt(4.25), rel=0.05)


def test_a_long_memory_without_correction_steps_ten_rates() -> None:
    found = found_on("constant", 0.0, beta1=0.9, beta2=0.9999)
    assert abs(found.steps_raw[1]) == pytest.approx(10.0, rel=1e-4)


def test_what_is_heard_in_class_is_checked_with_the_pages_numbers() -> None:
    said = markdown(open_page("bias_correction", noise="0", steps="200"))
    assert "1 − 1 = 0" in said, "a constant gradient has no variance, though v is 1"
    assert "it stands at 10 after 200 steps" in said
    assert "β/(1 − β) = 9 steps" in said


@pytest.mark.parametrize("stream", ["constant", "drifting", "alternating", "sparse", "race"])
def test_the_picture_follows_every_number(
    stream: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.wire._REMEMBERED", 0)
    page = open_page("bias_correction", stream=stream, runs="adam:lr=0.3")
    (spec,) = specs_of(page)
    (result,) = run_programs([spec], tmp_path)
    assert not result["error"]
    assert not result["doubts"]
    own = {"0/lr", "0/beta1", "start"} if stream == "race" else {"level"}
    assert own | {"beta1", "beta2", "noise", "steps"} <= set(result["moved"])


@pytest.mark.browser
def test_moving_beta_changes_the_factors(visit: Callable[..., Page]) -> None:
    page = visit("/bias_correction?noise=0")
    table = page.locator("table.numbers")
    expect(table).to_contain_text("×1.535")
    slider = page.locator('[data-name="beta1"] .dc-range')
    with rerun(page):
        slider.focus()
        slider.press("Home")
    expect(table).to_contain_text("β₁ = 0")
    expect(table).not_to_contain_text("×1.535")
    page.wait_for_url("**/bias_correction?*beta1=0*")
