"""Failures and cures: each story says what happens in it, at any setting of its sliders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import engine
from engine.runs import changing
from engine.studies import conditioning
from engine.studies import failures as facts
from tests.browser import rerun
from tests.pages.programs import run_programs, specs_of
from tests.pages.running import markdown, open_page

STORIES = {
    "decay": "whatever the noise: y ends at 0.008",
    "amsgrad": "it ends at 1.00",
    "adagrad": "its rate only falls",
    "taylor": "it lands at −2.7, farther out than it started",
    "curvature": "Newton divides by the curvature and needs one step",
    "eve": "lower than Adam",
}


@pytest.mark.parametrize(("part", "said"), STORIES.items())
def test_every_story_is_told(part: str, said: str) -> None:
    page = open_page("failures", part=part)
    assert not page.exception
    assert said in markdown(page)


@pytest.mark.parametrize(
    "link",
    [
        {"part": "decay", "decay.lr": "1", "decay.weight": "1"},
        {"part": "amsgrad", "ams.big": "20", "ams.steps": "60"},
        {"part": "adagrad", "ada.lr": "2", "ada.other": "1"},
        {"part": "adagrad", "ada.rho": "0"},
        {"part": "taylor", "taylor.w": "0"},
        {"part": "taylor", "taylor.w": "-5", "taylor.reach": "5", "taylor.lr": "0.01"},
        {"part": "curvature", "kappa": "1", "turned": "30"},
        {"part": "eve", "eve.lr": "1", "eve.beta3": "0", "eve.jump": "0"},
    ],
)
def test_extreme_settings_hold(link: dict[str, str]) -> None:
    page = open_page("failures", **link)
    assert not page.exception
    assert not page.warning
    assert "nan" not in markdown(page)


# Each cure cures, at the state that its story opens with ------------------------------------------


def test_decay_takes_an_idle_weight_away_and_l2_does_not() -> None:
    surface, hypers = facts.IDLE_WEIGHT, {"lr": 0.05, "weight_decay": 0.3}
    ends = {
        slug: np.abs(
            [
                engine.descend(surface, slug, surface.start, 300, hypers, noise=10, seed=s).path[-1]
                for s in range(30)
            ]
        )[:, 1]
        for slug in ("adam_l2", "adamw")
    }
    assert np.median(ends["adam_l2"]) > 1.5
    assert np.median(ends["adamw"]) < 0.3
    assert ends["adamw"][0] < 0.1 * ends["adam_l2"][0], "the draw that the page opens with"


def test_adagrad_runs_dry_where_its_successors_arrive() -> None:
    runs = {
        slug: engine.descend("bowl", slug, (5, 3), 800, {"lr": 0.05})
        for slug in ("adagrad", "rmsprop", "adam")
    } | {"adadelta": engine.descend("bowl", "adadelta", (5, 3), 800, {"lr": 1.0})}
    assert runs["adagrad"].gap[-1] > 30
    assert runs["rmsprop"].gap[-1] < 1e-10
    assert runs["adam"].gap[-1] < 1e-10
    assert runs["adadelta"].gap[-1] < runs["adagrad"].gap[-1] / 10
    summed = runs["adagrad"].state["G"]
    assert np.sqrt(summed[-1] / summed[1])[0] == pytest.approx(19.2, rel=0.01)
    larger = engine.descend("bowl", "adagrad", (5, 3), 800, {"lr": 1.0})
    assert larger.gap[-1] < 1e-6, "a larger rate arrives too"


def test_newton_leaps_past_where_curvature_fades_and_sophia_arrives() -> None:
    """sinh 2w = 4w at 1.08866 (by bisection): Newton's step leads from there to −w, for ever."""
    for w, arrives in ((1.0887 - 0.01, True), (1.0887 + 0.01, False), (1.4, False), (-4.0, False)):
        runs = {
            slug: engine.descend(facts.LOG_COSH, slug, (w, 0.0), 30, hypers)
            for slug, hypers in facts.leaps(0.3, 0.5).items()
        }
        assert (runs["newton"].diverged_at is None) == arrives
        size = np.abs(runs["newton"].path[: min(runs["newton"].last, 4) + 1, 0])
        assert (np.diff(size) < 0).all() == arrives
        assert runs["sophia"].gap[-1] < 1e-3
        assert np.abs(np.diff(runs["sophia"].path[:, 0])).max() <= 0.3 / 0.3 * 0.5 + 1e-12
        assert abs(runs["adam"].path[1, 0] - w) == pytest.approx(0.3, rel=1e-6)


def test_without_gamma_and_clip_squares_step_longest_where_the_slope_is_least() -> None:
    for lr in (0.05, 0.3):
        hypers = {"lr": lr, "beta1": 0.0, "beta2": 0.0}
        run = engine.descend(
            facts.LOG_COSH, "sophia", (1.4, 0.0), 30, hypers, options={"form": "simplified"}
        )
        x, moved = run.path[:-1, 0], np.diff(run.path[:, 0])
        np.testing.assert_allclose(moved, -lr / np.tanh(x), rtol=1e-9)
        assert np.abs(run.path[-10:, 0]).max() > 1.5


