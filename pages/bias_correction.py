"""Adam and bias correction: two averages that start at zero, and the factor that mends them."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Choice as Chooser
from components.controls import Group, Item, Slider, controls
from components.stage import Arrows, Boxes, Panel, stage
from engine.optimizers import OPTIMIZERS
from engine.studies import bias_correction as averages
from engine.studies import rule_latex as latex
from engine.studies.bias_correction import SIGNALS, Averages, Samples
from figures import bias_correction as pictures
from pages import cursor, frame, problem, prose
from pages.panels import chart_panel
from pages.presets import Preset
from pages.state import Choice, Integer, Number, experiment

RACE = "race"
SYMBOLS = {"beta1": "β₁", "beta2": "β₂"}
LONGEST = 300  # steps: beyond this nothing new is to be seen, and every frame has its bars
PRESETS = (
    Preset(
        "Constant gradient",
        "good",
        "Nothing but the start is at work: m climbs like 1 − 0.9ᵗ, the corrected m̂ is right at "
        "once.",
        {"noise": "0"},
    ),
    Preset(
        "Noise",
        "good",
        "The average halves the noise and more; corrected, its first values are as noisy as the "
        "gradients themselves, for they are averages of one, two, three of them.",
        {"noise": "1.5"},
    ),
    Preset(
        "Drift",
        "bad",
        "The truth moves, and the average follows 1/(1−β₁) steps behind. Correction cannot help: "
        "it mends the start, not the delay.",
        {"stream": "drifting", "noise": "0.2"},
    ),
    Preset(
        "Alternating signs",
        "good",
        "m forgets the swings, v does not: Adam's steps become small, m̂/√v̂ is the ratio of "
        "signal to noise.",
        {"stream": "alternating", "noise": "0"},
    ),
    Preset(
        "Long memory, no correction",
        "bad",
        "With β₂ = 0.9999 the uncorrected first step is ten learning rates long.",
        {"beta2": "0.9999", "noise": "0"},
    ),
)
x = experiment(
    "bias",
    [
        *problem.fields(runs="sgd:lr=0.0185", noise=0.3),
        Choice("stream", "constant", [*SIGNALS, RACE]),
        Choice("axis", "x", ("x", "y")),
        Number("level", 1.0, 0.01, 10.0),
        Number("beta1", 0.9, 0.0, 0.999),
        Number("beta2", 0.999, 0.0, 0.99999),
        Integer("t", 10, 0, problem.STEPS),
    ],
)

frame.opening(
    x,
    "Adam and bias correction",
    "Averages that start at zero read too low at first. Dividing by 1 − βᵗ mends them.",
)


def samples() -> Samples:
    """The stream that the controls describe."""
    if x["stream"] == RACE:
        run = problem.run(x, x["runs"][0], problem.landscape(x))
        return averages.of_run(run, "xy".index(x["axis"]), x["noise"])
    return averages.sample(x["stream"], steps(), level=x["level"], noise=x["noise"], seed=x["seed"])


def steps() -> int:
    """How many gradients are looked at."""
    return int(min(x["steps"], LONGEST))


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """Sliders into fields."""
    fields = {n: int(v) if isinstance(x[n], int) else v for n, v in values.items()}
    x.change(fields, by="controls", held=not committed)


# What the reader sees -----------------------------------------------------------------------------


def groups() -> list[Group]:
    """The averages' memories, then the stream."""
    adam = {h.name: h for h in OPTIMIZERS["adam"].hypers}
    memories = [
        Slider(
            name=name, label=name, symbol=SYMBOLS[name], value=x[name], help=adam[name].meaning,
            minimum=adam[name].low, maximum=adam[name].high, default=adam[name].default,
        )
        for name in SYMBOLS
    ]  # fmt: skip
    kinds = [(s.slug, s.name) for s in SIGNALS.values()]
    items: list[Item] = [
        Chooser(
            name="stream", label="stream", value=x["stream"], options=[*kinds, (RACE, "of a race")],
            help="; ".join(f"{s.name}: {s.meaning}" for s in SIGNALS.values())
            + "; of a race: what its first runner was given",
        )
    ]  # fmt: skip
    if x["stream"] == RACE:
        axes = [(c, c) for c in "xy"]
        items.append(Chooser(name="axis", label="coordinate", value=x["axis"], options=axes))
    else:
        items.append(
            Slider(
                name="level", label="level", symbol="μ", value=x["level"], minimum=0.01,
                maximum=10.0, default=1.0, scale="log", help="size of the stream's mean",
            )
        )  # fmt: skip
    items += [
        Slider(
            name="noise", label="noise", symbol="σ", value=x["noise"], minimum=0.0, maximum=5.0,
            default=0.3, help="standard deviation of what is added to every gradient",
        ),
        Slider(
            name="seed", label="seed", value=x["seed"], minimum=0, maximum=99, default=0,
            integer=True, help="another draw of the noise",
        ),
        Slider(
            name="steps", label="steps", symbol="T", value=steps(), minimum=5, maximum=LONGEST,
            default=60, scale="log", integer=True,
        ),
    ]  # fmt: skip
    return [
        Group(id="memory", title="Adam", items=memories),
        Group(id="stream", title="The gradients", items=items),
    ]


