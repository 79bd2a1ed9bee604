"""The graph: a computation drawn as nodes and edges, with its sweeps walked a node at a time.

The browser owns the clock, and computes every number of the drawing from the page's store: an
input that is dragged, in the drawing or by a slider, moves all of them in the frame of the event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from components import assets, store, wire
from components.live import Live, Tape

_COMPONENT: Final = st.components.v2.component(
    "descent_lab.graph", js=assets.loader("graph/graph.js"), isolate_styles=False
)


@dataclass(frozen=True, slots=True)
class Code:
    """Lines of source and, for each moment, which of them runs and how many steps of the sweep are
    done by then: the clock goes from line to line."""

    lines: Sequence[str]
    running: Sequence[int]
    steps: Sequence[int]


def graph(
    key: str,
    picture: Mapping[str, Any],
    *,
    live: Tape,
    alt: str,
    height: int,
    start: int | None = None,
    entry: str = "",
    autoplay: bool = False,
    code: Code | None = None,
    restart: str = "",
) -> None:
    """Show a picture made by `figures.graph` from values on the page's tape.

    The key is `page.name`: the part before the first point names the page's store.  The drawing is
    scaled into the page's width and `height` (CSS pixels, without the bar).  The clock begins at
    the step `start`, else at the end, and again at another `restart`; where it comes to rest is
    written into the store under `entry`.  `code` stands beside the drawing, the tape under it;
    the clock's steps are then its moments.
    """
    page = key.partition(".")[0]
    encoder = wire.Wire(named=False)
    follow = encoder.live = Live(page, live)
    data = encoder.figure(picture)
    program = follow.spec(encoder, store.seen(page), ()) if follow.outputs else None
    _COMPONENT(
        key=key,
        data=wire.packed(
            {
                **data,
                "page": page,
                "alt": alt,
                "height": int(height),
                "start": start,
                "entry": entry,
                "autoplay": autoplay,
                "code": None
                if code is None
                else {
                    "lines": list(code.lines),
                    "running": list(code.running),
                    "steps": list(code.steps),
                },
                "restart": restart,
                "program": program,
            }
        ),
    )
