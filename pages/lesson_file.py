"""A lesson's file: what it may hold, and how it is read; whatever is wrong with one is said.

A file has a head in TOML between two lines of `+++` (title, about, order, minutes) and a section
for each step: `## Title`, sentences, a link to a page at a set state (a paragraph of its own), and
a list of what there is to do.

    - [ ] Raise η past 0.02. `lr > 0.02`       a task that the page notices: its conditions
    - (x) A right choice. | Why it is right.   a question with choices, each with its reason
    - ( ) A wrong one. | Why it is wrong.
    - (0.242 ± 0.02) The second share? | Why.  a guess, shown beside the truth
    - {point 2 at 20 ± 0.5} Where will it be? | Why.   a prediction on the page's own picture

A prediction's truth is hidden in the picture until the reader has said his own, which the picture
then shows beside it with the distance. One a step; the kinds are in PREDICTIONS.

Numbers may be drawn: `[draw]` in the head names what stands there by default, the ends and the
grid (`z1 = [2, 0.5, 3, 0.1]`), `[let]` what follows (`p1 = "exp(z1) / (exp(z1) + 1)"`); `{{z1}}`
and `{{p1:.3f}}` stand for them anywhere. A link with a seed, `lesson=NAME.2@7`, draws others: a
class gets variants. `lesson=NAME.2,OTHER.1.1@7` is the first step of a set of chosen ones.

The paragraph before choices is their question. `pages.course` finds files and sets.
"""

from __future__ import annotations

import math
import random
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from engine.problems.formula import parse
from pages.contents import SECTIONS

_DRAWN = re.compile(r"\{\{ *(\w+) *(?::([.0-9a-z]+))? *\}\}")
_HEAD = re.compile(r"\A\+\+\+\n(.*?)\n\+\+\+\n(.*)\Z", re.DOTALL)
_LINK = re.compile(r"\A\[[^\]]+\]\((\S+)\)\Z")
_TASK = re.compile(r"\A- \[ \] (.+?)\s*`([^`]+)`\Z")
_CHOICE = re.compile(r"\A- \((x| )\) (.+?) \| (.+)\Z")
_GUESS = re.compile(r"\A- \(([-+\d.e]+) ± ([\d.e-]+)\) (.+?) \| (.+)\Z")
_PREDICTION = re.compile(r"\A- \{(\w+) ?([^}]*)\} (.+?) \| (.+)\Z")
_CONDITION = re.compile(r"\A(\S+) (<=|>=|<|>|=|has|lacks) (.+)\Z")


class LessonError(ValueError):
    """A lesson's file that cannot be used, and why."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What an entry of the page's store must be: its name, a comparison, a number or a text."""

    name: str
    comparison: str
    value: float | str


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do on the page, done once all its conditions hold."""

    text: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to a question, whether it is right, and the reason."""

    text: str
    right: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Guess:
    """A number to guess before it is shown: the truth, how near counts as right, the reason."""

    text: str
    value: float
    within: float
    reason: str


# What stands in the braces of a prediction after its kind, and what the picture is told of it.
PREDICTIONS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        # where run number `run` of the plane is at step `at`: the reader drags a mark there
        "point": re.compile(r"(?P<run>\d+) at (?P<at>\d+) ± (?P<within>[\d.e-]+)"),
        # its whole path, drawn by the reader; the mean distance counts
        "path": re.compile(r"(?P<run>\d+) ± (?P<within>[\d.e-]+)"),
        # which of the page's runs get away, in their order, as they are called here
        "runs": re.compile(r"(?P<options>.+)"),
        # the bars of a panel, dragged to their heights
        "bars": re.compile(r"(?P<panel>\w+) ± (?P<within>[\d.e-]+)"),
        # the edge of a drawn graph, by the names of its two nodes
        "edge": re.compile(r"(?P<source>\w+) -> (?P<target>\w+)"),
    }
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """Something to foresee on the page's picture: a kind of PREDICTIONS, what the picture is told
    of it, and the reason."""

    text: str
    kind: str
    asks: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """A sentence or two (Markdown), a page at a set state, and something to do there."""

    title: str
    text: str
    page: str
    link: Mapping[str, str]
    tasks: tuple[Task, ...] = ()
    choices: tuple[Choice, ...] = ()
    guesses: tuple[Guess, ...] = ()
    prediction: Prediction | None = None


