"""Paths in weight space: a training seen on a plane, and its sharpness against what its rule bears.

The training is made in the reader's browser by the step that Python prints, in a worker, and by
Python at rest, whose numbers are then shown.
"""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from components.controls import Action, Group, Item
from components.stage import Panel, Track, stage
from engine.emit.picture import entry, words, written
from engine.optimizers import OPTIMIZERS
from engine.problems.networks import ACTIVATIONS
from engine.studies.live_weight_space import Follower, LiveSpace, live_space, parts
from engine.studies.weight_space import (
    RECORDS,
    RULES,
    TASKS,
    Path,
    Seen,
    Task,
    borne,
    divides,
    follow,
    random_walk,
    seen,
    stand,
    task,
    walk_shares,
)
from engine.tape import operations as ops
from figures import style
from figures import weight_space as pictures
from pages import frame, problem
from pages.competitors import ROUND, Runner, SomeRunners
from pages.side_by_side import Offer, copier, runner_menus
from pages.state import Choice, Flag, Integer, experiment
from pages.weight_space_presets import PRESETS

MOST = 3  # runs side by side
PLANES = {"pca": "of most variance", "random": "of random, filter-normalised directions"}
STANDS = {
    "below": "This path never comes to it, so nothing holds its sharpness.",
    "at": "A network is no parabola: past it the steps begin to swing across the sharpest "
    "direction, and the swing itself leads to where it is flatter, so that sharpness ends at the "
    "edge while the loss goes on falling in the long run.",
    "off": "This path came to it and left it again: at its end its sharpness is elsewhere.",
}
# Rules that may be followed, and a rate for one that joins.
ADDED = dict.fromkeys(RULES, 0.01) | {
    "sgd": 0.25,
    "momentum": 0.05,
    "nesterov": 0.05,
    "lion": 0.003,
}
OFFER = Offer(
    {slug: OPTIMIZERS[slug].name for slug in RULES},
    lambda slug: Runner(slug).with_setting("lr", ADDED[slug]),
)


x = experiment(
    "weight_space",
    [
        Choice("data", "curve", list(TASKS), label="learned", says=TASKS),
        SomeRunners("runs", "sgd:lr=0.25", RULES, MOST),
        Integer("steps", 2000, RECORDS, 3000, label="steps", scale="log"),
        Integer("width", 12, 2, 16, label="width", help="units in each hidden layer"),
        Integer("depth", 2, 1, 3, label="hidden layers"),
        Choice("activation", "tanh", list(ACTIVATIONS), label="activation"),
        Integer("seed", 0, 0, 99, label="seed", help="of weights and data"),
        Choice("plane", "pca", list(PLANES), label="plane", says=PLANES),
        Integer("draw", 0, 0, 99, label="draw", help="of the random plane and the walk"),
        Flag("share", False, label="sharpness as a share of its limit"),
        Flag("walk", False, label="a random walk beside", help="with as many points and numbers"),
    ],
    parts=("add",),
)  # fmt: skip


@st.cache_data(max_entries=128, show_spinner=False)
def followed(
    what: tuple[Any, ...], rule: str, hypers: tuple[Any, ...], options: tuple[Any, ...], steps: int
) -> Path:
    """A training as it was measured."""
    return follow(task(*what), rule, dict(hypers), dict(options), steps=steps)


def values_of(runner: Runner) -> dict[str, float]:
    """All its hyper-parameters, the default where none is chosen."""
    return {h.name: runner.value(h) for h in runner.optimizer.hypers}


def options_of(runner: Runner) -> tuple[tuple[str, str | bool], ...]:
    """All its options."""
    return tuple(runner.optimizer.option_values(runner.options).items())


