"""The hyper-parameter map: every cell is a whole run, and the map follows the reader's hand.

One optimizer has its map beside the run of the marked cell; several have their maps side by side
on one colour scale. The browser computes the cells; when the reader rests, the server makes them
finer.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Choice as Chooser
from components.controls import Group, Item, Slider
from components.lead import Menu
from components.stage import Handle, Panel, Raster, Track, stage
from engine.emit.picture import Picture, entry, in_latex, smallest, stack, words, written
from engine.problems.landscapes import Landscape
from engine.runs.live import LiveDescent
from engine.runs.live_sweep import LiveSweep, Span, check_length, live_sweep
from engine.runs.sweeps import Sweep
from engine.studies import maps
from engine.studies.maps import Axis
from engine.studies.stability import limit_formula
from engine.tape import operations as ops
from figures import maps as pictures
from figures import race, style
from pages import fine_maps, frame, problem, side_by_side
from pages.competitors import Runner
from pages.presets import Preset
from pages.state import Choice, Number, Numbers, Text, experiment

COLORS = ("loss", "steps to target")
SCALES = ("auto", "linear", "log")
FINE = 512  # cells along a side of the server's map

PRESETS = (
    Preset(
        "Momentum on κ = 50",
        "good",
        "Left of the line every run settles, right of it every run leaves. The marked run has "
        "Polyak's pair: no other momentum goes down faster in the long run.",
        {},
    ),
    Preset(
        "Gradient descent has one knob",
        "bad",
        "One knob, one curve: only a narrow valley left of 2/λmax is good, and it narrows as κ "
        "grows.",
        {"runs": "sgd:lr=0.0185"},
    ),
    Preset(
        "Adam's wide valley",
        "good",
        "Adam divides the scale of the gradient away: the good learning rates do not move with κ.",
        {"runs": "adam:lr=0.3", "xr": "0.0001,10"},
    ),
    Preset(
        "How forgiving is each?",
        "good",
        "The share of cells near the best, on one scale: what it costs not to know the setting.",
        {
            "runs": "momentum:lr=0.03;nesterov:lr=0.03;rmsprop:lr=0.05;adam:lr=0.3",
            "xr": "0.0001,10",
        },
    ),
    Preset(
        "Adam's two memories",
        "good",
        "β₁ against β₂ at one learning rate: where both are long the run swings on and on.",
        {"runs": "adam:lr=0.3", "ax": "beta1", "ay": "beta2"},
    ),
    Preset(
        "Rosenbrock",
        "good",
        "Where the valley is curved the edge of stability frays: there is no one limit any more.",
        {"on": "rosenbrock", "runs": "momentum:lr=0.001,beta=0.9", "steps": "500"},
    ),
)


def _name(text: str) -> None:
    if len(text) > 24 or not (text == "" or text.isidentifier()):
        raise ValueError(f"{text!r} is no name of a hyper-parameter")


x = experiment(
    "map",
    [
        *problem.fields(runs="momentum:lr=0.0307,beta=0.566", steps=60),
        Text("ax", "lr", check=_name, label="axis across"),
        Text("ay", "", check=_name, label="axis up"),
        Choice("sx", "auto", SCALES),
        Choice("sy", "auto", SCALES),
        Numbers("xr", (), -1e6, 1e6, count=(0, 2)),
        Numbers("yr", (), -1e6, 1e6, count=(0, 2)),
        Choice("by", COLORS[0], COLORS, label="colour"),
        Number("target", 0.01, 1e-16, 1e6, label="target loss", scale="log"),
    ],
    parts=("runs", "axes", "function"),
)


# What is mapped -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """One map to be made: a runner on the problem, over two axes (or one), as the page stands."""

    runner: Runner
    surface: Landscape
    across: Axis
    up: Axis | None
    start: tuple[float, float]
    steps: int
    noise: float
    seed: int
    target: float

    @property
    def axes(self) -> tuple[Axis, ...]:
        return (self.across,) if self.up is None else (self.up, self.across)

    @property
    def mark(self) -> str:
        """The same for the same map; what an axis overrides does not count."""
        names = {a.name for a in self.axes}
        rest = {n: v for n, v in self.hypers.items() if n not in names}
        place = [s for n, s in zip("xy", self.start, strict=True) if n not in names]
        said = (
            self.surface.slug, self.surface.name, sorted(self.surface.arguments.items()),
            self.runner.slug, self.runner.rule, sorted(rest.items()),
            sorted(self.runner.options.items()), self.axes, place,
            self.steps, self.noise, self.seed, self.target,
        )  # fmt: skip
        return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()

    @property
    def hypers(self) -> dict[str, float]:
        return self.runner.optimizer.hyper_values(self.runner.hypers)

    def check(self) -> None:
        """Raise ValueError for one that would take too long."""
        optimizer, options = self.runner.optimizer, self.runner.options
        check_length(self.surface, optimizer, tuple(a.name for a in self.axes), self.steps, options)

    def sweep(self, progress: Callable[[float], None], cancelled: Callable[[], bool]) -> Sweep:
        """The fine map; asks nothing of Streamlit."""
        side = FINE if self.up is not None else 2 * FINE
        return fine_maps.fine_sweep(
            self.surface, self.runner.optimizer, {a.name: a.values(side) for a in self.axes},
            self.start, self.steps, hypers=self.runner.hypers, options=self.runner.options,
            noise=self.noise, seed=self.seed, target=self.target,
            progress=progress, cancelled=cancelled,
        )  # fmt: skip


def axis_for(runner: Runner, surface: Landscape, which: str) -> Axis | None:
    """The axis x or y of a runner's map as the reader chose it, or what suits the runner."""
    known = maps.axis_names(runner.optimizer)
    first = x["ax"] if x["ax"] in known else known[0]
    name: str | None = first
    if which == "y":
        second = x["ay"] if x["ay"] in known and x["ay"] != first else ""
        name = second or maps.second_axis(runner.optimizer, first)
    if name is None:
        return None
    usual = maps.default_axis(surface, runner.optimizer, name)
    log = usual.log if x[f"s{which}"] == "auto" else x[f"s{which}"] == "log"
    low, high = x[f"{which}r"] if len(x[f"{which}r"]) == 2 else (usual.low, usual.high)
    return usual.over(low, high, log=log)