def test_the_parabola_is_the_functions_own_and_squares_are_not_its_curvature() -> None:
    w = np.linspace(-3, 3, 13)
    value, slope, curvature = facts.taylor(w)
    np.testing.assert_allclose(value, np.log(np.cosh(w)), atol=1e-15)
    np.testing.assert_allclose(facts.LOG_COSH.gradient(np.stack([w, 0 * w], -1))[:, 0], slope)
    hessian = facts.LOG_COSH.hessian(np.stack([w, 0 * w], -1))[:, 0, 0]
    np.testing.assert_allclose(hessian, curvature, atol=1e-12)
    np.testing.assert_allclose(slope**2 + curvature, 1.0)


def test_adadeltas_window_forgets_what_adagrads_sum_keeps() -> None:
    """The steep first steps are gone from an average of memory 0.9 after some windows of 10."""
    adadelta = engine.descend("bowl", "adadelta", (5, 3), 800, {"lr": 1.0, "rho": 0.9})
    adagrad = engine.descend("bowl", "adagrad", (5, 3), 800, {"lr": 0.05})
    assert (np.diff(adagrad.state["G"][1:], axis=0) >= 0).all(), "a sum"
    v, g = adadelta.state["v"], adadelta.state["g"]
    weights = 0.1 * 0.9 ** np.arange(800)[::-1]
    np.testing.assert_allclose(v[800], (weights[:, None] * g[1:] ** 2).sum(axis=0), rtol=1e-9)
    assert weights[-10:].sum() == pytest.approx(1 - 1 / np.e, abs=0.03), "the window, 1/(1 − ρ)"
    assert "1/(1 − ρ) = 10 steps" in " ".join(
        caption.value for caption in open_page("failures", part="adagrad").caption
    )


def test_kappa_costs_gradient_descent_most_and_newton_nothing() -> None:
    found = conditioning.steps_against_condition(
        ("sgd", "momentum", "sophia", "newton"), 0.0, 2000, 1e-4
    )
    steps = {
        slug: dict(zip(conditioning.CONDITIONS, column, strict=True))
        for slug, column in found.items()
    }
    assert steps["sgd"][300] / steps["sgd"][30] == pytest.approx(10, rel=0.3)
    assert steps["momentum"][300] / steps["momentum"][30] < np.sqrt(10)
    assert set(steps["newton"].values()) == {1.0}
    assert max(steps["sophia"].values()) < 2.5 * min(steps["sophia"].values())


def test_eve_ends_below_adam_and_stays_below_on_average() -> None:
    surface = engine.LANDSCAPES["bowl"](condition=10.0)
    shifts = np.repeat([(0.0, 0.0), (3.0, 1.2)] * 2, 60, axis=0)
    adam, eve = (
        changing.pursue(surface, slug, (-4.0, -2.0), shifts, hypers).loss
        for slug, hypers in (("adam", {"lr": 0.03}), ("eve", {"lr": 0.03, "beta3": 0.9}))
    )
    assert (shifts[-60:] == shifts[-1]).all(), "the clock rests at the end of a stretch"
    assert eve[-1] < 0.1 * adam[-1]
    assert eve.mean() < 0.5 * adam.mean()


def test_the_formulas_are_those_of_the_run() -> None:
    said = markdown(open_page("failures", part="amsgrad"))
    assert r"v^{\max}" in said
    assert r"\hat" not in said, "nothing is corrected in the theorem, nor in the run"


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ("decay", {"decay.lr", "decay.weight", "decay.noise", "decay.steps"}),
        ("amsgrad", {"ams.big", "ams.lr", "ams.steps"}),
        ("adagrad", {"ada.lr", "ada.other", "ada.rho", "ada.steps"}),
        ("taylor", {"taylor.w", "taylor.lr", "taylor.reach", "taylor.steps"}),
        ("curvature", {"kappa"}),
        ("eve", {"eve.lr", "eve.beta3", "eve.jump", "eve.every"}),
    ],
)
def test_the_picture_follows_every_number(
    part: str, fields: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.wire._REMEMBERED", 0)
    spec, *_ = specs_of(open_page("failures", part=part))
    (result,) = run_programs([spec], tmp_path)
    assert not result["error"]
    assert not result["doubts"]
    assert set(result["moved"]) == fields


def test_unreadable_link_falls_back_with_a_notice() -> None:
    page = open_page("failures", part="moon")
    assert not page.exception
    assert any("**part**" in warning.value for warning in page.warning)


@pytest.mark.browser
def test_another_story_and_its_slider(visit: Callable[..., Page]) -> None:
    page = visit("/failures")
    with rerun(page):
        page.get_by_label("story", exact=True).select_option(label="Adam's wrong turn")
    expect(page.get_by_text("AMSGrad remembers the largest v")).to_be_visible()
    page.wait_for_url("**/failures?*part=amsgrad*")
    slider = page.locator('[data-name="ams.big"] .dc-range')
    slider.focus()
    with rerun(page):
        slider.press("End")
    expect(page.get_by_text("The gradient is C = 20 once")).to_be_visible()
