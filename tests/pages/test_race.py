"""The race page without a browser: links, runners, presets that keep their word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

import engine
from engine.optimizers import OPTIMIZERS
from engine.problems.landscapes import LANDSCAPES
from engine.studies.stability import eigenvalues_along
from figures import style
from pages.competitors import MOST, Runner, Runners, format_runners, parse_runners
from pages.presets import RACES
from tests.pages.programs import component_data, run_programs, specs_of
from tests.pages.running import menu_of, moved, open_page, tables

# Links --------------------------------------------------------------------------------------------

LINK = {
    "on": "himmelblau",
    "f": "x**2+3*y**2",
    "bowl.condition": "120",
    "bowl.rotation": "-30",
    "runs": "adam:lr=0.2,beta1=0.8;momentum:form=averaged;adam",
    "same": "0",
    "lr": "0.004",
    "start": "1.5,-2",
    "steps": "75",
    "noise": "0.5",
    "seed": "7",
    "target": "0.1",
    "view": "side by side",
    "log": "0",
    "hide": "table",
    "lock": "on",
}


def address(page: AppTest) -> dict[str, str]:
    values = dict(page.query_params.items())
    return {n: value if isinstance(value, str) else value[0] for n, value in values.items()}


def test_a_link_with_every_field_comes_back_as_it_was() -> None:
    """Opened, changed and changed back: the address says again what the link said."""
    page = open_page("race", **LINK)
    assert not page.exception
    assert not page.warning
    page = moved(page, "race", same=True)
    assert address(page) == {k: v for k, v in LINK.items() if k != "same"}
    assert address(moved(page, "race", same=False)) == LINK


def test_a_link_sets_the_race() -> None:
    told = tables(open_page("race", **{**LINK, "hide": ""}))
    for name in ("Adam 1", "Adam 2", "Momentum"):
        assert name in told
    assert "≤ 0.1" in told


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("lr", "banana", "is not a number"),
        ("lr", "-1", "lies outside"),
        ("on", "everest", "is none of"),
        ("runs", "sdg", "no optimizer"),
        ("runs", "sgd:speed=9", "does not know"),
        ("runs", ";".join(["sgd"] * 13), "1 to 12"),
        ("runs", "adam:beta1=2", "lies outside"),
        ("f", "__import__('os')", ""),
        ("start", "1", "1 of the 2 numbers"),
        ("start", "1,inf", "finite"),
        ("steps", "1e9", "lies outside"),
        ("view", "4-D", "is none of"),
        ("bowl.condition", "0", "lies outside"),
    ],
)
def test_what_a_link_gets_wrong_falls_back_with_a_notice(name: str, value: str, words: str) -> None:
    page = open_page("race", **{name: value})
    assert not page.exception
    notices = [warning.value for warning in page.warning]
    assert any(f"**{name}**" in notice and words in notice for notice in notices), notices
    assert "Momentum" in tables(page), "the rest of the page is as always"


def test_hide_leaves_out_and_lock_holds_fast() -> None:
    page = open_page("race", hide="setup,table,stability,presets,add,controls")
    said = next(d for d in component_data(page) if "pieces" in d)["pieces"]
    assert len(said) == 1, "a sentence without menus"
    assert said[0].startswith("Race SGD and Momentum on an ill-conditioned bowl, overlaid")
    assert tables(page).count("<table") == 0
    locked = open_page("race", lock="on,add")
    assert [menu_of(locked, m)["locked"] for m in ("on", "add", "runner0", "view")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_the_lead_names_who_races_and_offers_the_others() -> None:
    page = open_page("race", runs="sgd;sgd:lr=0.01;adam", on="formula", f="x**2 + 3*y**2")
    first, own = menu_of(page, "runner0"), menu_of(page, "on")
    assert (first["text"], first["value"]) == ("SGD 1", "sgd")
    assert {*OPTIMIZERS, "typed", "remove"} == set(first["options"])
    assert own["text"] == "x**2 + 3*y**2"
    assert next(iter(own["options"])) == "formula", "one's own formula first"
    for value, formula in own["options"].items():
        if value.startswith("formula:"):
            assert not open_page("race", on="formula", f=formula).warning
    assert "remove" not in menu_of(open_page("race", runs="sgd"), "runner0")["options"]


def test_only_what_frames_leave_out_can_be_asked_for() -> None:
    assert not open_page("race", show="setup,presets").warning
    assert any("**show**" in w.value for w in open_page("race", show="table").warning)


# Runners ------------------------------------------------------------------------------------------


@st.composite
def runners(draw: Any) -> Runner:
    """Any optimizer with any settings that its controls allow."""
    optimizer = OPTIMIZERS[draw(st.sampled_from(sorted(OPTIMIZERS)))]
    hypers = {
        h.name: draw(st.floats(h.low, h.high)) for h in optimizer.hypers if draw(st.booleans())
    }
    options = {
        o.name: draw(st.sampled_from([value for value, _ in o.choices]))
        for o in optimizer.options
        if draw(st.booleans())
    }
    return Runner(optimizer.slug, hypers, options)


@settings(deadline=None)
@given(st.lists(runners(), min_size=1, max_size=MOST))
def test_runners_read_back_as_the_same_race(race: list[Runner]) -> None:
    again = parse_runners(format_runners(tuple(race)))
    assert [r.slug for r in again] == [r.slug for r in race]
    for before, after in zip(race, again, strict=True):
        optimizer = before.optimizer
        assert optimizer.hyper_values(after.hypers) == optimizer.hyper_values(before.hypers)
        assert optimizer.option_values(after.options) == optimizer.option_values(before.options)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_runners_or_a_sentence(text: str) -> None:
    try:
        race = parse_runners(text)
    except ValueError as error:
        said = str(error)
    else:
        said = format_runners(race)
    assert said


def test_a_typed_rule_survives_its_link() -> None:
    rule = "v = beta * v + g\nw = w - lr * v"
    race = (Runner("typed", {"lr": 0.25}, {}, rule), Runner("sgd"))
    assert parse_runners(format_runners(race)) == race


def test_settings_of_the_default_are_left_out() -> None:
    assert format_runners(parse_runners("adam:lr=0.001,beta1=0.9;sgd")) == "adam;sgd"
    assert Runners("runs", "sgd").default == (Runner("sgd"),)


def test_the_same_rule_twice_sends_its_program_once_and_whole() -> None:
    specs = specs_of(open_page("race", runs="sgd:lr=0.01;sgd:lr=0.02", same="0"))
    modules = [blob for spec in specs for blob in spec["modules"].values()]
    assert len(modules) == 1
    assert modules[0]["b64"]


# Presets ------------------------------------------------------------------------------------------


def race_of(name: str, **changes: str) -> dict[str, engine.Descent]:
    """The runs that a preset starts, by slug, straight from the engine."""
    link = {**next(p.link for p in RACES if p.name == name), **changes}
    on = link.get("on", "bowl")
    shape = {k.split(".")[1]: float(v) for k, v in link.items() if k.startswith(f"{on}.")}
    surface = LANDSCAPES[on](**shape)
    start = tuple(map(float, link["start"].split(","))) if "start" in link else surface.start
    shared = {"lr": float(link.get("lr", 0.0185))} if link.get("same", "1") == "1" else {}
    return {
        r.slug: engine.descend(
            surface, r.slug, start, int(link.get("steps", 120)), {**r.hypers, **shared},
            options=r.options, noise=float(link.get("noise", 0)),
        )
        for r in parse_runners(link.get("runs", "sgd;momentum:beta=0.8"))
    }  # fmt: skip


@pytest.mark.parametrize("preset", RACES, ids=lambda p: p.name)
def test_a_preset_is_one_click_and_then_a_link(preset: Any) -> None:
    page = open_page("race", lr="0.003", noise="2")
    pills = next(group for group in page.get("button_group") if preset.name in str(group.options))
    page = pills.set_value(preset.name).run()
    assert not page.exception
    assert not page.warning
    link = dict(preset.link)
    if "runs" in link:  # a preset may name a setting that is the default anyway
        link["runs"] = format_runners(parse_runners(link["runs"]))
    assert address(page) == link
    assert preset.reason in [caption.value for caption in page.caption]


def crossings(run: engine.Descent, axis: int) -> int:
    """How often the path crosses the bottom along an axis."""
    return int(np.count_nonzero(np.diff(np.sign(run.path[: run.last + 1, axis]))))


def test_zig_zag_and_its_cure() -> None:
    race = race_of("Zig-zag and its cure")
    assert crossings(race["sgd"], 1) == 120, "gradient descent overshoots at every step"
    assert race["momentum"].loss[-1] < 1e-5 * race["sgd"].loss[-1]


def test_past_the_limit_one_diverges_and_the_other_does_not() -> None:
    race = race_of("Past the limit")
    assert race["sgd"].diverged_at is not None
    assert race["momentum"].diverged_at is None
    assert "diverged" in tables(open_page("race", lr="0.021"))


def test_a_run_that_got_away_leads_to_its_map() -> None:
    def links(**link: str) -> list[str]:
        page = open_page("race", **link)
        return [element.proto.label for element in page.get("page_link")]

    assert "Map which settings of SGD stay here" in links(lr="0.021")
    assert not any("Map" in label for label in links())
    away = links(on="saddle", runs="sgd:lr=0.05", same="0")
    assert not any("Map" in label for label in away), "on a saddle every rule gets away"


def test_where_nothing_curves_up_there_is_no_limit() -> None:
    groups = next(
        d["groups"] for d in component_data(open_page("race", on="himmelblau")) if "groups" in d
    )
    notes = [str(group["note"]) for group in groups]
    assert sum("nothing curves up there" in note for note in notes) == 2


def test_too_timid() -> None:
    sgd = race_of("Too timid")["sgd"]
    assert crossings(sgd, 1) == 0
    np.testing.assert_allclose(sgd.path[1:, 0] / sgd.path[:-1, 0], 0.998, rtol=1e-12)
    assert sgd.steps_to_gap(0.01) is None


def test_heard_in_class_it_zig_zags() -> None:
    """f = x² + 10y² from (5, 3): λ = 20 in y, so ηλ = 1 at η = 0.05."""
    surface = engine.landscape("x**2 + 10*y**2")
    assert surface.hessian([5.0, 3.0])[1, 1] == 20.0
    calm = engine.descend(surface, "sgd", (5, 3), 50, {"lr": 0.05})
    assert (calm.path[1:, 1] == 0).all()
    assert calm.loss[-1] == pytest.approx(25 * 0.9**100)
    for lr in (0.06, 0.08, 0.099):
        assert crossings(engine.descend(surface, "sgd", (5, 3), 50, {"lr": lr}), 1) == 50
    thrown = engine.descend(surface, "momentum", (5, 3), 50, {"lr": 0.05, "beta": 0.9})
    np.testing.assert_allclose(thrown.path[-1], (-0.333, -0.149), atol=5e-4)
    assert crossings(thrown, 0) >= 3


def test_heard_in_class_a_third_of_the_steps() -> None:
    page = open_page("race", runs="sgd;momentum:beta=0.8;momentum:beta=0.9")
    runs = [
        engine.descend("bowl", slug, (5, 3), 120, {"lr": 0.0185, **beta})
        for slug, beta in (("sgd", {}), ("momentum", {"beta": 0.8}), ("momentum", {"beta": 0.9}))
    ]
    assert [r.steps_to_gap(0.01) for r in runs] == [104, 30, 82]
    assert [r.steps_to_stay(0.01) for r in runs] == [104, 50, 106]
    told = tables(page)
    assert "to stay there" in told
    for crossed, stayed in ((104, 104), (30, 50), (82, 106)):
        assert f"<td>{crossed}</td><td>{stayed}</td>" in told


def test_curvature_on_the_way_decides_where_the_start_says_nothing() -> None:
    surface = LANDSCAPES["himmelblau"]
    calm, wild = (
        engine.descend(surface, "sgd", surface.start, 100, {"lr": lr}) for lr in (0.01, 0.02)
    )
    along = [np.array(eigenvalues_along(surface, *run.path.T, {})) for run in (calm, wild)]
    assert along[0][1, 0] == pytest.approx(-14.7, abs=0.05)
    assert along[0][1, -1] == pytest.approx(133.8, abs=0.05)
    assert calm.gap[-1] < 1e-20
    assert along[0][1].max() < 2 / 0.01
    assert wild.gap[-20:].min() > 1
    assert wild.diverged_at is None
    assert along[1][1, -20:].mean() > 2 / 0.02


@pytest.mark.parametrize("on", ["bowl", "rosenbrock", "ackley"])
def test_curvature_along_the_paths_follows_the_hand(
    on: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the run gets another length: the Hessian holds no length of now."""
    monkeypatch.setattr("components.wire._REMEMBERED", 0)
    page = open_page("race", on=on, curvature="1", runs="sgd:lr=0.001;momentum:beta=0.8")
    results = run_programs(specs_of(page), tmp_path)
    assert not any(result["error"] or result["doubts"] for result in results)
    assert {"start", "steps", "1/beta"} <= set(results[0]["moved"])


