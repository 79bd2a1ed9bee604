"""What a browser may send: messages of the kinds and sizes that our pages use, at a reader's pace.

Streamlit takes more: a message that empties the caches of all readers, others meant for developers,
and states of components that are no JSON, which raise inside the page. None of our pages sends
those, so whoever does loses the connection; whoever sends too fast waits.

Scripts of all readers share one interpreter, so a rerun waits for its turn here: those who have
come just now, and those whose last rerun was long or whose reruns have taken much of late, go one
at a time, in turns; for all the others the way is free. A reader whose pages are quick shares with
one slow one, not with many. What a run takes is the processor time of its own thread, which the
pages tell (`charge`).
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from starlette.responses import PlainTextResponse
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MESSAGE_BYTES: Final = 128_000
"""The most in one message. A browser repeats a page's link and all its fields in every message:
under 1 kB as the pages open; a link and a typed rule of full length, 2000 characters each that
may take twelve bytes in an address, are 50 kB."""

A_SECOND: Final = 8
"""Messages a second that one connection may keep up: a hand on a control sends three, a page that
looks in on its finer map six."""
AT_ONCE: Final = 16
"""Messages that may come at once."""

LIGHT_PLACES: Final = 2
"""Reruns of light readers that may be under way at once; of those who wait the one who has waited
longest is first, those who have only just come after the others: to come again is no way to the
front. First ones of a visit, and those of readers who have used much, share one place beside them.
More only take the interpreter from each other, and from what sends their answers."""
JUST_COME: Final = 10.0
"""Seconds of a visit in which the others go first."""
LIGHT_RUN: Final = 0.1
"""Seconds that the last rerun of a light reader took at most."""
LIGHT_SECONDS: Final = 2.0
"""Seconds of the interpreter, of the last ten or so, up to which a reader is light: a hand that
moves all the time on the race uses about one."""
FORGET_SECONDS: Final = 10.0
"""Seconds after which what a reader used is forgotten, by and by."""
PATIENCE: Final = 1.0
"""Seconds after which a newer rerun of the same reader overtakes one under way."""
HOLD: Final = {"light": 0.3, "new": 1.5, "heavy": 1.5}
"""Seconds that a rerun holds its place at most: a long one goes on without."""
LONGEST: Final = 2.0
"""Seconds after which a rerun no longer waits for its turn."""

came = left = 0
"""How many connections have been opened, and how many have ended."""

stirred = 0.0
"""When, by time.monotonic, a rerun last began or ended."""

_taken: Final[dict[str, float]] = {}  # seconds by session, until its reader is charged with them

_ends: Final[dict[str, Callable[[], None]]] = {}  # by session, what ends a run of it

_KINDS: Final = {"rerun_script", "stop_script", "app_heartbeat", "load_git_info"}
_UNKNOWN, _TOO_BIG, _REFUSED = 1002, 1009, 1008
_GONE: Final = 1001  # what a browser says when a tab is closed or goes to another page
_SHORT: Final = 500  # bytes; the message that a rerun has finished has about 100
_JSON: Final = ("json_value", "json_trigger_value")


def charge(session: str, seconds: float, *, over: bool = True) -> None:
    """A run of that session has taken so many seconds of its thread; over says that this was all,
    and its place is free: what it has said is sent without one."""
    if len(_taken) > 1000:  # of those who left meanwhile
        _taken.clear()
    _taken[session] = _taken.get(session, 0.0) + seconds
    if over and (end := _ends.get(session)) is not None:
        end()


def read(body: bytes) -> BackMsg | None:
    """The message that these bytes are, if they are one."""
    message = BackMsg()
    try:
        message.ParseFromString(body)
    except Exception:  # protobuf has an error of its own: this is no message of Streamlit's
        return None
    return message


def fault(body: bytes, message: BackMsg | None) -> int | None:
    """Why a message is refused, as the code that closes a WebSocket; None where it is taken."""
    if len(body) > MESSAGE_BYTES:
        return _TOO_BIG
    if message is None:
        return _UNKNOWN
    if message.WhichOneof("type") not in _KINDS:
        return _REFUSED
    for widget in message.rerun_script.widget_states.widgets:
        if (kind := widget.WhichOneof("value")) in _JSON:
            try:
                json.loads(getattr(widget, kind))
            except (ValueError, RecursionError):
                return _REFUSED
    return None


class Watch:
    """Whoever wants to know what passes on a connection: this one does nothing."""

    def asked(self, message: BackMsg) -> None:
        """A rerun is asked for."""

    def began(self) -> None:
        """It has its turn."""

    def finished(self) -> None:
        """A run has finished."""

    def refused(self, code: int) -> None:
        """A message ended the connection."""

    def ended(self, session: str, gone: bool) -> None:
        """The connection is no more; gone says that its reader's browser took leave of the page."""


