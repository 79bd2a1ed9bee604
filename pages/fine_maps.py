"""Fine pictures once the reader rests: what the pages of maps share.

A page names each of its maps by a mark. Coarse ones are made wherever a hand moves; when nothing
has changed for a moment the browser asks for one more run, which starts the fine computation in a
process of its own and looks in on it now and then: the page never waits. A change, the reader's
word, his leaving, or the end of its time stops it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import streamlit as st

from components.at_rest import ask_at_rest, asked_at_rest
from engine import limits
from engine.emit.picture import written
from engine.runs import cluster, workshop
from engine.runs.sweeps import Sweep, sweep
from pages.background import LOOK_MS, Make, Work, ended, note_end, show_progress

REST_MS: Final = 700  # without a change before work begins

Made = TypeVar("Made")


def fine_sweep(
    *args: Any, progress: Callable[[float], None], cancelled: Callable[[], bool], **how: Any
) -> Sweep:
    """`engine.sweep` where it disturbs nobody: on the cluster if there is one, else beside us."""
    pool = cluster.executor()[0]
    if pool is not None:
        return sweep(*args, executor=pool, progress=progress, cancelled=cancelled, **how)
    return workshop.call(sweep, *args, progress=progress, cancelled=cancelled, **how)


def kept(page: str, mark: str) -> Any:
    """The fine map of that mark where it is there, else None."""
    return st.session_state.get(f"{page}.kept", {}).get(mark)


def fine_maps(
    page: str, wanted: Mapping[str, Make[Made]], place: Any, *, locked: bool = False
) -> dict[str, Made | None]:
    """Each map by its mark where it is there finely, else None; place is where progress stands,
    locked whether its way to stop is.

    The makers run outside of the script and must not ask Streamlit for anything. Call it once a
    run: it also asks for the runs that refine.
    """
    kept: dict[str, Made] = st.session_state.setdefault(f"{page}.kept", {})
    for mark in [mark for mark in kept if mark not in wanted]:
        del kept[mark]
    name = "-".join(wanted)
    work = _continue(page, name, {m: f for m, f in wanted.items() if m not in kept})
    if work is not None:
        work.look()
        kept |= {mark: made for mark, made in work.made.items() if mark in wanted}
        if work.done:
            if work.finished:
                note_end(page, name)
            if isinstance(work.error, ValueError):
                place.caption(f"The server's finer map cannot be made. {work.error}")
            elif work.error is not None:
                raise work.error
            if st.context.is_embedded:  # in a frame there is no room to spare for it
                pass
            elif work.late:
                place.caption(
                    f"The server's finer map would take more than "
                    f"{written(limits.FINE_SECONDS, '.0f')} s: "
                    "this one is as fine as your browser made it."
                )
            elif note := cluster.executor()[1]:
                place.caption(note)
        elif work.slow and not st.context.is_embedded:
            show_progress(page, work, place, "Computing a finer map …", locked=locked)
    tick = st.session_state[f"{page}.tick"] = st.session_state.get(f"{page}.tick", 0) + 1
    again = not ended(page, name) and any(mark not in kept for mark in wanted)
    ask_at_rest(
        f"{page}.fine",
        f"{name} {tick}" if again else "",
        milliseconds=REST_MS if work is None else LOOK_MS,
    )
    return {mark: kept.get(mark) for mark in wanted}


def _continue(page: str, name: str, makers: Mapping[str, Make[Made]]) -> Work[Made] | None:
    """The work on these maps, begun if the browser asks for it; any other is stopped."""
    key = f"{page}.work"
    work: Work[Made] | None = st.session_state.get(key)
    if work is not None and (work.name != name or work.stop.is_set()):
        work.stop.set()
        work = None
    if work is None and makers and asked_at_rest(f"{page}.fine").partition(" ")[0] == name:
        work = Work(name, makers, limits.FINE_SECONDS)
    st.session_state[key] = work if work is not None and not work.done else None
    return work
