"""The recap: each topic on a card, its formula, one sentence, what it comes to; and tables of
usual values, each with who says so."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from engine import OPTIMIZERS, SCHEDULES
from engine.emit.picture import written
from engine.losses import functions, information
from engine.studies.advice import ADVICE, BATCHES, USUAL
from engine.studies.bias_correction import correction, first_step_without, memory
from engine.studies.saturation import gradient_at
from pages import frame
from pages.state import experiment

x = experiment("recap", [], parts=("cards", "values", "advice"))


@dataclass(frozen=True, slots=True)
class Card:
    """A topic: where it is seen, its formula in LaTeX, one sentence, and what it comes to."""

    title: str
    link: str
    formula: str
    text: str
    comes_to: str


def listed(values: Sequence[float], form: str = ".3f") -> str:
    """Numbers in a row."""
    return ", ".join(written(value, form) for value in values)


def cards() -> list[Card]:
    """All topics, their numbers computed."""
    coin = [float(information.binary_entropy(p, 2.0)) for p in (0.5, 0.9, 0.99)]
    p, q = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    shares = functions.softmax(np.array([2.0, 1.0, 0.1]))
    pulls = [float(gradient_at(name, 0.02, 1.0)) for name in ("cross_entropy", "mse")]
    factors = [float(correction(0.9, t)) for t in (1, 10, 50)]
    return [
        Card("Entropy", "entropy", r"H(p) = -\sum_i p_i \log p_i", "Surprise on average.",
             f"coins at 0.5, 0.9, 0.99: {listed(coin)} bits"),
        Card("Cross-entropy and KL", "divergence", r"H(p,q) = H(p) + \mathrm{KL}(p\Vert q)",
             "What it costs to expect q while p is true.",
             f"p = (0.6, 0.3, 0.1), q = (0.2, 0.3, 0.5): "
             f"{listed([float(information.cross_entropy(p, q))])} = "
             f"{listed([float(information.entropy(p))])} + "
             f"{listed([float(information.kl_divergence(p, q))])} nats"),
        Card("Maximum likelihood", "likelihood",
             r"\arg\max_\theta \prod_i p_\theta(y_i) = \arg\min_\theta H(\hat p, p_\theta)",
             "The most likely parameter is the one of least cross-entropy.",
             "7 heads of 10 flips: θ = 0.7 by either"),
        Card("Softmax", "softmax", r"\hat y_k = e^{z_k/T} \big/ \textstyle\sum_j e^{z_j/T}",
             "Scores as shares; T says how sure.", f"(2, 1, 0.1) → {listed(list(shares))}"),
        Card("Softmax with cross-entropy", "softmax", r"\partial L/\partial z_k = \hat y_k - y_k",
             "The gradient is the error itself.",
             f"first class true: {listed(list(shares - np.array([1.0, 0.0, 0.0])))}"),
        Card("Cross-entropy or MSE", "saturation",
             r"\tfrac{\partial}{\partial z}:\ \hat y - y \quad\text{or}\quad "
             r"2(\hat y - y)\,\hat y(1-\hat y)",
             "Squared error passes its pull through a flat sigmoid.",
             f"y = 1, ŷ = 0.02: {listed(pulls, '.4f')}"),
        Card("Gradient descent", "race", r"w \leftarrow w - \eta\, g",
             "Stable while η is below 2/\N{WORD JOINER}λmax.", "λmax = 100: up to η = 0.02"),
        Card("Momentum", "race", r"v \leftarrow \beta v + g,\quad w \leftarrow w - \eta v",
             "Across a valley gradients cancel, along it they add up.",
             "β = 0.8, 0.9, 0.99: up to "
             f"{listed([float(memory(b)) for b in (0.8, 0.9, 0.99)], '.3g')} times a gradient"),
        Card("Adam", "debugger",
             r"w \leftarrow w - \eta\, \hat m \big/ (\sqrt{\hat v} + \varepsilon)",
             "Each coordinate's step is about η while its gradients agree.",
             "first step, uncorrected: "
             f"{listed([float(first_step_without(0.9, 0.999))])} η; corrected: 1 η"),
        Card("Bias correction", "bias_correction", r"\hat m_t = m_t/(1 - \beta^t)",
             "Averages begin at zero, and are too small at first.",
             f"β = 0.9 at t = 1, 10, 50: ×{listed(factors, '4')}"),
        Card("Schedules", "schedules",
             r"\eta_t = \eta_{\min} + \tfrac12(\eta_{\max} - \eta_{\min})(1 + \cos \pi t/T)",
             "Begin high, end low: noise keeps a constant rate from settling.",
             f"half-way: {listed([float(SCHEDULES['cosine'].factors(100)[50])])} of η"),
        Card("Chain rule", "graph", r"\bar v_i = \sum_j \bar v_j\, \partial v_j/\partial v_i",
             "Along a path derivatives multiply, over paths they add up.",
             "reverse mode: one pass per output; forward mode: one per input"),
    ]  # fmt: skip


frame.opening(
    x, "Recap", "Every topic on a card: its formula, one sentence, and what it comes to in numbers."
)


def show(card: Card) -> None:
    """One card."""
    with st.container(border=True, height="stretch", gap="small"):
        st.markdown(
            f"**[{card.title}]({card.link})** · {card.text}\n\n$${card.formula}$$\n\n"
            f":small[{card.comes_to}]"
        )


if not x.hidden("cards"):
    every = cards()
    for row in range(0, len(every), 3):
        for column, card in zip(st.columns(3), every[row : row + 3], strict=False):
            with column:
                show(card)
if not x.hidden("values"):
    st.header("Usual values", anchor=False)
    frame.table(
        ("rule", "usual", "source"),
        [
            (html.escape(OPTIMIZERS[slug].name), html.escape(usual.values),
             html.escape(usual.source))
            for slug, usual in USUAL.items() if slug in OPTIMIZERS
        ],
    )  # fmt: skip
    frame.table(
        ("batch", "examples per step", "source"),
        [(html.escape(b.problem), html.escape(b.values), html.escape(b.source)) for b in BATCHES],
    )
if not x.hidden("advice"):
    st.header("When to use what", anchor=False)
    frame.table(
        ("problem", "take", "because", "source"),
        [
            (html.escape(a.problem),
             html.escape((" and " if a.together else " or ").join(
                 OPTIMIZERS[slug].name for slug in a.take) or "–"),
             html.escape(a.why), html.escape(a.source))
            for a in ADVICE
        ],
    )  # fmt: skip
    frame.table(
        ("schedule", "when"),
        [(html.escape(s.name), html.escape(s.when)) for s in SCHEDULES.values()],
    )
x.publish()
