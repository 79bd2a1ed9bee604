"""What every page has around its figures: title, lead, notices, the link to share, and footing.

A page calls `opening(x, title, lead)` and then its body, a fragment: a change in it reruns the
body alone, which is what keeps a dragged slider quick.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Final, ParamSpec

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.lead import Menu, Piece, Word, said
from components.lead import lead as sentence
from components.share import share
from engine.emit.picture import written
from figures import style
from pages.budget import limited
from pages.guide import guide
from pages.presets import Preset
from pages.state import LESSON, Experiment
from pages.terms import address, as_html, marked
from pages.terms import pieces as terms_in

# Said where browser and Python find different numbers for one run (and Python's are shown).
SENSITIVE: Final = (
    "<p class='told'>This run is sensitive to the last bit: rounding that differs by one unit in "
    "the last place grows until another path comes of it. Shown is the path that Python finds.</p>"
)
P = ParamSpec("P")

MANY_COLUMNS: Final = 9  # more of them stand closer together
LONGEST_FOOT: Final = 140  # characters of LaTeX
HERE: Final = Path(__file__).resolve().parent


@cache
def _css(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def fragment(body: Callable[[], None], *, run_every: float | None = None) -> Callable[[], None]:
    """`st.fragment` for the body of a page: a run of it has a budget of time. Where the page opens
    the terms of its sentences stand below it; what reruns the body leaves them alone."""

    @wraps(body)
    def run() -> None:
        with limited():
            body()

    part = st.fragment(run, run_every=run_every)

    @wraps(body)
    def whole() -> None:
        before = _said.set([])
        try:
            part()
            _words(_said.get() or [])
        finally:
            _said.reset(before)

    return whole


# The sentences of a page while it opens; None while a part of it runs again.
_said: ContextVar[list[str] | None] = ContextVar("said", default=None)


def _words(sentences: Sequence[str]) -> None:
    """The glossary's terms in sentences under a picture, each leading to its entry.

    In the sentences themselves links would stand before the controls for keys and, on a phone,
    after them for the eye.
    """
    found = dict(piece for piece in terms_in(" ".join(sentences)) if not isinstance(piece, str))
    if len(found) > 1 and not st.context.is_embedded:
        links = " · ".join(as_html(term.name, term) for term in found.values())
        st.html(f"<p class='words'>Words used here: {links}</p>")


def following(x: Experiment) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Decorates the part of a page's body that is Python's to say: its words and numbers.

    Picture and controls follow a hand in the browser; while it moves this part runs alone, and the
    whole body once it lets go. A page without such a part runs whole every time. It is given what
    it was given last by the body, so it must ask the experiment for whatever a hand may move.
    """

    def follower(part: Callable[P, None]) -> Callable[P, None]:
        @wraps(part)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            with limited():
                part(*args, **kwargs)
                x.follow()

        return st.fragment(run)

    return follower


def dress() -> None:
    """The few rules of style that the theme has no word for."""
    embedded = _css("embedded.css") if st.context.is_embedded else ""
    st.html(f"<style>{_css('page.css')}{embedded}</style>")


@dataclass(frozen=True, slots=True)
class View:
    """The places of a page: its picture, the controls beside it, and whether it is embedded.

    On a phone the first picture stands over the controls and what else is said in its column below
    them; what keys reach besides it comes after both, so that they go the way it is seen.
    """

    picture: DeltaGenerator
    panel: DeltaGenerator
    embedded: bool

    def height(self, tall: int, embedded: int) -> int:
        """A height in CSS pixels, for a page of its own or in a frame."""
        return embedded if self.embedded else tall


def view(x: Experiment, presets: Sequence[Preset] = (), *, panel: float = 0.28) -> View:
    """The picture with its controls beside it (on a phone below, the picture staying in sight).

    `panel` is the controls' share of the width. Presets stand over the picture, but where a lesson
    says what to try.
    """
    embedded = bool(st.context.is_embedded)
    x.presets = presets
    _keep(*(preset.reason for preset in presets))
    if presets and x.stands("presets") and not st.session_state.get(LESSON):
        with x.room or nullcontext():
            choose_preset(x, presets)
    if x.hidden("controls"):
        place = st.container()
        return View(place, place, embedded)
    with st.container(key=f"view-{x.page}"):
        picture, side = st.columns([1 - panel, panel], gap="medium")
    return View(picture, side, embedded)


