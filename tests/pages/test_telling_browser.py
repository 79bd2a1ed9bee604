"""What a picture says of itself is what the engine finds; it is told once the hand rests, not under
it, and what has changed is said aloud."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import engine
from engine.emit.picture import written
from tests.browser import Visitor


@pytest.mark.browser
def test_the_words_are_the_engines_numbers_and_wait_for_the_hand(visit: Visitor) -> None:
    page = visit("/race?runs=sgd&steps=60&lr=0.0185", reduced_motion="reduce")
    loss, plane = (
        page.locator(f'[data-panel="{name}"] .dl-told').first for name in ("loss", "plane")
    )
    run = engine.descend("bowl", "sgd", (5.0, 3.0), 60, {"lr": 0.0185})
    expect(loss).to_contain_text(f"SGD at step 60: {written(float(run.loss[-1]), '3')}")
    x, y = (written(float(value), "3") for value in run.path[-1])
    expect(plane).to_contain_text(f"SGD at step 60: ({x}, {y})")
    before = plane.text_content()
    box = page.locator('[data-handle="start"]').bounding_box()
    assert box is not None
    at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*at)
    page.mouse.down()
    page.mouse.move(at[0] - 60, at[1] + 20, steps=4)
    page.wait_for_timeout(700)  # longer than the words wait for rest
    assert plane.text_content() == before
    page.mouse.up()
    expect(plane).not_to_have_text(before or "")
    expect(page.locator(".dl-live").first).to_contain_text("SGD at step 60")
