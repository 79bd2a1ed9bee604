"""The time that one run of a page may take: when it is used up the run ends, and the page says so.

Counted is the processor time of the script's own thread, so a busy machine ends nobody's run. An
exception is set in that thread from outside, which it meets at its next line of Python. What a run
took is told to the gate, where reruns wait for their turn.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Thread, get_ident
from typing import Final

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components import gate
from engine import limits
from engine.emit.picture import written

_LOOK: Final = 0.1  # seconds between two looks at the clocks
_AGAIN: Final = 0.5  # seconds after which whoever has not ended is told once more
_REST: Final = 2.0  # seconds without a run after which nobody looks: to wake up costs a run more


class OutOfTime(Exception):
    """The run has used up its time."""


def clock(thread: int) -> float:
    """Processor time of a thread that lives, where the system tells, else the time of day."""
    if hasattr(time, "pthread_getcpuclockid"):
        return time.clock_gettime(time.pthread_getcpuclockid(thread))
    return time.monotonic()


def _throw(thread: int) -> None:
    """Have the thread raise OutOfTime at its next call or turn of a loop.

    It cannot be taken back: Python would look for it for ever, in every thread.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(OutOfTime))


class _Watch:
    """Runs under way, each with the time on its thread's clock at which it has to end."""

    def __init__(self) -> None:
        self._ends: dict[int, float] = {}
        self._changed = Condition()
        self._looking: Thread | None = None

    def begin(self, thread: int) -> None:
        with self._changed:
            self._ends[thread] = clock(thread) + limits.SCRIPT_SECONDS
            if self._looking is None:
                self._looking = Thread(target=self._look, name="script watch", daemon=True)
                self._looking.start()
            self._changed.notify()

    def end(self, thread: int) -> None:
        with self._changed:  # what was thrown before is met by now, here at the latest
            self._ends.pop(thread, None)

    def __contains__(self, thread: int) -> bool:
        return thread in self._ends

    def _look(self) -> None:
        seen = time.monotonic()
        while True:
            with self._changed:
                if not self._ends and time.monotonic() - seen > _REST:
                    self._changed.wait()
                if self._ends:
                    seen = time.monotonic()
                for thread, end in self._ends.items():
                    if (now := clock(thread)) > end:
                        _throw(thread)
                        self._ends[thread] = now + _AGAIN
            time.sleep(_LOOK)


_watch: Final = _Watch()


@contextmanager
def limited(*, first: bool = False) -> Iterator[None]:
    """What is inside ends with words where it takes too long; first says that more of the run
    follows.

    Numbers may run over in it: a reader chooses them, and the pictures say what is not finite.
    Of those inside each other the outermost one's time counts; the innermost one says it.
    """
    thread, context = get_ident(), get_script_run_ctx(suppress_warning=True)
    outermost, begun = thread not in _watch, clock(thread)
    try:
        if outermost:
            _watch.begin(thread)
        try:
            with np.errstate(all="ignore"):
                yield
        finally:
            if outermost:
                _watch.end(thread)
    except OutOfTime:
        if outermost:
            _watch.end(thread)
        st.error(
            f"This page was ended: it took more than {written(limits.SCRIPT_SECONDS)} s of the "
            f"server's "
            "time. A shorter formula, fewer steps or fewer optimizers will do.",
            icon=":material/timer_off:",
        )
    finally:
        if outermost and context is not None:
            gate.charge(context.session_id, clock(thread) - begun, over=not first)
