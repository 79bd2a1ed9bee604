"""A small app around the two components, for the browser tests of this folder."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from components import assets

app = st.App(
    Path(__file__).with_name("page.py"),
    routes=assets.routes(str(st.get_option("server.baseUrlPath"))),
)
