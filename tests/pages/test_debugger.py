"""The update debugger: its numbers, what it compares, links that cannot be read, the cursor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import engine
from engine.optimizers import OPTIMIZERS
from engine.optimizers.curvature import newton_schulz
from engine.runs.live import still
from engine.studies import debugger
from pages.competitors import parse_runners
from tests.browser import rerun, wait_until_settled
from tests.pages.programs import run_programs, specs_of
from tests.pages.running import markdown, menu_of, open_page


def test_the_rule_stands_there_with_symbols_and_numbers() -> None:
    page = open_page("debugger", t="1", runs="adam:lr=0.001")
    said = markdown(page)
    assert r"\hat m_t" in said
    assert r"0.9 \cdot 0 + (1 - 0.9) \cdot 10 = \mathbf{1}" in said
    assert r"0.9 \cdot 0 + (1 - 0.9) \cdot 300 = \mathbf{30}" in said
    assert not page.exception


def test_before_the_first_step_there_are_symbols_alone() -> None:
    said = markdown(open_page("debugger", t="0"))
    assert "Nothing has moved yet" in said
    assert r"\mathbf" not in said


@pytest.mark.parametrize("slug", OPTIMIZERS)
def test_every_optimizer_can_be_looked_into(slug: str) -> None:
    page = open_page("debugger", runs=slug, t="3")
    assert not page.exception
    assert not page.warning
    assert "w_t" in markdown(page)


def test_what_a_convention_changes_is_said() -> None:
    said = markdown(open_page("debugger", runs="adam:lr=0.4", against="bias_correction=False"))
    assert "Dotted: bias correction: off" in said
    assert "part at step 1" in said
    assert "cannot be told apart" in markdown(
        open_page("debugger", runs="adam:lr=0.4", against="epsilon=inside", steps="5")
    )


def test_another_runner_of_the_race_can_be_laid_over() -> None:
    page = open_page("debugger", runs="sgd:lr=0.01;adam:lr=0.3", at="1", against="runner0")
    assert "Dotted: SGD" in markdown(page)


def test_a_rule_that_the_reader_typed_is_looked_into() -> None:
    rule = "typed~v%20%3D%20beta%2Av%20%2B%20g%0Aw%20%3D%20w%20-%20lr%2Av:lr=0.005,beta=0.9"
    page = open_page("debugger", runs=rule, t="3")
    assert not page.exception
    assert not page.warning
    assert [area.value for area in page.text_area] == ["v = beta*v + g\nw = w - lr*v"]
    menu = menu_of(page, "rule")
    assert menu["value"] == "typed"
    assert menu["options"]["typed"] == "your own rule"
    assert not open_page("debugger", runs="adam").text_area


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("race", {}),
        ("debugger", {}),
        ("schedules", {}),
        ("bias_correction", {"stream": "race"}),
        ("map", {"steps": "20"}),
        ("basins", {"steps": "20"}),
        ("failures", {"part": "decay"}),
        ("failures", {"part": "adagrad"}),
        ("failures", {"part": "taylor"}),
        ("failures", {"part": "curvature"}),
        ("failures", {"part": "eve"}),
    ],
)
def test_the_function_that_is_descended_is_told(name: str, link: dict[str, str]) -> None:
    page = open_page(name, **link)
    assert any(box.label.startswith("The function: ") for box in page.expander)
    said = [element.value for element in page.markdown]
    assert any("f(x, y) = " in text for text in said)
    assert sum(text.count(r"\frac{\partial f}{\partial") for text in said) == 2
    hidden = open_page(name, **link, hide="function")
    assert not any(box.label.startswith("The function: ") for box in hidden.expander)


def test_a_link_of_the_race_carries_over() -> None:
    page = open_page("debugger", on="rosenbrock", runs="nesterov:lr=0.001", start="-1,1", steps="9")
    assert not page.exception
    assert r"\beta" in markdown(page)


def test_a_diverged_run_is_explained() -> None:
    page = open_page("debugger", runs="sgd:lr=0.03", steps="100", t="90")
    assert "1.5 times the stability limit" in markdown(page)
    assert not page.exception


@pytest.mark.parametrize(
    ("name", "value"),
    [("runs", "adam:lr=nan"), ("t", "-1"), ("at", "x"), ("on", "moon"), ("steps", "1e9")],
)
def test_unreadable_link_falls_back_with_a_notice(name: str, value: str) -> None:
    page = open_page("debugger", **{name: value})
    assert not page.exception
    assert any(f"**{name}**" in warning.value for warning in page.warning)


def test_an_unknown_comparison_is_none() -> None:
    page = open_page("debugger", against="bias_correction=perhaps")
    assert not page.exception
    assert "Dotted" not in markdown(page)


# Presets keep their word --------------------------------------------------------------------------


def run_of(runs: str, on: str = "bowl", start: tuple[float, float] | None = None) -> engine.Descent:
    """The run that a preset's link describes."""
    (runner,) = parse_runners(runs)
    surface = engine.LANDSCAPES[on]
    begin = start or surface.start
    return engine.descend(surface, runner.slug, begin, 60, runner.hypers, options=runner.options)


