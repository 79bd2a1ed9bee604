"""What is left of entropy for a density, whose single values have probability 0: it is cut into
cells, each an outcome, and their entropy is followed as they narrow.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

import numpy as np
import streamlit as st

from components.controls import Group
from components.stage import Handle, Panel, stage
from engine.emit.picture import Picture, adding_up, in_latex, round_digits, round_to, words, written
from engine.losses import density as densities
from engine.losses.information import surprise
from engine.tape import operations as ops
from figures import entropy as pictures
from pages import frame, units
from pages.state import Experiment, shorten

SPREADS: Final = (0.05, 2.0)
FINE = np.linspace(-pictures.WINDOW, pictures.WINDOW, 641)
RATIOS = np.geomspace(0.025, 80.0, 161)  # of width to spread, all that the sliders reach


@cache
def over_ratios(name: str) -> np.ndarray:
    """H of a density's cells, in nats, at each of the RATIOS: the same at every spread."""
    return np.array([float(densities.entropy_of_cells(name, 1.0, r)) for r in RATIOS])


def settings(x: Experiment, live: Picture, height: int) -> None:
    """Which density, its spread, its cells, the unit."""
    x.controls(
        [
            Group(
                id="density",
                title="Density",
                items=[x.chooser("density"), x.slider("spread")],
            ),
            Group(id="cells", title="Cells", items=[x.slider("width"), x.chooser("unit")]),
        ],
        live=live,
        height=height,
    )


def cells_panel(x: Experiment, live: Picture) -> Panel:
    """The density over its cells, each as high as it is on average there."""
    name, spread, width = x["density"], live["spread"], live["width"]
    middle = len(densities.CELLS) // 2
    near = slice(middle - pictures.IN_SIGHT, middle + pictures.IN_SIGHT + 1)
    shares = densities.cells(name, spread, width)[near]
    handle = Handle(
        id="spread", spoken="spread of the density", x=spread,
        y=densities.density(name, spread, spread), axis="x", minimum=SPREADS[0],
        maximum=SPREADS[1], label=words("σ = {:3}", spread),
        sets={"spread": round_to(ops.clip(live.hand[0], *SPREADS), 3)},
    )  # fmt: skip
    return Panel(
        id="cells",
        title="the density, cut into cells",
        tab="density",
        figure=pictures.cut(
            FINE,
            densities.density(name, FINE, spread),
            width * densities.CELLS[near],
            shares / width,
            width,
        ),
        handles=[handle],
        alt="A density over bars of equal width, each as high as it is on average there.",
    )


def widths_panel(x: Experiment, live: Picture, h: Any, of_cells: Any) -> Panel:
    """The entropy of the cells over their width, and h − log Δ beside it."""
    unit = units.of(x)
    sets = {"width": round_digits(ops.clip(live.hand[0], *pictures.WIDTHS), 3)}
    handle = Handle(
        id="width", spoken="width of a cell", x=live["width"], y=of_cells, axis="x",
        minimum=pictures.WIDTHS[0], maximum=pictures.WIDTHS[1], label=words("{:.4f}", of_cells),
        sets=sets,
    )  # fmt: skip
    nat = float(surprise(1 / math.e, unit.base))  # in this unit
    return Panel(
        id="widths",
        title=f"entropy of the cells against their width, in {unit}",
        tab="entropy against width",
        figure=pictures.against_width(
            RATIOS * live["spread"], nat * over_ratios(x["density"]), h, unit.name
        ),
        handles=[handle],
        clicks=sets,
        alt="Entropy of the cells over their width, beside h minus log of the width.",
    )


def cut(x: Experiment, live: Picture, height: int) -> None:
    """The density in its cells, and their entropy against their width."""
    unit, name, spread, width = units.of(x), x["density"], live["spread"], live["width"]
    h = densities.differential_entropy(name, spread, unit.base)
    of_cells = densities.entropy_of_cells(name, spread, width, unit.base)
    first, second, total = adding_up(h, densities.finer(width, unit.base))
    stage(
        "entropy.density",
        [cells_panel(x, live), widths_panel(x, live, h, of_cells)],
        live=live,
        frames=1,
        columns=[1, 1.1],
        height=height,
        alt="A density, its cells, and the entropy of both",
        lines=[
            words(
                f"h = {{:8}} and −{unit.log} Δ = {{:8}}: together {{:8}} {unit}; the cells have "
                f"H(Δ) = {{:.4f}}.",
                first,
                second,
                total,
                of_cells,
            )
        ],
    )


