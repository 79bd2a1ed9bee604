"""A drawing: an SVG of our own making whose links work, which `st.html` would take out.

The text goes into the page as it is: pass nothing that a reader typed without escaping it.
"""

from __future__ import annotations

from typing import Final

import streamlit as st

from components import assets

_COMPONENT: Final = st.components.v2.component(
    "descent_lab.drawing", js=assets.loader("drawing/drawing.js"), isolate_styles=False
)


def drawing(key: str, svg: str, *, scroll: bool = True) -> None:
    """Show an SVG text; where it is wider than the page it scrolls sideways, or else shrinks."""
    _COMPONENT(key=key, data={"svg": svg, "scroll": scroll})
