"""Entropy: how much surprise a distribution holds, as a curve, as an area and as a code."""

from __future__ import annotations

import html
from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Action, Group, Slider, controls
from components.controls import Choice as Chooser
from components.stage import Event, Handle, Panel, stage
from engine.losses.huffman import huffman
from engine.losses.information import entropy, entropy_along, normalized, renormalized, surprise
from figures import charts
from figures import entropy as pictures
from pages import frame, prose
from pages.presets import Preset
from pages.state import Choice, Integer, Numbers, experiment

MOST = 8  # outcomes

PRESETS = (
    Preset("fair coin", "good", "Nothing is harder to guess than a fair coin: 1 bit.", {}),
    Preset(
        "99 : 1 coin", "good",
        "Nearly certain, so hardly any surprise on average: 0.0808 bits. The rare side surprises "
        "by 6.64 bits, but only once in a hundred.",
        {"p": "0.99,0.01"},
    ),
    Preset("certain", "good", "What is certain tells nothing: 0 bits.", {"p": "1,0"}),
    Preset(
        "fair die", "good",
        "log₂ 6 = 2.585 bits; a real code needs 2.667, as words have whole lengths.",
        {"p": "1,1,1,1,1,1"},
    ),
    Preset(
        "halves", "good",
        "Powers of ½ are what Huffman's code fits exactly: 1.75 bits on average, which is H.",
        {"p": "4,2,1,1"},
    ),
    Preset(
        "where codes waste", "bad",
        "H is 0.469 bits, but no code word is shorter than 1 bit. Coding several outcomes as one "
        "block closes the gap.",
        {"p": "0.9,0.1"},
    ),
)  # fmt: skip

x = experiment(
    "entropy",
    [
        Numbers("p", (0.5, 0.5), 0, 1000, count=(2, MOST)),
        Integer("k", 0, 0, MOST - 1),
        Choice("unit", "bits", list(prose.BASES)),
    ],
)

frame.opening(
    x,
    "Entropy",
    "How surprising is an outcome, on average? Drag the probabilities and see.",
)


def distribution() -> np.ndarray:
    """The probabilities; the link may hold any weights."""
    return normalized(x["p"])


def active() -> int:
    """The outcome that was moved last."""
    return min(int(x["k"]), len(x["p"]) - 1)


def names() -> list[str]:
    """What the outcomes are called."""
    return ["heads", "tails"] if len(x["p"]) == 2 else list(ascii_uppercase[: len(x["p"])])


# What the reader does -----------------------------------------------------------------------------


def move(k: int, value: float, *, by: str, held: bool) -> None:
    """Give outcome k that probability; the others share what is left in proportion."""
    p = renormalized(distribution(), k, round(value, 4))
    x.change({"p": tuple(round(float(v), 6) for v in p), "k": k}, by=by, held=held)


def on_stage(event: Event) -> None:
    """A point on the curve, or a bar."""
    if event.panel == "curve":
        move(active(), event.x, by="stage", held=event.kind == "drag")
    elif event.panel == "bars":
        k = int(event.id[1:]) - 1 if event.id else round(event.x)
        if 0 <= k < len(x["p"]):
            move(k, event.y, by="stage", held=event.kind == "drag")


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """The slider of the active outcome, and the choices."""
    k = int(values["k"])
    x.change({"unit": values["unit"]}, by="controls", held=not committed)
    if k != active():
        x.change({"k": k}, by="controls", held=not committed)
    elif abs(values["share"] - float(distribution()[k])) > 1e-6:
        move(k, float(values["share"]), by="controls", held=not committed)


def on_action(_: str, action: str) -> None:
    """More or fewer outcomes, or all alike."""
    p = distribution()
    n = len(p)
    if action == "more" and n < MOST:
        p = np.append(p * n / (n + 1), 1 / (n + 1))
    elif action == "fewer" and n > 2:
        p = normalized(p[:-1])
    elif action == "even":
        p = np.ones(n)
    x.change({"p": tuple(round(float(v), 6) for v in p)})


# What the reader sees -----------------------------------------------------------------------------


def settings(height: int) -> None:
    """The outcome that the curve follows, its share, and the unit."""
    k = active()
    answer = controls(
        "entropy.controls",
        [
            Group(
                id="outcomes",
                title="Outcomes",
                actions=[
                    Action(id="more", label="+ one"),
                    Action(id="fewer", label="− one"),
                    Action(id="even", label="all alike"),
                ],
                items=[
                    Chooser(
                        name="k", label="follow", value=str(k),
                        options=[(str(i), name) for i, name in enumerate(names())],
                        help="the outcome along whose probability the curve is drawn",
                    ),
                    Slider(
                        name="share", label="probability", symbol="p",
                        value=round(float(distribution()[k]), 6), minimum=0.0, maximum=1.0,
                        help="the others keep their proportions",
                    ),
                    Chooser(
                        name="unit", label="unit", value=x["unit"],
                        options=[("bits", "bits (log₂)"), ("nats", "nats (ln)"),
                                 ("bans", "bans (log₁₀)")],
                    ),
                ],
            ),
        ],
        locked=["k", "share", "unit"] if x.locked("p") else [],
        max_height=height,
        on_action=on_action,
    )  # fmt: skip
    take(answer.values, committed=answer.committed)


