"""The fair race: every optimizer tuned with the same budget, then raced over many seeds."""

from __future__ import annotations

import streamlit as st

from pages import frame, problem
from pages.state import experiment

x = experiment("fair_race", problem.fields(runs="sgd;momentum;rmsprop;adam", noise=2.0, steps=100))

frame.opening(
    x,
    "The fair race",
    "Every optimizer is tuned with the same number of gradient evaluations, "
    "then raced over many seeds.",
)


@st.fragment
def body() -> None:
    """The choices and the problem, as they stand."""
    problem.choose_landscape(x, st.container())
    problem.type_formula(x)
    frame.table(("", "paper"), [(r.optimizer.name, r.optimizer.paper) for r in x["runs"]])
    problem.link(x, "race", "Race these")
    x.publish()


body()
