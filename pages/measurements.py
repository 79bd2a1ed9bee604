"""Maximum likelihood of measurements with normal noise: the cross-entropy that it minimises is the
squared error but for a factor and a constant.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import streamlit as st

from components.controls import Action, Group
from components.stage import Handle, Panel, stage
from engine.emit.picture import Picture, adding_up, in_latex, round_to, words, written
from engine.losses.likelihood import normal_curves
from engine.studies.divergence import normal_density
from engine.tape import operations as ops
from figures import likelihood as pictures
from pages import frame
from pages.state import Experiment, shorten

FEWEST, MOST = 2, 12  # measurements
REACH: Final = pictures.REACH
MU = np.linspace(-REACH, REACH, 201)
LAW: Final = r"-\tfrac1n\ln L(\mu) = \mathrm{MSE}/2\sigma^2 + \ln\sigma\sqrt{2\pi}"


def on_action(x: Experiment, _: str, action: str) -> None:
    """One measurement more or fewer, or the model's mean to theirs."""
    y = x["y"]
    changes: Mapping[str, Any] = {
        "more": {"y": (*y, 0.0)[:MOST]},
        "less": {"y": y[:-1] if len(y) > FEWEST else y},
        "mean": {"mu": round(math.fsum(y) / len(y), 6)},
    }.get(action, {})
    x.change({name: value for name, value in changes.items() if not x.locked(name)})


def settings(x: Experiment, live: Picture, height: int) -> None:
    """The model and the measurements."""
    still = x.locked("y")
    x.controls(
        [
            Group(
                id="normal",
                title="Model",
                actions=[Action(id="mean", label="μ := mean", locked=x.locked("mu"))],
                items=[x.slider("mu"), x.slider("sigma"), x.slider("slide")],
            ),
            Group(
                id="points",
                title="Measurements",
                actions=[
                    Action(id="more", label="+ one", locked=still),
                    Action(id="less", label="− one", locked=still),
                ],
            ),
        ],
        live=live,
        height=height,
        on_action=partial(on_action, x),
    )


def curves_over_mu(x: Experiment, live: Picture, height: int) -> None:
    """The measurements under the model's density, and the curves over μ."""
    y, mu, sigma, slid = live["y"], live["mu"], live["sigma"], live["slide"]
    n = len(x["y"])
    over, here = normal_curves(y, MU, sigma), normal_curves(y, mu + np.zeros(1), sigma)
    best = ops.mean(y)
    hand = round_to(ops.clip(live.hand[0], -REACH, REACH), 2)
    log_sigma = ops.log(sigma)
    first, second, total = adding_up(here.squared[0], here.constant)
    handles = [
        Handle(
            id=f"y{i}", spoken=f"measurement {i + 1}", x=y[i], y=0.0, axis="x",
            minimum=-REACH, maximum=REACH,
            color=pictures.LOSS, sets={f"y[{i}]": hand},
        )
        for i in range(n)
    ]  # fmt: skip
    raised = over.squared + slid * over.constant
    mean = [
        Handle(
            id=name, spoken=f"mean of the model, on {name}", x=mu, y=at, axis="x",
            minimum=-REACH, maximum=REACH, color=color, curve=(MU, curve), sets={"mu": hand},
        )
        for name, curve, at, color in (
            ("the loss", over.nll, here.nll[0], pictures.LOSS),
            ("the squared error", raised, here.squared[0] + slid * here.constant, pictures.APART),
        )
    ]  # fmt: skip
    stage(
        "likelihood.normal",
        [
            Panel(
                id="data",
                title="measurements (drag) and how likely each is",
                tab="measurements",
                figure=pictures.measurements(
                    y, MU, normal_density(MU, mu, log_sigma), normal_density(y, mu, log_sigma)
                ),
                handles=handles,
                alt="Measurements on a line under the density of the model.",
            ),
            Panel(
                id="losses",
                title="−log L(μ)/n (pale) and squared error / 2σ² (dashed)",
                tab="losses",
                figure=pictures.normal_losses(over, here, mu, MU, best, second, slid),
                handles=mean,
                clicks={"mu": hand},
                alt="Negative log-likelihood and squared error over the mean, a constant apart.",
            ),
        ],
        live=live,
        frames=1,
        columns=[1, 1.2],
        height=height,
        alt="Maximum likelihood of measurements",
        lines=[
            words(
                "μ = {:.2f}: −log L/n = {:8} = MSE/2σ² {:8} + log σ√2π {:8b} nats; both are "
                "least at the mean, {:.3f}",
                mu, total, first, second, best,
            )
        ],
    )  # fmt: skip


def formula(x: Experiment) -> str:
    """Why the squared error: in LaTeX, the numbers put in."""
    y, sigma = np.array(x["y"]), x["sigma"]
    here = normal_curves(y, np.array([x["mu"]]), sigma)
    squared, constant, nll = (in_latex(v, "8") for v in adding_up(here.squared[0], here.constant))
    return (
        r"\begin{aligned} -\tfrac1n\ln L(\mu) &= \frac1{2\sigma^2}\cdot\tfrac1n\textstyle\sum_i "
        r"(y_i-\mu)^2 + \ln \sigma\sqrt{2\pi} \\ "
        rf"{nll} &= {squared} {'' if constant.startswith('-') else '+'} {constant}\ "
        r"\text{nats} \end{aligned}"
    )


def remark(x: Experiment) -> str:
    """What is worth seeing in the present state."""
    mean = math.fsum(x["y"]) / len(x["y"])
    if abs(x["mu"] - mean) < 0.02:
        return (
            f"μ is the mean of the measurements, {written(mean, '3')}: the product of the sticks "
            "is largest, and the **squared error** is least. σ moves neither."
        )
    way = "up" if x["mu"] < mean else "down"
    return (
        f"Moving μ **{way}** towards {written(mean, '3')} makes the measurements likelier "
        "together. With normal noise −log L is the squared error, divided by 2σ² and raised by a "
        "constant: whoever minimises MSE maximises a likelihood."
    )


def code(x: Experiment) -> str:
    """The numbers of the measurements as NumPy."""
    y = np.array(x["y"])
    loss = written(float(normal_curves(y, np.array([x["mu"]]), x["sigma"]).nll[0]), "6")
    return (
        "import numpy as np\n\n"
        f"y = np.array([{', '.join(map(shorten, x['y']))}])\n"
        f"mu, sigma = {shorten(x['mu'])}, {shorten(x['sigma'])}\n"
        "mse = ((y - mu) ** 2).mean()\n"
        "loss = mse / (2 * sigma**2) + np.log(sigma * np.sqrt(2 * np.pi))"
        f"  # {loss.replace('−', '-')} nats\n"
        "best = y.mean()\n"
    )


def show(x: Experiment, view: frame.View) -> None:
    """Pictures, controls and words of the measurements."""
    live = x.live()
    with view.picture:
        curves_over_mu(x, live, view.height(400, 380))
        frame.notice(remark(x))
    with view.panel:
        settings(x, live, view.height(460, 430))
    if view.embedded:
        return
    if not x.hidden("formula"):
        st.latex(formula(x))
    if not x.hidden("copies"):
        frame.copies(Python=code(x), LaTeX=formula(x))