def pictures_of(p: np.ndarray, height: int) -> None:
    """The curve, the bars and the areas."""
    base, unit, k = prose.BASES[x["unit"]], x["unit"], active()
    t = np.linspace(0, 1, 201)
    along = entropy_along(p, k, t, base)
    h = float(entropy(p, base))
    most = float(surprise(1 / len(p), base))
    point = Handle(
        id="p", x=float(p[k]), y=h, label=f"{h:.4f} {unit}", axis="x", minimum=0.0, maximum=1.0,
        curve=(t, along), color=charts.class_color(k),
    )  # fmt: skip
    handles = [
        Handle(
            id=f"p{i + 1}", x=i, y=float(v), axis="y", minimum=0.0, maximum=1.0,
            color=charts.class_color(i),
        )
        for i, v in enumerate(p)
    ]  # fmt: skip
    stage(
        "entropy.stage",
        [
            Panel(
                id="curve",
                title=f"entropy in {unit}, as p({names()[k]}) changes",
                figure=pictures.curve(t, along, most, names()[k], unit),
                handles=[point],
                alt="Entropy against the probability of one outcome.",
            ),
            Panel(
                id="bars",
                title="probabilities (drag)",
                figure=pictures.distribution(p, names()),
                handles=[] if x.locked("p") else handles,
                alt="Bars of the probabilities, each with a handle to drag.",
            ),
            Panel(
                id="areas",
                kind="chart",
                title="surprise × probability: the whole area is H",
                figure=pictures.surprise_areas(
                    p, surprise(p, base), h, unit, float(surprise(0.5, base))
                ),
                alt="Rectangles as wide as probability and as high as surprise.",
            ),
        ],
        frames=1,
        columns=[1.25, 1, 1.25],
        height=height,
        alt=f"Entropy of {len(p)} outcomes: {h:.4f} {unit}",
        on_event=on_stage,
    )


def coding(p: np.ndarray, height: int) -> None:
    """Huffman's tree, and its word lengths against the ideal ones."""
    code, bits = huffman(p), float(entropy(p, 2))
    stage(
        "entropy.code",
        [
            Panel(
                id="tree",
                kind="chart",
                title="an optimal code (Huffman): read the bits from the top",
                figure=pictures.tree(code, names()),
                alt="Tree of the code; likely outcomes hang high, rare ones low.",
            ),
            Panel(
                id="lengths",
                kind="chart",
                title=f"word length beside −log₂ p: mean {code.average:.4f}, H = {bits:.4f}",
                figure=pictures.lengths(code, surprise(p, 2), names()),
                alt="Length of each code word beside the surprise of its outcome.",
            ),
        ],
        frames=1,
        columns=[1.3, 1],
        height=height,
        alt="A code for these outcomes",
    )
    if not x.hidden("table"):
        rows = [
            (
                html.escape(name), f"{v:.4f}", f"{s:.4f}", f"{v * s if v else 0:.4f}",
                "–" if word is None else word or "no bits", "–" if word is None else str(len(word)),
            )
            for name, v, s, word in zip(names(), p, surprise(p, 2), code.words, strict=True)
        ]  # fmt: skip
        frame.table(
            ("outcome", "p", "surprise −log₂ p", "p × surprise", "code word", "length"), rows
        )


def formula(p: np.ndarray) -> None:
    """H with its terms put in."""
    base, unit = prose.BASES[x["unit"]], x["unit"]
    shown = [(v, s) for v, s in zip(p, surprise(p, base), strict=True) if v > 0]
    terms = " + ".join(rf"{v:.3g}\cdot {s:.3f}" for v, s in shown[:3])
    more = r" + \dots" if len(shown) > 3 else ""
    h = prose.number(float(entropy(p, base)), 4)
    st.latex(rf"H(p) = -\sum_i p_i {prose.LOGS[unit]} p_i = {terms}{more} = {h}\ \text{{{unit}}}")


def remark(p: np.ndarray) -> None:
    """What is worth seeing in the present state."""
    bits, code = float(entropy(p, 2)), huffman(p)
    most = float(surprise(1 / len(p), 2))
    if bits < 1e-9:
        text = (
            "One outcome is **certain**: no surprise, 0 bits, and a message about it needs no bits."
        )
    elif most - bits < 1e-4:
        text = (
            f"All {len(p)} outcomes are equally likely: the **maximum**, "
            f"log₂ {len(p)} = {most:.4g} bits. Every change from here makes guessing easier."
        )
    elif code.average - bits < 1e-9:
        text = (
            f"Every probability is a power of ½, so Huffman's words are exactly as long as the "
            f"surprises: **{code.average:.4g} bits** on average, equal to H."
        )
    else:
        rare = int(np.argmin(np.where(p > 0, p, 2)))
        shock = float(surprise(p[rare], 2))
        text = (
            f"**{names()[rare]}** is the rarest and surprises most ({shock:.2f} bits), "
            f"but counts only {p[rare]:.3g} of the time. Huffman's code needs "
            f"{code.average:.4f} bits on average, {code.average - bits:.4f} above H = {bits:.4f}."
        )
    prose.notice(text)


@st.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    embedded = bool(st.context.is_embedded)
    if not embedded and not x.hidden("presets"):
        prose.presets(x, PRESETS)
    picture, panel = (
        (st.container(), None) if x.hidden("controls") else st.columns([3.4, 1], gap="medium")
    )
    if panel is not None:
        with panel:
            settings(height=440 if embedded else 600)
    p = distribution()
    with picture:
        pictures_of(p, 260 if embedded else 320)
        remark(p)
    formula(p)
    if not x.hidden("code"):
        coding(p, 280)
    x.publish()


body()
