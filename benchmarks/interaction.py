"""How long a reader waits for the picture: real Chromium, real server, real mouse.

`python -m benchmarks.interaction --json` drags the shared learning rate of eight optimizers over
600 steps, plays the race, drags a control or a handle of every page that follows the hand, and
drags the same race made the plain way (`benchmarks.plain_race`).

A drag's latency is taken for every move that changed a value: from the time stamp of the input
event to the end of the first frame that shows that value or a later one. The store numbers the
moves, and every paint says which number it shows. Where a study is made beside the page's thread
the paint comes before its answer: how often the picture's own sentence changes says how many came.
"""

from __future__ import annotations

import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Browser, Locator, Page, sync_playwright
from websockets.sync.client import connect

from benchmarks.figures import asking, percentile, rounded, show
from tests.browser import FLAGS, find_browser, free_port, serve_app, wait_until_settled

RUNNERS = ("sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "adamw")
STEPS = 600
RACE = f"/race?runs={';'.join(RUNNERS)}&steps={STEPS}&lr=0.01"
PLAIN = f"/?runners={','.join(RUNNERS)}&steps={STEPS}"
SPAN = (0.42, 0.56)  # of the slider's way: 0.003 to 0.023, past gradient descent's limit
DRAG_SECONDS = 6.0
PAGE_SECONDS = 3.0
PLAIN_DRAGS = 12
ONE_WAY = 0.5  # seconds: more than a pixel a frame, so that every move changes the value
HERTZ = 60.0
DEBUGGING_PORT = free_port()

SLIDER = '[data-name="{}"] .dc-range'
HANDLE = ".dl-handle"
INPUT = '.dg-node[role="slider"]'  # of a drawn computation

# What is dragged on each page, sliders, handles and inputs: selectors, the first match of each.
PAGES: dict[str, tuple[str, ...]] = {
    "race": (SLIDER.format("lr"), HANDLE),
    "debugger": (SLIDER.format("0/lr"), HANDLE),
    "bias_correction": (".dc-range",),
    "schedules": (".dc-range",),
    "failures": (".dc-range",),
    "map": (".dc-range",),
    "basins": (".dc-range",),
    "entropy": (SLIDER.format("share"), HANDLE),
    "divergence": (HANDLE,),
    "divergence?part=fit+a+Gaussian": (SLIDER.format("separation"), HANDLE),
    "likelihood": (".dc-range", HANDLE),
    "softmax": (SLIDER.format("T"), HANDLE),
    "saturation": (".dc-range", HANDLE),
    "losses": (".dc-range", HANDLE),
    "graph": (".dc-range", INPUT),
    "four_ways": (".dc-range", HANDLE),
    "gradient_check": (SLIDER.format("h"),),
    "engine_room": (INPUT,),
    "matrices?view=race": (SLIDER.format("beta"), SLIDER.format("times")),
}

T = TypeVar("T")

RECORDER = """
(() => {
  const log = window.descentLog = { moves: [], painted: [], sent: [], said: [] }
  let last = 0
  const note = (event) => (last = event.timeStamp)
  for (const kind of ["input", "pointermove", "keydown"]) addEventListener(kind, note, true)
  addEventListener("descent:moved", ({ detail }) => log.moves.push([detail, last]))
  addEventListener("descent:painted", ({ detail }) => {
    log.painted.push([detail.version, detail.t])
    const said = Array.from(document.querySelectorAll(".dl-lines"), (e) => e.textContent).join()
    if (said !== log.said.at(-1)) log.said.push(said)
  })
  const send = WebSocket.prototype.send
  WebSocket.prototype.send = function (data) {
    log.sent.push(performance.now())
    return send.call(this, data)
  }
  log.forget = () => {
    for (const value of Object.values(log)) if (Array.isArray(value)) value.length = 0
  }
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
class Drag:
    """Latencies in ms of every move, how often the picture changed, what the server heard, and how
    often the picture's sentence was another."""

    latencies: list[float]
    updates_per_s: float
    requests_per_s: float
    sentences_per_s: float


def measure_drag(log: dict[str, Any], seconds: float) -> Drag:
    """Match each move with the first paint that shows it."""
    painted: list[tuple[int, float]] = log["painted"]
    latencies = []
    for version, t in log["moves"]:
        shown = next((at for seen, at in painted if seen >= version), None)
        if shown is not None:
            latencies.append(shown - t)
    shown_moves = {version for version, _ in painted}
    counts = len(shown_moves), len(log["sent"]), max(len(log["said"]) - 1, 0)
    return Drag(latencies, *(count / seconds for count in counts))


@contextmanager
def mouse_of(page: Page) -> Iterator[Callable[[float, float], None]]:
    """Moves the pressed mouse without waiting for the picture, as a hand does.

    Playwright's own moves return when the page has handled them, and hide what a slow page loses.
    """
    session = page.context.new_cdp_session(page)
    target = session.send("Target.getTargetInfo")["targetInfo"]["targetId"]
    session.detach()
    count = itertools.count(1)
    address = f"ws://127.0.0.1:{DEBUGGING_PORT}/devtools/page/{target}"
    with connect(address, max_queue=None) as socket:  # answers are let in, and read by nobody

        def move(x: float, y: float) -> None:
            where = {"x": x, "y": y, "button": "left", "buttons": 1}
            moved = {"type": "mouseMoved", **where}
            message = {"id": next(count), "method": "Input.dispatchMouseEvent", "params": moved}
            socket.send(json.dumps(message))

        yield move


def drag(
    page: Page, thing: Locator, seconds: float, span: tuple[float, float] | None = None
) -> Drag:
    """Move a slider or a handle to and fro at the rate of a mouse, and say what came of it.

    span gives the two ends as shares of a slider's way; the rest moves 80 px across, 40 down.
    """
    thing.scroll_into_view_if_needed()
    box = thing.bounding_box()
    assert box is not None, "what is to be dragged is not on the page"
    slider = "dc-range" in (thing.get_attribute("class") or "")
    y0 = box["y"] + box["height"] / 2
    if not slider:
        x0 = box["x"] + box["width"] / 2
        dx, dy = -80.0, 40.0
    else:
        low, high = span or (0.35, 0.65)
        part = thing.evaluate("e => (e.value - e.min) / (e.max - e.min)")
        x0 = box["x"] + 7 + part * (box["width"] - 14)  # the thumb's middle stays on the track
        dx, dy = (high - low) * box["width"], 0.0
        dx = dx if x0 + dx < box["x"] + box["width"] else -dx
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move(x0 + dx / 8, y0 + dy / 8)
    page.evaluate("descentLog.forget()")
    with mouse_of(page) as move:
        begin = time.perf_counter()
        count = 0
        while (elapsed := time.perf_counter() - begin) < seconds:
            phase = elapsed % (2 * ONE_WAY) / ONE_WAY
            share = 0.125 + 0.875 * min(phase, 2.0 - phase)
            move(x0 + dx * share, y0 + dy * share)
            count += 1
            time.sleep(max(0.0, begin + count / HERTZ - time.perf_counter()))
    log = page.evaluate("({...descentLog, forget: undefined})")
    page.mouse.up()
    wait_until_settled(page)
    return measure_drag(log, elapsed)


def measure_race(page: Page, address: str) -> tuple[Drag, list[float], int]:
    """A drag on the race page, and the frame times of playing it (ms, frames shown)."""
    page.goto(address + RACE)
    wait_until_settled(page)
    stage = page.locator(".dl-stage[data-seq]")
    stage.wait_for()
    page.locator('[data-act="last"]').click()
    slider = page.locator(SLIDER.format("lr")).first
    drag(page, slider, 1.0, SPAN)  # V8 compiles what it meets
    dragged = drag(page, slider, DRAG_SECONDS, SPAN)
    played = stage.evaluate(PLAY)
    times = played["frames"]
    return dragged, [after - before for before, after in pairwise(times)], played["shown"]


def measure_page(name: str) -> Callable[[Page, str], dict[str, float]]:
    """A drag of each thing that the page lets a hand move; the worst of them counts."""

    def measure(page: Page, address: str) -> dict[str, float]:
        drags = []
        for selector in PAGES[name]:
            page.goto(f"{address}/{name}")
            wait_until_settled(page)
            thing = page.locator(f"{selector}:visible").first
            thing.wait_for()
            if (last := page.locator('[data-act="last"]')).count() and last.first.is_visible():
                last.first.click()
            drag(page, thing, 1.0)
            drags.append(drag(page, thing, PAGE_SECONDS))
        return {
            "drag_p50_ms": max(percentile(d.latencies, 50) for d in drags),
            "drag_p95_ms": max(percentile(d.latencies, 95) for d in drags),
            "updates_per_s": min(d.updates_per_s for d in drags),
            "sentences_per_s": min(d.sentences_per_s for d in drags),
        }

    return measure


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
        flags = [*FLAGS, f"--remote-debugging-port={DEBUGGING_PORT}"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


def measured(browser: Browser, address: str, measure: Callable[[Page, str], T]) -> T:
    """What `measure` finds on a fresh page."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script(RECORDER)
    try:
        return measure(page, address)
    finally:
        page.close()


@contextmanager
def serving(entry: str) -> Iterator[str]:
    """The app at ENTRY, on a port of its own."""
    with tempfile.TemporaryDirectory() as folder, serve_app(entry, Path(folder, "log")) as address:
        yield address


def main() -> None:
    """Measure, and print what was found."""
    parser = asking(__doc__)
    parser.add_argument(
        "--pages", nargs="+", choices=PAGES, default=list(PAGES), help="which pages to drag"
    )
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    with chromium() as browser:
        with serving("app.py") as address:
            dragged, frames, shown = measured(browser, address, measure_race)
            pages = {name: measured(browser, address, measure_page(name)) for name in asked.pages}
        with serving("benchmarks/plain_race.py") as address:
            plain = measured(browser, address, measure_plain)
    figures = {
        "drag_p50_ms": percentile(dragged.latencies, 50),
        "drag_p95_ms": percentile(dragged.latencies, 95),
        "updates_per_s": dragged.updates_per_s,
        "requests_per_s": dragged.requests_per_s,
        "frame_median_ms": percentile(frames, 50),
        "frame_p95_ms": percentile(frames, 95),
        "native_p50_ms": percentile(plain, 50),
        "load_before": load,
        "moves": len(dragged.latencies),
        "frames": len(frames),
        "positions_shown": shown,
        "pages": pages,
    }
    show(rounded(figures, 1), as_json=asked.json)


if __name__ == "__main__":
    main()
