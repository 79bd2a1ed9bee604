"""The race: optimizers side by side on one landscape, every setting live under the hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import engine
from components.controls import Action, Group, Item, Slider
from components.stage import Handle, Panel, Track, stage
from engine import limits
from engine.emit.picture import Picture, entry, stack, words, written
from engine.problems.landscapes import Landscape
from engine.runs.descent import Descent
from engine.runs.live import LiveDescent
from engine.studies.stability import (
    eigenvalues_along,
    limit_formula,
    live_bound,
    live_limit,
    sharpest,
)
from engine.studies.tuning import (
    MAX_HALVINGS,
    RATES,
    RateCurve,
    halve_until_stable,
    length_of,
    rate_curve,
)
from engine.tape import Value
from engine.tape import operations as ops
from figures import race as pictures
from figures import style
from pages import frame, problem, side_by_side
from pages import race_words as says
from pages.competitors import MOST, Runner, format_runners
from pages.presets import RACES
from pages.side_by_side import copier
from pages.state import Choice, Flag, Number, experiment
from pages.step_panel import step_panel

TOO_LONG = "No learning rates are tried for {}: too much for one page. Fewer steps leave room."
VIEWS = ("overlaid", "side by side", "3-D")
x = experiment(
    "race",
    [
        *problem.fields(runs="sgd;momentum:beta=0.8", same=True, steps=120),
        Number("target", 0.01, 1e-16, 1e6),
        Choice("view", VIEWS[0], VIEWS, label="view"),
        Flag("rates", False, label="loss against η"),
        Flag("curvature", False, label="curvature along the paths"),
    ],
    parts=("stability", "add", "function", "code"),
)


# What the reader does -----------------------------------------------------------------------------


def on_action(group: str, action: str) -> None:
    """The buttons of a runner."""
    if action == "scatter":
        random_start()
        return
    place = int(group)
    if place >= len(x["runs"]):
        return
    if action == "halve":
        halve(place)
    elif action == "find":
        find_rate(place)
    else:
        copier(x, MOST)(group, action)


def say(sentence: str) -> None:
    """Let the run that follows say it: what a callback shows would stand at the page's top."""
    st.session_state["race.said"] = sentence


def halve(place: int) -> None:
    """Halve a runner's learning rate until it no longer diverges, and say how often it took."""
    runners = list(x["runs"])
    runner = problem.as_it_runs(x, runners[place])
    if not runner.has_rate:
        say(f"{runner.optimizer.name} has no learning rate to halve.")
        return
    surface = problem.landscape(x)
    length = length_of(surface, runner.optimizer, x["steps"], runner.options)
    if length * MAX_HALVINGS > limits.HALVED_LINES:
        say(TOO_LONG.format(runner.optimizer.name))
        return
    found = halve_until_stable(
        surface,
        runner.optimizer,
        problem.start_point(x, surface),
        x["steps"],
        runner.optimizer.hyper_values(runner.hypers),
        options=runner.options,
        noise=x["noise"],
        seed=x["seed"],
    )
    if found is None:
        say(f"No learning rate keeps {runner.optimizer.name} from getting away here.")
        return
    runners[place] = runners[place].with_setting("lr", found.lr)
    x.change({"runs": tuple(runners), **({"lr": found.lr} if x["same"] else {})})
    times = {0: "no halving", 1: "one halving"}.get(found.halvings, f"{found.halvings} halvings")
    say(f"{runner.optimizer.name}: η = {written(found.lr)} after {times}.")


def rates_of(place: int, surface: Landscape) -> RateCurve:
    """What each learning rate would reach for the runner at that place."""
    runner = x["runs"][place]
    return rate_curve(
        surface,
        runner.optimizer,
        problem.start_point(x, surface),
        x["steps"],
        runner.optimizer.hyper_values(runner.hypers),
        options=runner.options,
        noise=x["noise"],
        seed=x["seed"],
    )


def find_rate(place: int) -> None:
    """Give a runner the best of all learning rates here, and show the curve it was chosen from."""
    runners = list(x["runs"])
    runner = runners[place]
    if not runner.has_rate:
        say(f"{runner.optimizer.name} has no learning rate to find.")
        return
    surface = problem.landscape(x)
    if length_of(surface, runner.optimizer, x["steps"], runner.options) > limits.TRIED_LINES:
        say(TOO_LONG.format(runner.optimizer.name))
        return
    found = rates_of(place, surface)
    if found.best is None:
        say(f"No learning rate leads {runner.optimizer.name} below its start here.")
        return
    # Each at its own best: one rate for all would undo it.
    kept = [problem.as_it_runs(x, r) for r in runners]
    kept[place] = kept[place].with_setting("lr", found.best)
    x.change({"runs": tuple(kept), "same": False, "rates": True})
    say(f"{runner.optimizer.name}: η = {written(found.best)} reaches lowest of {RATES} rates.")


