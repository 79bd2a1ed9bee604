"""The hyper-parameter map: every cell is a whole run, and the map follows the reader's hand.

One optimizer has its map beside the run of the marked cell; several have their maps side by side
on one colour scale. A change is drawn at once from coarse cells; when nothing has changed for a
moment the same map is computed finely.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

import engine
from components.controls import Choice as Chooser
from components.controls import Group, Item, Slider, controls
from components.stage import Event, Handle, Panel, Raster, Track, stage
from engine.problems.landscapes import Landscape
from engine.runs import cluster
from engine.runs.sweeps import Sweep
from engine.studies import maps
from engine.studies.maps import Axis, Valley
from figures import maps as pictures
from figures import race, style
from pages import frame, problem, prose, several
from pages.presets import Preset
from pages.refine import FINE, refined
from pages.runners import Runner
from pages.state import Choice, Number, Numbers, Text, experiment

COLORS = ("loss", "steps to target")
SCALES = ("auto", "linear", "log")

PRESETS = (
    Preset(
        "Momentum on κ = 50",
        "good",
        "Below the line every run settles, above it every run leaves. The star is Polyak's pair: "
        "no other setting of momentum goes down faster in the long run.",
        {},
    ),
    Preset(
        "Gradient descent has one knob",
        "bad",
        "Only a narrow strip left of 2/λmax is good, and it narrows as κ grows.",
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
        "β₁ against β₂ at one learning rate: where both are long the run swings for ever.",
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
        Text("ax", "lr", check=_name),
        Text("ay", "", check=_name),
        Choice("sx", "auto", SCALES),
        Choice("sy", "auto", SCALES),
        Numbers("xr", (), -1e6, 1e6, count=(0, 2)),
        Numbers("yr", (), -1e6, 1e6, count=(0, 2)),
        Choice("by", COLORS[0], COLORS),
        Number("target", 0.01, 1e-16, 1e6),
    ],
)

frame.opening(
    x,
    "Hyper-parameter map",
    "Every point is a whole run, coloured by where it ended. "
    "Move κ and watch the valley of good settings move; click a cell to replay its run.",
)


# What is mapped -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """One map to be made: a runner on the problem, over two axes (or one)."""

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
    def mark(self) -> str:
        """The same for the same map; what an axis overrides does not count."""
        axes = {a.name for a in (self.across, self.up) if a is not None}
        rest = {n: v for n, v in self.hypers.items() if n not in axes}
        place = [s for n, s in zip("xy", self.start, strict=True) if n not in axes]
        said = (
            self.surface.slug, self.surface.name, sorted(self.surface.arguments.items()),
            self.runner.slug, self.runner.rule, sorted(rest.items()),
            sorted(self.runner.options.items()), self.across, self.up, place,
            self.steps, self.noise, self.seed, self.target,
        )  # fmt: skip
        return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()

    @property
    def hypers(self) -> dict[str, float]:
        return self.runner.optimizer.hyper_values(self.runner.hypers)

    def sweep(
        self, side: int, progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> Sweep:
        """The map with so many cells along each side; asks nothing of Streamlit."""
        axes = {} if self.up is None else {self.up.name: self.up.values(side)}
        axes[self.across.name] = self.across.values(side)
        executor = cluster.executor()[0] if side == FINE else None
        return engine.sweep(
            self.surface, self.runner.optimizer, axes, self.start, self.steps,
            hypers=self.runner.hypers, options=self.runner.options, noise=self.noise,
            seed=self.seed, target=self.target, executor=executor, progress=progress,
            cancelled=cancelled,
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
    for runner in x["runs"][: several.MOST]:
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


# What the reader does -----------------------------------------------------------------------------


def on_stage(event: Event) -> None:
    """A click on a map or a drag of its marker chooses the cell whose run is shown."""
    if event.panel == "plane":
        x.change({"start": (event.x, event.y)}, by="stage", held=event.kind == "drag")
        return
    place = int(event.panel.removeprefix("map") or 0)
    runners = list(x["runs"])
    request = requests()[place]
    values = {request.across.name: event.x}
    if request.up is not None:
        values[request.up.name] = event.y
    start = list(problem.start_point(x, request.surface))
    for name, value in values.items():
        if name in ("x", "y"):
            start["xy".index(name)] = value
        else:
            runners[place] = runners[place].with_setting(name, value)
    moved = {"start": tuple(start)} if {"x", "y"} & set(values) else {}
    x.change({"runs": tuple(runners), **moved}, by="stage", held=event.kind == "drag")


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """The controls: fields of the page, ends of axes as xr/0, a runner's settings as place/name."""
    ends = {name: value for name, value in values.items() if name.startswith(("xr/", "yr/"))}
    fields = several.settings(x, {n: v for n, v in values.items() if n not in ends})
    surface = problem.landscape(x)
    for which in ("x", "y"):
        axis = axis_for(x["runs"][0], surface, which)
        chosen = tuple(ends.get(f"{which}r/{end}") for end in (0, 1))
        # Ends that nobody touched stay unset: they go on following landscape and scale.
        if axis is not None and None not in chosen and chosen != (axis.low, axis.high):
            fields[f"{which}r"] = chosen
    x.change(fields, by="controls", held=not committed)