def groups(names: list[str], looks: tuple[style.Look, ...]) -> list[Group]:
    """Every run, the network, the plane."""
    runs = [
        Group(
            id=str(place), title=name, color=look.color, dash=look.dash, marker=look.marker,
            items=[
                item
                for item in problem.runner_items(place, runner)
                if getattr(item, "name", "") != f"{place}/{ROUND}"
            ],
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


def panels(
    found: LiveSpace, names: list[str], looks: tuple[style.Look, ...], live: Any
) -> tuple[list[Panel], list[pictures.Shown]]:
    """The plane, sharpness and loss, and a random walk where it is wanted."""
    runs = []
    for k, (name, look, runner) in enumerate(zip(names, looks, x["runs"], strict=True)):
        hypers = {n: live[f"{k}/{n}"] for n in values_of(runner)}
        bound = borne(runner.optimizer, hypers, runner.options)
        loss, sharp = found.part(f"loss{k}"), found.part(f"sharpness{k}")
        own = divides(runner.optimizer, runner.options)
        effective = found.part(f"effective{k}")
        runs.append(pictures.Shown(name, look, loss, sharp, effective, bound, own))
    at = ops.reshape(live["steps"], (1,)) * [k / RECORDS for k in range(RECORDS + 1)]

    def tracks(values: list[Any], over: Any = None) -> list[Track]:
        return [
            Track(
                x=found.part(f"x{k}") if over is None else over, y=value,
                color=run.look.color, dash=run.look.dash, marker=run.look.marker, label=run.name,
                stop=found.part(f"stopped{k}"), mode="trail" if over is None else "curve",
            )
            for k, (run, value) in enumerate(zip(runs, values, strict=True))
        ]  # fmt: skip

    key = f"{x['plane']}{x['data']}"
    plane = pictures.plane(found.part("across"), found.part("up"), found.part("grid"), runs, key)
    title = "on a random plane" if x["plane"] == "random" else "on the plane of most variance"
    shown = [
        Panel(
            id="plane", figure=plane, rows=2, title=f"the path {title}", tab="plane",
            tracks=tracks([found.part(f"y{k}") for k in range(len(runs))]),
            alt=f"The loss {title}, with the path of {', '.join(names)}.",
        ),
        Panel(
            id="sharpness", kind="chart", title="sharpness as a share of its limit", cursor=at,
            tab="sharpness", figure=pictures.shares(runs, live["steps"]),
            tracks=tracks([run.share for run in runs], at),
            alt="Sharpness against step, as a share of what each rule bears.",
        )
        if x["share"] else
        Panel(
            id="sharpness", kind="chart", title="sharpness: the largest curvature", cursor=at,
            tab="sharpness", figure=pictures.sharpness(runs, live["steps"]),
            tracks=tracks([run.sharpness for run in runs], at),
            alt="The Hessian's largest eigenvalue against step.",
        ),
        Panel(
            id="loss", kind="chart", title="loss", tab="loss", cursor=at,
            figure=pictures.loss(runs, live["steps"]),
            tracks=tracks([run.loss for run in runs], at), alt="Loss against step.",
        ),
    ]  # fmt: skip
    return shown, runs


def walk_panel(size: int) -> Panel:
    """A random walk with as many points and numbers as a path."""
    across, up, share = random_walk(RECORDS + 1, size, x["draw"])
    return Panel(
        id="walk", kind="chart", tab="walk", rows=2, figure=pictures.walk(across, up),
        title=f"a random walk: {written(share.sum(), '.0%')} of its variance",
        alt="A random walk on its own plane: a bend that looks like a path with an aim.",
    )  # fmt: skip


def lines(found: LiveSpace, runs: list[pictures.Shown], embedded: bool) -> list[Any]:
    """The sentences that follow the hand."""
    said: list[Any] = []
    for k, run in enumerate(runs if not embedded else runs[:1]):
        stopped = found.part(f"stopped{k}")
        last = ops.where(stopped >= 0, stopped - 1, float(RECORDS))
        end, loss = entry(run.sharpness, last), entry(run.loss, last)
        against = [] if run.bound is None else [entry(run.share, last), run.bound]
        of = " (in its own metric {:.2f} of its limit {:3})" if run.own else (
            " ({:.2f} of its limit {:3})" if against else "")  # fmt: skip
        text = f"{run.name}: sharpness ends at {{:3}}{of}, the loss at {{:3}}."
        said.append(words(text, end, *against, loss))
    one, two = found.part("share1"), found.part("share2")
    said.append(
        words("The plane holds {:.1%} of the variance, {:.1%} and {:.1%}.", one + two, one, two)
    )
    return said


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
    paths = [
        followed(what, r.slug, tuple(values_of(r).items()), options_of(r), x["steps"])
        for r in runners
    ]
    here = seen(made, paths, x["plane"], x["draw"])
    live = x.live()
    followers = [
        Follower(r.slug, {n: live[f"{k}/{n}"] for n in values_of(r)}, options_of(r))
        for k, r in enumerate(runners)
    ]
    found = live_space(
        made, followers, live["steps"], parts(paths, here), plane=x["plane"], draw=x["draw"]
    )
    shown, runs = panels(found, names, looks, live)
    if x["walk"]:
        shown.insert(1, walk_panel(made.network.size))
    with view.picture:
        stage(
            "weight_space.stage", shown, live=live, frames=RECORDS + 1, frame_name="record",
            height=view.height(600, 430), columns=[1.2, 0.8, 1] if x["walk"] else [1.2, 1],
            lines=lines(found, runs, view.embedded), restart=x.restart,
        )  # fmt: skip
    with view.panel:
        x.controls(
            groups(names, looks), live=live, height=view.height(660, 400), on_action=copier(x, MOST)
        )
    if not view.embedded:
        told(made, paths, here)
    frame.foot(x, r"\lambda_{\max}(\nabla^2\mathcal L(w_t)) \to 2/\eta")
    x.publish()


def told(made: Task, paths: list[Path], here: Seen) -> None:
    """What the edge is, what the plane shows and what it cannot."""
    size, walk = made.network.size, walk_shares(RECORDS + 1)
    first: Runner = x["runs"][0]
    bound = borne(first.optimizer, values_of(first), dict(options_of(first)))
    where = "lost" if bound is None else stand(paths[0], bound)
    if where in STANDS:
        own = ", measured by what it divides by," if divides(first.optimizer, first.options) else ""
        frame.notice(
            f"On a parabola {first.optimizer.name} at η = {written(values_of(first)['lr'], '3')} "
            f"is stable up to a curvature of {written(bound, '3')}{own} and is thrown out beyond "
            f"it. {STANDS[where]}"
        )
    frame.notice(
        f"The network learns {TASKS[x['data']]}: {len(made.x)} examples, all in every step, and "
        f"{size} weights. The plane passes through the end of the first path: there alone its "
        "loss is the path's own, elsewhere a path lies above or below. Where the first path "
        f"starts its loss is {written(paths[0].loss[0], '3')}; on the plane, at that place, it is "
        f"{written(here.below, '3')}. A random walk of {RECORDS + 1} points in very many "
        f"dimensions is expected to have {written(walk.sum(), '.0%')} of its variance on its own "
        "plane: a share on a plane that was fitted to a path is to be held against that."
    )
    for runner, path in zip(x["runs"], paths, strict=True):
        if len(path.loss) > RECORDS:
            continue
        name = html.escape(runner.optimizer.name)
        n = len(path.loss) * x["steps"] // RECORDS
        frame.notice(
            f"{name} is lost near step {written(n, 'd')}: the rate is beyond the edge for good, "
            "and every step throws the weights further."
        )


body()