Kind = Literal["new", "heavy", "light"]


@dataclass(eq=False, slots=True)
class Reader:
    """One connection: what it has used of late, and whether a rerun of its is under way."""

    used: float = 0.0
    session: str = ""
    came: float = field(default_factory=time.monotonic)
    at: float = field(default_factory=time.monotonic)
    kind: Kind = "new"
    begun: float = 0.0
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: bool = False  # whether a rerun has been asked for on this connection
    gone: bool = False  # whether the browser said that the page was left
    watch: Watch = field(default_factory=Watch)

    @property
    def just_come(self) -> bool:
        """Whether the visit has only just begun."""
        return time.monotonic() - self.came < JUST_COME

    def charge(self, seconds: float) -> None:
        """Add what a rerun took to what is not yet forgotten."""
        now = time.monotonic()
        self.used = self.used * math.exp((self.at - now) / FORGET_SECONDS) + seconds
        self.at = now
        light = self.used <= LIGHT_SECONDS and seconds <= LIGHT_RUN
        self.kind = "light" if light else "heavy"


class Turns:
    """Who runs and who waits, in each of the three kinds."""

    def __init__(self) -> None:
        self.running: dict[Reader, Kind] = {}
        self.waiting: dict[Kind, dict[asyncio.Future[None], Reader]] = {
            "new": {},
            "heavy": {},
            "light": {},
        }

    def _free(self, kind: Kind) -> bool:
        light = sum(running == "light" for running in self.running.values())
        return light < LIGHT_PLACES if kind == "light" else light == len(self.running)

    async def take(self, reader: Reader) -> None:
        """Wait for a place, and for a rerun of the reader's own that is under way."""
        if reader in self.running:
            try:
                await asyncio.wait_for(reader.finished.wait(), PATIENCE)
            except TimeoutError:
                return  # it goes on in the place of the one that it overtakes
        kind = reader.kind
        if self._free(kind):
            self._start(reader, kind)
            return
        turn = asyncio.get_running_loop().create_future()
        self.waiting[kind][turn] = reader
        try:
            await asyncio.wait_for(turn, LONGEST)
        except TimeoutError:
            self._start(reader, kind)
        except asyncio.CancelledError:
            self.give(reader)
            raise
        finally:
            self.waiting[kind].pop(turn, None)

    def _start(self, reader: Reader, kind: Kind) -> None:
        global stirred
        stirred = time.monotonic()
        self.running[reader] = kind
        reader.begun = time.monotonic()
        reader.finished.clear()
        reader.watch.began()
        asyncio.get_running_loop().call_later(HOLD[kind], self.give, reader, reader.begun)

    def give(self, reader: Reader, begun: float | None = None) -> None:
        """A rerun has ended (or that one, begun then, has run too long to hold a place)."""
        if reader not in self.running or (begun is not None and begun != reader.begun):
            return
        global stirred
        stirred = time.monotonic()
        kind = self.running.pop(reader)
        if begun is not None and reader.session not in _taken:
            reader.kind = "heavy"  # it goes on without a place, and is charged at its end
        reader.finished.set()
        order: dict[Kind, tuple[Kind, ...]] = {
            "light": ("light",),
            "new": ("heavy", "new"),
            "heavy": ("new", "heavy"),
        }
        for following in order[kind]:
            waiting = self.waiting[following]
            while waiting and self._free(following):
                turn = min(waiting, key=lambda t: waiting[t].just_come)  # the first of equals
                one = waiting.pop(turn)
                if not turn.done():
                    self._start(one, following)
                    turn.set_result(None)
                    return


