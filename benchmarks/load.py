"""A full lecture hall: many readers who move sliders, on real servers, in Streamlit's own protocol.

`python -m benchmarks.load --users 200 --think 5 --json` opens the race, the map and softmax in
turns and lets every reader think (so many seconds on average) and then move a control by a little.
A request is what the page's store says while a hand is on a slider, every fourth time what it says
when the hand lets go; it ends when the server says that the run has finished. Printed are p50_ms
and p95_ms of all and of each page, failures (no answer, a lost connection, an exception on the
page), reruns_per_s, rss_mb of all servers, how many cores servers and readers take, and, for each
request, processor_ms and reader_ms: processor time of the servers and of what plays the readers,
which a busy machine stretches less than time.

`--visits 2000` has so many readers come, move once and leave, as a closed tab does or, every tenth
of them, as a lost connection, and prints how memory grew since the first tenth of them.
`--replicas` servers share the readers; more than one at a time wants one core each. Linux alone:
processor time and memory are read from /proc. Loopback only.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import random
import resource
import struct
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.figures import asking, percentile, rounded, show
from tests.browser import app_process
from tests.reader import PATIENCE, Tab

ARRIVALS = 6  # readers who come at the same time, for each server
VISIT_PATIENCE = 60.0  # while all arrive at once
REST = 30.0  # seconds after which the sessions of readers who left have been freed
LETS_GO = 4  # every so many requests the hand lets go
BREAKS = 10  # of so many readers who leave one's connection breaks
MOVES: dict[str, Callable[[int], dict[str, Any]]] = {
    "race": lambda i: {"lr": 0.01 + 0.0005 * (i % 17)},
    "map": lambda i: {"steps": 100 + i % 40},
    "softmax": lambda i: {"T": 0.5 + 0.01 * (i % 100)},
}


class Line(asyncio.Protocol):
    """A WebSocket's client end in few lines: thousands of messages a second must cost little."""

    def __init__(self, tab: Tab, host: str) -> None:
        self.tab = tab
        self.host = host
        self.open = asyncio.get_running_loop().create_future()
        self.finished: asyncio.Future[None] | None = None
        self.rest = b""
        self.heard = self.size = 0  # messages that have come, and their bytes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /_stcore/stream HTTP/1.1\r\nHost: {self.host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: streamlit\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        if not self.open.done():
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self.rest = head
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.transport.abort()
                return
            self.open.set_result(None)
        at = 0
        while (frame := _frame(data, at)) is not None:
            begin, at = frame
            kind = data[begin[0]] & 15
            body = data[begin[1] : at]
            if kind == 2:
                self.heard, self.size = self.heard + 1, self.size + len(body)
                if self.tab.hears(body) and self.finished and not self.finished.done():
                    self.finished.set_result(None)
            elif kind == 9:
                self._write(10, body)
        self.rest = data[at:]

    def connection_lost(self, exc: Exception | None) -> None:
        for waiting in (self.open, self.finished):
            if waiting is not None and not waiting.done():
                waiting.set_exception(ConnectionError("the server hung up"))

    def _write(self, kind: int, body: bytes) -> None:
        size = len(body)
        short = size < 126
        head = bytes([128 | kind, 128 | (size if short else 126)])
        head += b"" if short else struct.pack(">H", size)
        self.transport.write(head + bytes(4) + body)  # a mask of zeros: nothing to hide here

    def leave(self) -> None:
        """What a browser does when a tab is closed."""
        self._write(8, struct.pack(">H", 1001))
        self.transport.close()

    async def run(self, asked: bytes, patience: float) -> None:
        """Ask for a run and wait for its end; OSError (a TimeoutError is one) where none comes."""
        self.finished = asyncio.get_running_loop().create_future()
        self._write(2, asked)
        await asyncio.wait_for(self.finished, patience)


