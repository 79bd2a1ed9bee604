"""A lesson as a package for a learning platform: one HTML file that needs no server, zipped with
the manifest by which SCORM 1.2 knows it; and the statement by which xAPI says that it is done.

The file holds the figure of every step as `python -m export PAGE` makes it, what there is to do
there, and components/web/lesson/package.js, which tells the platform how far the reader is. A task
that needs Python (another optimizer, say) cannot be noticed in a copy: it is said, and not asked.

SCORM 1.2 Content Aggregation Model (ADL 2001), sections 2.3 and 2.4; xAPI 1.0.3, part two.
"""

from __future__ import annotations

import html
import io
import json
import zipfile
from typing import Any, Final
from xml.etree import ElementTree as ET

from export.capture import ROOT, Capture, capture
from export.document import UNPACK, code, pack, packed
from export.said import inline
from pages import course
from pages.lesson_file import Lesson, Step

PAGE: Final = "index.html"
MANIFEST: Final = "imsmanifest.xml"
CP: Final = "http://www.imsproject.org/xsd/imscp_rootv1p1p2"
ADL: Final = "http://www.adlnet.org/xsd/adlcp_rootv1p2"
VERB: Final = "http://adlnet.gov/expapi/verbs/completed"
KIND: Final = "http://adlnet.gov/expapi/activities/lesson"
HOME: Final = "https://descent-lab.invalid"  # the reserved name of no site, where none is given
ALONE: Final = 1  # byte of room for further states of a page: a step shows the one it names
WRITTEN: Final = (1980, 1, 1, 0, 0, 0)  # of every file in the zip, which is then the same each time

_STYLE: Final = """
html{color-scheme:light dark}
body{margin:0;font:1rem/1.5 'Source Sans','Source Sans 3',system-ui,sans-serif;
  background:light-dark(#fdfdfc,#15171b);color:light-dark(#22211f,#e7e5e0)}
main{max-width:72rem;margin:0 auto;padding:1rem}
h1{font:600 1.5rem/1.3 'Source Serif','Source Serif 4',Georgia,serif;margin:0}
[data-go=leave]{display:none}
.where{margin:0;color:light-dark(#62605b,#a3a19c)}
"""


def lesson_file(lesson: Lesson, *, home: str = "") -> str:
    """The lesson as one HTML file. Raises PageError where a step's page cannot be captured."""
    found = [capture(s.page, dict(s.link), room=ALONE, presets=False) for s in lesson.steps]
    steps = []
    scripts = []
    for at, (step, page) in enumerate(zip(lesson.steps, found, strict=True)):
        to_do, said = noticed(step, page)
        store = f"{lesson.slug}.{at}"
        text = " ".join([step.text, *said])
        entry = {"title": step.title, "text": inline(text), "store": store, "toDo": to_do}
        steps.append(entry)
        address = home and f"{home.rstrip('/')}/{step.page}"
        body = packed(pack(page, home=address, store=store))
        scripts.append(f'<script type="text/plain" id="step-{at}">{body}</script>')
    first = 'import showLesson from "./lesson/lesson.js"\n'
    first += 'import { recall } from "./lesson/lesson.js"\n'
    own = (ROOT / "components/web/lesson/package.js").read_text("utf-8")
    modules = code(*found, more=first + own, folders=("lesson",))
    given = json.dumps({"slug": lesson.slug, "title": lesson.title, "steps": steps}).replace(
        "</", "<\\/"
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Descent Lab">
<title>{html.escape(lesson.title)} · Descent Lab</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
<main></main>
<noscript>This lesson is computed by your browser, in JavaScript.</noscript>
<script type="text/plain" id="code">{packed(modules.encode())}</script>
{chr(10).join(scripts)}
<script type="application/json" id="lesson">{given}</script>
<script type="module">
{UNPACK}
const text = (id) => document.getElementById(id).textContent
const {{ lesson }} = await import(await address(text("code")))
const given = JSON.parse(text("lesson"))
given.steps.forEach((step, at) => (step.figure = () => unpack(text(`step-${{at}}`))))
await lesson(document.querySelector("main"), given)
</script>
</html>
"""


def noticed(step: Step, page: Capture) -> tuple[dict[str, Any], list[str]]:
    """What there is to do, as far as a copy notices it; and the rest, to be said."""
    names = set(page.states[0].store["values"])
    form = course.wire_form(step)
    told = [t for t in form["tasks"] if {c[0].partition("[")[0] for c in t["when"]} <= names]
    rest = [task["text"] for task in form["tasks"] if task not in told]
    return {**form, "tasks": told}, [f"In the laboratory: {text}" for text in rest]


def manifest(lesson: Lesson) -> str:
    """imsmanifest.xml: one item, whose resource is the lesson's file."""
    ET.register_namespace("", CP)
    ET.register_namespace("adlcp", ADL)
    root = ET.Element(f"{{{CP}}}manifest", identifier=f"descent-lab.{lesson.slug}", version="1.2")

    def under(parent: ET.Element, name: str, text: str = "", **given: str) -> ET.Element:
        child = ET.SubElement(parent, f"{{{CP}}}{name}", given)
        child.text = text or None
        return child

    about = under(root, "metadata")
    under(about, "schema", "ADL SCORM")
    under(about, "schemaversion", "1.2")
    courses = under(root, "organizations", default="course")
    whole = under(courses, "organization", identifier="course")
    under(whole, "title", lesson.title[:200])
    item = under(whole, "item", identifier="item", identifierref="lesson", isvisible="true")
    under(item, "title", lesson.title[:200])
    resources = under(root, "resources")
    resource = under(resources, "resource", identifier="lesson", type="webcontent", href=PAGE)
    resource.set(f"{{{ADL}}}scormtype", "sco")
    under(resource, "file", href=PAGE)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def package(lesson: Lesson, document: str) -> bytes:
    """The zip that a platform takes: the manifest and the lesson's file, at its root."""
    parts = {MANIFEST: manifest(lesson), PAGE: document}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, WRITTEN), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def statement(lesson: Lesson, *, home: str = "", actor: str = "reader") -> dict[str, Any]:
    """The xAPI statement that the lesson was completed by an account of the laboratory's address,
    for a record store of one's own; who sends it puts the reader's account in."""
    address = home.rstrip("/") or HOME
    return {
        "actor": {
            "objectType": "Agent",
            "account": {"homePage": address, "name": actor},
        },
        "verb": {"id": VERB, "display": {"en-US": "completed"}},
        "object": {
            "objectType": "Activity",
            "id": f"{address}/lessons/{lesson.slug}",
            "definition": {
                "type": KIND,
                "name": {"en-US": lesson.title},
                "description": {"en-US": lesson.about},
            },
        },
        "result": {"completion": True, "score": {"scaled": 1, "raw": 100, "min": 0, "max": 100}},
    }