def requests() -> list[Request]:
    """The maps of this page, one a runner."""
    surface = problem.landscape(x)
    found = []
    for runner in x["runs"][: side_by_side.MOST]:
        across = axis_for(runner, surface, "x")
        assert across is not None
        found.append(
            Request(
                runner,
                surface,
                across,
                axis_for(runner, surface, "y"),
                problem.start_point(x, surface),
                x["steps"],
                x["noise"],
                x["seed"],
                x["target"] + maps.floor_of(surface),
            )
        )
    return found


# The same, following the hand ---------------------------------------------------------------------


@dataclass(frozen=True)
class Map:
    """A map in the picture: its request, its cells, and their losses above the minimum."""

    request: Request
    place: int
    spans: tuple[Span, Span | None]
    cells: LiveSweep
    gaps: Any


def live_map(live: Picture, place: int, request: Request, known: Sweep | None, begin: Any) -> Map:
    """The map of the runner at that place; known is the server's, where that has been made."""
    # The ends of the axes are the first map's: where another's are its own, they stand.
    shared = place == 0 or len(x["xr"]) == 2
    across = request.across.between(*live["xr"]) if shared else _still(request.across)
    up = None
    if request.up is not None:
        shared = place == 0 or len(x["yr"]) == 2
        up = request.up.between(*live["yr"]) if shared else _still(request.up)
    axes = {} if request.up is None or up is None else {request.up.name: up}
    start = live["start"]
    steps = x["by"] != COLORS[0]
    cells = live_sweep(
        request.surface,
        request.runner.optimizer,
        {**axes, request.across.name: across},
        (start[0], start[1]),
        live["steps"],
        problem.live_hypers(x, live, place),
        parameters=problem.live_parameters(live, request.surface),
        options=request.runner.options,
        noise=live["noise"],
        seed=x["seed"],
        target=live["target"] + maps.floor_of(request.surface) if steps else None,
        known=known,
        parts=("loss", "diverged", "steps") if steps else ("loss", "diverged"),
    )
    gaps = maps.live_gap(cells, request.surface, begin)
    return Map(request, place, (across, up), cells, gaps)


def _still(axis: Axis) -> Span:
    return Span(axis.low, axis.high, axis.log)


