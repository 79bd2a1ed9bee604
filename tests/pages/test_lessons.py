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
from engine.problems.data import split, table
from engine.problems.formula import parse
from engine.problems.networks import MLP
from engine.runs.learning import Competitor
from engine.studies import adam_paper, batch_size, matrices, weight_space
from engine.studies.bias_correction import correction
from engine.studies.range_test import RangeTest, RateSweep, range_test, rate_sweep
from engine.tape import autograd
from pages import course
from pages.lesson_file import PREDICTIONS, Lesson, LessonError, Step, read_lesson
from tests.pages.running import open_page

LESSONS = course.lessons()
STEPS = [(lesson, at) for lesson in LESSONS.values() for at in range(len(lesson.steps))]


def _said(step: Step) -> str:
    """Everything that a step says."""
    return " ".join(
        [step.text, *(g.text + " " + g.reason for g in step.guesses),
         *(c.text + " " + c.reason for c in step.choices)]
    )  # fmt: skip


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


def _borne(rule: str, **hypers: float) -> float:
    found = weight_space.borne(OPTIMIZERS[rule], hypers)
    assert found is not None
    return float(found)


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
    "A batch four times as large: which share of its straying is left?": lambda: math.sqrt(8 / 32),
    "The largest curvature is 1.378. From which η on does the run on all examples get away?": (
        lambda: 2 / batch_size.sharpness()
    ),
    "At η = 0.25 the line is at 8. Where is it at η = 0.4?": lambda: _borne("sgd", lr=0.4),
    "How many times gradient descent's limit does momentum bear at β = 0.5?": lambda: (
        _borne("momentum", lr=0.15, beta=0.5) / _borne("sgd", lr=0.15)
    ),
    "In very many dimensions, which share of a random walk's variance lies on its own plane?": (
        lambda: float(weight_space.walk_shares(weight_space.RECORDS + 1).sum())
    ),
    "A tiny singular value: by how much does one step multiply it?": lambda: float(
        autograd.grad(lambda x: matrices.polynomial(x), 0)(0.0)
    ),
    "In how many steps does Newton's rule reach the minimum of a quadratic bowl?": _newton_steps,
}


def test_the_truth_of_every_guess_is_computed() -> None:
    guesses = [g for lesson, at in STEPS for g in lesson.steps[at].guesses]
    assert {g.text for g in guesses} == set(TRUTHS)
    for guess in guesses:
        truth = TRUTHS[guess.text]()
        digits = max(guess.within, 1e-12)
        assert abs(guess.value - truth) <= digits / 10, (guess.text, guess.value, truth)


def test_every_step_says_something_and_asks_for_something() -> None:
    for lesson, at in STEPS:
        step = lesson.steps[at]
        assert 20 <= len(step.text) <= 320, (lesson.slug, step.title)
        assert step.tasks or step.choices or step.guesses or step.prediction, step.title


def test_every_kind_of_prediction_is_in_a_lesson() -> None:
    found = [lesson.steps[at].prediction for lesson, at in STEPS]
    assert {one.kind for one in found if one is not None} == set(PREDICTIONS)


def test_the_place_of_a_choice_does_not_tell_that_it_is_right() -> None:
    shown = [course.wire_form(lesson.steps[at])["choices"] for lesson, at in STEPS]
    places = [[c["right"] for c in choices].index(True) for choices in shown if choices]
    assert len(places) > 10
    assert len(set(places)) == 3
    assert max(map(places.count, set(places))) <= 0.6 * len(places)


def _strays(size_exponent: int) -> float:
    return float(batch_size.cloud(-1.0, 0.0, 0.5, size_exponent, 0).spread)


def _sharpness_at_the_end(rate: float) -> float:
    task = weight_space.task("curve", 12, 2, "tanh", 0)
    return float(weight_space.follow(task, "sgd", {"lr": rate}, {}, steps=2000).sharpness[-1])


def _rates() -> tuple[RangeTest, RateSweep]:
    """What the page of rates finds at the lesson's link."""
    data = split(table("two_moons", 200, 0.15, 0), seed=0)
    network, adam = MLP((2, 8, 8, 1), "tanh"), Competitor("adam", batch=32)
    found = range_test(network, data, adam, low=1e-5, high=10.0, steps=100, seed=0)
    rates = np.geomspace(1e-4, 10.0, 16)
    return found, rate_sweep(network, data, adam, rates, steps=100, seeds=3)


