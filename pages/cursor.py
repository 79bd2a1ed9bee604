"""The cursor of a stage as a field of the page: from the link at first, then from the reader."""

from __future__ import annotations

from typing import cast

import streamlit as st

from pages.state import Experiment

FIELD = "t"


def asked(x: Experiment) -> int:
    """Where the stage's clock is asked to stand: the field's step, until the reader moves it.

    What the reader did is not asked of the clock again: he may have moved on since.
    """
    memory = _memory(x)
    if x[FIELD] != memory["seen"]:
        memory["asked"] = memory["seen"] = x[FIELD]
    return memory["asked"]


def keep(x: Experiment, reported: int | None, last: int) -> int:
    """The cursor's step, at most `last`: what the stage reports goes into the field."""
    memory = _memory(x)
    if reported is not None and reported != memory.get("reported"):
        memory["reported"] = memory["seen"] = reported
        x.change({FIELD: reported})
    return min(int(x[FIELD]), last)


def _memory(x: Experiment) -> dict[str, int]:
    fresh = {"asked": x[FIELD], "seen": x[FIELD]}
    return cast(dict[str, int], st.session_state.setdefault(f"_cursor:{x.page}", fresh))
