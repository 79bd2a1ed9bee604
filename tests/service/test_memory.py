"""Readers who have left leave nothing: their sessions are dropped, freed, and given back."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from unittest.mock import Mock, call

import pytest
from streamlit import config
from streamlit.runtime import Runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.session_manager import SessionInfo
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from components import gate
from service import memory


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One that runs in a thread of its own, as the server's does."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


class Session:
    """One that holds itself, as Streamlit's do."""

    id = "one"

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize(("seconds", "freed"), [(0, True), (60, False)])
def test_a_session_that_has_expired_is_freed_and_no_other(
    monkeypatch: pytest.MonkeyPatch, loop: asyncio.AbstractEventLoop, seconds: int, freed: bool
) -> None:
    storage = MemorySessionStorage(ttl_seconds=seconds)
    manager = WebsocketSessionManager(storage, Mock(), Mock(), Mock())
    objects = SimpleNamespace(eventloop=loop)
    runtime = SimpleNamespace(_session_mgr=manager, _get_async_objs=lambda: objects)
    monkeypatch.setattr(Runtime, "instance", lambda: runtime)
    session = Session()
    held = weakref.ref(session)
    storage.save(SessionInfo(client=None, session=session))
    del session
    memory.give_back()
    assert (held() is None) == freed


@pytest.mark.parametrize("taken_over", [False, True])
def test_a_session_whose_reader_took_leave_ends_at_once_unless_another_has_it(
    monkeypatch: pytest.MonkeyPatch, taken_over: bool
) -> None:
    runtime = Mock(Runtime)
    runtime.is_active_session.return_value = taken_over
    monkeypatch.setattr(Runtime, "instance", lambda: runtime)
    memory.forget("one")
    assert runtime.close_session.mock_calls == ([] if taken_over else [call("one")])


class Over(Exception):
    """The end of a clock's time."""


class Clock:
    """Time that passes when somebody sleeps, and readers who come and leave in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, leave: Callable[[float], int]) -> None:
        self.now, self.leave = 0.0, leave
        self.given: list[float] = []
        monkeypatch.setattr(memory, "time", self)
        monkeypatch.setattr(memory, "give_back", lambda: self.given.append(self.now))
        monkeypatch.setattr(gate, "left", 0)
        monkeypatch.setattr(gate, "came", 5)
        monkeypatch.setattr(gate, "stirred", 0.0)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now > 60.0:
            raise Over
        if (left := self.leave(self.now)) != gate.left:
            gate.left, gate.came, gate.stirred = left, left + 5, self.now


def test_what_readers_left_is_given_back_in_a_rush_after_a_rest_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Forty a second from second 40 on: the look at its first ones must not wait for a pause."""
    clock = Clock(monkeypatch, lambda now: max(0, int(40 * (now - 39.9))))
    with pytest.raises(Over):
        memory.give_back_for_ever()
    assert clock.given[0] < 42.0
    assert max(map(float.__sub__, clock.given[1:], clock.given)) < 2.5


def test_one_reader_who_left_is_no_reason_to_hurry_and_nobody_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch, lambda now: int(now > 15.0))
    with pytest.raises(Over):
        memory.give_back_for_ever()
    kept = config.get_option("server.disconnectedSessionTTL") + memory.COLLECT_SECONDS
    assert clock.given
    assert 15.0 <= clock.given[0] <= clock.given[-1] <= 17.0 + kept


def test_there_is_nothing_to_drop_before_the_server_has_started() -> None:
    assert not Runtime.exists()
    memory.give_back()


def test_streamlit_still_keeps_them_there() -> None:
    assert "_get_async_objs" in vars(Runtime)
    assert "_session_mgr" in Runtime.__init__.__code__.co_names
