"""A reader without a browser: Streamlit's own protocol, a session, and what a page's store says.

What a tab says and hears is kept apart from how it is carried, so that tests and benchmarks share
it: `Tab` knows messages alone, `Reader` is one on a connection of its own.
"""

from __future__ import annotations

import json
import time
from types import TracebackType
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PATIENCE: Final = 20.0  # seconds after which an answer is taken to be lost
STORE, HELD, AT_REST = "descent_lab.store", "descent_lab.held", "descent_lab.at_rest"


def stream(server: str) -> str:
    """The address of Streamlit's WebSocket on a server."""
    return f"ws{server.removeprefix('http')}/_stcore/stream"


class Tab:
    """A page in a session of its own, and what its components last said of themselves."""

    def __init__(self, link: str) -> None:
        parts = urlsplit(link)
        self.page, self.query = parts.path[1:], parts.query
        self.components: dict[str, str] = {}  # the id of each component by its name
        self.fragments: dict[str, str] = {}
        self.mark = ""  # of the fine map that the page would make
        self.errors: list[str] = []  # what an exception on the page says
        self.seq = int(time.time() * 1000)

    def asks(self, states: dict[str, Any] | None = None, mark: str = "") -> bytes:
        """What a rerun sends: the states of components by name, the mark of a fine map."""
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string = self.query
        rerun.page_name = self.page
        for name, state in (states or {}).items():
            widget = rerun.widget_states.widgets.add()
            widget.id = self.components[name]
            widget.json_value = json.dumps(state)
            rerun.fragment_id = self.fragments.get(name, "")
        if mark:
            widget = rerun.widget_states.widgets.add()
            widget.id = f"$$STREAMLIT_INTERNAL_KEY_{self.components[AT_REST]}__events"
            widget.json_trigger_value = json.dumps([{"event": "ask", "value": mark}])
            rerun.fragment_id = self.fragments.get(AT_REST, "")
        return message.SerializeToString()

    def moves(self, *, committed: bool = False, **values: Any) -> bytes:
        """What the page's store says while a hand moves, or when it lets go."""
        self.seq += 1
        state = {"values": {"seq": self.seq, "set": values, "committed": committed}}
        line = STORE if committed or HELD not in self.components else HELD
        return self.asks({line: state})

    def hears(self, body: bytes) -> bool:
        """Take in a message; True where it says that a run has finished."""
        message = ForwardMsg.FromString(body)
        kind = message.WhichOneof("type")
        if kind == "delta":
            element = message.delta.new_element
            if element.HasField("bidi_component"):
                component = element.bidi_component
                self.components[component.component_name] = component.id
                if message.delta.fragment_id:
                    self.fragments[component.component_name] = message.delta.fragment_id
                if component.component_name == AT_REST:
                    self.mark = json.loads(component.bytes)["mark"]
            elif element.HasField("exception"):
                self.errors.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        return kind == "script_finished"


def get(url: str) -> str:
    """What a server on this machine answers, whatever the status."""
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=PATIENCE) as answer:
            return str(answer.read().decode(errors="replace"))
    except HTTPError as error:
        return error.read().decode(errors="replace")


class Reader(Tab):
    """A tab on a connection of its own."""

    def __init__(self, server: str, link: str) -> None:
        super().__init__(link)
        self.connection = connect(
            stream(server),
            subprotocols=["streamlit"],
            max_size=None,
            proxy=None,
            open_timeout=PATIENCE,
            close_timeout=0.2,  # whoever leaves reads no more, so nobody says good-bye
        )

    def __enter__(self) -> Reader:
        self.socket = self.connection.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.__exit__(kind, error, trace)

    def ask(self) -> None:
        """Ask for the page."""
        self.socket.send(self.asks())

    def move(self, **values: Any) -> None:
        """Move values, the hand staying on the control."""
        self.socket.send(self.moves(**values))

    def fine(self) -> bool:
        """Ask for the fine map, where the page has one that is not there yet."""
        if self.mark:
            self.socket.send(self.asks(mark=self.mark))
        return bool(self.mark)

    def answer(self, patience: float = PATIENCE) -> bool:
        """Take in all that comes until a run has finished; False where none does in time."""
        end = time.monotonic() + patience
        while (left := end - time.monotonic()) > 0:
            try:
                body = self.socket.recv(timeout=left)
            except TimeoutError:
                return False
            if isinstance(body, bytes) and self.hears(body):
                return True
        return False
