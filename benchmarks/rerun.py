"""What one rerun costs the server: processor time, messages and bytes, page by page.

`python -m benchmarks.rerun --json` opens each page in sessions of their own and lets a hand move a
control and let it go, one request after the other. Printed for each page are, of a visit, of a move
and of letting go, the server's processor time in ms (the median, on its own clock, which a busy
machine stretches little), the messages that came back, and their kilobytes. `--crowd 400` has so
many readers sit there meanwhile, who should cost the others nothing. Linux alone: one process reads
another's clock. Loopback only.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figures import asking, rounded, show
from benchmarks.load import MOVES, Line, arrive, serving
from tests.reader import PATIENCE

WARM = 6  # requests of each kind that are not counted
SETTLES = 0.03  # seconds after an answer in which the server does what is left to do


def clock(process: int) -> float:
    """Processor seconds that all threads of a process have taken."""
    return time.clock_gettime((~process << 3) | 2)  # as in clock_getcpuclockid


@dataclass
class Weighed:
    """Requests of one kind: what each took, and what came back."""

    milliseconds: list[float] = field(default_factory=list)
    messages: list[float] = field(default_factory=list)
    kilobytes: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """The medians."""
        return {name: statistics.median(found) for name, found in vars(self).items()}


async def weigh(server: str, process: int, page: str, rounds: int) -> dict[str, Weighed]:
    """Visits, moves and letting go on one page."""
    found = {kind: Weighed() for kind in ("visit", "move", "let_go")}

    def note(kind: str, begun: float, line: Line, heard: int, size: int) -> None:
        found[kind].milliseconds.append(1000 * (clock(process) - begun))
        found[kind].messages.append(line.heard - heard)
        found[kind].kilobytes.append((line.size - size) / 1000)

    for turn in range(WARM + rounds):
        if turn == WARM:
            found |= {kind: Weighed() for kind in found}
        begun = clock(process)
        line = await arrive(server, page)
        await asyncio.sleep(SETTLES)
        note("visit", begun, line, 0, 0)
        for k, kind in enumerate(["move", "let_go"] * 3):
            heard, size, begun = line.heard, line.size, clock(process)
            moved = MOVES[page](6 * turn + k)
            await line.run(line.tab.moves(committed=kind == "let_go", **moved), PATIENCE)
            await asyncio.sleep(SETTLES)
            note(kind, begun, line, heard, size)
        if line.tab.errors:
            raise RuntimeError(f"{page}: {line.tab.errors[0]}")
        line.leave()
        await asyncio.sleep(SETTLES)
    return found


async def weigh_all(server: str, process: int, rounds: int, crowd: int) -> dict[str, Any]:
    """The figures of every page, beside so many readers who do nothing."""
    seats = zip(range(crowd), itertools.cycle(MOVES), strict=False)
    sitting = [await arrive(server, page) for _, page in seats]
    found = {page: await weigh(server, process, page, rounds) for page in MOVES}
    for line in sitting:
        line.leave()
    return {
        page: {kind: weighed.figures() for kind, weighed in kinds.items()}
        for page, kinds in found.items()
    }


def measure(rounds: int, crowd: int) -> dict[str, Any]:
    """The same on a server of its own."""
    with serving(1) as ([server], [process]):
        return asyncio.run(weigh_all(server, process, rounds, crowd))


def main() -> None:
    """Measure, and print what was found."""
    parser = asking(__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="visits to each page")
    parser.add_argument("--crowd", type=int, default=0, help="readers who sit there meanwhile")
    asked = parser.parse_args()
    show(rounded(measure(asked.rounds, asked.crowd)), as_json=asked.json)


if __name__ == "__main__":
    main()
