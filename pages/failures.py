"""Where a rule fails, and the rule that was made to cure it: five short stories, each live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

import engine
from components.controls import Group, Slider, controls
from components.stage import Panel, Track, stage
from engine.optimizers import OPTIMIZERS
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.runs import changing as moving
from engine.runs.descent import Descent
from engine.studies import conditioning, debugger
from engine.studies import failures as online
from engine.studies.rule_latex import array, rule_in_symbols
from figures import failures as pictures
from figures import race, style
from pages import frame, problem, prose
from pages.panels import chart_panel
from pages.state import Choice, Integer, Number, experiment

PARTS = {
    "decay": "L2 or decay",
    "amsgrad": "Adam's wrong turn",
    "adagrad": "Rates that run dry",
    "curvature": "The price of κ",
    "eve": "A moving target",
}
RIVALS = {
    "decay": ("adam_l2", "adamw"),
    "amsgrad": ("adam", "amsgrad"),
    "adagrad": ("adagrad", "rmsprop"),
    "curvature": ("newton", "sophia"),
    "eve": ("adam", "eve"),
}
ADAPTIVE = ("adagrad", "rmsprop", "adadelta", "adam")
AGAINST_KAPPA = ("sgd", "momentum", "adam", "sophia", "newton")
TARGET = 1e-4
x = experiment(
    "failures",
    [
        Choice("part", "decay", list(PARTS)),
        Number("decay.lr", 0.1, 1e-3, 1.0),
        Number("decay.weight", 0.3, 0.0, 1.0),
        Integer("decay.steps", 300, 10, 2000),
        Number("ams.big", 4.0, 2.1, 20.0),
        Number("ams.lr", 0.1, 0.01, 1.0),
        Integer("ams.steps", 900, 60, 3000),
        Number("ada.lr", 0.1, 1e-3, 2.0),
        Number("ada.other", 0.01, 1e-3, 1.0),
        Integer("ada.steps", 800, 20, 2000),
        Number("kappa", 100.0, 1.0, 1000.0),
        Choice("turned", "0", ("0", "30")),
        Number("eve.lr", 0.03, 1e-3, 1.0),
        Number("eve.beta3", 0.9, 0.0, 0.999),
        Number("eve.jump", 3.0, 0.0, 6.0),
        Integer("eve.every", 60, 10, 200),
    ],
)

frame.opening(
    x,
    "Failures and cures",
    "Most optimizers were invented because another one failed somewhere. Here is where.",
)


@dataclass(frozen=True, slots=True)
class Story:
    """What a part shows: its panels, how long its clock is, and what to notice."""

    panels: Sequence[Panel]
    frames: int
    sentence: str
    columns: Sequence[float]


def slider(
    name: str, label: str, symbol: str, low: float, high: float, *, about: str = "", **more: Any
) -> Slider:
    """A slider of a field of this page."""
    field = x.fields[name]
    return Slider(
        name=name, label=label, symbol=symbol, value=x[name], minimum=low, maximum=high,
        default=float(field.default), help=about, **more,
    )  # fmt: skip


def length(name: str, high: int) -> Slider:
    """The slider of a run's length."""
    return slider(name, "steps", "T", 20, high, scale="log", integer=True)


def plane(surface: Landscape, runs: Mapping[str, Any], figure: Any = None) -> Panel:
    """The landscape with the paths of the runs, name -> (slug, path, stop)."""
    looks = style.looks(slug for slug, _, _ in runs.values())
    return Panel(
        id="plane",
        title=surface.name,
        figure=figure or race.plane(surface, log=surface.log_levels),
        tracks=[
            Track(
                x=path[:, 0], y=path[:, 1], color=look.color, dash=look.dash, marker=look.marker,
                label=name, stop=stop,
            )
            for (name, (_, path, stop)), look in zip(runs.items(), looks, strict=True)
        ],
        rows=2,
        alt=f"Contours of {surface.name} with the path of " + " and ".join(runs),
    )  # fmt: skip


def descents(
    surface: Landscape, rates: Mapping[str, float], steps: int, **hypers: float
) -> dict[str, Descent]:
    """One run for each slug, by name; a hyper-parameter goes to the rules that have it."""
    return {
        OPTIMIZERS[slug].name: engine.descend(
            surface, slug, surface.start, steps,
            {"lr": lr} | {k: v for k, v in hypers.items() if k in OPTIMIZERS[slug].hyper_values()},
        )
        for slug, lr in rates.items()
    }  # fmt: skip