def new_axes() -> None:
    """Another axis brings its own range and scale."""
    x.change({"xr": (), "yr": (), "sx": "auto", "sy": "auto"})


# What the reader sees -----------------------------------------------------------------------------


def axis_items(which: str, request: Request) -> list[Item]:
    """From, to and scale of one axis."""
    axis = request.across if which == "x" else request.up
    if axis is None:
        return []
    usual = maps.default_axis(request.surface, request.runner.optimizer, axis.name)
    hyper = next((h for h in request.runner.optimizer.hypers if h.name == axis.name), None)
    low, high = (hyper.low, hyper.high) if hyper else (usual.low, usual.high)
    low, high = min(low, axis.low), max(high, axis.high)
    if axis.log and low <= 0:
        low = axis.low
    sliders: list[Item] = [
        Slider(
            name=f"{which}r/{end}", label=f"{axis.symbol} {word}", value=value, minimum=low,
            maximum=high, default=default, scale="log" if axis.log else "linear",
        )
        for end, (word, value, default) in enumerate(
            (("from", axis.low, usual.low), ("to", axis.high, usual.high))
        )
    ]  # fmt: skip
    scale = Chooser(
        name=f"s{which}", label=f"{axis.symbol} axis", value=x[f"s{which}"],
        options=[("auto", "as usual"), ("linear", "linear"), ("log", "log")],
    )  # fmt: skip
    return [*sliders, scale]


def groups(wanted: list[Request]) -> list[Group]:
    """The landscape, the run, the axes, and what else each runner has."""
    surface = wanted[0].surface
    shown = problem.landscape_groups(x, surface)
    if x["by"] != COLORS[0]:
        goal = Slider(
            name="target", label="target loss", value=x["target"], minimum=1e-12, maximum=1e3,
            default=0.01, scale="log",
        )  # fmt: skip
        shown[-1] = Group(id="run", title="The run", items=[*shown[-1].items, goal])
    looks = style.looks(r.runner.slug for r in wanted)
    names = frame.distinct([r.runner.optimizer.name for r in wanted])
    for place, (name, request, look) in enumerate(zip(names, wanted, looks, strict=True)):
        axes = {a.name for a in (request.across, request.up) if a is not None}
        items = several.items(place, request.runner, axes)
        if items:
            shown.append(
                Group(
                    id=str(place),
                    title=name,
                    color=look.color,
                    dash=look.dash,
                    marker=look.marker,
                    items=items,
                    collapsed=len(wanted) > 2,
                )
            )
    ranges = [*axis_items("x", wanted[0]), *axis_items("y", wanted[0])]
    return [*shown, Group(id="axes", title="Axes", items=ranges, collapsed=True)]


def map_panel(
    place: int, name: str, request: Request, found: Sweep, gaps: Any, scale: pictures.Scale,
    look: style.Look, *, bar: bool, alone: bool,
) -> Panel:  # fmt: skip
    """One map with theory and iso-lines over it, and the marker of the chosen cell."""
    across, up = request.across, request.up
    figure = pictures.frame(across, up, scale, bar=bar)
    square = gaps if up is not None else gaps[None, :]
    if up is not None and not scale.steps and gaps.shape[0] >= FINE:
        figure["data"] += pictures.isolines(gaps, across, up, scale)
    figure["data"] += theory(request, found)
    cells = pictures.cells(found, gaps, scale)
    (left, right), (low, high) = (
        pictures.bounds(across), pictures.bounds(up) if up is not None else (0.0, 1.0)
    )  # fmt: skip
    shown = gaps if not scale.steps or found.steps_to_target is None else found.steps_to_target
    raster = Raster(
        values=cells if up is not None else cells[None, :],
        palette=pictures.PALETTE,
        x0=left, x1=right, y0=low, y1=high,
        readout={"steps" if scale.steps else "loss": shown.reshape(square.shape)},
        names=(across.symbol, "" if up is None else up.symbol),
    )  # fmt: skip
    at = {**request.hypers, "x": request.start[0], "y": request.start[1]}
    handle = Handle(
        id="cell",
        x=at[across.name],
        y=0.5 if up is None else at[up.name],
        axis="x" if up is None else "xy",
        minimum=(across.low, 0.0 if up is None else up.low),
        maximum=(across.high, 1.0 if up is None else up.high),
        label="this run" if alone else "",
        color=pictures.MARK,
        marker=look.marker,
    )
    against = f" against {up.symbol}" if up is not None else ""
    return Panel(
        id=f"map{place}", figure=figure, rasters=[raster], handles=[handle],
        title="" if alone else name, rows=2 if alone else 1,
        alt=f"Map of {name}: {across.symbol}{against}, coloured by {x['by']}.",
    )  # fmt: skip


