"""The state of a page: declared once as fields, kept for the visit, and written into the link.

A page names its fields with default and limits. `experiment` reads them from the link on arrival
and on back and forward, keeps them while the visitor works, and `publish` writes what differs from
the default back into the link, once per finished change. Streamlit's own binding of widgets to the
link is not used: it drops bad values without a word, knows nothing of components, and replaces the
history entry that "back" should return to.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

T = TypeVar("T")

MAX_TEXT = 2000  # characters of one value in a link
PACE = 0.25  # seconds between two readings of numbers that change under the hand
_STORE = "_experiments"
_CURRENT = "_current_page"
_PATH = "_current_path"


@dataclass(frozen=True)
class Field(Generic[T]):
    """One value of a page: its name in the link, its default, how it is read and written.

    `parse` raises ValueError with a sentence where the text cannot be used.
    """

    name: str
    default: T
    parse: Callable[[str], T]
    format: Callable[[T], str]


@dataclass(frozen=True, slots=True)
class Notice:
    """A value of the link that could not be used: its field, why, and what stands instead."""

    name: str
    reason: str
    instead: str


def shorten(value: float) -> str:
    """A number as short text that reads back as the same number."""
    return (
        repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    )


def Number(name: str, default: float, low: float, high: float) -> Field[float]:
    """A finite number in [low, high]."""
    return Field(name, float(default), lambda text: read_number(text, low, high), shorten)


def Integer(name: str, default: int, low: int, high: int) -> Field[int]:
    """A whole number in [low, high]."""

    def parse(text: str) -> int:
        value = read_number(text, low, high)
        if not value.is_integer():
            raise ValueError(f"{text!r} is not a whole number")
        return int(value)

    return Field(name, default, parse, str)


def Choice(name: str, default: T, options: Sequence[T]) -> Field[T]:
    """One of the options, written as its text."""
    by_text = {str(option): option for option in options}

    def parse(text: str) -> T:
        if text not in by_text:
            raise ValueError(f"{text!r} is none of {', '.join(by_text)}")
        return by_text[text]

    return Field(name, default, parse, str)


def Flag(name: str, default: bool) -> Field[bool]:
    """Yes or no, written 1 or 0."""

    def parse(text: str) -> bool:
        if text not in ("0", "1"):
            raise ValueError(f"{text!r} is neither 0 nor 1")
        return text == "1"

    return Field(name, default, parse, lambda value: "1" if value else "0")


def Text(name: str, default: str, check: Callable[[str], object] = lambda text: None) -> Field[str]:
    """A text that `check` accepts: it raises ValueError where it does not."""

    def parse(text: str) -> str:
        check(text)
        return text

    return Field(name, default, parse, str)


def Numbers(
    name: str, default: Sequence[float], low: float, high: float, count: tuple[int, int]
) -> Field[tuple[float, ...]]:
    """Between count[0] and count[1] numbers, each in [low, high], separated by commas."""

    def parse(text: str) -> tuple[float, ...]:
        values = tuple(read_number(part, low, high) for part in text.split(","))
        if not count[0] <= len(values) <= count[1]:
            wanted = " to ".join(str(n) for n in sorted(set(count)))
            raise ValueError(f"{len(values)} of the {wanted} numbers that belong there")
        return values

    return Field(name, tuple(map(float, default)), parse, lambda v: ",".join(map(shorten, v)))


def read_number(text: str, low: float = -math.inf, high: float = math.inf) -> float:
    """The finite number that text says; ValueError where it is none or lies outside."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number")
    if not low <= value <= high:
        raise ValueError(f"{text} lies outside {shorten(low)} … {shorten(high)}")
    return value


