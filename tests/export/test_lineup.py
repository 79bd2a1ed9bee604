"""A form filled in by the browser is the very state that Python would have made: the same picture,
controls and program, for runners that no captured state has."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components import assets
from export.capture import Capture, Page
from export.document import pack
from export.lineup import MARKS, Lines, NoForm, _common, whole
from tests.engine.emit.node import node

_DRIVER = """
import { readFileSync } from "node:fs"
import { read } from "./packed.mjs"
import { filled, waysOf, wayOf } from "./lineup.mjs"
const raw = readFileSync("page.bin")
const page = read(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length))
const moved = { "1/beta": 0.7 }
const store = { get: (name) => moved[name] ?? state.store.values[name] }
let state = page.states[0]
for (const [name, option] of ASKED) {
  const way = name === "copy" || name === "remove" ? wayOf(state, page.lineUps, option, name)
    : waysOf(state, page.lineUps)[name][option]
  state = filled(way, state, page.lineUps, store)
  for (const name of Object.keys(moved)) delete moved[name]
}
const b64 = (bytes) => Buffer.from(bytes).toString("base64")
const plain = (value) => value === null || typeof value !== "object" ? value
  : value.bytes ? { dtype: value.dtype, shape: value.shape, b64: b64(value.bytes) }
  : Array.isArray(value) ? value.map(plain)
  : Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, plain(entry)]))
console.log(JSON.stringify(plain({ parts: state.parts, values: state.store.values })))
"""


def state_of(race: Capture, folder: Path, asked: list[tuple[str, str]]) -> Any:
    """What the browser makes of the state asked for by some choices, one after the other."""
    for name in ("packed", "lineup"):
        (folder / f"{name}.mjs").write_bytes(assets.modules().files[f"host/{name}.js"])
    (folder / "page.bin").write_bytes(pack(race))
    (folder / "driver.mjs").write_text(_DRIVER.replace("ASKED", json.dumps(asked)), "utf-8")
    done = subprocess.run(
        [node(), "driver.mjs"], cwd=folder, timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def bare(parts: list[Any]) -> list[Any]:
    """Parts without what is of one run of Python alone, their programs in the order of need."""
    found = whole(parts)
    for part in found:
        data = part["data"]
        program = data.pop("program", None) or {"lines": [], "outputs": []}
        lines = Lines(program)
        data["outputs"] = [lines.take(line) for line in program["outputs"]]
        data["program"] = [lines.lines, lines.constants]
        for name in ("restart", "seq", "need"):
            data.pop(name, None)
        for panel in data.get("panels", ()):
            del panel["hash"]
    return [json.loads(json.dumps(part), object_hook=_unnamed) for part in found]


def _unnamed(entry: dict[str, Any]) -> dict[str, Any]:
    entry.pop("ref", None)
    return entry


@pytest.mark.parametrize(
    ("asked", "link"),
    [
        ([("copy", "1"), ("runner0", "lion")], "lion;momentum:beta=0.7;momentum:beta=0.7"),
        ([("remove", "1"), ("add", "newton")], "sgd;newton"),
    ],
)
def test_a_form_filled_in_is_the_state_that_python_makes(
    asked: list[tuple[str, str]], link: str, race: Capture, tmp_path: Path
) -> None:
    found = state_of(race, tmp_path, asked)
    wanted = Page("race", {"steps": "40", "runs": link}).state()
    assert bare(found["parts"]) == bare(wanted.parts)
    assert found["values"] == wanted.store["values"]


def test_states_that_differ_by_more_than_their_runners_words_have_no_form() -> None:
    own = [({w: f"{w} a" for w in MARKS}, {w: f"{w} b" for w in MARKS})]
    assert _common({"x": ["color a", 3]}, {"x": ["color b", 3]}, own) == {"x": ["\ue0010", 3]}
    assert _common("The name a.", "The name b.", own) == "The \ue0000."
    for one, two in ((3, 4), (["name a"], ["name b", 1]), ("name a", "color b")):
        with pytest.raises(NoForm):
            _common(one, two, own)
