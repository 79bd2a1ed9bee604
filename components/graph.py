"""The graph: a computation drawn as nodes and edges, with its sweeps walked a node at a time.

The browser owns the clock: playing, stepping and scrubbing cost the server nothing.  Inputs are
dragged in the drawing itself; each move comes back through `on_value`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import streamlit as st

from components import assets, wire

_COMPONENT: Final = st.components.v2.component(
    "descent_lab.graph", js=assets.loader("graph/graph.js")
)


def graph(
    key: str,
    picture: Mapping[str, Any],
    *,
    alt: str,
    on_value: Callable[[str, float, bool], None] | None = None,
) -> None:
    """Show a picture made by `figures.graph`.

    on_value(input's name, value, committed) is called before the script runs, with committed
    False while the reader's hand is on the input; values outside the input's range are ignored.
    """
    ranges = {n["name"]: n["range"] for n in picture["nodes"] if n["range"] is not None}

    def moved() -> None:
        _, body = wire.payload(wire.state(key), "input")
        name, value = wire.text(body.get("name")), wire.number(body.get("value"))
        if on_value is None or name is None or name not in ranges or value is None:
            return
        low, high = ranges[name]
        if low <= value <= high:
            on_value(name, value, body.get("committed") is not False)

    seq, _ = wire.payload(wire.state(key), "input")
    _COMPONENT(key=key, data={**picture, "alt": alt, "echo": seq}, on_input_change=moved)