def _frame(data: bytes, at: int) -> tuple[tuple[int, int], int] | None:
    """((where a frame begins, where its body does), where it ends); None where it is not whole."""
    if len(data) < at + 2:
        return None
    size, body = data[at + 1] & 127, at + 2
    if size >= 126:
        wide = 2 if size == 126 else 8
        if len(data) < body + wide:
            return None
        size, body = int.from_bytes(data[body : body + wide], "big"), body + wide
    return None if len(data) < body + size else ((at, body), body + size)


@dataclass
class Found:
    """What the readers saw."""

    milliseconds: dict[str, list[float]] = field(default_factory=lambda: {p: [] for p in MOVES})
    visits: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    server_cores: float = 0.0
    reader_cores: float = 0.0

    def fail(self, page: str, why: object) -> None:
        self.failures.append(f"{page}: {why}")


async def arrive(server: str, page: str) -> Line:
    """Open a page in a session of its own."""
    parts = urlsplit(server)
    loop = asyncio.get_running_loop()
    tab = Tab(f"/{page}")
    _, line = await loop.create_connection(
        lambda: Line(tab, parts.netloc), parts.hostname, parts.port
    )
    try:
        await asyncio.wait_for(line.open, VISIT_PATIENCE)
        await line.run(tab.asks(), VISIT_PATIENCE)
    except BaseException:
        line.transport.abort()
        raise
    return line


async def move(line: Line, page: str, turn: int, found: Found) -> None:
    """One request of a reader, timed."""
    asked = line.tab.moves(committed=turn % LETS_GO == 0, **MOVES[page](turn))
    begin = time.perf_counter()
    await line.run(asked, PATIENCE)
    found.milliseconds[page].append(1000 * (time.perf_counter() - begin))
    for said in line.tab.errors:
        found.fail(page, said)
    line.tab.errors.clear()


async def read(
    server: str, page: str, think: float, door: asyncio.Semaphore, start: asyncio.Event,
    stop: asyncio.Event, seated: Callable[[], None], found: Found,
) -> None:  # fmt: skip
    """One reader: comes, waits until all are there, then thinks and moves until told to stop."""
    line = None
    try:
        async with door:
            begin = time.perf_counter()
            line = await arrive(server, page)
            found.visits.append(time.perf_counter() - begin)
    except OSError as error:
        found.fail(page, f"no visit: {error!r}")
    seated()
    if line is None:
        return
    await start.wait()
    try:
        for turn in itertools.count(random.randrange(100)):
            # As if all had been here for long: their first moves are no more at a time than later.
            pause = random.expovariate(1 / think)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
                return
            await move(line, page, turn, found)
    except OSError as error:
        found.fail(page, repr(error))
    finally:
        line.transport.abort()


async def sit(
    servers: Sequence[str], users: int, think: float, seconds: float, spent: Callable[[], float]
) -> Found:
    """All readers at once, for so long after the last has come; `spent` tells processor time."""
    found = Found()
    start, stop = asyncio.Event(), asyncio.Event()
    doors = [asyncio.Semaphore(ARRIVALS) for _ in servers]
    here, everybody = itertools.count(1), asyncio.Event()

    def seated() -> None:
        if next(here) == users:
            everybody.set()

    pages = itertools.cycle(MOVES)
    tasks = [
        asyncio.create_task(
            read(
                servers[k % len(servers)], next(pages), think, doors[k % len(servers)],
                start, stop, seated, found,
            )
        )
        for k in range(users)
    ]  # fmt: skip
    await everybody.wait()
    await asyncio.sleep(2.0)  # what arriving left to do
    start.set()
    await asyncio.sleep(think)  # until everybody has begun
    for list_ in found.milliseconds.values():
        list_.clear()
    servers_before, own_before = spent(), time.process_time()
    await asyncio.sleep(seconds)
    found.server_cores = (spent() - servers_before) / seconds
    found.reader_cores = (time.process_time() - own_before) / seconds
    stop.set()
    await asyncio.gather(*tasks)
    return found