def test_nesterovs_jump_and_correction_are_a_step_in_the_first_swing() -> None:
    run = run_of("nesterov:lr=0.006,beta=0.9,form=lookahead")
    jump, correction, whole = debugger.arrows(still(run))
    for a, b, c in zip(jump.vector, correction.vector, whole.vector, strict=True):
        assert a[7] + b[7] == pytest.approx(c[7])
    crossed = np.flatnonzero(np.diff(np.sign(run.path[:, 1])))
    assert crossed[0] < 7 < crossed[2], "step 7 lies in the first swing across the valley"


def test_adam_turns_the_gradient_into_a_diagonal() -> None:
    run = run_of("adam:lr=0.4")
    gx, gy = np.abs(run.state["g"][6])
    dx, dy = np.abs(run.path[6] - run.path[5])
    assert gy > 10 * gx
    assert dx == pytest.approx(dy, rel=0.1)


def test_without_correction_the_first_step_is_too_long() -> None:
    mended, raw = run_of("adam:lr=0.4"), run_of("adam:lr=0.4,bias_correction=False")
    first = [np.abs(run.path[1] - run.path[0]) for run in (mended, raw)]
    assert first[1] / first[0] == pytest.approx(3.162, abs=1e-3)
    assert raw.state["m"][1] == pytest.approx(0.1 * raw.state["g"][1])
    assert np.sqrt(raw.state["v"][1]) == pytest.approx(0.0316 * np.abs(raw.state["g"][1]), rel=1e-3)


def test_a_steady_gradient_is_added_up_ten_times() -> None:
    run = engine.descend(engine.landscape("x"), "momentum", (4, 0), 60, {"lr": 0.012, "beta": 0.9})
    assert (run.state["g"][1:, 0] == 1).all()
    assert run.state["v"][60, 0] == pytest.approx(10, rel=0.01)
    np.testing.assert_allclose(run.state["v"][1:, 0], 10 * (1 - 0.9 ** np.arange(1, 61)))
    assert run.path[59, 0] - run.path[60, 0] == pytest.approx(0.12, rel=0.01)
    assert run.path[60, 0] > -5, "it is still in the picture"


def test_muon_normalises_momentum_and_makes_singular_values_alike() -> None:
    run = run_of("muon:lr=0.1,weight_decay=0")
    moved, u = np.diff(run.path, axis=0), run.state["u"][1:]
    np.testing.assert_allclose(np.hypot(*moved.T) / 0.1, 0.696, atol=5e-4)
    along = -(moved * u).sum(axis=1) / np.hypot(*moved.T) / np.hypot(*u.T)
    np.testing.assert_allclose(along, 1.0, rtol=1e-12)
    given = np.diag([3.0, 1.0])
    alike = np.linalg.svd(newton_schulz(given), compute_uv=False)
    assert 0.7 < alike.min() <= alike.max() < 1.2
    normed = np.linalg.svd(given / np.linalg.norm(given), compute_uv=False)
    assert normed.min() / normed.max() == pytest.approx(1 / 3), "dividing by the norm keeps them"


def test_sophia_is_clipped_to_the_corner_of_its_box() -> None:
    run = run_of("sophia:lr=0.3,gamma=0.5", "rosenbrock", (-1.5, 2.0))
    reach = debugger.trust_box(still(run))
    assert np.abs(run.path[4] - run.path[3]) == pytest.approx(reach)
    unclipped = {p.role: p for p in debugger.arrows(still(run))}["unclipped"].vector
    assert all(abs(column[4]) > reach for column in unclipped)


