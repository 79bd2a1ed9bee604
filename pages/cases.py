"""Telling cases: small problems on which one optimizer fails and its cure does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Choice as Chooser
from components.controls import Group, Item, Slider, controls
from components.stage import Event, Handle, Panel, Track, stage
from engine import cases
from engine.cases import Moving
from engine.descent import Descent
from engine.landscapes import LANDSCAPES
from engine.latex import array, rule_in_symbols
from engine.optimizers import OPTIMIZERS
from figures import cases as pictures
from figures import charts, style
from pages import frame, prose
from pages.panels import chart_panel
from pages.state import Choice, Number, Numbers, experiment

CASES = {
    "L2 or decay": ("adam_l2", "adamw"),
    "Adam misled": ("adam", "amsgrad"),
    "the shrinking rate": ("adagrad", "rmsprop"),
    "curvature": ("sophia", "newton"),
    "a minimum that jumps": ("adam", "eve"),
}
# The conventions under which a case is run, where they are not the defaults.
OPTIONS: dict[tuple[str, str], dict[str, str | bool]] = {
    ("Adam misled", "adam"): {"bias_correction": False},
    ("Adam misled", "amsgrad"): {"maximum": "paper"},
}
SURFACE = LANDSCAPES["booth"]
STEPS = 300
KAPPA_STEPS, KAPPA_TARGET = 400, 1e-6
ANGLES = ("0", "15", "30", "45")

x = experiment(
    "cases",
    [
        Choice("case", "L2 or decay", list(CASES)),
        Number("decay", 0.3, 0.0, 1.0),
        Number("lr", 0.05, 0.001, 0.5),
        Numbers("start", (-6, -4), -10, 10, count=(2, 2)),
        Number("size", 4.0, 2.5, 10.0),
        Number("reddi_lr", 0.5, 0.01, 2.0),
        Number("burst", 30.0, 1.0, 100.0),
        Choice("rotation", ANGLES[0], ANGLES),
        Number("period", 80.0, 20.0, 150.0),
        Number("eve_lr", 0.05, 0.001, 0.5),
        Number("beta3", 0.9, 0.0, 0.999),
    ],
)

frame.opening(
    x,
    "Telling cases",
    "Small problems on which two optimizers part: what goes wrong, and what the cure changes.",
)

SLIDERS: dict[str, tuple[Slider, ...]] = {
    "L2 or decay": (
        Slider(
            name="decay", label="weight decay", symbol="λ", value=0.3, minimum=0.0, maximum=1.0,
            help="pull of the weights towards 0",
        ),
        Slider(
            name="lr", label="lr", symbol="η", value=0.05, minimum=0.001, maximum=0.5, scale="log",
            help="learning rate of both",
        ),
    ),
    "Adam misled": (
        Slider(
            name="size", label="size", symbol="C", value=4.0, minimum=2.5, maximum=10.0,
            help="the rare gradient; the others are −1",
        ),
        Slider(
            name="reddi_lr", label="lr", symbol="η", value=0.5, minimum=0.01, maximum=2.0,
            scale="log", help="the rate of step t is η/√t",
        ),
    ),
    "the shrinking rate": (
        Slider(
            name="burst", label="burst", value=30.0, minimum=1.0, maximum=100.0, scale="log",
            help="size of the first gradients; all later ones are 1",
        ),
    ),
    "curvature": (),
    "a minimum that jumps": (
        Slider(
            name="period", label="period", value=80.0, minimum=20.0, maximum=150.0,
            help="steps from one jump to the next", integer=True,
        ),
        Slider(
            name="eve_lr", label="lr", symbol="η", value=0.05, minimum=0.001, maximum=0.5,
            scale="log", help="learning rate of both",
        ),
        Slider(
            name="beta3", label="beta3", symbol="β₃", value=0.9, minimum=0.0, maximum=0.999,
            help="memory of the objective's change",
        ),
    ),
}  # fmt: skip


def settings(height: int) -> None:
    """The sliders of the chosen case."""
    items: list[Item] = [
        Slider(
            name=s.name, label=s.label, symbol=s.symbol, value=x[s.name], minimum=s.minimum,
            maximum=s.maximum, default=s.value, scale=s.scale, integer=s.integer, help=s.help,
        )
        for s in SLIDERS[x["case"]]
    ]  # fmt: skip
    if x["case"] == "curvature":
        angles = [(angle, f"{angle}°") for angle in ANGLES]
        items.append(
            Chooser(name="rotation", label="bowl turned by", value=x["rotation"], options=angles)
        )
    answer = controls(
        "cases.controls", [Group(id="case", title=x["case"], items=items)],
        locked=[item.name for item in items if x.locked(item.name)], max_height=height,
    )  # fmt: skip
    take(answer.values, committed=answer.committed)


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """Sliders into fields; those of another case are old news."""
    mine = {s.name for s in SLIDERS[x["case"]]}
    fields: dict[str, Any] = {n: float(value) for n, value in values.items() if n in mine}
    if x["case"] == "curvature" and "rotation" in values:
        fields["rotation"] = values["rotation"]
    x.change(fields, by="controls", held=not committed)


# The cases ----------------------------------------------------------------------------------------


def decays(height: int) -> str:
    """L2 inside Adam against AdamW, on a landscape whose minimum is not at 0."""
    start = (x["start"][0], x["start"][1])
    runs = cases.decays(start, x["lr"], x["decay"], 2 * STEPS)
    lengths = {r.optimizer.slug: np.hypot(r.path[:, 0], r.path[:, 1]) for r in runs}
    handle = Handle(
        id="start", x=start[0], y=start[1], label="start", minimum=(-10, -10), maximum=(10, 10)
    )
    plane = Panel(
        id="plane",
        figure=pictures.plane(SURFACE),
        tracks=[_trail(run) for run in runs],
        handles=[] if x.locked("start") else [handle],
        alt="Contours of Booth's function with the path of Adam with L2 and of AdamW.",
    )
    show([plane, chart_panel(pictures.norms(lengths))], 2 * STEPS + 1, height)
    if x["decay"] == 0:
        return "Without decay the two are one rule: both go to the minimum at (1, 3)."
    inside, beside = (_point(run.path[run.last]) for run in runs)
    least = _point(cases.penalised_minimum(x["decay"]))
    return (
        f"Both are told λ = {x['decay']:g}. Inside the gradient it is divided by √v̂ like all the "
        f"rest: Adam + L2 is at {inside}, on its way to {least}, where the loss with the penalty "
        f"½λ‖w‖² is least. Beside it nothing scales it: AdamW is at {beside}, where the pull λw "
        "and Adam's own step hold each other."
    )


def _point(w: Any) -> str:
    return f"({charts.plain(round(float(w[0]), 2))}, {charts.plain(round(float(w[1]), 2))})"


def on_stage(event: Event) -> None:
    """A dragged or clicked start of the runs."""
    if event.panel == "plane":
        start = (round(event.x, 2), round(event.y, 2))
        x.change({"start": start}, by="stage", held=event.kind == "drag")


def _trail(run: Descent) -> Track:
    look = style.look(run.optimizer.slug)
    return Track(
        x=run.path[:, 0], y=run.path[:, 1], color=look.color, dash=look.dash, marker=look.marker,
        label=run.optimizer.name, stop=run.diverged_at,
    )  # fmt: skip


@st.cache_data(max_entries=128, show_spinner=False)
def reddi(size: float, lr: float, steps: int) -> dict[str, Any]:
    """The walks on Reddi's stream."""
    return cases.reddi(size, lr, steps)


