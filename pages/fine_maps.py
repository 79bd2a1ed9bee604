"""Fine pictures once the reader rests: what the pages of maps share.

A page names each of its maps by a mark. Coarse ones are made wherever a hand moves; when nothing
has changed for a moment the browser asks for one more run, which starts the fine computation
beside the script and looks in on it now and then: the page never waits. A change, the reader's
word, his leaving, or the end of its time stops it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Event, Lock, Thread
from typing import Any, Final, Generic, TypeVar

import streamlit as st

from components.at_rest import ask_at_rest, asked_at_rest
from engine.runs import cluster
from engine.runs.sweeps import SweepCancelled

REST_MS: Final = 700  # without a change before work begins
SECONDS: Final = 30.0  # that one page's fine maps may take
_LEFT: Final = 4.0  # seconds without a look: the reader is gone
_PATIENCE: Final = 0.6  # seconds before a progress bar is worth its place
_LOOK_MS: Final = 150  # between two looks at what is being computed
_TURN: Final = Lock()  # one reader's fine maps at a time: the others' pages stay quick

Made = TypeVar("Made")
# Makes a map finely; tells the share done, asks whether to stop.
Make = Callable[[Callable[[float], None], Callable[[], bool]], Made]


class Work(Generic[Made]):
    """Fine maps in the making; `made` holds them by mark, `late` says that time ran out."""

    def __init__(self, name: str, makers: Mapping[str, Make[Made]]) -> None:
        self.name = name
        self.makers = makers
        self.made: dict[str, Made] = {}
        self.error: Exception | None = None
        self.share = 0.0
        self.late = False
        self.looked = self.began = time.monotonic()
        self.stop = Event()
        self.thread = Thread(target=self._run, name="fine maps", daemon=True)
        self.thread.start()

    @property
    def done(self) -> bool:
        return not self.thread.is_alive()

    def stopped(self) -> bool:
        """Whether there is a reason to stop."""
        now = time.monotonic()
        self.late = self.late or now - self.began > SECONDS
        return self.stop.is_set() or self.late or now - self.looked > _LEFT

    def _run(self) -> None:
        while not _TURN.acquire(timeout=0.1):
            if self.stopped():
                return
        try:
            self.began = time.monotonic()
            for mark, make in self.makers.items():
                self.made[mark] = make(self._tell, self.stopped)
        except SweepCancelled:
            pass
        except Exception as error:  # raised again in the script, where the reader sees it
            self.error = error
        finally:
            _TURN.release()

    def _tell(self, share: float) -> None:
        self.share = (len(self.made) + share) / len(self.makers)


def fine_maps(page: str, wanted: Mapping[str, Make[Made]], place: Any) -> list[Made | None]:
    """Each map by its mark where it is there finely, else None; place is where progress stands.

    The makers run outside of the script and must not ask Streamlit for anything. Call it once a
    run: it also asks for the runs that refine.
    """
    kept: dict[str, Made] = st.session_state.setdefault(f"{page}.kept", {})
    for mark in [mark for mark in kept if mark not in wanted]:
        del kept[mark]
    name = "-".join(wanted)
    work = _continue(page, name, {m: f for m, f in wanted.items() if m not in kept})
    ended = st.session_state.get(f"{page}.ended") == name
    if work is not None:
        work.looked = time.monotonic()
        kept |= {mark: made for mark, made in work.made.items() if mark in wanted}
        if work.done:
            ended = True
            st.session_state[f"{page}.ended"] = name
            if work.error is not None:
                raise work.error
            if work.late:
                place.caption(
                    f"The server's finer map would take more than {SECONDS:.0f} s: "
                    "this one is as fine as your browser made it."
                )
            elif note := cluster.executor()[1]:
                place.caption(note)
        elif time.monotonic() - work.began > _PATIENCE:
            _show(page, place, work)
    tick = st.session_state[f"{page}.tick"] = st.session_state.get(f"{page}.tick", 0) + 1
    again = not ended and any(mark not in kept for mark in wanted)
    ask_at_rest(
        f"{page}.fine",
        f"{name} {tick}" if again else "",
        milliseconds=REST_MS if work is None else _LOOK_MS,
    )
    return [kept.get(mark) for mark in wanted]


def _continue(page: str, name: str, makers: Mapping[str, Make[Made]]) -> Work[Made] | None:
    """The work on these maps, begun if the browser asks for it; any other is stopped."""
    key = f"{page}.work"
    work: Work[Made] | None = st.session_state.get(key)
    if work is not None and work.name != name:
        work.stop.set()
        work = None
    if work is None and makers and asked_at_rest(f"{page}.fine").partition(" ")[0] == name:
        work = Work(name, makers)
    st.session_state[key] = work if work is not None and not work.done else None
    return work


def _show(page: str, place: Any, work: Work[Any]) -> None:
    """How far it is, and the way to stop it."""

    def stop() -> None:
        work.stop.set()
        st.session_state[f"{page}.ended"] = work.name

    row = place.container(horizontal=True, vertical_alignment="center")
    row.progress(min(work.share, 1.0), "Computing a finer map …")
    row.button("Stop", key=f"{page}.stop", type="tertiary", on_click=stop)