def at_cell(live: Picture, request: Request, place: int, name: str) -> Any:
    """Where the marked cell stands along an axis."""
    if name in ("x", "y"):
        return live["start"]["xy".index(name)]
    return live[f"{place}/{name}"]


def chosen_by_hand(live: Picture, request: Request, place: int) -> dict[str, Any]:
    """What a click on a map, or its marker, sets: the settings of the cell under the hand."""
    hand = dict(zip((a.name for a in reversed(request.axes)), live.hand, strict=False))
    sets = {f"{place}/{name}": value for name, value in hand.items() if name not in ("x", "y")}
    if {"x", "y"} & set(hand):
        start = live["start"]
        sets["start"] = stack(hand.get("x", start[0]), hand.get("y", start[1]))
    return sets


def theory(live: Picture, shown: Map) -> list[dict[str, Any]]:
    """The stability limit and Polyak's pair, where the landscape is quadratic."""
    request = shown.request
    across, up = request.across, request.up
    span, rise = shown.spans
    if up is None or rise is None or not quadratic(request):
        return []
    start = live["start"]
    parameters = problem.live_parameters(live, request.surface)
    low, high = maps.curvatures_at(request.surface, start[0], start[1], parameters)
    drawn = []
    if "lr" in (across.name, up.name):
        name, along = (up.name, rise) if across.name == "lr" else (across.name, span)
        values = maps.ends_and_between(along)
        rates = maps.stability_edge(
            request.runner.optimizer, high, None if name in ("x", "y") else name, values,
            problem.live_hypers(x, live, shown.place), request.runner.options,
        )  # fmt: skip
        if rates is not None:
            text = limit_formula(request.runner.optimizer, request.runner.options)
            drawn += pictures.limit_line(across, rates, values, text)
    if has_pair(request):
        drawn.append(pictures.best_pair(across, *maps.polyak_pair(low, high)))
    return drawn


def quadratic(request: Request) -> bool:
    """Whether there is theory: one positive curvature everywhere, and no noise."""
    curvatures = maps.quadratic_curvatures(request.surface)
    return curvatures is not None and x["noise"] == 0 and curvatures[1] > 0


def has_pair(request: Request) -> bool:
    """Whether the map is one of momentum's learning rate against β, on a quadratic bowl."""
    curvatures = maps.quadratic_curvatures(request.surface)
    form = request.runner.optimizer.option_values(request.runner.options).get("form")
    plain = request.runner.slug == "momentum" and form == "velocity"
    axes = {a.name for a in request.axes}
    return curvatures is not None and curvatures[0] > 0 and plain and axes == {"lr", "beta"}


# What the reader sees -----------------------------------------------------------------------------


def map_panel(
    live: Picture, shown: Map, name: str, scale: pictures.Scale, look: style.Look,
    *, bar: bool, alone: LiveDescent | None,
) -> Panel:  # fmt: skip
    """One map with theory and iso-lines over it, and the marker of the chosen cell.

    alone is the marked cell's run, where that is shown beside the one map.
    """
    request, gaps = shown.request, shown.gaps
    across, up = request.across, request.up
    sets = chosen_by_hand(live, request, shown.place)
    marker: dict[str, Any] = {
        "id": "cell", "sets": sets, "marker": look.marker, "label": "this run" if alone else "",
        "x": at_cell(live, request, shown.place, across.name),
    }  # fmt: skip
    span, rise = shown.spans
    if up is None or rise is None:
        return curve_panel(live, shown, name, scale, marker, alone=alone)
    figure = pictures.frame(across, up, (span, rise), scale, bar=bar)
    if scale.steps:
        cells = pictures.steps_cells(shown.cells.steps, shown.cells.diverged, scale)
        readout = {"steps": shown.cells.steps}
    else:
        cells = pictures.loss_cells(gaps, scale)
        readout = {"loss": gaps}
        figure["data"].append(pictures.isolines(gaps, (span, rise), scale))
    figure["data"] += theory(live, shown)
    if alone:
        regions = {"diverges": shown.cells.diverged}
        if scale.steps:
            never = (shown.cells.steps < 0.0) * (shown.cells.diverged < 1.0)
            regions["never at the target"] = ops.where(never, 1.0, 0.0)
        figure["data"] += [
            pictures.region_name(*maps.middle_of(mask, span, rise), said)
            for said, mask in regions.items()
        ]
    (left, right), (low, high) = pictures.bounds(span), pictures.bounds(rise)
    raster = Raster(
        values=cells, palette=pictures.PALETTE, x0=left, x1=right, y0=low, y1=high,
        readout=readout, names=(across.symbol, up.symbol), words=pictures.WORDS, hatched=True,
    )  # fmt: skip
    handle = Handle(
        y=at_cell(live, request, shown.place, up.name), axis="xy", color=pictures.MARK,
        minimum=(span.low, rise.low), maximum=(span.high, rise.high), **marker,
    )  # fmt: skip
    return Panel(
        id=f"map{shown.place}", figure=figure, rasters=[raster], handles=[handle], clicks=sets,
        title="every cell a run" if alone else name, rows=2 if alone else 1,
        alt=f"Map of {name}: {across.symbol} against {up.symbol}, coloured by {x['by']}.",
    )  # fmt: skip


