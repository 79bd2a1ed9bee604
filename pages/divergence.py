"""Cross-entropy and KL divergence: two distributions compared, and one fitted to another."""

from __future__ import annotations

import math
from string import ascii_uppercase
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Action, Group
from components.stage import Handle, Panel, stage
from engine.emit.picture import Picture, addends, adding_up, in_latex, round_to, words, written
from engine.losses import binary_cross_entropy
from engine.losses.information import (
    cross_entropy,
    entropy,
    js_divergence,
    kl_divergence,
    normalized,
    renormalized,
    surprise,
    terms,
)
from engine.studies.divergence import PARAMETERS
from figures import charts
from figures import divergence as pictures
from pages import frame, gaussian_fit, hues, own_rule, problem, units
from pages.presets import Preset
from pages.state import Choice, Flag, Integer, Number, Numbers, experiment, shorten

MOST = 8
PARTS = ("two distributions", "fit a Gaussian")
OPTIMIZER_CHOICES = ("adam", "momentum", "rmsprop", "sgd")

PRESETS = (
    Preset("A wrong belief", "good", "The same three outcomes, believed the wrong way round.", {}),
    Preset(
        "One-hot truth", "good",
        "A label is a one-hot p: only the true slot of q is read, −ln 0.7 = 0.357 nats, not −ln "
        "0.2 = 1.609 or −ln 0.1 = 2.303. H(p) is 0, so cross-entropy is KL.",
        {"p": "0,1,0", "q": "0.2,0.7,0.1", "unit": "nats"},
    ),
    Preset(
        "−log₂ 0.775", "good",
        "The true class gets 0.775: the loss is 0.3677 bits.",
        {"p": "0,1,0", "q": "0.125,0.775,0.1"},
    ),
    Preset(
        "−log₂ 0.936", "good",
        "After more training the true class gets 0.936: the loss falls to 0.0954 bits.",
        {"p": "0,1,0", "q": "0.044,0.936,0.02"},
    ),
    Preset("p = q", "good", "Both divergences are 0, and only then.",
           {"p": "0.5,0.3,0.2", "q": "0.5,0.3,0.2"}),
    Preset(
        "Held impossible", "bad",
        "q gives C no chance, yet C happens: KL(p‖q) is infinite. The other way round it is not.",
        {"p": "0.5,0.3,0.2", "q": "0.6,0.4,0", "compare": "1"},
    ),
    Preset(
        "Two humps", "good",
        "Forward KL spreads over both humps, reverse KL settles in one.",
        {"part": PARTS[1]},
    ),
    Preset(
        "Spread between", "good",
        "Started wide in the middle, reverse KL stays there: a third minimum, not the best.",
        {"part": PARTS[1], "start": "0.3,0.6"},
    ),
)  # fmt: skip

x = experiment(
    "divergence",
    [
        Choice("part", PARTS[0], PARTS, says={p: p[0].upper() + p[1:] for p in PARTS}),
        Numbers("p", (0.6, 0.3, 0.1), 0, 1000, count=(2, MOST)),
        Numbers("q", (0.2, 0.3, 0.5), 0, 1000, count=(2, MOST)),
        units.field("bits"),
        Flag(
            "compare", False, label="compare reverse",
            help="H(q, p) with KL(q‖p), and Jensen–Shannon, which is the same both ways",
        ),
        *(
            Number(p.name, p.default, p.low, p.high, **problem.described(p))
            for p in PARAMETERS
        ),
        Numbers("start", (1.0, -0.5), -5, 5, count=(2, 2)),
        *own_rule.fields("opt", OPTIMIZER_CHOICES, OPTIMIZER_CHOICES[0]),
        Number(
            "lr", 0.1, 1e-4, 1.0, label="learning rate", symbol="η", scale="log",
        ),
        Integer("steps", 120, 10, 400, label="steps", scale="log"),
    ],
    parts=("copies",),
)  # fmt: skip


def both() -> tuple[np.ndarray, np.ndarray]:
    """p and q; where the link gives them unlike lengths, q is cut or filled with zeros."""
    return np.asarray(normalized(x["p"])), np.asarray(normalized(fitted_q()))


