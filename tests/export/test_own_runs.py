"""Runs that a reader brings, read under Node: what is taken for a path, what for a loss."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import zlib
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg

from components import assets
from components.files import RUN_STEPS
from components.gate import fault
from tests.engine.emit.node import node

FILES = {
    "x,y,loss\n1,2,3\n4,5,6\n": [[[1, 4], [2, 5], [3, 6]]],
    "# a comment\nstep;w1;w2\n0;1;2\n1;3;4\n": [[[1, 3], [2, 4], None]],
    "1\t2\n3\t4\n": [[[1, 3], [2, 4], None]],
    "0.5\n0.25\n": [[None, None, [0.5, 0.25]]],
    "x;y\n1,5;-2,25\n3;4\n": [[[1.5, 3], [-2.25, 4], None]],  # as a German spreadsheet saves it
    "Wall time,Step,Value\n1700000000.5,0,2.5\n1700000001.5,10,1.5\n": [[None, None, [2.5, 1.5]]],
    "[[1700000000.5, 0, 2.5], [1700000001.5, 10, 1.5]]": [[None, None, [2.5, 1.5]]],
    "[[1, 2], [3, 4]]": [[[1, 3], [2, 4], None]],
    "[[1, 2], null, [3, 4]]": [[[1, None, 3], [2, None, 4], None]],
    '[{"x": 1, "y": 2}, {"y": 4, "x": 3}, null]': [[[1, 3, None], [2, 4, None], None]],
    '[{"step": 0, "train_loss": 9}, {"step": 1, "train_loss": 4}]': [[None, None, [9, 4]]],
    '{"x": [1, 2], "y": [3, 4], "loss": [5, null]}': [[[1, 2], [3, 4], [5, None]]],
    '{"descentLab": 1, "pictures": [{"panels": [{"id": "plane", "tracks": [{"label": "SGD",'
    ' "x": [1], "y": [2]}]}, {"id": "loss", "tracks": [{"label": "SGD", "y": [7]}]}]}]}': [
        [[1], [2], [7]]
    ],
}
# What torch.utils.tensorboard 2.13 writes of add_scalar("train/loss", 2.5 / (k + 1), 10 * k) and
# ("acc", 0.5 + 0.1 * k, 10 * k) for k = 0, 1, 2, of ("val/loss", 1.25, 5, new_style=True), and of
# a text: 490 bytes, packed by zlib and written in base64.
EVENTS = (
    "eNrzYICAf5M85nIezvIQYzh0y1GKN6koMTNPz7UsNa/EyihIj0unJDWvOL8oKT+xKEWvuDQ3N7GoUq+8KLMktUgv"
    "FaQqPi0zJzUeInJQrHm2HNTcm3eEjDiDiiDmaglzCXJxlYDM1s/JLy4WZWBQcFB1j/ETh6p+fu6HHOdWmGoeLi4u"
    "5sTkZKAyBvv0Y79nK0CVab5dGcB5DapMgAuLsQvsebaJv5OEqu/+yKHB+Q2hHm7wrJmS9jPY/0WjGCxQDFUogmFw"
    "aGio/Xv3lU9QDFZDqIcbbGxsbP/adeMbA6jCqV8vxHOWwBSyailzKXJxlCXmgI114uBg1GIBOdqLm4uTi704OTEn"
    "sahYM+dYhDVUv5TymhjOF1D9WgZcelyCefklqfolqRUl8dD4cOLnYBdiEWLiYHRizUjNycn34uBi42IBKbGPeZ4I"
    "AHDoiTs="
)
_DRIVER = """
import { readFileSync } from "node:fs"
import { laid, runsOf } from "./take/own.js"
const out = JSON.parse(readFileSync("files.json", "utf8")).map((packed) => {
  try {
    const runs = runsOf("mine.csv", new Uint8Array(Buffer.from(packed, "base64")), MOST)
    const drawn = [{ kind: "plane", id: "plane" }, { kind: "chart", id: "loss" }]
      .map((panel) => laid(runs, panel).length)
    const named = runs.map((run) => [run.label, run.step])
    return [runs.map((run) => [run.x, run.y, run.loss]), drawn, named]
  } catch (problem) {
    return problem.message
  }
})
console.log(JSON.stringify(out))
"""


def read(folder: Path, texts: list[str | bytes]) -> list[Any]:
    for name in ("reading.js", "take/own.js", "take/tensorboard.js"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(assets.modules().files[name])
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "driver.mjs").write_text(_DRIVER.replace("MOST", str(RUN_STEPS)), encoding="utf-8")
    whole = [text.encode() if isinstance(text, str) else text for text in texts]
    packed = [base64.b64encode(body).decode() for body in whole]
    (folder / "files.json").write_text(json.dumps(packed), encoding="utf-8")
    done = subprocess.run(
        [node(), "driver.mjs"], cwd=folder, timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def test_what_a_file_holds(tmp_path: Path) -> None:
    for (runs, drawn, _), wanted in zip(read(tmp_path, list(FILES)), FILES.values(), strict=True):
        assert runs == wanted
        assert drawn == [
            sum(r[0] is not None for r in wanted),
            sum(r[2] is not None for r in wanted),
        ]


NOTHING = (
    "", "a,b\n1,2\n", "[]", "{}", '{"x": 3}', "[null]", '{"descentLab": 1}', "\x89PNG\n\0\0",
    '{"descentLab": 1, "pictures": [null, {"panels": 3}, {"panels": [{"id": "loss"}]}]}',
)  # fmt: skip


def test_what_holds_no_run_is_said(tmp_path: Path) -> None:
    for said in read(tmp_path, list(NOTHING)):
        assert said == "it has neither columns x and y nor a column loss"
    cut, long = read(tmp_path, ['{"x": [1, 2', "1\n" * (RUN_STEPS + 1)])
    assert cut == "it is no JSON"
    assert long == "it is longer than 100000 steps"


def events() -> bytes:
    return zlib.decompress(base64.b64decode(EVENTS))


def test_tensorboards_events_are_read(tmp_path: Path) -> None:
    ((runs, drawn, named),) = read(tmp_path, [events()])
    assert runs == [[None, None, [2.5, 1.25, 0.8333333134651184]], [None, None, [1.25]]]
    assert named == [["train/loss (mine)", [0, 10, 20]], ["val/loss (mine)", [5]]]
    assert drawn == [0, 2]


def test_a_file_of_events_that_ends_in_a_record_or_is_damaged(tmp_path: Path) -> None:
    whole = events()
    damaged = bytes([*whole[:200], whole[200] ^ 1, *whole[201:]])
    (cut, said) = read(tmp_path, [whole[:-30], damaged])
    assert cut[0][0][2] == [2.5, 1.25, 0.8333333134651184]
    assert said == "a record of it is damaged"


def test_steps_of_a_table_are_where_its_losses_stand(tmp_path: Path) -> None:
    ((_, _, named),) = read(tmp_path, ["step,loss\n0,3\n50,2\n"])
    assert named == [["mine", [0, 50]]]


def test_no_page_asks_streamlit_for_a_file() -> None:
    """Files are read in the browser; the gate refuses Streamlit's request for a place to send
    them to, so its own uploader would lose the connection."""
    message = BackMsg()
    message.file_urls_request.request_id = "1"
    assert fault(message.SerializeToString(), message) is not None
    pages = Path(__file__).resolve().parents[2] / "pages"
    for page in pages.rglob("*.py"):
        assert not re.search(
            r"\b(file_uploader|camera_input|audio_input)\(", page.read_text("utf-8")
        )
