"""The home: what this is, a race to play with at once, and every topic of the course."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from components.controls import Group, Item, Slider
from components.stage import Handle, Panel, Track, stage
from components.topics import topics
from engine.emit.picture import Picture, entry, stack, words
from engine.problems.landscapes import Landscape
from engine.runs.live import LiveDescent
from engine.tape import operations as ops
from figures import race as pictures
from figures import style
from pages import frame, problem
from pages.state import experiment
from pages.topics import cards

HERE = Path(__file__).resolve().parent
# What only the race knows: links to it were once links to the root.
RACES_OWN = ("target", "view", "rates", "curvature")

if any(name in st.query_params for name in RACES_OWN):
    st.switch_page(HERE / "race.py", query_params=st.query_params.to_dict())

x = experiment("home", problem.fields(runs="sgd;momentum:beta=0.8", same=True, steps=120))


def go(address: str) -> None:
    """Open what a card leads to."""
    parts = urlsplit(address)
    st.switch_page(HERE / f"{parts.path}.py", query_params=dict(parse_qsl(parts.query)))


def track(name: str, look: style.Look, run: LiveDescent, **more: Any) -> Track:
    """A runner's moving mark."""
    return Track(
        color=look.color, dash=look.dash, marker=look.marker, label=name, stop=run.stopped, **more
    )


def panels(
    surface: Landscape, live: Picture, names: list[str], runs: list[LiveDescent]
) -> list[Panel]:
    """The plane with its start to drag, and the loss beside it."""
    looks = style.looks(run.result.optimizer.slug for run in runs)
    everyone = list(zip(names, looks, runs, strict=True))
    start, (hand_x, hand_y) = live["start"], live.hand
    (x0, x1), (y0, y1) = surface.domain
    sets = {"start": stack(hand_x, hand_y)}
    decades = pictures.logarithmic(surface, [run.result.gap for run in runs])
    floored = [ops.maximum(run.gap, pictures.FLOOR) if decades else run.gap for run in runs]
    return [
        Panel(
            id="plane",
            figure=pictures.plane(
                surface, log=x["log"], parameters=problem.live_parameters(live, surface)
            ),
            tracks=[track(name, look, run, x=run.x, y=run.y) for name, look, run in everyone],
            handles=[
                Handle(
                    id="start", x=start[0], y=start[1], label="drag the start", spoken="start",
                    sets=sets, minimum=(x0, y0), maximum=(x1, y1),
                )
            ],
            clicks=sets,
            alt=f"Contours of {surface.name} with the path of each optimizer from the start.",
        ),
        Panel(
            id="loss",
            kind="chart",
            title=pictures.loss_title(surface),
            figure=pictures.loss_axes(
                [run.gap for run in runs], live["steps"], log=decades, target=0.01,
                ends=[(name, look, run.length) for name, look, run in everyone],
            ),
            tracks=[
                track(name, look, run, y=curve, mode="curve")
                for (name, look, run), curve in zip(everyone, floored, strict=True)
            ],
            cursor=True,
            alt="Loss against step, one curve for each optimizer.",
        ),
    ]  # fmt: skip


def groups(surface: Landscape) -> list[Group]:
    """A few sliders: the rate that all share, what each has of its own, the valley."""
    items: list[Item] = [x.slider("lr", default=surface.lr)]
    for place, runner in enumerate(x["runs"]):
        own = problem.runner_items(place, runner, without={"lr"})
        items += [item for item in own if isinstance(item, Slider)][:1]
    items += problem.landscape_sliders(x, surface)[:1]
    return [Group(id="race", title="", items=items)]


@frame.fragment
def body() -> None:
    """The race."""
    surface = problem.landscape(x)
    live = problem.live_picture(x, surface)
    runs = [problem.live_run(x, live, place, surface) for place in range(len(x["runs"]))]
    names = frame.distinct([runner.optimizer.name for runner in x["runs"]])
    view = frame.view(x, panel=0.24)
    with view.picture:
        stage(
            "home.stage",
            panels(surface, live, names, runs),
            live=live,
            frames=live["steps"] + 1.0,
            autoplay=True,
            restart=x.restart,
            height=view.height(330, 400),
            columns=[1.45, 1],
            sound="loss",
            lines=[
                words(
                    "Loss above its minimum after {:.0f} steps: "
                    + ", ".join(f"{name} {{:3}}" for name in names)
                    + ".",
                    live["steps"],
                    *(entry(run.gap, live["steps"]) for run in runs),
                )
            ],
            alt=f"{len(runs)} optimizers on {problem.said(surface)}",
        )
        problem.say_start(x, surface)
    with view.panel:
        x.controls(groups(surface), live=live, height=view.height(300, 360))
        problem.link(x, "race", "Open the whole race", icon=":material/open_in_full:")
    frame.foot(x, "f(x, y) = " + surface.latex)
    x.publish()


frame.opening(
    x,
    "Descent Lab",
    "A laboratory of losses, gradients and optimizers, computed under your hand. Drag the start; "
    "raise η past 0.02; take a topic below.",
)
body()
if not st.context.is_embedded and (asked := topics("home.topics", cards())):
    go(asked)