def curve_panel(
    live: Picture, shown: Map, name: str, scale: pictures.Scale, marker: dict[str, Any],
    *, alone: LiveDescent | None,
) -> Panel:  # fmt: skip
    """Where there is one setting alone: what its runs reach, as a curve over it."""
    request, (span, _) = shown.request, shown.spans
    reached = ops.where(shown.gaps < np.inf, shown.gaps, np.nan)
    if scale.steps:
        reached = ops.where(shown.cells.steps < 0.0, np.nan, shown.cells.steps)
    rates = maps.cell_places(shown.cells.diverged, span)
    limit = None
    if request.across.name == "lr" and quadratic(request):
        start = live["start"]
        parameters = problem.live_parameters(live, request.surface)
        _, high = maps.curvatures_at(request.surface, start[0], start[1], parameters)
        hypers = problem.live_hypers(x, live, shown.place)
        limit = maps.stability_edge(
            request.runner.optimizer, high, None, 0.0, hypers, request.runner.options
        )
    title = "steps to the target" if scale.steps else race.loss_title(request.surface)
    end = None if alone is None else entry(alone.gap, live["steps"])
    handle = Handle(
        y=pictures.on_curve(end, scale), axis="x", minimum=span.low, maximum=span.high, **marker
    )
    return Panel(
        id=f"map{shown.place}", clicks=marker["sets"], handles=[handle],
        figure=pictures.rate_curve(request.across, span, rates, reached, scale, limit),
        title=f"{title} after {x['steps']} steps" if alone and not scale.steps else title,
        rows=2 if alone else 1,
        alt=f"Loss that {name} reaches against {request.across.symbol}.",
    )  # fmt: skip


def replay(live: Picture, request: Request, run: LiveDescent, look: style.Look) -> list[Panel]:
    """The run of the marked cell on the landscape, and its loss."""
    surface = request.surface
    name = request.runner.optimizer.name
    more: dict[str, Any] = {
        "color": look.color, "dash": look.dash, "marker": look.marker, "label": name,
        "stop": run.stopped,
    }  # fmt: skip
    (x0, x1), (y0, y1) = surface.domain
    start, (hand_x, hand_y) = live["start"], live.hand
    sets = {"start": stack(hand_x, hand_y)}
    handle = Handle(
        id="start", x=start[0], y=start[1], label="start", sets=sets,
        minimum=(x0, y0), maximum=(x1, y1),
    )  # fmt: skip
    decades = race.logarithmic(surface, [run.result.gap])
    curve = ops.maximum(run.gap, race.FLOOR) if decades else run.gap
    parameters = problem.live_parameters(live, surface)
    return [
        Panel(
            id="plane", figure=race.plane(surface, log=x["log"], parameters=parameters),
            title="the marked run",
            handles=[handle], clicks=sets, tracks=[Track(x=run.x, y=run.y, **more)],
            alt=f"The path of {name} with the settings of the marked cell.",
        ),
        Panel(
            id="loss", kind="chart", title=race.loss_title(surface), cursor=True,
            figure=race.loss_axes(
                [run.gap], live["steps"], log=decades, target=live["target"],
                ends=[(name, look, run.length)],
            ),
            tracks=[Track(y=curve, mode="curve", **more)],
            alt="Loss against step of the marked cell's run.",
        ),
    ]  # fmt: skip


