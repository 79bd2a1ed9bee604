"""Maximum likelihood is minimum cross-entropy: four curves of one coin, and why they agree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Action, Group, Slider, controls
from components.stage import Event, Handle, Panel, stage
from engine.losses.information import binary_entropy
from engine.losses.likelihood import curves, estimate, resequenced, slope
from figures import likelihood as pictures
from pages import frame, prose
from pages.presets import Preset
from pages.state import Number, Text, experiment

MOST = 60  # flips
LOW, HIGH = 0.005, 0.995
FLIPS = re.compile(rf"[01]{{1,{MOST}}}")
TITLES = {
    "likelihood": "likelihood L(θ): maximise",
    "nll": "−log L(θ) / n: minimise",
    "cross_entropy": "cross-entropy H(k/n, θ): minimise",
    "kl": "KL(k/n ‖ θ): minimise",
}

PRESETS = (
    Preset("7 of 10", "good", "Seven heads in ten flips: all four say θ = 0.7.", {}),
    Preset(
        "70 % of 60", "good",
        "The same share from six times the flips: the optimum stays, the peak narrows.",
        {"flips": "1101101110" * 6},
    ),
    Preset(
        "3 of 3", "bad",
        "Three heads in three flips: θ = 1, and the first tails would cost an infinite loss. "
        "Maximum likelihood believes its data to the letter.",
        {"flips": "111"},
    ),
    Preset("one flip", "good", "A label y is one flip: the loss is binary cross-entropy of ŷ = θ.",
           {"flips": "1", "theta": "0.3"}),
)  # fmt: skip


def check_flips(text: str) -> None:
    """1 for heads, 0 for tails; ValueError for anything else."""
    if not FLIPS.fullmatch(text):
        raise ValueError(f"it must be 1 to {MOST} flips, each 1 or 0")


x = experiment(
    "likelihood",
    [Text("flips", "1101101110", check=check_flips), Number("theta", 0.3, LOW, HIGH)],
)

frame.opening(
    x,
    "Maximum likelihood is minimum cross-entropy",
    "Drag θ on any of the four curves, click a flip to turn it over: they share one optimum.",
)


def counts() -> tuple[int, int]:
    """Heads and flips."""
    return x["flips"].count("1"), len(x["flips"])


# What the reader does -----------------------------------------------------------------------------


def on_flips(event: Event) -> None:
    """A click turns a flip over."""
    i = round(event.y) * pictures.PER_ROW + round(event.x)
    flips = x["flips"]
    if event.kind == "click" and 0 <= i < len(flips):
        turned = "0" if flips[i] == "1" else "1"
        x.change({"flips": flips[:i] + turned + flips[i + 1 :]})


def on_curves(event: Event) -> None:
    """θ on any of the curves."""
    theta = round(min(max(event.x, LOW), HIGH), 3)
    x.change({"theta": theta}, by="curves", held=event.kind == "drag")


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """θ, and the counts that the flips are brought to."""
    n = int(values["n"])
    k = min(int(values["k"]), n)
    x.change(
        {"theta": float(values["theta"]), "flips": resequenced(x["flips"], k, n)},
        by="controls",
        held=not committed,
    )


def on_action(_: str, action: str) -> None:
    """Another flip, one fewer, or θ to the optimum."""
    flips = x["flips"]
    if action in ("heads", "tails") and len(flips) < MOST:
        x.change({"flips": flips + ("1" if action == "heads" else "0")})
    elif action == "fewer" and len(flips) > 1:
        x.change({"flips": flips[:-1]})
    elif action == "best":
        x.change({"theta": min(max(estimate(*counts()), LOW), HIGH)})


# What the reader sees -----------------------------------------------------------------------------


def settings(height: int) -> None:
    """θ and the data."""
    k, n = counts()
    locked = ["theta"] if x.locked("theta") else []
    answer = controls(
        "likelihood.controls",
        [
            Group(
                id="model",
                title="Model",
                actions=[Action(id="best", label="θ := k/n")],
                items=[
                    Slider(
                        name="theta", label="theta", symbol="θ", value=x["theta"], minimum=LOW,
                        maximum=HIGH, help="the coin's chance of heads, as the model has it",
                    ),
                ],
            ),
            Group(
                id="data",
                title="Data",
                actions=[
                    Action(id="heads", label="+ H"),
                    Action(id="tails", label="+ T"),
                    Action(id="fewer", label="− 1"),
                ],
                items=[
                    Slider(
                        name="n", label="flips", symbol="n", value=n, minimum=1, maximum=MOST,
                        integer=True,
                    ),
                    Slider(
                        name="k", label="heads", symbol="k", value=k, minimum=0, maximum=MOST,
                        integer=True,
                    ),
                ],
            ),
        ],
        locked=[*locked, "n", "k"] if x.locked("flips") else locked,
        max_height=height,
        on_action=on_action,
    )  # fmt: skip
    take(answer.values, committed=answer.committed)


def pictures_of(height: int) -> None:
    """The flips, and the four curves."""
    k, n = counts()
    theta, best = x["theta"], estimate(k, n)
    stage(
        "likelihood.data",
        [
            Panel(
                id="flips",
                title=f"the data: {k} heads in {n} flips (click one to turn it over)",
                figure=pictures.flips(x["flips"]),
                alt=f"{n} flips in a row, {k} of them heads.",
            )
        ],
        frames=1,
        height=150,
        alt="The data",
        on_event=on_flips if not x.locked("flips") else None,
    )
    over = curves(k, n, np.linspace(LOW, HIGH, 199))
    here = curves(k, n, theta)
    panels = []
    for name, title in TITLES.items():
        values = over.by_name[name]
        floor = float(binary_entropy(best)) if name in ("nll", "cross_entropy") else None
        figure = pictures.curve(over, name, best, floor)
        top = figure["layout"]["yaxis"]["range"][1]
        at = float(here.by_name[name][0])
        panels.append(
            Panel(
                id=name,
                title=title,
                figure=figure,
                handles=[
                    Handle(
                        id="theta", x=theta, y=min(at, top), label=f"{at:.4g}", axis="x",
                        minimum=LOW, maximum=HIGH, curve=(over.theta, np.minimum(values, top)),
                        color=pictures.COLORS[name],
                    )
                ],
                alt=f"{title}, over theta, with the optimum at {best:.3g}.",
            )
        )  # fmt: skip
    stage(
        "likelihood.curves",
        panels,
        frames=1,
        columns=2,
        height=height,
        alt="Likelihood, negative log-likelihood, cross-entropy and KL over theta",
        on_event=on_curves,
    )


def remark() -> None:
    """What is worth seeing in the present state."""
    k, n = counts()
    best, theta = estimate(k, n), x["theta"]
    if k in (0, n):
        side = "heads" if k else "tails"
        text = (
            f"Only {side} so far: the optimum is at the very edge, θ = {best:g}, where the other "
            "side is held impossible and its first appearance would cost an **infinite** loss. "
            "That is why models are trained with some smoothing, or more data."
        )
    elif abs(theta - best) < 0.006:
        text = (
            f"θ = k/n = {best:.3g}: all four are **flat here at once**. The likelihood is at its "
            "peak, and the other three at their floor: cross-entropy at H(k/n), KL at 0."
        )
    else:
        way = "up" if theta < best else "down"
        text = (
            f"Moving θ **{way}** towards {best:.3g} raises the likelihood and lowers the other "
            "three, which are the same curve up to a constant. More flips make the likelihood's "
            "peak narrower, yet never move the optimum of the mean."
        )
    prose.notice(text)


def chain() -> None:
    """The chain of equalities, a step at a time, with the numbers put in."""
    k, n = counts()
    theta, best = x["theta"], estimate(k, n)
    here = curves(k, n, theta)
    nll, kl = prose.number(float(here.nll[0]), 4), prose.number(float(here.kl[0]), 4)
    likelihood = prose.number(float(here.likelihood[0]), 4)
    h = prose.number(float(binary_entropy(best)), 4)
    share, rest, t, u = f"{best:.3g}", f"{1 - best:.3g}", f"{theta:.3g}", f"{1 - theta:.3g}"
    steps = [
        (
            "One flip has probability $\\hat p^{\\,y}(1-\\hat p)^{1-y}$",
            (
                r"p(y \mid \theta) = \theta^{y}(1-\theta)^{1-y},\qquad p(1) = "
                rf"{t},\quad p(0) = {u}"
            ),
            "With y = 1 the second factor is 1, with y = 0 the first one is.",
        ),
        (
            "Independent flips multiply: the likelihood",
            (
                r"L(\theta) = \prod_{i=1}^{n} \theta^{y_i}(1-\theta)^{1-y_i} = \theta^{k}"
                rf"(1-\theta)^{{n-k}} = {t}^{{{k}}}\cdot {u}^{{{n - k}}} = {likelihood}"
            ),
            "Only the number of heads matters, not their order.",
        ),
        (
            "The logarithm makes a sum of the product",
            (
                r"\log L(\theta) = k\log\theta + (n-k)\log(1-\theta) = "
                rf"{k}\log {t} + {n - k}\log {u}"
            ),
            "The logarithm rises, so the best θ stays the best; and sums do not underflow.",
        ),
        (
            "Negate and take the mean: the loss",
            (
                r"-\tfrac1n \log L(\theta) = -\tfrac kn\log\theta - \bigl(1-\tfrac kn\bigr)"
                rf"\log(1-\theta) = {nll}"
            ),
            "A maximum becomes a minimum; a positive factor moves nothing.",
        ),
        (
            "That is cross-entropy of the data's own share",
            (
                r"H(\hat p, \theta) = -\sum_{y}\hat p(y)\log p(y\mid\theta),\qquad \hat p(1) = "
                rf"\tfrac kn = {share},\ \hat p(0) = {rest}\quad\Rightarrow\quad {nll}"
            ),
            "Read the same sum outcome by outcome instead of flip by flip.",
        ),
        (
            "And cross-entropy is KL plus a constant",
            (
                rf"\underbrace{{H(\hat p,\theta)}}_{{{nll}}} = \underbrace{{H(\hat p)}}_{{{h}}} + "
                rf"\underbrace{{\mathrm{{KL}}(\hat p\,\|\,\theta)}}_{{{kl}}}"
            ),
            "H(p̂) has no θ in it, so both have the same optimum.",
        ),
        (
            "Which is where the slope is 0: $\\theta = k/n$",
            (
                r"\frac{d}{d\theta} = \frac{\theta - k/n}{\theta(1-\theta)} = "
                rf"{prose.number(slope(k, n, theta), 4)}\qquad"
                rf"\theta^\star = \tfrac kn = {share}"
            ),
            "KL is 0 exactly there: the model says what the data say.",
        ),
    ]
    st.subheader("Why they agree, step by step", anchor=False)
    for i, (title, latex, why) in enumerate(steps, 1):
        with st.expander(f"{i}. {title}", expanded=i == 1):
            st.latex(latex)
            st.caption(why)


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
    with picture:
        pictures_of(330 if embedded else 430)
    remark()
    if not x.hidden("chain"):
        chain()
    x.publish()


body()
