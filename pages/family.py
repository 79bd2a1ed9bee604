"""The family: a tree by year, every rule, what each can do here, who becomes whom, advice."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import streamlit as st

from components.controls import Group, Item
from components.drawing import drawing
from components.lead import Piece
from engine.emit.picture import written
from engine.optimizers import BRANCHES, OPTIMIZERS, Optimizer
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.runs.descent import Descent
from engine.studies.advice import ADVICE, DEPARTURES, HISTORY, USUAL
from engine.studies.comparison import RATES, TRIED_WITH, Outcome, compare
from engine.studies.family import (
    HEIRS,
    RELATIONS,
    STEPS,
    THUMBNAIL_STEPS,
    Relation,
    origin,
    thumbnail,
)
from engine.studies.rule_latex import rule_in_symbols
from figures import family as pictures
from figures import style
from pages import frame, problem, reasons
from pages.competitors import Runner
from pages.state import Choice, Integer, Number, Text, experiment

TREE, RULES, OUTCOMES, RELATED, SETTINGS, WHY = VIEWS = (
    "the tree", "what they are", "what they do here", "who becomes whom", "settings and advice",
    "why they differ",
)  # fmt: skip
ALL = "every branch"
TARGETS = (1.0, 1e-1, 1e-2, 1e-4, 1e-6, 1e-9)
MEASURABLE = [slug for slug, entry in LANDSCAPES.items() if entry.minimum is not None]
SORTS_OF_RULES: dict[str, Callable[[Optimizer], Any]] = {
    "as they grew": lambda entry: list(OPTIMIZERS).index(entry.slug),
    "name": lambda entry: entry.name,
    "year": lambda entry: entry.year,
    "memory": lambda entry: (bool(entry.memory_note), entry.memory),
}
SORTS_OF_OUTCOMES: dict[str, Callable[[Outcome], Any]] = {
    "steps": lambda outcome: (outcome.steps is None, outcome.steps or 0, outcome.gap),
    "loss": lambda outcome: outcome.gap,
    "divergence": lambda outcome: outcome.diverged,
    "name": lambda outcome: OPTIMIZERS[outcome.slug].name,
}

PAGE_STYLE = """
<style>
.st-key-family-rules table { font-size: 0.86rem; table-layout: fixed; min-width: 62rem; }
.st-key-family-rules :is(th, td) { padding: 0.5rem 0.6rem; vertical-align: top; border-inline: 0; }
.st-key-family-rules small { font-size: 0.78rem; opacity: 0.75; }
.st-key-family-rules .katex { font-size: 1em; }
.st-key-family-rules th:nth-child(1) { width: 10.5%; }
.st-key-family-rules th:nth-child(2) { width: 21%; }
.st-key-family-rules th:nth-child(3) { width: 35%; }
.st-key-family-rules th:nth-child(4) { width: 7%; }
.st-key-family-rules th:nth-child(5) { width: 6.5%; }
.st-key-family-rules .stMarkdown { overflow-x: auto; }
[class*="st-key-family-"] table.numbers a, .family-cards a {
  color: var(--st-link-color); white-space: nowrap; }
[class*="st-key-family-words"] table.numbers :is(th, td) {
  text-align: left; vertical-align: top; padding-block: 0.35rem; }
.family-cards { display: none; }
.family-cards article { border-top: 1px solid color-mix(in srgb, currentColor 14%, transparent);
  padding: 0.6rem 0; }
