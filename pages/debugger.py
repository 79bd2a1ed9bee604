"""The update debugger: one step of one optimizer, in symbols, in numbers and as arrows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import engine
from components.controls import Group
from components.drawing import drawing
from components.stage import Arrows, Boxes, Handle, Panel, Track, stage
from engine.emit.picture import Picture, entry, running_sum, stack, words, written
from engine.problems.landscapes import Landscape
from engine.runs.descent import Descent
from engine.runs.live import LiveDescent, live_descend
from engine.studies import debugger
from engine.studies import rule_latex as latex
from figures import debugger as pictures
from figures import race, style
from pages import clock, frame, problem, side_by_side
from pages.competitors import Runner
from pages.presets import Preset
from pages.state import Integer, Text, experiment
from pages.step_panel import step_panel

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
        "Without correction (dotted) Adam's first step is 3.16 times too long, not too short: "
        "m is 0.1 g, but √v is 0.0316 |g|. Compare the rates.",
        {"runs": "adam:lr=0.4", "against": "bias_correction=False", "t": "1"},
    ),
    Preset(
        "A steady gradient",
        "good",
        "On a slope without end the gradient stays 1, and velocity adds it up: v grows to "
        "1/(1−β) = 10 gradients, the step to ten times gradient descent's.",
        {
            "on": "formula",
            "f": "x",
            "log": "0",
            "start": "4,0",
            "runs": "momentum:lr=0.012",
            "t": "60",
        },
    ),
    Preset(
        "Sophia's trust box",
        "good",
        "No coordinate moves further than ηρ: the unclipped step (grey) leaves the box, the step "
        "stays in its corner.",
        {"runs": "sophia:lr=0.3,gamma=0.5", "on": "rosenbrock", "start": "-1.5,2", "t": "4"},
    ),
    Preset(
        "Heard in class: Muon is g/‖g‖",
        "good",
        "It takes the momentum, not g, and makes a matrix's singular values alike (0.7 to 1.2), "
        "not its norm 1. This 1 × 2 matrix has one: every step is 0.696 η, along u.",
        {"runs": "muon:lr=0.1,weight_decay=0", "t": "30"},
    ),
    Preset(
        "Where ε stands",
        "good",
        "A thousandth off the ridge the gradient in y is far below ε = 0.01. Beside the root, ε "
        "caps the rate at η/ε; under it (dotted) at η/√ε, ten times lower.",
        {
            "on": "saddle",
            "runs": "adam:lr=0.05,eps=0.01",
            "against": "epsilon=inside",
            "t": "5",
        },
    ),
    Preset(
        "Decay inside or beside",
        "good",
        "Inside the gradient, weight decay is divided by √v like everything else. Beside it, it "
        "pulls by ηλw at once (purple).",
        {"runs": "adamw:lr=0.4,weight_decay=0.5", "against": "adam_l2", "t": "12"},
    ),
)
# A picture of each line beside its formula, as high as the line.
SPARKS = """
.sparks { font-size: 0.9rem; padding-top: 0.5rem; }
.sparks p { margin: 0; line-height: 1.2; }
.sparks p span { font-size: 0.8rem; opacity: 0.7; }
.sparks div { display: flex; align-items: center; }
.sparks svg { width: 60px; }
"""
x = experiment(
    "debugger",
    [
        *problem.fields(runs="adam:lr=0.4"),
        Integer("at", 0, 0, 11),
        Text("against", "", label="compared with"),
        Integer("t", 6, 0, problem.STEPS),
    ],
    parts=("function", "code"),
)


def place() -> int:
    """Which of the runners is looked into."""
    return int(min(x["at"], len(x["runs"]) - 1))


def chosen() -> Runner:
    """The runner that is looked into, as it runs."""
    return problem.as_it_runs(x, x["runs"][place()])


def compared(live: Picture, surface: Landscape) -> tuple[str, LiveDescent] | None:
    """The same run with one convention changed, or another runner, and its name."""
    key = x["against"]
    if key.startswith("runner") and key[6:].isdigit() and int(key[6:]) < len(x["runs"]):
        other = int(key[6:])
        run = problem.live_run(x, live, other, surface, recorded=True)
        return x["runs"][other].optimizer.name, run
    runner = chosen()
    variant = debugger.variants(runner.optimizer, runner.options).get(key)
    if variant is None:
        return None
    known = {h.name for h in variant.optimizer.hypers}
    hypers = {n: v for n, v in problem.live_hypers(x, live, place()).items() if n in known}
    start = live["start"]
    run = live_descend(
        surface, variant.optimizer, (start[0], start[1]), live["steps"], hypers,
        parameters=problem.live_parameters(live, surface), options=variant.options,
        noise=live["noise"], seed=x["seed"], recorded=True,
    )  # fmt: skip
    return variant.name, run


# What the reader sees -----------------------------------------------------------------------------


def groups(surface: Landscape) -> list[Group]:
    """The rule's own settings first, then the landscape and the run."""
    runner = chosen()
    look = style.look(runner.slug)
    shared = x["same"] and runner.has_rate
    items = problem.runner_items(place(), runner, without={"lr"} if shared else ())
    own = Group(
        id="rule", title=runner.optimizer.name,
        items=[*([x.slider("lr", default=surface.lr)] if shared else []), *items],
        color=look.color, dash=look.dash, marker=look.marker,
    )  # fmt: skip
    return [own, *problem.landscape_groups(x, surface)]


