"""What came of the comparison of the Adam paper, in sentences and in numbers."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from engine.emit.picture import written
from engine.optimizers import OPTIMIZERS
from engine.studies.adam_paper import (
    MODELS,
    RATES,
    SHOWN_ON,
    TUNED_ON,
    Criterion,
    Outcome,
    Setting,
    Verdict,
    at_an_end,
)
from figures import style
from pages import frame

NOTHING = 1e-15  # of a loss: its sums are of numbers about one


def name_of(rule: str) -> str:
    """What a rule is called."""
    return OPTIMIZERS[rule].name


def listed(names: list[str]) -> str:
    """Names in a sentence."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def said(judged: Verdict, found: Outcome, asked: Setting) -> str:
    """Who wins, by how much, and how sure that is."""
    first, second = map(name_of, judged.order[:2])
    seeds = len(SHOWN_ON)
    least, beside = judged.medians[:2]
    if least > NOTHING:
        times = written(beside / least, "2")
        how = f"{written(least, '2')}; {second} is next with {times} times that"
    else:
        how = f"0 to the last digit of double precision; {second} is next, {written(beside, '2')}"
    text = (
        f"**{first}** has the lowest median at the end, {how}. {first} is the lowest on "
        f"{judged.wins} of {seeds} seeds. "
    )
    like = [name_of(rule) for rule in judged.like]
    if like:
        text += (
            f"The bands of {listed(like)} overlap its own: {seeds} seeds do not tell them apart."
        )
    else:
        text += "No band overlaps its own."
    if found.setting != asked:
        text += f" (Of {MODELS[found.setting.model]}, {found.setting.steps} steps.)"
    return text


def edges(found: Outcome, criterion: Criterion) -> str:
    """Whose best rate is the last of the grid: a wider one might serve it better."""
    names = [name_of(rule) for rule in at_an_end(found, criterion)]
    if not names:
        return ""
    return f" The grid ends at the best rate of {listed(names)}: a wider one might serve better."


def table(
    found: Outcome, looks: tuple[style.Look, ...], judged: Verdict, criterion: Criterion
) -> None:
    """What came of it, in numbers, and how it was made."""
    ends = found.shown(criterion)[:, :, -1]
    rows = []
    for rule in judged.order:
        k = found.rules.index(rule)
        learned, held, right = (np.sort(ends[k, :, column]) for column in range(3))
        cells = [
            f"{written(np.median(v), form)} ({written(v[0], form)} … {written(v[-1], form)})"
            for v, form in ((learned, "2"), (held, "2"), (right, ".1%"))
        ]
        best = RATES[found.chosen(criterion)[k]]
        name = frame.swatch(looks[k]) + html.escape(name_of(rule))
        rows.append((name, written(best, "2"), *(cell.replace(" ", "\u00a0") for cell in cells)))
    frame.table(
        ("", "best η", "learned: median (least … most)", "held back", "right when held back"), rows
    )
    tried, tuned, shown = len(RATES), len(TUNED_ON), len(SHOWN_ON)
    st.caption(
        f"Half of the 1797 digits of 8 × 8 pixels are held back. Each rule is tried at {tried} "
        f"rates, {written(RATES[0])} to {written(RATES[-1])}, on {tuned} seeds: {tried * tuned} "
        f"runs. The rate of the least median is shown on {shown} other seeds. All else of a rule "
        "stands at its default. The paper trains on MNIST, its logistic regression with a rate "
        "that falls as 1/√t, and its perceptron has two layers of 1000."
    )
