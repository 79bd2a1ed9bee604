"""Coarse pictures at once, fine ones when the reader rests: what the pages of maps share.

A page names each of its pictures by a mark. A new mark is computed coarsely in the run that meets
it; when nothing has changed for a moment the browser asks for one more run, which computes finely.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import streamlit as st

from components.later import asked, later

COARSE, FINE = 128, 512  # cells along a side
_PATIENCE = 0.3  # seconds before a progress bar is worth its place

Made = TypeVar("Made")
# Makes a picture with so many cells along a side, telling the share done if asked to.
Make = Callable[[int, "Callable[[float], None] | None"], Made]


class _Progress:
    """A bar that appears where it takes long; a click or a change meanwhile ends the work.

    Whatever Streamlit raises in it to abandon a run goes through the sweep, which then stops.
    """

    def __init__(self, page: str, place: Any, count: int) -> None:
        self.page, self.place, self.count = page, place, count
        self.done = 0
        self.began = self.shown = time.monotonic()
        self.bar: Any = None

    def __call__(self, share: float) -> None:
        now = time.monotonic()
        if now - self.began < _PATIENCE or now - self.shown < 0.1:
            return
        self.shown = now
        if self.bar is None:
            row = self.place.container(horizontal=True, vertical_alignment="center")
            self.bar = row.progress(0.0)
            row.button("Stop", key=f"{self.page}.stop", type="tertiary")
        share = min((self.done + share) / self.count, 1.0)
        self.bar.progress(share, f"Computing {FINE} × {FINE} runs …")


def refined(page: str, wanted: Mapping[str, Make[Made]], place: Any) -> list[Made]:
    """Each picture by its mark, as fine as it has been made; place is where a bar may stand.

    Call it once a run: it also asks for the run that refines.
    """
    kept: dict[str, tuple[int, Made]] = st.session_state.setdefault(f"{page}.kept", {})
    for mark in [mark for mark in kept if mark not in wanted]:
        del kept[mark]
    key, tried = f"{page}.later", f"{page}.tried"
    everything = "-".join(wanted)
    if asked(key) == everything:
        # Noted before it begins: a reader who stops it is not asked again.
        st.session_state[tried] = everything
        progress = _Progress(page, place, len(wanted))
        for mark, make in wanted.items():
            if kept.get(mark, (0,))[0] < FINE:
                kept[mark] = FINE, make(FINE, progress)
            progress.done += 1
        place.empty()
    for mark, make in wanted.items():
        if mark not in kept:
            kept[mark] = COARSE, make(COARSE, None)
    rough = any(side < FINE for side, _ in kept.values())
    later(key, everything if rough and st.session_state.get(tried) != everything else "")
    return [kept[mark][1] for mark in wanted]
