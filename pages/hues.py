"""An outcome's hue on its name in a sentence or a table, and on its term in a formula."""

from __future__ import annotations

import html

import streamlit as st

from figures import charts


def named(name: str, index: int) -> str:
    """The name of outcome `index` in its colour of either theme, as HTML."""
    light, dark = charts.word_color(index).split("|")
    return f"<span style='color:light-dark({light},{dark})'>{html.escape(name)}</span>"


def term(latex: str, index: int) -> str:
    """Its term of a formula in its colour on the theme of now, in LaTeX."""
    dark = st.context.theme.type == "dark"
    return rf"\textcolor{{{charts.word_color(index).split('|')[dark]}}}{{{latex}}}"
