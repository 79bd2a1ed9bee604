"""The update debugger: one step of one optimizer, in symbols, in numbers and as arrows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

import engine
from components.controls import Choice as Chooser
from components.controls import Group, Slider, controls
from components.stage import Arrows, Boxes, Event, Handle, Panel, Track, stage
from engine.optimizers import OPTIMIZERS
from engine.problems.landscapes import Landscape
from engine.runs.descent import Descent
from engine.studies import debugger
from engine.studies import rule_latex as latex
from figures import debugger as pictures
from figures import race, style
from pages import cursor, frame, problem, prose
from pages.panels import chart_panel
from pages.presets import Preset
from pages.runners import Runner
from pages.state import Integer, Text, experiment

PRESETS = (
    Preset(
        "Nesterov's jump",
        "good",
        "Jump along the old velocity (brown), correct by the gradient found there (red): the sum "
        "(green) is the step. Follow it through the first swing.",
        {"runs": "nesterov:lr=0.006,beta=0.9,form=lookahead", "t": "7"},
    ),
    Preset(
        "Adam turns the gradient",
        "good",
        "The raw gradient (red) points across the valley. Adam divides each coordinate by its own "
        "size, so the step (green) goes diagonally, towards the minimum.",
        {"runs": "adam:lr=0.4", "t": "6"},
    ),
    Preset(
        "Without bias correction",
        "bad",
        "Without correction the first step of Adam is 3.16 times too long: v starts further below "
        "its truth than m does. Compare the rates.",
        {"runs": "adam:lr=0.4", "against": "bias_correction=False", "t": "1"},
    ),
    Preset(
        "Sophia's trust box",
        "good",
        "No coordinate moves further than ηρ: the unclipped step (grey) leaves the box, the step "
        "stays in its corner.",
        {"runs": "sophia:lr=0.3,gamma=0.5", "on": "rosenbrock", "start": "-1.5,2", "t": "5"},
    ),
    Preset(
        "Where ε stands",
        "good",
        "A large ε tames small gradients: under the root, √(v + ε), it does so with √ε.",
        {"runs": "adam:lr=0.4,eps=1", "against": "epsilon=inside", "t": "30"},
    ),
    Preset(
        "Decay inside or beside",
        "good",
        "Inside the gradient, weight decay is divided by √v like everything else. Beside it, it "
        "pulls by ηλw at once (purple).",
        {"runs": "adamw:lr=0.4,weight_decay=0.5", "against": "adam_l2", "t": "12"},
    ),
)
MOST_CAPTIONS = 400  # steps; a longer run has its numbers in the formula alone
x = experiment(
    "debugger",
    [
        *problem.fields(runs="adam:lr=0.4"),
        Integer("at", 0, 0, 11),
        Text("against", ""),
        Integer("t", 6, 0, problem.STEPS),
    ],
)

frame.opening(
    x,
    "Update debugger",
    "One step of an optimizer: its rule, its numbers and its arrows, under one cursor.",
)


def place() -> int:
    """Which of the runners is looked into."""
    return int(min(x["at"], len(x["runs"]) - 1))


def chosen() -> Runner:
    """The runner that is looked into, as it runs."""
    return problem.as_it_runs(x, x["runs"][place()])


def compared(runner: Runner, surface: Landscape) -> tuple[str, Descent] | None:
    """The same run with one convention changed, or another runner, and its name."""
    key = x["against"]
    if key.startswith("runner") and key[6:].isdigit() and int(key[6:]) < len(x["runs"]):
        other = x["runs"][int(key[6:])]
        return other.optimizer.name, problem.run(x, other, surface)
    variant = debugger.variants(runner.optimizer, runner.options).get(key)
    if variant is None:
        return None
    known = {h.name for h in variant.optimizer.hypers}
    hypers = {h.name: runner.value(h) for h in runner.optimizer.hypers if h.name in known}
    run = engine.descend(
        surface, variant.optimizer, problem.start_point(x, surface), x["steps"], hypers,
        options=variant.options, noise=x["noise"], seed=x["seed"],
    )  # fmt: skip
    return variant.name, run


# What the reader does -----------------------------------------------------------------------------


def on_stage(event: Event) -> None:
    """A click or a drag on the plane sets the start."""
    if event.panel == "plane":
        x.change({"start": (event.x, event.y)}, by="stage", held=event.kind == "drag")


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """Sliders: of the problem by their field's name, of the rule as rule/name."""
    runners = list(x["runs"])
    fields: dict[str, Any] = {}
    for name, value in values.items():
        owner, _, setting = name.partition("/")
        if not setting:
            fields[name] = int(value) if isinstance(x[name], int) else value
        elif owner == chosen().slug and setting == "lr" and x["same"]:
            fields["lr"] = value
        elif owner == chosen().slug:
            runners[place()] = runners[place()].with_setting(setting, value)
    x.change({**fields, "runs": tuple(runners)}, by="controls", held=not committed)


