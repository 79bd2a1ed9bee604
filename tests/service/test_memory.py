"""Readers who have left leave nothing: their sessions are dropped, freed, and given back."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from streamlit.runtime import Runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.session_manager import SessionInfo
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

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


def test_there_is_nothing_to_drop_before_the_server_has_started() -> None:
    assert not Runtime.exists()
    memory.give_back()


def test_streamlit_still_keeps_them_there() -> None:
    assert "_get_async_objs" in vars(Runtime)
    assert "_session_mgr" in Runtime.__init__.__code__.co_names
