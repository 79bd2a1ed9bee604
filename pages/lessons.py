"""The lessons of the course: guided paths over the live pages, with the reader's own progress."""

from __future__ import annotations

import html

import streamlit as st

from components.lesson import lesson_list
from pages import course, frame, guide
from pages.state import experiment

x = experiment("lessons", [])

frame.opening(
    x,
    "Lessons",
    "Short paths over the live pages, a thing to do at each step; this browser keeps your place.",
)

asked = lesson_list(
    "lessons.list",
    [
        {
            "slug": lesson.slug,
            "title": lesson.title,
            "about": lesson.about,
            "minutes": lesson.minutes,
            "count": len(lesson.steps),
        }
        for lesson in course.lessons().values()
    ],
)
if asked and (found := course.find(asked)):
    guide.go(*found)
if not st.context.is_embedded:
    with st.expander("Take a lesson to Moodle, Canvas and others", icon=":material/download:"):
        st.markdown(
            "A SCORM 1.2 package: the lesson as one file that needs no server, which tells your "
            "platform how far each reader is. Tasks that need the laboratory itself are said there "
            "and not asked. It takes half a minute to make."
        )
        st.html(
            "<ul>"
            + "".join(
                f"<li><a href='take/{slug}.zip' download>{html.escape(lesson.title)}</a></li>"
                for slug, lesson in course.lessons().items()
            )
            + "</ul>"
        )
x.publish()
