"""Why the rules differ: four small problems on the family's page, each under the reader's hand."""

from __future__ import annotations

from typing import Any

import streamlit as st

from components.controls import Group, Item
from components.stage import Handle, Panel, stage
from engine.emit.picture import Picture, entry, round_to, words, written
from engine.studies import reasons
from engine.tape import operations as ops
from figures import reasons as pictures
from pages import frame
from pages.state import Choice, Experiment, Field, Integer, Number

STEADY, FALLING, RARE, SQUARES = CHOICES = (
    "a steady gradient", "a falling rate", "rare features", "squares for curvature",
)  # fmt: skip

FIELDS: tuple[Field[Any], ...] = (
    Choice("why", STEADY, CHOICES),
    Number("beta", 0.9, 0.0, 0.98, label="momentum", symbol="β"),
    Integer("drop", 40, 5, 75, label="the rate falls at step"),
    Number("share", 0.1, 0.02, 1.0, label="share of steps with the feature", scale="log"),
    Number("z", 2.0, -6.0, 6.0, label="logit", symbol="z"),
    Choice("label", 1, (1, 0), label="given label y"),
)


def show(x: Experiment, *, small: bool) -> None:
    """The chosen problem, its controls and its sentence."""
    if not small and not x.hidden("setup"):
        st.segmented_control("Why", CHOICES, **x.native("why"), label_visibility="collapsed")
    view = frame.view(x)
    live = x.live()
    draw = {STEADY: steady, FALLING: falling, RARE: rare, SQUARES: squares}[x["why"]]
    panels, names, line, remark = draw(x, live)
    with view.picture:
        stage(
            "family.picture", panels, live=live, frames=1, height=view.height(400, 390),
            lines=[line], alt=x["why"],
        )  # fmt: skip
        if not small:
            frame.notice(remark)
    items: list[Item] = [x.chooser(name) if name == "label" else x.slider(name) for name in names]
    with view.panel:
        x.controls([Group(id="why", items=items)], live=live)


Shown = tuple[list[Panel], list[str], Any, str]


def steady(x: Experiment, live: Picture) -> Shown:
    """Momentum's step grows to 1/(1 − β)."""
    beta = live["beta"]
    found, limit = reasons.steady(beta), 1.0 / (1.0 - beta)
    panel = Panel(
        id="steady", kind="chart", title="step length over η, under one and the same gradient",
        figure=pictures.steady(found, limit),
        alt="Momentum's step grows to 1/(1 − β) times gradient descent's.",
    )  # fmt: skip
    line = words(
        "After {:.0f} steps momentum's step is {:.2f} times gradient descent's, of at most {:.2f}.",
        float(reasons.STEPS), found["momentum"][-1], limit,
    )  # fmt: skip
    remark = (
        "Velocity is a sum of gradients, not an average: where the gradient stays, it adds up to "
        "1/(1 − β) of them, 10 at β = 0.9. Nesterov's comes to the same, a little sooner."
    )
    return [panel], ["beta"], line, remark


def falling(x: Experiment, live: Picture) -> Shown:
    """The three forms of momentum part where the rate falls."""
    beta, drop = live["beta"], live["drop"]
    found, limit = reasons.falling(beta, drop), 1.0 / (1.0 - beta)
    panel = Panel(
        id="falling", kind="chart", title="step length over the first η",
        figure=pictures.falling(found, drop, limit),
        alt="With η inside the velocity the step shrinks only as the old velocity fades.",
    )  # fmt: skip
    line = words(
        "At the first step of the smaller rate: {:.2f} and {:.2f} with η outside the velocity, "
        "{:.2f} with η inside.",
        *(entry(steps, drop) for steps in found.values()),
    )
    remark = (
        "At a constant rate the three forms of momentum are one. When the rate falls, η outside "
        "the velocity (PyTorch) brakes at once; η inside it (v ← βv + ηg) rolls on at the old rate "
        "and slows as β fades."
    )
    return [panel], ["beta", "drop"], line, remark


def rare(x: Experiment, live: Picture) -> Shown:
    """Adagrad's rate of a rare feature stays large."""
    share = live["share"]
    found = reasons.frequencies(share)
    panels = [
        Panel(
            id=slug, kind="chart", title=f"{name}: how far each feature has come, in η",
            figure=pictures.distances(pair, slug),
            alt=f"Distances of a common and a rare feature by {name}.",
        )
        for slug, name, pair in (
            ("sgd", "SGD", found.sgd), ("adagrad", "Adagrad", found.adagrad),
        )
    ]  # fmt: skip
    line = words(
        "The rare feature comes {:.1%} as far as the common one by SGD, {:.1%} by Adagrad.",
        found.sgd[1][-1] / found.sgd[0][-1], found.adagrad[1][-1] / found.adagrad[0][-1],
    )  # fmt: skip
    now = reasons.frequencies(x["share"])
    far = written(now.adagrad[1][-1] / now.adagrad[0][-1], ".0%")
    remark = (
        f"A word that {written(x['share'], '.0%')} of the sentences hold has a gradient at as many "
        "of the steps, and gradient descent moves it as little. Adagrad divides by the root of "
        f"what each has seen and moves it {far} as far; in a long run the share becomes its root, "
        f"{written(x['share'] ** 0.5, '.0%')}. So it is with layers whose gradients differ in "
        "size: Adagrad, RMSProp and Adam take the size out."
    )
    return panels, ["share"], line, remark


def squares(x: Experiment, live: Picture) -> Shown:
    """Why g² may stand for curvature, and when it may not."""
    z = live["z"]
    over = reasons.curvatures(reasons.LOGITS, float(x["label"]))
    here = reasons.curvatures(z, float(x["label"]))
    moved = {"z": ops.clip(round_to(live.hand[0], 2), -6.0, 6.0)}
    panel = Panel(
        id="squares", title="curvature of −log p, and squares of its gradient",
        figure=pictures.curvature(over, z), clicks=moved,
        handles=[
            Handle(
                id="logit", x=z, y=here.exact, axis="x", minimum=-6.0, maximum=6.0,
                curve=(reasons.LOGITS, over.exact), sets=moved,
            )
        ],
        alt="Over labels that the model draws the mean square of the gradient is the curvature.",
    )  # fmt: skip
    line = words(
        "Curvature {:.4f}; g² over sampled labels {:.4f}, over the given one {:.4f}.",
        here.exact, here.sampled, here.observed,
    )  # fmt: skip
    remark = (
        "Newton divides by the curvature, Adam by the root of g², Sophia by an estimate of the "
        "curvature. If labels are drawn from the model's own answer, the mean of g² is the "
        "curvature: that is the Gauss–Newton–Bartlett estimate. The g² of the data's own label, "
        "which lectures put in its place, agrees only where the model is right on average; where "
        "it is sure and wrong, g² is large and the curvature small."
    )
    return [panel], ["z", "label"], line, remark
