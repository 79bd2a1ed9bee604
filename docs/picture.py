"""Makes the README's picture: the race page in a real browser, its race run to the end.

`python -m docs.picture` starts the app and writes docs/race.png. It needs a Chromium and the
packages of requirements-dev.txt.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser import FLAGS, Visitor, find_browser, serve_app

PICTURE = Path(__file__).resolve().parent / "race.png"
RUNS = "sgd:lr=0.0185;momentum:lr=0.0185,beta=0.8;adam:lr=0.3".replace("=", "%3D")


def main() -> None:
    """Take the picture."""
    path = find_browser()
    if path is None:
        raise SystemExit("no Chromium or Chrome on the PATH")
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_app("app.py", Path(folder) / "server.log") as address,
        sync_playwright() as playwright,
        closing(playwright.chromium.launch(executable_path=path, args=list(FLAGS))) as browser,
        closing(Visitor(browser, address)) as visit,
    ):
        # Without motion the stage shows a race's last frame at once.
        page = visit(f"/?runs={RUNS}&same=0", width=1280, height=740, reduced_motion="reduce")
        page.locator('.dl-stage[data-frame="120"]').wait_for()
        page.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
