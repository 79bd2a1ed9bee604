"""Cross-entropy or MSE: whose gradient survives when a neuron is surely wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from components.controls import Group
from components.stage import Arrows, Handle, Panel, Track, stage
from engine.emit.picture import Picture, in_latex, round_to, stack, words, written
from engine.studies.loss_code import loss_scripts
from engine.studies.saturation import (
    RECOVERED,
    Slopes,
    Training,
    gradient_at,
    logit,
    saturation_edge,
    slopes,
    train,
)
from engine.tape import operations as ops
from figures import charts
from figures import saturation as pictures
from pages import frame, own_rule
from pages.presets import Preset
from pages.state import Choice, Flag, Integer, Number, experiment, shorten

REACH = 8.0
OPTIMIZER_CHOICES = ("sgd", "momentum", "rmsprop", "adam")
CONFIDENTLY_WRONG = round(logit(0.02), 4)
Z = np.linspace(-REACH, REACH, 321)

PRESETS = (
    Preset(
        "ŷ = 0.02 for y = 1", "bad",
        "The course's example: cross-entropy costs 3.912 and pulls with −0.98, MSE costs 0.9604 "
        "and pulls with −0.0384.",
        {},
    ),
    Preset(
        "ŷ = 0.98 for y = 0", "bad", "The mirror image: sure of 1 where 0 is true.",
        {"y": "0", "z": shorten(-CONFIDENTLY_WRONG)},
    ),
    Preset(
        "Undecided", "good",
        "At z = 0 σ′ is at its largest, ¼: cross-entropy pulls twice as hard as MSE, and nowhere "
        "are the two closer. It recovers in 34 epochs, with MSE in 118.",
        {"z": "0"},
    ),
    Preset(
        "Hopelessly wrong", "bad",
        "At z = −7 a thousand epochs of MSE leave ŷ at 0.002; cross-entropy needs 60.",
        {"z": "-7", "epochs": "1000"},
    ),
    Preset(
        "Adam to the rescue?", "good",
        "Adam divides the gradient by its own size, so even a tiny one makes full steps: for one "
        "example the choice of loss hardly matters, 37 epochs against 31 with MSE.",
        {"opt": "adam", "lr": "0.1", "epochs": "100"},
    ),
)  # fmt: skip

x = experiment(
    "saturation",
    [
        Number(
            "z", CONFIDENTLY_WRONG, -REACH, REACH,
            label="logit", symbol="z", help="w·x + b at the start",
        ),
        Choice("y", 1, (1, 0), label="target y"),
        Flag(
            "half", False, label="MSE as ½ (ŷ − y)²",
            help="with a half in front its gradient loses the 2",
        ),
        Number(
            "x", 1.0, 0.1, 10.0,
            label="input", symbol="x", scale="log", help="∂L/∂w is x times ∂L/∂z",
        ),
        Number("lr", 0.15, 1e-3, 10.0, label="learning rate", symbol="η", scale="log"),
        Integer("epochs", 300, 10, 2000, label="epochs", scale="log"),
        *own_rule.fields("opt", OPTIMIZER_CHOICES, OPTIMIZER_CHOICES[0]),
    ],
    parts=("sigmoid", "copies"),
)  # fmt: skip

frame.opening(
    x,
    "Cross-entropy or MSE",
    "A neuron that is confidently wrong: drag its z and see which loss still pulls.",
)


def mse_name() -> str:
    """The engine's name of MSE in the chosen convention."""
    return "half_mse" if x["half"] else "mse"


def both(z: Any, target: float) -> tuple[Slopes, Slopes]:
    """Cross-entropy and MSE at these logits."""
    return slopes("cross_entropy", z, target), slopes(mse_name(), z, target)


def trained(loss: str, z: Any, lr: Any, epochs: Any, feature: Any) -> Training:
    """The neuron trained with a loss from the logit z."""
    return train(
        loss, start=z, target=float(x["y"]), epochs=epochs, lr=lr, feature=feature,
        optimizer=own_rule.of(x, "opt"),
    )  # fmt: skip


def settings(live: Picture, height: int) -> None:
    """The neuron and its training."""
    x.controls(
        [
            Group(
                id="neuron",
                title="Neuron",
                items=[x.slider("z"), x.chooser("y"), x.slider("x"), x.toggle("half")],
            ),
            Group(
                id="training",
                title="Training",
                items=[x.slider("lr"), x.slider("epochs"), x.chooser("opt")],
            ),
        ],
        live=live,
        height=height,
    )


def tracks(runs: tuple[Training, Training], xs: Any, ys: tuple[Any, Any]) -> list[Track]:
    """The two trainings as moving marks."""
    mode: Any = "curve" if xs is None else "trail"
    return [
        Track(
            x=None if xs is None else xs[0], y=ys[0], color=pictures.CROSS_ENTROPY,
            label="cross-entropy", mode=mode,
        ),
        Track(
            x=None if xs is None else xs[1], y=ys[1], color=pictures.MSE, dash=pictures.MSE_DASH,
            marker="square", label="MSE", mode=mode,
        ),
    ]  # fmt: skip


