"""What charts compute before they draw: marks of axes, written numbers, room for labels, contours.

The modules run under Node, as they run in the browser; beyond themselves they import words.js.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

STAGE = Path(__file__).resolve().parents[2] / "components" / "web" / "stage"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="Node.js is not installed")


def run(module: str, body: str) -> Any:
    """What BODY returns, a function's body that has the module's exports as `m`."""
    script = (
        'import { readFileSync } from "node:fs"\n'
        "const as = (text) => 'data:text/javascript,' + encodeURIComponent(text)\n"
        f"const words = as(readFileSync({json.dumps(str(STAGE.parent / 'words.js'))}, 'utf8'))\n"
        f"const text = readFileSync({json.dumps(str(STAGE / module))}, 'utf8')\n"
        "const m = await import(as(text.replace('../words.js', words)))\n"
        f"console.log(JSON.stringify((() => {{ {body} }})()))"
    )
    done = subprocess.run(
        [str(NODE), "--input-type=module", "-"],
        input=script, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("low", "high", "room", "labels"),
    [
        (0, 1, 5, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-1, 1, 4, ["−1", "−0.5", "0", "0.5", "1"]),
        (0.13, 0.87, 4, ["0.2", "0.4", "0.6", "0.8"]),
        (0, 60, 5, ["0", "20", "40", "60"]),
        (0, 40_000, 4, ["0", "10\u202f000", "20\u202f000", "30\u202f000", "40\u202f000"]),
        # One power for the whole axis.
        (0, 2e7, 4, ["0", "0.5 × 10<sup>7</sup>", "10<sup>7</sup>", "1.5 × 10<sup>7</sup>",
                     "2 × 10<sup>7</sup>"]),
        (-2e-7, 0, 2, ["−2 × 10<sup>−7</sup>", "−10<sup>−7</sup>", "0"]),
    ],
)  # fmt: skip
def test_linear_marks_are_round(low: float, high: float, room: int, labels: list[str]) -> None:
    marks = run("ticks.js", f"return m.linearTicks({low}, {high}, {room})")
    assert [mark["label"] for mark in marks] == labels


def test_a_given_step_is_doubled_where_it_has_no_room() -> None:
    marks = run("ticks.js", "return m.linearTicks(0, 20, 5, { step: 1 })")
    assert [mark["value"] for mark in marks] == [0, 5, 10, 15, 20]


def test_decades_are_labelled_and_what_lies_between_is_marked() -> None:
    marks = run("ticks.js", "return m.logTicks(-3, 2, 9)")
    labelled = {mark["value"]: mark["label"] for mark in marks if mark["label"]}
    assert labelled == {
        0.001: "10<sup>−3</sup>", 0.01: "10<sup>−2</sup>", 0.1: "10<sup>−1</sup>", 1: "1",
        10: "10", 100: "10<sup>2</sup>",
    }  # fmt: skip
    assert sum(mark["minor"] for mark in marks) == 5 * 8


def test_few_labels_where_many_decades_share_little_room() -> None:
    marks = run("ticks.js", "return m.logTicks(-16, 0, 4)")
    labelled = [mark["value"] for mark in marks if mark["label"]]
    assert labelled == pytest.approx([1e-16, 1e-12, 1e-8, 1e-4, 1])


def test_a_short_logarithmic_axis_is_labelled_within_its_decade() -> None:
    marks = run("ticks.js", 'return m.logTicks(0, 1, 6, { format: "~g" })')
    assert [mark["label"] for mark in marks if mark["label"]] == ["1", "2", "5", "10"]


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (0.123456, ".3g", "0.123"), (-2.5, ".4g", "−2.5"),
        (6.61e-10, ".2g", "6.6\u00a0×\u00a010⁻¹⁰"),
        (1e-7, ".1e", "1.0\u00a0×\u00a010⁻⁷"), (1e-8, "~g", "10⁻⁸"), (0.293, ".0%", "29\u202f%"),
        (19730, ",.0f", "19\u202f730"), (-0.001, ".2f", "0.00"), (0, ".3g", "0"),
        (2.0, ".4f", "2.0000"), (1234567, ".3g", "1.23\u00a0×\u00a010⁶"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_in_print(value: float, spec: str, text: str) -> None:
    assert run("ticks.js", f"return m.format({value}, {json.dumps(spec)})") == text


def test_what_is_no_number_has_a_sign_of_its_own() -> None:
    said = run("ticks.js", "return [NaN, Infinity, -Infinity, null].map((v) => m.format(v))")
    assert said == ["—", "∞", "−∞", "—"]


BOUNDS = "{ left: 0, right: 100, top: 0, bottom: 60 }"


def test_labels_on_each_other_part_and_keep_their_order() -> None:
    upper, lower = run(
        "labels.js",
        "const boxes = [{ x: 10, y: 20, width: 30, height: 12 },"
        f" {{ x: 20, y: 24, width: 30, height: 12 }}]; m.place(boxes, {BOUNDS}); return boxes",
    )
    assert (upper["x"], upper["y"]) == (10, 20)
    assert lower["x"] == 20
    assert lower["y"] >= 32


def test_labels_stay_within_the_picture_and_clear_of_fixed_ones() -> None:
    fixed, cut, near = run(
        "labels.js",
        "const boxes = [{ x: 70, y: 0, width: 30, height: 12, fixed: true },"
        " { x: 90, y: 55, width: 30, height: 12 }, { x: 65, y: 2, width: 20, height: 12 }];"
        f" m.place(boxes, {BOUNDS}); return boxes",
    )
    assert (fixed["x"], fixed["y"]) == (70, 0)
    assert (cut["x"], cut["y"]) == (70, 48)
    assert near["y"] >= 12 or near["x"] + 20 <= 70


def test_contours_lie_on_their_level() -> None:
    ends = run(
        "contours.js",
        """const n = 61, at = Float64Array.from({ length: n }, (_, i) => i)
        const z = new Float64Array(n * n)
        for (let r = 0; r < n; r++) for (let c = 0; c < n; c++) {
          z[r * n + c] = Math.hypot(c - 30, r - 30)
        }
        const out = []
        m.lines(z, n, n, at, at, Float64Array.of(10, 20), (...ends) => out.push(ends))
        return out""",
    )
    found = np.array(ends)
    for k, radius in enumerate((10.0, 20.0)):
        own = found[found[:, 0] == k]
        assert np.hypot(own[:, 1] - 30, own[:, 2] - 30) == pytest.approx(radius, abs=0.02)
        # All of the circle is there: the segments add up to its length.
        length = np.hypot(own[:, 3] - own[:, 1], own[:, 4] - own[:, 2]).sum()
        assert length == pytest.approx(2 * np.pi * radius, rel=2e-3)


def test_a_saddle_is_split_by_its_middle() -> None:
    body = """const out = []
        m.lines(Float64Array.of(%s), 2, 2, [0, 10], [0, 10], Float64Array.of(0.5),
          (_, ...ends) => out.push(ends))
        return out"""
    high = run("contours.js", body % "1, 0, 0.2, 1")  # the middle is 0.55: the ones are joined
    low = run("contours.js", body % "1, 0, 0, 0.9")  # the middle is 0.475: they are apart
    assert high == [pytest.approx([0, 6.25, 3.75, 10]), [10, 5, 5, 0]]  # around the two zeros
    assert low == [[0, 5, 5, 0], pytest.approx([10, 5.5556, 5.5556, 10], abs=1e-3)]


def test_bands_are_those_of_the_interpolated_values_and_blank_where_there_are_none() -> None:
    words = run(
        "contours.js",
        """const rows = 4, columns = 5, width = 40, height = 30
        const xs = Float64Array.from({ length: columns }, (_, i) => 10 * i)
        const ys = Float64Array.from({ length: rows }, (_, i) => 30 - 10 * i)
        const z = Float64Array.from({ length: 20 }, (_, i) => (i % 5) + 3 * Math.floor(i / 5))
        z[19] = NaN
        const cell = new Int32Array(width), part = new Float64Array(width)
        const row = new Int32Array(height), down = new Float64Array(height)
        m.across(xs, 0, width, cell, part); m.across(ys, 0, height, row, down)
        const out = new Uint32Array(width * height)
        m.fill(out, width, height, z, columns, cell, part, row, down, 2.02, 1.5,
          Uint32Array.of(10, 11, 12, 13, 14, 15, 16))
        return Array.from(out)""",
    )
    picture = np.array(words).reshape(30, 40)
    x, y = np.meshgrid(np.arange(40) + 0.5, np.arange(30) + 0.5)
    values = x / 10 + 3 * (30 - y) / 10
    bands = 10 + np.clip(np.floor((values - 2.02) / 1.5) + 1, 0, 6)
    blank = (x > 30) & (y < 10)
    np.testing.assert_array_equal(picture, np.where(blank, 0, bands))
