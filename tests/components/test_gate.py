"""What a browser may send, and what it may ask for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from components import gate


def run_alone(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a thread of its own: browser tests leave a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def rerun(**state: Any) -> bytes:
    """A rerun with one component whose value is set as given."""
    message = BackMsg()
    message.rerun_script.query_string = "lr=0.1"
    widget = message.rerun_script.widget_states.widgets.add()
    widget.id = "$$ID-component"
    for name, value in state.items():
        setattr(widget, name, value)
    return message.SerializeToString()


def alone(name: str) -> bytes:
    """A message of one kind that has no body."""
    message = BackMsg()
    setattr(message, name, True)
    return message.SerializeToString()


DEEP = "[" * 50_000


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (rerun(json_value=json.dumps({"values": {"seq": 1, "set": {"T": 2.0}}})), None),
        (rerun(string_value="no { json, and none is asked for"), None),
        (rerun(json_value="NaN"), None),  # Python's own reader takes it, and so does the page
        (alone("stop_script"), None),
        (alone("app_heartbeat"), None),
        (rerun(json_value="{"), 1008),
        (rerun(json_value=DEEP), 1008),
        (rerun(json_trigger_value="no"), 1008),
        (alone("clear_cache"), 1008),  # would empty the caches of every reader
        (alone("set_run_on_save"), 1008),
        (alone("debug_shutdown_runtime"), 1008),
        (b"", 1008),
        (b"\xff\xff\xff", 1002),
        (rerun(string_value="x" * gate.MESSAGE_BYTES), 1009),
    ],
)
def test_what_may_pass(body: bytes, code: int | None) -> None:
    assert gate.fault(body, gate.read(body)) == code


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_bytes(await socket.receive_bytes())
    except WebSocketDisconnect:
        pass


def serving(**how: Any) -> TestClient:
    async def told(request: Any) -> PlainTextResponse:
        return PlainTextResponse("numbers")

    inner = Starlette(
        routes=[
            WebSocketRoute("/_stcore/stream", echo),
            Route("/_stcore/metrics", told),
            Route("/lab/_stcore/metrics", told),
            Route("/_stcore/health", told),
        ]
    )
    return TestClient(gate.Gate(inner, **how))


def test_what_may_not_pass_ends_the_connection() -> None:
    with serving().websocket_connect("/_stcore/stream") as socket:
        socket.send_bytes(alone("app_heartbeat"))
        assert socket.receive_bytes() == alone("app_heartbeat")
        socket.send_bytes(alone("clear_cache"))
        with pytest.raises(WebSocketDisconnect) as end:
            socket.receive_bytes()
        assert end.value.code == 1008


@pytest.mark.parametrize(("code", "gone"), [(1001, True), (1000, False), (1006, False)])
def test_a_browser_takes_leave_of_a_page_by_one_word_alone(code: int, gone: bool) -> None:
    watch = Mock(gate.Watch)
    with serving(watch=lambda: watch).websocket_connect("/_stcore/stream") as socket:
        socket.close(code)
    watch.ended.assert_called_once_with("", gone)


def test_a_text_is_no_message() -> None:
    with serving().websocket_connect("/_stcore/stream") as socket:
        socket.send_text("hello")
        with pytest.raises(WebSocketDisconnect) as end:
            socket.receive_bytes()
        assert end.value.code == 1002


def test_who_sends_too_fast_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten at once, then a hundred a second: 15 take 50 ms at the least, and none is lost."""
    monkeypatch.setattr(gate, "AT_ONCE", 10)
    monkeypatch.setattr(gate, "A_SECOND", 100)
    sent = iter([{"type": "websocket.receive", "bytes": alone("app_heartbeat")}] * 15)

    async def receive() -> Any:
        return next(sent)

    async def send(message: Any) -> None:
        raise AssertionError(message)

    async def take() -> float:
        begin = time.monotonic()
        guarded = gate._guarded(receive, send, gate.Turns(), gate.Reader())
        for _ in range(15):
            assert (await guarded())["type"] == "websocket.receive"
        return time.monotonic() - begin

    assert run_alone(take()) > 0.045


def test_metrics_are_closed_unless_opened() -> None:
    for path in ("/_stcore/metrics", "/_stcore/metrics/"):
        assert serving().get(path).status_code == 404
    assert serving(base_path="/lab/").get("/lab/_stcore/metrics").status_code == 404
    assert serving(metrics=True).get("/_stcore/metrics").text == "numbers"
    assert serving().get("/_stcore/health").text == "numbers"


# Turns -------------------------------------------------------------------------------------------


def test_first_reruns_and_heavy_readers_go_one_at_a_time_and_in_turns() -> None:
    order: list[str] = []

    async def go() -> None:
        turns = gate.Turns()
        news = [gate.Reader() for _ in range(2)]
        heavies = [gate.Reader(used=9.0, kind="heavy") for _ in range(2)]
        light = gate.Reader(kind="light")
        await turns.take(news[0])

        async def wait(name: str, reader: gate.Reader) -> None:
            await turns.take(reader)
            order.append(name)

        tasks = [
            asyncio.ensure_future(wait(name, reader))
            for name, reader in [
                ("new", news[1]), ("heavy 1", heavies[0]), ("heavy 2", heavies[1]), ("light", light)
            ]
        ]  # fmt: skip
        await asyncio.sleep(0.01)
        assert order == ["light"]  # its way is free, however many wait
        for reader in (news[0], heavies[0], news[1]):
            turns.give(reader)
            await asyncio.sleep(0.01)
        await asyncio.gather(*tasks)

    run_alone(go())
    assert order == ["light", "heavy 1", "new", "heavy 2"]


