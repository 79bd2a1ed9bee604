"""The modules joined into one text, and the arrays of a page in few bytes, read back under Node."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components import assets
from export.bundle import bundle
from export.document import FACES
from export.packing import Blobs, shared
from tests.engine.emit.node import node

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, driver: str) -> Any:
    (folder / "driver.mjs").write_text(driver, encoding="utf-8")
    done = subprocess.run(
        [node(), "driver.mjs"], cwd=folder, timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_joined_modules_do_what_they_did(tmp_path: Path) -> None:
    entry = (
        'import { written } from "./words.js"\n'
        'import { Clock } from "./stage/playback.js"\n'
        "export function say(x) {\n  return written(x) + new Clock().frame\n}\n"
    )
    (tmp_path / "joined.mjs").write_text(bundle(entry, []), encoding="utf-8")
    said = run(
        tmp_path,
        'import { say } from "./joined.mjs"\nconsole.log(JSON.stringify([say(0.25), say(-1e-9)]))',
    )
    assert said == ["0.250", "−10⁻⁹0"]


def test_every_face_that_is_taken_along_can_be_joined() -> None:
    entry = "".join(f'import {kind} from "./{path}"\n' for kind, path in FACES.items())
    text = bundle(entry + 'import { Figure } from "./host/host.js"\n', [*FACES, "host"])
    assert "import.meta" not in text
    assert "fetch(" not in text


def test_a_module_written_otherwise_is_refused() -> None:
    with pytest.raises(ValueError, match="not known here"):
        bundle('import * as all from "./words.js"\n', [])


def test_arrays_come_back(tmp_path: Path) -> None:
    x, y = np.meshgrid(np.linspace(-2, 2, 80), np.linspace(-2, 2, 60))
    surface = (1 - x) ** 2 + 100 * (y - x**2) ** 2 - 30
    arrays = {
        "f8": np.array([1.0, -0.0, np.inf, np.nan, 1e-300]),
        "f4": np.array([[1.5, -2.25]], dtype="f4"),
        "u1": np.arange(7, dtype="u1"),
    }
    program = [f"  const t{k} = a[{k}] * 0.5 // ∂" for k in range(200)]
    other = [*program[:90], "", "const b = 1", *program[80:], ""]
    arrays |= {
        f"u1 {k}": np.frombuffer("\n".join(lines).encode(), "u1")
        for k, lines in enumerate((program, other, program[3:]))
    }
    blobs = Blobs()
    parts = [
        {"dtype": kind[:2], "shape": list(a.shape), "b64": base64.b64encode(a.tobytes()).decode()}
        for kind, a in (*arrays.items(), ("f8", surface))
    ]
    blobs.take(parts)
    (tmp_path / "packed.mjs").write_bytes(assets.modules().files["host/packed.js"])
    page = json.dumps({"states": [{"$blob": k} for k in range(7)], "blobs": blobs.heads}).encode()
    body = len(page).to_bytes(4, "little") + page + b"".join(blobs.bodies)
    (tmp_path / "page.bin").write_bytes(body)
    found = run(
        tmp_path,
        'import { readFileSync } from "node:fs"\nimport { read } from "./packed.mjs"\n'
        'const raw = readFileSync("page.bin")\n'
        "const { states } = read(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length))\n"
        "console.log(JSON.stringify(states.map((s) => [s.dtype, s.shape,"
        ' Buffer.from(s.bytes).toString("base64")])))',
    )
    for (kind, a), (dtype, shape, text) in zip(arrays.items(), found, strict=False):
        assert (dtype, shape) == (kind[:2], list(a.shape))
        assert base64.b64decode(text) == a.tobytes()
    assert len(blobs.bodies[4]) < 60  # what was known
    dtype, shape, text = found[-1]
    assert dtype == "f4"
    drawn = np.frombuffer(base64.b64decode(text), "<f4").reshape(shape)
    assert np.allclose(drawn, surface, rtol=2**-14, atol=1e-30)
    assert len(blobs.bodies[-1]) == 4 * surface.size


def test_what_occurs_again_stands_once_and_comes_back(tmp_path: Path) -> None:
    line = [["add", [k, k + 1], {"axis": k}] for k in range(9)]
    states = [{"lines": line, "at": k, "more": [{"lines": line[:4]}, line[2:]]} for k in range(3)]
    found, same = shared(states)
    assert len(json.dumps([found, same])) < len(json.dumps(states)) / 2
    (tmp_path / "packed.mjs").write_bytes(assets.modules().files["host/packed.js"])
    page = json.dumps({"states": found, "same": same, "blobs": []}).encode()
    (tmp_path / "page.bin").write_bytes(len(page).to_bytes(4, "little") + page)
    read = run(
        tmp_path,
        'import { readFileSync } from "node:fs"\nimport { read } from "./packed.mjs"\n'
        'const raw = readFileSync("page.bin")\n'
        "const { states } = read(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length))\n"
        "console.log(JSON.stringify(states))",
    )
    assert read == states


def test_an_array_that_was_sent_before_is_the_same_one() -> None:
    blobs = Blobs()
    whole = {"dtype": "u1", "shape": [1], "ref": "a", "b64": base64.b64encode(b"x").decode()}
    named = {"dtype": "u1", "shape": [1], "ref": "a"}
    assert blobs.take([whole, named]) == [{"$blob": 0}, {"$blob": 0}]
