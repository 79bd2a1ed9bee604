"""Studies beside the page: the newest request is answered, what it overtook is not; under Node,
with a worker that runs in turn."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.browser import ROOT
from tests.engine.emit.node import node

_DRIVER = """
globalThis.Blob = class { constructor(parts) { this.text = parts.join("") } }
URL.createObjectURL = ({ text }) => `data:text/javascript;base64,${Buffer.from(text).toString("base64")}`
URL.revokeObjectURL = () => {}
let ended = 0
// A message has no shapes.
const bare = ({ found, ...rest }) => ({
  ...rest, found: found && Object.fromEntries(Object.entries(found).map(([k, v]) => [k, v.slice?.() ?? v])),
})
const WORKER = class {
  constructor(source) {
    const self = { postMessage: (data) => setTimeout(() => this.onmessage({ data: bare(data) }), 2) }
    new Function("self", Buffer.from(source.split(",")[1], "base64").toString())(self)
    this.postMessage = (data) => self.onmessage({ data })
  }
  terminate() { ended++ }
}
const { Program } = await import("./program.js")
const { Student } = await import("./study.js")
const MODULE = `export const study = ({ runs, steps }) => ({
  x: Object.assign(Float64Array.of(runs[0].lr, steps), { shape: [2] }), total: runs[0].lr + steps,
})`
const spec = (lr) => ({
  lines: [
    ["input", "0/lr"],
    ["study", [0, [0], [1], [2]], {
      names: [["runs", "0", "lr"], ["steps"], ["known", "x"], ["known", "total"]],
      at: [lr, 30], module: "m",
    }],
    ["part", [1], { name: "x" }],
    ["part", [1], { name: "total" }],
  ],
  constants: [30, Object.assign(Float64Array.of(-1, lr), { shape: [2] }), -lr],
  modules: { m: MODULE },
})
const pause = (ms) => new Promise((done) => setTimeout(done, ms))
const heard = []
function opened(lr, worker) {
  if (worker) globalThis.Worker = worker
  else delete globalThis.Worker
  const student = new Student((line, parts) => {
    heard.push(parts.total)
    program.answer(line, parts)
    program.run(() => now)
  })
  let now = lr
  const program = new Program(spec(lr), null, student)
  program.modules.m = { study: () => { throw new Error("beside the page, not in it") } }
  return { program, at: (value) => { now = value; program.run(() => now); return program.value(3) } }
}
const told = {}
for (const [name, worker] of [["worker", WORKER], ["here", null]]) {
  heard.length = 0
  const page = opened(1, worker)
  const rest = page.at(1)
  const moving = [page.at(2), page.at(3), page.at(4)]
  await pause(80)
  const answered = page.program.value(3)
  const shape = page.program.value(2).shape
  const answers = [...heard]
  page.at(5)
  const back = page.at(1)
  await pause(80)
  const stands = page.program.value(3)
  page.at(6)
  await pause(80)
  // Another program of the same module comes while the hand is elsewhere.
  const other = opened(9, worker)
  const before = other.at(7)
  other.program.dispose()
  page.program.dispose()
  await pause(40)
  told[name] = { rest, moving, answered, shape, answers, back, stands, before, after: other.program.value(3) }
}
// A module that goes on: one more at each call, the same object where that changes nothing.
const LONG = `let n = 0
let found
export const study = () => (++n % 2 ? found = { total: n } : found)
export const more = () => n < 5`
for (const [name, worker] of [["worker", WORKER], ["here", null]]) {
  if (worker) globalThis.Worker = worker
  else delete globalThis.Worker
  const said = []
  const student = new Student((line, parts) => said.push([line, parts.total]))
  student.ask(0, LONG + `// ${name}`, {})
  student.ask(1, MODULE, { runs: [{ lr: 1 }], steps: 1 })
  await pause(120)
  student.dispose()
  told[name].long = said
}
console.log(JSON.stringify({ ...told, ended }))
"""  # noqa: E501


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("study")
    for name in ("study.js", "operations.js", "program.js"):
        text = (ROOT / "components" / "web" / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (folder / "driver.js").write_text(_DRIVER, encoding="utf-8")
    done = subprocess.run(
        [node(), "driver.js"], cwd=folder, timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("desk", ["worker", "here"])
def test_the_newest_is_answered_and_what_it_overtook_is_not(
    told: dict[str, Any], desk: str
) -> None:
    page = told[desk]
    assert page["rest"] == -1  # Python's own, of which nothing was asked
    assert page["moving"] == [-1, -1, -1]  # it stands while the hand moves
    assert page["answers"] == [32, 34]  # 2 + 30 was under way, 3 + 30 overtaken by 4 + 30
    assert page["answered"] == 34
    assert page["shape"] == [2]


@pytest.mark.parametrize("desk", ["worker", "here"])
def test_back_at_pythons_values_its_own_stand_and_no_late_answer_comes(
    told: dict[str, Any], desk: str
) -> None:
    assert told[desk]["back"] == -1
    assert told[desk]["stands"] == -1


@pytest.mark.parametrize("desk", ["worker", "here"])
def test_another_program_goes_on_from_the_last_answer(told: dict[str, Any], desk: str) -> None:
    assert told[desk]["before"] == 36  # of 6 + 30, not Python's −9
    assert told[desk]["after"] == 36  # and what has ended answers no more
    assert told["ended"] == 2  # each time the last to go ended the worker that all had


@pytest.mark.parametrize("desk", ["worker", "here"])
def test_what_can_go_on_is_asked_again_behind_the_others(told: dict[str, Any], desk: str) -> None:
    said = told[desk]["long"]
    assert said[:2] == [[0, 1], [1, 2]]
    assert [total for line, total in said if line == 0][-1] == 5
    if desk == "worker":  # what is the same is not sent
        assert said[2:] == [[0, 3], [0, 5]]