def test_epsilon_under_the_root_caps_the_rate_at_its_root() -> None:
    rates = []
    for where in ("outside", "inside"):
        run = run_of(f"adam:lr=0.05,eps=0.01,epsilon={where}", "saddle")
        found = debugger.effective_rate(still(run))
        assert found is not None
        rates.append(found[1][1][1])
    assert rates[0] == pytest.approx(0.05 / (0.002 + 0.01), rel=1e-3)
    assert rates[1] == pytest.approx(0.05 / 0.1, rel=1e-3)


def test_decoupled_decay_pulls_by_the_rate_times_lambda() -> None:
    run = run_of("adamw:lr=0.4,weight_decay=0.5")
    pulled = debugger.decay_steps(still(run))
    assert pulled is not None
    assert pulled[0][12] == pytest.approx(-0.4 * 0.5 * run.path[11, 0])


@pytest.mark.parametrize(
    "link",
    [
        {},
        {"runs": "muon:lr=0.1", "noise": "1"},
        {"runs": "adamw:lr=0.4,weight_decay=0.5", "against": "adam_l2"},
        {"runs": "sophia:lr=0.3,gamma=0.5", "on": "rosenbrock", "start": "-1.5,2"},
        {"on": "formula", "f": "log(x)+y", "start": "-1,-1"},
    ],
)
def test_the_picture_follows_every_number(
    link: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser finds Python's numbers, and every setting moves something."""
    monkeypatch.setattr("components.wire._REMEMBERED", 0)
    page = open_page("debugger", **link)
    assert not page.exception
    (spec,) = specs_of(page)
    (result,) = run_programs([spec], tmp_path)
    assert not result["error"]
    assert not result["doubts"]
    rule = parse_runners(link.get("runs", "adam"))[0].optimizer
    assert {f"0/{h.name}" for h in rule.hypers} | {"start", "steps"} <= set(result["moved"])


@pytest.mark.browser
def test_stepping_forward_changes_the_numbers_and_the_link(visit: Callable[..., Page]) -> None:
    page = visit("/debugger?t=1&runs=adam:lr=0.001")
    page.locator('.dl-stage[data-frame="1"]').wait_for()
    formula = page.locator(".st-key-formula-debugger")
    expect(formula).to_contain_text("step 1")
    with rerun(page):
        page.get_by_role("button", name="Step forward").click()
    expect(formula).to_contain_text("step 2")
    page.locator('.dl-stage[data-frame="2"]').wait_for()
    page.wait_for_url("**/debugger?*t=2*")
    assert page.locator(".katex-error").count() == 0


@pytest.mark.browser
def test_the_line_of_a_step_follows_the_hand_and_a_preset_its_step(
    visit: Callable[..., Page],
) -> None:
    page = visit("/debugger?t=1&runs=sgd:lr=0.01")
    line = page.locator(".dl-caption")
    expect(line).to_contain_text("t = 1 · g = (10, 300) · step = (−0.1, −3)")
    slider = page.locator('[data-name="0/lr"] .dc-range')
    with rerun(page):
        slider.focus()
        slider.press("End")
        expect(line).to_contain_text("step = (−100, −3000)")  # before Python answers
    preset = page.get_by_test_id("stButtonGroup").get_by_text("Nesterov's jump")
    with rerun(page):
        preset.click()
    page.locator('.dl-stage[data-frame="7"]').wait_for()
    with rerun(page):
        page.get_by_role("button", name="Step forward").click()
    with rerun(page):
        preset.click()
    page.locator('.dl-stage[data-frame="7"]').wait_for()


@pytest.mark.browser
def test_the_race_is_one_click_away_and_keeps_the_setting(visit: Callable[..., Page]) -> None:
    page = visit("/debugger?runs=momentum:lr=0.004&steps=33")
    page.get_by_role("link", name="Race it on this landscape").click()
    expect(page.get_by_role("heading", name="The race")).to_be_visible()
    wait_until_settled(page)
    assert "momentum%3Alr%3D0.004" in page.url or "momentum:lr=0.004" in page.url
    assert "steps=33" in page.url


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_is_wider_than_the_window(visit: Callable[..., Page], width: int) -> None:
    page = visit("/debugger", width=width)
    page.locator(".dl-stage[data-frame]").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
