"""Work beside the script: a page starts it, looks in on it, and never waits for it.

It ends when it is told to, when the reader has gone, and when its time is up. One reader's work
runs at a time, so that the others' pages stay quick.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Event, Lock, Thread
from typing import Any, Final, Generic, TypeVar

import streamlit as st

from engine.runs.sweeps import SweepCancelled
from engine.studies.fair_race import Cancelled

SECONDS: Final = 30.0  # that one piece of work may take at most
GRACE = 0.25  # seconds that a run may wait for what is nearly there
LOOK_MS: Final = 150  # between two looks at what is being computed
_LEFT: Final = 4.0  # seconds without a look: the reader is gone
_PATIENCE: Final = 0.6  # seconds before a progress bar is worth its place
_TURN: Final = Lock()

Made = TypeVar("Made")
# Makes something; tells the share done, asks whether to stop.
Make = Callable[[Callable[[float], None], Callable[[], bool]], Made]


class Work(Generic[Made]):
    """Things in the making; `made` holds them by mark, `late` says that time ran out."""

    def __init__(
        self, name: str, makers: Mapping[str, Make[Made]], seconds: float = SECONDS
    ) -> None:
        self.name = name
        self.seconds = seconds
        self.makers = makers
        self.made: dict[str, Made] = {}
        self.error: Exception | None = None
        self.share = 0.0
        self.late = False
        self.looked = self.began = time.monotonic()
        self.stop = Event()
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
        return self.stop.is_set() or self.late or now - self.looked > _LEFT

    def _run(self) -> None:
        while not _TURN.acquire(timeout=0.1):
            if self.stopped():
                return
        try:
            self.began = time.monotonic()
            for mark, make in self.makers.items():
                self.made[mark] = make(self._tell, self.stopped)
        except (SweepCancelled, Cancelled):
            pass
        except Exception as error:  # raised again in the script, where the reader sees it
            self.error = error
        finally:
            _TURN.release()

    def _tell(self, share: float) -> None:
        self.share = (len(self.made) + share) / len(self.makers)

    def look(self) -> None:
        """Say that somebody still waits for it."""
        self.looked = time.monotonic()

    @property
    def slow(self) -> bool:
        """Whether it takes long enough to be told of."""
        return not self.done and time.monotonic() - self.began > _PATIENCE


def show_progress(key: str, work: Work[Any], place: Any, text: str) -> None:
    """How far it is, and the way to stop it; what was stopped is not begun again by itself."""

    def stop() -> None:
        work.stop.set()
        st.session_state[f"{key}.ended"] = work.name

    row = place.container(horizontal=True, vertical_alignment="center")
    row.progress(min(work.share, 1.0), text)
    row.button("Stop", key=f"{key}.stop", type="tertiary", on_click=stop)


def ended(key: str, name: str) -> bool:
    """Whether the work of that name was ended: it is done, or was stopped."""
    return bool(st.session_state.get(f"{key}.ended") == name)


def note_end(key: str, name: str | None) -> None:
    """Remember that the work of that name has ended; None to begin anew."""
    st.session_state[f"{key}.ended"] = name
