"""Muon and matrices: what its five steps do to singular values, and where that wins.

What the five steps make of a spectrum is computed where the hand is. Races are run by Python at
every rate of a grid and kept; the rate that the reader holds against the best picks among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Group, Item
from components.stage import Handle, Panel, Track, stage
from engine.emit.picture import Picture, entry, floor, largest, smallest, stack, words, written
from engine.optimizers import OPTIMIZERS
from engine.optimizers.curvature import NEWTON_SCHULZ
from engine.problems.data import split, table
from engine.problems.networks import MLP
from engine.studies.matrices import (
    GROUPS,
    RACED,
    RATES,
    Hybrid,
    MatrixProblem,
    MatrixRun,
    Spectrum,
    factorisation,
    hybrids,
    lasting,
    memory,
    one_direction,
    polynomial,
    raced,
    spectrum,
    stages,
)
from engine.tape import operations as ops
from figures import matrices as pictures
from figures import style
from pages import frame
from pages.presets import Preset
from pages.state import Choice, Integer, Number, Numbers, experiment

VIEWS = {"spectrum": "the five steps", "race": "a race", "groups": "parameter groups"}
PROBLEMS = {
    "memory": "an associative memory", "factorisation": "a factorisation",
    "direction": "one direction under noise",
}  # fmt: skip
SOURCES = {"own": "your own", "run": "Muon's run"}
STEPS = 100  # the longest run
A, B, C = NEWTON_SCHULZ

PRESETS = (
    Preset(
        "Five steps", "good",
        "p multiplies what is small by 3.4 and sends 1 to 0.70: after five steps all from "
        "0.0015 to 1 lies between 0.68 and 1.21, which is equal enough.",
        {"view": "spectrum"},
    ),
    Preset(
        "Slow but exact", "bad",
        "Newton and Schulz's own cubic goes to 1 exactly and multiplies what is small by 1.5 "
        "alone: after five steps a value of 0.01 has come to 0.08.",
        {"view": "spectrum", "a": "1.5", "b": "-0.5", "c": "0"},
    ),
    Preset(
        "Rare facts", "good",
        "By Zipf's law the rarest fact pulls 64 times as weakly as the commonest. Muon learns all "
        "at one pace; gradient descent and AdamW leave the rare ones.",
        {"view": "race", "problem": "memory"},
    ),
    Preset(
        "A factorisation", "good",
        "Singular values from 1 down to 0.1: Muon ends several times lower than gradient descent, "
        "momentum and AdamW at their best rates.",
        {"view": "race", "problem": "factorisation"},
    ),
    Preset(
        "Nothing to make equal", "bad",
        "All singular values of M are alike already. Gradient descent is at the last digit, while "
        "Muon's steps shrink with the schedule alone.",
        {"view": "race", "problem": "factorisation", "condition": "1"},
    ),
    Preset(
        "One direction, much noise", "bad",
        "The signal has rank one, the noise all ranks. Making directions alike makes the noise as "
        "long as the signal: gradient descent and momentum end several times lower.",
        {"view": "race", "problem": "direction"},
    ),
)  # fmt: skip

x = experiment(
    "matrices",
    [
        Choice("view", "spectrum", list(VIEWS), label="view", says=VIEWS),
        Choice("problem", "memory", list(PROBLEMS), label="problem", says=PROBLEMS),
        Choice("source", "own", list(SOURCES), label="singular values", says=SOURCES),
        Numbers(
            "s", (0.9, 0.4, 0.12, 0.03, 0.01, 0.002), pictures.LEAST, 1.2, count=(2, 8),
        ),
        Number("a", A, 0.0, 5.0, label="a", help="of p(σ) = aσ + bσ³ + cσ⁵"),
        Number("b", B, -10.0, 5.0, label="b"),
        Number("c", C, -1.0, 5.0, label="c"),
        Integer("after", 5, 0, 5, label="Newton–Schulz steps"),
        Integer("step", 20, 1, STEPS, label="step of the run"),
        Number("times", 1.0, 0.03, 30.0, label="times the best rate", scale="log"),
        Number("exponent", 1.5, 0.0, 2.5, label="Zipf's exponent"),
        Number("condition", 10.0, 1.0, 300.0, label="largest over least σ", scale="log"),
        Number("noise", 0.3, 0.0, 2.0, label="noise", symbol="σ"),
        Integer("seed", 0, 0, 99, label="seed", help="of problem and start"),
    ],
    parts=("table",),
)  # fmt: skip
MAKERS: Mapping[str, tuple[Callable[..., MatrixProblem], str]] = {
    "memory": (memory, "exponent"), "factorisation": (factorisation, "condition"),
    "direction": (one_direction, "noise"),
}  # fmt: skip


@st.cache_data(max_entries=32, show_spinner="Running every rule at every rate …")
def races(problem: str, setting: float, seed: int) -> tuple[tuple[MatrixRun, ...], Spectrum]:
    """Every rule on a problem, and the spectra of Muon's run at its best rate."""
    made = MAKERS[problem][0](setting, seed)
    runs = tuple(raced(made, slug) for slug in RACED)
    muon = next(run for run in runs if run.slug == "muon")
    return runs, spectrum(made, float(RATES[muon.best]))