def test_polyaks_optimum_shrinks_both_directions_alike() -> None:
    run = race_of("Polyak's optimum", steps="300")["momentum"]
    rates = np.abs(run.path[200] / run.path[100]) ** (1 / 100)
    expected = (np.sqrt(50) - 1) / (np.sqrt(50) + 1)  # Polyak 1964; times t, hence the tolerance
    np.testing.assert_allclose(rates, expected, rtol=0.015)


def test_too_much_momentum_arrives_after_plain_descent() -> None:
    race = race_of("Too much momentum")
    assert race["sgd"].steps_to_gap(0.01) is not None
    assert race["momentum"].steps_to_gap(0.01) is None
    assert crossings(race["momentum"], 0) >= 2


def test_turning_the_bowl_is_noticed_by_adam_alone() -> None:
    turned, straight = (race_of("Turned by 45°", **{"bowl.rotation": r}) for r in ("45", "0"))

    def change(slug: str) -> float:
        arrivals = [race[slug].steps_to_gap(0.01) or np.inf for race in (turned, straight)]
        return abs(arrivals[0] - arrivals[1])

    assert change("momentum") <= 2
    assert change("adam") >= 20


def test_rosenbrocks_valley_is_found_by_all_and_followed_by_some() -> None:
    race = race_of("Rosenbrock's valley")
    for run in race.values():
        assert abs(run.path[100, 1] - run.path[100, 0] ** 2) < 0.05, "on the floor"
    others = [run.loss[-1] for slug, run in race.items() if slug != "sgd"]
    assert race["sgd"].loss[-1] > 10 * max(others)