def choose_preset(x: Experiment, presets: Sequence[Preset]) -> None:
    """Settings worth a click, in a row; lit while the page stands at one, its reason below."""
    key = f"{x.page}.preset"
    lit = next((p for p in presets if x.stands_at(p.link)), None)

    def load() -> None:
        # A click on the lit one says None: its state is restored from the beginning.
        chosen = next((p for p in presets if p.name == st.session_state[key]), lit)
        if chosen is not None:
            x.load(chosen.link)

    st.session_state[key] = lit.name if lit else None
    with st.container(key=f"presets-{x.page}", gap=None):
        st.pills(
            "Try",
            [p.name for p in presets],
            key=key,
            on_change=load,
            label_visibility="collapsed",
            disabled=x.locked("presets"),
        )
        st.caption(lit.reason if lit else "&nbsp;")


def opening(x: Experiment, title: str, lead: str | Sequence[Piece]) -> None:
    """Title, one sentence, what in the link could not be read, and the way to share it.

    Where words of the sentence are menus the page calls this in its fragment, which they rerun.
    """
    choices = not isinstance(lead, str)
    pieces = [lead] if isinstance(lead, str) else lead
    x.menus = [piece for piece in pieces if isinstance(piece, Menu)]
    if not x.stands("setup"):
        pieces = ["".join(p if isinstance(p, str) else said(p) for p in pieces)]
    if st.context.is_embedded:
        if choices and x.stands("setup"):
            sentence(f"{x.page}.lead", pieces)
    else:
        with st.container(key="opening", horizontal=True, vertical_alignment="top", gap="small"):
            with st.container(gap=None):
                st.title(title, anchor=False)
                if choices:
                    sentence(f"{x.page}.lead", _linked(pieces, x.page))
                else:
                    st.html(f"<p class='lead'>{marked(str(lead), x.page, as_html)}</p>")
            share(f"{x.page}.share", title=title, names=x.choosable())
    for notice in x.notices:
        reason = notice.reason.replace("```", "'''")
        instead = f"`{notice.instead}`" if notice.instead else "its default"
        st.warning(
            f"**{notice.name}** in the link could not be used; it is {instead} instead."
            f"\n\n```text\n{reason}\n```",
            icon=":material/link_off:",
        )
    guide(x)
    # Presets stand here, above what a page asks for next: a field for a formula, say, that comes
    # with one of them must not move them.
    x.room = st.container() if choices else None


def _linked(pieces: Sequence[Piece], page: str) -> list[Piece | Word]:
    """The sentence with the first place of each term leading to its entry."""
    found: list[Piece | Word] = []
    seen: set[str] = set()
    for piece in pieces:
        if not isinstance(piece, str):
            found.append(piece)
            continue
        found += [
            part if isinstance(part, str) else Word(part[0], address(part[1]), part[1].text)
            for part in terms_in(piece, page, seen)
            if part
        ]
    return found


def foot(x: Experiment, formula: str = "") -> None:
    """What stands under a picture in a frame: what it is, as a formula, and the way to the page
    of its own. A formula too long for the line is left out."""
    if st.context.is_embedded and not x.hidden("foot"):
        shown = f"${formula}$ · " if 0 < len(formula) <= LONGEST_FOOT else ""
        with st.container(key="foot"):
            st.caption(f"{shown}[open in Descent Lab]({x.address()})")


def progress_room(x: Experiment) -> DeltaGenerator:
    """The place of a bar of progress, which keeps its room while there is none."""
    place = st.container(key=f"progress-{x.page}")
    if not st.context.is_embedded:  # a container without an element is not there
        place.html("<span class='kept'></span>")
    return place


def _keep(*sentences: str) -> None:
    if (said := _said.get()) is not None:
        said += sentences


def notice(text: str, *, hued: bool = False) -> None:
    """The sentence that says what to look at in the present state (Markdown, $…$ for formulas);
    hued where names of outcomes stand in it as HTML (`pages.hues`)."""
    _keep(text)
    st.markdown(f":material/visibility: {text}", unsafe_allow_html=hued)


def copies(**texts: str) -> None:
    """The page's mathematics to take along, each language with a button that copies it."""
    with st.expander("As code: " + ", ".join(texts), icon=":material/content_copy:"):
        for name, text in texts.items():
            st.code(text, language="latex" if name == "LaTeX" else "python", wrap_lines=True)


