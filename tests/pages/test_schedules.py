"""Schedules: what each does to a noisy run, its formula, links that cannot be read, its handles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import engine
from engine.optimizers.schedules import SCHEDULES
from engine.studies import momentum_forms
from engine.studies.tuning import settled_gap
from tests.browser import rerun
from tests.pages.programs import run_programs, specs_of
from tests.pages.running import markdown, menu_of, open_page


@pytest.mark.parametrize("slug", SCHEDULES)
def test_every_schedule_drives_a_run(slug: str) -> None:
    page = open_page("schedules", schedule=slug, steps="60")
    assert not page.exception
    assert r"\eta" in markdown(page)


def test_cosine_settles_a_noisy_run() -> None:
    said = markdown(open_page("schedules"))
    assert "84.8 times lower" in said  # seed 0: 0.0553 against 4.69
    assert r"\eta_{\max} = 0.0185" in said


def test_the_formula_under_a_warm_up_gives_the_rate_that_is_said() -> None:
    said = markdown(open_page("schedules", **{"s.warmup": "0.05"}))
    assert r"t < 20:\ \eta_t = \tfrac{t + 1}{20}\, \eta_{20}" in said
    # t and T less 20: 0.0185 · ½ (1 + cos 379π/380)
    assert r"\eta_{399} = \mathbf{3.161 \times 10^{-7}}" in said


def test_without_noise_it_only_takes_speed_away() -> None:
    assert "only takes speed away" in markdown(open_page("schedules", noise="0"))


def test_one_cycle_survives_a_peak_at_which_a_constant_rate_diverges() -> None:
    said = markdown(
        open_page("schedules", schedule="one_cycle", runs="sgd:lr=0.023", noise="0", steps="120")
    )
    assert "At a constant rate the run diverges at step 31" in said


def test_a_driven_run_that_diverges_is_explained() -> None:
    page = open_page("schedules", schedule="constant", runs="sgd:lr=0.03", noise="0")
    assert "1.5 times the stability limit" in markdown(page)
    assert not page.exception


@pytest.mark.parametrize(
    ("name", "value"), [("schedule", "sawtooth"), ("s.warmup", "0.9"), ("s.drop", "0")]
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("schedules", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


FORMS = {
    "schedule": "step", "s.drop": "0.1", "s.every": "0.33", "runs": "momentum:lr=0.005",
    "noise": "0", "steps": "120", "beside": "forms", "t": "60",
}  # fmt: skip

# Presets keep their word --------------------------------------------------------------------------

NOISY = {"noise": 10.0, "seed": 0}


def test_noise_keeps_adams_steps_long_and_cosine_brings_them_to_rest() -> None:
    """m̂ of pure noise is √((1 − β₁)/(1 + β₁)) = 0.23 of √v̂: what counts is noise, not v's size."""
    noisy, driven, calm = (
        engine.descend("bowl", "adam", (5, 3), 400, {"lr": 0.5}, schedule=plan, **noise)  # type: ignore[arg-type]
        for plan, noise in ((None, NOISY), ("cosine", NOISY), (None, {}))
    )
    share = np.abs(noisy.state["m_hat"][-100:, 0]) / np.sqrt(noisy.state["v_hat"][-100:, 0])
    assert 0.1 < np.median(share) < 0.4
    assert noisy.state["v_hat"][-1, 0] > 50 * calm.state["v_hat"][-1, 0], "noise makes v large"
    assert settled_gap(driven) < settled_gap(noisy) / 5
    assert np.abs(np.diff(driven.path[-20:], axis=0)).max() < 0.02


def test_each_drop_of_a_step_decay_is_another_level() -> None:
    plan = SCHEDULES["step"](drop=0.3, every=0.33)
    run = engine.descend("bowl", "sgd", (5, 3), 400, {"lr": 0.0185}, schedule=plan, **NOISY)  # type: ignore[arg-type]
    levels = [float(np.median(run.gap[a:b])) for a, b in ((60, 132), (192, 264), (320, 396))]
    assert levels[0] > 2 * levels[1] > 4 * levels[2]


def test_a_warm_up_of_three_percent_gets_off_the_wall() -> None:
    cold, warm = (
        engine.descend("beale", "sgd", (3.5, 1), 300, {"lr": 0.034}, schedule=plan)
        for plan in (None, SCHEDULES["constant"](warmup=0.03))
    )
    assert cold.diverged_at == 3
    assert warm.diverged_at is None
    assert warm.gap[-1] < 1e-4