def test_rules_that_divide_leave_a_saddle_first() -> None:
    race = race_of("Leaving a saddle")
    away = {slug: int(np.argmax(np.abs(run.path[:, 1]) > 1)) for slug, run in race.items()}
    assert 0 < max(away["rmsprop"], away["adam"]) < min(away["momentum"], away["sgd"])


def test_rules_that_scale_end_in_another_minimum() -> None:
    race = race_of("Which minimum?")
    minima = np.array(LANDSCAPES["himmelblau"].minima)
    ends = {
        slug: int(np.argmin(np.hypot(*(minima - run.path[-1]).T))) for slug, run in race.items()
    }
    assert all((run.distance or 0) < 1e-3 for run in race.values())
    assert ends["sgd"] == ends["momentum"] != ends["adam"] == ends["adagrad"]


def test_sophia_stands_between_adam_and_newton() -> None:
    race = race_of("Sophia between Adam and Newton")
    start = LANDSCAPES["beale"].start
    assert np.linalg.eigvalsh(LANDSCAPES["beale"].hessian(start))[0] < 0, "curves down"
    assert race["newton"].diverged_at == 2
    assert (race["sophia"].steps_to_stay(0.01), race["adam"].steps_to_stay(0.01)) == (87, 173)


def test_adagrad_runs_dry() -> None:
    race = race_of("Adagrad runs dry")
    steps = np.linalg.norm(np.diff(race["adagrad"].path, axis=0), axis=1)
    assert steps[-1] < 0.05 * steps[0]
    assert race["adagrad"].gap[-1] > 100 * race["rmsprop"].gap[-1]


