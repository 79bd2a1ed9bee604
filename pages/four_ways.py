"""Four ways to a derivative: symbolic, numerical, forward mode and reverse mode of one function."""

from __future__ import annotations

import streamlit as st

from engine.formula import parse
from pages import frame
from pages.state import Text, experiment

x = experiment("four-ways", [Text("f", "sin(x**2) * exp(-x/2)", check=parse)])

frame.opening(
    x,
    "Four ways to a derivative",
    "One function, four roads to its slope: what each gives, how far off it is, what it costs.",
)


@st.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    frame.formula(x, "f", parse, "sin(x**2)")
    x.publish()


body()