@pytest.mark.parametrize("slug", SCHEDULES)
def test_three_momenta_are_one_at_a_constant_rate_and_part_where_it_moves(slug: str) -> None:
    """By hand: v ← βv + ηₜg keeps ηₜ with its gradient, ηₜ(βv + g) does not."""
    hypers = momentum_forms.matched({"lr": 0.005, "beta": 0.9})
    assert hypers["averaged"]["lr"] == pytest.approx(0.05)
    # A fall that begins where the run has already arrived parts nothing.
    plan = SCHEDULES[slug](decay=0.9) if slug == "stable_decay" else slug
    one, same, inside = (
        engine.descend("bowl", "momentum", (5, 3), 120, h, options={"form": form}, schedule=plan)
        for form, h in hypers.items()
    )
    np.testing.assert_allclose(same.path, one.path, atol=1e-12)
    apart = np.abs(inside.path - one.path).max()
    assert apart < 1e-12 if slug == "constant" else apart > 0.05


def test_the_forms_of_momentum_stand_side_by_side() -> None:
    said = markdown(open_page("schedules", **FORMS))
    assert "With η inside the velocity the run is up to 0.768 away" in said
    still = markdown(open_page("schedules", **{**FORMS, "schedule": "constant"}))
    assert "the three take the same steps" in still
    plan = SCHEDULES["step"](drop=0.1, every=0.33)
    ran = [
        engine.descend("bowl", "momentum", (5, 3), 120, h, options={"form": f}, schedule=plan)
        for f, h in momentum_forms.matched({"lr": 0.005, "beta": 0.9}).items()
    ]
    before, after = 39, 41  # the rate falls to a tenth with step 40
    steps = [np.hypot(*np.diff(run.path, axis=0).T) for run in ran]
    assert steps[0][after] < 0.2 * steps[0][before], "braked at once"
    assert steps[2][after] > 0.5 * steps[2][before], "rolls on"


@pytest.mark.parametrize("on", ["typed", "registry"])
def test_a_typed_rule_is_driven_as_well(on: str) -> None:
    rule = "typed~v%20%3D%20beta%2Av%20%2B%20g%0Aw%20%3D%20w%20-%20lr%2Av:lr=0.005,beta=0.9"
    page = open_page("schedules", noise="0", runs=rule if on == "typed" else "momentum:lr=0.005")
    assert not page.exception
    assert not page.warning
    assert menu_of(page, "rule")["options"]["typed"] == "your own rule"
    assert bool(page.text_area) == (on == "typed")


@pytest.mark.parametrize("slug", SCHEDULES)
def test_the_picture_follows_every_number(
    slug: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser finds Python's numbers, and every parameter of the schedule moves something."""
    monkeypatch.setattr("components.wire._REMEMBERED", 0)
    link = {"schedule": slug, "s.warmup": "0.05", "s.growth": "1.3"}
    page = open_page("schedules", **link)
    assert not page.exception
    (spec,) = specs_of(page)
    (result,) = run_programs([spec], tmp_path)
    assert not result["error"]
    assert not result["doubts"]
    parameters = {f"s.{p.name}" for p in SCHEDULES[slug].parameters}
    assert parameters | {"0/lr", "start", "steps", "noise"} <= set(result["moved"])


def test_a_loss_without_a_number_is_said_to_be_none() -> None:
    page = open_page("schedules", on="formula", f="1/x+y", start="0,0", noise="0")
    assert not page.exception


@pytest.mark.browser
def test_a_preset_of_fewer_steps_is_lit_at_its_end(visit: Callable[..., Page]) -> None:
    page = visit("/schedules", reduced_motion="reduce")
    page.locator(".dl-stage[data-seq]").wait_for()
    page.get_by_text("Past the limit for a while", exact=True).click()
    expect(page.locator('[class*="st-key-presets-"]')).to_contain_text("One cycle goes above")
    expect(page.locator(".dl-count")).to_have_text("120 / 120")
    page.wait_for_url("**/schedules?*steps=120*")
    expect(page.locator('[class*="st-key-presets-"]')).to_contain_text("One cycle goes above")


@pytest.mark.browser
def test_dragging_the_peak_changes_the_rate(visit: Callable[..., Page]) -> None:
    page = visit("/schedules")
    handle = page.locator('[data-handle="peak"]')
    handle.focus()
    with rerun(page):
        handle.press("ArrowDown")
    page.wait_for_url("**/schedules?*lr*")
    expect(page.locator('[class*="st-key-formula"]')).not_to_contain_text("ηmax=0.0185")
    assert page.locator(".katex-error").count() == 0