def test_noise_leaves_a_cloud_that_grows_with_momentum() -> None:
    race = race_of("Gradient noise")
    cloud = {slug: float(np.median(run.gap[150:])) for slug, run in race.items()}
    assert cloud["momentum"] > 4 * cloud["sgd"] > 0
    calmer = race_of("Gradient noise", runs="sgd:lr=0.002", steps="2000")["sgd"]
    assert np.median(calmer.gap[1500:]) < 0.5 * cloud["sgd"]


# Wrapped rules ------------------------------------------------------------------------------------


def test_a_runner_goes_into_a_wrapper_and_out_again() -> None:
    (adam,) = parse_runners("adam:lr=0.05,beta1=0.8,epsilon=inside")
    wrapped = adam.moved("round", "sam").moved("radius", 0.3)
    assert format_runners((wrapped,)) == "sam~adam:lr=0.05,beta1=0.8,radius=0.3,epsilon=inside"
    assert parse_runners(format_runners((wrapped,))) == (wrapped,)
    assert wrapped.optimizer.name == "SAM(Adam)"
    assert wrapped.moved("round", "nothing") == adam
    assert wrapped.moved("round", "lookahead").slug == "lookahead~adam"
    with pytest.raises(ValueError, match="cannot stand in"):
        adam.moved("round", "nobody")
    for refused in ("sam~nobody", "sam~sam~adam", "nobody~adam", "sam~sam"):
        with pytest.raises(ValueError, match=r"no optimizer|cannot stand"):
            parse_runners(refused)


def test_a_wrapped_rule_races_beside_the_rule_inside() -> None:
    page = open_page("race", runs="adam:lr=0.1;sam~adam:lr=0.1,radius=0.5", on="himmelblau")
    assert not page.exception
    assert not page.warning
    assert "SAM(Adam)" in tables(page)
    first, second = style.looks(["adam", "sam~adam"])
    assert first.color == second.color
    assert (first.dash, first.marker) != (second.dash, second.marker)
