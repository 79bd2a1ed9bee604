"""A lesson that was taken along: its package holds to SCORM 1.2, its statement to xAPI, and in
Chromium it tells a learning platform how far its reader is."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser, Page, expect

from export import lesson as exported
from export.__main__ import main
from pages import course
from pages.lesson_file import Step
from tests.browser import serve_folder

NAME = "zig-zag-and-momentum"
ADL = f"{{{exported.ADL}}}"
# What the schema of IMS Content Packaging 1.1.2 lets an element hold, in this order, the most of
# each (None: any number), and the attributes that it must have.
SCHEMA: dict[str, tuple[list[tuple[str, int | None]], set[str]]] = {
    "manifest": (
        [("metadata", 1), ("organizations", 1), ("resources", 1), ("manifest", None)],
        {"identifier"},
    ),
    "metadata": ([("schema", 1), ("schemaversion", 1)], set()),
    "organizations": ([("organization", None)], set()),
    "organization": ([("title", 1), ("item", None), ("metadata", 1)], {"identifier"}),
    "item": ([("title", 1), ("item", None), ("metadata", 1)], {"identifier"}),
    "resources": ([("resource", None)], set()),
    "resource": ([("metadata", 1), ("file", None), ("dependency", None)], {"identifier", "type"}),
    "file": ([("metadata", 1)], {"href"}),
    "schema": ([], set()),
    "schemaversion": ([], set()),
    "title": ([], set()),
}
# The run-time environment's data model, as far as it is spoken here: what may be written.
WRITABLE = {
    "cmi.core.lesson_location": r".{0,255}",
    "cmi.core.lesson_status": r"passed|completed|failed|incomplete|browsed|not attempted",
    "cmi.core.score.raw": r"\d{1,3}",
    "cmi.core.score.min": r"0",
    "cmi.core.score.max": r"100",
    "cmi.core.exit": r"time-out|suspend|logout|",
    "cmi.core.session_time": r"\d{2,4}:\d\d:\d\d(\.\d{1,2})?",
    "cmi.suspend_data": r".{0,4096}",
}
PLATFORM = """
window.said = []
const kept = JSON.parse(sessionStorage.getItem("kept") ?? "{}")
const say = (name, ...given) => (window.said.push([name, ...given]), "true")
window.API = {
  LMSInitialize: (none) => say("LMSInitialize", none),
  LMSFinish: (none) => {
    say("LMSFinish", none)
    sessionStorage.setItem("kept", JSON.stringify(kept))
    sessionStorage.setItem("said", JSON.stringify(window.said))
    return "true"
  },
  LMSGetValue: (name) => kept[name] ?? (name === "cmi.core.lesson_status" ? "not attempted" : ""),
  LMSSetValue: (name, value) => ((kept[name] = value), say("LMSSetValue", name, value)),
  LMSCommit: (none) => say("LMSCommit", none),
  LMSGetLastError: () => "0", LMSGetErrorString: () => "", LMSGetDiagnostic: () => "",
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package unzipped, the statement beside it."""
    folder = tmp_path_factory.mktemp("lesson")
    zipped, said = folder / "lesson.zip", folder / "statement.json"
    asked = [NAME, "--scorm", str(zipped), "--xapi", str(said), "--home", "https://lab.example.org"]
    assert main(["lesson", *asked]) == 0
    with zipfile.ZipFile(io.BytesIO(zipped.read_bytes())) as archive:
        archive.extractall(folder)
    return folder


def test_the_manifest_is_what_the_schema_asks_for(folder: Path) -> None:
    root = ET.parse(folder / exported.MANIFEST).getroot()
    names, references, files = [], [], set()
    for element in root.iter():
        space, _, name = element.tag[1:].partition("}")
        assert space == exported.CP
        order, needed = SCHEMA[name]
        assert needed <= set(element.attrib), name
        children = [child.tag.partition("}")[2] for child in element]
        allowed = [one for one, _ in order]
        assert [allowed.index(child) for child in children] == sorted(map(allowed.index, children))
        for child, most in order:
            assert most is None or children.count(child) <= most
        assert not children or not (element.text or "").strip()
        names += filter(None, [element.get("identifier")])
        references += filter(None, [element.get("identifierref"), element.get("default")])
        files |= set(filter(None, [element.get("href")]))
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", name) for name in names)  # xsd:ID
    assert set(references) <= set(names)
    assert all((folder / file).is_file() for file in files)
    # What SCORM 1.2 asks for besides: its name, its version, and what a resource is.
    (about,) = root.findall(f"{{{exported.CP}}}metadata")
    assert [child.text for child in about] == ["ADL SCORM", "1.2"]
    assert [r.get(f"{ADL}scormtype") for r in root.iter(f"{{{exported.CP}}}resource")] == ["sco"]


def test_the_statement_is_one_that_a_record_store_takes(folder: Path) -> None:
    said: dict[str, Any] = json.loads((folder / "statement.json").read_text())
    assert set(said) == {"actor", "verb", "object", "result"}
    assert set(said["actor"]) == {"objectType", "account"}
    assert set(said["actor"]["account"]) == {"homePage", "name"}
    definition = said["object"]["definition"]
    for address in (said["verb"]["id"], said["object"]["id"], definition["type"]):
        assert re.fullmatch(r"https?://[\w.-]+/\S+", address)
    lesson = course.lessons()[NAME]
    assert definition["name"] == {"en-US": lesson.title}
    assert said["object"]["id"] == f"https://lab.example.org/lessons/{NAME}"
    score = said["result"]["score"]
    assert score["min"] <= score["raw"] <= score["max"]
    assert -1 <= score["scaled"] <= 1
    assert said["result"]["completion"] is True


def test_an_unknown_lesson_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "no such lesson"]) == 2
    assert NAME in capsys.readouterr().err


def do_step(page: Page, step: Step) -> None:
    """Whatever a step asks for, by its controls."""
    moved = {"lr < 0.01": ("lr", "0.005"), "lr > 0.02": ("lr", "0.021"),
             "1/beta > 0.95": ("1/beta", "0.96")}  # fmt: skip
    for task in step.tasks:
        (wanted,) = task.conditions
        name, value = moved[f"{wanted.name} {wanted.comparison} {wanted.value}"]
        field = page.locator(f'[data-name="{name}"] .dc-number')
        field.fill(value)
        field.press("Enter")
    for place, guess in enumerate(step.guesses):
        item = page.locator(".dle-guesses li").nth(place)
        item.locator("input").fill(str(guess.value))
        item.locator("button").click()
    for choice in step.choices:
        if choice.right:
            page.get_by_role("button", name=choice.text).click()
    if step.prediction is not None:
        page.locator('[data-handle="guess"]').press("ArrowLeft")
        page.get_by_role("button", name="Reveal", exact=True).click()


@pytest.mark.browser
def test_a_platform_hears_how_far_the_reader_is(browser: Browser, folder: Path) -> None:
    lesson = course.lessons()[NAME]
    count = len(lesson.steps)
    context = browser.new_context()
    errors: list[str] = []
    with serve_folder(folder) as address:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(PLATFORM)
        page.goto(f"{address}/{exported.PAGE}")
        for at, step in enumerate(lesson.steps[:-1]):
            expect(page.locator(".where")).to_contain_text(f"{at + 1} of {count}")
            page.locator(".dl-stage[data-seq]").first.wait_for()
            do_step(page, step)
            expect(page.locator(".dle-dots li.dle-done")).to_have_count(at + 1)
            page.get_by_role("button", name="Next step").click()
        expect(page.locator(".where")).to_contain_text(f"{count} of {count}")
        # The reader leaves, and is back at the last step.
        page.reload()
        first = json.loads(page.evaluate("sessionStorage.getItem('said')"))
        expect(page.locator(".where")).to_contain_text(f"{count} of {count}")
        page.locator(".dl-stage[data-seq]").first.wait_for()
        do_step(page, lesson.steps[-1])
        expect(page.locator(".dle-told")).to_contain_text("That was the whole lesson")
        page.goto(f"{address}/{exported.MANIFEST}")
        second = json.loads(page.evaluate("sessionStorage.getItem('said')"))
    context.close()
    assert errors == []
    for said in (first, second):
        assert said[0] == ["LMSInitialize", ""]
        assert said[-1] == ["LMSFinish", ""]
        for _, name, value in (call for call in said if call[0] == "LMSSetValue"):
            assert re.fullmatch(WRITABLE[name], value), (name, value)

    def last(said: list[list[str]], name: str) -> str:
        return [call[2] for call in said if call[1:2] == [name]][-1]

    assert last(first, "cmi.core.lesson_status") == "incomplete"
    assert last(first, "cmi.core.score.raw") == str(round(100 * (count - 1) / count))
    assert last(first, "cmi.core.exit") == "suspend"
    assert last(second, "cmi.core.lesson_status") == "completed"
    assert last(second, "cmi.core.score.raw") == "100"
    assert last(second, "cmi.core.exit") == ""