def distinct(names: Sequence[str]) -> list[str]:
    """The names, those that occur more than once numbered: Adam 1, Adam 2."""
    total, seen = Counter(names), Counter[str]()
    out = []
    for name in names:
        seen[name] += 1
        out.append(f"{name} {seen[name]}" if total[name] > 1 else name)
    return out


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A small table of numbers; the cells are HTML, the head is text."""
    st.html(table_text(head, rows))


# A cell that holds a number, or a sign or word in the place of one; tags may come before it.
_NUMBER: Final = re.compile(r"(?:<[^>]*>|\s)*(?:[+−-]?[\d∞]|never|undefined|–|—|$)")


def table_text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The same as HTML, to go into one piece with more: each piece costs a rerun some time.

    A column without a number is one of words, which begin at its left.
    """
    lines = [[str(cell) for cell in row] for row in rows]
    worded = [
        f" w{k + 1}"
        for k, column in enumerate(zip(*lines, strict=True))
        if not any(_NUMBER.match(cell) for cell in column)
    ]
    top = "".join(
        f"<th scope='col'>{html.escape(name)}</th>" if name else "<td class='corner'></td>"
        for name in head
    )
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in lines)
    looks = f"numbers{''.join(worded)}{' many' if len(head) > MANY_COLUMNS else ''}"
    return f"<div class='scroll'><table class='{looks}'><tr>{top}</tr>{body}</table></div>"


def formula(
    x: Experiment,
    name: str,
    read: Callable[[str], object],
    example: str,
    label: str = "f(x, y) =",
    then: Callable[[], None] = lambda: None,
) -> None:
    """A text field for a formula of the page; `then` is called after a change."""

    def take(text: str) -> None:
        x.change({name: text})
        then()

    typed_text(
        f"{x.page}.{name}",
        x[name],
        read,
        take,
        label=label,
        example=example,
        locked=x.locked(name),
    )


def typed_text(
    key: str,
    value: str,
    read: Callable[[str], object],
    take: Callable[[str], None],
    *,
    label: str,
    example: str = "",
    lines: int = 1,
    locked: bool = False,
) -> None:
    """A field for text in a small language: taken where `read` accepts it; where that raises
    ValueError, pointed at, and what stood before stays in force."""
    field, problem, shown = f"{key}.typed", f"{key}.problem", f"{key}.shown"

    def changed() -> None:
        text = st.session_state[field].strip()
        try:
            read(text)
        except ValueError as error:
            st.session_state[problem] = str(error)
        else:
            st.session_state[problem] = None
            take(text)

    if st.session_state.get(shown) != value or field not in st.session_state:
        st.session_state[shown] = st.session_state[field] = value  # a link or preset changed it
        st.session_state[problem] = None
    if lines == 1:
        st.text_input(label, key=field, on_change=changed, placeholder=example, disabled=locked)
    else:
        height = 28 * lines + 24
        st.text_area(label, key=field, on_change=changed, height=height, disabled=locked)
    if st.session_state[problem]:
        st.error(f"```text\n{st.session_state[problem]}\n```")


_STROKES = {"solid": "solid", "dash": "dashed", "dot": "dotted", "dashdot": "dashed"}
_GLYPHS = {
    "circle": "●", "square": "■", "diamond": "◆", "triangle": "▲", "triangle-down": "▼",
    "cross": "✚", "x": "✖", "hexagon": "⬢", "star": "★", "pentagon": "⬟", "plus": "+", "ring": "○",
}  # fmt: skip


def swatch(look: style.Look) -> str:
    """An optimizer's mark on a piece of its line, in the colour of either theme, as HTML."""
    color = f"color:light-dark({look.color_light},{look.color_dark})"
    line = f"border-bottom-style:{_STROKES.get(look.dash, 'dashed')}"
    return (
        f"<span class='swatch' style='{color};{line}' aria-hidden='true'>"
        f"<span>{_GLYPHS[look.marker]}</span></span>"
    )


def meter(label: str, ratio: float, text: str) -> str:
    """A bar that reads from 0 to twice the limit, the limit in its middle; label is HTML."""
    filled = min(ratio / 2, 1.0) * 100
    return (
        f"<div class='meter'><span>{label}</span>"
        f"<span class='bar' role='img' aria-label='{written(ratio, '3')} times the limit'>"
        f"<span class='fill' style='width:{round(filled, 1)}%'></span>"
        f"<span class='limit' style='left:50%'></span></span>"
        f"<span>{html.escape(text)} · {written(ratio, '3')}×</span></div>"
    )