def random_start() -> None:
    """A point anywhere in the window."""
    (x0, x1), (y0, y1) = problem.landscape(x).window
    u = np.random.default_rng().uniform((x0, y0), (x1, y1))
    x.change({"start": (round(float(u[0]), 3), round(float(u[1]), 3))})


# What the reader sees -----------------------------------------------------------------------------


def groups(surface: Landscape, live: Picture) -> list[Group]:
    """The panel of controls: the landscape and the run, then every runner."""
    own = problem.landscape_sliders(x, surface)
    race: list[Item] = [*problem.run_sliders(x)]
    if x["same"]:
        race.insert(0, x.slider("lr", default=surface.lr))
    race.append(x.toggle("same"))
    start = live["start"]
    sharp = sharpest(surface, start[0], start[1], problem.live_parameters(live, surface))
    runners = x["runs"]
    looks = style.looks(r.slug for r in runners)
    names = frame.distinct([r.optimizer.name for r in runners])
    return [
        *([Group(id="landscape", title=surface.name, items=own)] if own else []),
        Group(
            id="race",
            title="All",
            items=race,
            actions=[Action(id="scatter", label="random start", locked=x.locked("start"))],
        ),
        *(
            runner_group(live, sharp, place, name, runner, look)
            for place, (name, runner, look) in enumerate(zip(names, runners, looks, strict=True))
        ),
        Group(
            id="pictures",
            title="Pictures",
            items=[x.toggle(name) for name in ("log", "curvature", "rates")],
            collapsed=bool(st.context.is_embedded),
        ),
    ]


def runner_group(
    live: Picture, sharp: Any, place: int, name: str, runner: Runner, look: style.Look
) -> Group:
    """The controls of one runner, under the mark that it leaves in the pictures."""
    hypers = problem.live_hypers(x, live, place)
    limit = live_limit(runner.optimizer, sharp, hypers, runner.options)
    without = {"lr"} if x["same"] else set()
    items = problem.runner_items(place, runner, without=without)
    return Group(
        id=str(place),
        title=name,
        color=look.color,
        dash=look.dash,
        marker=look.marker,
        items=[
            replace(item, limit=limit)
            if isinstance(item, Slider) and item.name == f"{place}/lr"
            else item
            for item in items
        ],
        note=limit_note(hypers, limit),
        actions=[
            Action(id="find", label="find the best η here", icon="find"),
            Action(id="halve", label="halve η until it no longer diverges", icon="halve"),
            Action(id="copy", label="race it twice", icon="copy"),
            Action(id="remove", label="remove", icon="remove"),
        ],
        collapsed=len(x["runs"]) > 4,
    )


def limit_note(hypers: dict[str, Any], limit: Any) -> Any:
    """Where a rule's rate stands against its limit at the start."""
    if limit is None or "lr" not in hypers:
        return ""
    if np.isinf(limit.data if isinstance(limit, Value) else limit):
        return "no limit at the start: nothing curves up there"
    return words("η is {:.2f} of its limit {:3}", hypers["lr"] / limit, limit)


def track_of(name: str, look: style.Look, run: LiveDescent, xs: Any, ys: Any, **more: Any) -> Track:
    """A runner's moving mark in one picture."""
    return Track(
        x=xs, y=ys, color=look.color, dash=look.dash, marker=look.marker, label=name,
        stop=run.stopped, **more,
    )  # fmt: skip


Entry = tuple[str, style.Look, LiveDescent]  # what a runner is called, its look, its run


def panels(
    surface: Landscape, live: Picture, names: list[str], runs: list[LiveDescent]
) -> list[Panel]:
    """The plane (or planes, or the surface) and the loss beside it, on one clock."""
    looks = style.looks(r.result.optimizer.slug for r in runs)
    everyone = list(zip(names, looks, runs, strict=True))
    beside = [loss_panel(surface, live, everyone)]
    if x["curvature"]:
        beside.append(step_panel(pictures.curvature(along(surface, live, everyone))))
    if x["view"] == "3-D":
        return [scene_panel(surface, live, everyone, rows=len(beside)), *beside]
    return [*planes(surface, live, everyone, rows=len(beside)), *beside]


