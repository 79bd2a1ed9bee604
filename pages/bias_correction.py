"""Adam and bias correction: two averages that start at zero, and the factor that mends them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Group, Item
from components.lead import Piece
from components.stage import Boxes, Panel, stage
from engine.emit.picture import Picture, words, written
from engine.optimizers import OPTIMIZERS
from engine.studies import bias_correction as averages
from engine.studies import rule_latex as latex
from engine.studies.averages_code import averages_scripts
from engine.studies.bias_correction import SIGNALS, Averages, Samples
from engine.tape import Value
from engine.tape import operations as ops
from figures import bias_correction as pictures
from pages import clock, frame, problem
from pages.presets import Preset
from pages.state import Choice, Integer, Number, experiment
from pages.step_panel import step_panel

RACE = "race"
SYMBOLS = {"beta1": "β₁", "beta2": "β₂"}
LONGEST = 300  # steps: beyond this nothing new is to be seen, and every frame has its bars
DRAWS = 10  # of the noise, by seed, within the slider's reach
ADAM = {h.name: h for h in OPTIMIZERS["adam"].hypers}
PRESETS = (
    Preset(
        "Constant gradient",
        "good",
        "Nothing but the start is at work: m climbs like 1 − 0.9ᵗ, the corrected m̂ is right at "
        "once. Momentum's velocity is a sum and climbs to 10 times the gradient.",
        {"noise": "0"},
    ),
    Preset(
        "Noise",
        "good",
        "The average quarters the noise; corrected, its first values are as noisy as the gradients "
        "themselves, for they are averages of one, two, three of them.",
        {},
    ),
    Preset(
        "Drift",
        "bad",
        "The truth moves, and the average stays β₁/(1−β₁) = 9 steps behind. Correction cannot "
        "help: it mends the start, not the delay.",
        {"stream": "drifting", "noise": "0"},
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
    "bias_correction",
    [
        *problem.fields(runs="sgd:lr=0.0185", noise=0.3),
        Choice(
            "stream", "constant", [*SIGNALS, RACE], label="stream",
            says={s.slug: s.name for s in SIGNALS.values()} | {RACE: "of a race"},
            help="; ".join(f"{s.name}: {s.meaning}" for s in SIGNALS.values())
            + "; of a race: what its first runner was given",
        ),
        Choice("axis", "x", ("x", "y"), label="coordinate"),
        Number(
            "level", 1.0, 0.01, 10.0,
            symbol="μ", scale="log", help="size of the stream's mean",
        ),
        Number("beta1", 0.9, 0.0, 0.999, **problem.described(ADAM["beta1"])),
        Number("beta2", 0.999, 0.0, 0.99999, **problem.described(ADAM["beta2"])),
        Integer("t", 10, 0, problem.STEPS),
    ],
    parts=("heard", "function", "copies"),
)  # fmt: skip


def steps() -> int:
    """How many gradients are looked at."""
    return int(min(x["steps"], LONGEST))


def seeds() -> range:
    """The seeds within reach of the slider, whose draws the browser has at hand."""
    first = int(x["seed"]) // DRAWS * DRAWS
    return range(first, first + DRAWS)


def samples(live: Picture, last: Any) -> Samples:
    """The stream that the controls describe."""
    if x["stream"] == RACE:
        run = problem.live_run(x, live, 0, problem.landscape(x), recorded=True)
        return averages.of_run(run, x["axis"], live["noise"])
    return averages.sample(
        x["stream"], last, level=live["level"], noise=live["noise"], seed=live["seed"],
        room=LONGEST, seeds=seeds(),
    )  # fmt: skip


# What the reader sees -----------------------------------------------------------------------------


def groups() -> list[Group]:
    """The averages' memories, then the stream."""
    items: list[Item] = [x.chooser("stream")]
    if x["stream"] == RACE:
        shape = problem.landscape_sliders(x, problem.landscape(x))
        items += [x.chooser("axis"), *problem.runner_items(0, x["runs"][0]), *shape]
    else:
        items.append(x.slider("level"))
    items += [
        x.slider("noise", label="noise", maximum=5.0, help="standard deviation of what is added"),
        x.slider(
            "seed",
            label="seed",
            minimum=seeds()[0],
            maximum=seeds()[-1],
            help="another draw of the noise",
        ),
        x.slider("steps", minimum=5, maximum=LONGEST),
    ]
    return [
        Group(id="memory", title="Adam", items=[x.slider(name) for name in SYMBOLS]),
        Group(id="stream", title="The gradients", items=items),
    ]


