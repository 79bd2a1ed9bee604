"""Schedules: the learning rate over a run, drawn above the run that it drives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

import engine
from components.controls import Group
from components.stage import Handle, Panel, Track, stage
from engine.emit.picture import Picture, entry, running_sum, stack, words, written
from engine.optimizers.schedules import SCHEDULES, Schedule
from engine.problems.landscapes import Landscape
from engine.runs.descent import Descent
from engine.runs.live import LiveDescent, live_descend
from engine.studies import momentum_forms
from engine.studies import rule_latex as latex
from engine.studies.stability import live_limit, sharpest
from engine.studies.tuning import settled_gap
from engine.tape import operations as ops
from figures import race
from figures import schedules as pictures
from pages import clock, frame, problem, side_by_side
from pages.competitors import Runner
from pages.presets import Preset
from pages.state import Choice, Integer, Number, experiment
from pages.step_panel import step_panel

CONSTANT, FORMS = "constant", "forms"  # what a run is compared with
PARAMETERS = {p.name: p for entry in SCHEDULES.values() for p in entry.parameters}
PRESETS = (
    Preset(
        "Noise, and a rate that falls",
        "good",
        "With noise in the gradient a constant rate ends in a cloud around the minimum. The "
        "cosine lets the cloud shrink as the rate does.",
        {},
    ),
    Preset(
        "Adam, with and without cosine",
        "good",
        "In noise Adam's steps do not shrink by themselves: m̂ stays a fair share of √v̂, and so "
        "a step of η, however near the minimum is. Cosine annealing brings it to rest.",
        {"runs": "adam:lr=0.5", "noise": "10", "steps": "400"},
    ),
    Preset(
        "Step decay",
        "good",
        "At each drop the loss falls to another level: the noise floor goes with the rate.",
        {"schedule": "step", "runs": "sgd:lr=0.0185", "s.drop": "0.3", "s.every": "0.33"},
    ),
    Preset(
        "Warm-up off a steep wall",
        "good",
        "At the full rate the first steps leave the picture. A warm-up over 3 % of the run (1 to "
        "5 % is usual for transformers and large batches) gets off the wall first.",
        {
            "on": "beale",
            "schedule": "constant",
            "runs": "sgd:lr=0.034",
            "noise": "0",
            "steps": "300",
            "s.warmup": "0.03",
            "start": "3.5,1",
        },
    ),
    Preset(
        "Past the limit for a while",
        "good",
        "One cycle goes above the stability limit 2/λmax and comes back before the swings have "
        "grown: the constant run at the same rate diverges.",
        {"schedule": "one_cycle", "runs": "sgd:lr=0.023", "noise": "0", "steps": "120"},
    ),
    Preset(
        "Three momenta, one schedule",
        "good",
        "At a constant rate all three take the same steps. When the rate falls, η inside the "
        "velocity (brown) rolls on at the rates of before; outside, it brakes at once.",
        {
            "schedule": "step",
            "s.drop": "0.1",
            "s.every": "0.33",
            "runs": "momentum:lr=0.005",
            "noise": "0",
            "steps": "120",
            "beside": "forms",
            "t": "60",
        },
    ),
    Preset(
        "No noise, no need",
        "bad",
        "Without noise a rate below the limit converges by itself: the schedule only takes speed "
        "away at the end.",
        {"runs": "sgd:lr=0.0185", "noise": "0"},
    ),
)
x = experiment(
    "schedules",
    [
        *problem.fields(runs="sgd:lr=0.0185", noise=10.0, steps=400),
        Choice("schedule", "cosine", list(SCHEDULES), label="schedule",
               says={slug: plan.name for slug, plan in SCHEDULES.items()}),
        *(
            Number(
                f"s.{p.name}", p.default, p.low, p.high,
                **problem.described(p),
            )
            for p in PARAMETERS.values()
        ),
        Choice(
            "beside", CONSTANT, (CONSTANT, FORMS), label="beside it",
            says={CONSTANT: "the constant rate", FORMS: "its other forms"},
            help="what the run with the schedule is compared with",
        ),
        Integer("t", problem.STEPS, 0, problem.STEPS),
    ],
    parts=("function", "code"),
)  # fmt: skip


def runner() -> Runner:
    """The optimizer that is driven; it has a learning rate of its own."""
    chosen: Runner = x["runs"][0]
    return problem.as_it_runs(x, chosen)


def schedule() -> Schedule:
    """The schedule that the controls describe."""
    entry = SCHEDULES[x["schedule"]]
    return entry(**{p.name: x[f"s.{p.name}"] for p in entry.parameters})


def peak() -> float:
    """η_max."""
    return runner().value(next(h for h in runner().optimizer.hypers if h.name == "lr"))


# What the reader sees -----------------------------------------------------------------------------


def groups(surface: Landscape) -> list[Group]:
    """The schedule, the optimizer, the landscape and the run."""
    plan = SCHEDULES[x["schedule"]]
    shared = bool(x["same"])
    without = ({"lr"} if shared else set()) | ({"form"} if side_by_form() else set())
    rule = problem.runner_items(0, x["runs"][0], without=without)
    return [
        Group(
            id="schedule",
            title=plan.name,
            items=[x.slider(f"s.{p.name}") for p in plan.parameters],
            color=pictures.SCHEDULED.color,
        ),
        Group(
            id="rule",
            title=runner().optimizer.name,
            items=[
                *([x.slider("lr", default=surface.lr)] if shared else []),
                *rule,
                *([x.chooser("beside")] if runner().slug == "momentum" else []),
            ],
        ),
        *problem.landscape_groups(x, surface),
    ]


def resting_top() -> float:
    """Where the rate's axis ends: it stands still while a hand is on a control, for an axis that
    moves under a handle runs away with it."""
    key = "schedules.top"
    if not x.held or key not in st.session_state:
        st.session_state[key] = float(pictures.ceiling(peak()))
    top: float = st.session_state[key]
    return top


def handles(live: Picture, plan: Schedule, rate: Any, resting: float, top: Any) -> list[Handle]:
    """Where the schedule can be taken hold of."""
    hand_x, hand_y = live.hand
    steps = live["steps"]
    values = {p.name: live[f"s.{p.name}"] for p in plan.parameters}
    warm = values["warmup"] * steps
    rest = ops.maximum(steps - warm, 1.0)
    known = PARAMETERS["warmup"]
    found = [
        Handle(
            id="peak", x=warm + values.get("peak", 0.0) * rest, y=rate, spoken="ηₘₐₓ", axis="y",
            minimum=resting / 1000, maximum=resting, color=pictures.SCHEDULED.color,
            sets={"lr" if x["same"] else "0/lr": ops.maximum(hand_y, 1e-5)},
        ),
        Handle(
            id="warmup", x=warm, y=0.06 * top, label="warm-up ends", axis="x", minimum=0.0,
            maximum=known.high * steps, marker="triangle",
            sets={"s.warmup": ops.clip(hand_x / steps, known.low, known.high)},
        ),
    ]  # fmt: skip
    for name, label in (
        ("cycle", "first cycle ends"), ("peak", "peak"), ("every", "first drop"),
    ):  # fmt: skip
        if name in values:
            known = PARAMETERS[name]
            found.append(
                Handle(
                    id=f"{name}_at", x=warm + values[name] * rest, y=0.5 * rate, label=label,
                    axis="x", minimum=warm + known.low * rest, maximum=warm + known.high * rest,
                    marker="diamond",
                    sets={f"s.{name}": ops.clip((hand_x - warm) / rest, known.low, known.high)},
                )
            )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class Shown:
    """A run on the page: what it is called, its look, and the run."""

    name: str
    look: pictures.Look
    run: LiveDescent

    @property
    def gap(self) -> Any:
        """The height above the minimum at every frame, as far as the run got."""
        number = running_sum(0.0 * self.run.x + 1.0) - 1.0
        return ops.where(number >= self.run.stopped, float("nan"), self.run.gap)


def runs(live: Picture, surface: Landscape, factors: Any) -> list[Shown]:
    """The run with the schedule and the one at a constant rate; or the three forms of momentum,
    all with the schedule. The last one is drawn on top."""
    if not side_by_form():
        constant = problem.live_run(x, live, 0, surface)
        driven = problem.live_run(x, live, 0, surface, schedule=factors)
        return [
            Shown("constant", pictures.CONSTANT, constant),
            Shown("with the schedule", pictures.SCHEDULED, driven),
        ]
    start = live["start"]
    return [
        Shown(
            momentum_forms.FORMS[form],
            pictures.FORMS[form],
            live_descend(
                surface, "momentum", (start[0], start[1]), live["steps"], hypers,
                parameters=problem.live_parameters(live, surface), options={"form": form},
                schedule=factors, noise=live["noise"], seed=x["seed"],
            ),
        )
        for form, hypers in momentum_forms.matched(problem.live_hypers(x, live, 0)).items()
    ]  # fmt: skip


def side_by_form() -> bool:
    """Whether the three forms of momentum are shown."""
    return runner().slug == "momentum" and x["beside"] == FORMS


def panels(
    live: Picture, surface: Landscape, plan: Schedule, shown: list[Shown], rates: Any
) -> list[Panel]:
    """The plane, and beside it the schedule above the loss, on one clock."""
    start, (hand_x, hand_y) = live["start"], live.hand
    (x0, x1), (y0, y1) = surface.domain
    sets = {"start": stack(hand_x, hand_y)}
    parameters = problem.live_parameters(live, surface)
    driven = shown[-1].run
    trails = [
        Track(
            x=one.run.x, y=one.run.y, color=one.look.color, dash=one.look.dash,
            marker=one.look.marker, stop=one.run.stopped, width=1.6,
            label=one.name if side_by_form() else "",
        )
        for one in shown
    ]  # fmt: skip
    name = driven.result.optimizer.name
    plane = Panel(
        id="plane",
        title=f"{name} on {problem.said(surface)}",
        figure=race.plane(surface, log=x["log"], parameters=parameters),
        tracks=trails,
        handles=[
            Handle(
                id="start", x=start[0], y=start[1], label="start", sets=sets, minimum=(x0, y0),
                maximum=(x1, y1),
            )
        ],
        clicks=sets,
        rows=2,
        alt=f"Contours of {surface.name} with the paths of the runs: "
        + ", ".join(one.name for one in shown),
    )  # fmt: skip
    rate = live["lr"] if x["same"] else live["0/lr"]
    resting = resting_top()
    top = ops.where(rate > resting, pictures.ceiling(rate), resting)
    limit = live_limit(
        driven.result.optimizer, sharpest(surface, start[0], start[1], parameters),
        problem.live_hypers(x, live, 0), driven.result.options,
    )  # fmt: skip
    log = race.logarithmic(surface, [one.run.result.gap for one in shown])
    return [
        plane,
        step_panel(
            pictures.rate_chart(rates, rate, top, limit),
            handles=handles(live, plan, rate, resting, top),
        ),
        step_panel(
            pictures.loss_chart(
                [(one.name, one.look, one.gap) for one in shown], race.loss_title(surface), log=log
            )
        ),
    ]


def formula(plan: Schedule, step: int) -> None:
    """The schedule with its numbers, and the rate of the cursor's step."""
    rates = plan.factors(x["steps"]) * peak()
    at = min(step, len(rates) - 1)
    highest = rf"\eta_{{\max}} = {latex.number(peak())}"
    now = rf"\eta_{{{at}}} = \mathbf{{{latex.number(float(rates[at]))}}}"
    with st.container(key="formula-schedule", horizontal=True, gap="medium"):
        st.latex(latex.fill_numbers(plan.latex, plan.arguments), width="content")
        if warm := plan.warm_up(x["steps"]):
            # What follows counts its own steps, as a run without warm-up does.
            st.latex(
                rf"t < {warm}:\ \eta_t = \tfrac{{t + 1}}{{{warm}}}\, \eta_{{{warm}}};\quad"
                rf"\text{{then }} t, T \text{{ less }} {warm}",
                width="content",
            )
        st.latex(rf"{highest},\quad {now}", width="content")


