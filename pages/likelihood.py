"""Maximum likelihood is minimum cross-entropy: curves of one coin laid over each other, and why
they agree; and the same for measurements, whose cross-entropy is the squared error."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Action, Group, Slider
from components.stage import Handle, Panel, stage
from engine import losses
from engine.emit.picture import (
    Picture,
    addends,
    adding_up,
    floor,
    in_latex,
    round_to,
    words,
    written,
)
from engine.losses.information import binary_entropy
from engine.losses.likelihood import (
    curves,
    estimate,
    normal_curves,
    resequenced,
    slope,
)
from engine.studies.divergence import normal_density
from engine.tape import operations as ops
from figures import likelihood as pictures
from pages import frame
from pages.presets import Preset
from pages.state import Choice, Field, Number, Numbers, experiment, shorten

MOST = 60  # flips
LOW, HIGH = 0.005, 0.995
THETA = np.linspace(LOW, HIGH, 199)
FLIPS = re.compile(rf"[01]{{1,{MOST}}}")
MODELS = ("a coin", "measurements")
REACH = pictures.REACH
MU = np.linspace(-REACH, REACH, 201)

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
        Numbers("y", (-1.2, 0.3, 0.8, 1.9), -REACH, REACH, count=(2, 12)),
        Number("mu", -1.0, -REACH, REACH, label="mean of the model", symbol="μ"),
        Number("sigma", 1.0, 0.2, 3.0, label="its spread", symbol="σ", scale="log"),
    ],
    parts=("chain", "copies", "beyond"),
)  # fmt: skip


def counts() -> tuple[int, int]:
    """Heads and flips."""
    return x["flips"].count("1"), len(x["flips"])


def on_action(_: str, action: str) -> None:
    """Another flip or measurement, one fewer, or the model to its optimum."""
    flips, y = x["flips"], x["y"]
    changes: Mapping[str, Any] = {
        "heads": {"flips": (flips + "1")[:MOST]},
        "tails": {"flips": (flips + "0")[:MOST]},
        "fewer": {"flips": flips[:-1] or flips},
        "best": {"theta": min(max(estimate(*counts()), LOW), HIGH)},
        "more": {"y": (*y, 0.0)[:12]},
        "less": {"y": y[:-1] if len(y) > 2 else y},
        "mean": {"mu": round(math.fsum(y) / len(y), 6)},
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


def coin_remark() -> str:
    """What is worth seeing in the present state."""
    k, n = counts()
    best, theta = estimate(k, n), x["theta"]
    if k in (0, n):
        side = "heads" if k else "tails"
        return (
            f"Only {side} so far: the optimum is at the very edge, θ = {written(best)}, where the "
            "other side is held impossible and its first appearance would cost an **infinite** "
            "loss. That is why models are trained with some smoothing, or more data."
        )
    if abs(theta - best) < 0.006:
        return (
            f"θ = k/n = {written(best, '3')}: all four are **flat here at once**. The likelihood "
            "is at its peak, and the other three at their floor: cross-entropy at H(k/n), KL at 0."
        )
    way = "up" if theta < best else "down"
    return (
        f"Moving θ **{way}** towards {written(best, '3')} raises the likelihood and lowers the "
        "other three, which are the same curve up to a constant. More flips with the same share of "
        "heads narrow the likelihood's peak and leave the optimum where it is."
    )


def chain() -> list[tuple[str, str, str]]:
    """The chain of equalities, a step at a time, with the numbers put in: title, LaTeX, why."""
    k, n = counts()
    theta, best = x["theta"], estimate(k, n)
    here = curves(k, n, theta)
    h, kl, nll = (in_latex(v, "8") for v in adding_up(binary_entropy(best), here.kl[0]))
    likelihood = in_latex(float(here.likelihood[0]), "4")
    share, rest = in_latex(best, "3"), in_latex(1 - best, "3")
    t, u = in_latex(theta, "3"), in_latex(1 - theta, "3")
    return [
        (
            "One flip has probability $\\theta^{\\,y}(1-\\theta)^{1-y}$",
            (
                r"\begin{aligned} p(y \mid \theta) &= \theta^{y}(1-\theta)^{1-y} \\ "
                rf"p(1) &= {t},\quad p(0) = {u} \end{{aligned}}"
            ),
            "With y = 1 the second factor is 1, with y = 0 the first one is.",
        ),
        (
            "Independent flips multiply: the likelihood",
            (
                r"\begin{aligned} L(\theta) &= \textstyle\prod_i \theta^{y_i}(1-\theta)^{1-y_i} = "
                rf"\theta^{{k}}(1-\theta)^{{n-k}} \\ &= {t}^{{{k}}}\cdot {u}^{{{n - k}}} = "
                rf"{likelihood} \end{{aligned}}"
            ),
            "Only the number of heads matters, not their order.",
        ),
        (
            "The logarithm makes a sum of the product",
            (
                r"\begin{aligned} \ln L(\theta) &= k\ln\theta + (n-k)\ln(1-\theta) \\ &= "
                rf"{k}\ln {t} + {n - k}\ln {u} \end{{aligned}}"
            ),
            "The logarithm rises, so the best θ stays the best; and sums do not underflow.",
        ),
        (
            "Negate and take the mean: the loss",
            (
                r"\begin{aligned} -\tfrac1n \ln L(\theta) &= -\tfrac kn\ln\theta - "
                rf"\bigl(1-\tfrac kn\bigr)\ln(1-\theta) \\ &= {nll} \end{{aligned}}"
            ),
            "A maximum becomes a minimum; a positive factor moves nothing.",
        ),
        (
            "That is cross-entropy with the data's own shares",
            (
                r"\begin{aligned} H(\tilde p, \theta) &= -\textstyle\sum_{y}\tilde p(y)\ln "
                rf"p(y\mid\theta) = {nll} \\ \tilde p(1) &= \tfrac kn = {share},\ "
                rf"\tilde p(0) = {rest} \end{{aligned}}"
            ),
            "Read the same sum outcome by outcome instead of flip by flip.",
        ),
        (
            "And cross-entropy is KL plus a constant",
            (
                r"\begin{aligned} H(\tilde p,\theta) &= H(\tilde p) + "
                rf"\mathrm{{KL}}(\tilde p\,\|\,\theta) \\ {nll} &= {h} + {kl} \end{{aligned}}"
            ),
            "H(p̃) has no θ in it, so both have the same optimum.",
        ),
        (
            "Which is where the slope is 0: $\\theta = k/n$",
            (
                r"\begin{aligned} \frac{d}{d\theta}\Bigl(-\tfrac1n\ln L\Bigr) &= "
                r"\frac{\theta - k/n}{\theta(1-\theta)} = "
                rf"{in_latex(slope(k, n, theta), '.4f')} \\ \theta^\star &= \tfrac kn = {share} "
                r"\end{aligned}"
            ),
            "KL is 0 exactly there: the model says what the data say.",
        ),
    ]


def beyond() -> None:
    """The same for models with many outputs: what the cost of training is made of."""
    logits, labels = np.array([2.0, -1.0, 0.5]), np.array([1.0, 0.0, 1.0])
    each = losses.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    parts, total = addends([float(v) for v in each], 4)
    with st.expander("Beyond a coin: m examples, and several labels at once"):
        st.markdown(
            "A model gives every example its own $\\theta_i$, its output. Examples are "
            "independent, so their likelihoods multiply, and the cost is the mean of their losses:"
        )
        st.latex(
            r"J = -\tfrac1m \ln \textstyle\prod_i p(y_i\mid x_i) = "
            r"\tfrac1m \textstyle\sum_i \mathrm{BCE}(\hat y_i, y_i)"
        )
        st.markdown(
            "An image may show a cat **and** a dog: each label is a coin of its own with a "
            "sigmoid for its θ, so the losses of the labels add up. Three logits (2, −1, 0.5) "
            "with the labels (1, 0, 1):"
        )
        st.latex(
            r"-\ln \textstyle\prod_k \sigma(z_k)^{y_k}(1-\sigma(z_k))^{1-y_k} = "
            rf"{' + '.join(parts)} = {total}"
        )


# Measurements -------------------------------------------------------------------------------------


def normal_settings(live: Picture, height: int) -> None:
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
        on_action=on_action,
    )


def normal(live: Picture, height: int) -> None:
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


def normal_formula() -> str:
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


def normal_remark() -> str:
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


# The page -----------------------------------------------------------------------------------------


def normal_code() -> str:
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


def code() -> str:
    """The numbers of the coin as NumPy."""
    flips = ", ".join(x["flips"])
    k, n = counts()
    loss = written(float(curves(k, n, x["theta"]).nll[0]), "6")
    return (
        "import numpy as np\n\n"
        f"y = np.array([{flips}])\n"
        f"theta = {shorten(x['theta'])}\n"
        "loss = -(y * np.log(theta) + (1 - y) * np.log(1 - theta)).mean()"
        f"  # {loss} nats\n"
        "best = y.mean()\n"
    )


COIN = r"-\tfrac1n\ln L(\theta) = H(k/n) + \mathrm{KL}(k/n\,\|\,\theta)"
NORMAL = r"-\tfrac1n\ln L(\mu) = \mathrm{MSE}/2\sigma^2 + \ln\sigma\sqrt{2\pi}"


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
    live = x.live()
    whole = not view.embedded
    if x["model"] == MODELS[0]:
        with view.picture:
            coin(live, view.height(360, 380), small=view.embedded)
            frame.notice(coin_remark())
        with view.panel:
            coin_settings(live, view.height(460, 430))
        steps = chain()
        if whole and not x.hidden("chain"):
            st.header("Why they agree, step by step", anchor=False)
            for i, (title, latex, why) in enumerate(steps, 1):
                with st.expander(f"{i}. {title}", expanded=i == 1):
                    st.latex(latex)
                    st.caption(why)
        if whole and not x.hidden("beyond"):
            beyond()
        if whole and not x.hidden("copies"):
            frame.copies(Python=code(), LaTeX="\n".join(latex for _, latex, _ in steps))
    else:
        with view.picture:
            normal(live, view.height(400, 380))
            frame.notice(normal_remark())
        with view.panel:
            normal_settings(live, view.height(460, 430))
        if whole and not x.hidden("formula"):
            st.latex(normal_formula())
        if whole and not x.hidden("copies"):
            frame.copies(Python=normal_code(), LaTeX=normal_formula())
    frame.foot(x, COIN if x["model"] == MODELS[0] else NORMAL)
    x.publish()


body()
