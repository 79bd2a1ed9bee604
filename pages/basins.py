"""Basins: where does a run from every start end? A picture an optimizer, a colour a minimum."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

import engine
from components.controls import Group, controls
from components.stage import Event, Handle, Panel, Raster, Track, stage
from engine.problems import minima as basins
from engine.problems.landscapes import Landscape
from engine.problems.minima import Minimum
from engine.runs import cluster
from engine.runs.sweeps import Sweep
from engine.studies import maps
from figures import maps as pictures
from figures import style
from pages import frame, problem, prose, several
from pages.presets import Preset
from pages.refine import FINE, refined
from pages.runners import Runner
from pages.state import experiment

PRESETS = (
    Preset(
        "Four equal minima",
        "good",
        "Gradient descent keeps to the quarter it starts in; momentum flies over ridges, and its "
        "basins fold into each other.",
        {},
    ),
    Preset(
        "A larger step",
        "bad",
        "Near the stability limit the borders break up: from there a run can end anywhere.",
        {"runs": "sgd:lr=0.018;momentum:lr=0.018,beta=0.6"},
    ),
    Preset(
        "Wells of different depth",
        "good",
        "Four wells, one the deepest: no rule looks for it, the start decides.",
        {"on": "styblinski_tang", "runs": "sgd:lr=0.01;adam:lr=0.3"},
    ),
    Preset(
        "Two humps",
        "good",
        "Six minima, two of them global, in stripes that momentum shears.",
        {"on": "six_hump_camel", "runs": "sgd:lr=0.02;momentum:lr=0.02,beta=0.9"},
    ),
    Preset(
        "Noise leaves the sharp well",
        "good",
        "Without noise the narrow well keeps whoever starts in it. With noise fewer stay.",
        {"on": "two_wells", "runs": "sgd:lr=0.1;momentum:lr=0.05,beta=0.9", "noise": "3"},
    ),
)

x = experiment(
    "basins",
    problem.fields(runs="sgd:lr=0.01;momentum:lr=0.01,beta=0.9", on="himmelblau", steps=200),
)

frame.opening(
    x,
    "Basins",
    "Every point of the picture is a start, coloured by the minimum its run ends in. "
    "Move a learning rate and watch the borders; click a start to replay its run.",
)


@dataclass(frozen=True)
class Basin:
    """What is drawn of a sweep of starts: the label of each, (up, across)."""

    labels: np.ndarray[Any, np.dtype[np.int32]]


def mark(runner: Runner, surface: Landscape) -> str:
    """The same for the same picture: the marked start does not count."""
    said = (
        surface.slug, surface.name, sorted(surface.arguments.items()), runner.slug, runner.rule,
        sorted(runner.optimizer.hyper_values(runner.hypers).items()),
        sorted(runner.options.items()), x["steps"], x["noise"], x["seed"],
    )  # fmt: skip
    return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()


def sweep_starts(
    runner: Runner,
    surface: Landscape,
    steps: int,
    noise: float,
    seed: int,
    side: int,
    progress: Callable[[float], None],
    cancelled: Callable[[], bool],
) -> Basin:
    """The minimum that each start of the window leads to; asks nothing of Streamlit."""
    axes = {name: maps.default_axis(surface, runner.optimizer, name) for name in ("y", "x")}
    found: Sweep = engine.sweep(
        surface, runner.optimizer, {name: axis.values(side) for name, axis in axes.items()},
        surface.start, steps, hypers=runner.hypers, options=runner.options, noise=noise, seed=seed,
        executor=cluster.executor()[0] if side == FINE else None, progress=progress,
        cancelled=cancelled,
    )  # fmt: skip
    return Basin(found.nearest_minimum)


def on_stage(event: Event) -> None:
    """A click or a drag chooses the start whose run is replayed in every picture."""
    x.change({"start": (event.x, event.y)}, by="stage", held=event.kind == "drag")


def groups(surface: Landscape, runners: list[Runner]) -> list[Group]:
    """Every runner first, as its learning rate is what moves the borders; then the rest."""
    looks = style.looks(r.slug for r in runners)
    names = frame.distinct([r.optimizer.name for r in runners])
    own = [
        Group(
            id=str(place), title=name, color=look.color, dash=look.dash, marker=look.marker,
            items=several.items(place, runner), collapsed=len(runners) > 2,
        )
        for place, (name, runner, look) in enumerate(zip(names, runners, looks, strict=True))
    ]  # fmt: skip
    return [*own, *problem.landscape_groups(x, surface)]


def panel(
    place: int, name: str, runner: Runner, surface: Landscape, basin: Basin,
    minima: tuple[Minimum, ...], look: style.Look,
) -> Panel:  # fmt: skip
    """The basins of one optimizer, with the run from the marked start over them."""
    run = problem.run(x, runner, surface)
    (x0, x1), (y0, y1) = surface.window
    begin = problem.start_point(x, surface)
    return Panel(
        id=f"basins{place}",
        title=name,
        figure=pictures.basin_plane(surface, minima, log=x["log"]),
        rasters=[
            Raster(
                values=pictures.basin_cells(basin.labels, len(minima)),
                palette=pictures.basin_palette(len(minima)), x0=x0, x1=x1, y0=y0, y1=y1,
                names=("x", "y"),
            )
        ],
        tracks=[
            Track(
                x=run.path[:, 0], y=run.path[:, 1], color=pictures.MARK, dash=look.dash,
                marker=look.marker, label=name, stop=run.diverged_at,
            )
        ],
        handles=[Handle(id="start", x=begin[0], y=begin[1], label="start", color=pictures.MARK)],
        alt=f"Which minimum each start leads {name} to.",
    )  # fmt: skip


def table(
    names: list[str], runners: list[Runner], found: list[Basin], minima: tuple[Minimum, ...]
) -> None:
    """How much of the window each minimum draws in, per optimizer."""
    looks = style.looks(r.slug for r in runners)
    shown = min(len(minima), 8)
    head = [
        "",
        *(
            f"{pictures.minimum_name(i)}{'★' if m.is_global else ''} ({m.x:.2f}, {m.y:.2f})"
            for i, m in enumerate(minima[:shown])
        ),
        *(["other minima"] if len(minima) > shown else []),
        "no minimum",
        "diverged",
    ]
    rows = []
    for name, look, basin in zip(names, looks, found, strict=True):
        shares = basins.shares(basin.labels, len(minima))
        parts = [*shares[:shown], *([sum(shares[shown:-2])] if len(minima) > shown else [])]
        rows.append(
            [frame.swatch(look) + html.escape(name), *(f"{s:.1%}" for s in [*parts, *shares[-2:]])]
        )
    frame.table(head, rows)


def notice(names: list[str], found: list[Basin], minima: tuple[Minimum, ...]) -> None:
    """What to see, in a sentence, with the numbers of now."""
    if not minima:
        prose.notice("This landscape has no minimum in the window: runs pass through it.")
        return
    count = sum(m.is_global for m in minima)
    if count < len(minima):
        parts = [
            f"{name} ends in {'the' if count == 1 else 'a'} global minimum from "
            f"**{basins.share_of_global(basin.labels, minima):.0%}** of the starts"
            for name, basin in zip(names, found, strict=True)
        ]
        prose.notice("; ".join(parts) + ".")
    elif len(found) > 1:
        differ = basins.disagreement([basin.labels for basin in found])
        prose.notice(
            f"From **{differ:.0%}** of the starts the optimizers do not all end in the same place."
        )
    else:
        kept = basins.shares(found[0].labels, len(minima))
        prose.notice(f"**{kept[-2] + kept[-1]:.0%}** of the starts end in no minimum.")


@st.fragment
def body() -> None:
    """The pictures; reruns alone while sliders move or finer cells arrive."""
    embedded = bool(st.context.is_embedded)
    if not embedded and not x.hidden("setup"):
        left, right = st.columns([1, 2], vertical_alignment="center")
        problem.choose_landscape(x, left)
        several.choose(x, right)
        problem.type_formula(x)
    bar = st.empty()
    picture, settings = (
        (st.container(), None) if x.hidden("controls") else st.columns([3, 1.05], gap="medium")
    )
    if settings is not None:
        with settings:
            shown = groups(problem.landscape(x), list(x["runs"][: several.MOST]))
            answer = controls(
                "basins.controls", shown, locked=problem.locked(x, shown),
                max_height=440 if embedded else 560,
            )  # fmt: skip
            changes = several.settings(x, answer.values)
            x.change(changes, by="controls", held=not answer.committed)
    surface = problem.landscape(x)
    runners = list(x["runs"][: several.MOST])
    names = frame.distinct([r.optimizer.name for r in runners])
    looks = style.looks(r.slug for r in runners)
    minima = basins.minima_of(surface)
    marks = [f"{i}.{mark(runner, surface)}" for i, runner in enumerate(runners)]
    makers = [
        partial(sweep_starts, runner, surface, x["steps"], x["noise"], x["seed"])
        for runner in runners
    ]
    found = refined("basins", dict(zip(marks, makers, strict=True)), bar)
    with picture:
        stage(
            "basins.stage",
            [
                panel(i, name, runner, surface, basin, minima, look)
                for i, (name, runner, basin, look) in enumerate(
                    zip(names, runners, found, looks, strict=True)
                )
            ],
            frames=x["steps"] + 1, height=430 if embedded else 520,
            columns=min(len(runners), 2), legend=False,
            alt=f"Basins of {surface.name}", on_event=on_stage,
        )  # fmt: skip
    notice(names, found, minima)
    if not x.hidden("table") and minima:
        table(names, runners, found, minima)
    if not embedded and not x.hidden("presets"):
        prose.presets(x, PRESETS)
        problem.link(x, "race", "Race from this start", icon=":material/flag:", same="0")
    x.publish()


body()
