"""Schedules: the learning rate over a run, drawn above the run that it drives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

import engine
from components.controls import Choice as Chooser
from components.controls import Group, Item, controls
from components.stage import Event, Handle, Panel, Track, stage
from engine.optimizers import OPTIMIZERS
from engine.optimizers.schedules import SCHEDULES, Schedule
from engine.problems.landscapes import Landscape
from engine.runs.descent import Descent
from engine.studies import rule_latex as latex
from engine.studies.stability import symmetric_eigenvalues
from engine.studies.tuning import settled_gap
from figures import race
from figures import schedules as pictures
from pages import cursor, frame, problem, prose
from pages.panels import chart_panel
from pages.presets import Preset
from pages.runners import Runner
from pages.state import Choice, Integer, Number, experiment

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
        "Adam's step does not shrink by itself: noise keeps v small and the steps long. Cosine "
        "annealing brings it to rest.",
        {"runs": "adam:lr=0.5", "noise": "10", "steps": "400"},
    ),
    Preset(
        "Step decay",
        "good",
        "At each drop the loss falls to another level: the noise floor goes with the rate.",
        {"schedule": "step", "runs": "sgd:lr=0.0185", "s.drop": "0.3", "s.every": "0.33"},
    ),
    Preset(
        "Warm-up in a narrow valley",
        "good",
        "At full rate the first steps from far up the wall overshoot; a short warm-up gets off the "
        "wall first.",
        {
            "on": "rosenbrock",
            "runs": "adam:lr=1",
            "noise": "0",
            "steps": "300",
            "s.warmup": "0.2",
            "start": "-1.5,2",
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
        Choice("schedule", "cosine", list(SCHEDULES)),
        *(Number(f"s.{p.name}", p.default, p.low, p.high) for p in PARAMETERS.values()),
        Integer("t", problem.STEPS, 0, problem.STEPS),
    ],
)

frame.opening(
    x,
    "Schedules",
    "The learning rate over the run, above the run that it drives. "
    "Drag its peak, its warm-up and its cycle.",
)


def runner() -> Runner:
    """The optimizer that is driven; it has a learning rate of its own."""
    chosen: Runner = x["runs"][0]
    return problem.as_it_runs(x, chosen)


def schedule() -> Schedule:
    """The schedule that the controls describe."""
    entry = SCHEDULES[x["schedule"]]
    return entry(**{p.name: x[f"s.{p.name}"] for p in entry.parameters})


def run(surface: Landscape, plan: Schedule | None) -> Descent:
    """The run that a schedule drives, or the one at a constant rate."""
    chosen = runner()
    return engine.descend(
        surface, chosen.slug, problem.start_point(x, surface), x["steps"], chosen.hypers,
        options=chosen.options, schedule=plan, noise=x["noise"], seed=x["seed"],
    )  # fmt: skip


def peak() -> float:
    """η_max."""
    return runner().value(next(h for h in runner().optimizer.hypers if h.name == "lr"))


# What the reader does -----------------------------------------------------------------------------


def set_rate(rate: float) -> dict[str, Any]:
    """The fields that make η_max this rate."""
    first, *others = x["runs"]
    return {"runs": (first.with_setting("lr", rate), *others), "lr": rate}


def on_stage(event: Event) -> None:
    """The handles of the schedule, and the start on the plane."""
    if event.panel == "plane":
        fields: dict[str, Any] = {"start": (event.x, event.y)}
    elif event.id == "peak":
        fields = set_rate(max(event.y, 1e-5))
    elif event.id in ("warmup", "cycle", "peak_at", "every"):
        fields = {f"s.{part}": share for part, share in shares(event.id, event.x).items()}
    else:
        return
    x.change(fields, by="stage", held=event.kind == "drag")


def shares(handle: str, at: float) -> dict[str, float]:
    """What a handle dragged to step `at` makes of the schedule's shares of the run."""
    warm = 0.0 if handle == "warmup" else x["s.warmup"] * x["steps"]
    length = x["steps"] if handle == "warmup" else max(x["steps"] - warm, 1.0)
    name = "peak" if handle == "peak_at" else handle
    known = PARAMETERS[name]
    share = (at - warm) / length
    return {name: min(max(round(share, 3), known.low), known.high)}


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """Sliders: of the problem and the schedule by field, of the rule as rule/name."""
    runners = list(x["runs"])
    fields: dict[str, Any] = {}
    for name, value in values.items():
        owner, _, setting = name.partition("/")
        if not setting:
            fields[name] = int(value) if isinstance(x[name], int) else value
        elif owner == runners[0].slug:
            runners[0] = runners[0].with_setting(setting, value)
            fields |= {"lr": value} if setting == "lr" else {}
    x.change({**fields, "runs": tuple(runners)}, by="controls", held=not committed)


