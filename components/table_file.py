"""A text file from a reader, dropped or chosen: the browser reads it, and hands over its text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from components import assets, wire

_COMPONENT: Final = st.components.v2.component(
    "descent_lab.table_file", js=assets.loader("table_file/table_file.js"), isolate_styles=False
)


def table_file(key: str, *, most: int, locked: bool, take: Callable[[str], None]) -> None:
    """A place for a file of at most so many characters: `take(its text)` is called before the
    script runs."""

    def announce() -> None:
        text = wire.payload(wire.state(key), "table")[1].get("text")
        if isinstance(text, str) and len(text) <= most and not locked:
            take(text)

    _COMPONENT(
        key=key, data={"most": most, "locked": locked}, on_table_change=announce, height="content"
    )