class Experiment:
    """The values of a page's fields in this visit; `x["lr"]` reads, `x.update(lr=…)` sets."""

    def __init__(self, page: str, fields: Mapping[str, Field[Any]], store: dict[str, Any]) -> None:
        self.page = page
        self.fields = fields
        self._store = store

    def __getitem__(self, name: str) -> Any:
        """The current value: the widget's where one stands for it, else the stored one."""
        # The session is slow to ask (a lock and three look-ups), and a run asks a hundred times.
        if name in self._store["native"] and self._key(name) in st.session_state:
            self._store["values"][name] = st.session_state[self._key(name)]
        return self._store["values"][name]

    def key(self, name: str) -> str:
        """The key for a native widget of that field; its value is set before the widget is made."""
        key = self._key(name)
        self._store["native"].add(name)
        if key not in st.session_state:
            st.session_state[key] = self._store["values"][name]
        return key

    def update(self, **values: Any) -> None:
        """Set values. Where a field has a native widget, call it before that widget is made."""
        for name, value in values.items():
            self._store["values"][name] = value
            if name in self._store["native"] and self._key(name) in st.session_state:
                st.session_state[self._key(name)] = value

    def change(self, values: Mapping[str, Any], *, by: str = "", held: bool = False) -> None:
        """Set values by what the reader does; held while a hand is still on the control `by`."""
        (self._store["held"].add if held else self._store["held"].discard)(by)
        self.update(**values)

    def load(self, link: Mapping[str, str]) -> None:
        """Every field as a link says, the others back to their defaults. The link must be right."""
        self.change(
            {
                name: field.parse(link[name]) if name in link else field.default
                for name, field in self.fields.items()
            }
        )

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What could not be read from the link."""
        return tuple(self._store["notices"])

    def hidden(self, name: str) -> bool:
        """Whether the link asks to leave the control of that name out (`?hide=`)."""
        return name in self._store["hide"]

    def locked(self, name: str) -> bool:
        """Whether the link asks to show the control without letting it change (`?lock=`)."""
        return name in self._store["lock"] or "all" in self._store["lock"]

    def query(self) -> dict[str, str]:
        """What the link must say: every value that is not its default."""
        parts = {}
        for name, field in self.fields.items():
            text = field.format(self[name])
            if text != field.format(field.default):
                parts[name] = text
        for name in ("hide", "lock"):
            if self._store[name]:
                parts[name] = ",".join(self._store[name])
        return parts

    @property
    def held(self) -> bool:
        """Whether the reader's hand is still on a control: more will follow."""
        return bool(self._store["held"])

    def paced(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, while the hand is on a control at most four times a second.

        For words and numbers beside a moving picture: nobody can read them quicker, and each
        change of them costs the browser about as much as the picture itself.
        """
        now = time.monotonic()
        made, last = self._store["paced"].get(name, (-math.inf, None))
        if self.held and now - made < PACE:
            return cast("T", last)
        last = make()
        self._store["paced"][name] = now, last
        return last

    def publish(self) -> None:
        """Write the link; not while the reader's hand is still on a control."""
        if self.held:
            return
        query = self.query()
        if query != self._store["query"]:
            self._store["query"] = query
            st.query_params.from_dict(query)

    def _key(self, name: str) -> str:
        return f"{self.page}.{name}"

    def read_link(self) -> None:
        """Take every value from the link; defaults and a notice where that cannot be."""
        given = _link()
        values, notices = {}, []
        for name, field in self.fields.items():
            values[name] = field.default
            if name in given:
                try:
                    if len(given[name]) > MAX_TEXT:
                        raise ValueError(f"it is longer than {MAX_TEXT} characters")
                    values[name] = field.parse(given[name])
                except ValueError as error:
                    notices.append(Notice(name, str(error), field.format(field.default)))
        self._store["notices"] = notices
        for name in ("hide", "lock"):
            self._store[name] = [part for part in given.get(name, "").split(",") if part]
        self.update(**values)
        # The address stays as it is until something changes: to tidy it up would put an entry
        # into the history that "back" could not get past.
        self._store["query"] = self.query()


def _link() -> dict[str, str]:
    return {name: st.query_params[name] for name in st.query_params}


def turn_to(path: str) -> None:
    """Say which page is shown, before it runs: one that was left is arrived at anew."""
    if st.session_state.get(_PATH) != path:
        st.session_state[_PATH] = path
        st.session_state.pop(_CURRENT, None)


def experiment(page: str, fields: Sequence[Field[Any]]) -> Experiment:
    """The experiment of a page: from the link on arrival and on back and forward, else as left."""
    stores = st.session_state.setdefault(_STORE, {})
    by_name = {field.name: field for field in fields}
    context = get_script_run_ctx()
    arrived = st.session_state.get(_CURRENT) != page
    travelled = context is not None and context.is_history_navigation
    fresh = page not in stores
    if fresh:
        stores[page] = {
            "values": {f.name: f.default for f in fields},
            "notices": [],
            "query": {},
            "hide": [],
            "lock": [],
            "held": set(),
            "native": set(),  # fields that a native widget stands for
            "paced": {},
        }
    x = Experiment(page, by_name, stores[page])
    if arrived:  # without what was in the hand when the page was left, and with a bare address
        stores[page] |= {"held": set(), "query": {}}
    told = any(name in by_name or name in ("hide", "lock") for name in st.query_params)
    if fresh or travelled or (arrived and told):
        x.read_link()
    st.session_state[_CURRENT] = page
    return x