def loss_panel(surface: Landscape, live: Picture, everyone: list[Entry]) -> Panel:
    """The loss of each run against the step."""
    curves = [run.gap for _, _, run in everyone]
    decades = pictures.logarithmic(surface, [run.result.gap for _, _, run in everyone])
    return Panel(
        id="loss",
        kind="chart",
        title=pictures.loss_title(surface),
        figure=pictures.loss_axes(
            curves,
            live["steps"],
            log=decades,
            target=x["target"],
            ends=[(name, look, run.length) for name, look, run in everyone],
        ),
        tracks=[
            track_of(
                name,
                look,
                run,
                None,
                ops.maximum(curve, pictures.FLOOR) if decades else curve,
                mode="curve",
            )
            for (name, look, run), curve in zip(everyone, curves, strict=True)
        ],
        cursor=True,
        alt="Loss against step, one curve for each optimizer.",
    )


def scene_panel(surface: Landscape, live: Picture, everyone: list[Entry], *, rows: int) -> Panel:
    """The landscape as a surface, with every path on it."""
    window = pictures.grid(surface, problem.live_parameters(live, surface))[2]
    return Panel(
        id="scene",
        kind="scene",
        figure=pictures.scene(surface, log=x["log"]),
        tracks=[
            track_of(
                name,
                look,
                run,
                run.x,
                run.y,
                z=pictures.height(run.loss, surface, x["log"], window),
            )
            for name, look, run in everyone
        ],
        rows=rows,
        alt=f"{surface.name} as a surface, with the path of each optimizer on it.",
    )


def planes(surface: Landscape, live: Picture, everyone: list[Entry], *, rows: int) -> list[Panel]:
    """All paths on one plane, or a plane for each; the start is dragged on any."""
    start, (hand_x, hand_y) = live["start"], live.hand
    (x0, x1), (y0, y1) = surface.domain
    sets = {"start": stack(hand_x, hand_y)}
    handle = Handle(
        id="start", x=start[0], y=start[1], label="start", sets=sets,
        minimum=(x0, y0), maximum=(x1, y1),
    )  # fmt: skip
    trails = [track_of(name, look, run, run.x, run.y) for name, look, run in everyone]
    parameters = problem.live_parameters(live, surface)
    figure = pictures.plane(surface, log=x["log"], parameters=parameters, held=live.held)
    if x["view"] == "overlaid":
        about = f"Contours of {surface.name} with the path of each optimizer from the start."
        return [
            Panel(
                id="plane", figure=figure, tracks=trails, handles=[handle], clicks=sets, alt=about,
                rows=rows,
            )
        ]  # fmt: skip
    return [
        Panel(
            id=f"plane{i}", title=name, figure=figure, tracks=[trail], handles=[handle],
            clicks=sets, alt=f"Contours of {surface.name} with the path of {name}.",
        )
        for i, ((name, _, _), trail) in enumerate(zip(everyone, trails, strict=True))
    ]  # fmt: skip


def along(surface: Landscape, live: Picture, everyone: list[Entry]) -> list[pictures.Curved]:
    """The curvature along each path, and how much of it each rule bears at its learning rate."""
    parameters = problem.live_parameters(live, surface)
    found = []
    for place, (name, look, run) in enumerate(everyone):
        rule, options = run.result.optimizer, run.result.options
        least, most = eigenvalues_along(surface, run.x, run.y, parameters)
        bound = live_bound(rule, problem.live_hypers(x, live, place), options)
        symbol = limit_formula(rule, options).replace("λmax", "η")
        found.append(pictures.Curved(name, look, least, most, bound, symbol))
    return found


def map_of_diverged(results: list[Descent]) -> None:
    """The way to the map of the first run that got away."""
    gone = next((k for k, r in enumerate(results) if r.diverged_at is not None), None)
    surface = results[0].landscape
    bottomless = surface.minimum is None and surface.slug != problem.TYPED
    if gone is None or bottomless or not x["runs"][gone].has_rate:
        return
    runner = problem.as_it_runs(x, x["runs"][gone])
    label = f"Map which settings of {runner.optimizer.name} stay here"
    problem.link(x, "map", label, icon=":material/map:", runs=format_runners((runner,)), same="0")


