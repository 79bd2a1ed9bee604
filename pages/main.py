"""The frame around every page: its settings, the navigation, and then the page itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages import frame
from pages.budget import limited
from pages.contents import SECTIONS, Entry
from pages.state import turn_to

HERE = Path(__file__).resolve().parent

st.set_page_config(page_title="Descent Lab", page_icon="📉", layout="wide")


def page(entry: Entry, **how: Any) -> StreamlitPage:
    """The page of an entry, as the navigation takes it."""
    return st.Page(HERE / f"{entry.file}.py", title=entry.title, help=entry.help, **how)


first = SECTIONS[""][0]
pages = {
    section: [
        page(entry, default=True, url_path="root")
        if entry is first
        else page(entry, url_path=entry.file)
        for entry in entries
    ]
    for section, entries in SECTIONS.items()
}
# Streamlit shows the default page at the root alone; its own address is to work as well.
pages[""].append(page(first, url_path=first.file, visibility="hidden"))
navigation = st.navigation(pages, position="hidden" if st.context.is_embedded else "top")
if not st.context.is_embedded:
    st.logo(HERE / "logo.svg", size="large")
frame.dress()
turn_to(navigation.url_path)
with limited():
    navigation.run()
