"""Numbers of a server for a collector, in Prometheus' text format (version 0.0.4).

Counted are reruns and how long they took and waited, open connections and refused messages; the
rest is asked for when the numbers are: hits of the engine's caches, long work (fine maps and what
is compiled for them) that waits for its turn, memory and processor time. What is counted costs a
rerun some microseconds.
"""

from __future__ import annotations

import os
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds up to which the buckets of a histogram reach."""


class Histogram:
    """How often something took how long, for each of some labels."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = {}
        self.sums: dict[str, float] = {}

    def note(self, label: str, seconds: float) -> None:
        counts = self.counts.setdefault(label, [0] * (len(BUCKETS) + 1))
        counts[bisect_left(BUCKETS, seconds)] += 1
        self.sums[label] = self.sums.get(label, 0.0) + seconds

    def lines(self, name: str, called: str) -> Iterator[str]:
        """The histogram's samples, its buckets added up from the shortest."""
        for label, counts in sorted(self.counts.items()):
            tag, total = f'{called}="{label}"', 0
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
                total += count
                yield f'{name}_bucket{{{tag},le="{bound}"}} {total}'
            yield f"{name}_sum{{{tag}}} {self.sums[label]:.6f}"
            yield f"{name}_count{{{tag}}} {total}"


class Metrics:
    """The numbers of this process; `caches` gives (hits, misses, entries) of each by name."""

    def __init__(
        self,
        caches: Callable[[], Mapping[str, tuple[int, int, int]]] = dict,
        waiting_work: Callable[[], int] = lambda: 0,
    ) -> None:
        self.caches, self.waiting_work = caches, waiting_work
        self.took, self.waited = Histogram(), Histogram()
        self.connections = self.opened = 0
        self.refused: Counter[str] = Counter()

    def text(self) -> str:
        """All numbers, each with what it is."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        name = "descent_lab_rerun_seconds"
        yield from _head(name, "histogram", "From a message to the end of its rerun, by page.")
        yield from self.took.lines(name, "page")
        name = "descent_lab_wait_seconds"
        yield from _head(name, "histogram", "Of these, until the rerun had its turn, by page.")
        yield from self.waited.lines(name, "page")
        counts = ((page, sum(counts)) for page, counts in sorted(self.took.counts.items()))
        yield from _family("descent_lab_reruns_total", "counter", "Reruns.", "page", counts)
        yield from _single("descent_lab_sessions", "gauge", "Open sessions.", self.connections)
        yield from _single("descent_lab_sessions_total", "counter", "Sessions.", self.opened)
        yield from _family(
            "descent_lab_refused_total", "counter", "Messages that closed their connection.",
            "code", sorted(self.refused.items()),
        )  # fmt: skip
        caches = dict(self.caches())
        for k, (of, kind) in enumerate(
            (("hits_total", "counter"), ("misses_total", "counter"), ("entries", "gauge"))
        ):
            values = [(cache, counts[k]) for cache, counts in sorted(caches.items())]
            about = f"The caches' {of.removesuffix('_total')}."
            yield from _family(f"descent_lab_cache_{of}", kind, about, "cache", values)
        yield from _single(
            "descent_lab_waiting_work", "gauge", "Pieces of long work that wait for their turn.",
            self.waiting_work(),
        )  # fmt: skip
        times = os.times()
        yield from _single(
            "process_cpu_seconds_total", "counter", "Processor time.",
            round(times.user + times.system, 2),
        )  # fmt: skip
        if sys.platform == "linux":
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            held = pages * os.sysconf("SC_PAGE_SIZE")
            yield from _single("process_resident_memory_bytes", "gauge", "Memory.", held)

    def route(self, base_path: str = "") -> Route:
        """Where a collector finds them, in an app under that path ("" is the root)."""
        base = base_path.strip("/")

        async def told(request: Request) -> Response:
            return PlainTextResponse(self.text(), media_type="text/plain; version=0.0.4")

        return Route(f"/{base}/metrics" if base else "/metrics", told, methods=["GET"])


def _head(name: str, kind: str, about: str) -> tuple[str, str]:
    return f"# HELP {name} {about}", f"# TYPE {name} {kind}"


def _single(name: str, kind: str, about: str, value: float) -> Iterator[str]:
    yield from _head(name, kind, about)
    yield f"{name} {value}"


def _family(
    name: str, kind: str, about: str, called: str, values: Iterable[tuple[str, float]]
) -> Iterator[str]:
    yield from _head(name, kind, about)
    for label, value in values:
        yield f'{name}{{{called}="{label}"}} {value}'
