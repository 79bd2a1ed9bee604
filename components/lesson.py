"""What there is to do at a step of a lesson, and the list of lessons with the reader's progress.

Tasks are noticed in the reader's browser, from the page's store; progress is kept there alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import streamlit as st

from components import assets, wire

_COMPONENT: Final = st.components.v2.component(
    "descent_lab.lesson", js=assets.loader("lesson/lesson.js")
)

LEAVE: Final = "leave"


def lesson_step(
    key: str,
    *,
    page: str,
    lesson: str,
    at: int,
    count: int,
    away: bool,
    to_do: Mapping[str, Any],
    texts: Mapping[str, str],
) -> int | Literal["leave"] | None:
    """Show a step's tasks and questions with the buttons of the path.

    `texts` are the page's fields that its store does not hold, for the tasks' conditions; `away`
    says that the reader is on another page than the step's. Returns the step (from 0) that the
    reader asks for, LEAVE, or None.
    """
    _COMPONENT(
        key=key,
        data={
            "page": page, "lesson": lesson, "at": at, "count": count, "away": away,
            "texts": dict(texts), **to_do,
        },
        on_go_change=_ignore,
        height="content",
    )  # fmt: skip
    asked = wire.state(key).get("go")
    if asked == LEAVE:
        return LEAVE
    number = wire.number(asked)
    return int(number) if number is not None and 0 <= number < count else None


def lesson_list(key: str, lessons: Sequence[Mapping[str, Any]]) -> str | None:
    """Show lessons (slug, title, about, minutes, count), each with how far the reader is.

    Returns the `slug.step` that the reader wants to go on with, or None.
    """
    _COMPONENT(
        key=key,
        data={"lessons": [dict(lesson) for lesson in lessons]},
        on_go_change=_ignore,
        height="content",
    )
    return wire.text(wire.state(key).get("go"))


def _ignore() -> None:
    """Streamlit keeps only the states that have a callback."""
