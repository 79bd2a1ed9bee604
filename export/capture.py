"""What a page sends to a browser, state by state: its own script is run without a browser.

A state is one link. From the state asked for and from the page's presets the discrete choices lead
on to others, which a browser without Python cannot make: each is run here and kept beside it, as
far as there is room. Everything continuous lies on the page's tape and needs no state of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from components import wire
from components.lead import Menu
from export.lineup import MOST, LineUp, NoForm, key_of, line_up, modules, moving
from export.packing import Blobs, weight
from export.said import html_of
from pages import state as contract
from pages.competitors import TYPED, Runner, RunnersField
from pages.contents import SECTIONS
from pages.presets import Preset
from pages.state import ChoiceField, Experiment, FlagField

Json = Any

ROOT: Final = Path(__file__).resolve().parent.parent
SECONDS: Final = 120.0  # a page that compiles or fits something on its first run
MOST_STATES: Final = 40
MOST_OPTIONS: Final = 6  # a longer list is followed from the state asked for alone,
MOST_LISTED: Final = 16  # and one longer than this not at all
DRAWN: Final = ("stage", "graph", "training")  # what has a picture
MOVING: Final = {f"descent_lab.{kind}": kind for kind in (*DRAWN, "controls", "lead")}
STORE: Final = "descent_lab.store"

Link = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice among few that a page offers, its options as (text in the store, label)."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    value: str
    native: bool  # a widget of Streamlit's, which the host has to draw itself


@dataclass(slots=True)
class State:
    """One run of a page: its link, what its components were given, and how they stand.

    `tree` holds numbers of parts, {"said": number} and columns of them; `said` is the HTML of what
    Python wrote between them. `moves` leads from a choice's name and option to the number of
    another state; `runners` are the rules that race, with their options.
    """

    link: dict[str, str]
    parts: list[dict[str, Json]]
    said: list[str]
    tree: list[Json]
    store: dict[str, Json]
    choices: list[Choice]
    moves: dict[str, dict[str, int]] = field(default_factory=dict)
    line_up: int | None = None  # the number of the forms that its runners can be changed by
    runners: list[str] = field(default_factory=list)

    @property
    def drawn(self) -> bool:
        """Whether it has a picture that is drawn without a server."""
        return any(part["kind"] in DRAWN for part in self.parts)

    @property
    def in_space(self) -> bool:
        """Whether a picture of it is a surface in space, which Plotly draws."""
        panels = (p for part in self.parts for p in part["data"].get("panels", ()))
        return any(panel["kind"] == "scene" for panel in panels)


@dataclass(slots=True)
class Capture:
    """A page with its states, the first of them the one that was asked for."""

    page: str
    title: str
    lead: str
    states: list[State]
    presets: list[tuple[Preset, int]]
    line_ups: list[LineUp] = field(default_factory=list)
    left_out: int = 0  # choices for whose state there was no room
    full: bool = False

    def shrink(self) -> bool:
        """Leave the last state out that a choice alone leads to; False where there is none."""
        last = len(self.states) - 1
        if last == 0 or last in {place for _, place in self.presets}:
            return False
        del self.states[last]
        for state in self.states:
            for moves in state.moves.values():
                for text in [text for text, place in moves.items() if place == last]:
                    del moves[text]
                    self.left_out += 1
        return True


class PageError(ValueError):
    """A page that is not there, or a link that it cannot use."""


def titles() -> dict[str, str]:
    """The pages by file, with what the menu calls them."""
    return {entry.file: entry.title for entries in SECTIONS.values() for entry in entries}


def read_link(text: str) -> dict[str, str]:
    """The values in a link: a whole address, or what stands behind its question mark."""
    query = text.split("?", 1)[-1].split("#", 1)[0]
    if query == text and "://" in text:
        query = ""
    values = dict(parse_qsl(query, keep_blank_values=True))
    return {k: v for k, v in values.items() if k not in ("embed", "embed_options")}


class Page:
    """A page as it runs for one visitor who arrives by a link."""

    def __init__(self, file: str, link: Link) -> None:
        self.app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=SECONDS)
        for name, value in link.items():
            self.app.query_params[name] = value
        self.app.switch_page(str(ROOT / "pages" / f"{file}.py"))
        self.file = file
        self.run()

    def run(self) -> None:
        """Run the script; PageError where it fails, or has no experiment."""
        heard: list[Experiment] = []
        listener = heard.append
        contract.HEARERS.append(listener)
        try:
            self.app.run()
        finally:
            contract.HEARERS.remove(listener)
        if self.app.exception:
            raise PageError(f"{self.file}: {self.app.exception[0].message}")
        if not heard:
            raise PageError(f"{self.file} has no experiment to take along")
        self.experiment = heard[-1]

    def widgets(self) -> dict[str, Any]:
        """Streamlit's own widgets that show fields of the page, by field."""
        page, found = self.experiment.page, {}
        for kind in ("selectbox", "button_group", "toggle"):
            for widget in self.app.get(kind):
                head, _, name = (getattr(widget, "key", None) or "").partition(".")
                if head == page and name in self.experiment.fields:
                    found[name] = widget
        return found

    def choices(self) -> list[Choice]:
        """What can be chosen among few here, as far as this link does not lock it."""
        x = self.experiment
        found = []
        for name, widget in self.widgets().items():
            here, label = x.fields[name], str(getattr(widget, "label", "") or name)
            if x.locked(name):
                continue
            if isinstance(here, FlagField):
                options: tuple[tuple[str, str], ...] = (("0", "off"), ("1", "on"))
            elif isinstance(here, ChoiceField):
                called = [(o, str(widget.format_func(o))) for o in here.options]
                options = tuple((str(o), text) for o, text in called if text in widget.options)
            else:
                continue
            found.append(Choice(name, label, options, here.format(x[name]), True))
        for menu in x.menus:
            if not menu.locked and x.stands("setup"):
                labels = [
                    pair
                    for value, label in menu.options
                    for pair in ([(value, label)] if isinstance(label, str) else label)
                ]
                found.append(Choice(menu.id, menu.label, tuple(labels), menu.value, False))
        parts = [*parts_of(self.app.main)]
        followed = {name for part in parts for name in part["data"].get("follows", ())}
        for part in parts:
            for item in (i for g in part["data"].get("groups", ()) for i in g["items"]):
                if item["locked"] or item["kind"] == "slider" or item["name"] in followed:
                    continue
                options = item.get("options") or (("false", "off"), ("true", "on"))
                value = item["value"] if item["kind"] == "choice" else str(item["value"]).lower()
                pairs = tuple((str(text), str(label)) for text, label in options)
                found.append(Choice(item["name"], item["label"], pairs, value, False))
        return found

    def link_of(self, choice: Choice, text: str) -> dict[str, str]:
        """The link of the state that a choice leads to; a native widget's runs the page again."""
        x = self.experiment
        if not choice.native:
            menu = next((m for m in x.menus if m.id == choice.name), None)
            if menu is not None:
                return x.query_after(lambda: menu.take(text))
            moved: Any = text == "true" if text in ("true", "false") else text
            return x.query_after(lambda: x.accept({choice.name: moved}, True))
        value = x.fields[choice.name].parse(text)
        self.widgets()[choice.name].set_value(value)
        self.run()
        return self.experiment.query()

    @property
    def adding(self) -> Menu | None:
        """The menu that adds a runner, where this page has one that is not locked."""
        menus = self.experiment.menus if self.experiment.stands("setup") else ()
        return next((m for m in menus if m.id == "add" and not m.locked), None)

    def runners_of(self, link: Link) -> list[Runner]:
        """The runners of a link, none where their number or their rules have no room in a form."""
        field = self.experiment.fields["runs"]
        runners = field.parse(link["runs"]) if "runs" in link else field.default
        fit = len(runners) <= MOST and all(runner.slug != TYPED for runner in runners)
        return list(runners) if fit else []

    @property
    def joining(self) -> list[str]:
        """The rules of the registry that can be added here."""
        options = self.adding.options if self.adding else ()
        return [slug for slug, _ in options if slug and slug != TYPED]

    def newcomers(self, rules: Collection[str]) -> list[Runner]:
        """Those of some rules that can be added here, each as it joins."""
        found = list[Runner]()
        for slug in self.joining:
            if slug in rules and self.adding:
                link = self.experiment.query_after(partial(self.adding.take, slug))
                found.append(self.experiment.fields["runs"].parse(link["runs"])[-1])
        return found

    def state(self) -> State:
        """What the browser was given."""
        parts: list[dict[str, Json]] = []
        said: list[str] = []
        tree = _tree(self.app.main, parts, said)
        store = next(p["data"] for p in parts_of(self.app.main, stores=True))
        return State(self.experiment.query(), parts, said, tree, store, self.choices())


