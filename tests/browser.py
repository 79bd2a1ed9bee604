"""What the browser tests share: finding Chromium, visiting the app, and waiting for it.

Every wait is for something that happens (a rerun finished, the page settled), never for
time to pass. A `Visitor` also notes what should never happen in any test: an error in the
browser's console, or a request to a machine other than this one.
"""

from __future__ import annotations

import html
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener
from weakref import WeakKeyDictionary

from playwright.sync_api import Browser, ConsoleMessage, Error, Frame, Page, Request, WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ROOT = Path(__file__).resolve().parent.parent
STARTUP_SECONDS = 60
LOCAL = {"127.0.0.1", "localhost"}
REST = "/_stcore/health"  # a word of the server's, without a script
PROBED = ("/_stcore/health", "/_stcore/host-config")
BINARIES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)

_sockets: WeakKeyDictionary[Page, WebSocket] = WeakKeyDictionary()
_resting: WeakKeyDictionary[Browser, dict[bool, list[Page]]] = WeakKeyDictionary()


def find_browser() -> str | None:
    """Path of an installed Chromium or Chrome, or None."""
    return next(filter(None, map(shutil.which, BINARIES)), None)


@contextmanager
def serve_app(entry: str, log: Path) -> Iterator[str]:
    """Run `streamlit run ENTRY` (relative to the repository) on a free port; give its address."""
    with app_process(entry, log) as (address, _):
        yield address


@contextmanager
def app_process(
    entry: str, log: Path, port: int | None = None, **settings: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same, with its process beside its address; `settings` are variables of its own."""
    port = port or free_port()
    flags = {
        "server.headless": "true",
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.fileWatcherType": "none",
    }
    command = [sys.executable, "-m", "streamlit", "run", entry]
    command += [part for name, value in flags.items() for part in (f"--{name}", value)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **settings},
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_healthy(process, f"{address}/_stcore/health", log)
        yield address, process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Return once URL answers; raise with the server's own words if it never does."""
    direct = build_opener(ProxyHandler({}))  # a proxy of the environment cannot see localhost
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline:
        try:
            with direct.open(url, timeout=1):
                return
        except (URLError, TimeoutError, ConnectionError):
            pass
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    raise RuntimeError(f"the app did not start:\n{log.read_text(errors='replace')}")


def wait_until_settled(view: Page | Frame) -> None:
    """Wait until the app is connected, its script has finished and nothing on it is stale."""
    view.locator(
        '[data-testid="stApp"][data-test-script-state="notRunning"]'
        '[data-test-connection-state="CONNECTED"]'
    ).wait_for(state="attached")
    view.wait_for_function(
        "() => !document.querySelector('[data-stale=\"true\"], [data-testid=stSkeleton]')"
    )


def wait_until_lost(page: Page) -> None:
    """Wait until the app has noticed that its server is gone."""
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]').dataset"
        ".testConnectionState !== 'CONNECTED'"
    )


@contextmanager
def rerun(page: Page) -> Iterator[None]:
    """Run the body, which must make the app rerun, then wait until that rerun has finished.

    The end of the run is read from Streamlit's own socket, so a rerun too quick for the
    page to show is not missed. Raises Playwright's TimeoutError where no rerun comes.
    """
    with _sockets[page].expect_event("framereceived", _run_finished):
        yield
    wait_until_settled(page)


def count_reruns(page: Page) -> Callable[[], int]:
    """Start counting the reruns that the page asks for; call the result for the count."""
    asked = 0

    def note(payload: str | bytes) -> None:
        nonlocal asked
        if isinstance(payload, bytes):
            asked += BackMsg.FromString(payload).WhichOneof("type") == "rerun_script"

    _sockets[page].on("framesent", note)
    return lambda: asked


def _run_finished(payload: str | bytes) -> bool:
    return (
        isinstance(payload, bytes)
        and ForwardMsg.FromString(payload).WhichOneof("type") == "script_finished"
    )


def screenshot(page: Page, name: str) -> Path:
    """Write test-results/NAME.png, for eyes rather than for comparison, and say where."""
    path = ROOT / "test-results" / f"{name}.png"
    page.screenshot(path=path)
    return path


# What a policy refuses is told to the document, also where nothing is said on the console.
LISTEN = """
addEventListener("securitypolicyviolation", (event) => {
  (window.refused ??= []).push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`)
})
"""


def refused(view: Page | Frame) -> list[str]:
    """What the Content-Security-Policy has refused a page that opened with LISTEN."""
    found: list[str] = view.evaluate("() => window.refused ?? []")
    return [f"refused: {each}" for each in found]


@contextmanager
def open_tab(
    browser: Browser,
    site: str,
    *,
    script: str = "",
    touch: bool = False,
    first: bool = False,
    **look: Any,
) -> Iterator[Page]:
    """An empty tab in a context that no other has, for the pages of SITE, which run SCRIPT first.

    It may have been another test's, of which nothing else is left (see `_forget`): a process that
    has compiled Streamlit's scripts before opens a page in half the processor's time of a new one.
    Where it is to be the FIRST, nothing has been cached either. LOOK is the viewport, and the media
    that are emulated.
    """
    resting = _resting.setdefault(browser, {}).setdefault(touch, [])
    page = resting.pop() if resting and not first else _new_tab(browser, touch)
    page.set_viewport_size(look.pop("viewport"))
    page.emulate_media(**look)
    with page.add_init_script(script) if script else nullcontext():
        yield page
    try:
        _forget(page, site)
    except Error:  # the test has closed the page, or its server
        page.context.close()
    else:
        resting.append(page)


