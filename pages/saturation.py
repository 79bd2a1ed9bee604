"""Cross-entropy against squared error: whose gradient survives when a neuron is surely wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Choice as Chooser
from components.controls import Group, Slider, Toggle, controls
from components.stage import Event, Handle, Panel, Track, stage
from engine.optimizers import OPTIMIZERS
from engine.studies.saturation import (
    RECOVERED,
    Slopes,
    Training,
    logit,
    saturation_edge,
    slopes,
    train,
)
from figures import charts, style
from figures import saturation as pictures
from pages import frame, prose
from pages.presets import Preset
from pages.state import Choice, Flag, Integer, Number, experiment

REACH = 8.0
OPTIMIZER_CHOICES = ("sgd", "momentum", "rmsprop", "adam")
CONFIDENTLY_WRONG = round(logit(0.02), 4)

PRESETS = (
    Preset(
        "ŷ = 0.02 for y = 1", "bad",
        "The course's example: cross-entropy costs 3.912 and pulls with −0.98, squared error costs "
        "0.9604 and pulls with −0.0384.",
        {},
    ),
    Preset(
        "ŷ = 0.98 for y = 0", "bad", "The mirror image: sure of 1 where 0 is true.",
        {"y": "0", "z": str(-CONFIDENTLY_WRONG)},
    ),
    Preset(
        "undecided", "good",
        "At z = 0, where σ′ is at its largest, ¼, both losses learn at a like pace.",
        {"z": "0"},
    ),
    Preset(
        "hopelessly wrong", "bad",
        "At z = −7 squared error hardly moves in a thousand epochs.",
        {"z": "-7", "epochs": "1000"},
    ),
    Preset(
        "Adam to the rescue?", "good",
        "Adam divides the gradient by its own size, so even a tiny one makes full steps: the "
        "choice of loss matters less, until examples with gradients of unlike size meet.",
        {"opt": "adam", "lr": "0.1", "epochs": "100"},
    ),
)  # fmt: skip

x = experiment(
    "saturation",
    [
        Number("z", CONFIDENTLY_WRONG, -REACH, REACH),
        Choice("y", 1, (0, 1)),
        Flag("half", False),
        Number("x", 1.0, 0.1, 10.0),
        Number("lr", 0.15, 1e-3, 10.0),
        Integer("epochs", 300, 10, 2000),
        Choice("opt", OPTIMIZER_CHOICES[0], OPTIMIZER_CHOICES),
    ],
)

frame.opening(
    x,
    "Cross-entropy against squared error",
    "A neuron that is sure of the wrong answer: drag its z and see which loss still pulls.",
)


def squared() -> str:
    """The engine's name of the squared error in the chosen convention."""
    return "half_mse" if x["half"] else "mse"


# What the reader does -----------------------------------------------------------------------------


def on_curves(event: Event) -> None:
    """The point on any of the curves, dragged or clicked."""
    z = round(min(max(event.x, -REACH), REACH), 3)
    x.change({"z": z}, by="curves", held=event.kind == "drag")


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """The sliders and switches."""
    x.change(
        {
            **{name: float(values[name]) for name in ("z", "x", "lr")},
            "epochs": int(values["epochs"]),
            "y": int(values["y"]),
            "half": values["half"],
            "opt": values["opt"],
        },
        by="controls",
        held=not committed,
    )


# What the reader sees -----------------------------------------------------------------------------


def settings(height: int) -> None:
    """The neuron and its training."""
    answer = controls(
        "saturation.controls",
        [
            Group(
                id="neuron",
                title="Neuron",
                items=[
                    Slider(
                        name="z", label="logit", symbol="z", value=x["z"], minimum=-REACH,
                        maximum=REACH, default=CONFIDENTLY_WRONG, help="w·x + b at the start",
                    ),
                    Chooser(
                        name="y", label="target y", value=str(x["y"]),
                        options=[("1", "1"), ("0", "0")],
                    ),
                    Slider(
                        name="x", label="input", symbol="x", value=x["x"], minimum=0.1,
                        maximum=10.0, default=1.0, scale="log", help="∂L/∂w is x times ∂L/∂z",
                    ),
                    Toggle(
                        name="half", label="½ (ŷ − y)²", value=x["half"],
                        help="squared error with a half in front: its gradient loses the 2",
                    ),
                ],
            ),
            Group(
                id="training",
                title="Training",
                items=[
                    Slider(
                        name="lr", label="learning rate", symbol="η", value=x["lr"], minimum=1e-3,
                        maximum=10.0, default=0.15, scale="log",
                    ),
                    Slider(
                        name="epochs", label="epochs", value=x["epochs"], minimum=10, maximum=2000,
                        default=300, scale="log", integer=True,
                    ),
                    Chooser(
                        name="opt", label="optimizer", value=x["opt"],
                        options=[(slug, OPTIMIZERS[slug].name) for slug in OPTIMIZER_CHOICES],
                    ),
                ],
            ),
        ],
        locked=[name for name in x.fields if x.locked(name)],
        max_height=height,
    )  # fmt: skip
    take(answer.values, committed=answer.committed)


