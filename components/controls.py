"""The controls: sliders (linear or log), number fields, toggles and choices in groups.

Each shows and moves a value of the page's store by its name; what it shows besides, and what it
sets where that is more than its own value, may be expressions on the page's tape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import streamlit as st

from components import assets, store, wire
from components.live import Live, Tape


@dataclass(frozen=True, slots=True, kw_only=True)
class Slider:
    """A number between `minimum` and `maximum` (both > 0 on a log scale).

    `default`, if given, is where a tick stands and what a double click on the label returns
    to; `step` is the grid on a linear scale; `symbol` is plain text such as η or β₁.  `value` may
    lie on the page's tape, and then `sets` says what moving it writes into the store, in
    expressions over the tape's `hand` (its x is the slider's value).  `limit`, which may be
    traced as well, is where the unstable part of the track begins.
    """

    name: str
    label: str
    value: Any
    minimum: float
    maximum: float
    default: float | None = None
    symbol: str = ""
    scale: Literal["linear", "log"] = "linear"
    step: float | None = None
    integer: bool = False
    help: str = ""
    unit: str = ""
    limit: Any = None
    sets: Mapping[str, Any] = field(default_factory=dict)
    locked: bool = False

    def __post_init__(self) -> None:
        if not self.minimum < self.maximum or (self.scale == "log" and self.minimum <= 0):
            raise ValueError(
                f"{self.name}: no {self.scale} scale from {self.minimum} to {self.maximum}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Toggle:
    """A switch."""

    name: str
    label: str
    value: bool
    help: str = ""
    locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several: `options` are (value, label) pairs."""

    name: str
    label: str
    value: str
    options: Sequence[tuple[str, str]]
    help: str = ""
    locked: bool = False


Item: TypeAlias = Slider | Toggle | Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button in a group's heading; `icon` is one of the drawn ones, else the label shows."""

    id: str
    label: str
    icon: Literal["", "copy", "remove", "reset", "halve", "find"] = ""
    locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Controls under one heading, with a swatch drawn as the track that they steer."""

    id: str
    title: str = ""
    items: Sequence[Item] = ()
    color: str = "var(--st-text-color)"
    dash: str = ""
    marker: str = ""
    actions: Sequence[Action] = ()
    collapsed: bool = False
    note: Any = ""


_COMPONENT: Final = st.components.v2.component(
    "descent_lab.controls", js=assets.loader("controls/controls.js")
)


def controls(
    key: str,
    groups: Sequence[Group],
    *,
    live: Tape | None = None,
    layout: Literal["column", "row"] = "column",
    max_height: int | None = None,
    alt: str = "Settings",
    on_action: Callable[[str, str], None] | None = None,
) -> None:
    """Show groups of controls; names must be unique among all groups.

    The key is `page.name`: the part before the first point names the page's store.  `max_height`
    (CSS pixels) makes the panel scroll within itself.  `on_action(group id, action id)` is called
    before the script runs, as a Streamlit callback is.
    """
    page = key.partition(".")[0]
    items = [item for group in groups for item in group.items]
    if len({item.name for item in items}) != len(items):
        raise ValueError("two controls share a name")
    actions = {(group.id, action.id) for group in groups for action in group.actions}
    encoder = _encoder(key)
    follow = None if live is None else Live(page, live)
    encoder.live = follow

    def announce() -> None:
        chosen = _action(wire.payload(wire.state(key), "action")[1], actions)
        if on_action is not None and chosen is not None:
            on_action(*chosen)

    data: dict[str, Any] = {
        "page": page,
        "groups": [_group(group, encoder) for group in groups],
        "layout": layout,
        "maxHeight": max_height,
        "alt": alt,
        "seq": store.seen(page),
    }
    moving = follow is not None and bool(follow.outputs)
    data["program"] = follow.spec(encoder, store.seen(page), ()) if follow and moving else None
    encoder.live = None
    _COMPONENT(key=key, data=wire.packed(data), on_action_change=announce)


def _encoder(key: str) -> wire.Wire:
    name = f"_controls:{key}"
    encoder = st.session_state.get(name)
    if not isinstance(encoder, wire.Wire):
        # A panel's constants are small: nothing is named, so nothing has to be asked for.
        encoder = st.session_state[name] = wire.Wire(named=False)
    return encoder


def _action(body: Mapping[str, Any], known: set[tuple[str, str]]) -> tuple[str, str] | None:
    group, action = wire.text(body.get("group")), wire.text(body.get("id"))
    if group is None or action is None or (group, action) not in known:
        return None
    return group, action


def _group(group: Group, encoder: wire.Wire) -> dict[str, Any]:
    return {
        "id": group.id,
        "title": group.title,
        "color": group.color,
        "dash": group.dash,
        "marker": group.marker,
        "collapsed": group.collapsed,
        "note": encoder.words(group.note),
        "actions": [
            {"id": a.id, "label": a.label, "icon": a.icon, "locked": a.locked}
            for a in group.actions
        ],
        "items": [_item(item, encoder) for item in group.items],
    }


def _item(item: Item, encoder: wire.Wire) -> dict[str, Any]:
    common = {
        "name": item.name,
        "label": item.label,
        "help": item.help,
        "locked": item.locked,
    }
    if isinstance(item, Toggle):
        return {"kind": "toggle", **common, "value": item.value}
    if isinstance(item, Choice):
        options = [list(pair) for pair in item.options]
        return {"kind": "choice", **common, "value": item.value, "options": options}
    return {
        "kind": "slider",
        **common,
        "value": encoder.number(item.value),
        "min": item.minimum,
        "max": item.maximum,
        "default": item.default,
        "symbol": item.symbol,
        "scale": item.scale,
        "step": 1 if item.integer and item.step is None else item.step,
        "integer": item.integer,
        "unit": item.unit,
        "limit": None if item.limit is None else encoder.number(item.limit),
        "sets": {name: encoder.number(value) for name, value in item.sets.items()},
    }
