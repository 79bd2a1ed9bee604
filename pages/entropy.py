"""Entropy: how much surprise a distribution holds, as a curve, as an area and as a code."""

from __future__ import annotations

import html
from string import ascii_uppercase
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Action, Group, Slider
from components.stage import Handle, Panel, stage
from engine.emit.picture import Picture, addends, entry, in_latex, round_to, words, written
from engine.losses.huffman import grown, huffman
from engine.losses.information import (
    dense_at_the_ends,
    entropy,
    entropy_along,
    normalized,
    renormalized,
    surprise,
)
from figures import charts
from figures import entropy as pictures
from pages import frame, units
from pages.presets import Preset
from pages.state import Integer, Numbers, experiment, shorten

MOST = 8  # outcomes
ALONG = dense_at_the_ends(201)  # where the curve is drawn

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
        units.field("bits"),
    ],
    parts=("code", "copies", "share"),
)

frame.opening(
    x,
    "Entropy",
    "How surprising is an outcome, on average? Drag the probabilities and see.",
)


def distribution() -> np.ndarray:
    """The probabilities; the link may hold any weights."""
    return np.asarray(normalized(x["p"]))


def active() -> int:
    """The outcome that was moved last."""
    return min(int(x["k"]), len(x["p"]) - 1)


def names() -> list[str]:
    """What the outcomes are called."""
    return ["heads", "tails"] if len(x["p"]) == 2 else list(ascii_uppercase[: len(x["p"])])


def on_action(_: str, action: str) -> None:
    """More or fewer outcomes, or all alike."""
    if x.locked("p"):
        return
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


def moved(p: Any, k: Any, value: Any) -> Any:
    """p with outcome k at that value, short enough for a link."""
    return round_to(renormalized(p, k, round_to(value, 3)), 6)


def settings(live: Picture, p: Any, height: int) -> None:
    """The outcome that the curve follows, its share, and the unit."""
    frozen = x.locked("p")
    k, name = live["k"], names()[active()]
    x.controls(
        [
            Group(
                id="outcomes",
                title="Outcomes",
                actions=[
                    Action(id="more", label="+ one", locked=frozen),
                    Action(id="fewer", label="− one", locked=frozen),
                    Action(id="even", label="all alike", locked=frozen),
                ],
                items=[
                    Slider(
                        name="share", label=f"probability of {name}", symbol="p",
                        value=entry(p, k), minimum=0.0, maximum=1.0, locked=frozen,
                        sets={"p": moved(p, k, live.hand[0])},
                        help="of the outcome that was moved last; the others keep their "
                        "proportions",
                    ),
                    x.chooser("unit"),
                ],
            ),
        ],
        live=live,
        height=height,
        on_action=on_action,
    )  # fmt: skip


def pictures_of(live: Picture, p: Any, *, small: bool, height: int) -> None:
    """The curve, the bars and the areas."""
    unit, k, called = units.of(x), live["k"], names()
    hand_x, hand_y = live.hand
    h = entropy(p, unit.base)
    most = float(surprise(1 / len(called), unit.base))
    along = entropy_along(p, k, ALONG, unit.base)
    name = called[active()]
    sets = {"p": moved(p, k, hand_x)}
    point = Handle(
        id=f"probability of {name}", x=entry(p, k), y=h, axis="x", minimum=0.0, maximum=1.0,
        label=words("{:5}", h), curve=(ALONG, along), sets=sets,
        color=charts.class_color(active()),
    )  # fmt: skip
    handles = [
        Handle(
            id=f"probability of {name}", x=float(i), y=p[i], axis="y", minimum=0.0, maximum=1.0,
            color=charts.class_color(i),
            sets={"p": moved(p, float(i), hand_y), "k": float(i)},
        )
        for i, name in enumerate(called)
    ]  # fmt: skip
    panels = [
        Panel(
            id="bars",
            title="probabilities (drag)",
            figure=pictures.distribution(p, called),
            handles=handles,
            alt="Bars of the probabilities, each with a handle to drag.",
        ),
        Panel(
            id="curve",
            title=f"entropy in {unit}, as p({name}) changes",
            figure=pictures.curve(ALONG, along, most, name, unit.name),
            handles=[point],
            clicks=sets,
            alt="Entropy against the probability of one outcome.",
        ),
        Panel(
            id="areas",
            kind="chart",
            title="surprise × probability: the whole area is H",
            figure=pictures.surprise_areas(p, surprise(p, unit.base), h, called, unit.name),
            alt="Rectangles as wide as probability and as high as surprise.",
        ),
    ]
    stage(
        "entropy.stage",
        panels[:2] if small else panels,
        live=live,
        frames=1,
        columns=[1, 1.2] if small else [1, 1.2, 1.2],
        height=height,
        alt=words(f"Entropy of {len(called)} outcomes: {{:.4f}} {unit}", h),
        lines=[
            words(
                f"In {unit} H(p) = {{:5}} of at most {unit.log} {len(called)} = {{:5}}; in bits "
                "Huffman's code takes {:5} on average, and H = {:5}",
                h, most, grown(p).average, entropy(p, 2),
            )
        ],
    )  # fmt: skip