.family-cards p { margin: 0.15rem 0; font-size: 0.92rem; }
@media (max-width: 640px) {
  .family-cards { display: block; }
  .st-key-family-tree svg { display: none; }
  .st-key-family-rules :is(table, tbody, tr, td) { display: block; min-width: 0; width: 100%; }
  .st-key-family-rules thead { display: none; }
  .st-key-family-rules tr { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent);
    padding: 0.5rem 0; }
  .st-key-family-rules td { border: 0; padding: 0.15rem 0; overflow-x: auto; }
  .st-key-family-rules td:nth-child(4)::before { content: "state per weight: "; opacity: 0.7; }
  .st-key-family-rules td:nth-child(5)::before { content: "usual η: "; opacity: 0.7; }
}
</style>
"""

x = experiment(
    "family",
    [
        Choice("view", VIEWS[0], VIEWS, label="what is shown"),
        Choice("branch", ALL, [ALL, *BRANCHES], label="branch"),
        Text("find", ""),
        Choice("sort", "as they grew", list(SORTS_OF_RULES), label="sorted by"),
        Choice("order", "steps", list(SORTS_OF_OUTCOMES), label="sorted by"),
        Choice("on", "bowl", MEASURABLE),
        Number("kappa", 50.0, 1.0, 1000.0, label="condition number", symbol="κ", scale="log"),
        Number("rotation", 30.0, -90.0, 90.0, label="rotation", unit="°"),
        Integer("steps", 300, 10, 1000, label="steps", symbol="T", scale="log"),
        Choice("target", 1e-2, TARGETS),
        *reasons.FIELDS,
    ],
    parts=("history",),
)


def found() -> list[Optimizer]:
    """The optimizers that the filters leave."""
    entries = OPTIMIZERS.values() if x["branch"] == ALL else BRANCHES[x["branch"]]
    words = x["find"].lower().split()

    def says(entry: Optimizer) -> str:
        texts = (entry.name, entry.slug, entry.idea, entry.when, entry.paper, entry.relatives)
        return " ".join((*texts, str(entry.year))).lower()

    return [entry for entry in entries if all(word in says(entry) for word in words)]


def landscape() -> Landscape:
    """The chosen landscape, a bowl of the chosen shape."""
    entry = LANDSCAPES[x["on"]]
    return entry(condition=x["kappa"], rotation=x["rotation"]) if entry.slug == "bowl" else entry


# The tree -----------------------------------------------------------------------------------------


@st.cache_resource(max_entries=1)
def thumbnails() -> dict[str, Descent]:
    """A small run of every rule."""
    return {slug: thumbnail(slug) for slug in OPTIMIZERS}


def race_with_parent(slug: str) -> str:
    """The race of a rule and of the one that it was made from, each at its rate in the picture."""
    runs = thumbnails()
    parents = [h.parent for h in HEIRS if h.child == slug]
    runners = [Runner(s, {"lr": runs[s].hypers["lr"]}) for s in (*parents, slug)]
    surface = runs[slug].landscape
    return problem.race_address(surface, runners, start=surface.start, steps=THUMBNAIL_STEPS)


def tree(entries: list[Optimizer]) -> None:
    """The tree by year, as cards on a phone, and the history in words."""
    wanted = {entry.slug for entry in entries}
    dimmed = [slug for slug in OPTIMIZERS if slug not in wanted]
    with st.container(key="family-tree"):
        row = pictures.TREE_ROW_FRAMED if st.context.is_embedded else pictures.TREE_ROW
        drawn = pictures.family_tree(HEIRS, thumbnails(), race_with_parent, dimmed=dimmed, row=row)
        drawing("family.tree", pictures.STYLE + drawn, scroll=not st.context.is_embedded)
    heirs = {h.child: h for h in HEIRS}
    cards = []
    for entry in sorted(entries, key=lambda entry: origin(entry.slug)):
        heir = heirs.get(entry.slug)
        came = f"{OPTIMIZERS[heir.parent].name}, but {heir.change}. " if heir else ""
        href = html.escape(race_with_parent(entry.slug))
        cards.append(
            f"<article>{frame.swatch(style.look(entry.slug))}<b>{html.escape(entry.name)}</b> "
            f"{origin(entry.slug)}<p>{html.escape(came + entry.idea)}</p>"
            f"<p><a href='{href}' target='_self'>see it race</a></p></article>"
        )
    st.html(f"<div class='family-cards'>{''.join(cards)}</div>")
    if st.context.is_embedded:
        st.html("<p class='told'>Each rule stands at its year, below its parent.</p>")
        return
    frame.notice(
        "Each rule stands at its year, below the one that it was made from, with what it changed. "
        "Point at one to see it run on a turned bowl; click it to see it race its parent."
    )
    if not x.hidden("history"):
        with st.expander("Where they come from"):
            st.html(
                "<ol class='timeline'>"
                + "".join(
                    f"<li><b>{e.year}</b><span><em>{html.escape(e.who)}</em>"
                    f"{html.escape(e.what)} <small>{html.escape(e.source)}</small></span></li>"
                    for e in HISTORY
                )
                + "</ol>"
            )


# What they are ------------------------------------------------------------------------------------


def cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return html.escape(text, quote=False).replace("|", "\\|").replace("$", "\\$")


def rule(entry: Optimizer) -> str:
    """The update under the default options, a formula a line."""
    lines = [line.replace("|", r"\vert ") for line in rule_in_symbols(entry)]
    return "<br>".join(rf"$\displaystyle {line}$" for line in lines)


def memory(entry: Optimizer) -> str:
    """State per weight in words."""
    return entry.memory_note or (str(entry.memory) if entry.memory else "none")


def rules(entries: list[Optimizer]) -> None:
    """The table of ideas and rules."""
    head = (
        "| Optimizer | Key idea | Update | State per weight | Usual η | When to use; relatives |\n"
        "|---|---|---|---|---|---|"
    )
    rows = [
        f"| {frame.swatch(style.look(entry.slug))}**{cell(entry.name)}** "
        f"| {cell(entry.idea)}<br><small>{cell(entry.paper)} ({entry.year})</small> "
        f"| {rule(entry)} | {cell(memory(entry))} | {cell(entry.typical_lr)} "
        f"| {cell(entry.when)}<br><small>{cell(entry.relatives)}</small> |"
        for entry in sorted(entries, key=SORTS_OF_RULES[x["sort"]])
    ]
    with st.container(key="family-rules"):
        st.markdown("\n".join((head, *rows)), unsafe_allow_html=True)


# What they do here --------------------------------------------------------------------------------


@st.cache_data(max_entries=64, show_spinner="Trying every optimizer at every learning rate…")
def outcomes(
    on: str, kappa: float, rotation: float, steps: int, target: float
) -> tuple[Outcome, ...]:
    """Every optimizer at its best learning rate; kappa and rotation shape the bowl alone."""
    entry = LANDSCAPES[on]
    surface = entry(condition=kappa, rotation=rotation) if on == "bowl" else entry
    return compare(surface, surface.start, steps, target)


def measured(entries: list[Optimizer]) -> None:
    """The table of what each can do on the chosen landscape."""
    surface, steps, target = landscape(), x["steps"], x["target"]
    kappa, rotation = (x["kappa"], x["rotation"]) if surface.slug == "bowl" else (1.0, 0.0)
    wanted = {entry.slug for entry in entries}
    kept = [
        outcome
        for outcome in outcomes(surface.slug, kappa, rotation, steps, target)
        if outcome.slug in wanted
    ]
    kept.sort(key=SORTS_OF_OUTCOMES[x["order"]])
    rows = []
    for outcome in kept:
        entry = OPTIMIZERS[outcome.slug]
        others = TRIED_WITH.get(entry.slug, {})
        said = "".join(
            f", {h.symbol} {written(others[h.name])}" for h in entry.hypers if h.name in others
        )
        runners = [Runner(entry.slug, {"lr": outcome.lr, **others})]
        href = html.escape(problem.race_address(surface, runners, steps=steps, target=target))
        rows.append(
            (
                f"{frame.swatch(style.look(entry.slug))}{html.escape(entry.name + said)}",
                written(outcome.lr, "3"),
                "never" if outcome.steps is None else str(outcome.steps),
                written(outcome.gap, "2"),
                written(outcome.diverged, ".0%"),
                html.escape(memory(entry)),
                f"<a href='{href}' target='_self'>see it</a>",
            )
        )
    notice(kept, surface)
    with st.container(key="family-outcomes"):
        frame.table(
            ("", "best η", f"there for good: first step at ≤ {written(target)}",
             f"loss after {steps} steps",
             "rates that diverge", "state per weight", ""),
            rows,
        )  # fmt: skip
    st.caption(
        f"Each optimizer ran at {RATES + 1} learning rates, its default and {RATES} over its whole "
        "range, the other settings at their defaults (Adam + L2 with λ = 0.01: with PyTorch's "
        "λ = 0 it is Adam), from "
        f"({written(surface.start[0])}, {written(surface.start[1])}) for {steps} steps. "
        "The best rate is first at the target among those that end there too; the race counts the "
        "first crossing alone. Losses count from the minimum."
    )


def notice(kept: list[Outcome], surface: Landscape) -> None:
    """What is worth seeing in the table."""
    arrived = sorted(
        (o for o in kept if o.steps is not None), key=SORTS_OF_OUTCOMES["steps"]
    )  # fmt: skip
    if not arrived:
        st.markdown(
            f":material/visibility: Within {x['steps']} steps none of these reaches the target on "
            f"{surface.name}: give them more steps or a looser target."
        )
        return
    first = arrived[0]
    shy = [o for o in kept if o.diverged == 0]
    st.markdown(
        f":material/visibility: **{OPTIMIZERS[first.slug].name}** is first, in {first.steps} "
        f"step{'s' if first.steps != 1 else ''} at η = {written(first.lr, '3')}; {len(arrived)} of "
        f"{len(kept)} arrive. "
        + (
            f"{len(shy)} of them diverge at no rate at all: their steps are scaled, so a rate that "
            "is far too large wanders instead."
            if shy
            else "Each of them diverges at some rate."
        )
    )


# Who becomes whom ---------------------------------------------------------------------------------


def link(relation: Relation) -> str:
    """The race that shows the two on top of each other."""
    runners = [Runner(*side) for side in relation.sides()]
    return problem.race_address(relation.surface, runners, start=relation.start, steps=STEPS)


@st.cache_data(max_entries=1)
def disagreements() -> list[float]:
    """How far the two of each relation come apart, in the order of the relations."""
    return [relation.disagreement() for relation in RELATIONS]


def relations(entries: list[Optimizer]) -> None:
    """The map, and under it the same relations with their measured disagreement."""
    wanted = {entry.slug for entry in entries}
    dimmed = [slug for slug in OPTIMIZERS if slug not in wanted]
    drawn = pictures.family_map(RELATIONS, link, dimmed=dimmed)
    drawing("family.map", pictures.STYLE + drawn)
    st.markdown(
        ":material/visibility: An arrow runs from a rule to the one that it becomes at the setting "
        "under its name: click it to see the two race on top of each other. The dashed one is a "
        "limit: the two only come close."
    )
    rows = [
        (
            f"{frame.swatch(style.look(r.general))}{html.escape(OPTIMIZERS[r.general].name)}",
            html.escape(r.under),
            f"{frame.swatch(style.look(r.special))}{html.escape(OPTIMIZERS[r.special].name)}",
            "equal" if apart == 0 else written(apart, "2"),
            f"<a href='{html.escape(link(r))}' target='_self'>race them</a>",
        )
        for r, apart in zip(RELATIONS, disagreements(), strict=True)
        if {r.general, r.special} & wanted
    ]
    with st.container(key="family-words-relations"):
        frame.table(("", "with", "is", "largest difference of the paths", ""), rows)
    st.caption(
        f"Differences are over {STEPS} steps, relative to the size of the path, measured just now "
        "by the engine that draws every page; a test holds each of them."
    )


# Settings and advice ------------------------------------------------------------------------------


def settings(entries: list[Optimizer]) -> None:
    """Every hyper-parameter's default and range, what sources use, and which rule for what."""
    rows = []
    for entry in entries:
        own = "<br>".join(
            f"<span style='white-space:nowrap'>{html.escape(h.symbol)} {written(h.default)} "
            f"<small>({written(h.low)} … {written(h.high)})</small></span>"
            for h in entry.hypers
        )
        usual = USUAL.get(entry.slug)
        said = (
            f"{html.escape(usual.values)}<br><small>{html.escape(usual.source)}</small>"
            if usual
            else f"η {html.escape(entry.typical_lr)}"
        )
        rows.append(
            (
                f"{frame.swatch(style.look(entry.slug))}{html.escape(entry.name)}",
                own,
                said,
                html.escape(DEPARTURES.get(entry.slug, "–")),
            )
        )
    with st.container(key="family-words-settings"):
        frame.table(
            ("", "default here, and its range", "usual, and who says so",
             "where this differs from a source"),
            rows,
        )  # fmt: skip
    st.caption(
        "Defaults are PyTorch's where PyTorch has the rule, otherwise the paper's, but for what "
        "the last column says. Ranges are those of the sliders."
    )


