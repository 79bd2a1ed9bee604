"""Loss meets optimizer: the loss chosen changes landscape, pull and race of one neuron.

Two losses stand side by side under the same examples, the same start and the same rules.
"""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from components.controls import Group
from components.stage import Handle, Panel, Track, stage
from engine.emit.picture import Picture, round_to, stack, words, written
from engine.runs.live import LiveDescent, live_descend
from engine.runs.objectives import LOSSES
from engine.studies import loss_race as study
from figures import loss_race as pictures
from figures import style
from pages import frame, problem, side_by_side
from pages.competitors import SomeRunners
from pages.loss_racers import MOST, OFFER, PRESETS, RATES
from pages.state import Choice, Integer, Number, Numbers, experiment

SAYS = {slug: loss.name for slug, loss in LOSSES.items()}

x = experiment(
    "loss_race",
    [
        Choice("loss", "mse", list(LOSSES), label="loss", says=SAYS),
        Choice("other", "cross_entropy", list(LOSSES), label="beside it", says=SAYS),
        SomeRunners("runs", "sgd:lr=1;momentum:lr=0.3;adam:lr=0.1", tuple(RATES), MOST),
        Numbers("start", study.START, -7.0, 6.0, count=(2, 2)),
        Number(
            "share", 0.05, 0.01, 0.5, label="share of class 1", symbol="π", scale="log",
            help="of all examples: how rare it is",
        ),
        Number("gamma", 2.0, 0.0, 5.0, label="focus of focal loss", symbol="γ"),
        Number("smoothing", 0.0, 0.0, 0.4, label="label smoothing", symbol="s"),
        Integer("steps", 300, 10, 1000, label="steps", scale="log"),
    ],
    parts=("add", "table"),
)  # fmt: skip


def raced(live: Picture, loss: str) -> list[LiveDescent]:
    """Every rule on that loss."""
    start = live["start"]
    return [
        live_descend(
            study.SURFACES[loss], runner.optimizer, (start[0], start[1]), live["steps"],
            {h.name: live[f"{place}/{h.name}"] for h in runner.optimizer.hypers},
            parameters={name: live[name] for name in ("share", "gamma", "smoothing")},
            options=runner.options,
        )
        for place, runner in enumerate(x["runs"])
    ]  # fmt: skip


Named = list[tuple[str, style.Look]]


def plane(live: Picture, side: str, loss: str, runs: list[LiveDescent], named: Named) -> Panel:
    """The landscape of a loss with the runs from the start, which can be dragged."""
    hand_x, hand_y = live.hand
    moved = {"start": stack(round_to(hand_x, 2), round_to(hand_y, 2))}
    parameters = {name: live[name] for name in ("share", "gamma", "smoothing")}
    (w0, w1), (b0, b1) = study.SURFACES[loss].domain
    return Panel(
        id=side, title=f"{SAYS[loss]}: its landscape", tab=SAYS[loss],
        figure=pictures.plane(loss, parameters), clicks=moved,
        tracks=[
            Track(
                x=run.x, y=run.y, color=look.color, dash=look.dash, marker=look.marker, label=name,
                stop=run.stopped,
            )
            for run, (name, look) in zip(runs, named, strict=True)
        ],
        handles=[
            Handle(
                id=f"start-{side}", spoken=f"start on {SAYS[loss]}", x=live["start"][0],
                y=live["start"][1], sets=moved, minimum=(w0, b0), maximum=(w1, b1),
            )
        ],
        alt=f"Contours of {SAYS[loss]} over slope and intercept, with the path of each rule.",
    )  # fmt: skip


def rare(live: Picture, side: str, loss: str, runs: list[LiveDescent], named: Named) -> Panel:
    """What the runs make of the rare class."""
    return Panel(
        id=f"rare-{side}", kind="chart", title=f"{SAYS[loss]}: mean p of class 1 on its examples",
        tab=f"class 1, {SAYS[loss]}", figure=pictures.rare_axes(live["steps"]), cursor=True,
        tracks=[
            Track(
                y=study.confidence(run.x, run.y, study.RARE, 1.0), color=look.color,
                dash=look.dash, marker=look.marker, label=name, stop=run.stopped, mode="curve",
            )
            for run, (name, look) in zip(runs, named, strict=True)
        ],
        alt=f"Mean probability of class 1 on its examples under {SAYS[loss]}, one line a rule.",
    )  # fmt: skip