def window(live: Picture) -> Panel:
    """The weights of past gradients in m, by age."""
    beta = live["beta1"]
    seen, missing = pictures.weight_bars(beta, LONGEST)
    at = np.arange(pictures.AGES)[None, :]
    bars = [
        Boxes(x0=at - 0.4, x1=at + 0.4, y0=0.0, y1=heights, colors=color, opacity=opacity)
        for heights, color, opacity in (
            (seen, pictures.CORRECTED, 0.85),
            (missing, pictures.MISSING, 0.3),
        )
    ]
    reach = averages.memory(beta)
    bars.append(
        Boxes(x0=reach - 0.06, x1=reach + 0.06, y0=0.0, y1=1.0, colors=pictures.TRUTH, opacity=0.6)
    )
    return Panel(
        id="weights",
        kind="chart",
        title=words("weights in m by age; 1/(1−β₁) = {:3}", reach),
        figure=pictures.weight_figure(beta),
        boxes=bars,
        alt="Bars: the weight of each past gradient in the average, by its age. Pale bars are "
        "ages before the first gradient, where the average still holds the zero it started from.",
    )


def panels(live: Picture, given: Samples, found: Averages, last: Any, small: bool) -> list[Panel]:
    """The average m large; v, the weights, the factors and Adam's steps beside it."""
    rows = 2 if small else 3
    first = step_panel(pictures.average_chart("m", given, found, last), rows=rows)
    second = step_panel(pictures.average_chart("v", given, found, last))
    sizes = step_panel(pictures.size_chart(found, last))
    if small:
        return [first, second, sizes]
    return [
        first,
        second,
        window(live),
        step_panel(pictures.factor_chart(live["beta1"], live["beta2"], LONGEST, last)),
        sizes,
        step_panel(pictures.velocity_chart(found, last)),
        step_panel(pictures.walk_chart(found, last)),
    ]


def at(column: Any, t: int) -> float:
    """The number that a column holds now after t gradients."""
    return float((column.data if isinstance(column, Value) else column)[t])


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
        values = {"t": float(t), "beta1": x["beta1"], "beta2": x["beta2"]}
        values |= {n: at(getattr(found, n), t) for n in ("m", "v", "m_hat", "v_hat")}
        numbers = [
            f"{latex.fill_numbers(line, values)}"
            rf" = {latex.number(values[part])} \times \mathbf{{{latex.number(factor)}}}"
            rf" = {latex.number(values[f'{part}_hat'])}"
            for line, part, factor in zip(
                templates,
                ("m", "v"),
                (averages.correction(x[name], float(t)) for name in SYMBOLS),
                strict=True,
            )
        ]
        st.latex(latex.array(symbols, [numbers], ["with symbols", f"at step {t}"]))


def notice(t: int) -> None:
    """What the cursor's step shows."""
    if t < 1:
        frame.notice("Both averages are zero.")
        return
    shares = [1.0 / averages.correction(x[name], float(t)) for name in SYMBOLS]
    m, v = (f"{written(100 * share, '3')}\u202f%" for share in shares)
    mends = " and ".join(f"×{written(1 / share, '4')}" for share in shares)
    frame.notice(
        f"After {t} gradient{'s' * (t > 1)} their weights in m sum to {written(shares[0], '3')}: "
        f"m reads {m} of what it should, v {v}. Factors {mends} mend that."
    )


def factors() -> None:
    """The correction at steps worth remembering."""
    rows = [
        (
            f"{SYMBOLS[name]} = {written(x[name])}",
            *(f"×{written(averages.correction(x[name], float(t)))}" for t in (1, 2, 10, 100, 1000)),
            f"{written(averages.memory(x[name]))} steps",
            f"{written(averages.lag(x[name]))} steps",
        )
        for name in SYMBOLS
    ]
    frame.table(
        (
            "factor", "t = 1", "t = 2", "t = 10", "t = 100", "t = 1000", "window 1/(1−β)",
            "lag β/(1−β)",
        ),
        rows,
    )  # fmt: skip