def notice_of_forms(shown: list[Shown]) -> None:
    """Whether the three forms are one here."""
    first, *others = (one.run.result for one in shown)
    apart = [float(np.hypot(*(run.path - first.path).T).max()) for run in others]
    if max(apart) < 1e-9:
        frame.notice("At this rate, which never changes, the three take the same steps.")
        return
    frame.notice(
        f"With η inside the velocity the run is up to {written(apart[1], '3')} away from the "
        "others, which are one: its v still holds gradients at the rates of their own steps."
    )


def notice(driven: Descent, constant: Descent) -> None:
    """What the schedule changed."""
    if driven.diverged_at is not None:
        return frame.notice(engine.explain(driven).sentence)
    with_it = settled_gap(driven)
    if constant.diverged_at is not None:
        return frame.notice(
            f"At a constant rate the run diverges at step {constant.diverged_at}; "
            f"the schedule brings it to {written(with_it, '3')}."
        )
    without = settled_gap(constant)
    if math.isclose(with_it, without, rel_tol=0.01):
        return frame.notice(
            f"Over the last tenth the loss stands at {written(without, '3')}, with the schedule as "
            "without: here it changes nothing."
        )
    if with_it < without:
        return frame.notice(
            f"Over the last tenth the loss stands at {written(with_it, '3')} with the schedule and "
            f"at {written(without, '3')} without: "
            f"{written(without / max(with_it, 1e-300), '3')} times lower."
        )
    return frame.notice(
        f"Over the last tenth the loss stands at {written(with_it, '3')} with the schedule and at "
        f"{written(without, '3')} without: here the schedule only takes speed away."
    )