def advice() -> None:
    """Which rule for what, with sources."""
    rows = [
        (
            html.escape(a.problem),
            (" and " if a.together else " or ").join(OPTIMIZERS[slug].name for slug in a.take)
            or "–",
            html.escape(a.why),
            html.escape(a.source),
        )
        for a in ADVICE
    ]
    with st.container(key="family-words-advice"):
        frame.table(("for", "take", "because", "source"), rows)


def opening() -> None:
    """Title and lead, whose words choose what is shown, of whom, in which order."""
    pieces: list[Piece] = ["Every optimizer: ", x.menu("view"), ", "]
    if x["view"] == WHY:
        pieces.append(x.menu("why"))
    else:
        pieces.append(x.menu("branch"))
    if x["view"] in (RULES, OUTCOMES):
        pieces += [", sorted by ", x.menu("sort" if x["view"] == RULES else "order")]
    frame.opening(x, "The family", [*pieces, "."])


def find() -> None:
    """The field for words that an optimizer has."""
    st.text_input(
        "Find", placeholder="find: noise, momentum, 2019 …", label_visibility="collapsed",
        **x.native("find"),
    )  # fmt: skip


def ground() -> None:
    """Where they are compared."""
    where, how_far, settings = st.columns([1.2, 1, 2], vertical_alignment="bottom")
    where.selectbox(
        "Landscape", MEASURABLE, format_func=lambda slug: LANDSCAPES[slug].name, **x.native("on")
    )
    how_far.selectbox(
        "Target", TARGETS, format_func=lambda value: f"{written(value)} above the minimum",
        **x.native("target"),
    )  # fmt: skip
    items: list[Item] = [x.slider("steps")]
    if x["on"] == "bowl":
        items += [x.slider("kappa"), x.slider("rotation")]
    with settings:
        x.controls([Group(id="ground", items=items)], layout="row")


@frame.fragment
def body() -> None:
    """The chosen view."""
    embedded = bool(st.context.is_embedded)
    opening()
    if not embedded and x["view"] != WHY and not x.hidden("find"):
        find()
    st.html(PAGE_STYLE)
    entries = found()
    if x["view"] == OUTCOMES and not x.hidden("controls"):
        ground()
    if x["view"] == WHY:
        reasons.show(x, small=embedded)
    elif not entries:
        st.info("No optimizer fits these words.", icon=":material/search_off:")
    elif x["view"] == TREE:
        tree(entries)
    elif x["view"] == RULES:
        rules(entries)
    elif x["view"] == OUTCOMES:
        measured(entries)
    elif x["view"] == RELATED:
        relations(entries)
    else:
        advice()
        settings(entries)
    frame.foot(x, r"w_t = w_{t-1} - \eta_t\, u(g_1, \ldots, g_t)")
    x.publish()


body()
