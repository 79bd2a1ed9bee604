"""The panel from which a page is shared and taken along, and to which a reader brings a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import Visitor, wait_until_settled

pytestmark = pytest.mark.browser


def test_a_run_is_saved_restored_and_laid_over(visit: Visitor, tmp_path: Path) -> None:
    page = visit("/race?lr=0.012&steps=50", reduced_motion="reduce")
    page.wait_for_selector(".dl-stage[data-seq]")
    page.get_by_role("button", name="Share · embed · take along").click()
    snippet = page.locator('[data-part="frame"]')
    assert "descentLab" in snippet.input_value()
    page.locator('[data-part="width"]').fill("600")
    page.locator('[data-part="theme"]').select_option("dark")
    page.locator('[data-for="lock"][data-name="lr"]').check()
    assert 'style="border:0;width:100%;max-width:600px;height:500px"' in snippet.input_value()
    preview = page.frame_locator('iframe[title^="Preview"]')
    expect(preview.locator('[data-name="lr"] .dc-number')).to_be_disabled()
    background = preview.locator('[data-testid="stApp"]').evaluate(
        "e => [getComputedStyle(e).backgroundColor, innerWidth]"
    )
    assert background == ["rgb(21, 23, 27)", 600]
    page.set_viewport_size({"width": 360, "height": 780})  # nothing of it reaches out of a phone
    panel = page.locator(".dl-share-panel")
    assert panel.evaluate("e => e.scrollWidth - e.clientWidth") == 0
    page.set_viewport_size({"width": 1280, "height": 800})
    href = page.locator('[data-file="html"]').get_attribute("href")
    assert href is not None
    assert href.endswith("/take/race.html?lr=0.012&steps=50")

    with page.expect_download() as waiting:
        page.locator('[data-take="json"]').click()
    saved = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(saved)
    run = json.loads(saved.read_text())
    assert run["values"]["lr"] == 0.012
    with page.expect_download() as waiting:
        page.locator('[data-take="png"]').click()
    assert Path(waiting.value.path()).read_bytes()[:4] == b"\x89PNG"

    mine = tmp_path / "mine.csv"
    mine.write_text("x,y,loss\n5,3,475\n4,2,200\n3,1,60\n")
    page.locator('[data-reads="own"]').set_input_files(mine)
    expect(page.locator('[data-part="said"]')).to_have_text("mine.csv lies over the picture.")
    expect(page.locator(".dl-legend").first).to_contain_text("mine")
    empty = tmp_path / "empty.csv"
    empty.write_text("a,b\n")
    page.locator('[data-reads="own"]').set_input_files(empty)
    expect(page.locator('[data-part="said"]')).to_contain_text("neither columns x and y nor")

    page.keyboard.press("Escape")
    page.evaluate(
        """() => {
          const dataTransfer = new DataTransfer()
          dataTransfer.items.add(new File(["step,loss\\n0,9\\n20,3\\n"], "dropped.csv"))
          const options = { dataTransfer, bubbles: true, cancelable: true }
          document.querySelector(".dl-stage").dispatchEvent(new DragEvent("drop", options))
        }"""
    )
    expect(page.locator(".dl-legend").first).to_contain_text("dropped")

    page.goto(visit.server + "/race")
    page.wait_for_selector(".dl-stage[data-seq]")
    page.get_by_role("button", name="Share · embed · take along").click()
    page.locator('[data-reads="saved"]').set_input_files(saved)
    page.wait_for_url("**/race?lr=0.012&steps=50")
    expect(page.locator('[data-name="lr"] .dc-number')).to_have_value("0.012")

    # One that was saved where a hand had moved a value away from its link, and let fall on a page.
    run["values"] |= {"lr": 0.017, "start": [4, 2], "steps": "many", "nothing": 3}
    drop = """(text) => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([text], "run.json"))
      const options = { dataTransfer, bubbles: true, cancelable: true }
      document.querySelector(".dl-stage").dispatchEvent(new DragEvent("drop", options))
    }"""
    page.evaluate(drop, json.dumps(run))
    page.wait_for_url("**/race?lr=0.017&start=4%2C2&steps=50")
    expect(page.locator('[data-name="lr"] .dc-number')).to_have_value("0.017")
    expect(page.locator('[data-name="steps"] .dc-number')).to_have_value("50")
    for broken in ('{"descentLab": 1, "page": "race", "link": 3}', '{"descentLab"', "null"):
        page.evaluate(drop, broken)
        expect(page.locator('[data-part="said"]')).to_contain_text("run.json cannot be laid over")
        page.keyboard.press("Escape")


def test_a_browser_that_keeps_nothing_opens_a_saved_run_at_its_link(
    visit: Visitor, tmp_path: Path
) -> None:
    page = visit.empty(
        script="Object.defineProperty(window, 'sessionStorage',"
        " { get() { throw new Error('denied') } })"
    )
    page.goto(f"{visit.server}/race")
    wait_until_settled(page)
    page.get_by_role("button", name="Share · embed · take along").click()
    saved = tmp_path / "run.json"
    run = {"descentLab": 1, "page": "race", "link": "/race?lr=0.012", "values": {"lr": 0.02}}
    saved.write_text(json.dumps(run), encoding="utf-8")
    page.locator('[data-reads="saved"]').set_input_files(saved)
    page.wait_for_url("**/race?lr=0.012")
    expect(page.locator('[data-name="lr"] .dc-number')).to_have_value("0.012")