def fitted_q() -> list[float]:
    """The weights of q, as many as p has."""
    return [*x["q"], *[0.0] * len(x["p"])][: len(x["p"])]


def names() -> list[str]:
    """What the outcomes are called."""
    return list(ascii_uppercase[: len(x["p"])])


def rounded(p: np.ndarray) -> tuple[float, ...]:
    """Short enough for a link."""
    return tuple(round(float(v), 6) for v in p)


def on_action(_: str, action: str) -> None:
    """More or fewer outcomes; p and q exchanged or made equal."""
    p, q = both()
    n = len(p)
    if x.locked("q") or (x.locked("p") and action != "learn"):
        return
    if action == "more" and n < MOST:
        p, q = (np.append(d * n / (n + 1), 1 / (n + 1)) for d in (p, q))
    elif action == "fewer" and n > 2:
        p, q = normalized(p[:-1]), normalized(q[:-1])
    elif action == "swap":
        p, q = q, p
    elif action == "learn":
        q = p
    x.change({"p": rounded(p), "q": rounded(q)})


# Two distributions --------------------------------------------------------------------------------


def settings(live: Picture, height: int) -> None:
    """Buttons for p and q, and the unit."""
    still = x.locked("q")
    both_still = still or x.locked("p")
    x.controls(
        [
            Group(
                id="outcomes",
                title="Outcomes",
                actions=[
                    Action(id="more", label="+ one", locked=both_still),
                    Action(id="fewer", label="− one", locked=both_still),
                ],
            ),
            Group(
                id="beliefs",
                title="Belief",
                actions=[
                    Action(id="learn", label="q := p", locked=still),
                    Action(id="swap", label="p ⇄ q", locked=both_still),
                ],
                items=[x.chooser("unit"), x.toggle("compare")],
            ),
        ],
        live=live,
        height=height,
        on_action=on_action,
    )


def summed(p: Any, q: Any, first: str, second: str) -> pictures.Sum:
    """H(first, second) with its parts, in the page's unit."""
    base = units.of(x).base
    own, divergence, cross = adding_up(entropy(p, base), kl_divergence(p, q, base))
    return pictures.Sum(
        first=first,
        second=second,
        terms=terms(p, q, base),
        own=terms(p, p, base),
        cross=cross,
        entropy=own,
        divergence=divergence,
    )


def comparison(live: Picture, height: int) -> None:
    """The bars of both, and the sums that follow."""
    unit, called, hand = units.of(x), names(), live.hand[1]
    p, q = normalized(live["p"]), normalized(live["q"])
    handles = [
        Handle(
            id=f"{which}({name})", spoken=f"{meaning} of {name}", x=k + shift, y=d[k], axis="y",
            minimum=0.0, maximum=1.0,
            color=charts.class_color(k), marker="ring" if which == "p" else "square",
            sets={which: round_to(renormalized(d, float(k), round_to(hand, 3)), 6)},
        )
        for which, meaning, d, shift in (
            ("p", "true probability", p, -pictures.OFFSET),
            ("q", "believed probability", q, pictures.OFFSET),
        )
        for k, name in enumerate(called)
    ]  # fmt: skip
    here = summed(p, q, "p", "q")
    sums = [here, summed(q, p, "q", "p")] if x["compare"] else [here]
    js = js_divergence(p, q, unit.base) if x["compare"] else None
    stage(
        "divergence.bars",
        [
            Panel(
                id="bars",
                title="truth p, solid, and belief q, hatched (drag both)",
                tab="p and q",
                figure=pictures.distributions(p, q, called),
                handles=handles,
                alt="Bars of p and q for each outcome, each with a handle to drag.",
            ),
            Panel(
                id="sums",
                kind="chart",
                title="cross-entropy is entropy + KL: both bars are as long",
                tab="cross-entropy",
                figure=pictures.identity(sums, js, called, unit.name),
                alt="Cross-entropy as a bar with a slice for each outcome, over entropy and KL.",
            ),
        ],
        live=live,
        frames=1,
        columns=[1, 1.25],
        height=height,
        alt="Two distributions and what separates them",
        lines=[
            words(
                f"H(p, q) = {{:8}} {unit} = H(p) {{:8}} + KL(p‖q) {{:8}}",
                here.cross, here.entropy, here.divergence,
            )
        ],
    )  # fmt: skip


