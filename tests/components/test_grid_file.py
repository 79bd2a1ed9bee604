"""A reader's grid on its way from a file to Python: made small there, checked here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components import assets
from components.files import GRID_SIDE
from components.grid_file import _grid
from tests.engine.emit.node import node


def averaged(folder: Path, rows: Any) -> Any:
    for name in ("grid_file/grid_file.js", "reading.js"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(assets.modules().files[name])
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "driver.mjs").write_text(
        'import { averaged } from "./grid_file/grid_file.js"\n'
        "let out\n"
        f"try {{ out = averaged({json.dumps(rows)}, {GRID_SIDE}) }}\n"
        "catch (problem) { out = problem.message }\n"
        "console.log(JSON.stringify(out))\n",
        encoding="utf-8",
    )
    done = subprocess.run([node(), "driver.mjs"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_large_grid_becomes_the_means_of_its_parts(tmp_path: Path) -> None:
    rows = [[i + 1000 * j for j in range(96)] for i in range(144)]
    small = averaged(tmp_path, rows)
    assert (len(small), len(small[0])) == (48, 48)
    assert small[0][0] == 501  # means of 0, 1, 2 and of 0, 1000
    assert averaged(tmp_path, [[1, 2], [3, 4]]) == [[1, 2], [3, 4]]


@pytest.mark.parametrize("rows", [[[1, 2], [3]], [[1, 2]], [], [[1, None], [2, 3]], [1, 2]])
def test_what_is_no_grid_is_said(rows: Any, tmp_path: Path) -> None:
    assert "rows of as many numbers" in averaged(tmp_path, rows)


@pytest.mark.parametrize(
    "rows",
    [None, [], [[1, 2]], [[1], [2]], [[1, 2], [3]], [[1, "2"], [3, 4]], [[1, float("inf")], [1, 2]],
     [[0.0] * 65] * 2, [[0.0, 1.0]] * 65, "[[1, 2], [3, 4]]", [[True, 2], [3, 4]]],
)  # fmt: skip
def test_a_browser_is_not_believed(rows: Any) -> None:
    assert _grid(rows) is None


def test_a_grid_comes_through() -> None:
    grid = _grid([[1, 2], [3, 4.5]])
    assert grid is not None
    assert grid.tolist() == [[1, 2], [3, 4.5]]
