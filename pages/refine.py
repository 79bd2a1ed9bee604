"""Coarse pictures at once, fine ones when the reader rests: what the pages of maps share.

A page names each of its pictures by a mark. A new mark is computed coarsely in the run that meets
it. When nothing has changed for a moment the browser asks for one more run, which starts the fine
computation beside the script and looks in on it now and then: the page never waits, and a change
or the reader's word stops it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Any, Generic, TypeVar

import streamlit as st

from components.later import asked, later
from engine.runs import cluster
from engine.runs.sweeps import SweepCancelled

COARSE, FINE = 128, 512  # cells along a side
_PATIENCE = 0.6  # seconds before a progress bar is worth its place
_LOOK_MS = 120  # between two looks at what is being computed

Made = TypeVar("Made")
# Makes a picture with so many cells along a side; tells the share done, asks whether to stop.
Make = Callable[[int, Callable[[float], None], Callable[[], bool]], Made]


class _Work(Generic[Made]):
    """Fine pictures in the making."""

    def __init__(self, name: str, makers: Mapping[str, Make[Made]]) -> None:
        self.name = name
        self.makers = makers
        self.made: dict[str, Made] = {}
        self.error: Exception | None = None
        self.share = 0.0
        self.began = time.monotonic()
        self.stop = Event()
        self.thread = Thread(target=self._run, name="fine maps", daemon=True)
        self.thread.start()

    @property
    def done(self) -> bool:
        return not self.thread.is_alive()

    def _run(self) -> None:
        try:
            for mark, make in self.makers.items():
                self.made[mark] = make(FINE, self._tell, self.stop.is_set)
        except SweepCancelled:
            pass
        except Exception as error:  # raised again in the script, where the reader sees it
            self.error = error

    def _tell(self, share: float) -> None:
        self.share = (len(self.made) + share) / len(self.makers)


def refined(page: str, wanted: Mapping[str, Make[Made]], place: Any) -> list[Made]:
    """Each picture by its mark, as fine as it has been made; place is where a bar may stand.

    The makers run outside of the script and must not ask Streamlit for anything. Call it once a
    run: it also asks for the runs that refine.
    """
    kept: dict[str, tuple[int, Made]] = st.session_state.setdefault(f"{page}.kept", {})
    for mark in [mark for mark in kept if mark not in wanted]:
        del kept[mark]
    for mark, make in wanted.items():
        if mark not in kept:
            kept[mark] = COARSE, make(COARSE, lambda share: None, lambda: False)
    name = "-".join(wanted)
    work = _continue(page, name, {m: f for m, f in wanted.items() if kept[m][0] < FINE})
    if work is not None:
        kept |= {mark: (FINE, picture) for mark, picture in work.made.items()}
        if work.done:
            if work.error is not None:
                raise work.error
            if note := cluster.executor()[1]:
                st.caption(note)
        elif time.monotonic() - work.began > _PATIENCE:
            _show(page, place, work)
    rough = any(side < FINE for side, _ in kept.values())
    stopped = st.session_state.get(f"{page}.stopped") == name
    tick = st.session_state[f"{page}.tick"] = st.session_state.get(f"{page}.tick", 0) + 1
    again = rough and not stopped
    later(
        f"{page}.later",
        f"{name} {tick}" if again else "",
        milliseconds=400 if work is None else _LOOK_MS,
    )
    return [kept[mark][1] for mark in wanted]


def _continue(page: str, name: str, makers: Mapping[str, Make[Made]]) -> _Work[Made] | None:
    """The work on these pictures, begun if the browser asks for it; any other is stopped."""
    key = f"{page}.work"
    work: _Work[Made] | None = st.session_state.get(key)
    if work is not None and work.name != name:
        work.stop.set()
        work = None
    if work is None and makers and asked(f"{page}.later").partition(" ")[0] == name:
        work = _Work(name, makers)
    st.session_state[key] = work if work is not None and not work.done else None
    return work


def _show(page: str, place: Any, work: _Work[Any]) -> None:
    """How far it is, and the way to stop it."""

    def stop() -> None:
        work.stop.set()
        st.session_state[f"{page}.stopped"] = work.name

    row = place.container(horizontal=True, vertical_alignment="center")
    row.progress(min(work.share, 1.0), f"Computing {FINE} × {FINE} runs …")
    row.button("Stop", key=f"{page}.stop", type="tertiary", on_click=stop)