def show(live: Picture, runs: list[list[LiveDescent]], named: Named, view: frame.View) -> None:
    """Two losses side by side, what they pull, and what becomes of the rare class."""
    chosen = (x["loss"], x["other"])
    sides = [
        make(live, side, loss, found, named)
        for make in (plane, rare)
        for side, loss, found in zip(("left", "right"), chosen, runs, strict=True)
    ]
    start, gamma, smoothing = live["start"], live["gamma"], live["smoothing"]
    pull = Panel(
        id="pulls", kind="chart", title="pull on class 1, its examples at the start", tab="pull",
        figure=pictures.pulls(chosen, start[0], start[1], gamma, smoothing),
        alt="Size of the gradient by the logit for an example of class 1, for both losses.",
    )  # fmt: skip
    ends = [(run.x[-1], run.y[-1], look) for run, (_, look) in zip(runs[0], named, strict=True)]
    neuron = Panel(
        id="neuron", kind="chart", title=f"{SAYS[chosen[0]]}: the neuron at the end", tab="neuron",
        figure=pictures.neuron(ends),
        alt="Examples of both classes with the curve of the neuron where each run ended.",
    )  # fmt: skip
    reached = [study.confidence(run[0].x[-1], run[0].y[-1], study.RARE, 1.0) for run in runs]
    stage(
        "loss_race.stage",
        sides[:2] if view.embedded else [*sides[:2], pull, *sides[2:], neuron],
        live=live, frames=live["steps"] + 1.0, restart=x.restart,
        height=view.height(640, 400), columns=[1] * (2 if view.embedded else 3),
        alt="Two losses under the same optimizers",
        lines=[
            words(
                f"{named[0][0]} gives the rare class p = {{:.2f}} on average under "
                f"{SAYS[chosen[0]]}, {{:.2f}} under {SAYS[chosen[1]]}.",
                *reached,
            )
        ],
    )  # fmt: skip


def table(runs: list[list[LiveDescent]], named: Named) -> None:
    """Where each run ended, by both losses."""
    rows = []
    for loss, found in zip((x["loss"], x["other"]), runs, strict=True):
        for run, (name, look) in zip(found, named, strict=True):
            end = study.outcome(run.result.path)
            rows.append([
                SAYS[loss], frame.swatch(look) + html.escape(name),
                "never" if np.isnan(end.found) else written(end.found, "d"),
                written(end.rare_right, ".0%"), written(end.rare_p, ".2f"),
                written(end.common_right, ".0%"), written(end.common_p, ".2f"),
            ])  # fmt: skip
    frame.table(
        ("loss", "optimizer", "most of class 1 right from step", "class 1 right", "its mean p",
         "class 0 right", "its mean p"),
        rows,
    )  # fmt: skip
    st.caption(
        "p is the probability of the true class. Losses are not compared by their values, which "
        "have no common scale, but by what they bring about."
    )


def groups(named: Named) -> list[Group]:
    """The losses, the data, and every rule."""
    own = [
        Group(
            id=str(place), title=name, color=look.color, dash=look.dash, marker=look.marker,
            items=[
                problem.hyper_slider(h, runner.value(h), f"{place}/{h.name}")
                for h in runner.optimizer.hypers
            ],
            collapsed=place > 0,
        )
        for place, (runner, (name, look)) in enumerate(zip(x["runs"], named, strict=True))
    ]  # fmt: skip
    focus = [x.slider("gamma")] if "focal" in (x["loss"], x["other"]) else []
    about = [x.slider("share"), *focus, x.slider("smoothing"), x.slider("steps")]
    return [Group(id="loss", title="Examples and labels", items=about), *own]


@frame.fragment
def body() -> None:
    """Two losses and the race on them."""
    frame.opening(
        x, "Loss meets optimizer",
        [
            *side_by_side.runner_menus(x, MOST, offer=OFFER), " descend ", x.menu("loss"),
            " beside ", x.menu("other"), ": drag the start.",
        ],
    )  # fmt: skip
    view = frame.view(x, PRESETS)
    names = frame.distinct([runner.optimizer.name for runner in x["runs"]])
    named = list(zip(names, style.looks(r.slug for r in x["runs"]), strict=True))
    live = x.live()
    runs = [raced(live, loss) for loss in (x["loss"], x["other"])]
    with view.picture:
        show(live, runs, named, view)
    with view.panel:
        x.controls(groups(named), live=live, height=view.height(640, 400))
    if not view.embedded and not x.hidden("table"):
        table(runs, named)
    frame.foot(x, r"\mathcal L = (1-\pi)\,\overline{\ell(z, 0)} + \pi\,\overline{\ell(z, 1)}")
    x.publish()


body()
