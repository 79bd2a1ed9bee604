"""The pages as Streamlit's navigation takes them: each is looked up on the disk once."""

from __future__ import annotations

from copy import copy
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.contents import SECTIONS, Entry

HERE = Path(__file__).resolve().parent


def pages() -> dict[str, list[StreamlitPage]]:
    """Every page by section, the first also at an address of its own, for one run of the script.

    Streamlit marks the page that it runs, so each run has copies: to look all files up anew was a
    sixth of what a visit takes.
    """
    first = SECTIONS[""][0]
    found = {
        section: [
            _page(entry, default=True, url_path="root")
            if entry is first
            else _page(entry, url_path=entry.file)
            for entry in entries
        ]
        for section, entries in SECTIONS.items()
    }
    # Streamlit shows the default page at the root alone; its own address is to work as well.
    found[""].append(_page(first, url_path=first.file, visibility="hidden"))
    return found


def _page(entry: Entry, **how: Any) -> StreamlitPage:
    return copy(_looked_up(entry, **how))


@cache
def _looked_up(entry: Entry, **how: Any) -> StreamlitPage:
    return st.Page(HERE / f"{entry.file}.py", title=entry.title, help=entry.help, **how)
