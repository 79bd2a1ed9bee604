"""What the hyper-parameter map says: the shares of its cells, its best one, the limit that is
drawn, and how wide each valley of good settings is.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import streamlit as st

from engine.emit.picture import in_latex, smallest, words, written
from engine.runs.sweeps import Sweep
from engine.studies import maps
from engine.tape import operations as ops
from figures import style
from pages import frame, problem
from pages.map_cells import Map, Request
from pages.state import Experiment


def shares(shown: Map, *, by_loss: bool) -> Any:
    """What stands under the one map, and follows the hand."""
    best, near, gone = maps.live_shares(shown.gaps)
    if by_loss:
        return words(
            "The best cell ends {:2} above the minimum; {:.2%} of the cells end within ten times "
            "of it, {:.1%} diverge.",
            best,
            near,
            gone,
        )
    there = shown.cells.steps >= 0.0
    return words(
        "The quickest cell is at the target after {:.0f} steps; {:.1%} of the cells get there, "
        "{:.1%} diverge.",
        smallest(ops.where(there, shown.cells.steps, np.inf)),
        ops.mean(ops.where(there, 1.0, 0.0)),
        gone,
    )


def notice(x: Experiment, request: Request, found: Sweep, *, by_loss: bool) -> None:
    """What to see on the one map that is shown, in a sentence, with the numbers of now; a fine map
    counts steps to the target whatever its colours say."""
    if problem.say_start(x, request.surface):
        return
    gaps = maps.gap(found)
    valley = maps.valley(gaps, float(gaps.min()))
    if valley.share == 0.0:
        frame.notice("Every run of this map diverges: choose smaller learning rates.")
        return
    arrived = None if by_loss else found.steps_to_target
    quickest = None if arrived is None else maps.quickest(arrived)
    if arrived is not None and quickest is None:
        frame.notice("No run of this map comes down to the target: raise it, or give more steps.")
        return
    hypers, start = found.cell(*(quickest or valley.cell))
    symbols = {h.name: h.latex for h in request.runner.optimizer.hypers} | {"x": "x_0", "y": "y_0"}
    at = hypers | dict(zip("xy", start, strict=True))
    where = ", ".join(
        f"${symbols[a.name]} = {in_latex(at[a.name], '3')}$" for a in reversed(request.axes)
    )
    text = f"The {'best' if quickest is None else 'quickest'} cell of this map is {where}."
    if request.has_pair:
        pair = maps.polyak_pair(*(request.curvatures or (0.0, 0.0)))
        text += (
            rf" Polyak's pair for these curvatures is $\eta = {in_latex(pair[0])}$, "
            rf"$\beta = {in_latex(pair[1])}$: the best in the long run"
            + (", were there no noise." if x["noise"] else ".")
        )
    frame.notice(text)


def formula(request: Request) -> None:
    """The limit that is drawn, with its numbers put in."""
    curvatures = request.curvatures
    optimizer, options = request.runner.optimizer, request.runner.options
    if curvatures is None or curvatures[1] <= 0:
        return
    limit = optimizer.stability_limit(curvatures[1], request.hypers, options)
    if limit is None:
        return
    lines = rf"\eta < {optimizer.stability_formula(options)} = {in_latex(limit)}"
    if request.has_pair:
        kappa = curvatures[1] / curvatures[0]
        lines += (
            r",\qquad \eta^\star = \frac{4}{(\sqrt{\lambda_{\min}}+\sqrt{\lambda_{\max}})^2},\quad"
            r"\beta^\star = \Bigl(\frac{\sqrt\kappa-1}{\sqrt\kappa+1}\Bigr)^2"
            rf",\quad \kappa = {in_latex(kappa)}"
        )
    st.latex(lines)


def percent(share: float) -> str:
    """A share with two digits that count."""
    return f"{written(100 * share, '2')}\u202f%"


def valleys(names: list[str], found: list[Sweep], looks: tuple[style.Look, ...]) -> None:
    """How wide each one's valley of good settings is."""
    gaps = [maps.gap(one) for one in found]
    best = min(float(g.min()) for g in gaps)
    own = [maps.valley(g, best) for g in gaps]
    frame.table(
        (
            "",
            "best loss",
            "within 10× of its own best",
            "within 10× of the best of all",
            "diverged",
        ),
        [
            (
                frame.swatch(look) + html.escape(name),
                written(valley.best, "2") if valley.share else "every run diverges",
                percent(valley.share),
                percent(valley.share_of_all),
                percent(valley.diverged),
            )
            for name, look, valley in zip(names, looks, own, strict=True)
        ],
    )
    st.caption(
        "Share of the cells of each map: how likely a guess inside these ranges is a good one. "
        "It depends on the ranges, which are yours, and on the axes, which count as they are drawn."
    )