def formula(p: np.ndarray, q: np.ndarray) -> str:
    """The identity in LaTeX with the current numbers, which add up."""
    unit = units.of(x)
    first, second, total = (
        in_latex(v, "8") for v in adding_up(entropy(p, unit.base), kl_divergence(p, q, unit.base))
    )
    log = unit.latex
    return (
        rf"\begin{{aligned}} H(p, q) &= -\textstyle\sum_i p_i {log} q_i = {total} \\ "
        rf"H(p) &= -\textstyle\sum_i p_i {log} p_i = {first} \\ "
        rf"\mathrm{{KL}}(p\,\|\,q) &= \textstyle\sum_i p_i {log} \tfrac{{p_i}}{{q_i}} = {second}"
        rf" \\ {total} &= {first} + {second}\ \text{{{unit}}} \end{{aligned}}"
    )


def hued(k: int) -> str:
    """The name of an outcome in its colour."""
    return hues.named(names()[k], k)


def heard(p: np.ndarray, q: np.ndarray) -> str:
    """Of a label among several classes: what is heard of its loss, with the numbers here; or ""."""
    unit, share = units.of(x), float(q[int(np.argmax(p))])
    if p.max() < 1 or len(p) <= 2 or not 0 < share < 1:
        return ""
    nat = float(surprise(1 / math.e, unit.base))
    coins = nat * math.fsum(binary_cross_entropy(q, p, "none"))
    return (
        "Heard in class: the binary formula for it, which adds −log(1 − q) for every other slot. "
        f"That would be {written(coins, '.4f')}, the loss of {len(p)} labels that may all hold at "
        "once."
    )


def remark(p: np.ndarray, q: np.ndarray) -> str:
    """What is worth seeing in the present state."""
    unit = units.of(x)
    forward, reverse = (float(kl_divergence(a, b, unit.base)) for a, b in ((p, q), (q, p)))
    if math.isinf(forward):
        culprit = hued(int(np.argmax((q == 0) & (p > 0))))
        text = (
            f"**q** says that {culprit} cannot happen, but under p it does. One such event is an "
            "infinite surprise, so KL(p‖q) is **infinite**: a model must never give probability "
            "0 to what may happen. Jensen–Shannon stays finite."
        )
        return text + (" Here it is so in both directions." if math.isinf(reverse) else "")
    if p.max() == 1:
        label, share = hued(int(np.argmax(p))), float(q[int(np.argmax(p))])
        text = (
            f"p is a **label**: all of it is on {label}, so H(p) = 0 and cross-entropy reads one "
            f"slot of q alone, −{unit.log} {written(share)} = {written(forward, '.4f')} {unit}. "
        )
        return text + (
            "The other way round KL(q‖p) is infinite, as a label rules out what q does not: "
            "losses are therefore taken this way."
            if math.isinf(reverse)
            else "q agrees with it fully: nothing is left to learn."
        )
    if math.isinf(reverse):
        k = int(np.argmax((p == 0) & (q > 0)))
        return (
            f"{hued(k)} never happens, yet q gives it {written(q[k], '3')}: "
            f"that costs something, but not everything: KL(p‖q) = {written(forward, '.4f')} "
            f"{unit}. "
            "Only the reverse, KL(q‖p), is **infinite**."
        )
    if forward < 1e-9:
        return (
            "p = q: both divergences are **0**, and cross-entropy is as low as it can get, H(p); "
            "elsewhere they are positive (Gibbs' inequality). Training a classifier drives q here."
        )
    more = "more" if forward > reverse else "less"
    return (
        f"KL(p‖q) = {written(forward, '.4f')} but KL(q‖p) = {written(reverse, '.4f')} {unit}: "
        f"**not symmetric**. Here "
        f"believing q where p holds costs {more} than the reverse. KL(p‖q) is large where p is "
        "large and q small; cross-entropy adds H(p), which no belief can save."
    )


