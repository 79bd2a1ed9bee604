"""What the page of maximum likelihood says of a coin: what to notice, why its four curves agree,
step by step, and how the same goes on beyond one coin.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from engine import losses
from engine.emit.picture import addends, adding_up, in_latex, written
from engine.losses.information import binary_entropy
from engine.losses.likelihood import curves, estimate, slope
from pages.state import shorten


def remark(k: int, n: int, theta: float) -> str:
    """What is worth seeing in the present state."""
    best = estimate(k, n)
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


def chain(k: int, n: int, theta: float) -> list[tuple[str, str, str]]:
    """The chain of equalities, a step at a time, with the numbers put in: title, LaTeX, why."""
    best = estimate(k, n)
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


def code(flips: str, theta: float) -> str:
    """The numbers of the coin as NumPy."""
    k, n = flips.count("1"), len(flips)
    loss = written(float(curves(k, n, theta).nll[0]), "6")
    return (
        "import numpy as np\n\n"
        f"y = np.array([{', '.join(flips)}])\n"
        f"theta = {shorten(theta)}\n"
        "loss = -(y * np.log(theta) + (1 - y) * np.log(1 - theta)).mean()"
        f"  # {loss} nats\n"
        "best = y.mean()\n"
    )
