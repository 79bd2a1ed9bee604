"""What six hostile readers cost another one: real server, Streamlit's own protocol, loopback only.

`python -m benchmarks.hostile --json` prints other_p95_ms (a rerun of the race while six readers
open the worst links of the corpus, ask for fine maps, send values faster than they are answered,
leave and come again), new_visit_s (the slowest of a few first visits meanwhile), idle_after_s (from
when the hostile ones left until the server rests), and rss_growth_mb (memory then against memory
before they came, every page that they visit having been opened once). Linux alone: processor time
and memory are read from /proc. It ends by itself after two minutes at most.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.browser import serve_app
from tests.hostile.corpus import WORST

HOSTILE = 6
ALONE_SECONDS = 6.0
SECONDS = 25.0
PATIENCE = 20.0  # seconds after which an answer is taken to be lost
PAUSE = 0.25  # between two moves of a hand, as the browser's store sends them
VISITS = ("/entropy", "/race", "/debugger", "/softmax", "/map")
IDLE = 0.1  # of one core: below that a server rests
IDLE_SECONDS = 60.0
STORE, AT_REST = "descent_lab.store", "descent_lab.at_rest"
RACE = "/race?runs=sgd;momentum;adam&steps=120"


class Reader:
    """One tab: a session of its own, a page, and what its components last said of themselves."""

    def __init__(self, server: str, link: str) -> None:
        parts = urlsplit(link)
        self.page, self.query = parts.path[1:], parts.query
        self.components: dict[str, str] = {}  # the id of each component by its name
        self.mark = ""  # of the fine map that the page would make
        self.fragments: dict[str, str] = {}
        self.seq = int(time.time() * 1000)
        address = f"ws{server.removeprefix('http')}/_stcore/stream"
        self.connection = connect(
            address,
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

    def ask(self, states: dict[str, Any] | None = None, asked: str = "") -> None:
        """Send what a rerun sends: the states of components by name, the mark of a fine map."""
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string = self.query
        rerun.page_name = self.page
        for name, state in (states or {}).items():
            widget = rerun.widget_states.widgets.add()
            widget.id = self.components[name]
            widget.json_value = json.dumps(state)
            rerun.fragment_id = self.fragments.get(name, "")
        if asked:
            widget = rerun.widget_states.widgets.add()
            widget.id = f"$$STREAMLIT_INTERNAL_KEY_{self.components[AT_REST]}__events"
            widget.json_trigger_value = json.dumps([{"event": "ask", "value": asked}])
            rerun.fragment_id = self.fragments.get(AT_REST, "")
        self.socket.send(message.SerializeToString())

    def answer(self, patience: float = PATIENCE) -> bool:
        """Take in all that comes until a run has finished; False where none does in time."""
        end = time.monotonic() + patience
        while (left := end - time.monotonic()) > 0:
            try:
                message = ForwardMsg.FromString(self.socket.recv(timeout=left))
            except TimeoutError:
                return False
            if message.WhichOneof("type") == "script_finished":
                return True
            element = message.delta.new_element
            if message.WhichOneof("type") == "delta" and element.HasField("bidi_component"):
                component = element.bidi_component
                self.components[component.component_name] = component.id
                if message.delta.fragment_id:
                    self.fragments[component.component_name] = message.delta.fragment_id
                if component.component_name == AT_REST:
                    self.mark = json.loads(component.json)["mark"]
        return False

    def move(self, **values: Any) -> None:
        """What the page's store says while a hand moves."""
        self.seq += 1
        state = {"values": {"seq": self.seq, "set": values, "committed": False}}
        self.ask({STORE: state})

    def fine(self) -> bool:
        """Ask for the fine map, where the page has one that is not there yet."""
        if self.mark:
            self.ask(asked=self.mark)
        return bool(self.mark)


def rates() -> Iterator[float]:
    """Learning rates that a hand passes over."""
    return itertools.cycle([0.01 + 0.0005 * i for i in range(17)])


def measure_other(server: str, seconds: float) -> list[float]:
    """Milliseconds from a move of the learning rate on the race to the end of its rerun."""
    found = []
    with Reader(server, RACE) as reader:
        reader.ask()
        reader.answer()
        end = time.monotonic() + seconds
        for rate in rates():
            begin = time.monotonic()
            if begin > end:
                break
            reader.move(lr=rate)
            reader.answer()
            found.append(1000 * (time.monotonic() - begin))
            time.sleep(PAUSE)
    return found


