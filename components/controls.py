"""The controls: sliders (linear or log), number fields, toggles and choices in groups.

Values are sent while the reader drags, one request at a time, and once more as committed when
he lets go.  A control keeps the reader's value until the caller gives it another one than
before (a preset, a link): then the caller's wins.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components import assets, wire

Value: TypeAlias = float | bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slider:
    """A number between `minimum` and `maximum` (both > 0 on a log scale).

    `default`, if given, is where a tick stands and what a double click on the label returns
    to; `step` is the grid on a linear scale; `symbol` is plain text such as η or β₁.
    """

    name: str
    label: str
    value: float
    minimum: float
    maximum: float
    default: float | None = None
    symbol: str = ""
    scale: Literal["linear", "log"] = "linear"
    step: float | None = None
    integer: bool = False
    help: str = ""
    unit: str = ""
    locked: bool = False

    def __post_init__(self) -> None:
        if not self.minimum < self.maximum or (self.scale == "log" and self.minimum <= 0):
            raise ValueError(
                f"{self.name}: no {self.scale} scale from {self.minimum} to {self.maximum}"
            )

    def read(self, value: Any) -> float | None:
        """The value as this control would hold it, or None where it is no number."""
        number = wire.number(value)
        if number is None:
            return None
        inside = min(max(number, self.minimum), self.maximum)
        return float(round(inside)) if self.integer else inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Toggle:
    """A switch."""

    name: str
    label: str
    value: bool
    help: str = ""
    locked: bool = False

    def read(self, value: Any) -> bool | None:
        """True or False, or None where it is neither."""
        return value if isinstance(value, bool) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several: `options` are (value, label) pairs."""

    name: str
    label: str
    value: str
    options: Sequence[tuple[str, str]]
    help: str = ""
    locked: bool = False

    def read(self, value: Any) -> str | None:
        """One of the options' values, or None."""
        return next((known for known, _ in self.options if known == value), None)


Item: TypeAlias = Slider | Toggle | Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button in a group's heading; `icon` is one of the drawn ones, else the label shows."""

    id: str
    label: str
    icon: Literal["", "copy", "remove", "reset", "halve"] = ""


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
    note: str = ""


@dataclass(frozen=True, slots=True)
class ControlsResult:
    """`values` by control name; `committed` is False while a drag is under way.

    `action` is (group id, action id) in the one run that a button causes.
    """

    values: dict[str, Value]
    committed: bool
    action: tuple[str, str] | None


@dataclass(slots=True)
class _Record:
    """What this session remembers between runs: by name, the value given and the one in force."""

    given: dict[str, Value] = field(default_factory=dict)
    held: dict[str, Value] = field(default_factory=dict)
    seq: int = 0
    action: int = 0
    committed: bool = True


_COMPONENT: Final = st.components.v2.component(
    "descent_lab.controls", js=assets.loader("controls/controls.js")
)


def controls(
    key: str,
    groups: Sequence[Group],
    *,
    locked: Collection[str] = (),
    layout: Literal["column", "row"] = "column",
    max_height: int | None = None,
    alt: str = "Settings",
    on_action: Callable[[str, str], None] | None = None,
) -> ControlsResult:
    """Show groups of controls; names must be unique among all groups.

    Names in `locked` are shown but cannot be moved.  `max_height` (CSS pixels) makes the
    panel scroll within itself.  `on_action(group id, action id)` is called before the script
    runs, as a Streamlit callback is.
    """
    items = {item.name: item for group in groups for item in group.items}
    if len(items) != sum(len(group.items) for group in groups):
        raise ValueError("two controls share a name")
    answers = wire.state(key)
    record = _record(key)
    seq = _settle(record, items, answers, frozenset(locked))
    action_seq, body = wire.payload(answers, "action")
    actions = {(group.id, action.id) for group in groups for action in group.actions}

    def announce() -> None:
        chosen = _action(wire.payload(wire.state(key), "action")[1], actions)
        if on_action is not None and chosen is not None:
            on_action(*chosen)

    _COMPONENT(
        key=key,
        data={
            "groups": [_group(group, record.held, frozenset(locked)) for group in groups],
            "layout": layout,
            "maxHeight": max_height,
            "alt": alt,
            "echo": max(seq, action_seq),
        },
        on_values_change=_ignore,
        on_action_change=announce,
    )
    action = _action(body, actions) if action_seq != record.action else None
    record.action = action_seq
    return ControlsResult(dict(record.held), record.committed, action)


def _ignore() -> None:
    """Streamlit keeps only the states that have a callback."""


def _record(key: str) -> _Record:
    name = f"_controls:{key}"
    record = st.session_state.get(name)
    if not isinstance(record, _Record):
        record = st.session_state[name] = _Record()
    return record


def _settle(
    record: _Record,
    items: Mapping[str, Item],
    answers: Mapping[str, Any],
    locked: frozenset[str],
) -> int:
    """Bring the record up to date with the reader's and the caller's values; the seq seen."""
    seq, body = wire.payload(answers, "values")
    moved: Mapping[str, Any] = {}
    if seq != record.seq:
        record.seq = seq
        record.committed = body.get("committed") is not False
        if isinstance(body.get("set"), Mapping):
            moved = body["set"]
    given: dict[str, Value] = {}
    held: dict[str, Value] = {}
    # On back and forward the caller's value is the one meant, though it be the one given before
    # the reader moved away from it.
    context = get_script_run_ctx()
    back = context is not None and context.is_history_navigation
    for name, item in items.items():
        given[name] = item.value
        before = record.held.get(name)
        caller_changed = (
            back
            or name not in record.given
            or (item.value != record.given[name] and item.value != before)
        )
        held[name] = item.value if caller_changed or before is None else before
        if caller_changed or item.locked or name in locked:
            continue
        value = item.read(moved.get(name))
        if value is not None:
            held[name] = value
    record.given, record.held = given, held
    return seq


def _action(body: Mapping[str, Any], known: set[tuple[str, str]]) -> tuple[str, str] | None:
    group, action = wire.text(body.get("group")), wire.text(body.get("id"))
    if group is None or action is None or (group, action) not in known:
        return None
    return group, action


def _group(group: Group, held: Mapping[str, Value], locked: frozenset[str]) -> dict[str, Any]:
    return {
        "id": group.id,
        "title": group.title,
        "color": group.color,
        "dash": group.dash,
        "marker": group.marker,
        "collapsed": group.collapsed,
        "note": group.note,
        "actions": [{"id": a.id, "label": a.label, "icon": a.icon} for a in group.actions],
        "items": [_item(item, held[item.name], item.name in locked) for item in group.items],
    }


def _item(item: Item, value: Value, locked: bool) -> dict[str, Any]:
    common = {
        "name": item.name,
        "label": item.label,
        "value": value,
        "help": item.help,
        "locked": locked or item.locked,
    }
    if isinstance(item, Toggle):
        return {"kind": "toggle", **common}
    if isinstance(item, Choice):
        return {"kind": "choice", **common, "options": [list(pair) for pair in item.options]}
    return {
        "kind": "slider",
        **common,
        "min": item.minimum,
        "max": item.maximum,
        "default": item.default,
        "symbol": item.symbol,
        "scale": item.scale,
        "step": 1 if item.integer and item.step is None else item.step,
        "integer": item.integer,
        "unit": item.unit,
    }
