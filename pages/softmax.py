"""Softmax and temperature: from scores to probabilities, their entropy, and the gradient ŷ − y."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from string import ascii_uppercase

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.controls import Action, Group
from components.stage import Handle, Panel, stage
from engine import losses
from engine.emit.picture import Picture, in_latex, round_to, words, written
from engine.losses.information import entropy, surprise
from engine.losses.temperature import (
    GradientCheck,
    Steps,
    check_gradient,
    cooling,
    power_of_e,
    steps,
)
from engine.studies.loss_code import loss_scripts
from engine.tape import operations as ops
from figures import charts
from figures import softmax as pictures
from pages import frame, hues, units
from pages.presets import Preset
from pages.state import Choice, Flag, Number, Numbers, Text, experiment, shorten

MOST = 10  # classes
FARTHEST = 1000.0  # a score
HOTTEST, COLDEST = 100.0, 0.01
TEMPERATURES = np.geomspace(COLDEST, HOTTEST, 241)
PLAIN_NAME = re.compile(r"[\w \-]{1,12}")
LARGEST_POWER = 700.0  # e to that fits a float

PRESETS = (
    Preset("[2, 1, 0.1]", "good", "The course's example: 0.659, 0.242, 0.099.", {}),
    Preset(
        "The same × 10", "good",
        "Ten times the logits is a tenth of the temperature: nearly all the probability goes to "
        "the largest.",
        {"z": "20,10,1"},
    ),
    Preset(
        "Cat, car, frog", "good",
        "A cat that the classifier takes for a car: its loss is −ln 0.13 = 2.040. Were it a car, "
        "it would be 0.140 (0.061 in log₁₀, which one course prints as 0.0604).",
        {"z": "3.2,5.1,-1.7", "names": "cat,car,frog"},
    ),
    Preset(
        "Before training", "good",
        "Ten equal logits: every class gets 1/10 and the loss is ln 10 = 2.303, whichever class is "
        "true. A first loss far from log C points at a mistake.",
        {"z": ",".join("0" * 10), "names": ",".join("0123456789"), "true": "3"},
    ),
    Preset(
        "Logits of ±1000", "good",
        "e¹⁰⁰⁰ has no place in a float. The largest logit is taken out of all of them first, which "
        "changes no share: 0.731 and 0.269, as for 1 and 0.",
        {"z": "1000,-1000,999"},
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
        Numbers("z", (2, 1, 0.1), -FARTHEST, FARTHEST, count=(2, MOST)),
        Text("names", "", check=check_names),
        Choice("true", 0, range(MOST), label="true class"),
        Number(
            "T", 1.0, COLDEST, HOTTEST, label="temperature", symbol="T", scale="log",
            help="logits are divided by it before softmax",
        ),
        units.field("nats"),
        Flag(
            "boltzmann", False, label="read logits as energies",
            help="Boltzmann: a state of energy E = −z has probability e^(−E/T)/Z",
        ),
    ],
    parts=("curves", "paste", "copies"),
)  # fmt: skip

frame.opening(
    x,
    "Softmax and temperature",
    "Drag the logits: softmax makes probabilities of a network's raw scores, as sharp as T says.",
)


def class_names() -> list[str]:
    """The names in the link, then letters."""
    given = x["names"].split(",") if x["names"] else []
    return [given[k] if k < len(given) else ascii_uppercase[k] for k in range(len(x["z"]))]


def true_class() -> int:
    """The true class, held among those that there are."""
    return min(int(x["true"]), len(x["z"]) - 1)


def sign() -> float:
    """Of what the axis shows: energies are scores turned over."""
    return -1.0 if x["boltzmann"] else 1.0


def bounds() -> tuple[float, float]:
    """The axis of the scores, fitted to them whenever no hand holds one: it would run away."""
    key = "softmax.bounds"
    if key not in st.session_state or not x.held:
        st.session_state[key] = pictures.span([sign() * z for z in x["z"]])
    found: tuple[float, float] = st.session_state[key]
    return found


# What the reader does -----------------------------------------------------------------------------


def on_action(_: str, action: str) -> None:
    """The buttons over the scores."""
    if x.locked("z"):
        return
    z = list(x["z"])
    if action == "more" and len(z) < MOST:
        z.append(0.0)
    elif action == "fewer" and len(z) > 2:
        z.pop()
    elif action in ("times", "tenth"):
        z = [round(value * (10.0 if action == "times" else 0.1), 6) for value in z]
    elif action == "shift":
        z = [value + 1.0 for value in z]
    x.change({"z": tuple(min(max(value, -FARTHEST), FARTHEST) for value in z)})


def read_scores(text: str) -> tuple[float, ...]:
    """Numbers as they are copied out of a program; ValueError where they are none, or too many."""
    bare = re.sub(r"tensor|array|dtype=\S+|device=\S+", " ", text)
    parts = re.sub(r"[\[\](){},;]", " ", bare).split()
    try:
        values = tuple(float(part.replace("−", "-")) for part in parts)
    except ValueError as error:
        raise ValueError(f"these are not numbers: {error}") from None
    if not 2 <= len(values) <= MOST:
        raise ValueError(f"{len(values)} scores; this page shows 2 to {MOST}")
    for value in values:
        if not abs(value) <= FARTHEST:
            far = written(FARTHEST)
            raise ValueError(f"{written(value)} lies outside −{far} … {far}")
    return values


def paste() -> None:
    """A field that takes scores as text."""
    frame.typed_text(
        "softmax.paste",
        ", ".join(map(shorten, x["z"])),
        read_scores,
        lambda text: x.change({"z": read_scores(text)}),
        label="Logits, as pasted from a program",
        locked=x.locked("z"),
    )


# What the reader sees -----------------------------------------------------------------------------


def settings(live: Picture, height: int) -> None:
    """Temperature, true class, unit; buttons that scale, shift and count the scores."""
    frozen = x.locked("z")
    names = class_names()
    x.controls(
        [
            Group(id="temperature", items=[x.slider("T"), x.toggle("boltzmann")]),
            Group(
                id="loss",
                items=[
                    replace(
                        x.chooser("true", options=[(str(i), n) for i, n in enumerate(names)]),
                        value=str(true_class()),
                    ),
                    x.chooser("unit"),
                ],
            ),
            Group(
                id="scores",
                title="Logits",
                actions=[
                    Action(id="times", label="× 10", locked=frozen),
                    Action(id="tenth", label="÷ 10", locked=frozen),
                    Action(id="shift", label="all + 1", locked=frozen),
                ],
            ),
            Group(
                id="classes",
                title="Classes",
                actions=[
                    Action(id="more", label="+ one", locked=frozen),
                    Action(id="fewer", label="− one", locked=frozen),
                ],
            ),
        ],
        live=live,
        height=height,
        on_action=on_action,
    )  # fmt: skip


def rows(live: Picture, now: Steps, *, small: bool, height: int) -> None:
    """Scores, powers of e and shares, and the gradient, a row a class."""
    names, unit, k = class_names(), units.of(x), true_class()
    rows = [f"{name} (true)" if i == k else name for i, name in enumerate(names)]
    low, high = bounds()
    values = live["z"] * sign()
    hand = ops.clip(round_to(live.hand[0], 2 if high - low <= 60 else 1), -FARTHEST, FARTHEST)
    handles = [
        Handle(
            id=name, spoken=f"{'energy' if x['boltzmann'] else 'logit'} of {name}",
            x=values[i], y=float(i),
            axis="x", minimum=max(low, -FARTHEST), maximum=min(high, FARTHEST),
            color=charts.class_color(i),
            sets={f"z[{i}]": sign() * hand},
        )
        for i, name in enumerate(names)
    ]  # fmt: skip
    hottest = max(abs(z) for z in x["z"]) / x["T"]
    exponent = "exp(−E/T)" if x["boltzmann"] else "exp(z/T)"
    panels = [
        Panel(
            id="scores",
            title="energies E = −z (drag)" if x["boltzmann"] else "logits z (drag)",
            tab="energies" if x["boltzmann"] else "logits",
            figure=pictures.scores(values, rows, (low, high), "E" if x["boltzmann"] else "z"),
            handles=handles,
            alt="Bars of the logits, each with a handle to drag.",
        ),
        Panel(
            id="flow",
            kind="chart",
            title=f"{exponent}, and its share ŷ of the whole",
            tab="shares",
            figure=pictures.flow(now, names, powers=hottest < LARGEST_POWER),
            alt="For each class a bar of its power of e, joined by a band to its probability.",
        ),
        Panel(
            id="gradient",
            kind="chart",
            title="how far each share is off",
            tab="gradient",
            figure=pictures.gradient(now.error, names),
            alt="Bars of probability minus target for every class.",
        ),
    ]
    nat = float(surprise(1 / math.e, unit.base))
    h = entropy(now.shares, unit.base)
    stage(
        "softmax.rows",
        panels[:2] if small else panels,
        live=live,
        frames=1,
        height=height,
        columns=[1, 1.25] if small else [1, 1.25, 0.8],
        alt=f"Softmax of {len(names)} logits",
        lines=[
            words(
                f"loss −{unit.log} ŷ({names[k]}) = {{:.4f}} {unit}, "
                f"entropy of ŷ {{:.4f}} of at most {{:.4f}} {unit}",
                nat * now.loss, h, float(surprise(1 / len(names), unit.base)),
            )
        ],
    )  # fmt: skip


def curves(live: Picture, now: Steps, height: int) -> None:
    """Probabilities and entropy against temperature, each with the handle of T."""
    unit, t = units.of(x), live["T"]
    study = cooling(live["z"], TEMPERATURES, unit.base)
    hand = ops.clip(live.hand[0], COLDEST, HOTTEST)
    rounded = ops.where(
        hand < 1, round_to(hand, 3), ops.where(hand < 10, round_to(hand, 2), round_to(hand, 1))
    )
    sets = {"T": rounded}
    handle = Handle(
        id="temperature", spoken="temperature", x=t, y=0.0, label=words("T = {:3}", t), axis="x",
        sets=sets,
        minimum=COLDEST, maximum=HOTTEST,
    )  # fmt: skip
    most = float(surprise(1 / len(x["z"]), unit.base))
    stage(
        "softmax.curves",
        [
            Panel(
                id="against",
                title="probability of each class against T",
                tab="probabilities",
                figure=pictures.against_temperature(study, now.shares, class_names(), t),
                handles=[handle],
                clicks=sets,
                alt="Every class probability against temperature, from hard maximum to uniform.",
            ),
            Panel(
                id="entropy",
                title=f"entropy against T, in {unit}",
                tab="entropy",
                figure=pictures.entropy(study, entropy(now.shares, unit.base), t, most, unit.name),
                handles=[handle],
                clicks=sets,
                alt="Entropy of the distribution against temperature, from 0 to log C.",
            ),
        ],
        live=live,
        frames=1,
        columns=[1.5, 1],
        height=height,
        alt="What temperature does to softmax",
    )


def formula(check: GradientCheck, hue: Callable[[str, int], str] = lambda text, k: text) -> str:
    """Softmax of the true class, the loss and its gradient in LaTeX, the numbers put in; `hue`
    colours what is of one class."""
    k, t, z, unit = true_class(), in_latex(x["T"]), x["z"], units.of(x)
    loss = check.loss * float(surprise(1 / math.e, unit.base))
    letter, minus = ("E", "-") if x["boltzmann"] else ("z", "")
    value = in_latex(sign() * z[k], "6")
    shown = f"({value})" if x["boltzmann"] and value.startswith("-") else value
    nats = "" if unit.name == "nats" else r"\ \text{(in nats)}"
    return (
        rf"\begin{{aligned}} \hat y_k &= \frac{{{hue(f'e^{{{minus}{letter}_k/T}}', k)}}}"
        rf"{{\sum_j e^{{{minus}{letter}_j/T}}}} = \frac{{{hue(f'e^{{{minus}{shown}/{t}}}', k)}}}"
        rf"{{\sum_j e^{{{minus}{letter}_j/{t}}}}} = "
        rf"{hue(in_latex(float(check.probabilities[k]), '.3f'), k)} \\ "
        rf"\mathcal L &= -{unit.latex}\,\hat y_k = {in_latex(loss, '.3f')}\ \text{{{unit}}} \\ "
        rf"\frac{{\partial\mathcal L}}{{\partial z_j}} &= \frac{{\hat y_j - y_j}}{{T}}{nats}"
        r"\end{aligned}"
    )


def remark(check: GradientCheck) -> str:
    """What is worth seeing in the present state."""
    names = [hues.named(name, i) for i, name in enumerate(class_names())]
    p, t, k, unit = check.probabilities, x["T"], true_class(), units.of(x)
    best = int(np.argmax(p))
    h = float(entropy(p, unit.base))
    most = float(surprise(1 / len(p), unit.base))
    if len(set(x["z"])) == 1:
        return (
            f"All {len(p)} logits are equal, so every class gets 1/{len(p)} and the loss is "
            f"log {len(p)} = {written(most, '.3f')} {unit} whatever is true, at any temperature. "
            "That is the loss to expect before training."
        )
    if p[best] > 0.995:
        return (
            f"**{names[best]}** takes {written(p[best], '.4f')}: softmax is close to a hard "
            f"maximum and the entropy is {written(h, '3')} {unit}. "
            + (
                "It is the true class: almost no gradient is left."
                if best == k
                else f"But {names[k]} is true: the gradient is nearly ±1/T on these two."
            )
        )
    if h > 0.98 * most:
        return (
            f"At T = {written(t)} the logits hardly matter: the entropy {written(h, '.3f')} is "
            f"almost "
            f"log C = {written(most, '.3f')} {unit}, the distribution almost uniform."
        )
    if best != k:
        return (
            f"**{names[k]}** is true but {names[best]} has the highest logit. The two largest bars "
            f"of ŷ − y push {names[k]} up and {names[best]} down; together all bars sum to 0."
        )
    return (
        f"**{names[k]}** is true and leads with {written(p[k], '.3f')}. Its bar of ŷ − y is "
        f"{charts.signed(p[k] - 1)}: gradient descent still pulls its logit up. "
        "Add 1 to all logits: nothing changes. "
        "Multiply them by 10: the same as dividing T by 10."
    )


def power(z: float) -> str:
    """e^z as text, however large or small it is."""
    mantissa, decades = power_of_e(z)
    if abs(z) < LARGEST_POWER:
        return written(mantissa * 10.0**decades)
    return f"{written(mantissa, '3')} × 10<sup>{written(decades, '.0f')}</sup>"


def gradient_table(check: GradientCheck) -> None:
    """The gradient found in three ways, and the loss that each class would have."""
    t = x["T"]
    logs = losses.log_softmax(np.array(x["z"]), t)
    rows = [
        (
            hues.named(name, k) + (" (true)" if k == true_class() else ""),
            written(x["z"][k], "6"), power(x["z"][k]), written(check.probabilities[k], ".4f"),
            *(written(-logs[k] * float(surprise(1 / math.e, base)), ".4f")
              for base in (math.e, 2, 10)),
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
        "central differences. Largest disagreement with the differences: "
        f"{written(check.disagreement, '2')}."
    )


def code(check: GradientCheck) -> str:
    """The page's numbers as NumPy."""
    k, t = true_class(), shorten(x["T"])
    return (
        "import numpy as np\n\n"
        f"z = np.array([{', '.join(map(shorten, x['z']))}])  # logits\n"
        f"y = np.eye(len(z))[{k}]  # one-hot: the true class\n"
        f"T = {t}\n\n"
        "e = np.exp((z - z.max()) / T)  # nothing overflows\n"
        "p = e / e.sum()\n"
        f"loss = np.log(e.sum()) - ((z - z.max()) / T)[{k}]  # {check.loss:.6g} nats\n"
        "gradient = (p - y) / T\n"
    )


