"""The hyper-parameter map: every cell is a whole run, and the map follows the reader's hand.

One optimizer has its map beside the run of the marked cell; several have their maps side by side
on one colour scale. The browser computes the cells; when the reader rests, the server makes them
finer.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Choice as Chooser
from components.controls import Group, Item, Slider
from components.lead import Menu
from components.stage import Handle, Panel, Raster, Track, stage
from engine.emit.picture import Picture, entry, stack
from engine.runs.live import LiveDescent
from engine.runs.sweeps import Sweep
from engine.studies import maps
from engine.studies.stability import limit_formula
from engine.tape import operations as ops
from figures import maps as pictures
from figures import race, style
from pages import fine_maps, frame, problem, side_by_side
from pages import map_words as says
from pages.map_cells import (
    COLORS,
    Map,
    Request,
    at_cell,
    by_loss,
    chosen_by_hand,
    live_map,
    requests,
    sweep_of,
)
from pages.presets import Preset
from pages.state import Choice, Number, Numbers, Text, experiment

SCALES = ("auto", "linear", "log")

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


# What the reader sees -----------------------------------------------------------------------------


def theory(live: Picture, shown: Map) -> list[dict[str, Any]]:
    """The stability limit and Polyak's pair, where the landscape is quadratic."""
    request = shown.request
    across, up = request.across, request.up
    span, rise = shown.spans
    if up is None or rise is None or not request.quadratic:
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
    if request.has_pair:
        drawn.append(pictures.best_pair(across, *maps.polyak_pair(low, high)))
    return drawn


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
    if request.across.name == "lr" and request.quadratic:
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
    if not by_loss(x):
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
    side_by_side.typed(x, side_by_side.MOST)


def live_values(wanted: list[Request]) -> Picture:
    """The page's values on a tape; the ends of the axes where they really are."""
    first = wanted[0]
    x.stand_in("xr", (first.across.low, first.across.high))
    if first.up is not None:
        x.stand_in("yr", (first.up.low, first.up.high))
    return problem.live_picture(x, first.surface)


@frame.following(x)
def answers(made: list[list[Sweep]]) -> None:
    """What is to be seen on the one map, or how wide the valleys of several are; `made` has the
    cells that the picture was made of, to be taken once."""
    wanted = requests(x)
    fine = [fine_maps.kept("map", request.mark) for request in wanted]
    found = made.pop() if made else list(map(partial(sweep_of, x), wanted, fine))
    if len(wanted) == 1:
        if not st.context.is_embedded:
            says.notice(x, wanted[0], found[0], by_loss=by_loss(x))
            says.formula(wanted[0])
    elif not x.hidden("table"):
        names = frame.distinct([r.runner.optimizer.name for r in wanted])
        says.valleys(names, found, style.looks(r.runner.slug for r in wanted))


@frame.fragment
def body() -> None:
    """The maps; reruns alone while sliders move or a finer map arrives."""
    side_by_side.own_rates(x)
    opening()
    view = frame.view(x, PRESETS)
    wanted = requests(x)
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
    made = fine_maps.fine_maps("map", makers, below, locked=x.locked("actions"))
    start = live["start"]
    parameters = problem.live_parameters(live, wanted[0].surface)
    begin = maps.start_gap(wanted[0].surface, start[0], start[1], parameters)
    found = [
        live_map(x, live, place, request, made[request.mark], begin)
        for place, request in enumerate(wanted)
    ]
    scale = (
        pictures.loss_scale([one.gaps for one in found], begin)
        if by_loss(x)
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
            lines=[says.shares(found[0], by_loss=by_loss(x))] if alone else (),
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
