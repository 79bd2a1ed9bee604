"""The lesson that a reader follows: its step stands over the page it speaks of."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

from components.lesson import LEAVE, lesson_step
from pages import course
from pages.lesson_file import Lesson
from pages.state import LESSON, Experiment
from pages.terms import as_markdown, marked

HERE: Final = Path(__file__).resolve().parent


def guide(x: Experiment) -> None:
    """Show the step of the lesson that the link or the reader has chosen, and go where they ask."""
    chosen = st.session_state.get(LESSON)
    if not chosen:
        return
    found = course.find(chosen)
    if found is None:
        del st.session_state[LESSON]
        st.warning(f"There is no lesson or step `{chosen[:80]}`.", icon=":material/link_off:")
        return
    lesson, at = found
    step = lesson.steps[at]
    away = step.page != x.page
    with st.container(key="lesson", border=True, gap="small"):
        if away:
            st.markdown(f"**{lesson.title}** waits at step {at + 1}, *{step.title}*.")
        else:
            where = f"{lesson.title} · {at + 1} of {len(lesson.steps)}"
            stop = "" if step.title.endswith(("?", "!", ".")) else "."
            text = marked(step.text, x.page, as_markdown)
            st.markdown(f"**{step.title}{stop}** {text} :small[:gray[{where}]]")
        asked = lesson_step(
            f"{x.page}.lesson",
            page=x.page,
            lesson=lesson.name,
            at=at,
            count=len(lesson.steps),
            away=away,
            to_do=course.wire_form(step),
            texts=x.texts(),
        )
    if asked == LEAVE:
        del st.session_state[LESSON]
        x.publish()
        st.rerun()
    elif asked is not None:
        go(lesson, asked, x)


def go(lesson: Lesson, at: int, x: Experiment | None = None) -> None:
    """Open the step's page at its state."""
    step = lesson.steps[at]
    st.session_state[LESSON] = course.mark(lesson, at)
    if x is not None and step.page == x.page:
        x.load(step.link)
        st.rerun()
    link = {**step.link, LESSON: course.mark(lesson, at)}
    st.switch_page(HERE / f"{step.page}.py", query_params=link)
