"""Runs that a reader brings, read under Node: what is taken for a path, what for a loss."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components import assets
from tests.engine.emit.node import node

FILES = {
    "x,y,loss\n1,2,3\n4,5,6\n": [[[1, 4], [2, 5], [3, 6]]],
    "# a comment\nstep;w1;w2\n0;1;2\n1;3;4\n": [[[1, 3], [2, 4], None]],
    "1\t2\n3\t4\n": [[[1, 3], [2, 4], None]],
    "0.5\n0.25\n": [[None, None, [0.5, 0.25]]],
    "Wall time,Step,Value\n1700000000.5,0,2.5\n1700000001.5,10,1.5\n": [[None, None, [2.5, 1.5]]],
    "[[1700000000.5, 0, 2.5], [1700000001.5, 10, 1.5]]": [[None, None, [2.5, 1.5]]],
    "[[1, 2], [3, 4]]": [[[1, 3], [2, 4], None]],
    '[{"step": 0, "train_loss": 9}, {"step": 1, "train_loss": 4}]': [[None, None, [9, 4]]],
    '{"x": [1, 2], "y": [3, 4], "loss": [5, null]}': [[[1, 2], [3, 4], [5, None]]],
    '{"descentLab": 1, "pictures": [{"panels": [{"id": "plane", "tracks": [{"label": "SGD",'
    ' "x": [1], "y": [2]}]}, {"id": "loss", "tracks": [{"label": "SGD", "y": [7]}]}]}]}': [
        [[1], [2], [7]]
    ],
}
_DRIVER = """
import { readFileSync } from "node:fs"
import { laid, runsOf } from "./own.mjs"
const out = JSON.parse(readFileSync("files.json", "utf8")).map((text) => {
  try {
    const runs = runsOf("mine.csv", text)
    const drawn = [{ kind: "plane", id: "plane" }, { kind: "chart", id: "loss" }]
      .map((panel) => laid(runs, panel).length)
    return [runs.map((run) => [run.x, run.y, run.loss]), drawn]
  } catch (problem) {
    return problem.message
  }
})
console.log(JSON.stringify(out))
"""


def read(folder: Path, texts: list[str]) -> list[Any]:
    (folder / "own.mjs").write_bytes(assets.modules().files["take/own.js"])
    (folder / "driver.mjs").write_text(_DRIVER, encoding="utf-8")
    (folder / "files.json").write_text(json.dumps(texts), encoding="utf-8")
    done = subprocess.run(
        [node(), "driver.mjs"], cwd=folder, timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def test_what_a_file_holds(tmp_path: Path) -> None:
    for (runs, drawn), wanted in zip(read(tmp_path, list(FILES)), FILES.values(), strict=True):
        assert runs == wanted
        assert drawn == [
            sum(r[0] is not None for r in wanted),
            sum(r[2] is not None for r in wanted),
        ]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "[]", "{}", '{"x": 3}', "[null]"])
def test_what_holds_no_run_is_said(text: str, tmp_path: Path) -> None:
    (said,) = read(tmp_path, [text])
    assert "neither columns x and y nor a column loss" in said
