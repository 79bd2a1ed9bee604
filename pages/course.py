"""The course: every lesson by its name, sets of chosen steps, and how a link says where one is.

`lessons/` holds the lessons of the app; those of the folder that DESCENT_LAB_LESSONS names stand
after them. How a file is written stands in `pages.lesson_file`.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from pages.lesson_file import Lesson, LessonError, Step, read_lesson

FOLDER: Final = Path(__file__).resolve().parent.parent / "lessons"
SETTING: Final = "DESCENT_LAB_LESSONS"
MOST_BYTES: Final = 100_000  # of one file
MOST_STEPS: Final = 24  # of a set
MOST_SEED: Final = 999_999


@cache
def lessons() -> Mapping[str, Lesson]:
    """Every lesson by its name, in the order of the course. One that cannot be used is left out.

    The lessons of the app are held right by its tests; a teacher's own are checked by
    `python -m pages.course FOLDER`, which says what is wrong with each.
    """
    found: dict[str, Lesson] = {}
    for folder in filter(None, (str(FOLDER), os.environ.get(SETTING))):
        read, _ = read_folder(Path(folder))
        found |= {lesson.slug: lesson for lesson in read if lesson.slug not in found}
    return found


def read_folder(folder: Path) -> tuple[list[Lesson], list[str]]:
    """The lessons of a folder in their order, and what is wrong with the files that are none."""
    read, problems = [], []
    for path in sorted(folder.glob("*.md")):
        try:
            if path.stat().st_size > MOST_BYTES:
                raise LessonError(f"{path.stem}: larger than {MOST_BYTES} bytes")
            read.append(read_lesson(path.stem, path.read_text(encoding="utf-8")))
        except (LessonError, OSError, UnicodeDecodeError) as error:
            problems.append(str(error))
    return sorted(read, key=lambda lesson: (lesson.order, lesson.slug)), problems


@lru_cache(maxsize=256)
def variant(slug: str, seed: int | None) -> Lesson | None:
    """The lesson of that name as the seed draws it; None where there is none."""
    lesson = lessons().get(slug)
    if lesson is None or seed is None:
        return lesson
    try:
        return read_lesson(slug, lesson.text, seed)
    except LessonError:  # a teacher's own, whose numbers can be drawn out of what it computes
        return None


def chosen(path: str, seed: int | None) -> Lesson | None:
    """A set of steps, `NAME.2,OTHER.1`, as a lesson of its own; None where one of them is none."""
    marks = path.split(",")
    found = [_step_of(mark, seed) for mark in marks[: MOST_STEPS + 1]]
    if len(found) > MOST_STEPS or any(step is None for step in found):
        return None
    steps = tuple(step for step in found if step is not None)
    about = f"{len(steps)} chosen steps"
    return Lesson(path, "Exercises", about, 2 * len(steps), math.inf, steps, seed=seed)


def _step_of(mark: str, seed: int | None) -> Step | None:
    slug, _, number = mark.rpartition(".")
    lesson = variant(slug, seed)
    at = _index(number)
    return lesson.steps[at] if lesson and at is not None and at < len(lesson.steps) else None


def _index(number: str) -> int | None:
    """The place from 0 that a number from 1 says."""
    right = number.isascii() and number.isdigit() and len(number) <= 4 and int(number) > 0
    return int(number) - 1 if right else None


def find(mark: str) -> tuple[Lesson, int] | None:
    """The lesson and step (from 0) that a link's `lesson=name.2@7` says, or None."""
    place, _, drawn = mark.partition("@")
    path, _, number = place.rpartition(".")
    known = drawn.isascii() and drawn.isdigit() and len(drawn) <= len(str(MOST_SEED))
    if drawn and not known:
        return None
    seed = int(drawn) if drawn else None
    lesson = variant(path, seed) or chosen(path, seed)
    at = _index(number)
    return (lesson, at) if lesson and at is not None and at < len(lesson.steps) else None


def mark(lesson: Lesson, at: int) -> str:
    """How a link says this step."""
    drawn = "" if lesson.seed is None else f"@{lesson.seed}"
    return f"{lesson.slug}.{at + 1}{drawn}"


def address(lesson: Lesson, at: int) -> str:
    """Where a step lies, beside the pages: its page at its state, with the lesson over it."""
    step = lesson.steps[at]
    return f"{step.page}?" + urlencode({**step.link, "lesson": mark(lesson, at)}, safe=":;,@")


def check(folder: str) -> int:
    """Say what is wrong with the lessons of a folder; the number of those."""
    read, problems = read_folder(Path(folder))
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(f"{len(read)} lessons can be used, {len(problems)} cannot\n")
    return len(problems)


def wire_form(step: Step) -> dict[str, Any]:
    """What there is to do at a step, as the component takes it; choices stand in no order."""
    return {
        "tasks": [
            {"text": t.text, "when": [[c.name, c.comparison, c.value] for c in t.conditions]}
            for t in step.tasks
        ],
        "choices": [
            {"text": c.text, "right": c.right, "reason": c.reason}
            for c in sorted(step.choices, key=lambda c: blake2b(c.text.encode()).digest())
        ],
        "guesses": [
            {"text": g.text, "value": g.value, "within": g.within, "reason": g.reason}
            for g in step.guesses
        ],
        "foresee": None
        if step.prediction is None
        else {
            **step.prediction.asks,
            "kind": step.prediction.kind,
            "text": step.prediction.text,
            "reason": step.prediction.reason,
        },
    }


if __name__ == "__main__":
    sys.exit(min(check(sys.argv[1] if len(sys.argv) > 1 else str(FOLDER)), 1))
