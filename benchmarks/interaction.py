"""How long a reader waits for the picture: real Chromium, real server, real mouse.

`python -m benchmarks.interaction --json` drags the shared learning rate of eight optimizers over
600 steps, plays the race, and drags the same race made the plain way (`benchmarks.plain_race`).

A drag's latency is taken for every input event: from the event to the first paint that shows that
value or a later one, so the wait for the request before it counts. Which paint that is follows
from the numbers that the components put on their messages.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Browser, Locator, Page, sync_playwright
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser import FLAGS, find_browser, serve_app, wait_until_settled

RUNNERS = ("sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "adamw")
STEPS = 600
RACE = f"/race?runs={';'.join(RUNNERS)}&steps={STEPS}&lr=0.01"
PLAIN = f"/?runners={','.join(RUNNERS)}&steps={STEPS}"
SPAN = (0.42, 0.56)  # of the slider's way: 0.003 to 0.023, past gradient descent's limit
WARM_SECONDS = 8.0  # the compiler finishes behind the first drags
DRAG_SECONDS = 6.0
PLAIN_DRAGS = 12
HERTZ = 60.0
VALUES = re.compile(rb'"committed": ?(?:true|false), ?"seq": ?(\d+)')  # of the controls' answer

T = TypeVar("T")

# Notes when what happened, and keeps the messages for later: reading them now would cost time.
RECORDER = """
(() => {
  const log = window.descentLog = { inputs: [], sent: [], received: [], painted: [], frames: [] }
  addEventListener("input", () => log.inputs.push(performance.now()), true)
  addEventListener("descent:painted", ({ detail }) => log.painted.push([detail.seq, detail.t]))
  const send = WebSocket.prototype.send
  WebSocket.prototype.send = function (data) {
    log.sent.push([performance.now(), data.slice()])
    return send.call(this, data)
  }
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given)
      this.addEventListener("message", (event) => {
        log.received.push([performance.now(), event.data])
      })
    }
  }
  log.forget = () => {
    for (const value of Object.values(log)) if (Array.isArray(value)) value.length = 0
  }
  const base64 = (data) => {
    const bytes = new Uint8Array(data)
    let text = ""
    for (let i = 0; i < bytes.length; i += 8192) {
      text += String.fromCharCode(...bytes.subarray(i, i + 8192))
    }
    return btoa(text)
  }
  log.read = () => ({
    inputs: log.inputs,
    painted: log.painted,
    frames: log.frames,
    sent: log.sent.map(([t, data]) => [t, base64(data)]),
    received: log.received.map(([t, data]) => [t, base64(data)]),
  })
})()
"""

# Frame times while the race plays from its start to its end.
PLAY = """
(root) => new Promise((resolve) => {
  const frames = []
  const shown = new Set()
  const step = (now) => {
    frames.push(now)
    shown.add(root.dataset.frame)
    if (root.dataset.playing === "true") requestAnimationFrame(step)
    else resolve({ frames, shown: shown.size })
  }
  root.querySelector('[data-act="first"]').click()
  root.querySelector('[data-act="play"]').click()
  requestAnimationFrame(step)
})
"""

# The first paint after the plain chart shows another learning rate than it did.
PLAIN_PAINT = """
() => {
  const title = () => document.querySelector(".gtitle")?.textContent
  const before = title()
  window.plainChange = new Promise((resolve, reject) => {
    let released = null
    setTimeout(() => reject(new Error("the plain chart did not change")), 30000)
    addEventListener("pointerup", () => (released ??= performance.now()), true)
    const look = () => {
      const now = title()
      if (released === null || !now || now === before) return requestAnimationFrame(look)
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => resolve(performance.now() - released)
      port2.postMessage(null)
    }
    look()
  })
}
"""


@dataclass(frozen=True)
class Run:
    """One run of the script, as the browser heard of it: when it began to hear and when it ended,
    the number of the last values that the run had seen, and of the picture that it sent."""

    began: float
    ended: float
    seen: int
    picture: int
    size: int


@dataclass(frozen=True)
class Drag:
    """Latencies in ms: of every input event, and what those of the requests are made of."""

    latencies: list[float]
    updates_per_s: float
    parts: dict[str, float]


def _numbers(name: str, message: bytes) -> list[int]:
    return [int(n) for n in re.findall(rf'"{name}": ?(\d+)'.encode(), message)]


def runs_of(received: Sequence[tuple[float, bytes]]) -> list[Run]:
    """The runs in what the socket brought; those without a new picture are left out."""
    runs = []
    began, seen, picture, size = 0.0, 0, 0, 0
    for t, raw in received:
        kind = ForwardMsg.FromString(raw).WhichOneof("type")
        size += len(raw)
        if kind == "new_session":
            began, seen, picture, size = t, 0, 0, len(raw)
        elif kind == "delta" and b"descent_lab.controls" in raw:
            seen = max(_numbers("echo", raw), default=0)
        elif kind == "delta" and b"descent_lab.stage" in raw:
            picture = max(_numbers("seq", raw), default=0)
        elif kind == "script_finished" and picture:
            runs.append(Run(began, t, seen, picture, size))
    return runs


def measure_drag(log: dict[str, Any]) -> Drag:
    """Match each input event with the request that carried it, its run, and that run's paint."""
    requests = [
        (t, int(match[1]))
        for t, data in log["sent"]
        if (match := VALUES.search(base64.b64decode(data)))
    ]
    runs = runs_of([(t, base64.b64decode(data)) for t, data in log["received"]])
    painted: list[tuple[int, float]] = log["painted"]

    def outcome(request: int) -> tuple[Run, float] | None:
        run = next((r for r in runs if r.seen >= request), None)
        if run is None:
            return None
        return next(((run, t) for seq, t in painted if seq >= run.picture), None)

    latencies = []
    for t in log["inputs"]:
        request = next((number for at, number in requests if at >= t), None)
        found = outcome(request) if request is not None else None
        if found:
            latencies.append(found[1] - t)
    answered = [(at, *found) for at, number in requests if (found := outcome(number))]
    seconds = (log["inputs"][-1] - log["inputs"][0]) / 1000
    during = {seq for seq, t in painted if t <= log["inputs"][-1]}
    return Drag(
        latencies,
        len(during) / seconds,
        {
            "request to first message": _median(run.began - at for at, run, _ in answered),
            "first message to last": _median(run.ended - run.began for _, run, _ in answered),
            "last message to paint": _median(t - run.ended for _, run, t in answered),
            "request to paint": _median(t - at for at, _, t in answered),
            "kB a run": _median(run.size / 1000 for _, run, _ in answered),
        },
    )


