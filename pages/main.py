"""The frame around every page: its settings, the navigation, and then the page itself."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages import frame
from pages.budget import limited
from pages.navigation import pages
from pages.state import turn_to

HERE = Path(__file__).resolve().parent

st.set_page_config(page_title="Descent Lab", page_icon="📉", layout="wide")

embedded = bool(st.context.is_embedded)
navigation = st.navigation(pages(), position="hidden" if embedded else "top")
if not embedded:
    st.logo(HERE / "logo.svg", size="large")
frame.dress()
turn_to(navigation.url_path)
with limited():
    navigation.run()