def moving(parts: tuple[debugger.Arrow, ...], run: LiveDescent, *, plane: bool) -> list[Arrows]:
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
                x=tail[0], y=tail[1], dx=vector[0], dy=vector[1],
                color=pictures.ARROW_COLORS[part.role], label="" if plane else part.symbol,
                label_at=pictures.LABEL_AT.get(part.role, 1.0), width=2.0 if plane else 2.6,
            )
        )  # fmt: skip
    return out


def boxes(run: LiveDescent, parts: tuple[debugger.Arrow, ...], *, plane: bool) -> list[Boxes]:
    """The trust box of a rule that clips."""
    reach = debugger.trust_box(run)
    if reach is None:
        return []
    at_x, at_y = parts[-1].tail
    half = reach + 0.0 * at_x if plane else reach / pictures.scale_of(parts)
    if not plane:
        at_x = at_y = 0.0 * half
    return [
        Boxes(
            x0=at_x - half, x1=at_x + half, y0=at_y - half, y1=at_y + half,
            colors=style.LIMIT, opacity=0.16,
        )
    ]  # fmt: skip


def panels(
    live: Picture,
    surface: Landscape,
    run: LiveDescent,
    other: tuple[str, LiveDescent] | None,
    *,
    small: bool,
) -> list[Panel]:
    """The plane, the step enlarged, and (unless small) the charts, on one clock."""
    rule = run.result.optimizer
    look = style.look(rule.slug)
    trails = [
        Track(
            x=run.x, y=run.y, color=look.color, dash=look.dash, marker=look.marker,
            stop=run.stopped, width=1.6,
        )
    ]  # fmt: skip
    if other is not None:
        name, varied = other
        trails.append(
            Track(
                x=varied.x, y=varied.y, color=style.MUTED, dash="dot", marker="ring", label=name,
                stop=varied.stopped, width=1.8,
            )
        )  # fmt: skip
    start, (hand_x, hand_y) = live["start"], live.hand
    (x0, x1), (y0, y1) = surface.domain
    sets = {"start": stack(hand_x, hand_y)}
    parts = debugger.arrows(run)
    second = None if other is None else other[1]
    shown = [] if small else pictures.overview(run, second, most=2)  # the rest are sparklines
    parameters = problem.live_parameters(live, surface)
    plane = Panel(
        id="plane",
        figure=race.plane(surface, log=x["log"], parameters=parameters),
        tracks=trails,
        arrows=moving(parts, run, plane=True),
        boxes=boxes(run, parts, plane=True),
        handles=[
            Handle(
                id="start", x=start[0], y=start[1], label="start", sets=sets, minimum=(x0, y0),
                maximum=(x1, y1),
            )
        ],
        clicks=sets,
        title=f"{rule.name} on {problem.said(surface)}",
        alt=f"Contours of {surface.name} with the path of {rule.name} and its arrows.",
        rows=1 if small else 3, wide=1 if small else 3,  # the others stand in a row below it
    )  # fmt: skip
    step = Panel(
        id="step",
        kind="chart",
        figure=pictures.enlargement(),
        arrows=moving(parts, run, plane=False),
        boxes=boxes(run, parts, plane=False),
        title=pictures.enlargement_title(parts),
        alt="The parts of this step as arrows from the old point: "
        + ", ".join(part.meaning for part in parts),
        rows=1 if small else 2,
    )
    return [plane, step, *(step_panel(chart, rows=2) for chart in shown)]