def _new_tab(browser: Browser, touch: bool) -> Page:
    return browser.new_context(locale="en-GB", has_touch=touch).new_page()


@contextmanager
def heard(page: Page, **hear: Callable[[Any], object]) -> Iterator[None]:
    """Have events of a page heard, by their names, while the body runs."""
    for event, listener in hear.items():
        page.on(event, listener)  # type: ignore[call-overload]
    yield
    for event, listener in hear.items():
        page.remove_listener(event, listener)


def _forget(page: Page, site: str) -> None:
    """Leave nothing of what was done in a tab: what the site has stored, its history, the hand."""
    page.goto(site + REST)
    page.evaluate("() => { sessionStorage.clear(); window.name = '' }")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Storage.clearDataForOrigin", {"origin": site, "storageTypes": "all"})
    devtools.send("Page.resetNavigationHistory")
    devtools.detach()
    page.context.clear_permissions()
    page.mouse.up()
    page.mouse.move(-10, -10)


class Visitor:
    """Opens pages of the running app as one reader would, each in a context of its own."""

    def __init__(self, browser: Browser, server: str) -> None:
        """BROWSER drives, SERVER is the app's address without a trailing slash."""
        self.browser = browser
        self.server = server
        self.errors: list[str] = []
        self._cleanup = ExitStack()

    def __call__(
        self,
        path: str = "/",
        *,
        wait: bool = True,
        **look: Any,
    ) -> Page:
        """Open PATH of the app (with its query, if any) and wait until it has settled.

        LOOK is what `empty` takes.
        """
        page = self.empty(**look)
        page.goto(self.server + path, wait_until="load" if wait else "commit")
        if wait:
            wait_until_settled(page)
        return page

    def embedded(
        self,
        path: str,
        *,
        width: int = 800,
        height: int = 500,
        sandbox: str = "allow-scripts allow-same-origin",
        color_scheme: Literal["light", "dark"] = "light",
    ) -> tuple[Page, Frame]:
        """Open PATH in a sandboxed iframe of a page from another origin; give page and frame."""
        document = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>A course page</title>"
            "<link rel=icon href=data:,><body style='margin:0'>"
            f"<iframe title='Descent Lab' src='{html.escape(self.server + path, quote=True)}'"
            f" width={width} height={height} sandbox='{sandbox}' style='border:0'></iframe>"
        )
        host = self._cleanup.enter_context(serve_document(document))
        page = self.empty(width=width + 40, height=height + 40, color_scheme=color_scheme)
        page.goto(host)
        frame = page.query_selector("iframe").content_frame()  # type: ignore[union-attr]
        assert frame is not None
        wait_until_settled(frame)
        return page, frame

    def close(self) -> None:
        """Close every page that this visitor opened."""
        self._cleanup.close()

    def empty(
        self,
        *,
        width: int = 1280,
        height: int = 800,
        color_scheme: Literal["light", "dark"] = "light",
        reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
        touch: bool = False,
        first: bool = False,
        script: str = "",
    ) -> Page:
        """A tab before its first page, each of which will run SCRIPT before its own.

        The FIRST of a reader finds nothing in the browser's caches.
        """
        page = self._cleanup.enter_context(
            open_tab(
                self.browser,
                self.server,
                script=script,
                touch=touch,
                first=first,
                viewport={"width": width, "height": height},
                color_scheme=color_scheme,
                reduced_motion=reduced_motion,
            )
        )
        self._cleanup.enter_context(
            heard(
                page,
                console=self._note_console,
                pageerror=self._note_error,
                request=self._note_request,
                websocket=lambda socket: _sockets.update({page: socket}),
            )
        )
        return page

    def _note_error(self, error: Error) -> None:
        self.errors.append(f"uncaught: {error}")

    def _note_console(self, message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        # On a deep link Streamlit first looks for its server below the page's own path.
        probing = "404" in message.text and url.endswith(PROBED)
        if message.type == "error" and not probing:
            self.errors.append(f"console: {message.text} ({url})")

    def _note_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme.startswith(("http", "ws")) and url.hostname not in LOCAL:
            self.errors.append(f"request to the outside: {request.url}")


@contextmanager
def serve_document(document: str) -> Iterator[str]:
    """Serve one HTML document at every path of a free local port, whose address is given."""

    class Handler(_Quiet):
        def do_GET(self) -> None:
            body = document.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with _serve(Handler) as address:
        yield f"{address}/"


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve the files of a folder on a free local port; give its address without a last slash."""
    with _serve(partial(_Quiet, directory=str(folder))) as address:
        yield address


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Stay silent: a request is not news."""


@contextmanager
def _serve(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as host:
        thread = threading.Thread(target=host.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{host.server_port}"
        finally:
            host.shutdown()
            thread.join()