def line_of(ends: list[Any]) -> Any:
    """What the runs reach, in one line that follows the hand."""
    if side_by_form():
        return words("At the last step: {:3}, {:3} averaged, {:3} with η inside.", *ends)
    return words("At the last step: {:3} at the constant rate, {:3} with the schedule.", *ends)


def opening() -> None:
    """Title and lead, whose words choose which schedule drives which optimizer, on what."""
    frame.opening(
        x,
        "Schedules",
        [
            x.menu("schedule"), " drives ", side_by_side.one_menu(x, rated=True), " on ",
            problem.landscape_menu(x), ": drag its peak, its warm-up and its cycle.",
        ],
    )  # fmt: skip
    side_by_side.typed(x, 1)


@frame.fragment
def body() -> None:
    """The schedule and its run, which follow the handles and sliders."""
    opening()
    view = frame.view(x, PRESETS, panel=0.25)
    surface, plan = problem.landscape(x), schedule()
    live = problem.live_picture(x, surface)
    number = running_sum(0.0 * problem.live_run(x, live, 0, surface).x + 1.0) - 1.0
    values = {p.name: live[f"s.{p.name}"] for p in plan.parameters}
    factors = plan.at(number, live["steps"], values)
    compared = runs(live, surface, factors[:-1])
    driven = compared[-1].run
    rate = live["lr"] if x["same"] else live["0/lr"]
    end = live["steps"]
    with view.picture:
        shown = stage(
            "schedules.stage",
            panels(live, surface, plan, compared, factors * rate),
            live=live,
            frames=live["steps"] + 1.0,
            height=view.height(500, 385),
            columns=[1, 1] if view.embedded else [1.15, 1],
            alt=f"{plan.name} drives {driven.result.optimizer.name} on {problem.said(surface)}",
            sound="loss",
            report_cursor=True,
            start_frame=clock.start(x, x["steps"]),
            restart=x.restart,
            lines=[line_of([entry(one.run.gap, end) for one in compared])],
        )
    step = clock.keep(x, shown.frame, x["steps"])
    with view.panel:
        x.controls(groups(surface), live=live, height=view.height(530, 460))
    with view.picture:
        if shown.sensitive:
            st.html(frame.SENSITIVE)
        problem.say_start(x, surface)
        if side_by_form():
            notice_of_forms(compared)
        else:
            notice(driven.result, compared[0].run.result)
    if not view.embedded:
        if not x.hidden("formula"):
            formula(plan, step)
        st.caption(f"{plan.idea} {plan.when} ({plan.source})")
        problem.about(x, surface)
        problem.as_code(x, surface, [runner().optimizer.name], schedule=plan)
    frame.foot(x, latex.fill_numbers(plan.latex, plan.arguments))
    x.publish()


body()
