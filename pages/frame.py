"""What every page has around its figures: title, lead, notices, the link to share, and footing.

A page calls `opening(x, title, lead)` and then its body, a fragment: a change in it reruns the
body alone, which is what keeps a dragged slider quick.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import streamlit as st

from components.share import share
from figures import style
from pages.state import Experiment

_STYLE = """
<style>
.stMainBlockContainer { max-width: 1320px; }
.lead { color: color-mix(in srgb, var(--st-text-color, currentColor) 78%, transparent);
        font-size: 1.05rem; max-width: 46rem; margin: -0.6rem 0 0.2rem; }
table.numbers { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums;
                width: 100%; }
table.numbers th { font-weight: 500; text-align: right; opacity: 0.75; padding: 0.15rem 0.7rem; }
table.numbers td { text-align: right; padding: 0.2rem 0.7rem;
                   border-top: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
table.numbers :is(th, td):first-child { text-align: left; padding-left: 0; white-space: nowrap; }
.scroll { overflow-x: auto; }
.timeline { list-style: none; margin: 0.6rem 0; padding: 0; max-width: 46rem; }
.timeline li { display: grid; grid-template-columns: 4rem 1fr; }
.timeline b { padding-top: 0.1rem; font-variant-numeric: tabular-nums; }
.timeline span { position: relative; padding: 0 0 1.1rem 1.4rem;
                 border-left: 2px solid color-mix(in srgb, currentColor 25%, transparent); }
.timeline span::before { content: ""; position: absolute; left: -6px; top: 0.5em; width: 10px;
                         height: 10px; border-radius: 50%; background: currentColor; }
.timeline em { display: block; font-style: normal; font-weight: 600; }
.katex-display { overflow-x: auto; overflow-y: hidden; padding: 0.2rem 0; }
.swatch { position: relative; display: inline-block; width: 2em; height: 0; margin-right: 0.7em;
          border-bottom: 2.5px; vertical-align: 0.28em; }
.swatch span { position: absolute; left: 50%; top: 1px; transform: translate(-50%, -50%);
               font-size: 0.8em; line-height: 1; }
.told { margin: 0.1rem 0 0.3rem; }
.stability h4 { font-size: 1rem; margin: 0.8rem 0 0.4rem; }
.stability ul { list-style: none; margin: 0.6rem 0; padding: 0; }
.stability li { margin: 0.2rem 0; }
.meter { display: grid; grid-template-columns: minmax(7rem, 10rem) 1fr 17rem; align-items: center;
         gap: 0.2rem 0.8rem;
         font-size: 0.9rem; margin: 0.25rem 0; }
.meter .bar { position: relative; height: 0.7rem; border-radius: 2px;
              background: color-mix(in srgb, currentColor 9%, transparent); }
.meter .fill { position: absolute; inset: 0 auto 0 0; border-radius: 2px;
               background: color-mix(in srgb, currentColor 45%, transparent); }
.meter .limit { position: absolute; top: -3px; bottom: -3px; width: 2px; background: currentColor; }
[class*="st-key-formula"] .stMarkdown > div { margin-left: 0; align-items: flex-start; }
[class*="st-key-formula"] .stMarkdown > div > div { max-width: 100%; }
[class*="st-key-formula"] .katex-display { text-align: left; margin: 0; }
[class*="st-key-formula"] .katex-display > .katex { text-align: left; font-size: 0.94rem; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding-left: 0.8rem; padding-right: 0.8rem; }
  .meter { grid-template-columns: 1fr; }
}
</style>
"""
_STYLE_EMBEDDED = """
<style>
.stMainBlockContainer { padding: 0.4rem 0.6rem 0.2rem !important; max-width: none; }
.stVerticalBlock { gap: 0.4rem; }
</style>
"""


def dress() -> None:
    """The few rules of style that the theme has no word for."""
    st.html(_STYLE + (_STYLE_EMBEDDED if st.context.is_embedded else ""))


def opening(x: Experiment, title: str, lead: str) -> None:
    """Title, one sentence, what in the link could not be read, and the way to share it."""
    if not st.context.is_embedded:
        head, tools = st.columns([5, 1], vertical_alignment="bottom")
        head.title(title, anchor=False)
        head.html(f"<p class='lead'>{lead}</p>")
        with tools:
            share(f"{x.page}.share", title=title)
    for notice in x.notices:
        reason = notice.reason.replace("```", "'''")
        instead = f"`{notice.instead}`" if notice.instead else "its default"
        st.warning(
            f"**{notice.name}** in the link could not be used; it is {instead} instead."
            f"\n\n```text\n{reason}\n```",
            icon=":material/link_off:",
        )


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


def table_text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The same as HTML, to go into one piece with more: each piece costs a rerun some time."""
    top = "".join(f"<th scope='col'>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div class='scroll'><table class='numbers'><tr>{top}</tr>{body}</table></div>"


def formula(
    x: Experiment, name: str, read: Callable[[str], object], example: str, label: str = "f(x, y) ="
) -> None:
    """A text field for a formula of the page."""
    typed_text(
        f"{x.page}.{name}",
        x[name],
        read,
        lambda text: x.change({name: text}),
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
        f"<span class='bar' role='img' aria-label='{ratio:.3g} times the limit'>"
        f"<span class='fill' style='width:{filled:.1f}%'></span>"
        f"<span class='limit' style='left:50%'></span></span>"
        f"<span>{html.escape(text)} · {ratio:.2f}×</span></div>"
    )