def coding(live: Picture, p: Any, height: int) -> None:
    """Huffman's tree, and its word lengths against the ideal ones."""
    code = grown(p)
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
                title="length of each word (coloured) beside −log₂ p (grey), in bits",
                figure=pictures.lengths(code, surprise(p, 2), names()),
                alt="Length of each code word beside the surprise of its outcome.",
            ),
        ],
        live=live,
        frames=1,
        columns=[1.1, 1],
        height=height,
        alt="A code for these outcomes",
    )  # fmt: skip


def table(p: np.ndarray) -> None:
    """Outcome by outcome: surprise in the chosen unit, and the code word in bits."""
    unit, code = units.of(x), huffman(p)
    surprises = surprise(p, unit.base)
    terms, total = addends(
        [float(v * s) if v else 0.0 for v, s in zip(p, surprises, strict=True)], 4
    )
    rows = [
        (
            html.escape(name), f"{v:.4f}", written(s, ".4f"), term,
            "–" if word is None else word or "no bits", "–" if word is None else str(len(word)),
        )
        for name, v, s, term, word in zip(names(), p, surprises, terms, code.words, strict=True)
    ]  # fmt: skip
    rows.append(("together", "1", "", total, "", f"{code.average:.4f} on average"))
    frame.table(
        (
            "outcome", "p", f"surprise −{unit.log} p, {unit}", f"p × surprise, {unit}",
            "code word", "its bits",
        ),
        rows,
    )  # fmt: skip


def brief(number: str) -> str:
    """A written number without zeros at its end."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def formula(p: np.ndarray) -> str:
    """H with its terms put in, in LaTeX; what is printed adds up."""
    unit = units.of(x)
    shown = [(float(v), float(s)) for v, s in zip(p, surprise(p, unit.base), strict=True) if v > 0]
    terms, total = addends([v * s for v, s in shown], 4)
    products = [rf"{in_latex(v, '3')}\cdot {in_latex(s, '5')}" for v, s in shown]

    def lines(parts: list[str]) -> str:
        rows = [" + ".join(parts[i : i + 4]) for i in range(0, len(parts), 4)]
        return r" \\ &\quad + ".join(rows)

    return (
        rf"\begin{{aligned}} H(p) &= -\textstyle\sum_i p_i {unit.latex} p_i = {lines(products)} \\ "
        rf"&= {lines([brief(term) for term in terms])} = {brief(total)}\ \text{{{unit}}}"
        r" \end{aligned}"
    )


def remark(p: np.ndarray) -> str:
    """What is worth seeing in the present state, in the chosen unit."""
    unit = units.of(x)
    bits, h, code = float(entropy(p, 2)), float(entropy(p, unit.base)), huffman(p)
    most = float(surprise(1 / len(p), unit.base))
    if bits < 1e-9:
        return (
            f"One outcome is **certain**: no surprise, 0 {unit}, and a message about it needs no "
            "bits."
        )
    if most - h < 1e-4:
        many = f"{unit.log} {len(p)} = {written(most)} {unit}".replace("= 1 bits", "= 1 bit")
        everyone = "Both" if len(p) == 2 else f"All {len(p)}"
        return (
            f"{everyone} outcomes are equally likely: the **maximum**, {many}. "
            "Every change from here makes guessing easier."
        )
    if code.average - bits < 1e-9:
        return (
            f"Every probability is a power of ½, so Huffman's words are exactly as long as the "
            f"surprises in bits: **{written(code.average)} bits** on average, equal to H."
        )
    rare = int(np.argmin(np.where(p > 0, p, 2)))
    shock = float(surprise(p[rare], unit.base))
    return (
        f"**{names()[rare]}** is the rarest and surprises most ({shock:.2f} {unit}), "
        f"but counts only {written(p[rare], '3')} of the time. Huffman's code needs "
        f"{code.average:.4f} bits on average, {code.average - bits:.4f} above H = {bits:.4f} bits."
    )


def code_of(p: np.ndarray) -> str:
    """The page's numbers as NumPy."""
    unit = units.of(x)
    log = {"bits": "np.log2", "nats": "np.log", "bans": "np.log10"}[unit.name]
    return (
        "import numpy as np\n\n"
        f"p = np.array([{', '.join(shorten(round(float(v), 6)) for v in p)}])\n"
        "there = p[p > 0]  # 0 · log 0 is 0\n"
        f"H = -(there * {log}(there)).sum()  # {float(entropy(p, unit.base)):.6g} {unit}\n"
    )


@st.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    view = frame.view(x, PRESETS)
    x.stand_in("k", active())
    live = x.live()
    traced, p = normalized(live["p"]), distribution()
    with view.picture:
        pictures_of(live, traced, small=view.embedded, height=view.height(340, 350))
        frame.notice(remark(p))
        if not view.embedded and not x.hidden("code"):
            coding(live, traced, 260)
    with view.panel:
        settings(live, traced, view.height(400, 400))
    if not view.embedded:
        if not x.hidden("formula"):
            st.latex(formula(p))
        if not x.hidden("table"):
            table(p)
        if not x.hidden("copies"):
            frame.copies(Python=code_of(p), LaTeX=formula(p))
    x.publish()


body()
