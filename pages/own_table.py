"""A table of the reader's own: typed, pasted or dropped; in the link where it is small."""

from __future__ import annotations

import streamlit as st

from components.table_file import table_file
from engine.emit.picture import written
from engine.problems.data import (
    CSV_CHARACTERS,
    CSV_CLASSES,
    CSV_ROWS,
    compact,
    expanded,
    read_csv,
)
from pages import frame
from pages.state import MAX_TEXT, Experiment, Field, Text

LINKED = MAX_TEXT  # characters of a table that a link carries


def check(text: str) -> None:
    """ValueError for a table that no link of ours carries."""
    read_csv(expanded(text))


def field(name: str) -> Field[str]:
    """The table as a part of the link."""
    return Text(name, "", check=check, label="your table")


def of(x: Experiment, name: str) -> str:
    """The reader's table as text, "" where there is none: the link's, or the one of this visit."""
    return expanded(x[name]) or str(st.session_state.get(_key(x, "table"), ""))


def _key(x: Experiment, part: str) -> str:
    return f"{x.page}.{part}"


def bring(x: Experiment, name: str) -> None:
    """The field for such a table, and the place to drop one; `own` points of before are dropped."""

    def take(text: str) -> None:
        st.session_state[_key(x, "problem")] = None
        if not text.strip():
            return
        try:
            short = compact(read_csv(text))
        except ValueError as error:
            st.session_state[_key(x, "problem")] = str(error)
            return
        linked = short if short and len(short) <= LINKED else ""
        st.session_state[_key(x, "table")] = "" if linked else text
        x.change({name: linked} | ({"own": ()} if "own" in x.fields else {}))

    locked = x.locked("data") or x.locked(name)
    table_file(_key(x, "file"), most=CSV_CHARACTERS, locked=locked, take=take)
    st.text_area(
        "Your table: two numbers and a label a row, separated by commas, semicolons or tabs; at "
        f"most {CSV_ROWS} rows, {CSV_CLASSES} labels and {written(CSV_CHARACTERS, 'd')} "
        "characters. A small one goes into the link, to four digits; a larger one is kept for "
        "this visit alone.",
        key=_key(x, "pasted"),
        on_change=lambda: take(st.session_state[_key(x, "pasted")]),
        height=140,
        placeholder="height,width,kind\n1.2,0.3,a\n0.7,1.9,b",
        disabled=locked,
    )
    if st.session_state.get(_key(x, "problem")):
        st.error(f"```text\n{st.session_state[_key(x, 'problem')]}\n```")
    elif not of(x, name):
        frame.notice("Until a table is here, the network learns the two moons.")
