"""One more run, once the reader has stopped: quick pictures first, fine ones by themselves.

The page names its state by a mark. The browser waits until that mark has stood for a while and no
script runs, then asks for it; a change meanwhile starts the wait anew.
"""

from __future__ import annotations

from typing import Final

import streamlit as st

from components import assets, wire

_COMPONENT: Final = st.components.v2.component(
    "descent_lab.later", js=assets.loader("later/later.js")
)


def later(key: str, mark: str, *, milliseconds: int = 250) -> None:
    """Ask for another run of this state after so long without a change; "" asks for none."""
    _COMPONENT(
        key=key,
        data={"mark": mark, "delay": int(milliseconds)},
        on_ask_change=_ignore,
        height="content",
    )


def asked(key: str) -> str:
    """The mark that this run was asked for, "" where it has another cause."""
    mark = wire.state(key).get("ask")
    return mark if isinstance(mark, str) else ""


def _ignore() -> None:
    """Streamlit keeps only the states that have a callback."""
