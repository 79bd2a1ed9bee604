"""The frame around every page: its settings, the navigation, and then the page itself."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages import frame
from pages.catalog import SECTIONS

HERE = Path(__file__).resolve().parent

st.set_page_config(page_title="Descent Lab", page_icon="📉", layout="wide")

first = next(iter(SECTIONS.values()))[0]
navigation = st.navigation(
    {
        section: [
            st.Page(
                HERE / f"{entry.file}.py",
                title=entry.title,
                url_path=entry.path,
                help=entry.help,
                default=entry is first,
            )
            for entry in entries
        ]
        for section, entries in SECTIONS.items()
    },
    position="hidden" if st.context.is_embedded else "top",
)
frame.dress()
navigation.run()
