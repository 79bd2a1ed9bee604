"""What Streamlit takes long for at every run, done at less cost.

A Streamlit that does it otherwise is left as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final
from weakref import ref

from streamlit import config, cursor, delta_generator
from streamlit.runtime import Runtime, app_session

_POPULATE: Final = "_populate_theme_msg"
_LOOP: Final = "_loop_coroutine"
_SAID: Final = "_enqueued_some_message"
_SAYS: Final = "_message_enqueued_callback"
_BEGINS: Final = "__init__"
_PLACES: Final = ("Cursor", "RunningCursor", "LockedCursor", "SparseList")
_FIXED: Final = frozenset({int, str, bool, type(None)})


def remember_theme() -> None:
    """Make the message that begins each run from themes that have been read once.

    Streamlit reads some two hundred settings for it, a tenth of a quick rerun.
    """
    populate: Callable[..., None] | None = getattr(app_session, _POPULATE, None)
    if populate is None or hasattr(populate, "own"):
        return
    made: dict[str, Any] = {}

    def remembered(message: Any, section: str = "theme") -> None:
        if section not in made:
            fresh = type(message)()
            populate(fresh, section)
            made[section] = fresh
        message.MergeFrom(made[section])

    remembered.own = populate  # type: ignore[attr-defined]
    setattr(app_session, _POPULATE, remembered)
    config.on_config_parsed(made.clear)


def copy_places_plainly() -> None:
    """Have the places on a page copied attribute by attribute.

    A fragment keeps its place, and every rerun begins with a copy of it: by Python's general way,
    and with all that is around a container once more for each that is inside, a tenth of a quick
    rerun.
    """
    kinds = [getattr(cursor, name, None) for name in _PLACES]
    kinds.append(getattr(delta_generator, "DeltaGenerator", None))
    for kind in filter(None, kinds):
        if not any(vars(of).get("__slots__") for of in kind.__mro__):
            kind.__deepcopy__ = _copied


def _copied(place: Any, memo: dict[int, Any]) -> Any:
    """As deep a copy as Python's own."""
    twin = memo[id(place)] = object.__new__(type(place))
    held = vars(twin)
    for name, value in vars(place).items():
        held[name] = value if _fixed(value) else deepcopy(value, memo)
    return twin


def _fixed(value: Any) -> bool:
    """Whether a value cannot change, so that two may share it."""
    kind = type(value)
    return kind in _FIXED or (kind is tuple and all(type(entry) is int for entry in value))


class _Narrowed:
    """Something with another value for one of its attributes."""

    def __init__(self, whole: Any, name: str, value: Any) -> None:
        vars(self).update({"whole": whole, name: value})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.whole, name, value)


def send_to_those_who_wait() -> None:
    """Have what is sent to a reader cost the same however many others are here.

    The loop that sends looks at every session after every message: with four hundred readers that
    is 2 ms of each rerun. Shown to it are those alone that have said since that there is something
    to be sent; and whoever says so on the loop's own thread wakes it without a detour over the
    system.
    """
    sessions_kind = app_session.AppSession
    loop: Any = getattr(Runtime, _LOOP, None)
    said: Any = getattr(Runtime, _SAID, None)
    if not (
        _names(loop, "_session_mgr", "list_active_sessions")
        and _names(said, "need_send_data")
        and _names(getattr(sessions_kind, "_enqueue_forward_msg", None), _SAYS)
    ):
        return
    begin: Any = getattr(sessions_kind, _BEGINS)
    waiting: dict[ref[Any], None] = {}

    def begun(session: Any, *args: Any, **more: Any) -> None:
        begin(session, *args, **more)
        says, mine = getattr(session, _SAYS), ref(session)

        def saying() -> None:
            waiting[mine] = None
            if says is not None:
                says()

        setattr(session, _SAYS, saying)

    def those_who_wait(sessions: Any) -> list[Any]:
        found = []
        for one in list(waiting):
            session = one()
            info = session and sessions.get_active_session_info(session.id)
            if info is not None or session is None:  # one that has lost its connection stays
                del waiting[one]
            if info is not None:
                found.append(info)
        return found

    async def narrowed(runtime: Any) -> None:
        sessions = runtime._session_mgr
        few = _Narrowed(sessions, "list_active_sessions", lambda: those_who_wait(sessions))
        await loop(_Narrowed(runtime, "_session_mgr", few))

    def wake(runtime: Any) -> None:
        try:
            objects = runtime._get_async_objs()
            here = asyncio.get_running_loop() is objects.eventloop
        except RuntimeError:  # on another thread
            here = False
        if here:
            objects.need_send_data.set()
        else:
            said(runtime)

    setattr(Runtime, _LOOP, narrowed)
    setattr(Runtime, _SAID, wake)
    setattr(sessions_kind, _BEGINS, begun)


def _names(function: Any, *names: str) -> bool:
    """Whether these attributes occur in a function's code."""
    code = getattr(function, "__code__", None)
    return code is not None and {*names} <= {*code.co_names}
