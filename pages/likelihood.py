"""Maximum likelihood is minimum cross-entropy: curves of one coin laid over each other, and why
they agree; and the same for measurements, whose cross-entropy is the squared error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Action, Group, Slider
from components.stage import Handle, Panel, stage
from engine.emit.picture import (
    Picture,
    adding_up,
    floor,
    round_to,
    words,
)
from engine.losses.information import binary_entropy
from engine.losses.likelihood import (
    curves,
    estimate,
    resequenced,
)
from engine.tape import operations as ops
from figures import likelihood as pictures
from pages import frame, measurements
from pages import likelihood_words as says
from pages.presets import Preset
from pages.state import Choice, Field, Number, Numbers, experiment

MOST = 60  # flips
LOW, HIGH = 0.005, 0.995
THETA = np.linspace(LOW, HIGH, 199)
FLIPS = re.compile(rf"[01]{{1,{MOST}}}")
MODELS = ("a coin", "measurements")

PRESETS = (
    Preset("7 of 10", "good", "Seven heads in ten flips: all four say θ = 0.7.", {}),
    Preset(
        "KL slid up", "good",
        "Raised by H(k/n), which has no θ in it, KL lies on cross-entropy: one optimum for both.",
        {"slide": "1"},
    ),
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
    Preset("One flip", "good", "A label y is one flip: the loss is binary cross-entropy of ŷ = θ.",
           {"flips": "1", "theta": "0.3"}),
    Preset(
        "Normal noise", "good",
        "Measurements with normal noise: −log L is the squared error but for 1/2σ² and a constant.",
        {"model": MODELS[1]},
    ),
)  # fmt: skip


class Flips(Field[str]):
    """Flips as text, 1 for heads and 0 for tails; in the store the flips, how many, and how many
    of them are heads, each of which a hand may move."""

    def __init__(self, name: str, default: str) -> None:
        super().__init__(name, default, self._read, str)

    @staticmethod
    def _read(text: str) -> str:
        if not FLIPS.fullmatch(text):
            raise ValueError(f"it must be 1 to {MOST} flips, each 1 or 0")
        return text

    def owns(self, entry: str) -> bool:
        return entry in (self.name, "n", "k")

    def flat(self, value: str) -> dict[str, Any]:
        return {
            self.name: [float(c) for c in value],
            "n": float(len(value)),
            "k": float(value.count("1")),
        }

    def put(self, value: str, entry: str, moved: Any) -> str:
        if entry == self.name:
            return "".join("1" if flip > 0.5 else "0" for flip in moved[: len(value)]) or value
        n = min(max(round(float(moved)), 1), MOST) if entry == "n" else len(value)
        k = value.count("1") if entry == "n" else min(max(round(float(moved)), 0), MOST)
        drawn, _ = resequenced([float(c) for c in value], min(k, n), n, MOST)
        return "".join("1" if flip > 0.5 else "0" for flip in drawn[:n])


x = experiment(
    "likelihood",
    [
        Choice("model", MODELS[0], MODELS),
        Flips("flips", "1101101110"),
        Number(
            "theta", 0.3, LOW, HIGH, label="chance of heads", symbol="θ",
            help="as the model has it; the data have k/n",
        ),
        Number(
            "slide", 0.0, 0.0, 1.0, label="close the gap",
            help="slide one curve by this part of the constant that lies between the two",
        ),
        Numbers(
            "y", (-1.2, 0.3, 0.8, 1.9), -measurements.REACH, measurements.REACH,
            count=(measurements.FEWEST, measurements.MOST),
        ),
        Number(
            "mu", -1.0, -measurements.REACH, measurements.REACH,
            label="mean of the model", symbol="μ",
        ),
        Number("sigma", 1.0, 0.2, 3.0, label="its spread", symbol="σ", scale="log"),
    ],
    parts=("chain", "copies", "beyond"),
)  # fmt: skip


def counts() -> tuple[int, int]:
    """Heads and flips."""
    return x["flips"].count("1"), len(x["flips"])


def on_action(_: str, action: str) -> None:
    """Another flip, one fewer, or the model to its optimum."""
    flips = x["flips"]
    changes: Mapping[str, Any] = {
        "heads": {"flips": (flips + "1")[:MOST]},
        "tails": {"flips": (flips + "0")[:MOST]},
        "fewer": {"flips": flips[:-1] or flips},
        "best": {"theta": min(max(estimate(*counts()), LOW), HIGH)},
    }.get(action, {})
    x.change({name: value for name, value in changes.items() if not x.locked(name)})


# A coin -------------------------------------------------------------------------------------------


def coin_settings(live: Picture, height: int) -> None:
    """θ and the data."""
    k, n = counts()
    still = x.locked("flips")
    x.controls(
        [
            Group(
                id="fit",
                title="Model",
                actions=[Action(id="best", label="θ := k/n", locked=x.locked("theta"))],
                items=[x.slider("theta"), x.slider("slide")],
            ),
            Group(
                id="data",
                title="Data",
                actions=[
                    Action(id="heads", label="+ H", locked=still),
                    Action(id="tails", label="+ T", locked=still),
                    Action(id="fewer", label="− 1", locked=still),
                ],
                items=[
                    Slider(
                        name="n", label="flips", symbol="n", value=float(n), minimum=1,
                        maximum=MOST, integer=True,
                    ),
                    Slider(
                        name="k", label="heads", symbol="k", value=float(k), minimum=0,
                        maximum=MOST, integer=True,
                    ),
                ],
            ),
        ],
        live=live,
        height=height,
        on_action=on_action,
    )  # fmt: skip


def coin(live: Picture, height: int, *, small: bool) -> None:
    """The flips, and the curves over θ."""
    theta, n = live["theta"], live["n"]
    k = ops.minimum(live["k"], n)
    hand_x, hand_y = live.hand
    drawn, there = resequenced(live["flips"], k, n, MOST)
    chosen = floor(hand_y + 0.5) * pictures.PER_ROW + floor(hand_x + 0.5)
    inside = ops.both(hand_x > -0.5, hand_x < pictures.PER_ROW - 0.5)
    at = ops.both(ops.both(ops.equal(np.arange(float(MOST)), chosen), there), inside)
    turned = ops.where(at, 1.0 - drawn, drawn)
    over, here, best = curves(k, n, THETA), curves(k, n, theta), estimate(k, n)
    entropy, slid = binary_entropy(best), live["slide"]
    sets = {"theta": round_to(ops.clip(hand_x, LOW, HIGH), 3)}
    top = pictures.TALLEST
    raised = over.kl + slid * entropy

    def handle(id_: str, y: Any, at: Any, color: str, most: Any) -> Handle:
        return Handle(
            id=id_, spoken=f"chance of heads, on {id_}", x=theta, y=ops.minimum(at, most),
            axis="x", minimum=LOW, maximum=HIGH,
            curve=(THETA, ops.minimum(y, most)), color=color, sets=sets,
        )  # fmt: skip

    likelihood, cross, kl = here.likelihood[0], here.cross_entropy[0], here.kl[0]
    first, second, total = adding_up(entropy, kl)
    stage(
        "likelihood.curves",
        [
            Panel(
                id="losses",
                title="minimise: −log L(θ)/n is cross-entropy, KL lies H(k/n) below",
                tab="losses",
                figure=pictures.losses(over, here, best, entropy, first, slid),
                handles=[
                    handle("cross-entropy", over.cross_entropy, cross, pictures.LOSS, top),
                    handle("KL", raised, kl + slid * entropy, pictures.APART, top),
                ],
                clicks=sets,
                alt="Cross-entropy and KL over theta, a constant apart, with one minimum.",
            ),
            Panel(
                id="likelihood",
                title="maximise: likelihood L(θ)",
                tab="likelihood",
                figure=pictures.likelihood(over, best),
                handles=[
                    handle("the likelihood", over.likelihood, likelihood,
                           pictures.LIKELIHOOD, 1.0)
                ],
                clicks=sets,
                alt="Likelihood over theta, with its peak at the share of heads.",
            ),
        ],
        live=live,
        frames=1,
        columns=[1.5, 1],
        height=height,
        alt="Likelihood, negative log-likelihood, cross-entropy and KL over theta",
        lines=[
            words(
                "θ = {:.3f}: L = {:3}, −log L/n = cross-entropy = {:8} = H(k/n) {:8} + KL {:8} "
                "nats",
                theta, likelihood, total, first, second,
            )
        ],
    )  # fmt: skip
    if not small:
        stage(
            "likelihood.data",
            [
                Panel(
                    id="flips",
                    title=words(
                        "the data: {:.0f} heads in {:.0f} flips (click to turn over)", k, n
                    ),
                    figure=pictures.flips(drawn, there, n),
                    clicks={"flips": turned, "k": ops.sum(turned)},
                    alt="The flips in a row, heads filled.",
                )
            ],
            live=live,
            frames=1,
            height=98,
            alt="The data",
        )


# The page -----------------------------------------------------------------------------------------


COIN = r"-\tfrac1n\ln L(\theta) = H(k/n) + \mathrm{KL}(k/n\,\|\,\theta)"


def opening() -> None:
    """Title and lead, whose word chooses what was seen."""
    rest = (
        " it is minimum cross-entropy: drag θ on any curve, click a flip to turn it over."
        if x["model"] == MODELS[0]
        else " it is least squares: drag the mean on any curve, or a measurement."
    )
    frame.opening(x, "Maximum likelihood", ["Of ", x.menu("model"), rest])


@frame.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    opening()
    view = frame.view(x, PRESETS)
    if x["model"] == MODELS[0]:
        of_a_coin(view)
        frame.foot(x, COIN)
    else:
        measurements.show(x, view)
        frame.foot(x, measurements.LAW)
    x.publish()


def of_a_coin(view: frame.View) -> None:
    """The curves over θ, what to notice, and why they agree."""
    live, (k, n), theta = x.live(), counts(), x["theta"]
    with view.picture:
        coin(live, view.height(360, 380), small=view.embedded)
        frame.notice(says.remark(k, n, theta))
    with view.panel:
        coin_settings(live, view.height(460, 430))
    if view.embedded:
        return
    steps = says.chain(k, n, theta)
    if not x.hidden("chain"):
        st.header("Why they agree, step by step", anchor=False)
        for i, (title, latex, why) in enumerate(steps, 1):
            with st.expander(f"{i}. {title}", expanded=i == 1):
                st.latex(latex)
                st.caption(why)
    if not x.hidden("beyond"):
        says.beyond()
    if not x.hidden("copies"):
        python = says.code(x["flips"], theta)
        frame.copies(Python=python, LaTeX="\n".join(latex for _, latex, _ in steps))


body()
