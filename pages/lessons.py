"""The lessons of the course: guided paths over the live pages, with the reader's own progress."""

from __future__ import annotations

from components.lesson import lesson_list
from pages import course, frame, guide
from pages.state import experiment

x = experiment("lessons", [])

frame.opening(
    x,
    "Lessons",
    "Short paths over the live pages, in the order of the course. Each step opens a picture at a "
    "set state and asks you to do something there; how far you are stays in this browser.",
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
x.publish()
