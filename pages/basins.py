"""Basins: where does a run from every start end? A picture an optimizer, a tint a minimum."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Group
from components.stage import Handle, Panel, Raster, Track, stage
from engine.emit.picture import Picture, stack, words, written
from engine.problems import minima as basins
from engine.problems.landscapes import Landscape
from engine.problems.minima import Minimum
from engine.runs.live_sweep import LiveSweep, Span, check_length, live_sweep
from engine.runs.sweeps import Sweep
from engine.studies import maps
from engine.studies.seeds import Ends, ends_over_seeds
from engine.tape import operations as ops
from figures import maps as pictures
from figures import style
from pages import fine_maps, frame, problem, side_by_side
from pages.competitors import Runner, format_runners
from pages.presets import Preset
from pages.state import experiment

FINE = 384  # starts along a side of the server's picture
MOST_NAMED = 8  # minima with a column of their own

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
        "Without noise no run leaves its well. With it gradient descent mostly ends in the flat "
        "one; Adam divides by the noise's size: its steps are too small to climb out.",
        {
            "on": "two_wells",
            "runs": "sgd:lr=0.1;adam:lr=0.05",
            "noise": "2",
            "seed": "1",
            "steps": "1000",
            "start": "1.5,0.05",
        },
    ),
)

x = experiment(
    "basins",
    problem.fields(runs="sgd:lr=0.01;momentum:lr=0.01,beta=0.9", on="himmelblau", steps=200),
    parts=("runs", "seeds", "function"),
)


# What is mapped -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """The basins of one runner on the problem as the page stands."""

    runner: Runner
    surface: Landscape
    steps: int
    noise: float
    seed: int

    @property
    def mark(self) -> str:
        """The same for the same picture: the marked start does not count."""
        said = (
            self.surface.slug, self.surface.name, sorted(self.surface.arguments.items()),
            self.surface.window, format_runners((self.runner,)), self.steps, self.noise, self.seed,
        )  # fmt: skip
        return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()

    def check(self) -> None:
        """Raise ValueError for one that would take too long."""
        optimizer, options = self.runner.optimizer, self.runner.options
        check_length(self.surface, optimizer, ("y", "x"), self.steps, options)

    def sweep(self, progress: Callable[[float], None], cancelled: Callable[[], bool]) -> Sweep:
        """The fine picture; asks nothing of Streamlit."""
        axes = {n: maps.default_axis(self.surface, self.runner.optimizer, n) for n in ("y", "x")}
        return fine_maps.fine_sweep(
            self.surface, self.runner.optimizer, {n: a.values(FINE) for n, a in axes.items()},
            self.surface.start, self.steps, hypers=self.runner.hypers, options=self.runner.options,
            noise=self.noise, seed=self.seed,
            target=basins.arrival(self.surface, basins.minima_of(self.surface)),
            progress=progress, cancelled=cancelled,
        )  # fmt: skip


@dataclass(frozen=True)
class Basin:
    """The basins of a runner in the picture; labels are Python's own, (up, across)."""

    cells: LiveSweep
    numbers: Any
    labels: np.ndarray[Any, np.dtype[np.int32]]


def live_basin(
    live: Picture, place: int, request: Request, known: Sweep | None, minima: tuple[Minimum, ...]
) -> Basin:
    """The basins of the runner at that place; known is the server's, where it has been made."""
    surface = request.surface
    (x0, x1), (y0, y1) = surface.window
    level = basins.arrival(surface, minima)
    cells = live_sweep(
        surface,
        request.runner.optimizer,
        {"y": Span(y0, y1, False), "x": Span(x0, x1, False)},
        surface.start,
        live["steps"],
        problem.live_hypers(x, live, place),
        parameters=problem.live_parameters(live, surface),
        options=request.runner.options,
        noise=live["noise"],
        seed=request.seed,
        target=level,
        known=known,
        parts=("x", "y", "diverged", *(("steps",) if level is not None else ())),
    )
    noisy = request.noise > 0
    found = cells.result
    return Basin(
        cells,
        basins.live_label(cells.x, cells.y, cells.diverged, minima, noisy=noisy),
        basins.label(found.final_point, found.diverged, minima, noisy=noisy),
    )


@st.cache_data(max_entries=64, show_spinner=False)
def over_seeds(mark: str, start: tuple[float, float], _request: Request) -> Ends:
    """Where the runs from one start end on many seeds; mark stands for the request."""
    return ends_over_seeds(
        _request.surface, _request.runner.optimizer, start, _request.steps,
        _request.runner.optimizer.hyper_values(_request.runner.hypers),
        options=_request.runner.options, noise=_request.noise,
    )  # fmt: skip


