"""Work beside the script: a page starts it, looks in on it, and never waits for it.

It ends when it is told to, when the reader has gone or begins another, and when its time is up.
One reader's work runs at a time, of those who wait that of the one who has used least of late.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Condition, Event, Thread
from typing import Any, Final, Generic, TypeVar
from weakref import WeakValueDictionary

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components.at_rest import ask_at_rest
from engine import limits
from engine.emit.picture import written
from engine.runs import workshop
from engine.runs.sweeps import SweepCancelled
from engine.studies.fair_race import Cancelled

GRACE = 0.25  # seconds that a run may wait for what is nearly there
LOOK_MS: Final = 150  # between two looks at what is being computed
_PATIENCE: Final = 0.6  # seconds before a progress bar is worth its place
_FORGET: Final = 60.0  # seconds after which a reader's last work no longer counts

Made = TypeVar("Made")
# Makes something; tells the share done, asks whether to stop.
Make = Callable[[Callable[[float], None], Callable[[], bool]], Made]


class Turns:
    """One piece of work at a time: next is whose reader has used least, then who came first."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._busy = False
        self._waiting: list[Work[Any]] = []
        self._used: dict[str, tuple[float, float]] = {}  # seconds by reader, and when noted

    def take(self, work: Work[Any]) -> bool:
        """Wait for the turn; False where there is a reason to stop before."""
        with self._changed:
            self._waiting.append(work)
            try:
                while self._busy or min(self._waiting, key=self._seconds) is not work:
                    self._changed.wait(0.1)
                    if work.stopped():
                        return False
                self._busy = True
                return True
            finally:
                self._waiting.remove(work)

    def give(self, work: Work[Any], seconds: float) -> None:
        """The work has ended, after so many seconds."""
        with self._changed:
            now = time.monotonic()
            self._used[work.reader] = (self._seconds(work) + seconds, now)
            self._used = {r: u for r, u in self._used.items() if now - u[1] < _FORGET}
            self._busy = False
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._waiting)

    def _seconds(self, work: Work[Any]) -> float:
        return self._used.get(work.reader, (0.0, 0.0))[0]


_turns: Final = Turns()
_latest: Final[WeakValueDictionary[str, Work[Any]]] = WeakValueDictionary()  # by reader


def waiting() -> int:
    """How many pieces of work wait for their turn."""
    return len(_turns)


class Work(Generic[Made]):
    """Things in the making; `made` holds them by mark, `late` says that time ran out."""

    def __init__(
        self, name: str, makers: Mapping[str, Make[Made]], seconds: float | None = None
    ) -> None:
        self.name = name
        self.seconds = limits.WORK_SECONDS if seconds is None else seconds
        self.makers = makers
        self.made: dict[str, Made] = {}
        self.error: Exception | None = None
        self.share = 0.0
        self.late = False
        self.looked = self.began = time.monotonic()
        self.stop = Event()
        context = get_script_run_ctx(suppress_warning=True)
        self.reader = context.session_id if context is not None else ""
        if context is not None:
            if (before := _latest.get(self.reader)) is not None:
                before.stop.set()
            _latest[self.reader] = self
        self.thread = Thread(target=self._run, name="beside the script", daemon=True)
        self.thread.start()

    @property
    def done(self) -> bool:
        return not self.thread.is_alive()

    @property
    def finished(self) -> bool:
        """Whether it need not be begun again: it ended otherwise than by nobody's looking."""
        whole = len(self.made) == len(self.makers)
        return self.done and (whole or self.late or self.stop.is_set() or self.error is not None)

    def stopped(self) -> bool:
        """Whether there is a reason to stop."""
        now = time.monotonic()
        self.late = self.late or now - self.began > self.seconds
        return self.stop.is_set() or self.late or now - self.looked > limits.LEFT_SECONDS

    def _run(self) -> None:
        if not _turns.take(self):
            return
        self.began = time.monotonic()
        try:
            for mark, make in self.makers.items():
                self.made[mark] = make(self._tell, self.stopped)
        except (SweepCancelled, Cancelled, workshop.Ended):
            pass
        except Exception as error:  # raised again in the script, where the reader sees it
            self.error = error
        finally:
            _turns.give(self, time.monotonic() - self.began)

    def _tell(self, share: float) -> None:
        self.share = (len(self.made) + share) / len(self.makers)

    def look(self) -> None:
        """Say that somebody still waits for it."""
        self.looked = time.monotonic()

    @property
    def slow(self) -> bool:
        """Whether it takes long enough to be told of."""
        return not self.done and time.monotonic() - self.began > _PATIENCE


