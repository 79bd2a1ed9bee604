"""What pages that run optimizers on a landscape share: the fields of a link, and their reading.

The names of the fields are the same on all of them, so that a link's settings carry over.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlencode

import streamlit as st

import engine
from components.controls import Choice as Chooser
from components.controls import Group, Item, Slider
from components.lead import Menu
from engine.emit.picture import Picture, written
from engine.optimizers import Optimizer, Parameter, wrappers
from engine.optimizers.schedules import Schedule
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.runs.descent import Descent
from engine.runs.live import LiveDescent, live_descend
from engine.studies.as_code import script
from engine.studies.frameworks import FRAMEWORKS
from engine.studies.gradient_latex import gradient_latex
from engine.studies.maps import starts_well
from engine.studies.tuning import best_rate
from pages import frame
from pages.competitors import ROUND, Runner, Runners, format_runners
from pages.own_landscape import bring_landscape
from pages.state import Choice, Experiment, Field, Flag, Integer, Number, Numbers, Text, shorten

TYPED = "formula"
FORMULAS = (
    "x**2 + 50*y**2", "(x - 1)^2 + 10(y - x^2)^2", "x^4 - 2x^2 + y^2", "sin(2x) + 0.2x^2 + y^2",
    "abs(x) + 5abs(y)",
)  # fmt: skip
# What a landscape is called in a sentence, where that is not its name.
IN_A_SENTENCE = {
    "bowl": "an ill-conditioned bowl", "saddle": "a saddle", "monkey_saddle": "a monkey saddle",
    "three_hump_camel": "a three-hump camel", "six_hump_camel": "a six-hump camel",
    "two_wells": "a sharp and a flat well",
}  # fmt: skip
STEPS = 2000  # the longest run on a page
LONGEST_SAID = 40  # characters of a formula in a sentence


def fields(
    *,
    runs: str,
    on: str = "bowl",
    same: bool = False,
    lr: float = 0.0185,
    steps: int = 60,
    noise: float = 0.0,
) -> list[Field[Any]]:
    """The fields of a problem and its runners, with these defaults."""
    return [
        Choice("on", on, [*LANDSCAPES, TYPED], label="landscape"),
        Text("f", "x**2 + 50*y**2", check=engine.landscape),
        *(
            Number(
                f"{entry.slug}.{p.name}",
                p.default,
                p.low,
                p.high,
                **described(p),
            )
            for entry in LANDSCAPES.values()
            for p in entry.parameters
        ),
        Runners("runs", runs),
        Flag("same", same, label="one η for all"),
        Number(
            "lr", lr, 1e-5, 10.0,
            label="learning rate", symbol="η", scale="log", help="one for all",
        ),
        Numbers("start", (), -1e4, 1e4, count=(2, 2)),
        Integer("steps", steps, 1, STEPS, label="steps", symbol="T", scale="log"),
        Number(
            "noise", noise, 0.0, 50.0,
            label="gradient noise", symbol="σ", help="standard deviation, in each coordinate",
        ),
        Integer("seed", 0, 0, 9999),
        Flag("log", True, label="log levels"),
    ]  # fmt: skip


CARRIED = ("on", "f", "runs", "same", "lr", "start", "steps", "noise", "seed", "log")


def carry(x: Experiment) -> dict[str, str]:
    """The problem of a page as the query of another with the same fields, defaults included."""
    names = [name for name in x.fields if name in CARRIED or name.startswith(f"{x['on']}.")]
    return {name: x.fields[name].format(x[name]) for name in names if x[name] != ()}


def landscape(x: Experiment) -> Landscape:
    """The landscape that the fields describe."""
    if x["on"] == TYPED:
        return engine.landscape(x["f"])
    entry = LANDSCAPES[x["on"]]
    return entry(**{p.name: x[f"{entry.slug}.{p.name}"] for p in entry.parameters})


def start_point(x: Experiment, surface: Landscape) -> tuple[float, float]:
    """Where runs start: the reader's point, or the landscape's own."""
    point = x["start"]
    return (point[0], point[1]) if len(point) == 2 else surface.start


def say_start(x: Experiment, surface: Landscape) -> bool:
    """Say so where the landscape has no finite value at the start; whether it was said."""
    start = start_point(x, surface)
    if starts_well(surface, start):
        return False
    frame.notice(
        f"At the start ({written(start[0], '4')}, {written(start[1], '4')}) the landscape has no "
        "finite value: move the start."
    )
    return True


def as_it_runs(x: Experiment, runner: Runner) -> Runner:
    """The runner at everybody's learning rate, where they share one."""
    return runner.with_setting("lr", x["lr"]) if x["same"] and runner.has_rate else runner