def rates(surface: Landscape, names: list[str]) -> None:
    """Loss reached against the learning rate, for every runner that has one."""
    runners = x["runs"]
    looks = style.looks(r.slug for r in runners)
    shown, long, left = [], [], limits.TRIED_LINES
    for place, (name, look, runner) in enumerate(zip(names, looks, runners, strict=True)):
        if not runner.has_rate:
            continue
        length = length_of(surface, runner.optimizer, x["steps"], runner.options)
        if length > left:
            long.append(name)
            continue
        left -= length
        rate = problem.as_it_runs(x, runner).hypers.get("lr")
        shown.append((name, look, rates_of(place, surface), rate))
    if long:
        st.caption(TOO_LONG.format(", ".join(long)))
    if not shown:
        return
    stage(
        "race.rates",
        [
            Panel(
                id="rates",
                kind="chart",
                title=f"{pictures.loss_title(surface)} after {x['steps']} steps, against η",
                figure=pictures.rates(shown),
                alt="The loss that each learning rate reaches, one curve for each optimizer.",
            )
        ],
        frames=1,
        height=260,
        legend=False,
    )


def ends(live: Picture, names: list[str], runs: list[LiveDescent]) -> list[Any]:
    """What an embedded race says in one line: where each run ends above the minimum."""
    said = ", ".join(f"{name} {{:3}}" for name in names)
    return [
        words(
            f"Loss above its minimum after {{:.0f}} steps: {said}.",
            live["steps"],
            *(entry(run.gap, live["steps"]) for run in runs),
        )
    ]


@frame.following(x)
def answers(below: DeltaGenerator, made: list[list[Descent]], *, sensitive: bool) -> None:
    """What is said under the picture, and the numbers `below`; `made` has the runs that the picture
    was made of, to be taken once."""
    surface = problem.landscape(x)
    runs = made.pop() if made else [problem.run(x, runner, surface) for runner in x["runs"]]
    names = frame.distinct([r.optimizer.name for r in runs])
    facts = engine.explain_each(runs)
    problem.say_start(x, surface)
    embedded = st.context.is_embedded
    told = (frame.SENSITIVE if sensitive else "") + says.divergence(runs, facts)
    if not (embedded or x.hidden("stability")):
        told += says.against_limits(names, runs, facts)
    if told:
        st.html(told)
    if embedded:
        return
    numbers = "" if x.hidden("table") else says.table(names, runs, surface, x["target"])
    numbers += "" if x.hidden("stability") else says.stability(runs, facts)
    if numbers:
        below.html(numbers)
    with below:  # a link between picture and controls would lead keys back up on a phone
        map_of_diverged(runs)


def opening() -> None:
    """Title and lead, whose words choose who races where, and the fields of what is typed."""
    frame.opening(
        x,
        "The race",
        [
            "Race ", *side_by_side.runner_menus(x, MOST), " on ", problem.landscape_menu(x), ", ",
            x.menu("view"), ": drag the start, move a slider.",
        ],
    )  # fmt: skip
    side_by_side.typed(x)


@frame.fragment
def body() -> None:
    """The race: what is set, what is seen, and what came of it."""
    opening()
    view = frame.view(x, RACES)
    surface = problem.landscape(x)
    live = problem.live_picture(x, surface)
    runners: tuple[Runner, ...] = x["runs"]
    runs = [problem.live_run(x, live, place, surface) for place in range(len(runners))]
    results = [run.result for run in runs]
    names = frame.distinct([r.optimizer.name for r in runners])
    with view.picture:
        shown = stage(
            "race.stage",
            panels(surface, live, names, runs),
            live=live,
            frames=live["steps"] + 1.0,
            autoplay=True,
            restart=x.restart,
            height=view.height(520, 440),
            columns=3 if x["view"] == VIEWS[1] else [1.45, 1],
            sound="loss",
            lines=ends(live, names, runs) if view.embedded else (),
            alt=f"{len(runs)} optimizers on {problem.said(surface)}",
        )
    with view.panel:
        x.controls(
            groups(surface, live), live=live, height=view.height(640, 420), on_action=on_action
        )
    if said := st.session_state.pop("race.said", None):
        st.toast(said)
    below = st.container()
    with view.picture:
        answers(below, [results], sensitive=shown.sensitive)
    if x["rates"]:
        rates(surface, names)
    if not view.embedded:
        problem.about(x, surface)
        problem.as_code(x, surface, names)
        problem.link(x, "debugger", "Look inside a step", icon=":material/search:")
    frame.foot(x, "f(x, y) = " + surface.latex)
    x.publish()


body()
