"""Every lesson walked in Chromium from its first step to its last, doing what it asks for."""

from __future__ import annotations

import math
import re

import pytest
from playwright.sync_api import expect

from components.assets import modules
from pages import course
from tests.browser import Visitor, wait_until_settled

pytestmark = pytest.mark.browser

LESSONS = course.lessons()

SET = """
async ([address, page, changes]) => {
  const { storeOf } = await import(address)
  storeOf(page).set(changes)
}
"""


def _satisfying(conditions: tuple[course.Condition, ...]) -> dict[str, float]:
    """Values that make the conditions true."""
    bounds: dict[str, list[float]] = {}
    for c in conditions:
        assert not isinstance(c.value, str), "a task on a text has no hand to set it"
        low, high = bounds.setdefault(c.name, [-math.inf, math.inf])
        if c.comparison in (">", ">="):
            bounds[c.name][0] = max(low, c.value)
        else:
            bounds[c.name][1] = min(high, c.value)
    found = {}
    for name, (low, high) in bounds.items():
        if math.isfinite(low) and math.isfinite(high):
            found[name] = (low + high) / 2
        elif math.isfinite(low):
            found[name] = low + max(abs(low) * 0.05, 1e-3)
        else:
            found[name] = high - abs(high) * 0.2 if high else high - 0.1
    return found


@pytest.mark.parametrize("slug", list(LESSONS))
def test_a_lesson_is_walked_from_its_first_step_to_its_last(slug: str, visit: Visitor) -> None:
    lesson = LESSONS[slug]
    page = visit("/lessons")
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
        expect(here).to_have_class(re.compile("dle-done|dle-here"))
        if at + 1 < len(lesson.steps):
            page.get_by_role("button", name="Next step").click()
    expect(page.locator(".dle-told")).not_to_be_empty()
    page.get_by_role("button", name="Leave the lesson").click()
    expect(page.locator(".dle-dots")).to_have_count(0)
    page.goto(visit.server + "/lessons")
    expect(page.get_by_role("button", name=f"Once more: {lesson.title}")).to_be_visible()