def run(x: Experiment, runner: Runner, surface: Landscape) -> Descent:
    """One runner's descent."""
    return engine.descend(
        surface,
        runner.optimizer,
        start_point(x, surface),
        x["steps"],
        as_it_runs(x, runner).hypers,
        options=runner.options,
        noise=x["noise"],
        seed=x["seed"],
    )


# The same, following the reader's hand ------------------------------------------------------------


def live_picture(x: Experiment, surface: Landscape) -> Picture:
    """The page's values on a tape, the start where the runs really start."""
    x.stand_in("start", start_point(x, surface))
    return x.live()


def live_parameters(live: Picture, surface: Landscape) -> dict[str, Any]:
    """The landscape's parameters, traced."""
    return {p.name: live[f"{surface.slug}.{p.name}"] for p in surface.parameters}


def live_hypers(x: Experiment, live: Picture, place: int) -> dict[str, Any]:
    """The hyper-parameters of the runner at that place, traced."""
    shared = {"lr"} if x["same"] else set()
    return {
        h.name: live["lr"] if h.name in shared else live[f"{place}/{h.name}"]
        for h in x["runs"][place].optimizer.hypers
    }


def live_run(
    x: Experiment, live: Picture, place: int, surface: Landscape, **more: Any
) -> LiveDescent:
    """The descent of the runner at that place; `more` goes to `live_descend`."""
    runner = x["runs"][place]
    start = live["start"]
    return live_descend(
        surface,
        runner.optimizer,
        (start[0], start[1]),
        live["steps"],
        live_hypers(x, live, place),
        parameters=live_parameters(live, surface),
        options=runner.options,
        noise=live["noise"],
        seed=x["seed"],
        **more,
    )


# Controls -----------------------------------------------------------------------------------------


def landscape_sliders(x: Experiment, surface: Landscape) -> list[Slider]:
    """The landscape's own parameters."""
    return [x.slider(f"{surface.slug}.{p.name}") for p in surface.parameters]


def run_sliders(x: Experiment) -> list[Slider]:
    """Length of the run and noise in its gradient."""
    return [x.slider("steps"), x.slider("noise")]


def landscape_groups(x: Experiment, surface: Landscape) -> list[Group]:
    """The landscape and the run as groups of controls."""
    own = landscape_sliders(x, surface)
    groups = [Group(id="landscape", title=surface.name, items=own)] if own else []
    return [*groups, Group(id="run", title="The run", items=run_sliders(x))]


def runner_items(place: int, runner: Runner, *, without: Collection[str] = ()) -> list[Item]:
    """Sliders and choices of a runner, but for those in `without`."""
    items: list[Item] = [
        hyper_slider(h, runner.value(h), f"{place}/{h.name}")
        for h in runner.optimizer.hypers
        if h.name not in without
    ]
    items += [
        Chooser(
            name=f"{place}/{o.name}",
            label=o.label,
            value=str(runner.options.get(o.name, o.default)),
            options=[(str(value), meaning) for value, meaning in o.choices],
        )
        for o in runner.optimizer.options
        if o.name not in without
    ]
    if runner.wraps:
        items.append(
            Chooser(
                name=f"{place}/{ROUND}",
                label="wrapper",
                value=runner.wrapper,
                options=[(w, wrappers.NAMES.get(w, "none")) for w in runner.wraps],
                help="a rule around the rule, which changes its steps or its gradients",
            )
        )
    return items


def said(surface: Landscape) -> str:
    """What a landscape is called within a sentence."""
    return IN_A_SENTENCE.get(surface.slug, surface.name)


def shorter(formula: str) -> str:
    """A formula as a sentence has room for it."""
    return formula if len(formula) <= LONGEST_SAID else f"{formula[: LONGEST_SAID - 1]}…"


def landscape_menu(x: Experiment) -> Menu:
    """The choice of a landscape as a word of a sentence; another one brings a start, a rate and
    levels that suit it. The reader's own formula comes first, with examples to change."""

    def take(value: str) -> None:
        slug, _, example = value.partition(":")
        x.change({"on": slug, **({"f": FORMULAS[int(example)]} if example else {})})
        suit(x)

    return Menu(
        id="on",
        label="landscape",
        value=x["on"],
        text=shorter(x["f"]) if x["on"] == TYPED else IN_A_SENTENCE.get(x["on"], ""),
        options=[
            (TYPED, "your own formula"),
            ("formulas to change", [(f"{TYPED}:{i}", f) for i, f in enumerate(FORMULAS)]),
            ("landscapes", [(slug, entry.name) for slug, entry in LANDSCAPES.items()]),
        ],
        take=take,
        locked=x.locked("on"),
    )


def suit(x: Experiment) -> None:
    """A start, a rate and levels that suit the landscape."""
    surface = landscape(x)
    x.change({"start": (), "log": surface.log_levels, "lr": surface.lr})