def numbers(x: Experiment) -> tuple[float, float]:
    """h and H(Δ) in the page's unit."""
    name, spread, base = x["density"], x["spread"], units.of(x).base
    return (
        float(densities.differential_entropy(name, spread, base)),
        float(densities.entropy_of_cells(name, spread, x["width"], base)),
    )


def remark(x: Experiment) -> str:
    """What is worth seeing in the present state."""
    unit, (h, of_cells) = units.of(x), numbers(x)
    one = (
        "1 bit"
        if unit.name == "bits"
        else f"{unit.log} 2 = {written(float(surprise(0.5, unit.base)), '.4f')} {unit}"
    )
    ratio = x["width"] / x["spread"]
    if h < 0:
        return (
            f"h = {written(h, '.4f')} {unit} is **negative**: the density is above 1 nearly "
            "wherever it is at all, and the mean of −log p falls below 0. That is no "
            "contradiction: h is what is left when log 1/Δ is taken off the entropy of the cells, "
            f"{written(of_cells, '.4f')} here, which is never negative."
        )
    if ratio > 1:
        return (
            f"The cells are wider than the spread: a few of them hold all, H(Δ) = "
            f"{written(of_cells, '.4f')} "
            f"{unit} is far from h − {unit.log} Δ. Narrow them."
        )
    return (
        f"A density has no probability at a point, only its cells have: halving them adds {one}, "
        f"so H(Δ) grows **without end**. What stays is h = lim H(Δ) + {unit.log} Δ = "
        f"{written(h, '.4f')} {unit}, the density's own entropy, which depends on what x is "
        "measured in. Of all densities of one spread the normal's is the largest."
    )


def formula(x: Experiment) -> str:
    """h with its number, and what H(Δ) comes to."""
    unit, (h, _) = units.of(x), numbers(x)
    closed = densities.DENSITIES[x["density"]].latex.format(log=unit.latex)
    first, second, total = (
        in_latex(v, "8") for v in adding_up(h, densities.finer(x["width"], unit.base))
    )
    sign = "" if second.startswith("-") else "+"
    return (
        rf"\begin{{aligned}} h(p) &= -\textstyle\int p(x)\,{unit.latex}\,p(x)\,dx = {closed} = "
        rf"{first}\ \text{{{unit}}} \\ H(\Delta) &\approx h - {unit.latex}\,\Delta = {first} "
        rf"{sign} {second} = {total}\ \text{{{unit}}} \end{{aligned}}"
    )


def code(x: Experiment) -> str:
    """The same with NumPy: h by its integral, H(Δ) by the cells."""
    unit, name = units.of(x), x["density"]
    spread, width = shorten(x["spread"]), shorten(x["width"])
    log = unit.numpy
    h, of_cells = numbers(x)
    shape = {
        "normal": "np.exp(-0.5 * (x / s) ** 2) / (s * np.sqrt(2 * np.pi))",
        "uniform": "(np.abs(x) <= s * np.sqrt(3)) / (s * np.sqrt(12))",
        "exponential": "(x >= 0) * np.exp(-np.maximum(x, 0) / s) / s",
    }[name]
    return (
        "import numpy as np\n\n"
        f"s, width, parts = {spread}, {width}, 2048  # spread, width of a cell, points in one\n"
        "cells = int(np.ceil(40 * s / width))\n"
        "middles = np.arange(-cells, cells + 1) * width\n"
        "inside = ((np.arange(parts) + 0.5) / parts - 0.5) * width\n"
        "x = middles[:, None] + inside\n"
        f"p = {shape}\n"
        "P = p.mean(axis=1) * width  # the probability of each cell\n"
        "P = P[P > 0]\n"
        f"H = -(P * {log}(P)).sum()  # {of_cells:.4g} {unit}\n"
        "p = p[p > 0]\n"
        f"h = -(p * {log}(p)).sum() * width / parts  # {h:.4g} {unit}\n"
        f"print(h - {log}(width), H)\n"
    )


def show(x: Experiment, view: frame.View) -> None:
    """The second part."""
    live = x.live()
    with view.picture:
        cut(x, live, view.height(390, 370))
        frame.notice(remark(x))
    with view.panel:
        settings(x, live, view.height(400, 400))
    if not view.embedded:
        if not x.hidden("formula"):
            st.latex(formula(x))
        if not x.hidden("copies"):
            frame.copies(NumPy=code(x), LaTeX=formula(x))


def law(x: Experiment) -> str:
    """What it is about, in LaTeX."""
    log = units.of(x).latex
    return rf"h = -\int p(x)\,{log}\, p(x)\,dx,\quad H(\Delta) \approx h - {log}\,\Delta"
