"""One more run, once the reader rests: quick pictures first, fine ones by themselves.

The page names its state by a mark. The browser waits until no hand has moved anything for a while
and all that moved is known here, then asks for a run; a change meanwhile starts the wait anew.
"""

from __future__ import annotations

from typing import Final

import streamlit as st

from components import assets, wire

_COMPONENT: Final = st.components.v2.component(
    "descent_lab.at_rest", js=assets.loader("at_rest/at_rest.js")
)


def ask_at_rest(key: str, mark: str, *, milliseconds: int = 250) -> None:
    """Ask for another run of this state after so long without a change; "" asks for none.

    The key is `page.name`: the part before the first point names the page's store.
    """
    _COMPONENT(
        key=key,
        data=wire.packed({"page": key.partition(".")[0], "mark": mark, "delay": int(milliseconds)}),
        on_ask_change=_ignore,
        height="content",
    )


def asked_at_rest(key: str) -> str:
    """The mark that this run was asked for, "" where it has another cause."""
    mark = wire.state(key).get("ask")
    return mark if isinstance(mark, str) else ""


def _ignore() -> None:
    """Streamlit keeps only the states that have a callback."""
