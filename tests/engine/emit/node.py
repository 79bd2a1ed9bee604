"""Printed JavaScript run under Node: many calls of many modules in one process."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_KINDS = {"Float64Array": np.float64, "Int32Array": np.int32}

# Numbers travel as the bytes they are: JSON knows neither NaN nor Infinity nor -0.
_DRIVER = """
import { readFileSync, writeFileSync } from "node:fs";
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64")).buffer;
const revive = (_, x) =>
  x && typeof x.f8 === "string" ? new Float64Array(bytes(x.f8)) :
  x && typeof x.n === "string" ? new Float64Array(bytes(x.n))[0] :
  x && Array.isArray(x.pairs) ? Object.fromEntries(x.pairs) : x;
const send = (x) => {
  if (typeof x === "number") return { n: Buffer.from(new Float64Array([x]).buffer).toString("base64") };
  if (ArrayBuffer.isView(x)) return { kind: x.constructor.name, bytes: Buffer.from(x.buffer).toString("base64") };
  if (x && typeof x === "object") return { pairs: Object.entries(x).map(([k, v]) => [k, send(v)]) };
  return x;
};
const calls = JSON.parse(readFileSync("calls.json", "utf8"), revive);
const results = [];
for (const { module, name, argument } of calls) {
  try {
    results.push(send((await import(`./${module}.mjs`))[name](argument)));
  } catch (error) {
    results.push({ error: String(error) });
  }
}
writeFileSync("results.json", JSON.stringify(results));
"""  # noqa: E501


def node() -> str:
    """Where Node is; skips without it, fails without it where CI promises it."""
    found = shutil.which("node") or shutil.which("nodejs")
    if found is None:
        reason = "no node on the PATH: printed JavaScript cannot be run"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}, and CI requires it")
        pytest.skip(reason)
    return found


class JavaScriptError(Exception):
    """What a module threw."""


@dataclass
class Batch:
    """Calls gathered first and run together; `run` gives back a result for each."""

    modules: dict[str, int] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def add(self, module: str, name: str, argument: Any) -> int:
        """Call the export of that name with one argument; returns the number of its result."""
        number = self.modules.setdefault(module, len(self.modules))
        self.calls.append({"module": f"m{number}", "name": name, "argument": _send(argument)})
        return len(self.calls) - 1

    def run(self, folder: Path) -> list[Any]:
        """All results, in the order of the calls; a JavaScriptError where one was thrown."""
        for text, number in self.modules.items():
            (folder / f"m{number}.mjs").write_text(text, encoding="utf-8")
        (folder / "driver.mjs").write_text(_DRIVER, encoding="utf-8")
        (folder / "calls.json").write_text(json.dumps(self.calls), encoding="utf-8")
        subprocess.run([node(), "driver.mjs"], cwd=folder, check=True, timeout=120)
        return [_receive(x) for x in json.loads((folder / "results.json").read_text())]


def _send(x: Any) -> Any:
    if isinstance(x, bool) or x is None or isinstance(x, (str, int)):
        return x
    if isinstance(x, (float, np.floating)):
        return {"n": base64.b64encode(np.float64(x).tobytes()).decode()}
    if isinstance(x, np.ndarray):
        return {"f8": base64.b64encode(np.ascontiguousarray(x, np.float64).tobytes()).decode()}
    if isinstance(x, Mapping):
        return {"pairs": [[name, _send(value)] for name, value in x.items()]}
    assert isinstance(x, Sequence)
    return [_send(value) for value in x]


def _receive(x: Any) -> Any:
    if not isinstance(x, dict):
        return x
    if "n" in x:
        return float(np.frombuffer(base64.b64decode(x["n"]), np.float64)[0])
    if "bytes" in x:
        return np.frombuffer(base64.b64decode(x["bytes"]), _KINDS[x["kind"]])
    if "error" in x:
        return JavaScriptError(x["error"])
    return {name: _receive(value) for name, value in x["pairs"]}