@st.cache_data(max_entries=8, show_spinner="Training every pair …")
def grouped(seed: int) -> tuple[Hybrid, ...]:
    """The hybrids on the spirals."""
    data = split(table("spirals", 200, 0.05, seed), seed=seed, test=0.0)
    return hybrids(data, MLP((2, 16, 16, 16, 1)), seed=seed)


def raced_now() -> tuple[tuple[MatrixRun, ...], Spectrum]:
    """Those of the problem as it stands."""
    return races(x["problem"], x[MAKERS[x["problem"]][1]], x["seed"])


# The five steps -----------------------------------------------------------------------------------


def five_steps(view: frame.View, live: Picture) -> None:
    """The polynomial and what it does to singular values."""
    coefficients = live["a"], live["b"], live["c"]
    beside: list[Panel] = []
    handles: list[Handle] = []
    if x["source"] == "own":
        values, count = live["s"], len(x["s"])
    else:
        runs, found = raced_now()
        at = live["step"] - 1.0
        values, count = entry(found.before, at), found.before.shape[1]
        names = [OPTIMIZERS[run.slug].name for run in runs]
        rows = [entry(run.spectra, at) for run in runs]
        beside = [
            Panel(
                id="rules", kind="chart", title="what every rule's own step looks like then",
                figure=pictures.steps_spectra(
                    runs, names, style.looks(run.slug for run in runs), rows
                ),
                alt="Singular values of each rule's step.",
            )
        ]  # fmt: skip
    steps = stages(values, coefficients)
    ended = pictures.chosen_stage(steps, live["after"])
    if x["source"] == "own":
        handles = [
            Handle(
                id=f"s{i}", x=values[i], y=ended[i], axis="x", minimum=pictures.LEAST, maximum=1.2,
                spoken=f"singular value {i + 1}", sets={f"s[{i}]": live.hand[0]},
            )
            for i in range(count)
        ]  # fmt: skip
    paths = [stack(*(stage_now[i] for stage_now in steps)) for i in range(count)]
    low, high = lasting(coefficients)
    with view.picture:
        stage(
            "matrices.steps",
            [
                Panel(
                    id="polynomial", kind="chart", title="where a singular value is sent",
                    figure=pictures.polynomial(coefficients, values, live["after"], (low, high)),
                    handles=handles, alt="Five applications of p against the singular value.",
                ),
                Panel(
                    id="each", kind="chart", title="every singular value, step by step",
                    figure=pictures.each_step(paths, live["after"]),
                    alt="Singular values after each step.",
                ),
                *beside,
            ],
            live=live, frames=1, height=view.height(430, 400),
            columns=len(beside) + 2,
            lines=[
                words(
                    "p(1) = a + b + c = {:.4f}. What is in [{:.3f}, {:.3f}] stays there. Before: σ "
                    "from {:2} to {:2}; after {:d} steps from {:3} to {:3}.",
                    polynomial(1.0, coefficients), low, high, smallest(values), largest(values),
                    live["after"], smallest(ended), largest(ended),
                )
            ],
        )  # fmt: skip
    steps_items: list[Item] = [*map(x.slider, ("after", "a", "b", "c"))]
    source: list[Item] = [x.chooser("source")]
    if x["source"] == "run":
        source += [x.slider("step"), *problem_items()]
    with view.panel:
        x.controls(
            [
                Group(id="steps", title="Newton–Schulz", items=steps_items),
                Group(id="source", title="Singular values", items=source),
            ],
            live=live, height=view.height(480, 400),
        )  # fmt: skip
    if not view.embedded:
        frame.notice(
            "On a matrix the step is X ← aX + bXXᵀX + c(XXᵀ)²X: its singular vectors stay, and "
            "each singular value goes through p by itself. Muon divides its momentum by its "
            "length, so no singular value is above 1; a large a lifts the small ones, and all "
            "it takes is products of matrices. The band is where p keeps what it has; the "
            f"coefficients of Muon's author, {written(A)}, {written(B)} and {written(C)}, give "
            "up 1 itself for speed."
        )
    frame.foot(x, r"p(\sigma) = a\sigma + b\sigma^3 + c\sigma^5")


