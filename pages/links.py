"""Links from one page to another at given settings."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from engine.problems.landscapes import Landscape
from pages.runners import Runner, format_runners
from pages.state import shorten


def race(
    surface: Landscape,
    runners: Sequence[Runner],
    *,
    start: Sequence[float] = (),
    steps: int | None = None,
    target: float | None = None,
) -> str:
    """The race of these runners, each at its own learning rate, as a link beside this page."""
    values = {"on": surface.slug, "same": "0", "runs": format_runners(tuple(runners))}
    values |= {f"{surface.slug}.{n}": shorten(v) for n, v in surface.arguments.items()}
    if start:
        values["start"] = ",".join(map(shorten, start))
    if steps is not None:
        values["steps"] = str(steps)
    if target is not None:
        values["target"] = shorten(target)
    return "race?" + urlencode(values, safe=":;,=")
