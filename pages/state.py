"""The page contract: a parameter declared once is field, link value, control, lock and hide.

A page names its fields with default, limits and how they are spoken of. `experiment` reads them
from the link on arrival and on back and forward, keeps them while the visitor works, gives them to
pictures and controls, and `publish` joins them to the reader's store and writes what differs from
the default into the link, once per finished change. Streamlit's own binding of widgets to the link
is not used: it drops bad values without a word, knows nothing of components, and replaces the
history entry that "back" should return to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Final, Literal
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components.controls import Choice as Chooser
from components.controls import Group, Slider, Toggle, controls
from components.lead import Menu
from components.store import follow, store
from engine.emit.picture import Picture
from pages.budget import limited
from pages.fields import (
    Choice,
    ChoiceField,
    Field,
    Flag,
    FlagField,
    Integer,
    Number,
    NumberField,
    Numbers,
    Text,
    read_number,
    shorten,
)
from pages.presets import Preset

# A page takes its fields and its experiment from here.
__all__ = [
    "BY_CHOICE", "HEARERS", "LESSON", "MAX_TEXT", "PARTS", "Choice", "ChoiceField", "Experiment",
    "Field", "Flag", "FlagField", "Integer", "Notice", "Number", "NumberField", "Numbers", "Text",
    "experiment", "read_number", "shorten", "turn_to",
]  # fmt: skip

MAX_TEXT = 2000  # characters of one value in a link
PARTS = (
    "controls",
    "actions",
    "presets",
    "setup",
    "table",
    "formula",
    "foot",
)  # what pages have beside their fields
BY_CHOICE = ("setup", "presets")  # what a frame leaves out unless `?show=` names it
_STORE = "_experiments"
_CURRENT = "_current_page"
_PATH = "_current_path"
# What parts and fields without a label are called where a teacher chooses among them.
_CALLED = {
    "setup": "what is chosen in the sentence", "foot": "formula and link below",
    "add": "adding another", "copies": "code to copy", "heard": "heard in class",
    "stability": "limits of the rates", "f": "typed formula", "runs": "optimizers",
    "t": "step shown", "xr": "range across", "yr": "range up", "sx": "scale across",
    "sy": "scale up",
}  # fmt: skip
_LISTS = ("hide", "lock", "show")  # names in the link that list parts and fields
_STREAMLIT = ("embed", "embed_options")
LESSON = "lesson"  # the step of a lesson that the reader follows, over all pages

# Who takes pages along (export) hears of each experiment here once its run has said everything.
HEARERS: list[Callable[[Experiment], None]] = []


@dataclass(frozen=True, slots=True)
class Notice:
    """A part of the link that could not be used: its name, why, and what stands instead."""

    name: str
    reason: str
    instead: str


# The experiment -----------------------------------------------------------------------------------


class Experiment:
    """The values of a page's fields in this visit: the one owner of each."""

    def __init__(
        self,
        page: str,
        fields: Mapping[str, Field[Any]],
        parts: Sequence[str],
        store: dict[str, Any],
    ) -> None:
        self.page = page
        self.fields = fields
        self.parts = (*PARTS, *parts)
        self._store = store
        self._effective: dict[str, Any] = {}
        self.presets: Sequence[Preset] = ()  # as far as the page offers any,
        self.menus: Sequence[Menu] = ()  # and the choices in its lead
        self.room: DeltaGenerator | None = None  # where its presets stand

    def __getitem__(self, name: str) -> Any:
        """The current value."""
        return self._store["values"][name]

    def update(self, **values: Any) -> None:
        """Set values."""
        self._store["values"].update(values)

    def change(self, values: Mapping[str, Any], *, held: bool = False) -> None:
        """Set values by what the reader does; held while a hand is still on a control."""
        self._store["held"] = held
        self.update(**values)

    def load(self, link: Mapping[str, str]) -> None:
        """Every field as a link says, the others back to their defaults. The link must be right."""
        self._store |= {"restart": self._store["restart"] + 1, "brought": {}}
        self.change(self.read(link))

    def read(self, link: Mapping[str, str]) -> dict[str, Any]:
        """Every field's value as a link says, at its default where that says nothing."""
        return {
            name: field.parse(link[name]) if name in link else field.default
            for name, field in self.fields.items()
        }

    def stands_at(self, link: Mapping[str, str]) -> bool:
        """Whether the page is in the state of a link."""
        wanted = _texts_of(self, link)
        return all(field.format(self[n]) == wanted[n] for n, field in self.fields.items())

    def texts(self) -> dict[str, str]:
        """Every field as a link writes it, and how much was brought about."""
        texts = {name: field.format(self[name]) for name, field in self.fields.items()}
        return texts | {name: str(len(kinds)) for name, kinds in self._store["brought"].items()}

    def bring_about(self, name: str, what: str) -> None:
        """Count what the reader has achieved here, each thing once, since a link or a lesson led to
        the page: a lesson's tasks know the count by its name."""
        self._store["brought"].setdefault(name, set()).add(what)

    @property
    def restart(self) -> str:
        """A mark that changes when a preset is taken: its picture plays from the beginning."""
        return str(self._store["restart"])

    # What the reader's hand moves ---------------------------------------------------------------

    def stand_in(self, name: str, value: Any) -> None:
        """What stands for a field that is left to the page (no start: the landscape's own)."""
        self._effective[name] = value

    def entries(self) -> dict[str, Any]:
        """Every entry of the page's store, at its value of now."""
        found: dict[str, Any] = {}
        for name, field in self.fields.items():
            found |= field.flat(self._effective.get(name, self[name]))
        return found

    def live(self) -> Picture:
        """The values on a tape: pictures made of them follow the reader's hand."""
        return Picture(self.entries())

    def accept(self, moved: Mapping[str, Any], committed: bool) -> None:
        """Take what the reader moved; what is locked, unknown or unusable stays as it was."""
        values: dict[str, Any] = {}
        for entry, value in moved.items():
            field = next((f for f in self.fields.values() if f.owns(entry)), None)
            if field is None or self.locked(entry):
                continue
            before = values.get(field.name, self[field.name])
            try:
                values[field.name] = field.put(before, entry, value)
            except (ValueError, TypeError):
                continue
        self.change(values, held=not committed)

    @property
    def held(self) -> bool:
        """Whether the reader's hand is still on a control: more will follow."""
        return bool(self._store["held"])

    # Lock and hide --------------------------------------------------------------------------------

    def hidden(self, name: str) -> bool:
        """Whether the link asks to leave the control or part of that name out (`?hide=`)."""
        return self._among(name, self._store["hide"])

    def stands(self, part: str) -> bool:
        """Whether a part of BY_CHOICE is on the page: in a frame where the link asks for it."""
        asked = not st.context.is_embedded or part in self._store["show"]
        return asked and not self.hidden(part)

    def locked(self, name: str) -> bool:
        """Whether the link asks to show the control without letting it change (`?lock=`)."""
        lock = self._store["lock"]
        return "all" in lock or "controls" in lock or self._among(name, lock)

    def _among(self, name: str, names: Sequence[str]) -> bool:
        """Whether a control is named: itself, its field ("xr" for "xr.to", "z" for "z[2]"), or the
        last part of its name ("lr" for "0/lr")."""
        if not names:  # nearly always, and asked of every control in every run
            return False
        field = next((f.name for f in self.fields.values() if f.owns(name)), _head(name))
        return not {name, field, _tail(name)}.isdisjoint(names)

    def choosable(self) -> list[tuple[str, str, bool]]:
        """What an embedded page may hide or lock: its name, what it is called, and whether a frame
        shows it only where it is asked for."""

        def called(name: str) -> str:
            return _CALLED.get(name, name.replace("_", " "))

        fields = [
            (name, getattr(field, "label", "") or called(name))
            for name, field in self.fields.items()
            if "." not in name
        ]
        every = [("all", "everything"), *((part, called(part)) for part in self.parts), *fields]
        return [(name, words, name in BY_CHOICE) for name, words in every]

    def _known(self) -> list[str]:
        """The names that lock and hide may name."""
        entries = self.entries()
        inner = [_tail(name) for name in entries]
        return list(dict.fromkeys(["all", *self.parts, *self.fields, *entries, *inner]))

    # Controls ---------------------------------------------------------------------------------

    def native(self, name: str, then: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """Key, callback and lock for a native widget: `st.toggle("log", **x.native("log"))`.

        The widget shows the field and writes it; it owns nothing, for a widget that is left out
        of one run forgets. `then` is called after a change.
        """
        key = f"{self.page}.{name}"
        field = self.fields[name]

        def changed() -> None:
            value = st.session_state[key]
            if value is None:  # clicked away: one of the options always stands
                return
            self.change({name: field.parse(field.format(value))})
            then()

        st.session_state[key] = self[name]
        return {"key": key, "on_change": changed, "disabled": self.locked(name)}

    def slider(self, name: str, **changes: Any) -> Slider:
        """The slider of a number field."""
        field = self.fields[name]
        assert isinstance(field, NumberField)
        return field.slider(self[name], **changes)

    def toggle(self, name: str, **changes: Any) -> Toggle:
        """The switch of a flag."""
        field = self.fields[name]
        assert isinstance(field, FlagField)
        return field.toggle(self[name], **changes)

    def chooser(self, name: str, **changes: Any) -> Chooser:
        """The list of a choice."""
        field = self.fields[name]
        assert isinstance(field, ChoiceField)
        return field.chooser(self[name], **changes)

    def menu(
        self,
        name: str,
        *,
        value: str = "",
        text: str = "",
        options: Sequence[tuple[str, str]] = (),
        then: Callable[[], None] = lambda: None,
    ) -> Menu:
        """A choice (or a text of those `options`) as a word of the page's lead; `value` is what
        stands where the field is empty."""
        field = self.fields[name]
        if isinstance(field, ChoiceField):
            says = field.says or {}
            options = options or [(str(o), says.get(str(o), str(o))) for o in field.options]

        def take(value: str) -> None:
            self.change({name: field.parse(value)})
            then()

        return Menu(
            id=name,
            label=getattr(field, "label", "") or name,
            value=field.format(self[name]) or value,
            text=text,
            options=options,
            take=take,
            locked=self.locked(name),
        )

    def controls(
        self,
        groups: Iterable[Group],
        *,
        live: Picture | None = None,
        height: int | None = None,
        name: str = "controls",
        layout: Literal["column", "row"] = "column",
        on_action: Callable[[str, str], None] | None = None,
    ) -> None:
        """Show groups of controls, without those that the link hides; the locked ones stand still.

        An action is locked with the group's id, or with everything.
        """
        shown = []
        for group in groups:
            items = [
                replace(item, locked=item.locked or self.locked(item.name))
                for item in group.items
                if not self.hidden(item.name)
            ]
            still = self.locked(group.id) or self.locked("actions")
            actions = [replace(a, locked=a.locked or still) for a in group.actions]
            if items or actions or (group.note and not group.items):
                shown.append(replace(group, items=items, actions=actions))

        def act(group: str, action: str) -> None:
            if on_action is not None and not self.locked(group):
                # Streamlit calls it before the page, whose time does not count it.
                with limited(first=True):
                    on_action(group, action)

        if shown and not self.hidden("controls"):
            controls(
                f"{self.page}.{name}",
                shown,
                live=live,
                layout=layout,
                max_height=height,
                on_action=act,
            )

    # The link ---------------------------------------------------------------------------------

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What could not be read from the link."""
        return tuple(self._store["notices"])

    def query(self) -> dict[str, str]:
        """What the link must say: every value that is not its default."""
        parts = {}
        for name, field in self.fields.items():
            text = field.format(self[name])
            if text != field.format(field.default):
                parts[name] = text
        for name in _LISTS:
            if self._store[name]:
                parts[name] = ",".join(self._store[name])
        if chosen := st.session_state.get(LESSON):
            parts[LESSON] = chosen
        return parts

    def query_after(self, act: Callable[[], None]) -> dict[str, str]:
        """What the link would say after something that the reader may do; nothing is changed."""
        before = dict(self._store)
        self._store["values"] = dict(before["values"])
        try:
            act()
            return self.query()
        finally:
            self._store.update(before)

    def address(self) -> str:
        """The page of its own at this state, beside this one: nothing hidden or locked."""
        values = {name: text for name, text in self.query().items() if name not in _LISTS}
        return f"{st.session_state.get(_PATH) or './'}?{urlencode(values, safe=':;,')}"

    def publish(self) -> None:
        """Join the page's store and write the link; the last call of a run.

        The link is not written while the reader's hand is still on a control.
        """
        entries = self.entries()
        locked = [name for name in entries if self.locked(name)]
        store(self.page, entries, locked=locked, on_values=self.accept)
        for hear in HEARERS:
            hear(self)
        if self.held:
            return
        query = self.query()
        if query != self._store["query"]:
            self._store["query"] = query
            st.query_params.from_dict(query)

    def follow(self) -> None:
        """Have this fragment alone follow a moving hand; the last call of its run.

        While a lesson is on, the whole page does: its step waits for what the reader reaches.
        """
        if not st.session_state.get(LESSON):
            follow(self.page, on_values=self.accept)

    def read_link(self) -> None:
        """Take every value from the link; defaults and a notice where that cannot be."""
        given = {name: st.query_params[name] for name in st.query_params}
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
        for name in _LISTS:
            self._store[name] = [part for part in given.get(name, "").split(",") if part]
        self.update(**values)
        if LESSON in given:
            st.session_state[LESSON] = given[LESSON]
        known = [*self.fields, *_LISTS, LESSON]
        notices += [
            Notice(name, "this page has nothing of that name" + _nearest(name, known), "")
            for name in given
            if name not in known and name not in _STREAMLIT
        ]
        for option in _LISTS:
            names = list(BY_CHOICE) if option == "show" else self._known()
            notices += [
                Notice(option, f"there is no {part!r} here" + _nearest(part, names), "")
                for part in self._store[option]
                if part not in names and (option == "show" or _head(part) not in self.fields)
            ]
        self._store |= {"notices": notices, "brought": {}}
        # The address stays as it is until something changes: to tidy it up would put an entry
        # into the history that "back" could not get past.
        self._store["query"] = self.query()


_TEXTS: Final[dict[Any, dict[str, str]]] = {}
_MOST_TEXTS: Final = 500


def _texts_of(x: Experiment, link: Mapping[str, str]) -> dict[str, str]:
    """Every field of a page as a link leaves it, kept: presets are compared at every run."""
    key = (x.page, *x.fields), tuple(link.items())
    if key not in _TEXTS:
        if len(_TEXTS) >= _MOST_TEXTS:
            _TEXTS.clear()
        wanted = x.read(link)
        _TEXTS[key] = {name: field.format(wanted[name]) for name, field in x.fields.items()}
    return _TEXTS[key]


def _head(name: str) -> str:
    return re.split(r"[.\[]", name, maxsplit=1)[0]


def _tail(name: str) -> str:
    return re.split(r"[./]", name)[-1]


def _nearest(name: str, known: Sequence[str]) -> str:
    by_case = {k.casefold(): k for k in reversed(known)}
    close = get_close_matches(name.casefold(), by_case, n=1, cutoff=0.5)
    return f"; did you mean {by_case[close[0]]!r}?" if close else ""


def turn_to(path: str) -> None:
    """Say which page is shown, before it runs: one that was left is arrived at anew."""
    if st.session_state.get(_PATH) != path:
        st.session_state[_PATH] = path
        st.session_state.pop(_CURRENT, None)


def experiment(page: str, fields: Sequence[Field[Any]], parts: Sequence[str] = ()) -> Experiment:
    """The experiment of a page: from the link on arrival and on back and forward, else as left.

    `parts` are what the page can hide or lock beside its fields and PARTS.
    """
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
            "show": [],
            "held": False,
            "restart": 0,
            "brought": {},
        }
    x = Experiment(page, by_name, parts, stores[page])
    if arrived:  # without what was in the hand when the page was left, and with a bare address
        stores[page] |= {"held": False, "query": {}}
    told = any(name not in _STREAMLIT for name in st.query_params)
    if fresh or travelled or (arrived and told):
        x.read_link()
    st.session_state[_CURRENT] = page
    return x
