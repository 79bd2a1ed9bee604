"""The memory of readers who have left, given back to the system while nobody waits for it.

Three things keep it otherwise. Streamlit drops a session that has expired only when another one
ends. A session is a knot of references that only a full collection frees. And glibc keeps what is
freed, in the heap of each thread: of maps and pictures some 70 MB.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from contextlib import suppress
from typing import Final, NoReturn

from streamlit import config
from streamlit.runtime import Runtime

from components import gate

COLLECT_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 0.5
MANY: Final = 20  # readers who have left, from which it is not put off
QUIET_SECONDS: Final = 0.1
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # as in malloc.h
_MAPPED: Final = 1 << 18  # bytes from which an array has a mapping of its own


def _libc(function: str) -> ctypes._NamedFuncPointer | None:
    """A function that glibc alone has; None elsewhere."""
    return getattr(ctypes.CDLL(None), function, None) if sys.platform == "linux" else None


def keep_little() -> None:
    """Have glibc give arrays back to the system once they are freed.

    By itself it learns to keep blocks of up to 32 MB, in a heap for each thread. One heap is enough
    for threads that share an interpreter, and what readers leave behind lies closer in it.
    """
    if mallopt := _libc("mallopt"):
        mallopt(_M_MMAP_THRESHOLD, _MAPPED)
        mallopt(_M_ARENA_MAX, 1)


def collect_by_hand() -> None:
    """Freeze what is there from the start out of collections, and leave the old to `give_back`."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 1000)


def forget(session: str) -> None:
    """End a session whose reader has taken leave, on the event loop. Nobody can come back to it: a
    browser knows the session of a page that it shows, and no other."""
    with suppress(RuntimeError):  # the server is going
        runtime = Runtime.instance()
        if not runtime.is_active_session(session):  # another connection may have taken it over
            runtime.close_session(session)


def give_back() -> None:
    """Free the sessions that have expired, what they hold, and the heaps' free pages."""
    # A Streamlit that keeps its sessions otherwise drops them by itself, some time later.
    with suppress(AttributeError, RuntimeError):
        runtime = Runtime.instance()
        sessions = runtime._session_mgr._session_storage._cache  # type: ignore[attr-defined]
        runtime._get_async_objs().eventloop.call_soon_threadsafe(sessions.expire)
        time.sleep(QUIET_SECONDS)
    gc.collect()
    if trim := _libc("malloc_trim"):
        trim(0)  # 5 ms, in which Python goes on


def give_back_for_ever() -> NoReturn:
    """Do so after readers have left, until their sessions have expired.

    A collection takes some 50 ms, more in a full hall, in which everybody waits: so now and then,
    and in a moment in which no script runs. Where more have left than are here it is short, and
    what is kept of them would be the most of the memory: then at once.
    """
    kept = float(config.get_option("server.disconnectedSessionTTL") or 0.0) + COLLECT_SECONDS
    seen = before = gate.left
    until, last = 0.0, time.monotonic()

    def many() -> bool:
        return gate.left - before >= max(MANY, gate.came - gate.left)

    while True:
        time.sleep(LOOK_SECONDS)
        now = time.monotonic()
        if seen != gate.left:
            seen, until = gate.left, now + kept
        if now > until or (now - last < COLLECT_SECONDS and not many()):
            continue
        # Looked at anew while it waits: many may leave meanwhile.
        while time.monotonic() < min(
            gate.stirred + QUIET_SECONDS, now + (QUIET_SECONDS if many() else COLLECT_SECONDS)
        ):
            time.sleep(0.02)
        give_back()
        before, last = gate.left, time.monotonic()
