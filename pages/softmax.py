"""Softmax and temperature: from scores to probabilities, their entropy, and the gradient ŷ − y."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Action, Group, Slider, Toggle, controls
from components.controls import Choice as Chooser
from components.stage import Event, Handle, Panel, stage
from engine.losses.information import surprise
from engine.losses.temperature import Cooling, GradientCheck, check_gradient, cooling
from figures import charts
from figures import softmax as pictures
from pages import frame, prose
from pages.presets import Preset
from pages.state import Choice, Flag, Integer, Number, Numbers, Text, experiment

MOST = 10  # classes
HOTTEST, COLDEST = 100.0, 0.01
REACHES = (6, 12, 30, 100, 300, 1000)  # how far the axis of the scores goes
PLAIN_NAME = re.compile(r"[\w \-]{1,12}")

PRESETS = (
    Preset("[2, 1, 0.1]", "good", "The course's example: 0.659, 0.242, 0.099.", {}),
    Preset(
        "the same × 10", "good",
        "Ten times the scores is a tenth of the temperature: nearly all the probability goes to "
        "the largest.",
        {"z": "20,10,1", "reach": "30"},
    ),
    Preset(
        "cat, car, frog", "good",
        "A picture of a cat that the classifier takes for a car: the loss of the true class is "
        "−ln 0.13 = 2.040. Were it a car, it would be 0.140 (0.061 in log₁₀, which one course "
        "prints as 0.0604).",
        {"z": "3.2,5.1,-1.7", "names": "cat,car,frog"},
    ),
    Preset(
        "before training", "good",
        "Ten equal scores: every class gets 1/10 and the loss is ln 10 = 2.303, whichever class is "
        "true. A first loss far from log C points at a mistake.",
        {"z": ",".join("0" * 10), "names": ",".join("0123456789"), "true": "3"},
    ),
    Preset(
        "scores of ±1000", "good",
        "e¹⁰⁰⁰ has no place in a float. The largest score is taken out first: nothing overflows.",
        {"z": "1000,-1000,999", "reach": "1000"},
    ),
)  # fmt: skip


def check_names(text: str) -> None:
    """Names separated by commas, each short and plain; ValueError otherwise."""
    for name in text.split(",") if text else ():
        if not PLAIN_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a short name of letters and digits")


x = experiment(
    "softmax",
    [
        Numbers("z", (2, 1, 0.1), -1000, 1000, count=(2, MOST)),
        Text("names", "", check=check_names),
        Integer("true", 0, 0, MOST - 1),
        Number("T", 1.0, COLDEST, HOTTEST),
        Choice("unit", "nats", list(prose.BASES)),
        Flag("boltzmann", False),
        Choice("reach", REACHES[0], REACHES),
    ],
)

frame.opening(
    x,
    "Softmax and temperature",
    "Drag the scores: softmax makes probabilities of them, and the temperature says how sharply.",
)


def class_names() -> list[str]:
    """The names in the link, then letters."""
    given = x["names"].split(",") if x["names"] else []
    return [given[k] if k < len(given) else ascii_uppercase[k] for k in range(len(x["z"]))]


def true_class() -> int:
    """The true class, held among those that there are."""
    return min(int(x["true"]), len(x["z"]) - 1)


def reach() -> int:
    """How far the axis of the scores goes: as chosen, or as far as the scores need."""
    needed = max(abs(z) for z in x["z"])
    return max(int(x["reach"]), next(r for r in REACHES if r >= needed))


# What the reader does -----------------------------------------------------------------------------


def on_scores(event: Event) -> None:
    """A dragged score, or a click above a class."""
    if event.panel != "scores":
        return
    k = int(event.id[1:]) - 1 if event.id else round(event.x)
    if not 0 <= k < len(x["z"]):
        return
    value = -event.y if x["boltzmann"] else event.y
    z = list(x["z"])
    z[k] = round(value, 2 if reach() <= 30 else 1)
    x.change({"z": tuple(z)}, by="scores", held=event.kind == "drag")


def on_curves(event: Event) -> None:
    """The temperature, dragged along its axis or clicked."""
    t = float(f"{min(max(event.x, COLDEST), HOTTEST):.3g}")
    x.change({"T": t}, by="curves", held=event.kind == "drag")


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """The sliders and switches."""
    x.change(
        {
            "T": float(values["T"]),
            "true": int(values["true"]),
            "unit": values["unit"],
            "boltzmann": values["boltzmann"],
        },
        by="controls",
        held=not committed,
    )


def on_action(_: str, action: str) -> None:
    """The buttons over the scores."""
    z = list(x["z"])
    if action == "more" and len(z) < MOST:
        z.append(0.0)
    elif action == "fewer" and len(z) > 2:
        z.pop()
    elif action in ("times", "tenth"):
        factor = 10.0 if action == "times" else 0.1
        z = [min(max(round(factor * value, 6), -REACHES[-1]), REACHES[-1]) for value in z]
    elif action == "shift":
        z = [min(value + 1.0, REACHES[-1]) for value in z]
    fitting = next(r for r in REACHES if r >= max(abs(value) for value in z))
    x.change({"z": tuple(z), "reach": fitting})


# What the reader sees -----------------------------------------------------------------------------


def settings(height: int) -> None:
    """Temperature, true class, unit; buttons that scale, shift and count the scores."""
    names = class_names()
    answer = controls(
        "softmax.controls",
        [
            Group(
                id="T",
                title="Temperature",
                items=[
                    Slider(
                        name="T", label="temperature", symbol="T", value=x["T"], minimum=COLDEST,
                        maximum=HOTTEST, default=1.0, scale="log",
                        help="scores are divided by it before softmax",
                    ),
                    Toggle(
                        name="boltzmann", label="read scores as energies", value=x["boltzmann"],
                        help="Boltzmann: a state of energy E = −z has probability e^(−E/T)/Z",
                    ),
                ],
            ),
            Group(
                id="loss",
                title="Loss",
                items=[
                    Chooser(
                        name="true", label="true class", value=str(true_class()),
                        options=[(str(k), name) for k, name in enumerate(names)],
                    ),
                    Chooser(
                        name="unit", label="unit", value=x["unit"],
                        options=[
                            ("nats", "nats (ln)"), ("bits", "bits (log₂)"),
                            ("bans", "bans (log₁₀)"),
                        ],
                    ),
                ],
            ),
            Group(
                id="scores",
                title="Scores",
                actions=[
                    Action(id="times", label="× 10"),
                    Action(id="tenth", label="÷ 10"),
                    Action(id="shift", label="all + 1"),
                ],
            ),
            Group(
                id="classes",
                title="Classes",
                actions=[Action(id="more", label="+ one"), Action(id="fewer", label="− one")],
            ),
        ],
        locked=[name for name in ("T", "true", "unit", "boltzmann") if x.locked(name)],
        max_height=height,
        on_action=on_action,
    )  # fmt: skip
    take(answer.values, committed=answer.committed)


def bars(check: GradientCheck, height: int) -> None:
    """Scores, probabilities and gradient, class by class."""
    names = class_names()
    sign = -1.0 if x["boltzmann"] else 1.0
    values = sign * np.array(x["z"])
    top = reach()
    handles = [
        Handle(
            id=f"z{k + 1}", x=k, y=float(value), axis="y", minimum=-top, maximum=top,
            color=charts.class_color(k),
        )
        for k, value in enumerate(values)
    ]  # fmt: skip
    stage(
        "softmax.bars",
        [
            Panel(
                id="scores",
                title="energies E = −z (drag)" if x["boltzmann"] else "scores z (drag)",
                figure=pictures.scores(values, names, top),
                handles=[] if x.locked("z") else handles,
                alt="Bars of the scores, each with a handle to drag.",
            ),
            Panel(
                id="probabilities",
                kind="chart",
                title=f"probabilities ŷ; {names[true_class()]} is true",
                figure=pictures.probabilities(check.probabilities, true_class(), names),
                alt="Bars of the class probabilities.",
            ),
            Panel(
                id="gradient",
                kind="chart",
                title="ŷ − y, how far each is off",
                figure=pictures.gradient(check.probabilities - check.target, names),
                alt="Bars of probability minus target for every class.",
            ),
        ],
        frames=1,
        height=height,
        alt=f"Softmax of {len(names)} scores at temperature {x['T']:g}",
        on_event=on_scores,
    )


def curves(study: Cooling, height: int) -> None:
    """Probabilities and entropy against temperature, each with the handle of T."""
    t = x["T"]
    handle = Handle(
        id="T", x=t, y=0.0, label=f"T = {t:.3g}", axis="x", minimum=COLDEST, maximum=HOTTEST
    )
    most = float(surprise(1 / len(x["z"]), prose.BASES[x["unit"]]))
    stage(
        "softmax.curves",
        [
            Panel(
                id="against",
                title="probability of each class against T",
                figure=pictures.against_temperature(study, class_names(), t),
                handles=[handle],
                alt="Every class probability against temperature, from hard maximum to uniform.",
            ),
            Panel(
                id="entropy",
                title=f"entropy against T, in {x['unit']}",
                figure=pictures.entropy(study, t, most, x["unit"]),
                handles=[handle],
                alt="Entropy of the distribution against temperature, from 0 to log C.",
            ),
        ],
        frames=1,
        columns=[1.5, 1],
        height=height,
        alt="What temperature does to softmax",
        on_event=on_curves,
    )


def formula(check: GradientCheck) -> None:
    """Softmax of the true class and the loss, with the numbers put in."""
    k, t, z = true_class(), x["T"], x["z"]
    unit = x["unit"]
    p = float(check.probabilities[k])
    loss = check.loss * float(surprise(0.1, prose.BASES[unit]) / surprise(0.1))
    letter, sign = ("E", "-") if x["boltzmann"] else ("z", "")
    value = -z[k] if x["boltzmann"] else z[k]
    shown = f"({value:g})" if x["boltzmann"] and value < 0 else f"{value:g}"
    general = rf"\hat y_k = \frac{{e^{{{sign}{letter}_k/T}}}}{{\sum_j e^{{{sign}{letter}_j/T}}}}"
    st.latex(
        rf"{general} = \frac{{e^{{{sign}{shown}/{t:g}}}}}"
        rf"{{\sum_j e^{{{sign}{letter}_j/{t:g}}}}} = {prose.number(p)}"
    )
    st.latex(rf"\mathcal L = -{prose.LOGS[unit]}\,\hat y_k = {prose.number(loss)}\ \text{{{unit}}}")
    st.latex(
        r"\frac{\partial\mathcal L}{\partial z_j} = \frac{\hat y_j - y_j}{T}"
        + ("" if unit == "nats" else r"\ \text{(in nats)}")
    )


def remark(check: GradientCheck, study_now: Cooling) -> None:
    """What is worth seeing in the present state."""
    names, p, t, k = class_names(), check.probabilities, x["T"], true_class()
    best = int(np.argmax(p))
    h = float(study_now.entropy[0])
    most = float(surprise(1 / len(p), prose.BASES[x["unit"]]))
    if len(set(x["z"])) == 1:
        text = (
            f"All {len(p)} scores are equal, so every class gets 1/{len(p)} and the loss is "
            f"log {len(p)} = {most:.3f} {x['unit']} whatever is true, at any temperature. "
            "That is the loss to expect before training."
        )
    elif p[best] > 0.995:
        text = (
            f"**{names[best]}** takes {p[best]:.4f}: softmax is close to a hard maximum and the "
            f"entropy is {h:.3g} {x['unit']}. "
            + (
                "It is the true class: almost no gradient is left."
                if best == k
                else f"But {names[k]} is true: the gradient is nearly ±1/T on these two."
            )
        )
    elif h > 0.98 * most:
        text = (
            f"At T = {t:g} the scores hardly matter: the entropy {h:.3f} is almost "
            f"log C = {most:.3f} {x['unit']}, the distribution almost uniform."
        )
    elif best != k:
        text = (
            f"**{names[k]}** is true but {names[best]} has the highest score. The two largest bars "
            f"of ŷ − y push {names[k]} up and {names[best]} down; together all bars sum to 0."
        )
    else:
        text = (
            f"**{names[k]}** is true and leads with {p[k]:.3f}. Its bar of ŷ − y is "
            f"{charts.signed(p[k] - 1)}: gradient descent still pulls its score up. "
            "Add 1 to all scores: nothing changes. "
            "Multiply them by 10: the same as dividing T by 10."
        )
    prose.notice(text)


def exponential(value: float) -> str:
    """e^z as text."""
    return f"{value:.4g}" if math.isfinite(value) else "too large"


def gradient_table(check: GradientCheck) -> None:
    """The gradient found in three ways, and the loss that each class would have."""
    t = x["T"]
    nats, bits, bans = (surprise(check.probabilities, base) for base in (math.e, 2, 10))
    rows = [
        (
            html.escape(name) + (" (true)" if k == true_class() else ""),
            f"{x['z'][k]:g}", exponential(check.exponentials[k]), f"{check.probabilities[k]:.4f}",
            f"{nats[k]:.4f}", f"{bits[k]:.4f}", f"{bans[k]:.4f}",
            charts.signed(check.fused[k], 6), charts.signed(check.reverse[k], 6),
            charts.signed(check.numeric[k], 6),
        )
        for k, name in enumerate(class_names())
    ]  # fmt: skip
    over = "ŷ − y" if t == 1 else "(ŷ − y)/T"
    frame.table(
        ("class", "z", "eᶻ", "ŷ", "−ln ŷ", "−log₂ ŷ", "−log₁₀ ŷ", over, "autograd", "differences"),
        rows,
    )
    st.caption(
        f"Three ways to one gradient: the formula {over}, reverse mode through log-softmax, and "
        f"central differences. Largest disagreement with the differences: {check.disagreement:.1e}."
    )


@st.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    embedded = bool(st.context.is_embedded)
    if not embedded and not x.hidden("presets"):
        prose.presets(x, PRESETS)
    picture, panel = (
        (st.container(), None) if x.hidden("controls") else st.columns([3, 1], gap="medium")
    )
    if panel is not None:
        with panel:
            settings(height=440 if embedded else 600)
    base = prose.BASES[x["unit"]]
    check = check_gradient(x["z"], true_class(), x["T"])
    study = cooling(x["z"], np.geomspace(COLDEST, HOTTEST, 161), base)
    with picture:
        bars(check, 230 if embedded else 270)
        curves(study, 220 if embedded else 300)
    remark(check, cooling(x["z"], [x["T"]], base))
    formula(check)
    if not x.hidden("table"):
        gradient_table(check)
    x.publish()


body()