def swap() -> None:
    """Another optimizer takes over, at a rate that suits it."""
    slug = st.session_state["schedules.rule"]
    if slug != x["runs"][0].slug:
        rate = problem.suitable_rate(x, slug)
        x.change({"runs": (Runner(slug, {"lr": rate}), *x["runs"][1:]), "lr": rate})


# What the reader sees -----------------------------------------------------------------------------


def groups(surface: Landscape) -> list[Group]:
    """The schedule, the optimizer, the landscape and the run."""
    entry = SCHEDULES[x["schedule"]]
    chosen = runner()
    items: list[Item] = [
        problem.hyper_slider(p, x[f"s.{p.name}"], f"s.{p.name}") for p in entry.parameters
    ]
    rule: list[Item] = [
        problem.hyper_slider(h, chosen.value(h), f"{chosen.slug}/{h.name}")
        for h in chosen.optimizer.hypers
    ]
    rule += [
        Chooser(
            name=f"{chosen.slug}/{o.name}", label=o.label,
            value=str(chosen.options.get(o.name, o.default)),
            options=[(str(value), meaning) for value, meaning in o.choices],
        )
        for o in chosen.optimizer.options
    ]  # fmt: skip
    return [
        Group(id="schedule", title=entry.name, items=items, color=pictures.SCHEDULED),
        Group(id="rule", title=chosen.optimizer.name, items=rule),
        *problem.landscape_groups(x, surface),
    ]


def handles(plan: Schedule) -> list[Handle]:
    """Where the schedule can be taken hold of."""
    steps, top = x["steps"], pictures.ceiling(peak())
    arguments = plan.arguments
    warm = arguments["warmup"] * steps
    rest = steps - warm
    at_peak = warm + arguments.get("peak", 0.0) * rest
    found = [
        Handle(
            id="peak", x=at_peak, y=peak(), label="η max", axis="y", minimum=top / 1000,
            maximum=top, color=pictures.SCHEDULED,
        ),
        Handle(
            id="warmup", x=warm, y=0.06 * top, label="warm-up", axis="x", minimum=0.0,
            maximum=0.5 * steps, marker="triangle",
        ),
    ]  # fmt: skip
    for name, handle, label in (
        ("cycle", "cycle", "cycle"), ("peak", "peak_at", "peak"), ("every", "every", "drop"),
    ):  # fmt: skip
        if name in arguments:
            found.append(
                Handle(
                    id=handle, x=warm + arguments[name] * rest, y=0.5 * peak(), label=label,
                    axis="x", minimum=warm + 0.02 * rest, maximum=float(steps), marker="diamond",
                )
            )  # fmt: skip
    return found


def panels(
    surface: Landscape, plan: Schedule, driven: Descent, constant: Descent, limit: float | None
) -> list[Panel]:
    """The plane, and beside it the schedule above the loss, on one clock."""
    begin = problem.start_point(x, surface)
    (x0, x1), (y0, y1) = surface.domain
    trails = [
        Track(
            x=constant.path[:, 0], y=constant.path[:, 1], color=pictures.CONSTANT, dash="dot",
            marker="ring", stop=constant.diverged_at, width=1.5,
        ),
        Track(
            x=driven.path[:, 0], y=driven.path[:, 1], color=pictures.SCHEDULED,
            stop=driven.diverged_at, width=1.8,
        ),
    ]  # fmt: skip
    plane = Panel(
        id="plane",
        title=f"{driven.optimizer.name} on {surface.name}",
        figure=race.plane(surface, log=x["log"]),
        tracks=trails,
        handles=[
            Handle(
                id="start", x=begin[0], y=begin[1], label="start", minimum=(x0, y0),
                maximum=(x1, y1),
            )
        ],
        rows=2,
        alt=f"Contours of {surface.name} with the run that the schedule drives and the run at a "
        "constant rate.",
    )  # fmt: skip
    rates = plan.factors(x["steps"]) * peak()
    return [
        plane,
        chart_panel(pictures.rate_chart(rates, peak(), limit), handles=handles(plan)),
        chart_panel(pictures.loss_chart(driven, constant)),
    ]