def paths(runs: Mapping[str, Descent]) -> dict[str, Any]:
    """Runs as `plane` takes them."""
    return {name: (r.optimizer.slug, r.path, r.diverged_at) for name, r in runs.items()}


def losses(runs: Mapping[str, Descent]) -> Panel:
    """The loss above the minimum of every run."""
    columns = {name: (r.optimizer.slug, r.gap) for name, r in runs.items()}
    about = "The loss of each run above the minimum."
    return chart_panel(pictures.story("loss", "loss, above its minimum", about, columns, log=True))


# L2 or decay --------------------------------------------------------------------------------------


def decay_groups() -> list[Group]:
    """Rate, decay and length for both."""
    return [
        Group(
            id="decay",
            title="Both rules",
            items=[
                slider("decay.lr", "lr", "η", 1e-3, 1.0, scale="log"),
                slider("decay.weight", "weight decay", "λ", 0.0, 1.0, about="pull towards 0"),
                length("decay.steps", 2000),
            ],
        )
    ]


def decay_story() -> Story:
    """Weight decay inside Adam's gradient and beside its step."""
    surface = LANDSCAPES["booth"]
    rates = {"adam_l2": x["decay.lr"], "adamw": x["decay.lr"]}
    runs = descents(surface, rates, x["decay.steps"], weight_decay=x["decay.weight"])
    penalised = online.penalised_minimum(surface, x["decay.weight"])
    figure = pictures.decay_points(race.plane(surface, log=True), {"penalised minimum": penalised})
    size = {n: (r.optimizer.slug, online.norm(r.path)) for n, r in runs.items()}
    inside, beside = runs.values()
    a, b = online.norm(inside.path)[-1], online.norm(beside.path)[-1]
    return Story(
        [
            plane(surface, paths(runs), figure),
            losses(runs),
            chart_panel(pictures.story("norm", "size of the weights |w|", "Size of w.", size)),
        ],
        x["decay.steps"] + 1,
        f"Same λ = {x['decay.weight']:.3g}, two rules: inside the gradient the pull is divided by "
        f"√v̂ like everything else, and the run ends at |w| = {a:.3g}; beside it, it pulls by ηλw "
        f"at every step, whatever the gradient's scale, and the run ends at |w| = {b:.3g}.",
        (1.25, 1),
    )


# Adam's wrong turn --------------------------------------------------------------------------------


def ams_groups() -> list[Group]:
    """Reddi's stream and the rate."""
    return [
        Group(
            id="ams",
            title="Reddi's stream",
            items=[
                slider(
                    "ams.big", "large gradient", "C", 2.1, 20.0, about="every third step; else −1"
                ),
                slider("ams.lr", "lr", "η", 0.01, 1.0, scale="log", about="it falls as η/√t"),
                length("ams.steps", 3000),
            ],
            note="β₁ = 0, β₂ = 1/(1 + C²), as in the theorem",
        )
    ]


def ams_story() -> Story:
    """Adam walks to the worst point of an interval, AMSGrad to the best."""
    big, steps = x["ams.big"], x["ams.steps"]
    walks = online.reddi_walks(big, x["ams.lr"], steps)
    named = {OPTIMIZERS[slug].name: (slug, walk) for slug, walk in walks.items()}
    ends = {name: walk[-1] for name, (_, walk) in named.items()}
    stream = pictures.gradient_stream(online.reddi_stream(big, steps), 30)
    walked = pictures.between_walls(
        pictures.story("walk", "where w is, between −1 and 1", "The point of both rules.", named)
    )
    return Story(
        [chart_panel(walked), chart_panel(stream)],
        steps + 1,
        f"The gradient is C = {big:.3g} once and −1 twice: on average {(big - 2) / 3:.3g}, so w "
        f"should go down to −1. Adam divides the rare large gradient by its own size and sees two "
        f"small votes against one: it ends at {ends['Adam']:.2f}. AMSGrad remembers the largest v "
        f"and ends at {ends['AMSGrad']:.2f} (Reddi, Kale & Kumar 2018).",
        (1.8, 1),
    )


# Rates that run dry -------------------------------------------------------------------------------


def ada_groups() -> list[Group]:
    """The rates of the four."""
    return [
        Group(
            id="ada",
            title="Rates",
            items=[
                slider("ada.lr", "Adagrad", "η", 1e-3, 2.0, scale="log"),
                slider("ada.other", "RMSProp and Adam", "η", 1e-3, 1.0, scale="log"),
                length("ada.steps", 2000),
            ],
        )
    ]


