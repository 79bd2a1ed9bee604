"""The store: the page's values as they stand in the reader's browser, joined to Python's.

Controls, handles and pictures read and write one store a page, so a picture follows the hand
without asking anyone. What moved comes here, at most four times a second while a hand is on a
control and at once when it lets go; Python's word comes back with every run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import streamlit as st

from components import assets, wire

Value: TypeAlias = float | bool | str | Sequence[float]

MOST_ENTRIES: Final = 256  # values in one message, and numbers in one of them

_COMPONENT: Final = st.components.v2.component(
    "descent_lab.store", js=assets.loader("store_mount.js")
)


def store(
    page: str,
    values: Mapping[str, Value],
    *,
    locked: Sequence[str] = (),
    on_values: Callable[[Mapping[str, Any], bool], None],
) -> None:
    """Join the page's store to Python. Call it last, when everything else of the run is said.

    `on_values(moved, committed)` is called before the script runs with what the reader moved, by
    name, unchecked; committed is False while a hand is still on a control.
    """
    key = store_key(page)

    taken = f"_taken:{key}"

    def announce() -> None:
        st.session_state[taken] = seen(page)
        moved, committed = moved_values(page)
        if moved:
            on_values(moved, committed)

    _COMPONENT(
        key=key,
        data=wire.packed(
            {
                "page": page,
                "values": dict(values),
                "locked": list(locked),
                "seq": seen(page),
            }
        ),
        on_values_change=announce,
        height="content",
    )
    # A tab that comes from another server brings what was moved: there is nobody yet to be called.
    if seen(page) > st.session_state.get(taken, 0):
        announce()
        st.rerun()


def store_key(page: str) -> str:
    """The key under which a page's store is mounted."""
    return f"{page}.store"


def seen(page: str) -> int:
    """The number of the last message from the reader's store that Python has taken in."""
    return wire.payload(wire.state(store_key(page)), "values")[0]


def moved_values(page: str) -> tuple[Mapping[str, Any], bool]:
    """What the last message says: values by name (checked for their shape alone), committed."""
    _, body = wire.payload(wire.state(store_key(page)), "values")
    given = body.get("set")
    if not isinstance(given, Mapping) or len(given) > MOST_ENTRIES:
        return {}, True
    moved = {name: _plain(value) for name, value in given.items() if wire.text(name) is not None}
    moved = {name: value for name, value in moved.items() if value is not None}
    return moved, body.get("committed") is not False


def _plain(value: Any) -> Any:
    """A number, truth value, short text or list of numbers; None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return wire.text(value)
    if isinstance(value, (list, tuple)):
        numbers = [wire.number(v) for v in value[: MOST_ENTRIES + 1]]
        fits = len(value) <= MOST_ENTRIES and all(n is not None for n in numbers)
        return numbers if fits else None
    return wire.number(value)
