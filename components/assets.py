"""The browser's files: our own modules under `web/` and the installed package's plotly.min.js.

Every file is read once, addressed by a hash of its bundle's content and so cacheable for ever;
a request is a look-up in a table, never a path on disk.  Components reach the files through
`loader`, six lines of JavaScript that are all a rerun has to carry.  Streamlit's own scripts,
which it sends as they lie on disk, are sent compressed, each compressed once.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

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


def _package(name: str) -> Path:
    """Where an installed package lies, found without importing it."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{name} is not installed", name=name)
    return Path(spec.submodule_search_locations[0])


@cache
def plotly() -> Bundle:
    """plotly.min.js of the installed package."""
    script = _package("plotly") / "package_data" / "plotly.min.js"
    return _bundle({script.name: script.read_bytes()})


def address(bundle: Bundle, path: str) -> str:
    """Where the browser finds `path` of `bundle`, relative to the app's root."""
    if path not in bundle.files:
        raise FileNotFoundError(path)
    return f"{PREFIX}/{bundle.digest}/{path}"


def loader(path: str) -> str:
    """JavaScript for a component whose real module is `path`.

    Streamlit's own script tag tells where the app's root is, under a base path or behind a
    proxy alike; a page's address would not. Data come as an object, or as the text of one.
    """
    return f"""
const root = document.querySelector('script[src*="static/js/"]').src.split("static/js/")[0]
const url = root + "{address(modules(), path)}"
const text = (data) => new TextDecoder().decode(data)
const read = (data) => (data instanceof Uint8Array ? JSON.parse(text(data)) : data)
export default async (component) =>
  (await import(url)).default({{ ...component, data: read(component.data) }})
"""


@cache
def _gzipped(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=6, mtime=0)


def warm() -> None:
    """Compress what every visit loads, ahead of the first one (about 0.5 s)."""
    for bundle in (plotly(), modules()):
        for body in bundle.files.values():
            _gzipped(body)
    index = _frontend_index()
    for path in _frontend():
        if f"./{path}" in index:
            _frontend_gzipped(path)


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


# Streamlit's own page ---------------------------------------------------------------------------


@cache
def _frontend() -> Mapping[str, Path]:
    """Streamlit's scripts and styles, by their address below the app's root."""
    root = _package("streamlit") / "static"
    return {
        path.relative_to(root).as_posix(): path
        for path in sorted((root / "static").rglob("*"))
        if path.suffix in _TYPES
    }


@cache
def _frontend_index() -> str:
    return (_package("streamlit") / "static" / "index.html").read_text("utf-8")


@cache
def _frontend_gzipped(path: str) -> bytes:
    """Each is kept once asked for: all of them are 6 MB."""
    return gzip.compress(_frontend()[path].read_bytes(), compresslevel=6, mtime=0)


def inline_scripts() -> list[str]:
    """The scripts in Streamlit's page itself, as a Content-Security-Policy names them."""
    scripts = re.findall(r"<script>(.*?)</script>", _frontend_index(), re.DOTALL)
    return [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    ]


class Compressed:
    """ASGI middleware that answers for Streamlit's scripts and styles where gzip is understood."""

    def __init__(self, app: ASGIApp, base_path: str = "") -> None:
        self.app = app
        base = base_path.strip("/")
        self.root = f"/{base}/" if base else "/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            path = scope["path"].removeprefix(self.root)
            asked = Headers(scope=scope)
            packed = _accepts_gzip(asked.get("accept-encoding", ""))
            if packed and path in _frontend() and "range" not in asked:
                response = Response(
                    await run_in_threadpool(_frontend_gzipped, path),
                    headers={
                        "Cache-Control": _FOR_EVER,
                        "Content-Encoding": "gzip",
                        "Vary": "Accept-Encoding",
                    },
                    media_type=_TYPES[Path(path).suffix],
                )
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)
