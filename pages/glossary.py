"""The glossary: every term of the course in a sentence, with its symbol and a page to see it on."""

from __future__ import annotations

import streamlit as st

from pages import frame, terms
from pages.state import Choice, experiment

x = experiment(
    "glossary",
    [Choice("term", "", ("", *(term.slug for term in terms.TERMS)), label="term")],
    parts=("terms",),
)

frame.opening(x, "Glossary", "The words of the course, each with the picture that shows it.")


def line(term: terms.Term) -> str:
    """A term as a line of Markdown."""
    symbol = f" ${term.symbol}$" if term.symbol else ""
    return f"**{term.name}**{symbol}  \n{term.text} [See it]({term.link})"


chosen = next((term for term in terms.TERMS if term.slug == x["term"]), None)
if chosen is not None:
    with st.container(border=True):
        st.markdown(line(chosen))
if not x.hidden("terms"):
    half = -(-len(terms.TERMS) // 2)
    for column, part in zip(
        st.columns(2, gap="large"), (terms.TERMS[:half], terms.TERMS[half:]), strict=True
    ):
        column.markdown("\n\n".join(map(line, part)))
x.publish()
