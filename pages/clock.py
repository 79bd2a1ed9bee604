"""The step at which the stage's clock stands, as a field of the page: from the link at first, then
from the reader. The formulas with numbers beside a picture are those of this step.
"""

from __future__ import annotations

from typing import cast

import streamlit as st

from pages.state import Experiment

FIELD = "t"


def start(x: Experiment, last: int) -> int:
    """Where the clock is asked to stand, at most at `last`: the field's step, until the reader
    moves it.

    What the reader did is not asked of the clock again: he may have moved on since.
    """
    memory = _memory(x)
    if x[FIELD] != memory["seen"]:
        memory["asked"] = memory["seen"] = x[FIELD]
    return min(memory["asked"], last)


def keep(x: Experiment, reported: int | None, last: int) -> int:
    """The step of the clock, at most `last`: what the stage reports goes into the field."""
    memory = _memory(x)
    if x.locked(FIELD):  # the reader may look at any step; the link stays as it is
        return min(int(x[FIELD]) if reported is None else reported, last)
    if reported is not None and reported != memory.get("reported"):
        end = x.fields[FIELD].default
        # Where a page opens at the end of its run, the end is its default, however long the run.
        memory["reported"], memory["seen"] = reported, end if reported == last <= end else reported
        x.update(**{FIELD: memory["seen"]})
    return min(int(x[FIELD]), last)


def _memory(x: Experiment) -> dict[str, int]:
    fresh = {"asked": x[FIELD], "seen": x[FIELD]}
    return cast(dict[str, int], st.session_state.setdefault(f"_clock:{x.page}", fresh))