def swap() -> None:
    """Another optimizer from the registry takes the place of the one that is looked into."""
    runners = list(x["runs"])
    slug = st.session_state["debugger.rule"]
    if slug != runners[place()].slug:
        runners[place()] = Runner(slug, {"lr": problem.suitable_rate(x, slug)})
        x.change({"runs": tuple(runners), "against": "", "same": False})


# What the reader sees -----------------------------------------------------------------------------


def groups(surface: Landscape) -> list[Group]:
    """The rule's own settings first, then the landscape and the run."""
    runner = chosen()
    optimizer = runner.optimizer
    look = style.look(runner.slug)
    items: list[Slider | Chooser] = [
        problem.hyper_slider(h, runner.value(h), f"{runner.slug}/{h.name}")
        for h in optimizer.hypers
    ]
    items += [
        Chooser(
            name=f"{runner.slug}/{o.name}", label=o.label,
            value=str(runner.options.get(o.name, o.default)),
            options=[(str(value), meaning) for value, meaning in o.choices],
        )
        for o in optimizer.options
    ]  # fmt: skip
    own = Group(
        id="rule", title=optimizer.name, items=items,
        color=look.color, dash=look.dash, marker=look.marker,
    )  # fmt: skip
    return [own, *problem.landscape_groups(x, surface)]


def settings(height: int | None) -> None:
    """The live controls."""
    shown = groups(problem.landscape(x))
    answer = controls(
        "debugger.controls", shown, locked=problem.locked(x, shown), max_height=height
    )
    take(answer.values, committed=answer.committed)


def moving(parts: tuple[debugger.Arrow, ...], run: Descent, *, plane: bool) -> list[Arrows]:
    """The arrows of every step, on the plane or in the enlarged picture."""
    scale = pictures.scale_of(parts)
    out = []
    for part in parts:
        if plane and part.role == "unclipped":
            continue
        tail, vector = (
            pictures.on_plane(part, run.landscape)
            if plane
            else pictures.enlarged(part, parts[-1].tail, scale)
        )
        out.append(
            Arrows(
                x=tail[:, 0], y=tail[:, 1], dx=vector[:, 0], dy=vector[:, 1],
                color=pictures.ARROW_COLORS[part.role], label="" if plane else part.symbol,
                label_at=pictures.LABEL_AT.get(part.role, 1.0), width=2.0 if plane else 2.6,
            )
        )  # fmt: skip
    return out


def boxes(run: Descent, parts: tuple[debugger.Arrow, ...], *, plane: bool) -> list[Boxes]:
    """The trust box of a rule that clips."""
    reach = debugger.trust_box(run)
    if reach is None:
        return []
    origin = parts[-1].tail if plane else np.zeros_like(run.path)
    half = np.full(len(run.path), reach) if plane else reach / pictures.scale_of(parts)
    return [
        Boxes(
            x0=origin[:, 0] - half, x1=origin[:, 0] + half,
            y0=origin[:, 1] - half, y1=origin[:, 1] + half,
            colors=style.LIMIT, opacity=0.16,
        )
    ]  # fmt: skip


def panels(surface: Landscape, run: Descent, other: tuple[str, Descent] | None) -> list[Panel]:
    """The plane, the step enlarged, and the charts, on one clock."""
    look = style.look(run.optimizer.slug)
    trails = [
        Track(
            x=run.path[:, 0], y=run.path[:, 1], color=look.color, dash=look.dash,
            marker=look.marker, stop=run.diverged_at, width=1.6,
        )
    ]  # fmt: skip
    if other is not None:
        name, second = other
        trails.append(
            Track(
                x=second.path[:, 0], y=second.path[:, 1], color=style.MUTED, dash="dot",
                marker="ring", label=name, stop=second.diverged_at, width=1.8,
            )
        )  # fmt: skip
    begin = problem.start_point(x, surface)
    (x0, x1), (y0, y1) = surface.domain
    parts = debugger.arrows(run)
    shown = pictures.overview(run, None if other is None else other[1])
    rows = (len(shown) + 1) // 2
    plane = Panel(
        id="plane",
        figure=race.plane(surface, log=x["log"]),
        tracks=trails,
        arrows=moving(parts, run, plane=True),
        boxes=boxes(run, parts, plane=True),
        handles=[
            Handle(
                id="start",
                x=begin[0],
                y=begin[1],
                label="start",
                minimum=(x0, y0),
                maximum=(x1, y1),
            )
        ],
        title=f"{run.optimizer.name} on {surface.name}",
        alt=f"Contours of {surface.name} with the path of {run.optimizer.name} and its arrows.",
        rows=rows,
    )
    step = Panel(
        id="step",
        kind="chart",
        figure=pictures.enlargement(),
        arrows=moving(parts, run, plane=False),
        boxes=boxes(run, parts, plane=False),
        title=pictures.enlargement_title(parts),
        alt="The parts of this step as arrows from the old point: "
        + ", ".join(part.meaning for part in parts),
        rows=rows,
    )
    return [plane, step, *map(chart_panel, shown)]