def curves(height: int) -> None:
    """σ, both losses and both gradients over z, with the reader's point on each."""
    z = np.linspace(-REACH, REACH, 321)
    y = float(x["y"])
    ce, mse = slopes("cross_entropy", z, y), slopes(squared(), z, y)
    others = slopes("cross_entropy", z, 1 - y), slopes(squared(), z, 1 - y)

    def point(id_: str, values: Any, color: str, label: str = "") -> Handle:
        at = float(np.interp(x["z"], z, values))
        return Handle(
            id=id_, x=x["z"], y=at, axis="x", minimum=-REACH, maximum=REACH, curve=(z, values),
            color=color, label=label,
        )  # fmt: skip

    here = slopes("cross_entropy", x["z"], y), slopes(squared(), x["z"], y)
    gradients = [charts.signed(float(s.gradient), 4) for s in here]
    stage(
        "saturation.curves",
        [
            Panel(
                id="gradient",
                title="gradient ∂L/∂z",
                figure=pictures.gradient(ce, mse, others, y, x["z"]),
                handles=[
                    point("ce", ce.gradient, pictures.CROSS_ENTROPY, f"CE {gradients[0]}"),
                    point("mse", mse.gradient, pictures.SQUARED, f"MSE {gradients[1]}"),
                ],
                alt="Gradient of both losses by z; squared error's vanishes at both ends.",
            ),
            Panel(
                id="loss",
                title="loss",
                figure=pictures.loss(ce, mse, y),
                handles=[
                    point("ce", ce.loss, pictures.CROSS_ENTROPY),
                    point("mse", mse.loss, pictures.SQUARED),
                ],
                alt="Both losses over z; cross-entropy rises without bound, squared error is flat.",
            ),
            Panel(
                id="sigmoid",
                title="ŷ = σ(z), and σ′ dotted",
                figure=pictures.sigmoid(ce, y),
                handles=[point("prediction", ce.prediction, style.INK)],
                alt="The sigmoid and its slope, which is at most a quarter.",
            ),
        ],
        frames=1,
        columns=[1.5, 1, 1],
        height=height,
        alt="What one neuron sees of two losses",
        on_event=on_curves,
    )


def run(loss: str) -> Training:
    """The neuron trained with a loss from the reader's start."""
    return train(
        loss,
        start=x["z"],
        target=float(x["y"]),
        epochs=x["epochs"],
        lr=x["lr"],
        feature=x["x"],
        optimizer=x["opt"],
    )


def training(ce: Training, mse: Training, height: int) -> None:
    """Prediction and loss against epoch, on one clock."""
    lows = [float(t.descent.loss.min()) for t in (ce, mse)]
    highs = [float(t.descent.loss.max()) for t in (ce, mse)]

    def tracks(values: Callable[[Training], Any]) -> list[Track]:
        return [
            Track(y=values(ce), color=pictures.CROSS_ENTROPY, label="cross-entropy", mode="curve"),
            Track(
                y=values(mse), color=pictures.SQUARED, dash=pictures.SQUARED_DASH, marker="square",
                label="squared error", mode="curve",
            ),
        ]  # fmt: skip

    stage(
        "saturation.training",
        [
            Panel(
                id="prediction",
                kind="chart",
                title=f"prediction ŷ against epoch, y = {x['y']}",
                figure=pictures.prediction_axes(x["epochs"], float(x["y"]), RECOVERED),
                tracks=tracks(lambda t: t.prediction),
                cursor=True,
                alt="Prediction against epoch under each loss.",
            ),
            Panel(
                id="losses",
                kind="chart",
                title="each one's loss against epoch",
                figure=pictures.loss_axes(x["epochs"], min(lows), max(highs)),
                tracks=tracks(lambda t: np.maximum(t.descent.loss, 1e-12)),
                cursor=True,
                alt="Loss against epoch under each loss, on a logarithmic axis.",
            ),
        ],
        frames=x["epochs"] + 1,
        height=height,
        alt="One neuron trained with cross-entropy and with squared error from the same start",
    )


