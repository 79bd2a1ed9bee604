"""What the pages on losses say beside their pictures: a formula, and what to notice in it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from engine.losses.information import UNITS
from pages.presets import Preset
from pages.state import Experiment

BASES = {"bits": 2.0, "nats": math.e, "bans": 10.0}
LOGS = {"bits": r"\log_2", "nats": r"\ln", "bans": r"\log_{10}"}
assert set(BASES) == set(UNITS.values())


def notice(text: str) -> None:
    """The sentence that says what to look at in the present state (Markdown, $…$ for formulas)."""
    st.markdown(f":material/visibility: {text}")


def number(value: float, digits: int = 3) -> str:
    """A number in LaTeX: fixed digits, a power of ten where it is very small, ∞ where infinite."""
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    if value and (abs(value) < 10**-digits or abs(value) >= 1e6):
        mantissa, exponent = f"{value:.{max(digits - 1, 1)}e}".split("e")
        return rf"{mantissa}\cdot 10^{{{int(exponent)}}}"
    return f"{value:.{digits}f}"


def presets(x: Experiment, entries: Sequence[Preset]) -> None:
    """Settings worth a click, in a row; the chosen one's reason stands below."""
    key = f"{x.page}.preset"

    def load() -> None:
        chosen = next((p for p in entries if p.name == st.session_state[key]), None)
        if chosen is not None:
            x.load(chosen.link)

    st.pills(
        "Try", [p.name for p in entries], key=key, on_change=load, label_visibility="collapsed",
        disabled=x.locked("presets"),
    )  # fmt: skip
    reason = next((p.reason for p in entries if p.name == st.session_state[key]), None)
    if reason:
        st.caption(reason)
