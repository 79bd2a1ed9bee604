"""The programs that pages send to the browser, run under Node and held to Python's own numbers."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from components import wire
from tests.browser import ROOT
from tests.engine.emit.node import node

_DRIVER = """
import { readFileSync } from "node:fs"
import { shaped } from "./operations.js"
import { Program } from "./program.js"
const KINDS = { f4: Float32Array, f8: Float64Array, u1: Uint8Array, i4: Int32Array }
const array = (blob) => {
  const raw = new Uint8Array(Buffer.from(blob.b64, "base64"))
  return shaped(new KINDS[blob.dtype](raw.buffer), blob.shape)
}
const number = (name) => ({ inf: Infinity, "-inf": -Infinity }[name] ?? NaN)
const results = []
for (const [k, spec] of JSON.parse(readFileSync("specs.json", "utf8")).entries()) {
  const program = new Program({
    lines: spec.lines,
    constants: spec.constants.map(
      (c) => (c?.dtype ? array(c) : c?.$number ? number(c.$number) : c)),
  })
  for (const name of Object.keys(spec.modules)) {
    program.modules[name] = await import(`./module_${name}.mjs`)
  }
  const result = { doubts: [], moved: [], error: "" }
  try {
    const values = { ...spec.values, "hand.x": 0.5, "hand.y": 0.5 }
    program.run((name) => values[name])
    result.doubts = program.doubts(spec.outputs, spec.samples).map((k) => ({
      line: spec.lines[spec.outputs[k]], wanted: spec.samples[k],
      found: Array.from([program.value(spec.outputs[k])].flat().slice(0, 4)),
    }))
    for (const name of Object.keys(spec.values)) {
      const before = spec.outputs.map((line) => program.value(line))
      const value = values[name]
      values[name] = Array.isArray(value) ? value.map((v) => v * 1.01 + 1e-3) : value * 1.01 + 1e-3
      program.run((n) => values[n])
      if (spec.outputs.some((line, i) => program.value(line) !== before[i])) result.moved.push(name)
      values[name] = value
    }
  } catch (error) {
    result.error = String(error.stack)
  }
  results.push(result)
}
console.log(JSON.stringify(results))
"""


def component_data(page: AppTest) -> list[dict[str, Any]]:
    """What each of our components was given in this run, in order."""
    found = []
    for element in page.main:
        proto = getattr(element, "proto", None)
        if getattr(proto, "component_name", "").startswith("descent_lab."):
            found.append(wire.given(proto))
    return found


def specs_of(page: AppTest) -> list[dict[str, Any]]:
    """The programs among them."""
    return [data["program"] for data in component_data(page) if data.get("program")]


def run_programs(specs: list[Mapping[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """For each program: `doubts`, the outputs that disagree with Python's samples at Python's own
    values; `moved`, the names of the values that something follows; `error`."""
    for name in ("operations.js", "program.js"):
        source = (ROOT / "components" / "web" / name).read_text(encoding="utf-8")
        (folder / name).write_text(source, encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (folder / "driver.mjs").write_text(_DRIVER, encoding="utf-8")
    for spec in specs:
        for name, blob in spec["modules"].items():
            text = base64.b64decode(blob["b64"]).decode()
            (folder / f"module_{name}.mjs").write_text(text, encoding="utf-8")
    (folder / "specs.json").write_text(json.dumps(specs), encoding="utf-8")
    done = subprocess.run(
        [node(), "driver.mjs"], cwd=folder, timeout=120, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results
