"""Entropy: how much surprise a distribution holds, as a curve, as an area and as a code; and what
is left of it for a density."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_uppercase
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Action, Group, Slider
from components.stage import Handle, Panel, stage
from engine.emit.picture import (
    Picture,
    addends,
    entry,
    in_latex,
    round_to,
    words,
    written,
)
from engine.losses import density as densities
from engine.losses.huffman import grown, huffman
from engine.losses.information import (
    dense_at_the_ends,
    entropy,
    entropy_along,
    normalized,
    renormalized,
    surprise,
)
from engine.studies.loss_code import loss_scripts
from figures import charts
from figures import entropy as pictures
from pages import entropy_of_density, frame, hues, units
from pages.presets import Preset
from pages.state import Choice, Integer, Number, Numbers, experiment, shorten

PARTS = ("outcomes", "a density")
MOST = 8  # outcomes
ALONG = dense_at_the_ends(201)  # where the curve is drawn

PRESETS = (
    Preset("Fair coin", "good", "Nothing is harder to guess than a fair coin: 1 bit.", {}),
    Preset(
        "99 : 1 coin", "good",
        "Nearly certain, so hardly any surprise on average: 0.0808 bits. The rare side surprises "
        "by 6.64 bits, but only once in a hundred.",
        {"p": "0.99,0.01"},
    ),
    Preset("Certain", "good", "What is certain tells nothing: 0 bits.", {"p": "1,0"}),
    Preset(
        "Fair die", "good",
        "log₂ 6 = 2.585 bits; a real code needs 2.667, as words have whole lengths.",
        {"p": "1,1,1,1,1,1"},
    ),
    Preset(
        "Halves", "good",
        "Powers of ½ are what Huffman's code fits exactly: 1.75 bits on average, which is H.",
        {"p": "4,2,1,1"},
    ),
    Preset(
        "Where codes waste", "bad",
        "H is 0.469 bits, but no code word is shorter than 1 bit. Coding several outcomes as one "
        "block closes the gap.",
        {"p": "0.9,0.1"},
    ),
    Preset(
        "A density", "good",
        "A normal density with σ = 1 has h = ½ log₂ 2πe = 2.047 bits. Its cells of width ½ hold "
        "3.062 bits, a little over h + 1, and a bit more with each halving.",
        {"part": PARTS[1]},
    ),
    Preset(
        "Below zero", "good",
        "A normal density narrower than σ = 0.242 has negative entropy: h = −1.275 bits at 0.1. "
        "The entropy of its cells is never negative.",
        {"part": PARTS[1], "spread": "0.1", "width": "0.1"},
    ),
)  # fmt: skip

x = experiment(
    "entropy",
    [
        Choice("part", PARTS[0], PARTS),
        Numbers("p", (0.5, 0.5), 0, 1000, count=(2, MOST)),
        Integer("k", 0, 0, MOST - 1),
        units.field("bits"),
        Choice("density", "normal", list(densities.DENSITIES), label="density"),
        Number(
            "spread",
            1.0,
            *entropy_of_density.SPREADS,
            label="spread",
            symbol="σ",
            scale="log",
            help="the density's standard deviation",
        ),
        Number(
            "width",
            0.5,
            *pictures.WIDTHS,
            label="width of a cell",
            symbol="Δ",
            scale="log",
            help="the density is cut into cells of this width, each of which is an outcome",
        ),
    ],
    parts=("code", "copies", "share"),
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
    bits = [] if unit.base == 2 else [entropy(p, 2)]
    most = float(surprise(1 / len(called), unit.base))
    along = entropy_along(p, k, ALONG, unit.base)
    name = called[active()]
    sets = {"p": moved(p, k, hand_x)}
    point = Handle(
        id="share", spoken=f"probability of {name}, on the curve of entropy", x=entry(p, k), y=h,
        axis="x", minimum=0.0, maximum=1.0,
        label=words("{:8}", round_to(h, 4)), curve=(ALONG, along), sets=sets,
        color=charts.class_color(active()),
    )  # fmt: skip
    handles = [
        Handle(
            id=name, spoken=f"probability of {name}", x=float(i), y=p[i], axis="y",
            minimum=0.0, maximum=1.0,
            color=charts.class_color(i),
            sets={"p": moved(p, float(i), hand_y), "k": float(i)},
        )
        for i, name in enumerate(called)
    ]  # fmt: skip
    panels = [
        Panel(
            id="bars",
            title="probabilities (drag)",
            tab="probabilities",
            figure=pictures.distribution(p, called),
            handles=handles,
            alt="Bars of the probabilities, each with a handle to drag.",
        ),
        Panel(
            id="curve",
            title=f"entropy in {unit}, as p({name}) changes",
            tab="entropy",
            figure=pictures.curve(ALONG, along, most, f"{unit.log} {len(called)}", name, unit.name),
            handles=[point],
            clicks=sets,
            alt="Entropy against the probability of one outcome.",
        ),
        Panel(
            id="areas",
            kind="chart",
            title="surprise × probability: the whole area is H",
            tab="surprise",
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
                f"H(p) = {{:8}} of at most {unit.log} {len(called)} = {{:8}} {unit}; "
                + ("" if unit.base == 2 else "in bits ")
                + "Huffman's code takes {:8} on average"
                + ("" if unit.base == 2 else ", H(p) = {:8}"),
                *(
                    round_to(v, 4)
                    for v in (h, most, grown(p).average, *bits)
                ),
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
                tab="code",
                figure=pictures.tree(code, names()),
                alt="Tree of the code; likely outcomes hang high, rare ones low.",
            ),
            Panel(
                id="lengths",
                kind="chart",
                title="length of each word (coloured) beside −log₂ p (grey), in bits",
                tab="word lengths",
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
            hues.named(name, k), written(v, ".4f"), written(s, ".4f"), term,
            "–" if word is None else word or "no bits", "–" if word is None else str(len(word)),
        )
        for k, (name, v, s, term, word) in enumerate(
            zip(names(), p, surprises, terms, code.words, strict=True)
        )
    ]  # fmt: skip
    rows.append(("together", "1", "", total, "", f"{written(code.average, '5')} on average"))
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


def formula(p: np.ndarray, hue: Callable[[str, int], str] = lambda text, k: text) -> str:
    """H with its terms put in, in LaTeX; what is printed adds up. `hue` colours a term."""
    unit = units.of(x)
    surprises = surprise(p, unit.base)
    shown = [(k, float(p[k]), float(surprises[k])) for k in range(len(p)) if p[k] > 0]
    parts, total = addends([v * s for _, v, s in shown], 4)
    products = [hue(rf"{in_latex(v, '3')}\cdot {in_latex(s, '5')}", k) for k, v, s in shown]
    terms = [hue(brief(part), k) for (k, _, _), part in zip(shown, parts, strict=True)]

    named = str(unit).removesuffix("s") if brief(total) == "1" else str(unit)

    def lines(parts: list[str]) -> str:
        rows = [" + ".join(parts[i : i + 4]) for i in range(0, len(parts), 4)]
        return r" \\ &\quad + ".join(rows)

    return (
        rf"\begin{{aligned}} H(p) &= -\textstyle\sum_i p_i {unit.latex} p_i = {lines(products)} \\ "
        rf"&= {lines(terms)} = {brief(total)}\ \text{{{named}}}"
        r" \end{aligned}"
    )


def many_bits(amount: float) -> str:
    """An amount of information in bits, to four digits after the point at most."""
    text = written(round(amount, 4), "5")
    return f"{text} bit" if text == "1" else f"{text} bits"


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
        amount = many_bits(most) if unit.base == 2 else f"{written(most)} {unit}"
        many = f"{unit.log} {len(p)} = {amount}"
        everyone = "Both" if len(p) == 2 else f"All {len(p)}"
        return (
            f"{everyone} outcomes are equally likely: the **maximum**, {many}. "
            "Every change from here makes guessing easier."
        )
    if code.average - bits < 1e-9:
        return (
            f"Every probability is a power of ½, so Huffman's words are exactly as long as the "
            f"surprises in bits: **{many_bits(code.average)}** on average, equal to H."
        )
    rare = int(np.argmin(np.where(p > 0, p, 2)))
    shock = float(surprise(p[rare], unit.base))
    return (
        f"**{hues.named(names()[rare], rare)}** is the rarest and surprises most "
        f"({written(shock, '.2f')} "
        f"{unit}), but counts only {written(p[rare], '3')} of the time. Huffman's code needs "
        f"{many_bits(code.average)} on average, {written(code.average - bits, '4')} above H = "
        f"{many_bits(bits)}."
    )


def code_of(p: np.ndarray) -> str:
    """The page's numbers as NumPy."""
    unit = units.of(x)
    log = unit.numpy
    return (
        "import numpy as np\n\n"
        f"p = np.array([{', '.join(shorten(round(float(v), 6)) for v in p)}])\n"
        "there = p[p > 0]  # 0 · log 0 is 0\n"
        f"H = -(there * {log}(there)).sum()  # {float(entropy(p, unit.base)):.6g} {unit}\n"
    )


