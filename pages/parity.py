"""Trusted numbers: every optimizer against the library it claims to equal."""

from __future__ import annotations

import html

import streamlit as st

from engine.optimizers import OPTIMIZERS
from engine.studies.parity import TOLERANCE, Agreement, agreements
from figures import style
from pages import frame
from pages.state import Choice, experiment

ANY = "every reference"
OWN = "a second implementation"
LIBRARIES = tuple(dict.fromkeys(row.library for row in agreements() if row.version))
SORTS = ("family order", "largest error")

STYLE = """
<style>
.st-key-parity-table .error { position: relative; display: inline-block; width: 7rem;
    height: 0.6rem; border-radius: 2px; margin-right: 0.7rem;
    background: color-mix(in srgb, currentColor 9%, transparent); }
.st-key-parity-table .fill { position: absolute; inset: 0 auto 0 0; border-radius: 2px;
    background: color-mix(in srgb, currentColor 45%, transparent); }
.st-key-parity-table code { font-size: 0.85em; }
.st-key-parity-table table.numbers :is(th, td):nth-child(-n + 4) { text-align: left; }
.st-key-parity-table td:nth-child(n + 5) { white-space: nowrap; }
</style>
"""

x = experiment(
    "parity",
    [
        Choice("with", ANY, [ANY, *LIBRARIES, OWN]),
        Choice("sort", SORTS[0], SORTS),
    ],
)

frame.opening(
    x,
    "Trusted numbers",
    "Every optimizer, under each of its conventions, walks the same path as the library it claims "
    "to equal.",
)


def meter(row: Agreement) -> str:
    """An error on a logarithmic bar from rounding to the tolerance, and as a number."""
    error = row.largest_relative_error
    text = f"{error:.1e}" if error else "0"
    return (
        f"<span class='error' role='img' aria-label='{text}'>"
        f"<span class='fill' style='width:{row.share:.0%}'></span></span>{text}"
    )


def summary(rows: list[Agreement]) -> None:
    """The whole table in one sentence."""
    worst = max(rows, key=lambda row: row.largest_relative_error)
    runs = sum(row.runs for row in rows)
    versions = ", ".join(dict.fromkeys(f"{r.library} {r.version}" for r in rows if r.version))
    optimizers = len({row.optimizer for row in rows})
    st.markdown(
        f":material/visibility: {optimizers} optimizers in {len(rows)} forms, "
        f"{runs} runs of up to {max(r.steps for r in rows)} steps in float64"
        + (f" against {versions}" if versions else "")
        + f". The largest relative error anywhere is **{worst.largest_relative_error:.1e}** "
        f"({OPTIMIZERS[worst.optimizer].name}); the tests allow {TOLERANCE:g}."
    )


def table(rows: list[Agreement]) -> None:
    """One line for each form of each optimizer."""
    frame.table(
        ("", "options", "reference", "call", "runs", "largest relative error"),
        [
            (
                frame.swatch(style.look(row.optimizer))
                + html.escape(OPTIMIZERS[row.optimizer].name),
                html.escape(row.options) or "–",
                html.escape(f"{row.library} {row.version}".strip()),
                f"<code>{html.escape(row.call)}</code>",
                f"{row.runs} × {row.steps} steps",
                meter(row),
            )
            for row in rows
        ],
    )


@st.fragment
def body() -> None:
    """Filter, sentence, table, and how it was made."""
    left, right = st.columns(2)
    left.selectbox("Reference", [ANY, *LIBRARIES, OWN], key=x.key("with"))
    right.selectbox("Sort by", SORTS, key=x.key("sort"))
    rows = [
        row
        for row in agreements()
        if x["with"] == ANY or row.library == x["with"] or (x["with"] == OWN and not row.version)
    ]
    if x["sort"] == SORTS[1]:
        rows.sort(key=lambda row: -row.largest_relative_error)
    summary(rows)
    with st.container(key="parity-table"):
        st.html(STYLE)
        table(rows)
    st.markdown(
        f"The bar is logarithmic, from rounding (2⁻⁵⁴) to the {TOLERANCE:g} that the tests allow. "
        "An error is the largest distance of two coordinates along the whole path, over the "
        "largest size of that coordinate. Each form runs on several of these: two bowls, one of "
        "them turned, Rosenbrock's valley, Beale's and Himmelblau's functions; some under a "
        "warm-up and cosine schedule. The libraries differentiate the functions themselves, so "
        "gradients are checked as well. Muon's Newton–Schulz runs in float64 in the reference too. "
        "Where no library ships a form, the reference is a second implementation, written from the "
        "paper and apart from this engine."
    )
    x.publish()


body()
