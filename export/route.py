"""The route from which a page is taken along, `/take/race.html?lr=0.02` and `/take/race.js?…`, and
a lesson, `/take/zig-zag-and-momentum.zip`, a SCORM 1.2 package.

A file is made by `python -m export` in a process of its own, at low priority, one at a time: a
visitor who takes a page along costs the others nothing but a core's idle time.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.limits import (
    TAKEN_KEPT,
    TAKEN_LINK,
    TAKEN_SECONDS,
    TAKEN_WAITING,
    WORKSHOP_NICE,
)
from pages import course
from pages.contents import SECTIONS

ROOT: Final = Path(__file__).resolve().parent.parent
PREFIX: Final = "take"
KINDS: Final = {
    "html": ("--out", "text/html; charset=utf-8"),
    "js": ("--module", "text/javascript; charset=utf-8"),
    "zip": ("--scorm", "application/zip"),  # of a lesson
}


class Maker:
    """Makes files one after the other and keeps the last ones."""

    def __init__(self) -> None:
        self.kept: OrderedDict[tuple[str, str, str, str], bytes] = OrderedDict()
        self.turn = asyncio.Lock()
        self.waiting = 0

    async def file(self, page: str, kind: str, query: str, home: str) -> bytes:
        """The file of a page at a link. Raises ValueError where the link cannot be used, and
        TimeoutError where it takes too long or too many wait."""
        key = (page, kind, query, home)
        if key not in self.kept:
            if self.waiting >= TAKEN_WAITING:
                raise TimeoutError("Many files are being made. Try again in a minute.")
            self.waiting += 1
            try:
                async with self.turn:
                    if key not in self.kept:
                        self.kept[key] = await self._make(page, kind, query, home)
            finally:
                self.waiting -= 1
            while len(self.kept) > TAKEN_KEPT:
                self.kept.popitem(last=False)
        self.kept.move_to_end(key)
        return self.kept[key]

    async def _make(self, page: str, kind: str, query: str, home: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / f"{page}.{kind}"
            what = ["lesson", page] if kind == "zip" else [page, f"--link=?{query}"]
            command = [sys.executable, "-m", "export", *what, KINDS[kind][0], str(out)]
            command += [f"--home={home}"]
            if nice := shutil.which("nice"):
                command = [nice, "-n", str(WORKSHOP_NICE), *command]
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=ROOT,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                _, said = await asyncio.wait_for(process.communicate(), TAKEN_SECONDS)
            except TimeoutError:
                raise TimeoutError("It took too long to make this file.") from None
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            if process.returncode == 2:
                raise ValueError(said.decode(errors="replace").strip()[-500:])
            if process.returncode or not out.exists():
                raise RuntimeError(said.decode(errors="replace")[-2000:])
            return out.read_bytes()


def routes(base_path: str = "") -> list[Route]:
    """The route, for an app under `base_path` ("" is the root)."""
    maker = Maker()
    pages = {entry.file for entries in SECTIONS.values() for entry in entries}
    base = base_path.strip("/")

    def plain(text: str, status: int) -> Response:
        return Response(text, status_code=status, media_type="text/plain")

    async def take(request: Request) -> Response:
        page, _, kind = request.path_params["name"].rpartition(".")
        query = "" if kind == "zip" else request.url.query
        known = course.lessons() if kind == "zip" else pages
        if kind not in KINDS or page not in known or len(query) > TAKEN_LINK:
            return plain("There is no such page to take along.", 404)
        home = f"{request.url.scheme}://{request.url.netloc}/{base}".rstrip("/")
        try:
            body = await maker.file(page, kind, query, home)
        except ValueError as problem:
            return plain(str(problem), 422)
        except TimeoutError as problem:
            return plain(str(problem), 503)
        except RuntimeError:
            logging.getLogger(__name__).exception("%s could not be taken along", page)
            return plain("This page cannot be taken along at the moment.", 500)
        headers = {"Content-Disposition": f'attachment; filename="{page}.{kind}"'}
        return Response(body, headers=headers, media_type=KINDS[kind][1])

    return [Route(f"/{base}/{PREFIX}/{{name}}".replace("//", "/"), take, methods=["GET"])]