@frame.following(x)
def answers(below: DeltaGenerator) -> None:
    """The sentence under the picture, and the formula and numbers `below`."""
    check = check_gradient(x["z"], true_class(), x["T"])
    frame.notice(remark(check), hued=True)
    if st.context.is_embedded:
        return
    with below:
        if not x.hidden("formula"):
            st.latex(formula(check, hues.term))
        if not x.hidden("table"):
            gradient_table(check)


@frame.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    view = frame.view(x, PRESETS)
    live = x.live()
    now = steps(live["z"], true_class(), live["T"])
    with view.picture:
        rows(live, now, small=view.embedded, height=view.height(330, 380))
    with view.panel:
        settings(live, view.height(460, 400))
        if not view.embedded and not x.hidden("paste"):
            paste()
    if not view.embedded and not x.hidden("curves"):
        curves(live, now, 280)
    below = st.container()
    with view.picture:
        answers(below)
    if not view.embedded and not x.hidden("copies"):
        check = check_gradient(x["z"], true_class(), x["T"])
        others = loss_scripts("softmax", "z", x["z"], true_class=true_class(), T=x["T"])
        frame.copies(NumPy=code(check), **others, LaTeX=formula(check))
    frame.foot(
        x,
        r"\hat y_i = e^{z_i/T} / \textstyle\sum_j e^{z_j/T},\quad "
        r"\nabla_{\!z}\,\mathcal L = (\hat y - y)/T",
    )
    x.publish()


body()
