"""Pictures and numbers of a page for the command line: its HTML file, opened in Chromium, saves
them itself.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

KINDS: Final = {
    "png": "a picture", "svg": "a picture in vectors", "gif": "a film", "webm": "a film",
    "csv": "the run in columns", "json": "the run with all that restores it",
}  # fmt: skip
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MILLISECONDS: Final = 60_000

_TAKE: Final = """
async (kind) => {
  const blob = await figure.take(kind)
  const bytes = new Uint8Array(await blob.arrayBuffer())
  let text = ""
  for (let i = 0; i < bytes.length; i += 32768) {
    text += String.fromCharCode(...bytes.subarray(i, i + 32768))
  }
  return btoa(text)
}
"""


def pictures(
    document: str, wanted: Mapping[str, Path], *, width: int = 1000, dark: bool = False
) -> None:
    """Write what is wanted, kind (of KINDS) to path, from the text of an HTML file.

    Raises RuntimeError where there is no Chromium, or no playwright to drive it.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise RuntimeError("pictures need playwright: pip install playwright") from None
    if browser is None:
        raise RuntimeError("pictures need Chromium or Chrome on this machine")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = Path(folder) / "figure.html"
        path.write_text(document, encoding="utf-8")
        chromium = driver.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            context = chromium.new_context(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",  # it stands at its end
            )
            page = context.new_page()
            page.set_default_timeout(MILLISECONDS)
            page.goto(path.as_uri())
            page.wait_for_selector(".dl-stage[data-seq], .dg-graph .dg-node")
            for kind, out in wanted.items():
                out.write_bytes(base64.b64decode(page.evaluate(_TAKE, kind)))
        finally:
            chromium.close()