def _median(values: Any) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: int) -> float:
    """The value below which `share` per cent of them lie."""
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


def drag(page: Page, slider: Locator, seconds: float) -> None:
    """Move the slider to and fro at the rate of a mouse, then let go."""
    box = slider.bounding_box()
    assert box is not None, "the slider is not on the page"
    low, high = (box["x"] + share * box["width"] for share in SPAN)
    y = box["y"] + box["height"] / 2
    page.mouse.move(low, y)
    page.mouse.down()
    begin = time.perf_counter()
    count = 0
    while (elapsed := time.perf_counter() - begin) < seconds:
        phase = elapsed % 2.0  # one way takes a second
        page.mouse.move(low + (high - low) * min(phase, 2.0 - phase), y)
        count += 1
        time.sleep(max(0.0, begin + count / HERTZ - time.perf_counter()))
    page.mouse.up()


def measure_race(page: Page, address: str) -> tuple[Drag, list[float], int]:
    """Latency of a drag on the race page, and the frame times of playing it (ms, frames shown)."""
    page.goto(address + RACE)
    wait_until_settled(page)
    stage = page.locator("[data-seq]")
    stage.wait_for()
    page.locator('[data-act="last"]').click()
    slider = page.locator('[data-name="lr"] .dc-range').first
    drag(page, slider, WARM_SECONDS)
    wait_until_settled(page)
    page.evaluate("descentLog.forget()")
    drag(page, slider, DRAG_SECONDS)
    wait_until_settled(page)
    dragged = measure_drag(page.evaluate("descentLog.read()"))
    played = stage.evaluate(PLAY)
    times = played["frames"]
    return dragged, [after - before for before, after in pairwise(times)], played["shown"]


def measure_plain(page: Page, address: str) -> list[float]:
    """From letting go of the native slider (it sends nothing before) to the changed chart, ms."""
    page.goto(address + PLAIN)
    page.locator(".gtitle").wait_for()
    wait_until_settled(page)
    thumb = page.get_by_role("slider")
    latencies = []
    for turn in range(PLAIN_DRAGS):
        box = thumb.bounding_box()
        assert box is not None, "the slider is not on the page"
        x, y = box["x"], box["y"]  # its hidden input begins at the thumb's middle
        page.evaluate(PLAIN_PAINT)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + (40 if turn % 2 == 0 else -30), y, steps=10)
        page.mouse.up()
        latencies.append(page.evaluate("plainChange"))
        wait_until_settled(page)
    return latencies


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    path = find_browser()
    if path is None:
        raise SystemExit("no Chromium or Chrome on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


def measured(browser: Browser, entry: str, measure: Callable[[Page, str], T]) -> T:
    """What `measure` finds on a fresh page of the app at ENTRY."""
    with tempfile.TemporaryDirectory() as folder, serve_app(entry, Path(folder, "log")) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(RECORDER)
        try:
            return measure(page, address)
        finally:
            page.close()


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")
    as_json = parser.parse_args().json
    with chromium() as browser:
        dragged, frames, shown = measured(browser, "app.py", measure_race)
        plain = measured(browser, "benchmarks/plain_race.py", measure_plain)
    figures = {
        "drag_p50_ms": percentile(dragged.latencies, 50),
        "drag_p95_ms": percentile(dragged.latencies, 95),
        "updates_per_s": dragged.updates_per_s,
        "frame_median_ms": percentile(frames, 50),
        "frame_p95_ms": percentile(frames, 95),
        "native_p50_ms": percentile(plain, 50),
    }
    figures = {name: round(value, 1) for name, value in figures.items()}
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in {**figures, **dragged.parts}.items():
        print(f"{name:28}{value:8.1f}")
    print(f"{len(dragged.latencies)} input events, {len(frames)} frames, {shown} positions shown")


if __name__ == "__main__":
    main()