def misled(height: int) -> str:
    """Adam on the stream of Reddi et al., and AMSGrad."""
    paths = reddi(x["size"], x["reddi_lr"], STEPS * 2)
    panels = [chart_panel(pictures.walks(paths)), chart_panel(pictures.averages(paths, x["size"]))]
    show(panels, STEPS * 2 + 1, height)
    adam, amsgrad = (charts.plain(round(float(paths[s][-1]), 2)) for s in ("adam", "amsgrad"))
    return (
        f"Every third gradient is {x['size']:g}, the others are −1: on average f falls to the "
        f"left, so −1 is best. Adam ends at {adam}: it divides the rare large gradient by its own "
        "size and has forgotten it two steps later, so the two small ones win. "
        f"AMSGrad keeps the largest v and ends at {amsgrad}."
    )


def shrinking(height: int) -> str:
    """What a burst at the start does to each rule's rate."""
    gradients, rates = cases.shrinking(x["burst"], STEPS)
    panels = [chart_panel(pictures.rates(rates)), chart_panel(pictures.stream(gradients))]
    show(panels, STEPS + 1, height)
    adagrad, rmsprop = rates["adagrad"][-1], rates["rmsprop"][-1]
    return (
        f"After {cases.BURST_STEPS} gradients of {x['burst']:g} all others are 1. Adagrad adds up "
        f"squares and never forgets: its rate ends at {adagrad:.2g}. RMSProp's average forgets a "
        f"tenth of it at every step and is back at {rmsprop:.2g}. Adadelta forgets as well, and "
        "its rate grows from its own past steps, without an η."
    )


