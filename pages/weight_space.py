"""Paths in weight space: a training seen on a plane, and its sharpness against what its rule bears.

The training is made in the reader's browser by the step that Python prints, in a worker, and by
Python at rest, whose numbers are then shown.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from components.controls import Action, Group, Item
from components.stage import stage
from engine.optimizers import OPTIMIZERS
from engine.problems.networks import ACTIVATIONS
from engine.studies.live_weight_space import Follower, Rule, live_space, parts
from engine.studies.weight_space import RECORDS, RULES, TASKS, Path, follow, seen, task
from figures import style
from figures.training import usual_rate
from pages import frame, problem
from pages import weight_space_views as views
from pages.competitors import TYPED, Runner, SomeRunners, format_runners, parse_runners
from pages.side_by_side import OWN_RULE, Offer, copier, fresh_rule, own_rules, runner_menus
from pages.state import Choice, Flag, Integer, experiment
from pages.weight_space_presets import PRESETS

MOST = 3  # runs side by side
PLANES = {"pca": "of most variance", "random": "of random, filter-normalised directions"}
# Rates of those that join, where small networks' usual ones do not suit these tasks.
ADDED = {
    "sgd": 0.25,
    "momentum": 0.05,
    "nesterov": 0.05,
    "lion": 0.003,
    "signum": 0.003,
    "sophia": 0.003,
}


def newcomer(slug: str) -> Runner:
    """A run that joins, at a rate that suits these tasks."""
    runner = fresh_rule(slug)
    if not runner.has_rate:
        return runner
    return runner.with_setting("lr", ADDED.get(slug, usual_rate(runner.optimizer)))


OFFER = Offer({slug: OPTIMIZERS[slug].name for slug in RULES} | {TYPED: OWN_RULE}, newcomer)

x = experiment(
    "weight_space",
    [
        Choice("data", "curve", list(TASKS), label="learned", says=TASKS),
        SomeRunners("runs", "sgd:lr=0.25", (*RULES, TYPED), MOST, wrapped=True),
        Integer("steps", 2000, RECORDS, 3000, label="steps", scale="log"),
        Integer("width", 12, 2, 16, label="width", help="units in each hidden layer"),
        Integer("depth", 2, 1, 3, label="hidden layers"),
        Choice("activation", "tanh", list(ACTIVATIONS), label="activation"),
        Integer("seed", 0, 0, 99, label="seed", help="of weights and data"),
        Choice("plane", "pca", list(PLANES), label="plane", says=PLANES),
        Integer("draw", 0, 0, 99, label="random draw", help="of the random plane and the walk"),
        Flag("share", False, label="sharpness as a share of its limit"),
        Flag("walk", False, label="a random walk beside", help="with as many points and numbers"),
    ],
    parts=("add",),
)  # fmt: skip


@st.cache_data(max_entries=128, show_spinner=False)
def followed(what: tuple[Any, ...], run: str, steps: int) -> Path:
    """A training as it was measured; run is a runner as a link says it."""
    (runner,) = parse_runners(run)
    return follow(
        task(*what), runner.optimizer, views.values_of(runner), dict(views.options_of(runner)),
        steps=steps,
    )  # fmt: skip


def rule_of(runner: Runner) -> Rule:
    """The runner's rule for the study, by its name or its text."""
    return Rule(f"{runner.slug} {runner.rule}", runner.optimizer, views.options_of(runner))


def groups(names: list[str], looks: tuple[style.Look, ...]) -> list[Group]:
    """Every run, the network, the plane."""
    runs = [
        Group(
            id=str(place), title=name, color=look.color, dash=look.dash, marker=look.marker,
            items=problem.runner_items(place, runner),
            collapsed=place > 0,
            actions=[
                Action(id="copy", label="duplicate", icon="copy"),
                Action(id="remove", label="remove", icon="remove"),
            ],
        )
        for place, (name, look, runner) in enumerate(zip(names, looks, x["runs"], strict=True))
    ]  # fmt: skip
    plane: list[Item] = [x.toggle("share"), x.toggle("walk"), x.slider("draw")]
    net: list[Item] = [*map(x.slider, ("steps", "width", "depth", "seed"))]
    return [
        *runs,
        Group(id="plane", title="Pictures", items=plane),
        Group(id="net", title="Network", items=[*net, x.chooser("activation")]),
    ]


def opening() -> None:
    """Title and lead, whose words choose who learns what, and the plane."""
    frame.opening(
        x,
        "Paths in weight space",
        [
            *runner_menus(x, MOST, offer=OFFER),
            " learn " if len(x["runs"]) > 1 else " learns ",
            x.menu("data"),
            ", seen on a plane ",
            x.menu("plane"),
            ", and how sharp it gets.",
        ],
    )


@frame.fragment
def body() -> None:
    """The pictures and their controls."""
    opening()
    view = frame.view(x, PRESETS)
    runners: tuple[Runner, ...] = x["runs"]
    looks = style.looks(runner.slug for runner in runners)
    names = frame.distinct([runner.optimizer.name for runner in runners])
    what = (x["data"], x["width"], x["depth"], x["activation"], x["seed"])
    made = task(*what)
    paths = [followed(what, format_runners((r,)), x["steps"]) for r in runners]
    here = seen(made, paths, x["plane"], x["draw"])
    live = x.live()
    followers = [
        Follower(rule_of(r), {n: live[f"{k}/{n}"] for n in views.values_of(r)})
        for k, r in enumerate(runners)
    ]
    found = live_space(
        made, followers, live["steps"], parts(paths, here), plane=x["plane"], draw=x["draw"]
    )
    shown, runs = views.panels(x, found, names, looks, live)
    if x["walk"]:
        shown.insert(1, views.walk_panel(x, made.network.size))
    with view.picture:
        if not view.embedded and not x.hidden("setup"):
            own_rules(x, range(len(runners)))
        stage(
            "weight_space.stage", shown, live=live, frames=RECORDS + 1, frame_name="record",
            height=view.height(600, 430), columns=[1.2, 0.8, 1] if x["walk"] else [1.2, 1],
            lines=views.lines(found, runs, view.embedded), restart=x.restart, sound="loss",
        )  # fmt: skip
    with view.panel:
        x.controls(
            groups(names, looks), live=live, height=view.height(660, 400), on_action=copier(x, MOST)
        )
    if not view.embedded:
        views.told(x, made, paths, here)
    frame.foot(x, r"\lambda_{\max}(\nabla^2\mathcal L(w_t)) \to 2/\eta")
    x.publish()


body()