# The page -----------------------------------------------------------------------------------------


def definition() -> str:
    """What the part is about, in LaTeX."""
    if x["part"] == PARTS[1]:
        return entropy_of_density.law(x)
    return rf"H(p) = -\sum_i p_i\,{units.of(x).latex}\, p_i"


def opening() -> None:
    """Title and lead, whose word chooses what is looked at."""
    discrete = x["part"] == PARTS[0]
    rest = (
        ": how surprising is one, on average? Drag the probabilities and see."
        if discrete
        else ": what is left of surprise where every single value has probability 0."
    )
    frame.opening(x, "Entropy", ["Of ", x.menu("part"), rest])


@frame.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    opening()
    view = frame.view(x, PRESETS)
    if x["part"] == PARTS[0]:
        of_outcomes(view)
    else:
        entropy_of_density.show(x, view)
    frame.foot(x, definition())
    x.publish()


def of_outcomes(view: frame.View) -> None:
    """The first part: bars, curve, areas and code."""
    x.stand_in("k", active())
    live = x.live()
    traced, p = normalized(live["p"]), distribution()
    with view.picture:
        pictures_of(live, traced, small=view.embedded, height=view.height(340, 395))
        frame.notice(remark(p), hued=True)
    with view.panel:
        settings(live, traced, view.height(400, 400))
    if not view.embedded:
        if not x.hidden("code"):
            coding(live, traced, 260)
        if not x.hidden("formula"):
            st.latex(formula(p, hues.term))
            st.caption("C. E. Shannon, A mathematical theory of communication, 1948, section 6.")
        if not x.hidden("table"):
            table(p)
        if not x.hidden("copies"):
            others = loss_scripts("entropy", "p", p.tolist(), base=units.of(x).base)
            frame.copies(NumPy=code_of(p), **others, LaTeX=formula(p))


body()
