"""The hybrids in parameter groups of the page "Muon and matrices"."""

from __future__ import annotations

import streamlit as st

from components.controls import Group
from components.stage import Panel, Track, stage
from engine.emit.picture import Picture, written
from engine.optimizers import OPTIMIZERS
from engine.problems.data import split, table
from engine.problems.networks import MLP
from engine.studies.matrices import GROUPS, Hybrid, grouped
from figures import matrices as pictures
from pages import frame
from pages.state import Experiment


@st.cache_data(max_entries=32, show_spinner="Training every pair …")
def hybrid_of(name: str, seed: int) -> Hybrid:
    """One of the hybrids on the spirals."""
    data = split(table("spirals", 200, 0.05, seed), seed=seed, test=0.0)
    return grouped(name, data, MLP((2, 16, 16, 16, 1)), seed=seed)


def groups(x: Experiment, view: frame.View, live: Picture) -> None:
    """One rule for the hidden matrices, another for the rest."""
    found = [hybrid_of(name, x["seed"]) for name in GROUPS]
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