def type_formula(x: Experiment) -> None:
    """The field for a formula, where the landscape is the reader's own."""
    if x["on"] == TYPED:
        with st.container(key=f"typed-{x.page}", horizontal=True, gap="small"):
            with st.container():
                frame.formula(x, "f", engine.landscape, "x**2 + 50*y**2", then=lambda: suit(x))
            if not st.context.is_embedded:
                bring_landscape(x, "f", lambda: suit(x))


def link(x: Experiment, file: str, label: str, *, icon: str = "", **more: str) -> None:
    """A link to the page in `file` (beside this one) at the problem of this page."""
    st.page_link(f"{file}.py", label=label, icon=icon or None, query_params={**carry(x), **more})


def race_address(
    surface: Landscape,
    runners: Sequence[Runner],
    *,
    start: Sequence[float] = (),
    steps: int | None = None,
    target: float | None = None,
) -> str:
    """The address, beside this page, of the race of these runners, each at its own rate."""
    values = {"on": surface.slug, "same": "0", "runs": format_runners(tuple(runners))}
    values |= {f"{surface.slug}.{n}": shorten(v) for n, v in surface.arguments.items()}
    if start:
        values["start"] = ",".join(map(shorten, start))
    if steps is not None:
        values["steps"] = str(steps)
    if target is not None:
        values["target"] = shorten(target)
    return "race?" + urlencode(values, safe=":;,=")


def described(p: Parameter) -> dict[str, Any]:
    """How a control of a parameter is called and explained."""
    return {"label": p.called, "symbol": p.symbol, "help": p.explained, "scale": p.scale}


def hyper_slider(hyper: Parameter, value: float, name: str = "", **more: Any) -> Slider:
    """A slider made from a hyper-parameter's own description."""
    return Slider(
        name=name or hyper.name,
        value=value,
        minimum=hyper.low,
        maximum=hyper.high,
        default=hyper.default,
        **described(hyper),
        **more,
    )


def suitable_rate(x: Experiment, optimizer: Optimizer) -> float:
    """A learning rate that leads an optimizer far down on the present landscape."""
    surface = landscape(x)
    return best_rate(surface, optimizer, start_point(x, surface), x["steps"])


def about(x: Experiment, surface: Landscape) -> None:
    """The function that is descended: formula, gradient, what is known of it, and from where."""
    if x.hidden("function"):
        return
    given = ", ".join(
        f"{p.symbol} = {written(surface.arguments[p.name])}" for p in surface.parameters
    )
    formulas = ["f(x, y) = " + surface.latex]
    if slopes := gradient_latex(surface):
        formulas += [
            rf"\frac{{\partial f}}{{\partial {name}}} = {slope}"
            for name, slope in zip("xy", slopes, strict=True)
        ]
    said = [
        given and f"Here {given}.",
        surface.note,
        surface.source and f"Source: {surface.source}.",
    ]
    # One text: every piece costs a rerun some time.
    text = [*(f"$$\n{formula}\n$$" for formula in formulas), " ".join(filter(None, said))]
    with st.expander(f"The function: {surface.name}"):
        st.markdown("\n\n".join(text))


def choose_script(
    x: Experiment, frameworks: Sequence[str], names: Sequence[str], first: int = 0
) -> tuple[str, int] | None:
    """The framework that a script is asked for in, and which of those named is to run in it,
    `first` to begin with; None where none is asked for."""
    if x.hidden("code"):
        return None
    key = f"{x.page}.framework"
    row = st.session_state.get(key) and len(names) > 1
    with st.container(horizontal=True, vertical_alignment="center") if row else nullcontext():
        framework = st.segmented_control("As code", frameworks, key=key, disabled=x.locked("code"))
        place = 0
        if framework and len(names) > 1:
            place = st.selectbox(
                "Optimizer", range(len(names)), format_func=lambda k: names[k], index=first,
                key=f"{x.page}.scripted", width=220,
            )  # fmt: skip
    return (framework, min(place, len(names) - 1)) if framework else None


def as_code(
    x: Experiment,
    surface: Landscape,
    names: Sequence[str],
    *,
    first: int = 0,
    schedule: Schedule | None = None,
) -> None:
    """A runner's experiment as a script to take along, in step with the sliders."""
    chosen = choose_script(x, FRAMEWORKS, names, first)
    if chosen is None:
        return
    framework, place = chosen
    runner = as_it_runs(x, x["runs"][place])
    text = script(
        framework,
        surface,
        runner.optimizer,
        start_point(x, surface),
        x["steps"],
        runner.hypers,
        options=runner.options,
        schedule=schedule,
        noise=x["noise"],
        seed=x["seed"],
    )
    st.code(text, language="python", wrap_lines=True)