def panels(given: Samples, found: Averages) -> list[Panel]:
    """Both averages and the weights above, the factors and Adam's steps below."""
    last = len(given.gradients)
    seen, missing = pictures.weight_bars(x["beta1"], last)
    at = np.arange(pictures.AGES)[None, :]
    bars = [
        Boxes(x0=at - 0.4, x1=at + 0.4, y0=0.0, y1=heights, colors=color, opacity=opacity)
        for heights, color, opacity in (
            (seen, pictures.CORRECTED, 0.85),
            (missing, pictures.MISSING, 0.3),
        )
    ]
    reach = averages.memory(x["beta1"])
    bars.append(
        Boxes(x0=reach - 0.06, x1=reach + 0.06, y0=0.0, y1=1.0, colors=pictures.TRUTH, opacity=0.6)
    )
    marks = [
        Arrows(x=float(t), y=factor, dx=0.0, dy=0.0, color=color, label=f"×{factor:.4g}")
        for t, factor, color in pictures.factor_marks(x["beta1"], x["beta2"], last)
    ]
    window = Panel(
        id="weights",
        kind="chart",
        title=f"weights in m by age; 1/(1−β₁) = {reach:.3g}",
        figure=pictures.weight_figure(x["beta1"]),
        boxes=bars,
        alt="Bars: the weight of each past gradient in the average, by its age. Pale bars are "
        "ages before the first gradient, where the average still holds the zero it started from.",
    )
    return [
        chart_panel(pictures.average_chart("m", given, found)),
        chart_panel(pictures.average_chart("v", given, found)),
        window,
        chart_panel(pictures.factor_chart(x["beta1"], x["beta2"], last), arrows=marks),
        chart_panel(pictures.step_chart(found)),
        chart_panel(pictures.walk_chart(found)),
    ]


def formula(found: Averages, t: int) -> None:
    """The two corrections with symbols, and with this step's numbers."""
    adam = OPTIMIZERS["adam"]
    write = latex.symbols(adam)
    lines = adam.latex(SimpleNamespace(**adam.option_values()))
    templates = [line for line in lines if line.startswith(("<m_hat>", "<v_hat>"))]
    symbols = [latex.fill(line, write) for line in templates]
    with st.container(key="formula-bias"):
        if t < 1:
            st.latex(latex.array(symbols))
            return
        values = {
            "m": float(found.m[t]), "v": float(found.v[t]), "t": float(t),
            "beta1": x["beta1"], "beta2": x["beta2"],
            "m_hat": float(found.m_hat[t]), "v_hat": float(found.v_hat[t]),
        }  # fmt: skip
        factors = averages.correction(x["beta1"], t), averages.correction(x["beta2"], t)
        numbers = [
            f"{latex.fill_numbers(line, values)}"
            rf" = {latex.number(values[part])} \times \mathbf{{{latex.number(float(factor))}}}"
            rf" = {latex.number(values[f'{part}_hat'])}"
            for line, part, factor in zip(templates, ("m", "v"), factors, strict=True)
        ]
        st.latex(latex.array(symbols, [numbers], ["with symbols", f"at step {t}"]))


def notice(given: Samples, found: Averages, t: int) -> None:
    """What the cursor's step shows."""
    first = averages.first_step_without(x["beta1"], x["beta2"])
    if t < 1:
        prose.notice(
            f"Both averages are zero. Without correction the first step will be "
            f"(1 − β₁)/√(1 − β₂) = {first:.3g} learning rates long; with it, one."
        )
        return
    share = 1.0 / float(averages.correction(x["beta1"], t))
    share2 = 1.0 / float(averages.correction(x["beta2"], t))
    prose.notice(
        f"After {t} gradient{'s' * (t > 1)} their weights in m sum to {share:.3g}: "
        f"m reads {share:.1%} of what it should, v {share2:.1%}. "
        f"Factors ×{1 / share:.4g} and ×{1 / share2:.4g} mend that. "
        f"Without them the first step is {first:.3g} learning rates long."
    )


def factors() -> None:
    """The correction at steps worth remembering."""
    rows = [
        (
            f"{SYMBOLS[name]} = {x[name]:g}",
            *(f"×{float(averages.correction(x[name], t)):.4g}" for t in (1, 2, 10, 100, 1000)),
            f"{averages.memory(x[name]):.4g} steps",
        )
        for name in SYMBOLS
    ]
    frame.table(("factor", "t = 1", "t = 2", "t = 10", "t = 100", "t = 1000", "1/(1−β)"), rows)


@st.fragment
def body() -> None:
    """Stream, averages and steps under one cursor; reruns alone while sliders move."""
    embedded = bool(st.context.is_embedded)
    if x["stream"] == RACE and not embedded:
        left, _ = st.columns([1, 2])
        problem.choose_landscape(x, left)
        problem.type_formula(x)
    picture, panel = (
        (st.container(), None) if x.hidden("controls") else st.columns([3.1, 1.02], gap="medium")
    )
    if panel is not None:
        with panel:
            shown = groups()
            answer = controls(
                "bias.controls", shown, locked=problem.locked(x, shown),
                max_height=460 if embedded else 560,
            )  # fmt: skip
            take(answer.values, committed=answer.committed)
    given = samples()
    found = averages.averages(given.gradients, x["beta1"], x["beta2"])
    with picture:
        result = stage(
            "bias.stage",
            panels(given, found)[: 4 if embedded else None],
            frames=len(given.gradients) + 1,
            height=440 if embedded else 520,
            columns=2 if embedded else 3,
            alt="Averages of a stream of gradients, raw and corrected",
            report_cursor=True,
            start_frame=cursor.asked(x),
        )
        t = cursor.keep(x, result.frame, len(given.gradients))
        notice(given, found, t)
        formula(found, t)
    if not embedded and not x.hidden("presets"):
        prose.presets(x, PRESETS)
        factors()
    x.publish()


body()