def stability_limit(surface: Landscape) -> float | None:
    """Where steps become unstable at the start, where that is known of the rule."""
    chosen = runner()
    sharpest = float(symmetric_eigenvalues(surface.hessian(problem.start_point(x, surface)))[1])
    return chosen.optimizer.stability_limit(sharpest, chosen.hypers, chosen.options)


def formula(plan: Schedule, step: int) -> None:
    """The schedule with its numbers, and the rate of the cursor's step."""
    rates = plan.factors(x["steps"]) * peak()
    at = min(step, len(rates) - 1)
    highest = rf"\eta_{{\max}} = {latex.number(peak())}"
    now = rf"\eta_{{{at}}} = \mathbf{{{latex.number(float(rates[at]))}}}"
    with st.container(key="formula-schedule"):
        st.latex(rf"{latex.fill_numbers(plan.latex, plan.arguments)},\quad {highest},\quad {now}")


def notice(driven: Descent, constant: Descent) -> None:
    """What the schedule changed."""
    if driven.diverged_at is not None:
        return prose.notice(engine.explain(driven).sentence)
    with_it = settled_gap(driven)
    if constant.diverged_at is not None:
        return prose.notice(
            f"At a constant rate the run diverges at step {constant.diverged_at}; "
            f"the schedule brings it to {with_it:.3g}."
        )
    without = settled_gap(constant)
    if with_it < without:
        return prose.notice(
            f"Over the last tenth the loss stands at {with_it:.3g} with the schedule and at "
            f"{without:.3g} without: {without / max(with_it, 1e-300):.3g} times lower."
        )
    return prose.notice(
        f"Over the last tenth the loss stands at {with_it:.3g} with the schedule and at "
        f"{without:.3g} without: here the schedule only takes speed away."
    )


def setup() -> None:
    """Which schedule, which optimizer, on what."""
    left, middle, right = st.columns(3)
    left.selectbox(
        "Schedule", list(SCHEDULES), key=x.key("schedule"), label_visibility="collapsed",
        format_func=lambda slug: SCHEDULES[slug].name, disabled=x.locked("schedule"),
    )  # fmt: skip
    st.session_state["schedules.rule"] = x["runs"][0].slug
    rated = [s for s, o in OPTIMIZERS.items() if any(h.name == "lr" for h in o.hypers)]
    middle.selectbox(
        "Optimizer", rated, key="schedules.rule", on_change=swap, label_visibility="collapsed",
        format_func=lambda slug: OPTIMIZERS[slug].name, disabled=x.locked("runs"),
    )  # fmt: skip
    problem.choose_landscape(x, right)
    problem.type_formula(x)


@st.fragment
def body() -> None:
    """The schedule and its run; reruns alone while handles and sliders move."""
    embedded = bool(st.context.is_embedded)
    if not embedded and not x.hidden("setup"):
        setup()
    picture, panel = (
        (st.container(), None) if x.hidden("controls") else st.columns([3.1, 1.02], gap="medium")
    )
    if panel is not None:
        with panel:
            shown = groups(problem.landscape(x))
            answer = controls(
                "schedules.controls", shown, locked=problem.locked(x, shown),
                max_height=460 if embedded else 560,
            )  # fmt: skip
            take(answer.values, committed=answer.committed)
    surface, plan = problem.landscape(x), schedule()
    driven, constant = run(surface, plan), run(surface, None)
    with picture:
        result = stage(
            "schedules.stage",
            panels(surface, plan, driven, constant, stability_limit(surface)),
            frames=x["steps"] + 1,
            height=440 if embedded else 500,
            columns=[1, 1] if embedded else [1.15, 1],
            alt=f"{plan.name} drives {driven.optimizer.name} on {surface.name}",
            report_cursor=True,
            start_frame=min(cursor.asked(x), x["steps"]),
            on_event=on_stage,
        )
        step = cursor.keep(x, result.frame, x["steps"])
        notice(driven, constant)
        formula(plan, step)
    if not embedded and not x.hidden("presets"):
        st.caption(f"{plan.idea} {plan.when} ({plan.source})")
        prose.presets(x, PRESETS)
    x.publish()


body()
