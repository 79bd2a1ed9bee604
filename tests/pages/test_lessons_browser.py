"""Every lesson walked in Chromium from its first step to its last, doing what it asks for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page, expect

from components.assets import modules
from engine import LANDSCAPES, descend
from engine.derivatives.graph import EXAMPLES, build, read_program
from engine.derivatives.practice import judge, questions
from pages import competitors, course
from pages.lesson_file import PREDICTIONS, Condition, Prediction
from tests.browser import Visitor, wait_until_settled

pytestmark = pytest.mark.browser

LESSONS = course.lessons()

SET = """
async ([address, page, changes]) => {
  const { storeOf } = await import(address)
  storeOf(page).set(changes)
}
"""


def _satisfying(conditions: tuple[Condition, ...]) -> dict[str, float | str]:
    """Values that make the conditions true."""
    bounds: dict[str, list[float]] = {}
    found: dict[str, float | str] = {}
    for c in conditions:
        if isinstance(c.value, str):
            assert c.comparison == "=", "what has or lacks a word has no hand to set it"
            found[c.name] = c.value
            continue
        low, high = bounds.setdefault(c.name, [-math.inf, math.inf])
        if c.comparison in (">", ">="):
            bounds[c.name][0] = max(low, c.value)
        else:
            bounds[c.name][1] = min(high, c.value)
    for name, (low, high) in bounds.items():
        if math.isfinite(low) and math.isfinite(high):
            found[name] = (low + high) / 2
        elif math.isfinite(low):
            found[name] = low + max(abs(low) * 0.05, 1e-3)
        else:
            found[name] = high - abs(high) * 0.2 if high else high - 0.1
    return found


def find_derivatives(page: Page, count: int) -> None:
    """Answer the first questions of the practice page."""
    example = EXAMPLES["product"]
    function = read_program(example.text)
    out = function.outputs[-1]
    graph = build(function, list(example.values), function.inputs[0], out)
    for question in questions(graph, out)[:count]:
        truth = judge(function, example.values, out, question, "0").truth
        page.get_by_label(f"{question.name} =").fill(str(truth))
        page.get_by_label(f"{question.name} =").press("Enter")
        expect(page.get_by_text(f"✓ Right: {question.name}")).to_be_visible()
        page.get_by_role("button", name="Next", exact=True).click()


STAGE = ".dl-stage[data-seq]"
TRACKS = "(root) => root.stage.data.panels.flatMap((panel) => panel.tracks).length"
PLACE = """
(root, [x, y]) => {
  const panel = root.stage.panels.get("plane")
  const box = panel.plot.getBoundingClientRect()
  return [box.left + panel.toX(x), box.top + panel.toY(y)]
}
"""


def foresee(page: Page, prediction: Prediction, path: list[list[float]] = []) -> None:  # noqa: B006
    """Say a guess on the page's picture, and have the truth shown beside it.

    A path is drawn (or its last point taken) by the mouse; else the handles are moved by keys.
    """
    reveal = page.get_by_role("button", name="Reveal", exact=True)
    expect(reveal).to_be_disabled()
    if prediction.kind == "runs":
        boxes = page.locator(".dle-runs input")
        expect(boxes).to_have_count(len(prediction.asks["options"]))
        boxes.nth(1).check()
    elif prediction.kind == "edge":
        ends = prediction.asks["source"], prediction.asks["target"]
        page.get_by_role("button", name=f"edge from {ends[0]} to {ends[1]}").press("Enter")
    elif path:
        page.locator('[data-handle="guess"]').hover()
        page.mouse.down()
        for point in path if prediction.kind == "path" else path[-1:]:
            page.mouse.move(*page.locator(STAGE).evaluate(PLACE, point))
        page.mouse.up()
    else:
        handles = page.locator('[data-handle^="guess"]')
        expect(handles.first).to_be_visible()
        for handle in handles.all():
            handle.press("ArrowRight")
    reveal.click()
    expect(page.locator(".dle-asked output")).to_contain_text(prediction.reason)


# The first step of each kind.
KINDS = {
    step.prediction.kind: (lesson, at)
    for lesson in reversed(LESSONS.values())
    for at, step in reversed(list(enumerate(lesson.steps)))
    if step.prediction is not None
}


# What the page says of its shares, 0.450 twice, in words and under its pictures, is not to be read.
CURVES = """() => {
  const stages = [...document.querySelectorAll(".dl-stage[data-seq]")]
  const curves = stages.map(({ stage }) => stage.data.panels.flatMap(({ figure }) => figure.data))
  return Math.min(...curves.map(({ length }) => length))
}"""  # of the stage that shows fewest
UNTOLD = "() => !document.querySelector('.stMain').innerText.includes('0.45')"


@pytest.mark.parametrize("kind", list(PREDICTIONS))
def test_what_is_foreseen_rightly_is_near_enough(kind: str, visit: Visitor) -> None:
    lesson, at = KINDS[kind]
    step = lesson.steps[at]
    assert step.prediction is not None
    page = visit("/" + course.address(lesson, at), reduced_motion="reduce")
    asks = step.prediction.asks
    path: list[list[float]] = []
    if kind in ("point", "path"):
        runner = competitors.parse_runners(step.link["runs"])[0]
        bowl = LANDSCAPES["bowl"](condition=50.0, rotation=0.0)
        hypers = {**runner.hypers, "lr": float(step.link["lr"])}
        steps = asks.get("at", int(step.link["steps"]))
        path = descend(bowl, runner.optimizer, bowl.start, steps, hypers).path.tolist()
        expect(page.locator('[data-handle="guess"]')).to_be_visible()
        assert page.locator(STAGE).evaluate(TRACKS) == 0, "the truth is in the picture"
    if kind == "bars":
        bars = page.locator('[data-handle^="guess"]')
        expect(bars).to_have_count(3)
        page.wait_for_function(UNTOLD)
        for k, keys in enumerate(
            (["ArrowRight"] * 11, ["ArrowRight"] * 11, ["Shift+ArrowLeft"] * 2)
        ):
            for key in keys:
                bars.nth(k).press(key)
        page.get_by_role("button", name="Reveal", exact=True).click()
        page.wait_for_function(f"() => ({CURVES})() > 0")
    else:
        foresee(page, step.prediction, path)
    said = page.locator(".dle-asked output")
    expect(said).to_contain_text("✓ Near enough.")
    page.get_by_role("button", name="Start over").click()
    expect(said).to_be_empty()
    expect(page.get_by_role("button", name="Reveal", exact=True)).to_be_disabled()
    if kind == "bars":
        page.wait_for_function(UNTOLD)
        assert page.evaluate(CURVES) == 0


@pytest.fixture(scope="module")
def reader(browser: Browser, server: str) -> Iterator[Page]:
    """One reader, who walks all lessons in one sitting; motion would only take its time."""
    visitor = Visitor(browser, server)
    yield visitor("/lessons", reduced_motion="reduce")
    visitor.close()
    assert visitor.errors == []


@pytest.mark.parametrize("slug", list(LESSONS))
def test_a_lesson_is_walked_from_its_first_step_to_its_last(slug: str, reader: Page) -> None:
    lesson, page = LESSONS[slug], reader
    if not page.url.endswith("/lessons"):  # another lesson was not walked to its end
        page.goto(urljoin(page.url, "/lessons"))
    page.get_by_role("button", name=f"Begin: {lesson.title}").click()
    for at, step in enumerate(lesson.steps):
        here = page.locator(".dle-dots li").nth(at)
        expect(here).to_have_class(re.compile("dle-here"))
        expect(
            page.get_by_text(f"{lesson.title} · {at + 1} of {len(lesson.steps)}")
        ).to_be_visible()
        wait_until_settled(page)
        tasks = page.locator(".dle-tasks li")
        expect(tasks).to_have_count(len(step.tasks))
        for i, task in enumerate(step.tasks):
            expect(tasks.nth(i)).not_to_have_class(re.compile("dle-done"))
            changes = _satisfying(task.conditions)
            if "found" in changes:
                find_derivatives(page, 2)
            else:
                page.evaluate(SET, [f"/assets/{modules().digest}/store.js", step.page, changes])
            expect(tasks.nth(i)).to_have_class(re.compile("dle-done"))
        for choice in step.choices:
            page.get_by_role("button", name=choice.text, exact=True).click()
            expect(page.locator(".dle-choices p")).to_have_text(choice.reason)
        for i, guess in enumerate(step.guesses):
            item = page.locator(".dle-guesses li").nth(i)
            item.get_by_role("button").click()
            expect(item.locator("output")).to_have_text("Say a number first.")
            item.locator("input").fill(str(guess.value))
            item.get_by_role("button").click()
            expect(item.locator("output")).to_contain_text("near enough")
        if step.prediction is not None:
            foresee(page, step.prediction)
        expect(here).to_have_class(re.compile("dle-done|dle-here"))
        if at + 1 < len(lesson.steps):
            wait_until_settled(page)  # what was moved may still be worked out
            page.get_by_role("button", name="Next step").click()
    expect(page.locator(".dle-told")).not_to_be_empty()
    page.get_by_role("button", name="Leave the lesson").click()
    expect(page.locator(".dle-dots")).to_have_count(0)
    page.goto(urljoin(page.url, "/lessons"))
    expect(page.get_by_role("button", name=f"Once more: {lesson.title}")).to_be_visible()


def test_a_teachers_set_is_gone_on_with_from_the_list(reader: Page) -> None:
    lessons = urljoin(reader.url, "/lessons")
    lesson, _ = course.find("exercises-losses.1,zig-zag-and-momentum.2.1@7") or (None, 0)
    assert lesson is not None
    reader.goto(urljoin(reader.url, "/" + course.address(lesson, 0)))
    field = reader.locator(".dle-guesses input")
    field.fill(str(lesson.steps[0].guesses[0].value))
    field.press("Enter")
    expect(reader.locator(".dle-guesses output")).to_contain_text("near enough")
    reader.goto(lessons)
    card = reader.locator("article", has_text="Exercises, variant 7")
    expect(card).to_contain_text("1 of 2 steps")
    card.get_by_role("button", name="Go on: Exercises, variant 7").click()
    expect(reader.get_by_text("Exercises · 2 of 2")).to_be_visible()
    expect(reader.get_by_text("The limit.")).to_be_visible()