def test_what_reasons_say_of_batches() -> None:
    steps = {step.title: step for step in LESSONS["mini-batches-and-their-noise"].steps}
    assert f"from {_strays(3):.2f} here to {_strays(5):.2f}" in _said(steps["A batch is a guess"])
    scaled = _said(steps["More examples, longer steps"])
    assert f"is {batch_size.sharpness():.3f}" in scaled
    assert f"would have {0.1 * batch_size.EXAMPLES / batch_size.REFERENCE:.1f}" in scaled
    assert 0.1 * 32**0.77 < 2 / batch_size.sharpness() < 0.1 * 32**0.78
    flat = {size: chance.flat for size, chance in batch_size.leaving(8.0, 0.1).items()}
    assert max(flat, key=flat.__getitem__) == 16
    assert f"{flat[16]:.0%}".replace("%", " %") in _said(steps["What noise is good for"])
    assert flat[64] == 0


def test_what_reasons_say_of_sharpness_and_matrices() -> None:
    edge = _said(LESSONS["what-a-plane-shows"].steps[0])
    assert f"near it, at {_sharpness_at_the_end(0.4):.2f}" in edge
    assert weight_space.task("curve", 12, 2, "tanh", 0).network.size == 193
    five, wins, loses, _ = LESSONS["matrices-muon-and-its-kin"].steps
    lifted = matrices.stages(np.array([0.002]))[-1][0]
    assert f"bring 0.002 to {lifted:.2f}" in _said(five)
    noisy = matrices.one_direction(0.3)
    muon, plain = (matrices.raced(noisy, rule, beta=0.8).error for rule in ("muon", "sgd"))
    assert f"ends at {muon:.3f}, gradient descent at {plain:.4f}" in _said(loses)
    assert f"same {len(matrices.RATES)} rates" in _said(wins)
    for rule, stays in (("sgd", False), ("momentum", False), ("muon", True), ("adamw", True)):
        run = matrices.raced(matrices.memory(), rule, beta=0.8)
        assert (run.errors[run.best + 2, -1] < 0.01) == stays, rule


def test_what_reasons_say_of_rates() -> None:
    found, runs = _rates()
    said = _said(LESSONS["choosing-a-learning-rate"].steps[-1])
    assert f"{runs.best / found.steepest:.0f} times below" in said
    losses = runs.at(found.steepest), runs.at(runs.best)
    assert f"ends at {losses[0]:.2f}, one at the best at {losses[1]:.4f}" in said
    assert 0.07 < runs.best < 0.15


def test_what_a_task_asks_for_is_there_to_be_found() -> None:
    task = LESSONS["choosing-a-learning-rate"].steps[0].tasks[0]
    low, high = map(float, re.findall(r"0\.0\d+", task.text.split("between")[1]))
    ends = {lr: descend("bowl", "sgd", (5, 3), 120, {"lr": lr}).loss[-1] for lr in (low, high)}
    assert max(ends.values()) < 0.01
    for lr in (low - 0.0001, high + 0.0001):
        assert descend("bowl", "sgd", (5, 3), 120, {"lr": lr}).loss[-1] > 0.0099


def test_what_reasons_say_of_the_comparison() -> None:
    outcome = adam_paper.finished()["perceptron"].of(adam_paper.THEN)
    by_rate = outcome.middle("learned")
    at = {rate: dict(zip(outcome.rules, by_rate[:, k], strict=True))
          for k, rate in enumerate(adam_paper.RATES)}  # fmt: skip
    assert min(at[1.0], key=at[1.0].__getitem__) == "adadelta"
    assert max(at[0.01], key=at[0.01].__getitem__) == "adadelta"
    assert at[1.0]["adam"] == pytest.approx(math.log(10), rel=0.02)
    best = dict(zip(outcome.rules, outcome.chosen("learned"), strict=True))
    assert [adam_paper.RATES[best[rule]] for rule in ("adadelta", "rmsprop")] == [10, 0.01]
    judged = adam_paper.verdict(outcome, "learned")
    assert (judged.order[0], judged.wins, set(judged.like)) == ("adam", 2, {"adadelta", "nesterov"})
    held = adam_paper.verdict(outcome, "held")
    assert (held.order[0], held.order[2], held.order[3]) == ("adagrad", "rmsprop", "adam")
    assert len(held.like) == 4
    assert held.medians[2] / held.medians[0] < 1.04
    assert len(adam_paper.RATES) == 11


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