def shares(shown: Map, *, by_loss: bool) -> Any:
    """What stands under the one map, and follows the hand."""
    best, near, gone = maps.live_shares(shown.gaps)
    if by_loss:
        return words(
            "The best cell ends {:2} above the minimum; {:.2%} of the cells end within ten times "
            "of it, {:.1%} diverge.",
            best,
            near,
            gone,
        )
    there = shown.cells.steps >= 0.0
    return words(
        "The quickest cell is at the target after {:.0f} steps; {:.1%} of the cells get there, "
        "{:.1%} diverge.",
        smallest(ops.where(there, shown.cells.steps, np.inf)),
        ops.mean(ops.where(there, 1.0, 0.0)),
        gone,
    )


def notice(request: Request, found: Sweep, *, by_loss: bool) -> None:
    """What to see on the one map that is shown, in a sentence, with the numbers of now; a fine map
    counts steps to the target whatever its colours say."""
    if problem.say_start(x, request.surface):
        return
    gaps = maps.gap(found)
    valley = maps.valley(gaps, float(gaps.min()))
    if valley.share == 0.0:
        frame.notice("Every run of this map diverges: choose smaller learning rates.")
        return
    arrived = None if by_loss else found.steps_to_target
    quickest = None if arrived is None else maps.quickest(arrived)
    if arrived is not None and quickest is None:
        frame.notice("No run of this map comes down to the target: raise it, or give more steps.")
        return
    hypers, start = found.cell(*(quickest or valley.cell))
    symbols = {h.name: h.latex for h in request.runner.optimizer.hypers} | {"x": "x_0", "y": "y_0"}
    at = hypers | dict(zip("xy", start, strict=True))
    where = ", ".join(
        f"${symbols[a.name]} = {in_latex(at[a.name], '3')}$" for a in reversed(request.axes)
    )
    text = f"The {'best' if quickest is None else 'quickest'} cell of this map is {where}."
    if has_pair(request):
        pair = maps.polyak_pair(*(maps.quadratic_curvatures(request.surface) or (0.0, 0.0)))
        text += (
            rf" Polyak's pair for these curvatures is $\eta = {in_latex(pair[0])}$, "
            rf"$\beta = {in_latex(pair[1])}$: the best in the long run"
            + (", were there no noise." if x["noise"] else ".")
        )
    frame.notice(text)


def formula(request: Request) -> None:
    """The limit that is drawn, with its numbers put in."""
    curvatures = maps.quadratic_curvatures(request.surface)
    optimizer, options = request.runner.optimizer, request.runner.options
    if curvatures is None or curvatures[1] <= 0:
        return
    limit = optimizer.stability_limit(curvatures[1], request.hypers, options)
    if limit is None:
        return
    lines = rf"\eta < {optimizer.stability_formula(options)} = {in_latex(limit)}"
    if has_pair(request):
        kappa = curvatures[1] / curvatures[0]
        lines += (
            r",\qquad \eta^\star = \frac{4}{(\sqrt{\lambda_{\min}}+\sqrt{\lambda_{\max}})^2},\quad"
            r"\beta^\star = \Bigl(\frac{\sqrt\kappa-1}{\sqrt\kappa+1}\Bigr)^2"
            rf",\quad \kappa = {in_latex(kappa)}"
        )
    st.latex(lines)


def percent(share: float) -> str:
    """A share with two digits that count."""
    return f"{written(100 * share, '2')}\u202f%"


def valleys(names: list[str], found: list[Sweep], looks: tuple[style.Look, ...]) -> None:
    """How wide each one's valley of good settings is."""
    gaps = [maps.gap(one) for one in found]
    best = min(float(g.min()) for g in gaps)
    own = [maps.valley(g, best) for g in gaps]
    frame.table(
        (
            "",
            "best loss",
            "within 10× of its own best",
            "within 10× of the best of all",
            "diverged",
        ),
        [
            (
                frame.swatch(look) + html.escape(name),
                written(valley.best, "2") if valley.share else "every run diverges",
                percent(valley.share),
                percent(valley.share_of_all),
                percent(valley.diverged),
            )
            for name, look, valley in zip(names, looks, own, strict=True)
        ],
    )
    st.caption(
        "Share of the cells of each map: how likely a guess inside these ranges is a good one. "
        "It depends on the ranges, which are yours, and on the axes, which count as they are drawn."
    )