@st.cache_data(max_entries=64, show_spinner="Finding every rule's best rate at every κ…")
def against_condition(rotation: float) -> dict[str, Any]:
    """Steps to the target on bowls from round to very stretched."""
    return cases.against_condition(rotation, KAPPA_STEPS, KAPPA_TARGET)


def curvature(height: int) -> str:
    """Sophia and Newton against the condition number."""
    needed = against_condition(float(x["rotation"]))
    figure = pictures.conditions(cases.CONDITIONS, needed, KAPPA_STEPS)
    alt = "Steps to the target against the condition number, one curve for each rule."
    show([Panel(id="kappa", kind="chart", figure=figure, alt=alt)], 1, height)
    sophia = needed["sophia"]
    flat = bool(np.max(sophia) <= 2 * np.min(sophia))  # a NaN never arrives, and is not flat
    return (
        "Steps to a millionth of the starting loss, each rule at its best rate for each bowl. SGD "
        "needs them in proportion to κ; momentum bears it better; Newton does not see κ at all. "
        + (
            "Nor does Sophia, while the bowl's axes are the coordinates': the diagonal of the "
            "Hessian is all there is. Turn the bowl."
            if flat
            else "Sophia divides by the Hessian's diagonal alone: on a turned bowl that is not the "
            "curvature along the axes, and κ is felt again."
        )
    )


@st.cache_data(max_entries=128, show_spinner=False)
def moving(period: int, lr: float, beta3: float) -> Moving:
    """Adam and Eve after a minimum that jumps."""
    return cases.moving_target(period, lr, beta3, STEPS)


def jumping(height: int) -> str:
    """Eve on a changing objective."""
    found = moving(int(x["period"]), x["eve_lr"], x["beta3"])
    show(
        [chart_panel(pictures.chase(found)), chart_panel(pictures.change(found))], STEPS + 1, height
    )
    away = {s: float(np.abs(p - found.target).mean()) for s, p in found.paths.items()}
    least, most = float(found.d[1:].min()), float(found.d.max())
    return (
        "Eve divides its rate by d, an average of the objective's relative change. While the loss "
        f"is flat d sinks to {least:.2g} and Eve steps {1 / least:.1f} times as far as Adam; "
        f"at a jump d leaps to {most:.2g}. Mean distance from the minimum: "
        f"Adam {away['adam']:.2f}, Eve {away['eve']:.2f}."
    )


def show(panels: list[Panel], frames: int, height: int) -> None:
    """The stage of a case; each case has one of its own, so that its axes do not carry over."""
    place = list(CASES).index(x["case"])
    stage(
        f"cases.stage{place}", panels, frames=frames, height=height, autoplay=False,
        start_frame=frames - 1, columns=len(panels), alt=f"Telling case: {x['case']}",
        on_event=on_stage,
    )  # fmt: skip


DRAW = {
    "L2 or decay": decays,
    "Adam misled": misled,
    "the shrinking rate": shrinking,
    "curvature": curvature,
    "a minimum that jumps": jumping,
}


def rules() -> None:
    """Both rules, side by side."""
    for column, slug in zip(st.columns(2), CASES[x["case"]], strict=True):
        with column, st.container(key=f"formula-{slug}"):
            st.markdown(f"**{OPTIMIZERS[slug].name}**: {OPTIMIZERS[slug].idea}")
            options = OPTIONS.get((x["case"], slug))
            st.latex(array(rule_in_symbols(OPTIMIZERS[slug], options)))


@st.fragment
def body() -> None:
    """The chosen case; reruns alone while sliders move."""
    embedded = bool(st.context.is_embedded)
    if not x.hidden("case"):
        st.segmented_control(
            "Case", list(CASES), key=x.key("case"), required=True, label_visibility="collapsed"
        )
    picture, panel = (
        (st.container(), None) if x.hidden("controls") else st.columns([3.3, 1], gap="medium")
    )
    if panel is not None:
        with panel:
            settings(height=300)
    with picture:
        remark = DRAW[x["case"]](310 if embedded else 380)
    prose.notice(remark)
    if not embedded and not x.hidden("rules"):
        rules()
    x.publish()


body()