def theory(request: Request, found: Sweep) -> list[dict[str, Any]]:
    """The stability limit and Polyak's pair, where the landscape is quadratic."""
    curvatures = maps.quadratic_curvatures(request.surface)
    if curvatures is None or x["noise"] > 0 or curvatures[1] <= 0:
        return []
    drawn = pictures.stability_line(found, request.across, request.up, curvatures[1])
    pair = polyak(request, found)
    if pair is not None and request.up is not None:
        drawn += pictures.best_pair(request.across, request.up, *pair)
    return drawn


def polyak(request: Request, found: Sweep) -> tuple[float, float] | None:
    """Polyak's pair where the map is one of momentum's learning rate against β."""
    curvatures = maps.quadratic_curvatures(request.surface)
    axes = {a.name for a in (request.across, request.up) if a is not None}
    plain = request.runner.slug == "momentum" and found.options["form"] == "velocity"
    if curvatures is None or not plain or axes != {"lr", "beta"}:
        return None
    return maps.polyak_pair(*curvatures)


def replay(request: Request, look: style.Look) -> list[Panel]:
    """The run of the marked cell on the landscape, and its loss."""
    surface = request.surface
    run = problem.run(x, request.runner, surface)
    name = request.runner.optimizer.name
    more: dict[str, Any] = {
        "color": look.color, "dash": look.dash, "marker": look.marker, "label": name,
        "stop": run.diverged_at,
    }  # fmt: skip
    (x0, x1), (y0, y1) = surface.domain
    begin = problem.start_point(x, surface)
    handle = Handle(
        id="start", x=begin[0], y=begin[1], label="start", minimum=(x0, y0), maximum=(x1, y1)
    )
    decades = race.logarithmic(surface, [run.gap])
    curve = np.maximum(run.gap, race.FLOOR) if decades else run.gap
    return [
        Panel(
            id="plane", figure=race.plane(surface, log=x["log"]), handles=[handle],
            tracks=[Track(x=run.path[:, 0], y=run.path[:, 1], **more)],
            alt=f"The path of {name} with the settings of the marked cell.",
        ),
        Panel(
            id="loss", kind="chart", title=race.loss_title(surface), cursor=True,
            figure=race.loss_axes([run.gap], x["steps"], log=decades, target=x["target"]),
            tracks=[Track(y=curve, mode="curve", **more)],
            alt="Loss against step of the marked cell's run.",
        ),
    ]  # fmt: skip


def percent(share: float) -> str:
    """A share with two digits that count."""
    return f"{float(f'{100 * share:.2g}'):g} %"


def notice(request: Request, found: Sweep, valley: Valley) -> None:
    """What to see on the one map that is shown, in a sentence, with the numbers of now."""
    if valley.share == 0.0:
        prose.notice("Every run of this map diverges: choose smaller learning rates.")
        return
    hypers, start = found.cell(*valley.cell)
    symbols = {h.name: h.latex for h in request.runner.optimizer.hypers} | {"x": "x_0", "y": "y_0"}
    at = hypers | dict(zip("xy", start, strict=True))
    axes = [a.name for a in (request.across, request.up) if a is not None]
    where = ", ".join(f"${symbols[name]} = {at[name]:.3g}$" for name in axes)
    text = (
        f"The best cell of this map is {where}, where the loss ends at {valley.best:.2g}; "
        f"**{percent(valley.share)}** of the cells end within a factor of 10 of it"
    )
    text += f", {percent(valley.diverged)} diverge." if valley.diverged else ", none diverges."
    pair = polyak(request, found)
    if pair is not None:
        text += (
            rf" Polyak's pair for these curvatures is $\eta = {pair[0]:.4g}$, "
            rf"$\beta = {pair[1]:.4g}$: the best in the long run."
        )
    prose.notice(text)