# What the reader sees -----------------------------------------------------------------------------


def groups(surface: Landscape, names: list[str], looks: tuple[style.Look, ...]) -> list[Group]:
    """Every runner first, as its learning rate is what moves the borders; then the rest."""
    own = [
        Group(
            id=str(place), title=name, color=look.color, dash=look.dash, marker=look.marker,
            items=problem.runner_items(place, x["runs"][place]), collapsed=len(names) > 2,
        )
        for place, (name, look) in enumerate(zip(names, looks, strict=True))
    ]  # fmt: skip
    return [*own, *problem.landscape_groups(x, surface)]


def panel(
    live: Picture, place: int, name: str, request: Request, basin: Basin,
    minima: tuple[Minimum, ...], look: style.Look,
) -> Panel:  # fmt: skip
    """The basins of one optimizer, with the run from the marked start over them."""
    surface = request.surface
    run = problem.live_run(x, live, place, surface)
    (x0, x1), (y0, y1) = surface.window
    start, (hand_x, hand_y) = live["start"], live.hand
    sets = {"start": stack(hand_x, hand_y)}
    steps = basin.cells.steps if minima else -1.0
    ends = {str(i): pictures.minimum_name(i) for i in range(len(minima))}
    ends |= {str(basins.NOWHERE): "no minimum", str(basins.DIVERGED): "diverges"}
    soon = {"below the line at step": steps} if minima else {}
    return Panel(
        id=f"basins{place}",
        title=name,
        figure=pictures.basin_plane(
            surface, minima, log=x["log"], parameters=problem.live_parameters(live, surface)
        ),
        rasters=[
            Raster(
                values=pictures.basin_cells(basin.numbers, steps, live["steps"], len(minima)),
                palette=pictures.basin_palette(len(minima)), x0=x0, x1=x1, y0=y0, y1=y1,
                readout={"ends in": basin.numbers, **soon}, names=("x", "y"), hatched=True,
                words={"ends in": ends, "below the line at step": {"-1": "never"}},
            )
        ],
        tracks=[
            Track(
                x=run.x, y=run.y, color=pictures.PATH, dash=look.dash, marker=look.marker,
                label=name, stop=run.stopped,
            )
        ],
        handles=[
            Handle(
                id="start", x=start[0], y=start[1], label="start", color=pictures.PATH, sets=sets
            )
        ],
        clicks=sets,
        alt=f"Which minimum each start leads {name} to.",
    )  # fmt: skip


def arrived(name: str, basin: Basin) -> Any:
    """What stands under the pictures, and follows the hand."""
    there = ops.mean(ops.where(basin.numbers >= 0.0, 1.0, 0.0))
    gone = ops.mean(ops.where(basin.cells.diverged > 0.0, 1.0, 0.0))
    return words(
        f"{name.replace('{', '').replace('}', '')}: {{:.1%}} of the starts end in a minimum, "
        "{:.1%} diverge.",
        there,
        gone,
    )


def columns(minima: tuple[Minimum, ...]) -> list[str]:
    """The heads of a table of shares: the minima, then the rest."""
    shown = minima[:MOST_NAMED]
    return [
        *(
            f"{pictures.minimum_name(i)}{'★' if m.is_global else ''} "
            f"({written(m.x, '.2f')}, {written(m.y, '.2f')})"
            for i, m in enumerate(shown)
        ),
        *(["other minima"] if len(minima) > len(shown) else []),
        "no minimum",
        "diverged",
    ]


def folded(shares: list[float], minima: tuple[Minimum, ...]) -> list[float]:
    """Shares as the columns want them."""
    shown = min(len(minima), MOST_NAMED)
    rest = [sum(shares[shown:-2])] if len(minima) > shown else []
    return [*shares[:shown], *rest, *shares[-2:]]


def table(
    names: list[str], looks: tuple[style.Look, ...], found: list[Basin],
    minima: tuple[Minimum, ...],
) -> None:  # fmt: skip
    """How much of the window each minimum draws in, per optimizer."""
    rows = []
    for name, look, basin in zip(names, looks, found, strict=True):
        shares = folded(basins.shares(basin.labels, len(minima)), minima)
        rows.append([frame.swatch(look) + html.escape(name), *(written(s, ".1%") for s in shares)])
    frame.table(["of all starts", *columns(minima)], rows)