# Races --------------------------------------------------------------------------------------------


def problem_items() -> list[Item]:
    """The problem and what makes it hard."""
    return [x.chooser("problem"), x.slider(MAKERS[x["problem"]][1]), x.slider("seed")]


def race(view: frame.View, live: Picture) -> None:
    """Every rule at its best rate, or so many times that."""
    runs, _ = raced_now()
    made = MAKERS[x["problem"]][0](x[MAKERS[x["problem"]][1]], x["seed"])
    names = [OPTIMIZERS[run.slug].name for run in runs]
    looks = style.looks(run.slug for run in runs)
    apart = float(np.diff(np.log10(RATES)).mean()) * 2.302585092994046
    shift = floor(ops.log(live["times"]) / apart + 0.5)
    rows = [ops.minimum(ops.maximum(shift + run.best, 0.0), len(RATES) - 1.0) for run in runs]
    curves = [entry(run.errors, row) for run, row in zip(runs, rows, strict=True)]
    left = [entry(run.left, row) for run, row in zip(runs, rows, strict=True)]
    last = runs[0].errors.shape[1] - 1
    ends = {run.slug: curve[last] for run, curve in zip(runs, curves, strict=True)}
    with view.picture:
        stage(
            "matrices.race",
            [
                Panel(
                    id="errors", kind="chart", title="the error, each rule at its own rate",
                    figure=pictures.errors(last, pictures.span(runs), "error"),
                    tracks=[
                        Track(
                            y=ops.maximum(curve, pictures.FLOOR), color=look.color, dash=look.dash,
                            marker=look.marker, label=name, mode="curve",
                        )
                        for curve, look, name in zip(curves, looks, names, strict=True)
                    ],
                    cursor=True, alt="Error against step for every rule.",
                ),
                Panel(
                    id="left", kind="chart", title="what is left of each at the end",
                    figure=pictures.directions(left, names, looks, made.directions),
                    alt="What each rule left of each direction.",
                ),
            ],
            live=live, frames=last + 1, height=view.height(470, 400), columns=2,
            lines=[
                words(
                    "At {:2} times the best rate of each: Muon ends at {:2}, AdamW at {:2}, "
                    "momentum at {:2}, gradient descent at {:2}.",
                    live["times"], ends["muon"], ends["adamw"], ends["momentum"], ends["sgd"],
                )
            ],
        )  # fmt: skip
    with view.panel:
        x.controls(
            [
                Group(id="problem", title="Problem", items=problem_items()),
                Group(id="rate", title="Learning rate", items=[x.slider("times")]),
            ],
            live=live, height=view.height(480, 400),
        )  # fmt: skip
    if not view.embedded:
        if not x.hidden("table"):
            frame.table(
                ("rule", "best η", "error at the end", "numbers kept a weight"),
                [
                    (name, written(run.rates[run.best], "3"), written(run.error, "3"),
                     written(run.memory, "3"))
                    for name, run in zip(names, runs, strict=True)
                ],
            )  # fmt: skip
        thrown = [name for name, run in zip(names, runs, strict=True) if run.rises]
        more = (
            f" {' and '.join(thrown)}: the best rate begins above what is stable and falls below "
            "it; the error is thrown up first."
            if thrown
            else ""
        )
        frame.notice(
            f"Matrices of 16 × 16, {last} steps, rates that fall straight to 0, no weight decay: "
            f"the same for all, each rule with the best of the same {len(RATES)} rates. Shampoo "
            "whitens by what all gradients had in common: more than Muon does where gradients "
            f"are exact, at the price of two square matrices and their fourth roots.{more}"
        )
    frame.foot(x, r"W \leftarrow W - \eta\, U V^{\top},\quad M = U \Sigma V^{\top}")