def parts_of(block: Block, *, stores: bool = False) -> Iterator[dict[str, Json]]:
    """What each component below a block was given, in order: those that show, or the stores."""
    for element in block.children.values():
        if isinstance(element, Block):
            yield from parts_of(element, stores=stores)
            continue
        proto = getattr(element, "proto", None)
        name = getattr(proto, "component_name", "")
        if proto is not None and (name == STORE if stores else name in MOVING):
            kind = MOVING.get(name, "store")
            yield {"kind": kind, "key": _key(proto.id), "data": wire.given(proto)}


def _key(widget: str) -> str:
    """The key that a page gave a component: what stands last in Streamlit's name for it."""
    return widget.rsplit("-", 1)[-1]


def _tree(block: Block, parts: list[dict[str, Json]], said: list[str]) -> list[Json]:
    """Where the components stand: numbers of parts, what is said between them, and columns of both
    with their widths."""
    found: list[Json] = []
    columns: list[Json] = []
    for element in block.children.values():
        if not isinstance(element, Block):
            for part in parts_of(_Single(element)):
                found.append(len(parts))
                parts.append(part)
            body = getattr(getattr(element, "proto", None), "body", None)
            if body and (text := html_of(element.type, body)):
                found.append({"said": len(said)})
                said.append(text)
            continue
        if _apart(element):
            inner = [node for node in _tree(element, parts, []) if isinstance(node, int)]
        else:
            inner = _tree(element, parts, said)
        if element.type == "column":
            columns.append({"width": getattr(element, "weight", 1.0), "tree": inner})
        else:
            found += inner
    full = [column for column in columns if column["tree"]]
    if len(full) > 1:
        found.append({"columns": full})
    elif full:
        found += full[0]["tree"]
    return found