def show_progress(
    key: str, work: Work[Any], place: Any, text: str, *, locked: bool = False
) -> None:
    """How far it is, and the way to stop it; what was stopped is not begun again by itself."""

    def stop() -> None:
        work.stop.set()
        st.session_state[f"{key}.ended"] = work.name

    row = place.container(horizontal=True, vertical_alignment="center")
    row.progress(min(work.share, 1.0), text)
    row.button("Stop", key=f"{key}.stop", type="tertiary", on_click=stop, disabled=locked)


def ended(key: str, name: str) -> bool:
    """Whether the work of that name was ended: it is done, or was stopped."""
    return bool(st.session_state.get(f"{key}.ended") == name)


def note_end(key: str, name: str | None) -> None:
    """Remember that the work of that name has ended; None to begin anew."""
    st.session_state[f"{key}.ended"] = name


def beside(
    key: str, name: str, make: Make[Made], place: Any, *, doing: str, hand: bool, locked: bool
) -> Made | None:
    """What `make` makes of the work of that name if it is there, else the last that was made.

    The work begins once no hand is on a control, and asks for the runs that look in on it; until
    it is done `place` says how far it is. Raises what the work raised. The key is the page's name.
    """
    kept: tuple[str, Made] | None = st.session_state.get(f"{key}.kept")
    if kept is not None and kept[0] == name:
        _look_again(key, "")
        return kept[1]
    before = kept[1] if kept is not None else None
    work: Work[Made] | None = st.session_state.get(f"{key}.work")
    if work is not None and (work.name != name or work.stop.is_set()):
        work.stop.set()
        work = None
    if work is None and not hand and not ended(key, name):
        work = Work(name, {name: make})
        note_end(key, None)
    st.session_state[f"{key}.work"] = work
    if work is None:
        _look_again(key, "")
        if ended(key, name):
            _offer(key, place)
        return before
    work.look()
    work.thread.join(GRACE)
    if work.done:
        st.session_state[f"{key}.work"] = None
        if work.finished:
            note_end(key, name)
        if work.error is not None:
            _look_again(key, "")
            raise work.error
        if name in work.made:
            _look_again(key, "")
            st.session_state[f"{key}.kept"] = (name, work.made[name])
            return work.made[name]
        if work.late:
            place.caption(f"This would take more than {written(limits.WORK_SECONDS, '.0f')} s.")
        _look_again(key, "" if work.finished else name)
        return before
    if work.slow or before is None:
        show_progress(key, work, place, doing, locked=locked)
    _look_again(key, name)
    return before


def begun(key: str) -> bool:
    """Whether there is something to show yet: what `beside` has made for that page."""
    return st.session_state.get(f"{key}.kept") is not None


def rest(key: str) -> None:
    """Nothing is to be made: what is under way for that page ends."""
    if (work := st.session_state.pop(f"{key}.work", None)) is not None:
        work.stop.set()
    _look_again(key, "")


def _look_again(key: str, name: str) -> None:
    """Ask for another run that looks in on the work; "" for none."""
    tick = st.session_state[f"{key}.tick"] = st.session_state.get(f"{key}.tick", 0) + 1
    ask_at_rest(f"{key}.look", f"{name} {tick}" if name else "", milliseconds=LOOK_MS)


def _offer(key: str, place: Any) -> None:
    """The way to begin again what was stopped."""
    row = place.container(horizontal=True, vertical_alignment="center")
    row.caption("Stopped: what is shown is what was there before.")
    row.button("Run it", key=f"{key}.run", type="tertiary", on_click=lambda: note_end(key, None))
