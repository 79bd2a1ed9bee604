"""Pictures of every page, to be looked at one by one: `python -m docs.screens FOLDER [PAGE …]`.

Light and dark, at a desk, on a phone and in a course's frame: FOLDER/PAGE-desk-light.png and so on.
It starts the app itself, and needs a Chromium and the packages of requirements-dev.txt.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

from pages.contents import SECTIONS
from tests.browser import FLAGS, Visitor, find_browser, serve_app

SIZES = {"desk": (1280, 900), "phone": (360, 780), "frame": (800, 500)}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# A picture, or what a page without one has instead; a page of words alone has these.
DRAWN = ".dl-stage[data-seq], .dt-training, .dg-node, .dl-drawing svg, .family-cards, article"
WORDS = dict.fromkeys(("recap", "glossary", "teachers"), ".stMarkdown strong")
PATIENCE_MS = 20_000
SETTLE_MS = 600


def take(visit: Visitor, page: str, folder: Path) -> None:
    """The six pictures of a page; without motion a run is seen at its end."""
    for name, (width, height) in SIZES.items():
        query = "?embed=true" if name == "frame" else ""
        for theme in THEMES:
            shown = visit(
                f"/{page}{query}", width=width, height=height, color_scheme=theme,
                reduced_motion="reduce",
            )  # fmt: skip
            seen = shown.locator(WORDS.get(page, DRAWN)).locator("visible=true").first
            seen.wait_for(timeout=PATIENCE_MS)
            shown.wait_for_timeout(SETTLE_MS)
            shown.screenshot(path=folder / f"{page}-{name}-{theme}.png", full_page=name != "frame")
            shown.close()


def main(arguments: list[str]) -> None:
    """Take them all, or those of the pages that are named."""
    path = find_browser()
    if not arguments or arguments[0].startswith("-") or path is None:
        raise SystemExit("python -m docs.screens FOLDER [PAGE …], with a Chromium on the PATH")
    folder, *pages = arguments
    Path(folder).mkdir(parents=True, exist_ok=True)
    pages = pages or [entry.file for entries in SECTIONS.values() for entry in entries]
    with (
        tempfile.TemporaryDirectory() as kept,
        serve_app("app.py", Path(kept) / "server.log") as address,
        sync_playwright() as playwright,
        closing(playwright.chromium.launch(executable_path=path, args=list(FLAGS))) as browser,
        closing(Visitor(browser, address)) as visit,
    ):
        for page in pages:
            take(visit, page, Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