def formula(request: Request) -> None:
    """The limit that is drawn, with its numbers put in."""
    curvatures = maps.quadratic_curvatures(request.surface)
    optimizer = request.runner.optimizer
    if curvatures is None or curvatures[1] <= 0 or not optimizer.stability_latex:
        return
    limit = optimizer.stability_limit(curvatures[1], request.hypers, request.runner.options)
    if limit is None:
        return
    lines = rf"\eta < {optimizer.stability_latex} = {limit:.4g}"
    if optimizer.slug == "momentum" and curvatures[0] > 0:
        kappa = curvatures[1] / curvatures[0]
        lines += (
            r",\qquad \eta^\star = \frac{4}{(\sqrt{\lambda_1}+\sqrt{\lambda_n})^2},\quad"
            r"\beta^\star = \Bigl(\frac{\sqrt\kappa-1}{\sqrt\kappa+1}\Bigr)^2"
            rf",\quad \kappa = {kappa:.4g}"
        )
    st.latex(lines)


def valleys(wanted: list[Request], found: list[Valley]) -> None:
    """How wide each one's valley of good settings is."""
    looks = style.looks(r.runner.slug for r in wanted)
    names = frame.distinct([r.runner.optimizer.name for r in wanted])
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
                f"{valley.best:.2g}",
                percent(valley.share),
                percent(valley.share_of_all),
                percent(valley.diverged),
            )
            for name, look, valley in zip(names, looks, found, strict=True)
        ],
    )
    st.caption(
        "Share of the cells of each map: how likely a guess inside these ranges is a good one. "
        "It depends on the ranges, which are yours, and on the axes, which count as they are drawn."
    )


def setup() -> None:
    """Landscape, optimizers, axes and colour, as native widgets."""
    left, right, axes, color = st.columns([1.1, 1.6, 1.4, 1], vertical_alignment="center")
    problem.choose_landscape(x, left)
    several.choose(x, right, new_axes)
    known = maps.axis_names(x["runs"][0].optimizer)
    with axes.container(horizontal=True):
        for which in ("ax", "ay"):
            options = ["", *known] if which == "ay" else list(known)
            if x[which] not in options:
                x.update(**{which: options[0]})
            st.selectbox(
                "across" if which == "ax" else "up", options, key=x.key(which),
                format_func=lambda name: name or "up: as usual", on_change=new_axes,
                label_visibility="collapsed", disabled=x.locked(which),
            )  # fmt: skip
    color.segmented_control(
        "Colour", COLORS, key=x.key("by"), required=True, label_visibility="collapsed"
    )
    problem.type_formula(x)


@st.fragment
def body() -> None:
    """The maps; reruns alone while sliders move or finer cells arrive."""
    embedded = bool(st.context.is_embedded)
    if not embedded and not x.hidden("setup"):
        setup()
    bar = st.empty()
    picture, panel = (
        (st.container(), None) if x.hidden("controls") else st.columns([3, 1.05], gap="medium")
    )
    if panel is not None:
        with panel:
            shown = groups(requests())
            answer = controls(
                "map.controls", shown, locked=problem.locked(x, shown),
                max_height=440 if embedded else 560,
            )  # fmt: skip
            take(answer.values, committed=answer.committed)
    wanted = requests()
    found = refined("map", {request.mark: request.sweep for request in wanted}, bar)
    gaps = [maps.gap(one) for one in found]
    best = min(float(g.min()) for g in gaps)
    own = [maps.valley(g, best) for g in gaps]
    low = maps.floor_of(wanted[0].surface)
    begin = abs(float(wanted[0].surface.value(wanted[0].start)) - low) or 1.0
    scale = (
        pictures.loss_scale(gaps, begin)
        if x["by"] == COLORS[0]
        else pictures.steps_scale(x["steps"])
    )
    looks = style.looks(r.runner.slug for r in wanted)
    names = frame.distinct([r.runner.optimizer.name for r in wanted])
    alone = len(wanted) == 1
    panels = [
        map_panel(
            i, name, request, one, g, scale, look,
            bar=alone or i == len(wanted) - 1, alone=alone,
        )
        for i, (name, request, one, g, look) in enumerate(
            zip(names, wanted, found, gaps, looks, strict=True)
        )
    ]  # fmt: skip
    if alone:
        panels += replay(wanted[0], looks[0])
    with picture:
        stage(
            "map.stage", panels, frames=x["steps"] + 1 if alone else 1,
            height=430 if embedded else 560,
            columns=[1.35, 1] if alone else 2,
            alt=f"Hyper-parameter map of {', '.join(names)}", on_event=on_stage,
        )  # fmt: skip
    if alone:
        notice(wanted[0], found[0], own[0])
        formula(wanted[0])
    else:
        valleys(wanted, own)
    if not embedded and not x.hidden("presets"):
        prose.presets(x, PRESETS)
        problem.link(x, "race", "Race the marked settings", icon=":material/flag:", same="0")
    x.publish()


body()
