"""For teachers: choose exercises and a seed, take the link, and see the answers of that seed."""

from __future__ import annotations

import html
from urllib.parse import urlsplit

import streamlit as st

from engine.emit.picture import written
from pages import course, frame
from pages.lesson_file import Step
from pages.state import Integer, Text, experiment

START = "exercises-losses.1,exercises-losses.2,exercises-losses.3"


def read(text: str) -> list[str]:
    """The marks of a set. Raises ValueError where one of them is none."""
    marks = [mark for mark in text.split(",") if mark]
    if len(marks) > course.MOST_STEPS:
        raise ValueError(f"a set has at most {course.MOST_STEPS} steps")
    for mark in marks:
        if course.find(mark) is None:
            raise ValueError(f"there is no step {mark!r}")
    return marks


x = experiment(
    "teachers",
    [
        Text("set", START, check=read, label="exercises"),
        Integer("n", 1, 0, course.MOST_SEED, label="seed"),
        Integer("variants", 3, 1, 12, label="variants"),
    ],
    parts=("links", "answers"),
)

frame.opening(
    x,
    "For teachers",
    "Choose exercises and a seed: a link opens one after another with that seed's numbers.",
)


def label(mark: str) -> str:
    """A step in the list of all: its lesson, its title, and whether a seed draws its numbers."""
    found = course.find(mark)
    if found is None:
        return mark
    lesson, at = found
    return f"{lesson.title}: {lesson.steps[at].title}" + (" ↻" if lesson.draws else "")


def every() -> list[str]:
    """All steps with something to do, those whose numbers are drawn first."""
    ordered = sorted(course.lessons().values(), key=lambda lesson: not lesson.draws)
    return [course.mark(lesson, at) for lesson in ordered for at in range(len(lesson.steps))]


def answers(step: Step) -> str:
    """What is right at a step, as HTML."""
    said = [f"{g.text} <b>{written(g.value, '6')}</b>" for g in step.guesses]
    said += [f"✓ {c.text}" for c in step.choices if c.right]
    said += [t.text for t in step.tasks]
    if step.prediction is not None:
        said.append(f"{step.prediction.text} {step.prediction.reason}")
    return "<br>".join(text if "<b>" in text else html.escape(text) for text in said)


def root() -> str:
    """The app's address, as this reader has it."""
    url = urlsplit(st.context.url or "")
    place = url.path.removesuffix("/").removesuffix("teachers")
    return f"{url.scheme}://{url.netloc}{place or '/'}" if url.netloc else "/"


@frame.fragment
def body() -> None:
    """The choice, the links and the answers."""
    options = every()
    chosen = [mark for mark in read(x["set"]) if mark in options]
    key = "teachers.steps"

    def take() -> None:
        x.change({"set": ",".join(st.session_state[key][: course.MOST_STEPS])})

    if not x.hidden("controls"):
        st.session_state[key] = chosen
        st.multiselect(
            "Exercises, in the order in which they are done (↻: a seed draws their numbers)",
            options, format_func=label, key=key, on_change=take, disabled=x.locked("set"),
            max_selections=course.MOST_STEPS,
        )  # fmt: skip
        seed, variants, _ = st.columns([1, 1, 3])
        seed.number_input(
            "First seed", min_value=0, max_value=course.MOST_SEED, step=1, **x.native("n")
        )
        variants.number_input("Variants", min_value=1, max_value=12, step=1, **x.native("variants"))
    if not chosen:
        frame.notice("Choose at least one exercise.")
        x.publish()
        return
    sets = [
        found
        for k in range(int(x["variants"]))
        if (found := course.chosen(",".join(chosen), min(int(x["n"]) + k, course.MOST_SEED)))
    ]
    if not x.hidden("links"):
        st.markdown(
            "**Links**, one for each variant. Each reader's progress stays in their own browser."
        )
        st.code(
            "\n".join(root() + course.address(lesson, 0) for lesson in sets),
            language=None,
            wrap_lines=True,
        )
    if not x.hidden("answers"):
        st.markdown("**Answers**")
        titles = [step.title for step in sets[0].steps]
        frame.table(
            ("", *(f"seed {lesson.seed}" for lesson in sets[:3])),
            [
                (html.escape(title), *(answers(lesson.steps[at]) for lesson in sets[:3]))
                for at, title in enumerate(titles)
            ],
        )
    x.publish()


body()
