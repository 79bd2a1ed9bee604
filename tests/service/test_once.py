"""What is done at less cost is what Streamlit does."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.cursor import Cursor, LockedCursor, RunningCursor, SparseList
from streamlit.delta_generator import DeltaGenerator
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import Runtime, app_session

from service import once


def test_the_remembered_theme_is_streamlits_own(monkeypatch: pytest.MonkeyPatch) -> None:
    now = app_session._populate_theme_msg  # remembered already, where the app has been imported
    own = getattr(now, "own", now)
    monkeypatch.setattr(app_session, "_populate_theme_msg", own)
    sections = ("theme", "theme.light", "theme.dark", "theme.light.sidebar")
    wanted = {}
    for section in sections:
        own(message := CustomThemeConfig(), section)
        wanted[section] = message
    once.remember_theme()
    assert app_session._populate_theme_msg is not own
    for section in sections * 2:
        app_session._populate_theme_msg(message := CustomThemeConfig(), section)
        assert message == wanted[section]


def test_another_streamlit_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(app_session, "_populate_theme_msg")
    once.remember_theme()
    assert not hasattr(app_session, "_populate_theme_msg")


def test_a_place_is_copied_as_deep_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Cursor, RunningCursor, LockedCursor, SparseList, DeltaGenerator):
        monkeypatch.setattr(kind, "__deepcopy__", None, raising=False)  # it is taken back
    once.copy_places_plainly()
    page = DeltaGenerator(0, RunningCursor(0))
    inside = DeltaGenerator(0, RunningCursor(0, (3,)), page, "vertical")
    spot = inside._cursor
    assert isinstance(spot, RunningCursor)
    spot.lock_element()
    spot.transient_elements[0] = Element()

    above, below = deepcopy((page, inside))
    assert below._parent is above
    copy = below._cursor
    assert isinstance(copy, RunningCursor)
    assert copy.delta_path == spot.delta_path == [0, 3, 1]
    assert len(copy.transient_elements) == 1
    copy.lock_element()
    assert spot.delta_path == [0, 3, 1]
    assert len(spot.transient_elements) == 1


class Session:
    """What of a session the loop that sends has to do with."""

    def __init__(self, name: str, says: Callable[[], None]) -> None:
        self.id = name
        self._message_enqueued_callback = says

    def _enqueue_forward_msg(self, msg: object) -> None:
        self._message_enqueued_callback()


class Sessions:
    """Sessions by name, those that are connected."""

    def __init__(self, *sessions: Session) -> None:
        self.here = {session.id: session for session in sessions}

    def list_active_sessions(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(session=session) for session in self.here.values()]

    def get_active_session_info(self, name: str) -> SimpleNamespace | None:
        return SimpleNamespace(session=self.here[name]) if name in self.here else None


def test_those_who_wait_are_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[list[str]] = []

    async def loop(runtime: Any) -> None:
        turns.append([info.session.id for info in runtime._session_mgr.list_active_sessions()])

    def said(runtime: Any) -> None:
        runtime.need_send_data.set()

    monkeypatch.setattr(app_session, "AppSession", Session)
    monkeypatch.setattr(Session, "__init__", Session.__init__)
    monkeypatch.setattr(Runtime, "_loop_coroutine", loop)
    monkeypatch.setattr(Runtime, "_enqueued_some_message", said)
    once.send_to_those_who_wait()

    woken: list[str] = []
    readers = [Session(name, lambda name=name: woken.append(name)) for name in "abc"]  # type: ignore[misc]
    sessions = Sessions(*readers)
    runtime = SimpleNamespace(_session_mgr=sessions)

    def turn() -> list[str]:
        with pytest.raises(StopIteration):  # it waits for nothing here
            Runtime._loop_coroutine(runtime).send(None)  # type: ignore[arg-type]
        return turns.pop()

    assert turn() == []
    readers[2]._enqueue_forward_msg(None)
    readers[0]._enqueue_forward_msg(None)
    assert woken == ["c", "a"]
    assert turn() == ["c", "a"]
    assert turn() == []
    lost = sessions.here.pop("b")  # its connection breaks with something on its way
    lost._enqueue_forward_msg(None)
    assert turn() == []
    sessions.here["b"] = lost
    assert turn() == ["b"]
    assert [info.session.id for info in sessions.list_active_sessions()] == ["a", "c", "b"]


def test_another_loop_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def loop(runtime: Any) -> None:
        """It sends in another way."""

    monkeypatch.setattr(Runtime, "_loop_coroutine", loop)
    once.send_to_those_who_wait()
    assert Runtime._loop_coroutine is loop
