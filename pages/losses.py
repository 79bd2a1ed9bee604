"""The loss gallery: squared error, cross-entropy, margin losses and focal loss, a part each."""

from __future__ import annotations

import streamlit as st

from pages import frame
from pages.gallery import binary, focal, margins, squared
from pages.state import Choice, experiment

PARTS = {part.name: part for part in (squared.PART, binary.PART, margins.PART, focal.PART)}
PRESETS = [preset for part in PARTS.values() for preset in part.presets]

x = experiment(
    "losses",
    [
        Choice("part", squared.NAME, list(PARTS)),
        *(field for part in PARTS.values() for field in part.fields),
    ],
    parts=("copies",),
)


@frame.fragment
def body() -> None:
    """The chosen part: its pictures, its controls, its words."""
    frame.opening(
        x,
        "Loss gallery",
        ["What ", x.menu("part"), " says of a prediction, and how hard it pulls: drag the points."],
    )
    part = PARTS[x["part"]]
    view = frame.view(x, PRESETS)
    live = x.live()
    with view.picture:
        part.show(x, live, view.embedded, view.height(part.height, 445))
        if not view.embedded:
            frame.notice(part.notice(x))
    with view.panel:
        x.controls(part.groups(x), live=live, height=view.height(560, 460))
    if not view.embedded:
        if not x.hidden("formula"):
            st.latex(part.formula(x))
        if not x.hidden("table"):
            part.more(x)
        if not x.hidden("copies"):
            frame.copies(NumPy=part.code(x), **part.scripts(x), LaTeX=part.formula(x))
    frame.foot(x, part.law(x))
    x.publish()


body()
