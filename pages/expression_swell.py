"""How a derivative swells that is written out as one expression, while the tape that names every
value once grows by the same few operations with each composition.
"""

from __future__ import annotations

import streamlit as st

from components.stage import Handle, Panel, stage
from engine.derivatives.four_ways import Swell
from engine.emit.picture import Picture, entry, floor, words, written
from engine.limits import COMPOSITIONS
from engine.tape import operations as ops
from figures import four_ways as pictures
from pages import frame


def many(count: int) -> str:
    """A count, with its thousands apart as long as it can be read."""
    return written(count, "d" if count < 10**9 else "3")


def show(live: Picture, counts: Swell, height: int) -> None:
    """The swell of expressions against the tape."""
    n = live["n"]
    tape = [float(c) for c in counts.reverse]
    handle = Handle(
        id="n", spoken="times composed", x=n, y=entry(tape, n - 1.0), axis="x", minimum=1,
        maximum=COMPOSITIONS,
        label=words("n = {:.0f}", n), color=pictures.MODES,
        sets={"n": ops.clip(floor(live.hand[0] + 0.5), 1.0, float(COMPOSITIONS))},
    )  # fmt: skip
    stage(
        "four_ways.swell",
        [
            Panel(
                id="swell",
                title="operations of the derivative of f(f(…f(x)))",
                figure=pictures.swell(counts, n),
                handles=[handle],
                clicks=handle.sets,
                alt="Operations of the derivative against the number of compositions.",
            )
        ],
        live=live,
        frames=1,
        height=height,
        lines=[
            words(
                "n = {:.0f}: {:4} operations written out, {:4} on the tape.",
                n,
                entry([float(c) for c in counts.unrolled], n - 1.0),
                entry(tape, n - 1.0),
            )
        ],
        alt="Expression swell against the tape",
    )


def tell(counts: Swell, wanted: int) -> None:
    """The counts at the chosen n, and the expression while it fits."""
    known = len(counts.function)
    k = min(wanted, known) - 1
    frame.table(
        (f"n = {k + 1}", "operations"),
        [
            (f"{frame.swatch(pictures.SWELL[name])}{text}", many(getattr(counts, name)[k]))
            for name, text in (
                ("unrolled", "one expression, as the rules give it"),
                ("tidied", "tidied up: no 1·, no + 0"),
                ("shared", "each part worked out once"),
                ("reverse", "reverse mode, with f"),
            )
        ]
        + [("<span class='swatch'></span>forward mode, with f", written(counts.forward[k], "d"))],
    )
    if counts.latex[k]:
        st.latex(rf"f_{{{k + 1}}}'(x) = {counts.latex[k]}")
    grown = counts.reverse[min(1, k)] - counts.reverse[0]
    text = f"Each composition adds {many(grown)} operations to the tape. " if grown else ""
    text += f"Written out, the derivative at n = {k + 1} has {many(counts.unrolled[k])}"
    times = counts.unrolled[k] / counts.reverse[k]
    if times > 2:
        text += (
            f", {written(times, '3')} times the tape's. What swells is not the derivative but its "
            "writing without names: a tape names every value once."
        )
    else:
        text += ": not much of a swell."
    if known < wanted:
        text += f" More than {known} compositions of this function are left out: it is too large."
    frame.notice(text)