def heard(found: Averages) -> None:
    """What lectures say of this otherwise, beside the numbers of this page."""
    first, last = written(abs(at(found.steps_raw, 1)), "3"), steps()
    m, v, sum_ = (at(getattr(found, n), last) for n in ("m_hat", "v_hat", "velocity"))
    variance = v - m * m
    variance = 0.0 if abs(variance) < 1e-12 * v else variance  # steady: rounding alone
    st.markdown(
        "## Heard in class, checked here\n"
        f"- *“Without bias correction the first updates are too small.”* The first is {first} "
        f"learning rates long here, with correction one: m holds (1 − β₁) g, but √v only "
        f"√(1 − β₂) |g|.\n"
        f"- *“v is the variance.”* It is the second moment E[g²]. The variance is "
        f"E[g²] − E[g]²: after {last} steps v̂ − m̂² = {written(v, '3')} − {written(m * m, '3')} "
        f"= {written(variance, '3')}.\n"
        f"- *“Momentum's velocity is an average.”* It is a sum, v ← βv + g: at β = "
        f"{written(x['beta1'])} it stands at {written(sum_, '3')} after {last} steps, 1/(1 − β) = "
        f"{written(averages.memory(x['beta1']), '3')} times what the average holds.\n"
        f"- *“An average lags by 1/(1 − β) steps.”* That is its window; behind a steady drift it "
        f"stays β/(1 − β) = {written(averages.lag(x['beta1']), '3')} steps."
    )


def opening() -> None:
    """Title and lead, whose words choose the gradients."""
    race = x["stream"] == RACE
    landscape: list[Piece] = [" ", problem.landscape_menu(x)]
    said = "the gradients of a race on" if race else f"{SIGNALS[x['stream']].name} gradients"
    frame.opening(
        x,
        "Adam and bias correction",
        [
            "The averages of ", x.menu("stream", text=said),
            *(landscape if race else []),
            " start at zero and read too low at first. Dividing by 1 − βᵗ mends them.",
        ],
    )  # fmt: skip
    if race and x.stands("setup"):
        problem.type_formula(x)


@frame.fragment
def body() -> None:
    """Stream, averages and steps under one cursor."""
    opening()
    view = frame.view(x, PRESETS, panel=0.25)
    live = problem.live_picture(x, problem.landscape(x)) if x["stream"] == RACE else x.live()
    last = ops.minimum(live["steps"], float(LONGEST))
    given = samples(live, last)
    found = averages.averages(given.gradients, live["beta1"], live["beta2"])
    with view.picture:
        shown = stage(
            "bias_correction.stage",
            panels(live, given, found, last, view.embedded),
            live=live,
            frames=last + 1.0,
            height=view.height(500, 340),
            columns=[1.4, 1] if view.embedded else [1.7, 1, 1],
            alt="Averages of a stream of gradients, raw and corrected",
            report_cursor=True,
            start_frame=clock.start(x, steps()),
            restart=x.restart,
            lines=[
                words(
                    "Without correction the first step is (1 − β₁)/√(1 − β₂) = {:3} learning rates "
                    "long; with it, one.",
                    averages.first_step_without(live["beta1"], live["beta2"]),
                )
            ],
        )
    t = clock.keep(x, shown.frame, steps())
    with view.panel:
        x.controls(groups(), live=live, height=view.height(530, 460))
    with view.picture:
        if shown.sensitive:
            st.html(frame.SENSITIVE)
        if x["stream"] == RACE:
            problem.say_start(x, problem.landscape(x))
    # Below both columns, for a word in it may be a link: on a phone keys would go back up from it.
    with view.picture if view.embedded else st.container():
        notice(t)
    if not x.hidden("formula"):
        with (
            view.picture.expander("The correction at this step")
            if view.embedded
            else st.container()
        ):
            formula(found, t)
    if not view.embedded:
        if x["stream"] == RACE:
            problem.about(x, problem.landscape(x))
        if not x.hidden("table"):
            factors()
        if not x.hidden("heard"):
            heard(found)
        if not x.hidden("copies") and t > 0:
            seen = np.asarray(given.gradients.data)[:t]
            frame.copies(**averages_scripts(seen[np.isfinite(seen)], x["beta1"], x["beta2"]))
    frame.foot(x, r"\hat m_t = m_t/(1-\beta_1^t),\quad \hat v_t = v_t/(1-\beta_2^t)")
    x.publish()


body()