def captions(run: LiveDescent) -> list[Any]:
    """One line a step, for the eye while it plays and for screen readers."""
    number = running_sum(0.0 * run.x + 1.0) - 1.0
    gradient = debugger.quantities(run)[0].columns
    columns = (number, *gradient, *debugger.steps(run), run.loss)
    return [
        words("start · loss {:4}", entry(run.loss, 0.0)),
        words("t = {:.0f} · g = ({:3}, {:3}) · step = ({:3}, {:3}) · loss {:4}", *columns),
    ]


def arrow_colors(run: LiveDescent) -> dict[str, str]:
    """The variables of the rule that have an arrow, in its colour on this theme."""
    dark = st.context.theme.type == "dark"
    return {
        part.shows: pictures.ARROW_COLORS[part.role].split("|")[dark]
        for part in debugger.arrows(run)
        if part.shows
    }


def rule(beside: DeltaGenerator, run: Descent, step: int, colors: dict[str, str]) -> None:
    """The rule with symbols, each line with a picture of what it gives; where the page is wide it
    stands beside the stage that it follows (page.css)."""
    place = formulas(beside, "formula-debugger")
    if not 1 <= step <= run.last:
        symbols = latex.rule_in_symbols(run.optimizer, run.options, colors)
        place.latex(latex.array(symbols), width="content")
        return
    with place.container(key="sparks", width=64):
        lines = latex.rule_at(run, step, colors)
        drawing("debugger.sparks", sparklines(run, lines, step), scroll=False)
    place.latex(columns(run, step, colors)[0], width="content")


def in_numbers(below: DeltaGenerator, run: Descent, step: int, colors: dict[str, str]) -> None:
    """The rule with the numbers of this step."""
    if 1 <= step <= run.last:
        place = formulas(below, "formula-debugger-numbers")
        for column in columns(run, step, colors)[1:]:
            place.latex(column, width="content")


def columns(run: Descent, step: int, colors: dict[str, str]) -> tuple[str, ...]:
    """The rule in LaTeX with symbols, and with the numbers of this step."""
    heads = ("x in numbers", "y in numbers") if run.optimizer.elementwise else ("in numbers",)
    return latex.blocks(latex.rule_at(run, step, colors), (f"step {step}", *heads))


def formulas(place: DeltaGenerator, key: str) -> DeltaGenerator:
    """Formulas side by side, as far as there is room."""
    return place.container(key=key, horizontal=True, vertical_alignment="top", gap="small")


def sparklines(run: Descent, lines: Sequence[latex.RuleLine], step: int) -> str:
    """Beside each line of the rule what it gives, along the whole run, as HTML."""
    known = {**run.state, "w": run.path}
    rows = []
    for line in lines:
        values = known.get(line.name)
        drawn = "" if values is None else pictures.sparkline(np.atleast_2d(values.T), step)
        rows.append(f"<div style='height:{line.height}em'>{drawn}</div>")
    return (
        f"<style>{SPARKS}</style><div class='sparks'>"
        f"<p style='height:{latex.HEAD}em'><span>the run</span></p>{''.join(rows)}</div>"
    )


