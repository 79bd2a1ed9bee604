"""From the first request to the first picture that a hand can move, in a real Chromium.

`python -m benchmarks.startup --json` prints medians in seconds: server_s, from starting the server
to its being healthy; first_s, from the request of a browser that has nothing kept, to a server that
has only just started, to the first interactive picture; cold_s, the same where the server has been
visited before; warm_s, where the browser has been there before. A picture is interactive when its
stage has painted and its first slider stands; that the slider moves it is checked each time.
kilobytes is what a cold visit loads. Loopback only: a network adds its own time.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, sync_playwright

from benchmarks.figures import asking, show
from tests.browser import FLAGS, app_process, find_browser

LINK = "/"
SLIDER = '[data-name="lr"] .dc-range'
PATIENCE_MS = 60_000
# Looks in every frame, as soon as there is a document.
WATCH = f"""
const shadows = () => [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")]
const slider = () => shadows().some((e) => e.shadowRoot?.querySelector({json.dumps(SLIDER)}))
const look = () => {{
  if (document.querySelector(".dl-stage[data-seq]") && slider()) window.ready = performance.now()
  else requestAnimationFrame(look)
}}
requestAnimationFrame(look)
"""


def visit(context: BrowserContext, server: str) -> tuple[float, float]:
    """(seconds to the first interactive picture, kilobytes loaded) of a visit in a new tab."""
    page = context.new_page()
    try:
        page.add_init_script(WATCH)
        page.goto(server + LINK, wait_until="commit")
        page.wait_for_function("() => window.ready", timeout=PATIENCE_MS)
        seconds = page.evaluate("window.ready") / 1000
        loaded = page.evaluate(
            "performance.getEntriesByType('resource').reduce((sum, e) => sum + e.transferSize, 0)"
        )
        slider = page.locator(SLIDER).first
        before = slider.input_value()
        slider.press("ArrowRight")
        if slider.input_value() == before:
            raise RuntimeError("the picture was said to be interactive, and its slider did nothing")
        return seconds, loaded / 1000
    finally:
        page.close()


def fresh(browser: Browser, server: str) -> tuple[float, float, float]:
    """(cold, warm, kilobytes): a browser that has nothing kept, and the same one again."""
    context = browser.new_context()
    try:
        cold, loaded = visit(context, server)
        time.sleep(1.0)
        warm, _ = visit(context, server)
        return cold, warm, loaded
    finally:
        context.close()


def measure(rounds: int) -> dict[str, Any]:
    """Medians over so many servers, each visited by several browsers."""
    path = find_browser()
    if path is None:
        raise RuntimeError("no Chromium or Chrome on the PATH")
    found: dict[str, list[float]] = {
        name: [] for name in ("server_s", "first_s", "cold_s", "warm_s", "kilobytes")
    }
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        for k in range(rounds):
            begin = time.perf_counter()
            with app_process("app.py", Path(folder, f"{k}.log")) as (server, _):
                found["server_s"].append(time.perf_counter() - begin)
                first, _, _ = fresh(browser, server)
                found["first_s"].append(first)
                for _ in range(3):
                    cold, warm, loaded = fresh(browser, server)
                    found["cold_s"].append(cold)
                    found["warm_s"].append(warm)
                    found["kilobytes"].append(loaded)
        browser.close()
    figures: dict[str, Any] = {
        name: round(statistics.median(values), 3) for name, values in found.items()
    }
    return {**figures, "page": LINK, "rounds": rounds, "load_before": os.getloadavg()[0]}


def main() -> None:
    """Measure, and print what was found."""
    parser = asking(__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="servers that are started")
    asked = parser.parse_args()
    try:
        figures = measure(asked.rounds)
    except (Error, RuntimeError) as problem:
        sys.exit(str(problem))
    show(figures, as_json=asked.json)


if __name__ == "__main__":
    main()