def all_hostile(server: str, stop: Any, opened: Any) -> None:
    """Six hostile readers at once, in a process of their own, until told to stop."""
    threads = [
        threading.Thread(target=be_hostile, args=(server, i, stop, opened)) for i in range(HOSTILE)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def be_hostile(server: str, first: int, stop: Any, opened: Any) -> None:
    """Open one bad link after the other, each new to every cache, until told to stop."""
    for turn in itertools.count(first):
        if stop.is_set():
            return
        parts = urlsplit(WORST[turn % len(WORST)])
        fields = dict(parse_qsl(parts.query))
        if "f" in fields:
            fields["f"] += f"+{turn % 7}e-{turn % 300}*x"
        link = f"{parts.path}?{urlencode(fields)}"
        with suppress(OSError, WebSocketException), Reader(server, link) as reader:
            reader.ask()
            reader.answer(5.0)
            with opened.get_lock():
                opened.value += 1
            for _ in range(6):  # looks in on its fine map, as a browser does
                if reader.fine():
                    reader.answer(0.3)
            for rate in itertools.islice(rates(), 20):
                if stop.is_set() or STORE not in reader.components:
                    break
                reader.move(lr=rate, epochs=3000 - int(1000 * rate))
                time.sleep(0.03)


def measure_visits(server: str, stop: Any, found: list[float]) -> None:
    """Seconds of first visits, one after the other."""
    for link in VISITS:
        if stop.wait(SECONDS / (len(VISITS) + 1)):
            return
        begin = time.monotonic()
        with Reader(server, link) as reader:
            reader.ask()
            reader.answer()
        found.append(time.monotonic() - begin)


def processor_seconds(process: int) -> float:
    """Processor time that the process has taken so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> float:
    """Resident memory in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def wait_until_idle(process: int) -> float:
    """Seconds until the process has rested for a second."""
    begin = time.monotonic()
    rested_since = begin
    before = processor_seconds(process)
    while (now := time.monotonic()) - begin < IDLE_SECONDS and now - rested_since < 1.0:
        time.sleep(0.25)
        after = processor_seconds(process)
        if after - before > IDLE * 0.25:
            rested_since = time.monotonic()
        before = after
    return rested_since - begin


@contextmanager
def serving() -> Iterator[tuple[str, int]]:
    """The app in a process of its own: its address and the process."""
    with tempfile.TemporaryDirectory() as folder, serve_app("app.py", Path(folder, "log")) as at:
        children = Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/children")
        yield at, int(children.read_text().split()[-1])


def open_once(server: str) -> None:
    """Every page that will be visited, with a fine map of each that has one: caches are warm."""
    for link in (*VISITS, "/basins", "/four_ways", "/engine_room", RACE):
        with Reader(server, link) as reader:
            reader.ask()
            reader.answer()
            if reader.fine():
                reader.answer(1.0)


def percentile(values: Sequence[float], share: int) -> float:
    """The value below which `share` per cent of them lie."""
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


def measure() -> dict[str, float]:
    """All figures, from one server."""
    with serving() as (server, process):
        open_once(server)
        wait_until_idle(process)
        alone = measure_other(server, ALONE_SECONDS)
        before = memory(process)
        spawned = multiprocessing.get_context("spawn")
        stop, opened = spawned.Event(), spawned.Value("i", 0)
        visits: list[float] = []
        tasks = [
            spawned.Process(target=all_hostile, args=(server, stop, opened)),
            threading.Thread(target=measure_visits, args=(server, stop, visits)),
        ]
        for task in tasks:
            task.start()
        while not opened.value:
            time.sleep(0.1)
        spent = processor_seconds(process)
        other = measure_other(server, SECONDS)
        spent = processor_seconds(process) - spent
        stop.set()
        for task in tasks:
            task.join()
        idle = wait_until_idle(process)
        return {
            "other_p50_ms": percentile(other, 50),
            "other_p95_ms": percentile(other, 95),
            "alone_p95_ms": percentile(alone, 95),
            "new_visit_s": max(visits),
            "idle_after_s": idle,
            "rss_growth_mb": memory(process) - before,
            "hostile_visits": opened.value,
            "cores_taken": spent / SECONDS,
            "load_before": os.getloadavg()[0],
        }


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")
    asked = parser.parse_args()
    figures = {name: round(value, 2) for name, value in measure().items()}
    if asked.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:16}{value:10.2f}")


if __name__ == "__main__":
    main()