def ada_story() -> Story:
    """Adagrad's rate falls for good; its successors' do not."""
    surface = LANDSCAPES["beale"]
    rates = {
        slug: x["ada.lr"] if slug == "adagrad" else 1.0 if slug == "adadelta" else x["ada.other"]
        for slug in ADAPTIVE
    }
    runs = descents(surface, rates, x["ada.steps"])
    shown = {}
    for name, run in runs.items():
        rate = debugger.effective_rate(run)
        if rate is not None:
            shown[name] = (run.optimizer.slug, rate[1][:, 1])
    adagrad = shown["Adagrad"][1]
    fell = online.ratio_of_ends(adagrad)
    return Story(
        [
            plane(surface, paths(runs)),
            chart_panel(
                pictures.story("rate", "effective rate in y", "Rate in y.", shown, log=True)
            ),
            losses(runs),
        ],
        x["ada.steps"] + 1,
        f"Adagrad's G only adds up, so its rate only falls: here by a factor of {fell:.3g}, and it "
        "stops short. RMSProp forgets and keeps walking; Adadelta lets its own steps set the rate; "
        "Adam adds momentum.",
        (1.25, 1),
    )


# The price of κ -----------------------------------------------------------------------------------


def kappa_groups() -> list[Group]:
    """The condition number."""
    return [
        Group(
            id="kappa",
            title="The bowl",
            items=[slider("kappa", "condition", "κ", 1.0, 1000.0, scale="log")],
            note="every rule at its own best learning rate for each κ",
        )
    ]


@st.cache_data(max_entries=8, show_spinner="trying learning rates on seven bowls …")
def priced(rotation: float) -> dict[str, Any]:
    """Steps to the target against κ, by slug."""
    return conditioning.steps_against_condition(AGAINST_KAPPA, rotation, problem.STEPS, TARGET)


def kappa_story() -> Story:
    """Steps to a target against the condition number."""
    turned = float(x["turned"])
    steps = priced(turned)
    named = {OPTIMIZERS[slug].name: (slug, column) for slug, column in steps.items()}
    surface = LANDSCAPES["bowl"](condition=x["kappa"], rotation=turned)
    rates = online.rates_at(surface, AGAINST_KAPPA)
    runs = descents(surface, rates, 120)
    at = float(np.interp(x["kappa"], conditioning.CONDITIONS, steps["sgd"]))
    needs = f"about {at:.0f} steps" if np.isfinite(at) else f"more than {problem.STEPS} steps"
    return Story(
        [
            Panel(
                id="kappa",
                kind="chart",
                title=f"steps until the loss is {TARGET:g}",
                figure=pictures.against_condition(
                    conditioning.CONDITIONS, named, x["kappa"], problem.STEPS
                ),
                alt="Steps to the target against the condition number, one line a rule.",
                rows=2,
            ),
            plane(surface, paths(runs)),
        ],
        121,
        f"Gradient descent pays for κ in proportion: at κ = {x['kappa']:.3g} it needs {needs}. "
        "Momentum pays its square root at best. Newton divides by the curvature and needs one "
        "step whatever κ is; Sophia divides by an estimate of its diagonal and clips, so it walks "
        "at its own pace whatever κ is"
        + (", though turned axes blur that diagonal." if turned else "."),
        (1, 1),
    )


# A moving target ----------------------------------------------------------------------------------


def eve_groups() -> list[Group]:
    """Both rules, and how the objective moves."""
    return [
        Group(
            id="eve",
            title="Both rules",
            items=[
                slider("eve.lr", "lr", "η", 1e-3, 1.0, scale="log"),
                slider("eve.beta3", "beta3", "β₃", 0.0, 0.999, about="Eve's memory of the change"),
            ],
        ),
        Group(
            id="target",
            title="The objective",
            items=[
                slider("eve.jump", "jump of the minimum", "", 0.0, 6.0),
                slider("eve.every", "steps between jumps", "", 10, 200, integer=True),
            ],
        ),
    ]


def chased(lr: float, beta3: float, jump: float, every: int) -> dict[str, moving.Pursuit]:
    """Adam and Eve after the same moving minimum."""
    surface = LANDSCAPES["bowl"](condition=10.0)
    shifts = moving.jumps(240, every, (jump, 0.4 * jump))
    hypers = {"adam": {"lr": lr}, "eve": {"lr": lr, "beta3": beta3}}
    return {s: moving.pursue(surface, s, (-4.0, -2.0), shifts, h) for s, h in hypers.items()}


