"""An instance outlives a render that newer data overtook, and ends with its element; under Node."""

from __future__ import annotations

import json
import subprocess

from tests.browser import ROOT
from tests.engine.emit.node import node

_DRIVER = """
import { ending } from "./lifetime.js"
const instances = new Map()
const element = { isConnected: true }
let ended = 0
instances.set(element, { dispose: () => ended++ })
const seen = []
const [overtaken, last] = [ending(instances, element), ending(instances, element)]
overtaken()
seen.push([ended, instances.has(element)])
element.isConnected = false
last()
overtaken()
seen.push([ended, instances.has(element)])
console.log(JSON.stringify(seen))
"""


def test_an_instance_ends_once_and_only_with_its_element() -> None:
    done = subprocess.run(
        [node(), "--input-type=module", "--eval", _DRIVER],
        cwd=ROOT / "components" / "web", capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == [[0, True], [1, False]]
