"""Trusted numbers: every optimizer against the library it claims to equal."""

from __future__ import annotations

import html

import streamlit as st

from components.stage import Panel, stage
from engine.emit.picture import written
from engine.optimizers import OPTIMIZERS
from engine.studies.parity import TOLERANCE, Agreement, agreements, compared
from figures import parity as pictures
from figures import style
from pages import frame
from pages.state import Choice, experiment

ANY = "every reference"
REFERENCES = tuple(dict.fromkeys(row.reference for row in agreements()))
SORTS = ("family order", "largest error")
GLYPHS = dict(zip(REFERENCES, "●■◆▲✚✖⬢", strict=False))

MOST_FRAMED = 24  # rules in a row of dots each, that a frame shows in one picture

TABLE_STYLE = """
<style>
.st-key-parity-table code { font-size: 0.85em; }
.st-key-parity-table table.numbers :is(th, td):nth-child(-n + 4) { text-align: left; }
.st-key-parity-table td:nth-child(n + 5) { white-space: nowrap; }
</style>
"""

x = experiment(
    "parity",
    [
        Choice("with", ANY, [ANY, *REFERENCES], label="Reference"),
        Choice("sort", SORTS[0], SORTS, label="Order"),
    ],
)


def wanted() -> list[Agreement]:
    """The rows that the filters leave, in their order."""
    rows = [row for row in agreements() if x["with"] in (ANY, row.reference)]
    order = list(OPTIMIZERS)
    rows.sort(key=lambda row: order.index(row.optimizer))
    if x["sort"] == SORTS[1]:
        rows.sort(key=lambda row: -row.largest_relative_error)
    return rows


def summary(rows: list[Agreement]) -> str:
    """The whole in one sentence."""
    worst = max(rows, key=lambda row: row.largest_relative_error)
    runs = sum(row.runs for row in rows)
    versions = ", ".join(dict.fromkeys(f"{r.library} {r.version}" for r in rows if r.version))
    optimizers = len({row.optimizer for row in rows})
    held, every = compared()
    of_all = "All" if held == every else f"{held} of"
    return (
        (f"{of_all} {every} combinations of options of " if x["with"] == ANY else "")
        + f"{optimizers} optimizers, {written(runs)} runs of up to {max(r.steps for r in rows)} "
        "steps in float64"
        + (f" against {versions}" if versions and not st.context.is_embedded else "")
        + ". The largest relative error anywhere is "
        f"**{written(worst.largest_relative_error, '2')}** ({OPTIMIZERS[worst.optimizer].name}); "
        f"the tests allow {written(TOLERANCE)}."
    )


def key_of_references(rows: list[Agreement]) -> str:
    """Which mark is whose, as HTML."""
    shown = {row.reference for row in rows}
    items = []
    for name, (color, _) in pictures.marks_of(REFERENCES).items():
        if name in shown:
            light, dark = color.split("|")
            mark = f"<span style='color:light-dark({light},{dark})'>{GLYPHS[name]}</span>"
            items.append(f"<span style='white-space:nowrap'>{mark} {html.escape(name)}</span>")
    return f"<p class='told'><small>{' &ensp; '.join(items)}</small></p>"


def table(rows: list[Agreement]) -> None:
    """One line for each form of each optimizer."""
    frame.table(
        ("", "options", "reference", "call", "runs", "largest relative error"),
        [
            (
                frame.swatch(style.look(row.optimizer))
                + html.escape(OPTIMIZERS[row.optimizer].name),
                html.escape(row.spelled) or "–",
                html.escape(f"{row.reference} {row.version}".strip()),
                f"<code>{html.escape(row.call)}</code>",
                f"{row.runs} × {row.steps} steps",
                written(row.largest_relative_error, "2"),
            )
            for row in rows
        ],
    )


@frame.fragment
def body() -> None:
    """The picture, the sentence, and folded below it how it was made and every row."""
    embedded = bool(st.context.is_embedded)
    frame.opening(
        x,
        "Trusted numbers",
        [
            "Every optimizer, under every combination of its conventions, walks the path of ",
            x.menu("with"),
            ". Sorted by ",
            x.menu("sort"),
            ".",
        ],
    )
    rows = wanted()
    st.html(key_of_references(rows))
    slugs = list(dict.fromkeys(row.optimizer for row in rows))
    halved = embedded and len(slugs) > MOST_FRAMED
    parts = [slugs[: len(slugs) // 2], slugs[len(slugs) // 2 :]] if halved else [slugs]
    stage(
        "parity.dots",
        [
            Panel(
                id=f"dots{i or ''}",
                kind="chart",
                figure=pictures.dots([r for r in rows if r.optimizer in part], REFERENCES),
                tab=f"{OPTIMIZERS[part[0]].name} to {OPTIMIZERS[part[-1]].name}",
                alt="A dot for each rule, convention and reference: errors lie between rounding, "
                "5e-17, and the 1e-12 that the tests allow.",
            )
            for i, part in enumerate(parts)
        ],
        frames=1,
        height=390 if embedded else 110 + 20 * len(slugs),
        alt="How closely each optimizer agrees with its reference",
    )
    frame.notice(summary(rows))
    if not embedded and not x.hidden("table"):
        with st.expander(f"All {len(rows)} rows"), st.container(key="parity-table"):
            st.html(TABLE_STYLE)
            table(rows)
        st.markdown(
            "An error is the largest distance of two coordinates along the whole path, over the "
            "largest size of that coordinate. Each form runs on several of these: two bowls, one "
            "of them turned, Rosenbrock's valley, Beale's and Himmelblau's functions; some under a "
            "warm-up and cosine schedule. The libraries differentiate the functions themselves, so "
            "gradients are checked as well. Muon's Newton–Schulz runs in float64 in the reference "
            "too. Where no library ships a form, the reference is a second implementation, written "
            "from the paper and apart from this engine. One thing is not compared: Sophia's "
            "Gauss–Newton–Bartlett estimate, which samples labels from a classifier's own answer, "
            "for a landscape gives no answer to sample from; the family shows it on a softmax "
            "classifier, where its mean is held to the Hessian's own diagonal."
        )
    frame.foot(x, r"\max_t |w_t - w_t^\text{reference}|\, /\, \max_t |w_t|")
    x.publish()


body()