def show(live: Picture, *, small: bool, height: int) -> None:
    """The gradients at the neuron's z, and what they make of its training, on one clock."""
    y, z = x["y"], live["z"]
    without = small or x.hidden("sigmoid")
    here = both(z, float(y))
    curves, others = both(Z, float(y)), both(Z, float(1 - y))
    runs = (
        trained("cross_entropy", z, live["lr"], live["epochs"], live["x"]),
        trained(mse_name(), z, live["lr"], live["epochs"], live["x"]),
    )
    moved = ops.clip(round_to(live.hand[0], 3), -REACH, REACH)
    handle = Handle(
        id="logit",
        spoken="logit of the neuron",
        x=z,
        y=pictures.FOOT,
        axis="x",
        minimum=-REACH,
        maximum=REACH,
        sets={"z": moved},
    )
    on_sigma = Handle(
        id="prediction", spoken="logit of the neuron, on the sigmoid", x=z, y=here[0].prediction,
        axis="x", minimum=-REACH, maximum=REACH,
        curve=(Z, curves[0].prediction), sets={"z": moved},
    )  # fmt: skip
    arrows = [
        Arrows(
            x=stack(slopes.z + away), y=stack(0.0), dx=stack(0.0), dy=stack(slopes.gradient),
            color=color, width=3.0,
        )
        for slopes, color, away in (
            (here[0], pictures.CROSS_ENTROPY, -pictures.BESIDE),
            (here[1], pictures.MSE, pictures.BESIDE),
        )
    ]  # fmt: skip
    along = (
        gradient_at("cross_entropy", runs[0].prediction, float(y)),
        gradient_at(mse_name(), runs[1].prediction, float(y)),
    )
    gradient = Panel(
        id="gradient",
        title="gradient ∂L/∂z, and the way that training takes along it",
        tab="gradient",
        figure=pictures.gradient(*curves, others, y, here),
        handles=[handle],
        clicks={"z": moved},
        arrows=arrows,
        tracks=tracks(runs, (runs[0].logit, runs[1].logit), along),
        rows=1 if without else 2,
        alt="Gradient of both losses by z, an arrow for each; MSE's vanishes at both ends.",
    )
    sigmoid = Panel(
        id="sigmoid",
        title="prediction ŷ = σ(z)",
        tab="sigmoid",
        figure=pictures.sigmoid(curves[0], y, here[0]),
        handles=[on_sigma],
        clicks={"z": moved},
        alt="The sigmoid and its slope, which is at most a quarter.",
    )
    training = Panel(
        id="training",
        kind="chart",
        title=f"prediction against epoch, y = {y}",
        tab="training",
        figure=pictures.prediction_axes(
            live["epochs"], y, RECOVERED, (runs[0].first_epoch(RECOVERED),
            runs[1].first_epoch(RECOVERED)), here[0].prediction,
        ),
        tracks=tracks(runs, None, (runs[0].prediction, runs[1].prediction)),
        cursor=True,
        alt="Prediction against epoch under each loss.",
    )  # fmt: skip
    stage(
        "saturation.stage",
        [gradient, training] if without else [gradient, sigmoid, training],
        live=live,
        frames=live["epochs"] + 1.0,
        restart=x.restart,
        frame_name="epoch",
        height=height,
        columns=[1.35, 1],
        alt="What one neuron sees of two losses, and its training with each",
        lines=[
            words(
                "At ŷ = {:.4f} cross-entropy costs {:.4f} nats and pulls with {:+.4f}, MSE costs "
                "{:.4f} and pulls with {:+.4f}. Cross-entropy pulls {:3} times as hard.",
                here[0].prediction, here[0].loss, here[0].gradient,
                here[1].loss, here[1].gradient, here[0].gradient / here[1].gradient,
            )
        ],
    )  # fmt: skip


def formula(ce: Slopes, mse: Slopes) -> str:
    """Both gradients with the numbers put in."""
    y, half = x["y"], x["half"]
    p, s = in_latex(ce.prediction, ".4f"), in_latex(ce.steepness, ".4f")
    difference = in_latex(ce.prediction - y, ".4f")
    two, two_times = ("", "") if half else ("2", r"2\cdot")
    return (
        r"\begin{aligned} \frac{\partial \mathcal L_\mathrm{CE}}{\partial z} &= \hat y - y = "
        rf"{p} - {y} = {in_latex(ce.gradient, '.4f')} \\[1.2ex] "
        rf"\frac{{\partial \mathcal L_\mathrm{{MSE}}}}{{\partial z}} &= {two}(\hat y - y)\,"
        rf"\sigma'(z) = {two_times}({difference})\cdot {s} = {in_latex(mse.gradient, '.4f')}"
        r"\end{aligned}"
    )