def formula(ce: Slopes, mse: Slopes) -> None:
    """Both gradients with the numbers put in."""
    y, half = x["y"], x["half"]
    p, s = prose.number(float(ce.prediction), 4), prose.number(float(ce.steepness), 4)
    difference = charts.signed(float(ce.prediction) - y, 4).replace("−", "-").replace("+", "")
    two, two_times = ("", "") if half else ("2", r"2\cdot")
    st.latex(
        rf"\frac{{\partial \mathcal L_\mathrm{{CE}}}}{{\partial z}} = \hat y - y = {p} - {y} = "
        rf"{prose.number(float(ce.gradient), 4)}"
    )
    st.latex(
        rf"\frac{{\partial \mathcal L_\mathrm{{MSE}}}}{{\partial z}} = {two}(\hat y - y)\,"
        rf"\sigma'(z) = {two_times}({difference})\cdot {s} = {prose.number(float(mse.gradient), 4)}"
    )


def remark(ce: Slopes, mse: Slopes, runs: tuple[Training, Training]) -> None:
    """What is worth seeing in the present state."""
    wrong = abs(float(ce.prediction) - x["y"]) > 0.5
    saturated = abs(x["z"]) > saturation_edge()
    p, s = float(ce.prediction), float(ce.steepness)
    ratio = float(ce.gradient / mse.gradient) if mse.gradient else float("inf")
    times = f"{ratio:.3g} times" if ratio < 1e6 else "over a million times"
    if saturated and wrong:
        first, second = (r.epochs_to(RECOVERED) for r in runs)
        text = (
            f"ŷ = {p:.3g} for y = {x['y']} is surely wrong, and σ′(z) = {s:.3g} throttles squared "
            f"error: cross-entropy pulls **{times}** as hard. "
        )
        text += _recovery(first, second)
    elif saturated:
        text = (
            f"ŷ = {p:.4g} is right and sure of it: both gradients are small, as they should be. "
            "The other end, where the neuron is surely **wrong**, is where the two losses part."
        )
    else:
        text = (
            f"Between the shaded regions σ′(z) = {s:.3g} is near its largest value ¼: "
            f"cross-entropy pulls {times} as hard. "
            "Drag z to the saturated side and watch squared error let go."
        )
    prose.notice(text)


def _recovery(first: int | None, second: int | None) -> str:
    words = [
        f"in {n} epochs" if n is not None else f"not within {x['epochs']}" for n in (first, second)
    ]
    return f"It recovers {words[0]}; with squared error {words[1]}."


def table(ce: Slopes, mse: Slopes, runs: tuple[Training, Training]) -> None:
    """The worked numbers and the epochs that each loss needs."""
    rows = []
    for name, at, run_ in (("cross-entropy", ce, runs[0]), ("squared error", mse, runs[1])):
        half, whole = run_.epochs_to(0.5), run_.epochs_to(RECOVERED)
        rows.append(
            (
                name,
                f"{float(at.loss):.4f}",
                charts.signed(float(at.gradient), 4),
                charts.signed(float(at.gradient) * x["x"], 4),
                "not yet" if half is None else str(half),
                "not yet" if whole is None else str(whole),
            )
        )
    frame.table(
        (f"at ŷ = {float(ce.prediction):.4g}, y = {x['y']}", "loss", "∂L/∂z", "∂L/∂w = x · ∂L/∂z",
         "epochs to |ŷ − y| ≤ ½", f"epochs to ≤ {RECOVERED:g}"),
        rows,
    )  # fmt: skip


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
    ce, mse = (slopes(loss, x["z"], float(x["y"])) for loss in ("cross_entropy", squared()))
    runs = run("cross_entropy"), run(squared())
    with picture:
        curves(230 if embedded else 290)
        training(*runs, 240 if embedded else 300)
    remark(ce, mse, runs)
    formula(ce, mse)
    if not x.hidden("table"):
        table(ce, mse, runs)
    x.publish()


body()
