"""The family: every optimizer in one table, what each can do here, and who becomes whom."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import streamlit as st

from components.drawing import drawing
from engine.optimizers import BRANCHES, OPTIMIZERS, Optimizer
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.studies.comparison import RATES, Outcome, compare
from engine.studies.family import RELATIONS, STEPS, Relation
from engine.studies.rule_latex import rule_in_symbols
from figures import family as pictures
from figures import style
from pages import frame, problem
from pages.runners import Runner
from pages.state import Choice, Integer, Number, Text, experiment

VIEWS = ("what they are", "what they do here", "who becomes whom")
ALL = "every branch"
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

RULES_STYLE = """
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
</style>
"""
TABLES_STYLE = """
<style>
.st-key-family-relations table.numbers :is(th, td):nth-child(-n + 3) { text-align: left; }
[class*="st-key-family-"] table.numbers a { color: var(--st-link-color); white-space: nowrap; }
</style>
"""

x = experiment(
    "family",
    [
        Choice("view", VIEWS[0], VIEWS),
        Choice("branch", ALL, [ALL, *BRANCHES]),
        Text("find", ""),
        Choice("sort", "as they grew", list(SORTS_OF_RULES)),
        Choice("order", "steps", list(SORTS_OF_OUTCOMES)),
        Choice("on", "bowl", MEASURABLE),
        Number("kappa", 50.0, 1.0, 1000.0),
        Number("rotation", 30.0, -90.0, 90.0),
        Integer("steps", 300, 10, 1000),
        Choice("target", 1e-2, (1.0, 1e-1, 1e-2, 1e-4, 1e-6, 1e-9)),
    ],
)

frame.opening(
    x,
    "The family",
    "Every optimizer: its idea, its rule, its memory. "
    "What each can do on a landscape, and the settings at which one becomes another.",
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
    st.html(RULES_STYLE)
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
        runners = [Runner(entry.slug, {"lr": outcome.lr})]
        href = html.escape(problem.race_address(surface, runners, steps=steps, target=target))
        rows.append(
            (
                f"{frame.swatch(style.look(entry.slug))}{html.escape(entry.name)}",
                f"{outcome.lr:.3g}",
                "never" if outcome.steps is None else str(outcome.steps),
                f"{outcome.gap:.2g}",
                f"{outcome.diverged:.0%}",
                html.escape(memory(entry)),
                f"<a href='{href}' target='_self'>see it</a>",
            )
        )
    notice(kept, surface)
    with st.container(key="family-outcomes"):
        st.html(TABLES_STYLE)
        frame.table(
            ("", "best η", f"steps to loss ≤ {target:g}", f"loss after {steps} steps",
             "rates that diverge", "state per weight", ""),
            rows,
        )  # fmt: skip
    st.caption(
        f"Each optimizer ran at {RATES + 1} learning rates, its default and {RATES} over its whole "
        "range, the other settings at their defaults, from "
        f"({surface.start[0]:g}, {surface.start[1]:g}) for {steps} steps. The best rate is first "
        "at the target among those that end there. Losses count from the minimum."
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
        f"step{'s' if first.steps != 1 else ''} at η = {first.lr:.3g}; {len(arrived)} of "
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
            "equal" if apart == 0 else f"{apart:.1e}",
            f"<a href='{html.escape(link(r))}' target='_self'>race them</a>",
        )
        for r, apart in zip(RELATIONS, disagreements(), strict=True)
        if {r.general, r.special} & wanted
    ]
    with st.container(key="family-relations"):
        st.html(TABLES_STYLE)
        frame.table(("", "with", "is", "largest difference of the paths", ""), rows)
    st.caption(
        f"Differences are over {STEPS} steps, relative to the size of the path, measured just now "
        "by the engine that draws every page; a test holds each of them."
    )


def filters() -> None:
    """What is shown, of whom, in which order."""
    st.segmented_control(
        "View", VIEWS, key=x.key("view"), required=True, label_visibility="collapsed"
    )
    words, branch, order = st.columns([1.2, 1.2, 1], vertical_alignment="bottom")
    words.text_input("Find", key=x.key("find"), placeholder="noise, momentum, 2019 …")
    branch.selectbox("Branch", [ALL, *BRANCHES], key=x.key("branch"))
    if x["view"] == VIEWS[0]:
        order.selectbox("Sort by", list(SORTS_OF_RULES), key=x.key("sort"))
    elif x["view"] == VIEWS[1]:
        order.selectbox("Sort by", list(SORTS_OF_OUTCOMES), key=x.key("order"))


def ground() -> None:
    """Where they are compared."""
    bowl = x["on"] == "bowl"
    where, how_long, how_far, *shape = st.columns(
        [1.7, 1, 1.3, 1, 1] if bowl else [1.7, 1, 1.3], vertical_alignment="bottom"
    )
    where.selectbox(
        "Landscape", MEASURABLE, key=x.key("on"), format_func=lambda slug: LANDSCAPES[slug].name
    )
    how_long.number_input("Steps", 10, 1000, key=x.key("steps"), step=50)
    how_far.selectbox(
        "Target", (1.0, 1e-1, 1e-2, 1e-4, 1e-6, 1e-9), key=x.key("target"),
        format_func=lambda value: f"{value:g} above the minimum",
    )  # fmt: skip
    if bowl:
        stretched, turned = shape
        stretched.number_input(
            "condition number κ", 1.0, 1000.0, key=x.key("kappa"), step=10.0, format="%g"
        )
        turned.number_input(
            "rotation in °", -90.0, 90.0, key=x.key("rotation"), step=15.0, format="%g"
        )


@st.fragment
def body() -> None:
    """The chosen view."""
    if not x.hidden("filters"):
        filters()
    entries = found()
    if x["view"] == VIEWS[1]:
        ground()
    if not entries:
        st.info("No optimizer fits these words.", icon=":material/search_off:")
    elif x["view"] == VIEWS[0]:
        rules(entries)
    elif x["view"] == VIEWS[1]:
        measured(entries)
    else:
        relations(entries)
    x.publish()


body()
