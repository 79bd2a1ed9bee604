"""Lessons: every step opens its page at its state, and every number in a guess is computed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, descend, landscape
from engine.losses import binary_cross_entropy, cross_entropy, focal, mse
from engine.losses.information import entropy
from engine.problems.formula import parse
from engine.studies.bias_correction import correction
from engine.tape import autograd
from pages import course
from pages.lesson_file import PREDICTIONS, Lesson, LessonError, read_lesson
from tests.pages.running import open_page

LESSONS = course.lessons()
STEPS = [(lesson, at) for lesson in LESSONS.values() for at in range(len(lesson.steps))]


def _name(case: Any) -> str:
    return course.mark(*case) if isinstance(case, tuple) else str(case)


def _entries(lesson: Lesson, at: int) -> dict[str, Any]:
    """What the page of a step says of its store and of its other fields."""
    step = lesson.steps[at]
    page = open_page(step.page, **step.link, lesson=course.mark(lesson, at))
    assert not page.exception
    assert not page.warning, [w.value for w in page.warning]
    assert any(step.title in block.value for block in page.markdown), "the step is not shown"
    experiment = page.session_state["_experiments"][step.page]
    return dict(experiment["values"])


@pytest.mark.parametrize("case", STEPS, ids=_name)
def test_a_step_opens_its_page_at_its_state(case: tuple[Lesson, int]) -> None:
    _entries(*case)


def test_every_file_of_the_folder_is_a_lesson() -> None:
    read, problems = course.read_folder(course.FOLDER)
    assert problems == []
    assert len(read) == len(list(course.FOLDER.glob("*.md"))) >= 11
    assert len({lesson.order for lesson in read}) == len(read)


# Numbers ------------------------------------------------------------------------------------------


def _race_limit() -> float:
    return 2 / np.linalg.eigvalsh(np.diag([2.0, 100.0])).max()


def _slope_by(name: str, x: float = math.pi / 4) -> float:
    formula = parse("(x + y) * sin(x)", ("x", "y"))
    slopes = autograd.grad(lambda x, y: formula(x=x, y=y), [0, 1])(x, 1.0)
    return float(slopes["xy".index(name)])


def _swinging_loss() -> float:
    surface = landscape("x**2 + 10*y**2")
    run = descend(surface, OPTIMIZERS["momentum"], (5.0, 3.0), 50, {"lr": 0.05, "beta": 0.9})
    return float(run.loss[-1])


def _steps_of_momentum() -> int:
    bowl = LANDSCAPES["bowl"](condition=50.0, rotation=0.0)
    run = descend(bowl, OPTIMIZERS["momentum"], bowl.start, 120, {"lr": 0.0185, "beta": 0.8})
    found = run.steps_to_gap(0.01)
    assert found is not None
    return found


def _newton_steps() -> int:
    bowl = LANDSCAPES["bowl"](condition=50.0, rotation=0.0)
    run = descend(bowl, OPTIMIZERS["newton"], (5.0, 3.0), 3, {"lr": 1.0})
    losses = bowl.value(run.path)
    return int(np.argmax(losses < 1e-12))


# The truths of all guesses, by their question, computed by the engine or from the definition.
TRUTHS: dict[str, Callable[[], float]] = {
    "How many bits are left at p = 0.99?": lambda: float(entropy([0.99, 0.01])) / math.log(2),
    "How many bits do four equal outcomes hold?": lambda: float(entropy([0.25] * 4)) / math.log(2),
    "What does the prediction (0.2, 0.7, 0.1) cost, in nats?": lambda: -math.log(0.7),
    "Where is it largest?": lambda: 7 / 10,
    "How many times harder does cross-entropy pull?": lambda: (
        (0.02 - 1) / (2 * (0.02 - 1) * 0.02 * 0.98)
    ),
    "What is the first probability?": lambda: (
        math.exp(2) / sum(math.exp(z) for z in (2.0, 1.0, 0.1))
    ),
    "To which entropy, in nats, does it tend?": lambda: float(entropy([1 / 3] * 3)),
    "At which η does it begin to diverge?": _race_limit,
    "How many bits does a flip of it hold?": lambda: float(entropy([0.9, 0.1])) / math.log(2),
    "What does it cost, in nats?": lambda: float(cross_entropy(np.log([0.02, 0.98]), 0)),
    "At which η does gradient descent begin to get away?": _race_limit,
    "And momentum with β = 0.9?": lambda: 1.9 * _race_limit(),
    "How many times one gradient does momentum's sum grow to, at β = 0.9?": lambda: sum(
        0.9**k for k in range(400)
    ),
    "By which factor is m corrected at step 5, with β₁ = 0.9?": lambda: float(correction(0.9, 5)),
    "What does an error of 4 cost?": lambda: float(mse(4.0, 0.0)),
    "What does the cat cost, in nats?": lambda: float(cross_entropy(np.array([3.2, 5.1, -1.7]), 0)),
    "What does a classifier of ten classes cost that knows nothing yet?": lambda: float(
        cross_entropy(np.zeros(10), 3)
    ),
    "What would it cost, were the first class true?": lambda: -math.log(0.2),
    "What does the probability 0.775 of the true class cost, in bits?": lambda: -math.log2(0.775),
    "What does the probability 0.936 cost, in bits?": lambda: -math.log2(0.936),
    "What does the label 1 cost at a prediction of 0.01?": lambda: float(
        binary_cross_entropy(0.01, 1.0)
    ),
    "Which share of its cross-entropy is left of an example at 0.9?": lambda: float(
        focal(math.log(9), 1.0, gamma=2.0) / focal(math.log(9), 1.0, gamma=0.0)
    ),
    "At which loss does momentum with β = 0.9 end after fifty steps?": _swinging_loss,
    "How many does momentum take at β = 0.8?": _steps_of_momentum,
    "By how much is m corrected at step 10, with β₁ = 0.9?": lambda: float(correction(0.9, 10)),
    "What is ∂f/∂x?": lambda: _slope_by("x", 0.8),
    "What is ∂f/∂y?": lambda: _slope_by("y", 0.8),
    "How many times one gradient does a steady one grow to at β = 0.8?": lambda: sum(
        0.8**k for k in range(400)
    ),
    "By how much is v corrected at the first step, at β₂ = 0.999?": lambda: 1 / (1 - 0.999),
    "Halved once, η is 0.02. Where does the limit lie?": _race_limit,
    "What share of η is left half-way, at η_min = 0?": lambda: (1 + math.cos(math.pi / 2)) / 2,
    "At (π/4, 1), what is ∂f/∂x of (x + y)·sin x?": lambda: _slope_by("x"),
    "At (π/4, 1), what reaches y of (x + y)·sin x?": lambda: _slope_by("y"),
    "In how many steps does Newton's rule reach the minimum of a quadratic bowl?": _newton_steps,
}


def test_the_truth_of_every_guess_is_computed() -> None:
    guesses = [g for lesson, at in STEPS for g in lesson.steps[at].guesses]
    assert {g.text for g in guesses} == set(TRUTHS)
    for guess in guesses:
        truth = TRUTHS[guess.text]()
        digits = max(guess.within, 1e-12)
        assert abs(guess.value - truth) <= digits / 10, (guess.text, guess.value, truth)


def test_every_kind_of_prediction_is_in_a_lesson() -> None:
    found = [lesson.steps[at].prediction for lesson, at in STEPS]
    assert {one.kind for one in found if one is not None} == set(PREDICTIONS)


def test_the_place_of_a_choice_does_not_tell_that_it_is_right() -> None:
    shown = [course.wire_form(lesson.steps[at])["choices"] for lesson, at in STEPS]
    places = [[c["right"] for c in choices].index(True) for choices in shown if choices]
    assert len(places) > 10
    assert len(set(places)) == 3
    assert max(map(places.count, set(places))) <= 0.6 * len(places)


def test_a_label_costs_the_logarithm_of_its_own_probability() -> None:
    found = float(cross_entropy(np.log([0.2, 0.7, 0.1]), 1))
    assert found == pytest.approx(0.3567, abs=5e-5)


# Numbers that are drawn ---------------------------------------------------------------------------


@pytest.mark.parametrize("slug", [slug for slug, lesson in LESSONS.items() if lesson.draws])
def test_a_seed_draws_numbers_and_their_answers(slug: str) -> None:
    as_written = LESSONS[slug]
    variants = [course.variant(slug, seed) for seed in range(1, 9)]
    links = {tuple(step.link.items()) for v in variants if v is not None for step in v.steps}
    assert None not in variants
    assert len(links) > 2 * len(as_written.steps), "a class would share its numbers"
    assert read_lesson(slug, as_written.text, 3) == course.variant(slug, 3)
    for at in range(len(as_written.steps)):
        _entries(variants[2], at)  # type: ignore[arg-type]


def test_a_drawn_answer_is_right() -> None:
    lesson = course.variant("exercises-losses", 7)
    assert lesson is not None
    p = float(lesson.steps[0].link["p"].split(",")[0])
    assert p != 0.9
    assert lesson.steps[0].guesses[0].value == pytest.approx(
        float(entropy([p, 1 - p])) / math.log(2), abs=1e-4
    )
    bowl = course.variant("exercises-optimizers", 7)
    assert bowl is not None
    steep = 2 * float(bowl.steps[0].link["bowl.condition"])
    assert bowl.steps[0].guesses[0].value == pytest.approx(2 / steep, rel=1e-3)


def test_a_set_is_a_lesson_of_chosen_steps() -> None:
    found = course.find("exercises-losses.3,zig-zag-and-momentum.2.2@7")
    assert found is not None
    lesson, at = found
    assert [step.title for step in lesson.steps] == ["Softmax by hand", "The limit"]
    assert at == 1
    assert course.mark(lesson, 0) == "exercises-losses.3,zig-zag-and-momentum.2.1@7"
    assert course.find(course.mark(lesson, 0)) == (lesson, 0)
    _entries(lesson, 0)


@pytest.mark.parametrize(
    "mark",
    ["", "exercises-losses", "exercises-losses.9", "exercises-losses.1@", "exercises-losses.1@x",
     "a.1,b.2.1@3", "exercises-losses.1@12345678", ",".join(["exercises-losses.1"] * 25) + ".1"],
)  # fmt: skip
def test_a_mark_that_says_nothing(mark: str) -> None:
    assert course.find(mark) is None or mark.endswith("@")


# A file that is wrong -----------------------------------------------------------------------------

HEAD = '+++\ntitle = "T"\nabout = "A"\nminutes = 1\n+++\n'
STEP = "\n## One\n\nText.\n\n[open](/race?lr=0.01)\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("## One", "a head between two lines"),
        ("+++\ntitle = \n+++\n", "is not TOML"),
        ('+++\ntitle = "T"\n+++\n## One', "lacks 'about'"),
        (HEAD, "has no step"),
        (HEAD + "Before." + STEP, "stands in a step"),
        (HEAD + "\n## One\n\nText.\n", "opens no page"),
        (HEAD + "\n## One\n\n[open](/nowhere)\n", "no page 'nowhere'"),
        (HEAD + STEP + "\n- [ ] Do it. `lr is 3`\n", "no condition"),
        (HEAD + STEP + "\n- [ ] Do it. `lr > much`\n", "not a number"),
        (HEAD + STEP + "\n{{n}}\n", "nothing draws or computes 'n'"),
        (HEAD[:-4] + "[draw]\nn = [1, 2]\n+++\n" + STEP, "is drawn as"),
        (HEAD[:-4] + '[let]\nn = "open(1)"\n+++\n' + STEP, "cannot be computed"),
        (HEAD + STEP + "\n- {wish 1} Where? | There.\n", "no prediction 'wish'"),
        (HEAD + STEP + "\n- {point one at 3 ± 1} Where? | There.\n", "does not say a prediction"),
        (HEAD + STEP + "\n- {path 1 ± 1} A | b\n- {path 2 ± 1} A | b\n", "one prediction"),
        (HEAD + STEP + "\n- (x) No reason\n", "cannot read"),
        (HEAD + STEP + "\n- ( ) One | a\n- ( ) Two | b\n", "one of the choices is right"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text: str, says: str) -> None:
    with pytest.raises(LessonError, match=re.escape(says)):
        read_lesson("mine", text)


def test_a_teachers_folder_comes_after_the_apps_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.md").write_text(HEAD + STEP, encoding="utf-8")
    (tmp_path / "broken.md").write_text("nothing", encoding="utf-8")
    monkeypatch.setenv(course.SETTING, str(tmp_path))
    course.lessons.cache_clear()
    try:
        names = list(course.lessons())
        assert names[-1] == "mine"
        assert names[:-1] == list(LESSONS)
        assert "broken" not in names
    finally:
        course.lessons.cache_clear()


def test_a_lesson_that_there_is_not_is_said() -> None:
    page = open_page("race", lesson="<b>none</b>.1")
    assert not page.exception
    assert "There is no lesson" in page.warning[0].value