@dataclass(frozen=True, slots=True)
class Lesson:
    """A path: its name in links, title, what it is about, its place in the course, its steps."""

    slug: str
    title: str
    about: str
    minutes: int
    order: float
    steps: tuple[Step, ...]
    text: str = ""
    seed: int | None = None

    @property
    def name(self) -> str:
        """Its name with its seed: what a reader's progress is kept under."""
        return self.slug if self.seed is None else f"{self.slug}@{self.seed}"

    @property
    def draws(self) -> bool:
        """Whether its numbers can be drawn."""
        return "\n[draw]\n" in self.text


def read_lesson(slug: str, text: str, seed: int | None = None) -> Lesson:
    """The lesson that a file's text says, its numbers drawn by the seed or as they are by default.

    Raises LessonError, naming the step and the line.
    """
    found = _HEAD.match(text.replace("\r\n", "\n"))
    if not found:
        raise LessonError(f"{slug}: it begins with a head between two lines of +++")
    try:
        head = tomllib.loads(found[1])
    except tomllib.TOMLDecodeError as error:
        raise LessonError(f"{slug}: the head is not TOML: {error}") from None
    for name, kind in (("title", str), ("about", str), ("minutes", int)):
        if not isinstance(head.get(name), kind):
            raise LessonError(f"{slug}: the head lacks {name!r} ({kind.__name__})")
    body = _filled(slug, found[2], _values(slug, head, seed))
    sections = re.split(r"^## ", body, flags=re.MULTILINE)
    if sections[0].strip():
        raise LessonError(f"{slug}: everything stands in a step, which begins with '## '")
    if len(sections) < 2:
        raise LessonError(f"{slug}: it has no step")
    steps = tuple(_step(slug, section) for section in sections[1:])
    order = head.get("order", math.inf)
    return Lesson(
        slug, head["title"], head["about"], head["minutes"], float(order), steps, text, seed
    )


def _values(slug: str, head: Mapping[str, Any], seed: int | None) -> dict[str, float]:
    """What is drawn, and what follows from it."""
    values: dict[str, float] = {}
    draws = random.Random(f"{slug}:{seed}")
    for name, said in dict(head.get("draw", {})).items():
        good = isinstance(said, list) and len(said) == 4 and all(
            isinstance(n, (int, float)) for n in said
        )  # fmt: skip
        if not good or not said[3] > 0 or not said[1] <= said[2]:
            raise LessonError(f"{slug}: {name} is drawn as [default, from, to, by], not {said!r}")
        default, low, high, by = map(float, said)
        count = round((high - low) / by) + 1
        values[name] = default if seed is None else round(low + by * draws.randrange(count), 9)
    for name, text in dict(head.get("let", {})).items():
        try:
            values[name] = float(parse(str(text), tuple(values))(**values))
        except (ValueError, TypeError, ArithmeticError) as error:
            raise LessonError(f"{slug}: {name} = {text!r} cannot be computed: {error}") from None
    return values


def _filled(slug: str, text: str, values: Mapping[str, float]) -> str:
    def number(found: re.Match[str]) -> str:
        name, form = found.groups()
        if name not in values:
            raise LessonError(f"{slug}: nothing draws or computes {name!r}")
        try:
            return format(values[name], form or ".10g")
        except ValueError:
            raise LessonError(f"{slug}: {form!r} is no form of a number") from None

    return _DRAWN.sub(number, text)