def groups(view: frame.View, live: Picture) -> None:
    """One rule for the hidden matrices, another for the rest."""
    found = grouped(x["seed"])
    looks = pictures.hybrid_looks([h.name for h in found])
    last = len(found[0].losses) - 1
    inside, rest = found[0].sizes
    ends = [float(h.losses[-1]) for h in found]
    with view.picture:
        stage(
            "matrices.groups",
            [
                Panel(
                    id="losses", kind="chart", title="cross-entropy on the spirals, all examples",
                    figure=pictures.errors(last, pictures.hybrid_span(found), "loss"),
                    tracks=[
                        Track(
                            y=h.losses, color=looks[h.name].color, dash=looks[h.name].dash,
                            marker=looks[h.name].marker, label=h.name, mode="curve",
                        )
                        for h in found
                    ],
                    cursor=True, alt="Loss against step for each way of grouping.",
                )
            ],
            live=live, frames=last + 1, height=view.height(470, 400),
            lines=[
                "; ".join(
                    f"{h.name} ends at {written(end, '2')}"
                    for h, end in zip(found, ends, strict=True)
                )
            ],
        )  # fmt: skip
    with view.panel:
        x.controls(
            [Group(id="net", title="Network", items=[x.slider("seed")])],
            live=live, height=view.height(300, 300),
        )  # fmt: skip
    if not view.embedded:
        if not x.hidden("table"):
            frame.table(
                (f"hidden matrices ({inside})", f"all else ({rest})", "best η", "loss at the end"),
                [
                    (OPTIMIZERS[GROUPS[h.name][0]].name, OPTIMIZERS[GROUPS[h.name][1]].name,
                     " and ".join(written(rate, "2") for rate in dict.fromkeys(h.rates)),
                     written(h.losses[-1], "3"))
                    for h in found
                ],
            )  # fmt: skip
        frame.notice(
            "A perceptron 2 → 16 → 16 → 16 → 1. Muon has a meaning for matrices alone, and its "
            "step suits those that read one layer and write another: the first and the last "
            "matrix and all biases go to a second rule in a group of its own, with a rate of "
            "its own. Each line is the best of a grid of such rates."
        )
    frame.foot(x)


SHOWN: Mapping[str, Callable[[frame.View, Picture], None]] = {
    "spectrum": five_steps, "race": race, "groups": groups,
}  # fmt: skip


@frame.fragment
def body() -> None:
    """The view that was chosen."""
    where: list[Any] = [" on ", x.menu("problem")] if x["view"] == "race" else []
    frame.opening(
        x,
        "Muon and matrices",
        ["Muon makes the singular values of a matrix's step alike: see ", x.menu("view"), *where,
         "."],
    )  # fmt: skip
    view = frame.view(x, PRESETS)
    SHOWN[x["view"]](view, x.live())
    x.publish()


body()