def _apart(block: Block) -> bool:
    """Whether that is no part of what is said of the state: title and presets, which the copy has
    of its own, and what is folded away."""
    named = str(getattr(getattr(block, "proto", None), "id", ""))
    return block.type == "expander" or re.search(r"-(opening|presets-\w+|foot)$", named) is not None


class _Single(Block):
    """One element as a block of its own."""

    def __init__(self, element: Any) -> None:
        self.children = {0: element}


def capture(
    file: str,
    link: Link,
    *,
    room: int = 0,
    most: int = MOST_STATES,
    space: bool = False,
    presets: bool = True,
    rules: Collection[str] = (),
) -> Capture:
    """The page in a file of pages/ at a link, with the states that it leads to.

    `room` is how many bytes all states may take up packed (0: no limit). All presets come along,
    and where the page lets one choose its runners, those of `rules` can be chosen; then follows, as
    far as there is room, what one choice leads to from each state in turn, at last what a long list
    leads to from the state asked for. Without `space` only the state asked for may show a surface
    in space. Raises PageError.
    """
    if file not in titles():
        raise PageError(f"there is no page {file!r}; there are {', '.join(titles())}")
    first = Page(file, link)
    notices = [n for n in first.experiment.notices if n.instead or n.reason]
    if notices:
        raise PageError("; ".join(f"{n.name}: {n.reason}" for n in notices))
    title, lead = _heading(first.app)
    found = Capture(file, title, lead, [first.state()], [])
    kept = {key: link[key] for key in ("hide", "lock") if key in link}
    known = {_sign(found.states[0].link): 0}
    blobs = Blobs()
    size = _weight(found.states[0], blobs)

    def add(wanted: Link, *, needed: bool = False) -> int | None:
        """The number of the state of a link; None where there is no room for it."""
        nonlocal size
        if _sign(wanted) in known:
            return known[_sign(wanted)]
        if found.full and not needed:
            return None
        made = Page(file, wanted).state()
        if _sign(made.link) in known:
            return known.setdefault(_sign(wanted), known[_sign(made.link)])
        if made.in_space and not space:
            return None
        size += _weight(made, blobs)
        found.full = len(found.states) + 1 >= most or bool(room and size > room)
        if found.full and not needed:
            return None
        found.states.append(made)
        known[_sign(wanted)] = known[_sign(made.link)] = len(found.states) - 1
        return len(found.states) - 1

    if presets and not first.experiment.hidden("presets"):
        for preset in first.experiment.presets:
            place = add({**preset.link, **kept}, needed=True)
            if place is not None:
                found.presets.append((preset, place))
            else:
                found.left_out += 1

    def fits(made: LineUp) -> bool:
        """Whether there is room for the forms of a setting, as for the first there always is."""
        nonlocal size
        states = [[s.parts, s.said, s.store, s.moves] for s in found.states]
        whole = weight(states, [[one.forms, one.rules] for one in (*found.line_ups, made)])
        if found.line_ups and room and whole > room:
            return False
        size = whole
        return True

    if rules and first.adding and isinstance(first.experiment.fields.get("runs"), RunnersField):
        _line_up(found, rules, fits, narrow=bool(room))

    def go_on(at: int) -> int:
        """Follow every state from that place on; how many there are then."""
        while at < len(found.states):
            _lead_on(found, at, add, file)
            at += 1
        return at

    near = go_on(0)
    _lead_on(found, 0, add, file, long=True)
    beside = range(near, len(found.states))
    go_on(near)
    for one in beside:  # from each of them to the others, and back
        _lead_on(found, one, lambda link: known.get(_sign(link)), file, long=True)
    return found


