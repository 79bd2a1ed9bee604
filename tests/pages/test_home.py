"""The home: every topic of the course in its order, and pictures that say what the engine says."""

from __future__ import annotations

import math
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from engine import LANDSCAPES, OPTIMIZERS, descend
from figures import topics as pictures
from pages import course
from pages.contents import SECTIONS
from pages.topics import COURSE, cards
from tests.browser import Visitor
from tests.pages.running import open_page

SUBJECTS = [subject for subjects in COURSE.values() for subject in subjects]


def test_every_page_stands_on_the_home_once() -> None:
    found = [card.id for _, topics in cards() for card in topics]
    pages = [entry.file for entries in SECTIONS.values() for entry in entries]
    assert sorted(found) == sorted(set(pages) - {"home"})


def test_every_topic_has_a_picture_and_every_lesson_a_topic() -> None:
    assert {subject.page for subject in SUBJECTS} == set(pictures.NAMES)
    named = {slug for subject in SUBJECTS for slug in subject.lessons}
    assert named <= set(course.lessons())


def test_the_links_of_the_home_open_pages_at_their_states() -> None:
    for _, topics in cards():
        for card in topics:
            for link in card.links:
                parts = urlsplit(link.to)
                query = dict(parse_qsl(parts.query))
                page = open_page(parts.path, **query) if query else None
                assert page is None or (not page.exception and not page.warning), link.to


@pytest.mark.parametrize("name", pictures.NAMES)
def test_a_picture_moves_and_is_finite(name: str) -> None:
    small = pictures.picture(name)
    moving = [values for part in (small.tracks, small.arrows, small.boxes) for one in part
              for values in one.values() if isinstance(values, np.ndarray)]  # fmt: skip
    assert any(np.ptp(values, axis=0).max() > 0 for values in moving)
    assert {len(values) for values in moving} == {pictures.FRAMES}


def test_the_pictures_say_what_the_engine_says() -> None:
    fair = pictures.picture("entropy").tracks[0]
    assert max(fair["y"]) == pytest.approx(1.0, abs=1e-3)  # a fair coin holds one bit
    bars = pictures.picture("softmax").boxes[0]["y1"]
    e2, e1, e01 = math.exp(2), math.exp(1), math.exp(0.1)
    assert bars[-1] == pytest.approx(np.array([e2, e1, e01]) / (e2 + e1 + e01))
    path = pictures.picture("race").tracks[1]
    bowl = LANDSCAPES["bowl"](condition=50.0, rotation=0.0)
    run = descend(bowl, OPTIMIZERS["momentum"], bowl.start, pictures.FRAMES - 1,
                  {"lr": 0.0185, "beta": 0.8})  # fmt: skip
    np.testing.assert_array_equal(path["x"], run.path[:, 0])
    wrong = pictures.picture("gradient_check").boxes[0]["y1"][-1] * 17 - 16
    assert wrong[:3].max() < -8  # both of the right gradient, and the one that kept its sign
    assert wrong[3] > 0


@pytest.mark.browser
def test_a_topic_is_taken_and_the_race_plays_at_once(visit: Visitor) -> None:
    page = visit("/", reduced_motion="reduce")
    first = page.locator(".dt-card").first
    expect(first.locator(".dt-picture canvas").first).to_be_attached()
    last = page.locator(".dt-card:has(.dt-picture)").last
    expect(last.locator("canvas")).to_have_count(0)  # made once it is seen
    last.scroll_into_view_if_needed()
    expect(last.locator("canvas").first).to_be_attached()
    page.get_by_role("link", name="Lesson: Entropy").click()
    expect(page.get_by_text("From entropy to cross-entropy · 1 of")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Entropy", exact=True).click()
    page.wait_for_url("**/entropy*")
    page.goto(visit.server)
    line = page.locator(".dl-lines p").first
    before = line.inner_text()
    page.locator('[data-handle="start"]').press("ArrowLeft")
    expect(line).not_to_have_text(before)