def eve_story() -> Story:
    """Adam and Eve after a minimum that jumps."""
    runs = chased(x["eve.lr"], x["eve.beta3"], x["eve.jump"], x["eve.every"])
    surface = LANDSCAPES["bowl"](condition=10.0)
    named = {OPTIMIZERS[slug].name: (slug, r) for slug, r in runs.items()}
    target = runs["adam"].shifts
    shown = plane(surface, {n: (s, r.path, r.diverged_at) for n, (s, r) in named.items()})
    goal = Track(
        x=target[:, 0], y=target[:, 1], color=pictures.TRUTH, dash="dot", marker="plus",
        label="minimum", width=1.0,
    )  # fmt: skip
    panel = Panel(
        id="plane", title="a bowl whose minimum jumps", figure=shown.figure, rows=2,
        tracks=[*shown.tracks, goal], alt=shown.alt,
    )  # fmt: skip
    adam, eve = (float(runs[s].loss.mean()) for s in ("adam", "eve"))
    verdict = "lower" if eve < adam else "higher"
    return Story(
        [
            panel,
            chart_panel(
                pictures.story(
                    "loss", "loss, as the objective stands", "Loss of both rules.",
                    {n: (s, r.loss) for n, (s, r) in named.items()}, log=True,
                )
            ),
            chart_panel(
                pictures.story(
                    "d", "Eve's d: the rate is η/d", "Eve's average change of the objective.",
                    {"Eve": ("eve", runs["eve"].state["d"])},
                )
            ),
        ],
        len(target),
        f"Eve divides Adam's rate by d, an average of how fast the objective changes: flat "
        f"stretches speed it up, jumps and steep falls slow it down. At the same η its mean loss "
        f"is {eve:.3g}, {verdict} than Adam's {adam:.3g}.",
        (1.25, 1),
    )  # fmt: skip


STORIES: dict[str, tuple[Callable[[], list[Group]], Callable[[], Story]]] = {
    "decay": (decay_groups, decay_story),
    "amsgrad": (ams_groups, ams_story),
    "adagrad": (ada_groups, ada_story),
    "curvature": (kappa_groups, kappa_story),
    "eve": (eve_groups, eve_story),
}


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """Sliders into fields."""
    fields = {n: int(v) if isinstance(x[n], int) else v for n, v in values.items()}
    x.change(fields, by="controls", held=not committed)


@st.fragment
def body() -> None:
    """One story; reruns alone while its sliders move."""
    embedded = bool(st.context.is_embedded)
    if not x.hidden("setup"):
        st.segmented_control(
            "Story", list(PARTS), key=x.key("part"), format_func=PARTS.__getitem__, required=True,
            label_visibility="collapsed", disabled=x.locked("part"),
        )  # fmt: skip
    groups, tell = STORIES[x["part"]]
    picture, panel = (
        (st.container(), None) if x.hidden("controls") else st.columns([3.1, 1.02], gap="medium")
    )
    if panel is not None:
        with panel:
            shown = groups()
            answer = controls(
                f"failures.controls.{x['part']}", shown, locked=problem.locked(x, shown),
                max_height=400 if embedded else 520,
            )  # fmt: skip
            take(answer.values, committed=answer.committed)
            if x["part"] == "curvature":
                st.segmented_control(
                    "The bowl is turned by", ("0", "30"), key=x.key("turned"), required=True,
                    format_func=lambda degrees: f"{degrees}°",
                )  # fmt: skip
    story = tell()
    with picture:
        stage(
            f"failures.stage.{x['part']}",
            story.panels,
            frames=story.frames,
            height=400 if embedded else 500,
            columns=list(story.columns),
            alt=PARTS[x["part"]],
        )
        prose.notice(story.sentence)
    if not embedded and not x.hidden("formulas"):
        formulas(*RIVALS[x["part"]])
    x.publish()


def formulas(*slugs: str) -> None:
    """The rules that part, side by side."""
    for column, slug in zip(st.columns(len(slugs)), slugs, strict=True):
        with column, st.container(key=f"formula-{slug}"):
            st.markdown(f"**{OPTIMIZERS[slug].name}**: {OPTIMIZERS[slug].idea}")
            st.latex(array(rule_in_symbols(OPTIMIZERS[slug])))


body()