def table(p: np.ndarray, q: np.ndarray) -> None:
    """Each outcome's part in the sums."""
    unit = units.of(x)
    parts, own = terms(p, q, unit.base), terms(p, p, unit.base)
    columns = [addends([float(v) for v in column], 3) for column in (parts, own, parts - own)]
    rows = [
        (
            hues.named(name, k), written(p[k], ".4f"), written(q[k], ".4f"),
            written(surprise(q[k], unit.base), ".4f"), *(shown[k] for shown, _ in columns),
        )
        for k, name in enumerate(names())
    ]  # fmt: skip
    rows.append(("together", "1", "1", "", *(total for _, total in columns)))
    log = unit.log
    head = ("outcome", "p", "q", f"−{log} q", f"−p {log} q", f"−p {log} p", f"p {log}(p/q)")
    frame.table(head, rows)


def code(p: np.ndarray, q: np.ndarray) -> str:
    """The page's numbers as NumPy."""
    unit = units.of(x)
    log = unit.numpy
    lists = (", ".join(shorten(v) for v in rounded(d)) for d in (p, q))
    first, second = lists
    cross = written(cross_entropy(p, q, unit.base), "6")
    return (
        "import numpy as np\n\n"
        f"p = np.array([{first}])\n"
        f"q = np.array([{second}])\n"
        "there = p > 0  # what cannot happen costs nothing\n"
        f"cross_entropy = -(p[there] * {log}(q[there])).sum()  # {cross} {unit}\n"
        f"entropy = -(p[there] * {log}(p[there])).sum()\n"
        "kl = cross_entropy - entropy\n"
    )


def two_distributions(view: frame.View) -> None:
    """The first part: bars."""
    p, q = both()
    if len(x["q"]) != len(x["p"]):
        st.warning("**q** in the link has another number of outcomes than **p**; it was fitted.")
    for name in "pq":
        total = math.fsum(x[name])
        if abs(total - 1) > 1e-4:
            st.caption(f"The numbers of {name} sum to {written(total)}: shown are their shares.")
    x.stand_in("q", fitted_q())
    live = x.live()
    with view.picture:
        comparison(live, view.height(400 if x["compare"] else 360, 375))
        frame.notice(remark(p, q), hued=True)
    with view.panel:
        settings(live, view.height(400, 400))
    if view.embedded:
        return
    if not x.hidden("formula"):
        st.latex(formula(p, q))
        st.caption(
            "KL: Kullback & Leibler, On information and sufficiency, 1951. It is never negative: "
            "Gibbs' inequality."
        )
    if not x.hidden("table"):
        table(p, q)
    if told := heard(p, q):  # last: what comes and goes moves nothing
        frame.notice(told)
    if not x.hidden("copies"):
        frame.copies(Python=code(p, q), LaTeX=formula(p, q))


# The page -----------------------------------------------------------------------------------------


def definition() -> str:
    """What the part is about, in LaTeX."""
    if x["part"] == PARTS[0]:
        return rf"H(p, q) = H(p) + \mathrm{{KL}}(p\,\|\,q) = -\sum_i p_i\,{units.of(x).latex}\, q_i"
    return gaussian_fit.LAW


def opening() -> None:
    """Title and lead, whose word chooses between what a belief costs and how one is fitted."""
    rest = (
        ": what it costs to believe q where p is true. Drag the bars of both."
        if x["part"] == PARTS[0]
        else " to a density, from either side of KL. Drag the humps and where the fit starts."
    )
    frame.opening(x, "Cross-entropy and KL", [x.menu("part"), rest])


@frame.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    opening()
    view = frame.view(x, PRESETS, panel=0.25)
    if x["part"] == PARTS[0]:
        two_distributions(view)
    else:
        gaussian_fit.show(x, view)
    frame.foot(x, definition())
    x.publish()


body()