def test_who_waits_longest_is_first_and_who_has_just_come_is_last() -> None:
    order: list[str] = []

    async def go() -> None:
        turns = gate.Turns()
        busy = [gate.Reader(kind="light") for _ in range(gate.LIGHT_PLACES)]
        for reader in busy:
            await turns.take(reader)
        now = time.monotonic()
        settled = now - 2 * gate.JUST_COME

        async def wait(name: str, came: float) -> None:
            reader = gate.Reader(kind="light", came=came)
            await turns.take(reader)
            order.append(name)
            turns.give(reader)

        waits = [("just come", now), ("later", settled), ("earlier", settled - 60.0)]
        tasks = [asyncio.ensure_future(wait(name, came)) for name, came in waits]
        await asyncio.sleep(0.01)
        turns.give(busy[0])
        await asyncio.gather(*tasks)

    run_alone(go())
    assert order == ["later", "earlier", "just come"]


def test_who_uses_much_is_heavy_until_it_is_forgotten() -> None:
    reader = gate.Reader()
    for _ in range(30):
        reader.charge(gate.LIGHT_RUN)
    assert reader.kind == "heavy"
    reader.at -= 3 * gate.FORGET_SECONDS
    reader.charge(0.0)
    assert reader.kind == "light"


def test_whose_last_rerun_was_long_is_heavy_until_one_is_short() -> None:
    reader = gate.Reader()
    reader.charge(2 * gate.LIGHT_RUN)
    assert reader.kind == "heavy"
    reader.charge(0.02)
    assert reader.kind == "light"


async def connected(session: str) -> tuple[gate.Turns, gate.Reader, Any]:
    """A reader with a rerun under way, whose session the server has named; what it sends by."""

    async def sent(message: Any) -> None:
        pass

    begun = ForwardMsg()
    begun.new_session.initialize.session_id = session
    begun.new_session.name = "x" * gate._SHORT
    turns, reader = gate.Turns(), gate.Reader()
    send = gate._watched(sent, turns, reader)
    await turns.take(reader)
    await send({"type": "websocket.send", "bytes": begun.SerializeToString()})
    return turns, reader, send


def test_a_reader_is_charged_with_what_the_runs_of_its_session_took() -> None:
    """The server says whose connection it is, and when a run has finished."""
    finished = ForwardMsg()
    finished.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY

    async def go() -> None:
        turns, reader, send = await connected("this one")
        gate.charge("this one", 1.0, over=False)
        gate.charge("another", 9.0)
        await send({"type": "websocket.send", "bytes": finished.SerializeToString()})
        assert reader.used == pytest.approx(1.0)
        assert not turns.running

    run_alone(go())


def test_a_place_is_free_when_the_script_is_over_whoever_reads_what_it_said() -> None:
    async def go() -> None:
        turns, reader, _ = await connected("silent")
        gate.charge("silent", 1.0, over=False)  # a callback's: the page follows
        await asyncio.sleep(0.01)
        assert reader in turns.running
        await asyncio.to_thread(gate.charge, "silent", 0.01)
        await asyncio.sleep(0.01)
        assert reader not in turns.running
        assert reader.kind == "heavy"

    run_alone(go())


def test_a_newer_rerun_overtakes_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PATIENCE", 0.02)

    async def go() -> None:
        turns, reader = gate.Turns(), gate.Reader()
        await turns.take(reader)
        await turns.take(reader)
        assert len(turns.running) == 1
        turns.give(reader)
        assert not turns.running

    run_alone(go())


def test_no_place_is_held_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gate.HOLD, "new", 0.02)

    async def go() -> None:
        turns = gate.Turns()
        await turns.take(gate.Reader())
        await turns.take(gate.Reader())  # as soon as the first has had its time
        await asyncio.sleep(0.05)
        assert not turns.running

    run_alone(go())


def test_a_reader_who_leaves_while_waiting_leaves_nothing_behind() -> None:
    async def go() -> None:
        turns, first, second = gate.Turns(), gate.Reader(), gate.Reader()
        await turns.take(first)
        task = asyncio.ensure_future(turns.take(second))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not turns.waiting["new"]
        turns.give(second)
        turns.give(first)
        assert not turns.running

    run_alone(go())


def test_the_first_rerun_of_a_connection_is_whole() -> None:
    """A tab that comes from a server that went away names a fragment that this one has not run."""
    fragment = BackMsg()
    fragment.rerun_script.fragment_id = "f"
    fragment.rerun_script.query_string = "lr=0.1"
    body = fragment.SerializeToString()
    with serving().websocket_connect("/_stcore/stream") as socket:
        socket.send_bytes(body)
        first = BackMsg.FromString(socket.receive_bytes())
        assert first.rerun_script.fragment_id == ""
        assert first.rerun_script.query_string == "lr=0.1"
        socket.send_bytes(body)
        assert socket.receive_bytes() == body