def _step(slug: str, section: str) -> Step:
    title, _, body = section.partition("\n")
    where = f"{slug}, step {title.strip()!r}"
    paragraphs: list[str] = []
    page, link = "", dict[str, str]()
    tasks: list[Task] = []
    choices: list[Choice] = []
    guesses: list[Guess] = []
    predictions: list[Prediction] = []
    for block in re.split(r"\n\s*\n", body.strip()):
        lines = _items(block)
        if found := _LINK.match(block):
            page, link = _state(where, found[1])
        elif all(line.startswith(("- [", "- (", "- {")) for line in lines):
            for line in lines:
                if task := _TASK.match(line):
                    tasks.append(Task(task[1], _conditions(where, task[2])))
                elif choice := _CHOICE.match(line):
                    choices.append(Choice(choice[2], choice[1] == "x", choice[3]))
                elif guess := _GUESS.match(line):
                    number = float(guess[1]), float(guess[2])
                    guesses.append(Guess(guess[3], *number, guess[4]))
                elif foreseen := _PREDICTION.match(line):
                    predictions.append(_prediction(where, *foreseen.groups()))
                else:
                    raise LessonError(f"{where}: cannot read {line!r}")
        else:
            paragraphs.append(block)
    if not page:
        raise LessonError(
            f"{where}: it opens no page: a paragraph that is [text](/page?name=value)"
        )
    if choices and sum(choice.right for choice in choices) != 1:
        raise LessonError(f"{where}: one of the choices is right, marked (x)")
    if len(predictions) > 1:
        raise LessonError(f"{where}: a step has one prediction: the picture hides what answers it")
    text = "\n\n".join(paragraphs)
    return Step(
        title.strip(), text, page, link, tuple(tasks), tuple(choices), tuple(guesses),
        predictions[0] if predictions else None,
    )  # fmt: skip


def _prediction(where: str, kind: str, said: str, text: str, reason: str) -> Prediction:
    form = PREDICTIONS.get(kind)
    if form is None:
        raise LessonError(f"{where}: there is no prediction {kind!r}: {', '.join(PREDICTIONS)}")
    found = form.fullmatch(said.strip())
    if not found:
        raise LessonError(f"{where}: {said!r} does not say a prediction of the kind {kind!r}")
    asks: dict[str, Any] = found.groupdict()
    if "run" in asks:
        asks["run"] = int(asks["run"]) - 1
    if "at" in asks:
        asks["at"] = int(asks["at"])
    if "within" in asks:
        asks["within"] = float(asks["within"])
    if "options" in asks:
        asks["options"] = [option.strip() for option in asks["options"].split(";")]
    return Prediction(text, kind, asks, reason)


def _items(block: str) -> list[str]:
    """The lines of a block, an item's further lines (indented) joined to its first."""
    lines: list[str] = []
    for line in block.splitlines():
        if line.startswith("  ") and lines:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.rstrip())
    return lines


def _state(where: str, address: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(address)
    page = parts.path.strip("/")
    if page not in {entry.file for entries in SECTIONS.values() for entry in entries}:
        raise LessonError(f"{where}: there is no page {page!r}")
    return page, dict(parse_qsl(parts.query, keep_blank_values=True))


def _conditions(where: str, text: str) -> tuple[Condition, ...]:
    conditions = []
    for part in text.split(" and "):
        found = _CONDITION.match(part.strip())
        if not found:
            raise LessonError(f"{where}: {part!r} is no condition such as `lr > 0.02`")
        name, comparison, value = found.groups()
        try:
            number: float | str = float(value)
        except ValueError:
            number = value.strip()
        if isinstance(number, str) and comparison not in ("=", "has", "lacks"):
            raise LessonError(f"{where}: {value!r} is not a number")
        if not isinstance(number, str) and comparison in ("has", "lacks"):
            number = value.strip()
        conditions.append(Condition(name, comparison, number))
    return tuple(conditions)
