"""What six hostile readers cost another one: real server, Streamlit's own protocol, loopback only.

`python -m benchmarks.hostile --json` prints other_p95_ms (a rerun of the race while six readers
open the worst links of the corpus, ask for fine maps, send values faster than they are answered,
leave and come again), new_visit_s (the slowest of a few first visits meanwhile), idle_after_s (from
when the hostile ones left until the server rests), and rss_growth_mb (memory once their sessions
are forgotten against memory before they came, every page that they visit having been opened once).
The server is its process and those that it has started. Linux alone: processor time and memory are
read from /proc. It ends by itself after three minutes at most.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from websockets.exceptions import WebSocketException

from benchmarks.figures import asking, percentile, rounded, show
from benchmarks.load import memory, processor_seconds, serving
from tests.hostile.corpus import WORST
from tests.reader import STORE, Reader

HOSTILE = 6
ALONE_SECONDS = 6.0
SECONDS = 25.0
PAUSE = 0.25  # between two moves of a hand, as the browser's store sends them
VISITS = ("/entropy", "/race", "/debugger", "/softmax", "/map")
IDLE = 0.1  # of one core: below that a server rests
IDLE_SECONDS = 60.0
FORGOTTEN_SECONDS = 25.0  # a session is kept for five seconds, ten later it is collected
RACE = "/race?runs=sgd;momentum;adam&steps=120"


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


def open_once(server: str) -> None:
    """Every page that will be visited, with a fine map of each that has one: caches are warm."""
    for link in (*VISITS, "/basins", "/four_ways", "/engine_room", RACE):
        with Reader(server, link) as reader:
            reader.ask()
            reader.answer()
            for _ in range(20):
                if not reader.fine():
                    break
                reader.answer(1.0)
                time.sleep(0.2)


def measure() -> dict[str, float]:
    """All figures, from one server."""
    with serving(1) as ([server], [process]):
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
        time.sleep(FORGOTTEN_SECONDS)
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
    asked = asking(__doc__).parse_args()
    show(rounded(measure(), 2), as_json=asked.json)


if __name__ == "__main__":
    main()
