"""What is said of a lesson to others holds to their schemas: the manifest to that of SCORM 1.2, the
statement to one written from the xAPI specification.

SCORM's own files may be used and not passed on. They are read from a package that carries them,
`pip install --no-deps plct-bulder-for-sphinx==0.0.5`, as .ci/run does.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema

from export import lesson as exported
from pages import course

LESSONS = course.lessons()
CARRIER = "plct_bulder_for_sphinx"
ADL = f"{{{exported.ADL}}}"
CP = f"{{{exported.CP}}}"


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    """IMS Content Packaging 1.1.2 with ADL's elements, as SCORM 1.2 has them."""
    found = find_spec(CARRIER)
    if found is None or not found.origin:
        pytest.skip(f"{CARRIER} is not installed, and with it SCORM's schema")
    folder = Path(found.origin).parent / "scorm-templates"
    # Lax: the copy of xml.xsd that came with it binds a reserved prefix and cannot be read.
    return xmlschema.XMLSchema(
        str(folder / "imscp_rootv1p1p2.xsd"), validation="lax", allow="local",
        locations={exported.ADL: str(folder / "adlcp_rootv1p2.xsd")},
    )  # fmt: skip


def test_every_manifest_holds_to_the_schema(schema: xmlschema.XMLSchema) -> None:
    for lesson in LESSONS.values():
        root = ET.fromstring(exported.manifest(lesson).encode())
        assert [error.reason for error in schema.iter_errors(root)] == []


def test_the_schema_notices(schema: xmlschema.XMLSchema) -> None:
    def wrong(change: str) -> list[str | None]:
        root = ET.fromstring(exported.manifest(LESSONS["zig-zag-and-momentum"]).encode())
        resource = next(root.iter(f"{CP}resource"))
        if change == "type":
            del resource.attrib["type"]
        elif change == "kind":
            resource.set(f"{ADL}scormtype", "lesson")
        else:
            ET.SubElement(next(root.iter(f"{CP}item")), f"{CP}file")
        return [error.reason for error in schema.iter_errors(root)]

    assert all(wrong(change) for change in ("type", "kind", "file"))


IRI: dict[str, Any] = {"type": "string", "pattern": r"^[a-z][a-z0-9+.-]*:\S+$"}
LANGUAGES: dict[str, Any] = {
    "type": "object", "minProperties": 1, "additionalProperties": {"type": "string"},
    "propertyNames": {"pattern": r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$"},  # RFC 5646
}  # fmt: skip


def closed(needed: list[str], **properties: Any) -> dict[str, Any]:
    """An object of these properties and no others."""
    return {"type": "object", "properties": properties, "required": needed,
            "additionalProperties": False}  # fmt: skip


# xAPI 1.0.3, part two: 2.4.1 statement, 2.4.2 actor, 2.4.3 verb, 2.4.4 object, 2.4.5 result; nulls
# and empty objects are refused everywhere, an agent has one identifier.
STATEMENT = closed(
    ["actor", "verb", "object"],
    actor=closed(
        ["account"],
        objectType={"const": "Agent"},
        name={"type": "string"},
        account=closed(["homePage", "name"], homePage=IRI, name={"type": "string"}),
    ),
    verb=closed(["id"], id=IRI, display=LANGUAGES),
    object=closed(
        ["id"],
        objectType={"const": "Activity"},
        id=IRI,
        definition=closed([], name=LANGUAGES, description=LANGUAGES, type=IRI, moreInfo=IRI),
    ),
    result=closed(
        [],
        completion={"type": "boolean"},
        success={"type": "boolean"},
        score=closed(
            [],
            scaled={"type": "number", "minimum": -1, "maximum": 1},
            raw={"type": "number"},
            min={"type": "number"},
            max={"type": "number"},
        ),
    ),
)


@pytest.mark.parametrize("home", ["", "https://lab.example.org/"])
def test_every_statement_holds_to_the_specification(home: str) -> None:
    jsonschema.Draft202012Validator.check_schema(STATEMENT)
    valid = jsonschema.Draft202012Validator(STATEMENT)
    for lesson in LESSONS.values():
        said = exported.statement(lesson, home=home)
        assert [error.message for error in valid.iter_errors(said)] == []
        score = said["result"]["score"]
        assert score["min"] <= score["raw"] <= score["max"]
    said["verb"] = {"id": "completed"}
    assert not valid.is_valid(said)