class Gate:
    """ASGI middleware before Streamlit's WebSocket and its metrics, which `metrics` opens.

    `watch` makes what is told of a connection.
    """

    def __init__(
        self,
        app: ASGIApp,
        base_path: str = "",
        metrics: bool = False,
        watch: Callable[[], Watch] = Watch,
    ) -> None:
        self.app = app
        self.watch = watch
        self.turns = Turns()
        self.metrics = metrics
        base = base_path.strip("/")
        self.metrics_path = f"/{base}/_stcore/metrics" if base else "/_stcore/metrics"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            global came, left
            came += 1
            reader = Reader(watch=self.watch())
            try:
                await self.app(
                    scope,
                    _guarded(receive, send, self.turns, reader),
                    _watched(send, self.turns, reader),
                )
            finally:
                self.turns.give(reader)
                _ends.pop(reader.session, None)
                reader.watch.ended(reader.session, reader.gone)
                left += 1
        elif (
            scope["type"] == "http"
            and not self.metrics
            and scope["path"].rstrip("/") == self.metrics_path
        ):
            await PlainTextResponse("Not found", status_code=404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _guarded(receive: Receive, send: Send, turns: Turns, reader: Reader) -> Receive:
    """Receives what may pass, when it may; what may not ends the connection."""
    tokens, refilled = float(AT_ONCE), time.monotonic()

    async def receive_guarded() -> Message:
        nonlocal tokens, refilled
        message = await receive()
        if message["type"] != "websocket.receive":
            reader.gone = message.get("code") == _GONE
            return message
        now = time.monotonic()
        tokens, refilled = min(AT_ONCE, tokens + (now - refilled) * A_SECOND) - 1, now
        if tokens < 0:
            await asyncio.sleep(-tokens / A_SECOND)
        body = message.get("bytes") or b""
        said = read(body) if len(body) <= MESSAGE_BYTES else None
        code = fault(body, said) if message.get("bytes") is not None else _UNKNOWN
        if code is not None:
            reader.watch.refused(code)
            await send({"type": "websocket.close", "code": code})
            return {"type": "websocket.disconnect", "code": code}
        if said is not None and said.WhichOneof("type") == "rerun_script":
            if not reader.arrived and said.rerun_script.fragment_id:
                # A tab whose server went away goes on where it was; this one has not seen the page
                # that the fragment is of, and would do nothing.
                said.rerun_script.fragment_id = ""
                message = {**message, "bytes": said.SerializeToString()}
            reader.arrived = True
            reader.watch.asked(said)
            await turns.take(reader)
        return message

    return receive_guarded


def _watched(send: Send, turns: Turns, reader: Reader) -> Send:
    """Sends, and notes whose connection this is and when a rerun has finished."""

    loop = asyncio.get_running_loop()

    def end() -> None:
        if reader in turns.running:
            reader.charge(_taken.pop(reader.session, 0.0))
            turns.give(reader)

    def end_soon() -> None:
        with suppress(RuntimeError):  # the server is going
            loop.call_soon_threadsafe(end)

    async def send_watched(message: Message) -> None:
        body = message.get("bytes") or b""
        if body and (len(body) <= _SHORT or not reader.session):
            said = ForwardMsg.FromString(body)
            if said.WhichOneof("type") == "new_session":
                reader.session = said.new_session.initialize.session_id
                _ends[reader.session] = end_soon
            elif said.WhichOneof("type") == "script_finished":
                end()
                reader.watch.finished()
        await send(message)

    return send_watched