def _line_up(
    found: Capture, rules: Collection[str], fits: Callable[[LineUp], bool], *, narrow: bool
) -> None:
    """Make the runners of the states choosable among some rules, setting by setting, as far as the
    forms fit. Where room is narrow, those on another landscape, which needs all rules printed anew,
    stay as they are."""
    hand = {name for state in found.states for name in moving(state.parts)}

    def setting(link: Link) -> dict[str, str]:
        """What of a link no hand can move: states of one setting share their forms."""
        return {n: v for n, v in link.items() if n != "runs" and n not in hand}

    settings: list[dict[str, str]] = []
    for state in found.states:
        if setting(state.link) not in settings:
            settings.append(setting(state.link))
    placed: list[dict[str, str]] = []
    printed: set[str] = set()
    for here in settings:
        states = [state for state in found.states if setting(state.link) == here]
        page = Page(found.page, states[0].link)
        racing = {id(state): page.runners_of(state.link) for state in states}
        states = [s for s in states if racing[id(s)]]
        needed = {name for state in states for name in modules(state.parts)}
        if not states or (narrow and found.line_ups and not needed <= printed):
            continue
        others = [runner for state in states for runner in racing[id(state)]]
        try:
            made = line_up(
                states[0].link,
                page.joining,
                partial(page.newcomers, rules),
                others,
                lambda link: Page(found.page, link).state(),
            )
        except NoForm:
            if not found.line_ups:
                return  # nor will another setting of this page have one
            continue
        if not fits(made):
            break
        for state in states:
            state.line_up = len(found.line_ups)
            state.runners = [key_of(runner) for runner in racing[id(state)]]
        found.line_ups.append(made)
        placed.append(here)
        printed.update(*(rule["run"]["modules"] for rule in made.rules.values()))
    for at, made in enumerate(found.line_ups):
        page = Page(found.page, made.link)
        for choice in page.choices():
            links = {t: page.link_of(choice, t) for t, _ in choice.options if not choice.native}
            leads = {
                text: placed.index(setting(link))
                for text, link in links.items()
                if link.get("runs") == made.link.get("runs") and setting(link) in placed
            }
            if set(leads.values()) - {at}:
                made.moves[choice.name] = leads


def _lead_on(
    found: Capture, at: int, add: Callable[[Link], int | None], file: str, *, long: bool = False
) -> None:
    """Where the choices of a state lead, those among few or those of long lists, as far as there is
    room."""
    here = found.states[at]
    for choice in here.choices:
        moves = here.moves.setdefault(choice.name, {choice.value: at})
        count = len(choice.options)
        if (count > MOST_OPTIONS) != long:
            continue
        if count > MOST_LISTED or (long and choice.native):
            found.left_out += count - 1
            continue
        page = Page(file, here.link) if long else None  # whose link is known without another run
        for text, _ in choice.options:
            if text == choice.value:
                continue
            place = None
            if page is not None or not found.full:
                place = add((page or Page(file, here.link)).link_of(choice, text))
            if place is None:
                found.left_out += 1
            else:
                moves[text] = place


def _heading(app: AppTest) -> tuple[str, str]:
    title = app.title[0].value if app.title else ""
    leads = [h.body for h in app.get("html") if "class='lead'" in getattr(h, "body", "")]  # type: ignore[union-attr]
    return title, leads[0] if leads else ""


def _sign(link: Link) -> str:
    return json.dumps(dict(sorted(link.items())))


def _weight(state: State, blobs: Blobs) -> int:
    return blobs.weigh([state.parts, state.said, state.store, state.moves])[1]
