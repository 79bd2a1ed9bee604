"""Sweeps beside the page: coarse at once, finer at rest, the newest wins; under Node, with workers
that run in turn."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import numpy as np
import pytest

import engine
from engine.runs.live_sweep import middles
from tests.browser import ROOT
from tests.engine.emit.node import node

_DRIVER = """
import { readFileSync } from "node:fs"
const addresses = new Map()
globalThis.Blob = class { constructor(parts) { this.text = parts.join("") } }
URL.createObjectURL = (blob) => {
  const url = `blob:${addresses.size}`
  addresses.set(url, blob.text)
  return url
}
let workers = 0
let tiles = 0
globalThis.Worker = class {
  constructor() { workers++ }
  async postMessage({ id, url, given }) {
    const text = Buffer.from(addresses.get(url)).toString("base64")
    const module = await import(`data:text/javascript;base64,${text}`)
    tiles++
    const found = module.sweep(given)
    setTimeout(() => this.onmessage({ data: { id, found, ms: 0.05 } }), 2)
  }
}
const { Sweeper } = await import("./cells.js")
const text = readFileSync("sweep.mjs", "utf8")
const module = await import("./sweep.mjs")
const request = (condition) => ({
  varied: ["beta", "lr"], log: [false, true],
  low: { beta: 0, lr: 1e-3 }, high: { beta: 0.9, lr: 0.1 },
  given: { start: [5, 3], steps: 30, hypers: {}, parameters: { condition, rotation: 0 } },
})
const heard = []
const sweeper = new Sweeper((line, parts) => heard.push({
  line, side: parts.loss.shape[0], loss: Array.from(parts.loss.slice(0, 3)),
  last: parts.loss[parts.loss.length - 1], diverged: parts.diverged.reduce((a, b) => a + b, 0),
}))
const asked = { text, module, known: null, seed: 0, fresh: false }
const ask = (condition, more = {}) =>
  sweeper.ask(7, { ...asked, request: request(condition), ...more })
const pause = (ms) => new Promise((done) => setTimeout(done, ms))
const first = ask(10, { fresh: true })
ask(20)
ask(30)
const again = ask(30)
await pause(900)
const rest = [...heard]
heard.length = 0
const kept = ask(30 - 0)
const known = { loss: Float64Array.of(1) }
const fine = ask(40, { known })
await pause(300)
console.log(JSON.stringify({
  first: first.loss.shape, again, rest, kept, fine: fine === known, later: heard, workers, tiles,
}))
sweeper.dispose()
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("cells")
    for name in ("cells.js", "operations.js", "program.js"):
        text = (ROOT / "components" / "web" / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (folder / "driver.js").write_text(_DRIVER, encoding="utf-8")
    module = engine.browser_sweep("bowl", "momentum", ("beta", "lr"))
    (folder / "sweep.mjs").write_text(module, encoding="utf-8")
    done = subprocess.run(
        [node(), "driver.js"], cwd=folder, timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_something_is_there_at_once(told: dict[str, Any]) -> None:
    assert told["first"] == [12, 12]
    assert told["again"] is None  # nothing else was asked


def test_what_was_overtaken_is_never_computed(told: dict[str, Any]) -> None:
    """κ = 10 was under way and is shown, κ = 20 was overtaken, κ = 30 is what remains."""
    sides = [answer["side"] for answer in told["rest"]]
    assert sides[-3:] == [96, 192, 256] or sides[-2:] == [192, 256]
    coarse = [answer for answer in told["rest"] if answer["side"] <= 96]
    assert 2 <= len(coarse) <= 3


def test_the_finest_is_what_the_engine_finds(told: dict[str, Any]) -> None:
    bowl = engine.LANDSCAPES["bowl"](condition=30)
    axes = {"beta": middles(0, 0.9, 256, log=False), "lr": middles(1e-3, 0.1, 256, log=True)}
    found = engine.sweep(bowl, "momentum", axes, (5, 3), 30, device="cpu")
    finest = told["rest"][-1]
    # Powers differ in the last bit between the two languages, and with them the rates.
    np.testing.assert_allclose(finest["loss"], found.final_loss.ravel()[:3], rtol=1e-9)
    assert finest["diverged"] == int(found.diverged.sum())
    assert finest["line"] == 7


def test_the_servers_own_is_shown_as_it_is_and_nothing_is_made_beside_it(
    told: dict[str, Any],
) -> None:
    assert told["fine"]
    assert told["later"] == []
    assert told["kept"] is None
    assert told["workers"] <= 8