async def come_and_go(servers: Sequence[str], visits: int, found: Found) -> None:
    """So many readers who come, move once and leave, a few at a time."""
    turns = iter(range(visits))

    async def guest() -> None:
        for turn in turns:
            page = list(MOVES)[turn % len(MOVES)]
            try:
                line = await arrive(servers[turn % len(servers)], page)
                await move(line, page, turn, found)
                if turn % BREAKS:
                    line.leave()
                else:
                    line.transport.abort()
            except OSError as error:
                found.fail(page, repr(error))

    await asyncio.gather(*(guest() for _ in range(ARRIVALS * len(servers))))


def family(process: int) -> list[int]:
    """The process and all that it has started, and those."""
    found = [process]
    for each in found:
        with suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def processor_seconds(process: int) -> float:
    """Processor time that the process and its children have taken so far, those gone as well."""
    ticks = 0
    for each in family(process):
        with suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11 : 15 if each == process else 13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> float:
    """Resident memory of the process and its children in MB."""
    pages = 0
    for each in family(process):
        with suppress(OSError):
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def serving(replicas: int) -> Iterator[tuple[list[str], list[int]]]:
    """So many servers, each in a process of its own: their addresses and processes."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        started = [
            stack.enter_context(app_process("app.py", Path(folder, f"{k}.log")))
            for k in range(replicas)
        ]
        yield [address for address, _ in started], [process.pid for _, process in started]


def measure(users: int, think: float, seconds: float, replicas: int) -> dict[str, Any]:
    """The figures of a full hall."""
    with serving(replicas) as (servers, processes):
        asyncio.run(come_and_go(servers, 2 * len(MOVES) * replicas, Found()))  # caches are warm
        found = asyncio.run(
            sit(servers, users, think, seconds, lambda: sum(map(processor_seconds, processes)))
        )
        every = [ms for page in found.milliseconds.values() for ms in page]
        return {
            "p50_ms": percentile(every, 50),
            "p95_ms": percentile(every, 95),
            "failures": len(found.failures),
            "rss_mb": sum(map(memory, processes)),
            "reruns_per_s": len(every) / seconds,
            "pages": {
                page: {"p50_ms": percentile(ms, 50), "p95_ms": percentile(ms, 95)}
                for page, ms in found.milliseconds.items()
            },
            "visit_p95_s": percentile(found.visits, 95),
            "server_cores": found.server_cores,
            "reader_cores": found.reader_cores,
            "processor_ms": 1000 * found.server_cores * seconds / max(len(every), 1),
            "reader_ms": 1000 * found.reader_cores * seconds / max(len(every), 1),
            "users": users,
            "think_s": think,
            "replicas": replicas,
            "load_before": os.getloadavg()[0],
            "why": sorted(set(found.failures))[:5],
        }


def measure_memory(visits: int, replicas: int) -> dict[str, Any]:
    """How memory grows while readers come and go."""
    with serving(replicas) as (servers, processes):
        found = Found()
        asyncio.run(come_and_go(servers, visits // 10, found))
        time.sleep(REST)
        before = sum(map(memory, processes))
        asyncio.run(come_and_go(servers, visits - visits // 10, found))
        time.sleep(REST)
        after = sum(map(memory, processes))
        return {
            "visits": visits,
            "failures": len(found.failures),
            "rss_mb_early": before,
            "rss_mb": after,
            "growth_percent": 100 * (after / before - 1),
            "replicas": replicas,
            "why": sorted(set(found.failures))[:5],
        }


def main() -> None:
    """Measure, and print what was found."""
    parser = asking(__doc__)
    parser.add_argument("--users", type=int, default=200, help="readers at the same time")
    parser.add_argument("--think", type=float, default=5.0, help="seconds between two moves")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long is measured")
    parser.add_argument("--replicas", type=int, default=1, help="servers that share the readers")
    parser.add_argument("--visits", type=int, default=0, help="measure memory over so many visits")
    asked = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a socket for each reader
    figures = rounded(
        measure_memory(asked.visits, asked.replicas)
        if asked.visits
        else measure(asked.users, asked.think, asked.seconds, asked.replicas)
    )
    show(figures, as_json=asked.json)


if __name__ == "__main__":
    main()