# What the reader does -----------------------------------------------------------------------------


def new_axes() -> None:
    """Another axis brings its own range and scale."""
    x.change({"xr": (), "yr": (), "sx": "auto", "sy": "auto"})


def axis_items(live: Picture, which: str, request: Request) -> list[Item]:
    """From, to and scale of one axis."""
    axis = request.across if which == "x" else request.up
    field = f"{which}r"
    if axis is None or x.hidden(field) or x.hidden("axes"):
        return []
    usual = maps.default_axis(request.surface, request.runner.optimizer, axis.name)
    hyper = next((h for h in request.runner.optimizer.hypers if h.name == axis.name), None)
    low, high = (hyper.low, hyper.high) if hyper else (usual.low, usual.high)
    low, high = min(low, axis.low), max(high, axis.high)
    if axis.log and low <= 0:
        low = axis.low
    ends, hand = live[field], live.hand[0]
    locked = x.locked(field) or x.locked("axes")
    sliders: list[Item] = [
        Slider(
            name=f"{field}.{word}", label=f"{axis.symbol} {word}", value=ends[end], minimum=low,
            maximum=high, default=default, scale="log" if axis.log else "linear", locked=locked,
            sets={field: stack(*sets)},
        )
        for end, (word, default, sets) in enumerate(
            (("from", usual.low, (hand, ends[1])), ("to", usual.high, (ends[0], hand)))
        )
    ]  # fmt: skip
    scale = Chooser(
        name=f"s{which}", label=f"{axis.symbol} axis", value=x[f"s{which}"],
        options=[("auto", "usual scale"), ("linear", "linear scale"), ("log", "log scale")],
    )  # fmt: skip
    return [*sliders, scale]


def groups(
    live: Picture, wanted: list[Request], names: list[str], looks: tuple[style.Look, ...]
) -> list[Group]:
    """The landscape, the run, what each runner has, and the axes."""
    shown = problem.landscape_groups(x, wanted[0].surface)
    if x["by"] != COLORS[0]:
        goal = x.slider("target", minimum=1e-12, maximum=1e3)
        shown[-1] = Group(id="run", title="The run", items=[*shown[-1].items, goal])
    shown += [
        Group(
            id=str(place),
            title=name,
            color=look.color,
            dash=look.dash,
            marker=look.marker,
            items=problem.runner_items(place, request.runner),
            collapsed=len(wanted) > 2,
        )
        for place, (name, request, look) in enumerate(zip(names, wanted, looks, strict=True))
    ]
    ranges = [*axis_items(live, "x", wanted[0]), *axis_items(live, "y", wanted[0])]
    return [*shown, Group(id="axes", title="Axes", items=ranges, collapsed=True)]


def opening() -> None:
    """Title and lead, whose words choose what is mapped, along which axes, in which colours."""
    optimizer = x["runs"][0].optimizer
    known = maps.axis_names(optimizer)
    spoken = {"": "as usual", "x": "x₀", "y": "y₀"} | {h.name: h.symbol for h in optimizer.hypers}
    axes: dict[str, Menu] = {}
    for which in ("ax", "ay"):
        options = ["", *known] if which == "ay" else list(known)
        if x[which] not in options:
            x.update(**{which: options[0]})
        axes[which] = x.menu(
            which, options=[(name, spoken[name]) for name in options], then=new_axes
        )
    usual = maps.second_axis(optimizer, x["ax"])
    if x["ay"] == "" and len(x["runs"]) == 1:
        axes["ay"] = replace(axes["ay"], text="nothing" if usual is None else spoken[usual])
    frame.opening(
        x,
        "Hyper-parameter map",
        [
            "Every point is a run of ", *side_by_side.runner_menus(x, side_by_side.MOST, new_axes),
            " on ", problem.landscape_menu(x), ", across ", axes["ax"], ", up ",
            axes["ay"], ", coloured by ", x.menu("by"), ": click one.",
        ],
    )  # fmt: skip
    if x.stands("setup"):
        problem.type_formula(x)
        side_by_side.own_rules(x, range(len(x["runs"][: side_by_side.MOST])))