def captions(run: Descent) -> list[str]:
    """One line a step, for the eye while it plays and for screen readers."""
    if run.steps > MOST_CAPTIONS:
        return []
    moved = debugger.steps(run)
    gradient = run.state["g"]
    lines = [f"start · loss {run.loss[0]:.4g}"]
    for t in range(1, run.steps + 1):
        if run.diverged_at is not None and t >= run.diverged_at:
            lines.append(f"t = {t} · diverged")
            continue
        (g0, g1), (d0, d1) = gradient[t], moved[t]
        lines.append(
            f"t = {t} · g = ({g0:.3g}, {g1:.3g}) · step = ({d0:.3g}, {d1:.3g}) "
            f"· loss {run.loss[t]:.4g}"
        )
    return lines


def rule(run: Descent, step: int) -> None:
    """The rule with symbols, and beside it with the numbers of this step."""
    with st.container(key="formula-debugger"):
        if not 1 <= step <= run.last:
            st.latex(latex.array(latex.rule_in_symbols(run.optimizer, run.options)))
            return
        lines = latex.rule_at(run, step)
        columns = zip(*(line.numbers for line in lines), strict=True)
        heads = ("x in numbers", "y in numbers") if run.optimizer.elementwise else ("in numbers",)
        st.latex(latex.array((line.symbols for line in lines), columns, (f"step {step}", *heads)))


def notice(run: Descent, other: tuple[str, Descent] | None, step: int) -> None:
    """What to look at in this step, or what changed by the convention."""
    if run.diverged_at is not None:
        prose.notice(engine.explain(run).sentence)
        return
    if other is not None:
        name, second = other
        apart = debugger.first_difference(run, second)
        prose.notice(
            f"Dotted: {name}. "
            + (
                "The two runs cannot be told apart here."
                if apart is None
                else f"The two part at step {apart}; the losses end at {run.loss[run.last]:.3g} "
                f"and {second.loss[second.last]:.3g}."
            )
        )
        return
    prose.notice(debugger.describe(run, step))


def setup() -> None:
    """Which optimizer, on what, against what."""
    left, middle, right = st.columns([1, 1.1, 1.3], vertical_alignment="center")
    problem.choose_landscape(x, left)
    runner = chosen()
    st.session_state["debugger.rule"] = runner.slug
    middle.selectbox(
        "Optimizer", list(OPTIMIZERS), key="debugger.rule", on_change=swap,
        format_func=lambda slug: OPTIMIZERS[slug].name, label_visibility="collapsed",
        disabled=x.locked("runs"),
    )  # fmt: skip
    options = {"": "compare with nothing"}
    options |= {
        key: v.name for key, v in debugger.variants(runner.optimizer, runner.options).items()
    }
    names = frame.distinct([r.optimizer.name for r in x["runs"]])
    options |= {
        f"runner{i}": f"{name}, its own settings" for i, name in enumerate(names) if i != place()
    }
    if x["against"] not in options:
        x.update(against="")
    right.selectbox(
        "Compare", list(options), key=x.key("against"), format_func=options.__getitem__,
        label_visibility="collapsed", disabled=x.locked("against"),
    )  # fmt: skip
    if len(x["runs"]) > 1:
        st.segmented_control(
            "Runner", range(len(names)), key=x.key("at"), format_func=names.__getitem__,
            required=True, label_visibility="collapsed",
        )  # fmt: skip
    problem.type_formula(x)


@st.fragment
def body() -> None:
    """One run, one cursor; reruns alone while sliders or the cursor move."""
    embedded = bool(st.context.is_embedded)
    if not embedded and not x.hidden("setup"):
        setup()
    top = st.container()
    below = st.container()
    picture: Any = top
    panel: Any = None
    if embedded and not x.hidden("controls"):
        picture, panel = top.columns([3, 1.15], gap="medium")
        formula = below
    elif x.hidden("controls"):
        formula = below
    else:
        formula, panel = below.columns([3.1, 1.02], gap="medium")
    if panel is not None:
        with panel:
            settings(height=460 if embedded else 420)
    surface = problem.landscape(x)
    runner = chosen()
    run = problem.run(x, x["runs"][place()], surface)
    other = compared(runner, surface)
    with picture:
        result = stage(
            "debugger.stage",
            panels(surface, run, other)[: 2 if embedded else None],
            frames=x["steps"] + 1,
            height=430 if embedded else 500,
            columns=[1, 1] if embedded else [1.3, 1.25, 1, 1],
            alt=f"{run.optimizer.name} on {surface.name}, step by step",
            captions=captions(run),
            report_cursor=True,
            start_frame=cursor.asked(x),
            on_event=on_stage,
        )
    step = cursor.keep(x, result.frame, x["steps"])
    with formula:
        notice(run, other, step)
        rule(run, step)
    if not embedded and not x.hidden("presets"):
        with below:
            prose.presets(x, PRESETS)
            problem.link(x, "race", "Race it on this landscape", icon=":material/flag:")
    x.publish()


body()