def notice(run: Descent, other: tuple[str, LiveDescent] | None, step: int) -> None:
    """What to look at in this step, or what changed by the convention."""
    if run.diverged_at is not None:
        frame.notice(engine.explain(run).sentence)
        return
    if other is not None:
        name, second = other[0], other[1].result
        apart = debugger.first_difference(run, second)
        frame.notice(
            f"Dotted: {name}. "
            + (
                "The two runs cannot be told apart here."
                if apart is None
                else f"The two part at step {apart}; the losses end at "
                f"{written(run.loss[run.last], '3')} and {written(second.loss[second.last], '3')}."
            )
        )
        return
    frame.notice(debugger.describe(run, step))


def opening() -> None:
    """Title and lead, whose words choose which optimizer, on what, against what."""
    runner = chosen()
    options = {"": "nothing"}
    options |= {
        key: v.name for key, v in debugger.variants(runner.optimizer, runner.options).items()
    }
    names = frame.distinct([r.optimizer.name for r in x["runs"]])
    options |= {
        f"runner{i}": f"{name}, its own settings" for i, name in enumerate(names) if i != place()
    }
    if x["against"] not in options:
        x.update(against="")
    frame.opening(
        x,
        "Update debugger",
        [
            "One step of ", side_by_side.one_menu(x, place(), against=""), " on ",
            problem.landscape_menu(x), ", compared with ",
            x.menu("against", options=list(options.items())),
            "." if x["against"] else ": its rule, its numbers, its arrows.",
        ],
    )  # fmt: skip
    if not x.stands("setup"):
        return
    if len(x["runs"]) > 1:
        st.segmented_control(
            "Runner", range(len(names)), format_func=names.__getitem__, required=True,
            label_visibility="collapsed", **x.native("at"),
        )  # fmt: skip
    problem.type_formula(x)
    side_by_side.own_rules(x, [place()])


@frame.fragment
def body() -> None:
    """One run, one cursor: the picture with its controls, and the formula of the cursor's step."""
    opening()
    view = frame.view(x, PRESETS, panel=0.25)
    surface = problem.landscape(x)
    live = problem.live_picture(x, surface)
    run = problem.live_run(x, live, place(), surface, recorded=True)
    other = compared(live, surface)
    shows_rule, colors = not x.hidden("formula"), arrow_colors(run)
    beside = shows_rule and not view.embedded
    pair = view.picture.container(key="pair-debugger") if beside else view.picture
    with pair:
        shown = stage(
            "debugger.stage",
            panels(live, surface, run, other, small=view.embedded),
            live=live,
            frames=live["steps"] + 1.0,
            height=view.height(620, 350),
            columns=2 if view.embedded else 3,
            alt=f"{run.result.optimizer.name} on {problem.said(surface)}, step by step",
            captions=captions(run),
            sound="loss",
            report_cursor=True,
            start_frame=clock.start(x, x["steps"]),
            restart=x.restart,
        )
    step = clock.keep(x, shown.frame, x["steps"])
    with view.panel:
        x.controls(groups(surface), live=live, height=view.height(620, 460))
    if shown.sensitive:
        st.html(frame.SENSITIVE)
    if beside:
        rule(pair, run.result, step, colors)
    with view.picture:
        problem.say_start(x, surface)
    # Below both columns, for a word in it may be a link: on a phone keys would go back up from it.
    with view.picture if view.embedded else st.container():
        notice(run.result, other, step)
    if shows_rule:
        below = view.picture.expander("The rule at this step") if view.embedded else st.container()
        if view.embedded:
            rule(below, run.result, step, colors)
        in_numbers(below, run.result, step, colors)
    if not view.embedded:
        problem.about(x, surface)
        names = frame.distinct([r.optimizer.name for r in x["runs"]])
        problem.as_code(x, surface, names, first=place())
        problem.link(x, "race", "Race it on this landscape", icon=":material/flag:")
    frame.foot(
        x, latex.rule_in_symbols(run.result.optimizer, run.result.options)[-1].replace("&", "")
    )
    x.publish()


body()
