"""The browser's files: our own modules under `web/` and the installed package's plotly.min.js.

Every file is read once, addressed by a hash of its bundle's content and so cacheable for ever;
a request is a look-up in a table, never a path on disk.  Components reach the files through
`loader`, three lines of JavaScript that are all a rerun has to carry.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

PREFIX: Final = "assets"
_WEB: Final = Path(__file__).parent / "web"
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class Bundle(NamedTuple):
    """Files that change together: `digest` names their content, `files` maps path to bytes."""

    digest: str
    files: Mapping[str, bytes]


def _bundle(files: dict[str, bytes]) -> Bundle:
    total = hashlib.blake2b(digest_size=10)
    for path, body in sorted(files.items()):
        total.update(f"{path}\0{len(body)}\0".encode())
        total.update(body)
    return Bundle(total.hexdigest(), files)


@cache
def modules() -> Bundle:
    """Our own html, css and js.  One digest for all, so relative imports stay in step."""
    return _bundle(
        {
            path.relative_to(_WEB).as_posix(): path.read_bytes()
            for path in _WEB.rglob("*")
            if path.suffix in _TYPES
        }
    )


@cache
def plotly() -> Bundle:
    """plotly.min.js of the installed package, found without importing it."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("plotly is not installed", name="plotly")
    script = Path(spec.submodule_search_locations[0], "package_data", "plotly.min.js")
    return _bundle({script.name: script.read_bytes()})


def address(bundle: Bundle, path: str) -> str:
    """Where the browser finds `path` of `bundle`, relative to the app's root."""
    if path not in bundle.files:
        raise FileNotFoundError(path)
    return f"{PREFIX}/{bundle.digest}/{path}"


def loader(path: str) -> str:
    """JavaScript for a component whose real module is `path`.

    Streamlit's own script tag tells where the app's root is, under a base path or behind a
    proxy alike; a page's address would not.
    """
    return f"""
const root = document.querySelector('script[src*="static/js/"]').src.split("static/js/")[0]
const url = root + "{address(modules(), path)}"
export default async (component) => (await import(url)).default(component)
"""


@cache
def _gzipped(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=6, mtime=0)


def warm() -> None:
    """Compress everything ahead of the first visitor (about 0.3 s, nearly all of it Plotly)."""
    for bundle in (plotly(), modules()):
        for body in bundle.files.values():
            _gzipped(body)


def _accepts_gzip(header: str) -> bool:
    for token in header.lower().split(","):
        coding, _, weight = token.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _serve(request: Request) -> Response:
    digest, path = request.path_params["digest"], request.path_params["path"]
    for bundle in (modules(), plotly()):
        if bundle.digest == digest and path in bundle.files:
            break
    else:
        return Response("Not found", status_code=404, media_type="text/plain")
    packed = _accepts_gzip(request.headers.get("accept-encoding", ""))
    etag = f'"{digest}-{"gzip" if packed else "identity"}"'
    headers = {
        "Cache-Control": _FOR_EVER,
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    body = bundle.files[path]
    return Response(
        _gzipped(body) if packed else body,
        headers=headers,
        media_type=_TYPES[Path(path).suffix],
    )


def routes(base_path: str = "") -> list[Route]:
    """The route that serves the files, for an app under `base_path` ("" is the root)."""
    base = base_path.strip("/")
    root = f"/{base}/{PREFIX}" if base else f"/{PREFIX}"
    return [Route(f"{root}/{{digest}}/{{path:path}}", _serve, methods=["GET"])]