def live_values(wanted: list[Request]) -> Picture:
    """The page's values on a tape; the ends of the axes where they really are."""
    first = wanted[0]
    x.stand_in("xr", (first.across.low, first.across.high))
    if first.up is not None:
        x.stand_in("yr", (first.up.low, first.up.high))
    return problem.live_picture(x, first.surface)


def sweep_of(request: Request, fine: Sweep | None) -> Sweep:
    """The cells of now of a map: `fine` are the server's, where it has them."""
    steps = x["by"] != COLORS[0]
    return live_sweep(
        request.surface,
        request.runner.optimizer,
        {a.name: _still(a) for a in request.axes},
        request.start,
        request.steps,
        request.hypers,
        options=request.runner.options,
        noise=request.noise,
        seed=request.seed,
        target=request.target if steps else None,
        known=fine,
    ).result


@frame.following(x)
def answers(made: list[list[Sweep]]) -> None:
    """What is to be seen on the one map, or how wide the valleys of several are; `made` has the
    cells that the picture was made of, to be taken once."""
    wanted = requests()
    fine = [fine_maps.kept("map", request.mark) for request in wanted]
    found = made.pop() if made else list(map(sweep_of, wanted, fine))
    if len(wanted) == 1:
        if not st.context.is_embedded:
            notice(wanted[0], found[0], by_loss=x["by"] == COLORS[0])
            formula(wanted[0])
    elif not x.hidden("table"):
        names = frame.distinct([r.runner.optimizer.name for r in wanted])
        valleys(names, found, style.looks(r.runner.slug for r in wanted))


@frame.fragment
def body() -> None:
    """The maps; reruns alone while sliders move or a finer map arrives."""
    side_by_side.own_rates(x)
    opening()
    view = frame.view(x, PRESETS)
    wanted = requests()
    names = frame.distinct([r.runner.optimizer.name for r in wanted])
    looks = style.looks(r.runner.slug for r in wanted)
    told, below = st.container(), frame.progress_room(x)
    live = live_values(wanted)
    with view.panel:
        x.controls(groups(live, wanted, names, looks), live=live, height=view.height(600, 446))
    try:
        for request in wanted:
            request.check()
    except ValueError as error:
        view.picture.warning(f"This map cannot be drawn: {error}.", icon=":material/block:")
        x.publish()
        return
    makers = {r.mark: r.sweep for r in wanted}  # those that are alike are made once
    made = dict(
        zip(
            makers,
            fine_maps.fine_maps("map", makers, below, locked=x.locked("actions")),
            strict=True,
        )
    )
    known = [made[r.mark] for r in wanted]
    start = live["start"]
    parameters = problem.live_parameters(live, wanted[0].surface)
    begin = maps.start_gap(wanted[0].surface, start[0], start[1], parameters)
    found = [
        live_map(live, i, r, k, begin) for i, (r, k) in enumerate(zip(wanted, known, strict=True))
    ]
    by_loss = x["by"] == COLORS[0]
    scale = (
        pictures.loss_scale([one.gaps for one in found], begin)
        if by_loss
        else pictures.steps_scale(live["steps"])
    )
    alone = problem.live_run(x, live, 0, wanted[0].surface) if len(wanted) == 1 else None
    panels = [
        map_panel(
            live, one, name, scale, look, bar=i == len(wanted) - 1, alone=alone
        )
        for i, (name, one, look) in enumerate(zip(names, found, looks, strict=True))
    ]  # fmt: skip
    if alone is not None:
        panels += replay(live, wanted[0], alone, looks[0])
    with view.picture:
        stage(
            "map.stage",
            panels,
            live=live,
            frames=live["steps"] + 1.0 if alone else 1,
            restart=x.restart,
            height=view.height(540, 444),
            columns=[1.35, 1] if alone else 2,
            legend=False,
            sound="loss",
            lines=[shares(found[0], by_loss=by_loss)] if alone else (),
            alt=f"Hyper-parameter map of {', '.join(names)}",
        )
    with told:
        answers([[one.cells.result for one in found]])
    if not view.embedded:
        problem.about(x, wanted[0].surface)
        problem.link(x, "race", "Race the marked settings", icon=":material/flag:", same="0")
    frame.foot(x, "f(x, y) = " + wanted[0].surface.latex)
    x.publish()


body()
