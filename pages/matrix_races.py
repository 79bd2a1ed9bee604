"""The races on matrices of the page "Muon and matrices"."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from components.controls import Group, Item
from components.stage import Panel, Track, stage
from engine.emit.picture import Picture, words, written
from engine.optimizers import OPTIMIZERS
from engine.runs.live_study import LiveStudy
from engine.studies.live_matrices import Racer, live_races
from engine.studies.matrices import (
    AVERAGING,
    PROBLEMS,
    RACED,
    RATES,
    MatrixRun,
    Spectrum,
    raced,
    settings,
    spectrum,
)
from engine.tape import operations as ops
from figures import matrices as pictures
from figures import style
from pages import frame
from pages.state import Experiment

SETTINGS = {"memory": "exponent", "factorisation": "condition", "direction": "noise"}
SHAPES = {
    "memory": "A matrix of 16 × 16", "factorisation": "Matrices of 16 × 8 and 8 × 16",
    "direction": "A matrix of 16 × 16",
}  # fmt: skip


@st.cache_data(max_entries=256, show_spinner="Running every rule at every rate …")
def run_of(
    slug: str, problem: str, setting: float, seed: int, beta: float | None,
    rate: float | None = None,
) -> MatrixRun:  # fmt: skip
    """One rule on a problem, at every rate for None: a slice of the page's work, after which a
    newer state may have its turn, and which the rules keep that know nothing of β when that
    moves."""
    rates = RATES if rate is None else np.array([rate])
    return raced(PROBLEMS[problem](setting, seed), slug, rates, beta=beta)


@st.cache_data(max_entries=32, show_spinner=False)
def spectrum_of(
    problem: str, setting: float, seed: int, beta: float | None, rate: float
) -> Spectrum:
    """The spectra of Muon's run at a rate."""
    return spectrum(PROBLEMS[problem](setting, seed), rate, beta)


def problem_now(x: Experiment) -> tuple[str, float, int]:
    """The problem as it stands: its name, its setting and its seed."""
    return x["problem"], x[SETTINGS[x["problem"]]], x["seed"]


def beta_now(x: Experiment) -> float | None:
    """The one decay of all rules that average gradients; None where each has its own."""
    return None if x["own"] else x["beta"]


def beta_of(x: Experiment, slug: str) -> float | None:
    """What of it a rule knows."""
    return beta_now(x) if slug in AVERAGING else None


def raced_now(x: Experiment) -> tuple[MatrixRun, ...]:
    """Every rule on the problem as it stands."""
    return tuple(run_of(slug, *problem_now(x), beta_of(x, slug)) for slug in RACED)


def racer(x: Experiment, run: MatrixRun, live: Picture, spectra: bool) -> Racer:
    """A rule in the picture, with its run at so many times its best rate."""
    hypers: dict[str, Any] = settings(run.slug, beta_now(x))
    del hypers["lr"]
    if not x["own"] and run.slug in AVERAGING:
        hypers[AVERAGING[run.slug]] = live["beta"]
    if spectra:
        mixes = spectrum_now(x, run).before if run.slug == "muon" else None
        return Racer(run, run.alone, hypers, mixes)
    if (times := x["times"]) == 1.0:
        return Racer(run, run.alone, hypers)
    rate = float(RATES[run.best]) * times
    shown = run_of(run.slug, *problem_now(x), beta_of(x, run.slug), rate)
    return Racer(run, shown, hypers)


def races(
    x: Experiment, runs: tuple[MatrixRun, ...], live: Picture, spectra: bool = False
) -> list[LiveStudy]:
    """The rules' races, which follow the hand, at so many times each one's best rate; spectra are
    of that rate itself."""
    name, setting, seed = problem_now(x)
    return live_races(
        name, PROBLEMS[name](setting, seed), [racer(x, run, live, spectra) for run in runs],
        setting=live[SETTINGS[name]], times=1.0 if spectra else live["times"], seed=seed,
        spectra=spectra,
    )  # fmt: skip


def spectrum_now(x: Experiment, muon: MatrixRun) -> Spectrum:
    """The spectra of Muon's run at its best rate."""
    return spectrum_of(*problem_now(x), beta_now(x), float(RATES[muon.best]))


def problem_items(x: Experiment) -> list[Item]:
    """The problem and what makes it hard."""
    return [x.chooser("problem"), x.slider(SETTINGS[x["problem"]]), x.slider("seed")]


def memory_items(x: Experiment) -> list[Item]:
    """How long the rules remember gradients."""
    return [x.toggle("own"), *([] if x["own"] else [x.slider("beta")])]


def memory_of(x: Experiment, slug: str) -> str:
    """The decay with which a rule averages gradients, a dash for none."""
    if slug not in AVERAGING:
        return "–"
    return written(settings(slug, beta_now(x))[AVERAGING[slug]], "3")


def race(x: Experiment, view: frame.View, live: Picture) -> None:
    """Every rule at its best rate, or so many times that."""
    runs = raced_now(x)
    form = PROBLEMS[x["problem"]]().form
    names = [OPTIMIZERS[run.slug].name for run in runs]
    looks = style.looks(run.slug for run in runs)
    found = races(x, runs, live)
    curves = [race.part("errors") for race in found]
    left = [race.part("left") for race in found]
    last = form.steps
    ends = {run.slug: curve[last] for run, curve in zip(runs, curves, strict=True)}
    span = pictures.span([race.part("least") for race in found], curves[0][0])
    with view.picture:
        stage(
            "matrices.race",
            [
                Panel(
                    id="errors", kind="chart", title="the error, each rule at its own rate",
                    figure=pictures.errors(last, span, "error"),
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
                    figure=pictures.directions(left, names, looks, form.directions),
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
                Group(id="problem", title="Problem", items=problem_items(x)),
                Group(
                    id="rate", title="Rate and memory", items=[x.slider("times"), *memory_items(x)]
                ),
            ],
            live=live, height=view.height(480, 400),
        )  # fmt: skip
    if not view.embedded:
        if not x.hidden("table"):
            frame.table(
                ("rule", "β", "best η", "error at the end", "numbers kept per weight"),
                [
                    (name, memory_of(x, run.slug), written(run.rates[run.best], "3"),
                     written(run.error, "3"), written(run.memory, "3"))
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
            f"{SHAPES[x['problem']]}, {last} steps, rates that fall straight to 0, no weight "
            f"decay: the same for all, each rule with the best of the same {len(RATES)} rates. "
            "While a hand moves a rule begins at the rate that was best last and tries its "
            "neighbours as time allows: Shampoo and Kron, whose steps are dear, may find theirs "
            "only once it rests. "
            "Shampoo whitens by what all gradients had in common: more than Muon does where "
            "gradients are exact, at the price of two square matrices and their fourth roots. "
            "Kron begins without a preconditioner and learns it as it goes, at μ = 0.1: in a few "
            "dozen steps a larger μ would serve it better. "
            "How long a rule averages gradients decides much in so short a run, and a rule's own "
            f"β is meant for thousands of steps: hold all to one before you rank them.{more}"
        )
    frame.foot(x, r"W \leftarrow W - \eta\, U V^{\top},\quad M = U \Sigma V^{\top}")
