"""What a browser may send: messages of the kinds and sizes that our pages use, at a reader's pace.

Streamlit takes more: a message that empties the caches of all readers, others meant for developers,
and states of components that are no JSON, which raise inside the page. None of our pages sends
those, so whoever does loses the connection; whoever sends too fast waits.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse
from streamlit.proto.BackMsg_pb2 import BackMsg

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MESSAGE_BYTES: Final = 128_000
"""The most in one message. A browser repeats a page's link and all its fields in every message:
under 1 kB as the pages open; a link and a typed rule of full length, 2000 characters each that
may take twelve bytes in an address, are 50 kB."""

A_SECOND: Final = 20
"""Messages a second that one connection may keep up: a hand on a control sends four."""
AT_ONCE: Final = 60
"""Messages that may come at once."""

left = 0
"""How many connections have ended."""

_KINDS: Final = {"rerun_script", "stop_script", "app_heartbeat", "load_git_info"}
_UNKNOWN, _TOO_BIG, _REFUSED = 1002, 1009, 1008
_JSON: Final = ("json_value", "json_trigger_value")


def fault(body: bytes) -> int | None:
    """Why a message is refused, as the code that closes a WebSocket; None where it is taken."""
    if len(body) > MESSAGE_BYTES:
        return _TOO_BIG
    message = BackMsg()
    try:
        message.ParseFromString(body)
    except Exception:  # protobuf has an error of its own: this is no message of Streamlit's
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


class Gate:
    """ASGI middleware before Streamlit's WebSocket and its metrics, which `metrics` opens."""

    def __init__(self, app: ASGIApp, base_path: str = "", metrics: bool = False) -> None:
        self.app = app
        self.metrics = metrics
        base = base_path.strip("/")
        self.metrics_path = f"/{base}/_stcore/metrics" if base else "/_stcore/metrics"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            global left
            try:
                await self.app(scope, _guarded(receive, send), send)
            finally:
                left += 1
        elif (
            scope["type"] == "http"
            and not self.metrics
            and scope["path"].rstrip("/") == self.metrics_path
        ):
            await PlainTextResponse("Not found", status_code=404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _guarded(receive: Receive, send: Send) -> Receive:
    """Receives what may pass, when it may; what may not ends the connection."""
    tokens, refilled = float(AT_ONCE), time.monotonic()

    async def receive_guarded() -> Message:
        nonlocal tokens, refilled
        message = await receive()
        if message["type"] != "websocket.receive":
            return message
        now = time.monotonic()
        tokens, refilled = min(AT_ONCE, tokens + (now - refilled) * A_SECOND) - 1, now
        if tokens < 0:
            await asyncio.sleep(-tokens / A_SECOND)
        body = message.get("bytes")
        code = _UNKNOWN if body is None else fault(body)
        if code is None:
            return message
        await send({"type": "websocket.close", "code": code})
        return {"type": "websocket.disconnect", "code": code}

    return receive_guarded
