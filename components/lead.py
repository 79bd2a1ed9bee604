"""The lead: a sentence whose words are menus, so that what is shown is chosen where it is said;
others lead to what they mean.

A menu is a word over which the browser's own list of choices lies, unseen: it opens by mouse,
touch and keys, and is read out with its name and value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import streamlit as st

from components import assets, wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """A word of the sentence to choose: `label` is its name for those who hear the page.

    `options` are (value, label) pairs, or a heading with the pairs under it; `text` is what
    stands in the sentence where that is not the chosen option's label.  `take` is called with the
    value that the reader chose, before the script runs.
    """

    id: str
    label: str
    value: str
    options: Sequence[tuple[str, str | Sequence[tuple[str, str]]]]
    take: Callable[[str], None]
    text: str = ""
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the sentence that leads to an address; `title` shows under a pointer."""

    text: str
    to: str
    title: str


Piece: TypeAlias = str | Menu

_COMPONENT: Final = st.components.v2.component(
    "descent_lab.lead", js=assets.loader("lead/lead.js"), isolate_styles=False
)


def lead(key: str, pieces: Sequence[Piece | Word]) -> None:
    """Show the sentence; the ids of its menus must differ."""
    menus = {piece.id: piece for piece in pieces if isinstance(piece, Menu)}

    def announce() -> None:
        menu, value = _chosen(wire.payload(wire.state(key), "choice")[1], menus)
        if menu is not None and not menu.locked:
            menu.take(value)

    data = {"pieces": [_sent(piece) for piece in pieces]}
    _COMPONENT(key=key, data=wire.packed(data), on_choice_change=announce)


def said(menu: Menu) -> str:
    """What stands in the sentence for a menu."""
    return menu.text or _labels(menu).get(menu.value, menu.value)


def _chosen(body: Mapping[str, Any], menus: Mapping[str, Menu]) -> tuple[Menu | None, str]:
    """The menu and its chosen value in a browser's answer; (None, "") where there is none such."""
    menu, value = menus.get(wire.text(body.get("id")) or ""), wire.text(body.get("value"))
    if menu is None or value is None or value not in _labels(menu):
        return None, ""
    return menu, value


def _labels(menu: Menu) -> dict[str, str]:
    """What each value is called."""
    found: dict[str, str] = {}
    for value, label in menu.options:
        found |= {value: label} if isinstance(label, str) else dict(label)
    return found


def _sent(piece: Piece | Word) -> str | dict[str, Any]:
    if isinstance(piece, Word):
        return {"word": piece.text, "to": piece.to, "title": piece.title}
    return piece if isinstance(piece, str) else _menu(piece)


def _menu(menu: Menu) -> dict[str, Any]:
    return {
        "id": menu.id,
        "label": menu.label,
        "value": menu.value,
        "text": menu.text,
        "locked": menu.locked,
        "options": [
            [value, label if isinstance(label, str) else [list(pair) for pair in label]]
            for value, label in menu.options
        ],
    }
