"""The store: the page's values as they stand in the reader's browser, joined to Python's.

Controls, handles and pictures read and write one store a page, so a picture follows the hand
without asking anyone. What moved comes here, at most four times a second while a hand is on a
control and at once when it lets go; Python's word comes back with every run.

Where a page has a part that is to follow the hand while the rest of it stands, a second line to the
same store is mounted there: what is said on it while a hand moves reruns that part alone.
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
_HELD: Final = st.components.v2.component("descent_lab.held", js=assets.loader("store_mount.js"))


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
    announce = _announcer(page, on_values)
    _COMPONENT(
        key=store_key(page),
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
    if _last(page)[0] > seen(page):
        announce()
        st.rerun()


def follow(page: str, *, on_values: Callable[[Mapping[str, Any], bool], None]) -> None:
    """Have what a moving hand says come here, in a fragment of its own, until the hand lets go.

    What moved is the browser's own until then: Python's word for it comes with the whole page.
    """
    _HELD(
        key=store_key(page, held=True),
        data=wire.packed({"page": page, "seq": seen(page), "held": True}),
        on_values_change=_announcer(page, on_values),
        height="content",
    )


def _announcer(
    page: str, on_values: Callable[[Mapping[str, Any], bool], None]
) -> Callable[[], None]:
    """Takes in the last message."""

    def announce() -> None:
        seq, body = _last(page)
        st.session_state[_taken(page)] = seq
        moved, committed = moved_values(body)
        if moved:
            on_values(moved, committed)

    return announce


def store_key(page: str, *, held: bool = False) -> str:
    """The key under which a page's store is mounted, or its line for what a moving hand says."""
    return f"{page}.held" if held else f"{page}.store"


def seen(page: str) -> int:
    """The number of the last message from the reader's store that Python has taken in."""
    seq: int = st.session_state.get(_taken(page), 0)
    return seq


def _taken(page: str) -> str:
    return f"_taken:{page}"


def _last(page: str) -> tuple[int, Mapping[str, Any]]:
    """The number and content of the last message on either line."""
    lines = (wire.state(store_key(page, held=held)) for held in (False, True))
    return max((wire.payload(line, "values") for line in lines), key=lambda said: said[0])


def moved_values(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """What a message says: values by name (checked for their shape alone), committed."""
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