def chances(
    names: list[str], looks: tuple[style.Look, ...], wanted: list[Request],
    start: tuple[float, float], minima: tuple[Minimum, ...],
) -> None:  # fmt: skip
    """What the noise decides: where runs from the marked start end, over many seeds."""
    ends = [over_seeds(request.mark, start, request) for request in wanted]
    rows = []
    for name, look, end in zip(names, looks, ends, strict=True):
        shares = folded(list(end.shares), minima)
        rows.append([frame.swatch(look) + html.escape(name), *(written(s, ".0%") for s in shares)])
    seeds = min(end.seeds for end in ends)
    worst = max(end.error(i) for end in ends for i in range(len(end.shares)))
    frame.table([f"of {seeds} seeds, from the marked start", *columns(minima)], rows)
    st.caption(
        f"The picture shows one seed of the noise, the same for every start; these are {seeds} "
        f"seeds from one start, each share uncertain by up to ±{written(worst, '.0%')}. With noise "
        "a run counts to the minimum that it is nearest to, within half the way to the next."
    )


def notice(
    names: list[str], found: list[Basin], minima: tuple[Minimum, ...], surface: Landscape
) -> None:
    """What to see, in a sentence, with the numbers of now."""
    if not minima:
        frame.notice("This landscape has no minimum in the window: runs pass through it.")
        return
    level = basins.arrival(surface, minima)
    count = sum(m.is_global for m in minima)
    if count < len(minima):
        parts = [
            f"{name} ends in {'the' if count == 1 else 'a'} global minimum from "
            f"**{written(basins.share_of_global(basin.labels, minima), '.0%')}** of the starts"
            for name, basin in zip(names, found, strict=True)
        ]
        text = "; ".join(parts) + "."
    elif len(found) > 1:
        differ = basins.disagreement([basin.labels for basin in found])
        text = (
            f"From **{written(differ, '.0%')}** of the starts the optimizers do not all end in the "
            "same place."
        )
    else:
        kept = basins.shares(found[0].labels, len(minima))
        text = f"**{written(kept[-2] + kept[-1], '.0%')}** of the starts end in no minimum."
    frame.notice(
        text + f" A tint is darker the sooner the run is below a loss of {written(level, '3')}."
    )


def opening() -> None:
    """Title and lead, whose words choose whose basins, on what."""
    frame.opening(
        x,
        "Basins",
        [
            "Every point is a start of ", *side_by_side.runner_menus(x, side_by_side.MOST), " on ",
            problem.landscape_menu(x),
            ", tinted by the minimum that its run ends in, darker where it is there sooner.",
        ],
    )  # fmt: skip
    side_by_side.typed(x, side_by_side.MOST)


@frame.fragment
def body() -> None:
    """The pictures; reruns alone while sliders move or finer cells arrive."""
    side_by_side.own_rates(x)
    opening()
    view = frame.view(x, PRESETS)
    surface = problem.landscape(x)
    runners = x["runs"][: side_by_side.MOST]
    wanted = [Request(r, surface, x["steps"], x["noise"], x["seed"]) for r in runners]
    names = frame.distinct([r.optimizer.name for r in runners])
    looks = style.looks(r.slug for r in runners)
    minima = basins.minima_of(surface)
    told, below = st.container(), frame.progress_room(x)
    makers = {request.mark: request.sweep for request in wanted}  # what is alike is made once
    live = problem.live_picture(x, surface)
    with view.panel:
        x.controls(groups(surface, names, looks), live=live, height=view.height(600, 440))
    try:
        for request in wanted:
            request.check()
    except ValueError as error:
        view.picture.warning(f"These basins cannot be drawn: {error}.", icon=":material/block:")
        x.publish()
        return
    made = fine_maps.fine_maps("basins", makers, below, locked=x.locked("actions"))
    found = [
        live_basin(live, place, request, made[request.mark], minima)
        for place, request in enumerate(wanted)
    ]
    with view.picture:
        stage(
            "basins.stage",
            [
                panel(live, i, name, request, basin, minima, look)
                for i, (name, request, basin, look) in enumerate(
                    zip(names, wanted, found, looks, strict=True)
                )
            ],
            live=live,
            frames=live["steps"] + 1.0,
            restart=x.restart,
            height=view.height(500, 380),
            columns=min(len(runners), 2),
            legend=False,
            lines=[arrived(name, basin) for name, basin in zip(names, found, strict=True)],
            alt=f"Basins of {surface.name}",
        )
    with told:
        if not view.embedded:
            notice(names, found, minima, surface)
        if minima and not x.hidden("table") and not view.embedded:
            table(names, looks, found, minima)
        if minima and x["noise"] > 0 and not x.hidden("seeds") and not x.held:
            chances(names, looks, wanted, problem.start_point(x, surface), minima)
    if not view.embedded:
        problem.about(x, surface)
        problem.link(x, "race", "Race from this start", icon=":material/flag:", same="0")
    frame.foot(x, "f(x, y) = " + surface.latex)
    x.publish()


body()
