"""Topics as cards with a small living picture each: what a home or a recap is made of.

The pictures are the stage's panels. One is made when its card first comes into sight, moves once
then, and again under a pointer or the focus; readers who want no motion see how it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from components import assets, wire
from components.stage import Panel, standing

_COMPONENT: Final = st.components.v2.component(
    "descent_lab.topics", js=assets.loader("topics/topics.js")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A word that leads on: where to (an address beside this page), and what it is called."""

    to: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A card: its name, one sentence, where it leads, and what it shows in `frames` frames.

    The first link is the card's own.
    """

    id: str
    title: str
    text: str
    links: Sequence[Link]
    panel: Panel | None = None
    frames: int = 1


def topics(key: str, sections: Sequence[tuple[str, Sequence[Topic]]]) -> str | None:
    """Show sections of topics. Returns the address of the link that the reader took, or None."""
    data = {
        "sections": [
            {"title": title, "cards": [_card(card) for card in cards]} for title, cards in sections
        ]
    }
    _COMPONENT(key=key, data=wire.packed(data), on_go_change=_ignore, height="content")
    number, body = wire.payload(wire.state(key), "go")
    memory = f"_topics:{key}"
    if number == st.session_state.get(memory, 0):
        return None
    st.session_state[memory] = number
    asked = wire.text(body.get("to"))
    known = {link.to for _, cards in sections for card in cards for link in card.links}
    return asked if asked in known else None


def _card(topic: Topic) -> dict[str, Any]:
    return {
        "id": topic.id,
        "title": topic.title,
        "text": topic.text,
        "links": [{"to": link.to, "label": link.label} for link in topic.links],
        "panel": None if topic.panel is None else standing(topic.panel),
        "frames": topic.frames,
    }


def _ignore() -> None:
    """Streamlit keeps only the states that have a callback."""