def remark(ce: Slopes, mse: Slopes, runs: tuple[Training, Training]) -> str:
    """What is worth seeing in the present state."""
    wrong = abs(float(ce.prediction) - x["y"]) > 0.5
    saturated = abs(x["z"]) > saturation_edge()
    p, s = written(ce.prediction, "3"), written(ce.steepness, "3")
    times = f"{written(ce.gradient / mse.gradient, '3')} times"
    if saturated and wrong:
        return (
            f"ŷ = {p} for y = {x['y']} is **confidently wrong**, and σ′(z) = {s} throttles MSE: "
            f"cross-entropy pulls **{times}** as hard. {recovery(runs)}"
        )
    if saturated:
        return (
            f"ŷ = {p} is right and sure of it: both gradients are small, as they should be. "
            "At the other end, where the neuron is **confidently wrong**, the two losses part."
        )
    return (
        f"Between the shaded regions σ′(z) = {s} is {written(4 * ce.steepness, '.0%')} of its "
        f"largest value ¼: cross-entropy pulls {times} as hard. {recovery(runs)} "
        "Drag z to the saturated, wrong side and watch MSE let go."
    )


def recovery(runs: tuple[Training, Training]) -> str:
    """How long each training takes, in words."""
    words = [
        f"does not recover within {x['epochs']} epochs"
        if n is None
        else f"recovers in {n} epoch{'s' * (n != 1)}"
        for n in (run.epochs_to(RECOVERED) for run in runs)
    ]
    return f"Trained with cross-entropy it {words[0]}; with MSE it {words[1]}."


def table(ce: Slopes, mse: Slopes, runs: tuple[Training, Training]) -> None:
    """The worked numbers and the epochs that each loss needs."""
    rows = []
    names = ("cross-entropy", "½ MSE" if x["half"] else "MSE")
    for name, at, run in zip(names, (ce, mse), runs, strict=True):
        half, whole = run.epochs_to(0.5), run.epochs_to(RECOVERED)
        rows.append(
            (
                name,
                written(at.loss, ".4f"),
                charts.signed(at.gradient, 4),
                charts.signed(at.gradient * x["x"], 4),
                "not yet" if half is None else str(half),
                "not yet" if whole is None else str(whole),
            )
        )
    frame.table(
        (f"at ŷ = {written(ce.prediction)}, y = {x['y']}", "loss", "∂L/∂z", "∂L/∂w = x · ∂L/∂z",
         "epochs to |ŷ − y| ≤ ½", f"epochs to ≤ {written(RECOVERED)}"),
        rows,
    )  # fmt: skip


def code() -> str:
    """The page's numbers as NumPy."""
    half = "0.5 * " if x["half"] else ""
    two = "" if x["half"] else "2 * "
    return (
        "import numpy as np\n\n"
        f"z, y, x = {shorten(x['z'])}, {x['y']}, {shorten(x['x'])}\n"
        "p = 1 / (1 + np.exp(-z))\n\n"
        "cross_entropy = -np.log(p) if y == 1 else -np.log(1 - p)\n"
        f"mse = {half}(p - y) ** 2\n"
        "d_cross_entropy = p - y  # by z; by w it is x times that\n"
        f"d_mse = {two}(p - y) * p * (1 - p)\n"
        "print(cross_entropy, mse, d_cross_entropy, d_mse)\n"
    )


def law() -> str:
    """Both gradients by z, in LaTeX."""
    two = "" if x["half"] else "2"
    ce, mse = (rf"\partial_z \mathcal L_\mathrm{{{name}}}" for name in ("CE", "MSE"))
    return rf"{ce} = \hat y - y,\quad {mse} = {two}(\hat y - y)\,\sigma'(z)"


@frame.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    view = frame.view(x, PRESETS)
    live = x.live()
    ce, mse = both(x["z"], float(x["y"]))
    runs = (
        trained("cross_entropy", x["z"], x["lr"], x["epochs"], x["x"]),
        trained(mse_name(), x["z"], x["lr"], x["epochs"], x["x"]),
    )
    with view.picture:
        show(live, small=view.embedded, height=view.height(500, 455))
        if not view.embedded:
            frame.notice(remark(ce, mse, runs))
    with view.panel:
        settings(live, view.height(560, 460))
        own_rule.type_it(x, "opt")
    if not view.embedded:
        if not x.hidden("formula"):
            st.latex(formula(ce, mse))
        if not x.hidden("table"):
            table(ce, mse, runs)
        if not x.hidden("copies"):
            others = loss_scripts(
                "one neuron", "z", x["z"], y=x["y"], half=x["half"], which="cross-entropy"
            )
            frame.copies(NumPy=code(), **others, LaTeX=formula(ce, mse))
    frame.foot(x, law())
    x.publish()


body()
