"""The ASGI entry of Descent Lab: `streamlit run app.py`.

It adds to the Streamlit app what a script cannot: the browser's files under content-hashed
addresses, Streamlit's own scripts compressed, the headers that say what a page may load and who
may embed it, and a gate for what browsers send.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

# Before NumPy is read. The products here are small: shared out over threads, which wait for each
# other in a busy loop, they take longer, many times so where other readers' work wants the cores.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.responses import PlainTextResponse, Response  # noqa: E402

ROOT: Final = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:  # the pages import engine, figures and components from here
    sys.path.insert(0, str(ROOT))

from components import assets, gate  # noqa: E402
from export import route  # noqa: E402
from service import journal, memory, once, visits  # noqa: E402
from service.metrics import Metrics  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FRAME_ANCESTORS: Final = "DESCENT_LAB_FRAME_ANCESTORS"
METRICS: Final = "DESCENT_LAB_METRICS"
LOG: Final = "DESCENT_LAB_LOG"
# What the first page imports, by what brings all the rest.
FIRST: Final = (
    "streamlit.emojis",
    "engine.studies.gradient_latex",
    "pages.problem",
    "pages.side_by_side",
    "figures.race",
    "pages.topics",
)


def frame_ancestors(setting: str) -> str:
    """The Content-Security-Policy for a list of sources, such as "'self' https://a.example".

    Raises ValueError where the setting would end the directive or the header.
    """
    sources = setting.split()
    if not sources or not setting.isprintable() or set(setting) & set(";,"):
        raise ValueError(f"{FRAME_ANCESTORS} must be sources separated by spaces, not {setting!r}")
    # The share panel's preview is a frame of this very site.
    own = [] if {"*", "'none'", "'self'"} & set(sources) else ["'self'"]
    return f"frame-ancestors {' '.join([*own, *sources])}"


def content_policy(inline: Iterable[str]) -> str:
    """What a page may load: files of this server, and modules that the page itself has printed.

    `inline` are the hashes of the scripts that stand in Streamlit's own page. Components and
    printed programs come as blobs; styles stand in the elements, as Streamlit and KaTeX put them
    there; Streamlit multiplies 64-bit numbers in WebAssembly.
    """
    scripts = " ".join(["'self'", "blob:", "'wasm-unsafe-eval'", *inline])
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {scripts}",
            "worker-src blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "frame-src 'self'",  # the preview of an embedded page
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def safe_headers(policy: str) -> dict[str, str]:
    """The headers of a careful server."""
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
    }


class SafeHeaders:
    """ASGI middleware that puts them on every HTTP response."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self.app = app
        self.headers = {
            name.encode(): value.encode("latin-1") for name, value in safe_headers(policy).items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = [h for h in message.get("headers", ()) if h[0].lower() not in self.headers]
                message["headers"] = [*others, *self.headers.items()]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


BASE: Final = str(st.get_option("server.baseUrlPath"))
POLICY: Final = "; ".join(
    [
        content_policy(assets.inline_scripts()),
        frame_ancestors(os.environ.get(FRAME_ANCESTORS, "*")),
    ]
)


def caches() -> dict[str, tuple[int, int, int]]:
    """How the engine's caches do."""
    from engine.runs import counts

    return counts.caches()


def waiting_work() -> int:
    """How many pieces of long work wait for their turn."""
    from pages import background

    return background.waiting()


COUNTED: Final = os.environ.get(METRICS) == "1"
METERS: Final = Metrics(caches, waiting_work)
PAGES: Final = visits.Pages(["home", *(path.stem for path in (ROOT / "pages").glob("*.py"))])
METRICS_ROUTES: Final = [METERS.route(BASE)] if COUNTED else []
ROUTES: Final = [*assets.routes(BASE), *route.routes(BASE), *METRICS_ROUTES]
MIDDLEWARE: Final = [
    Middleware(SafeHeaders, policy=POLICY),
    Middleware(
        gate.Gate, base_path=BASE, metrics=COUNTED, watch=lambda: visits.Visit(PAGES, METERS)
    ),
    Middleware(assets.Compressed, base_path=BASE),
]


async def say_failed(request: Request, error: Exception) -> Response:
    """The answer to what no middleware has caught, which passes none on its way out."""
    return PlainTextResponse("Internal Server Error", 500, headers=safe_headers(POLICY))


HANDLERS: Final = {Exception: say_failed}

app = st.App(
    ROOT / "pages" / "main.py",
    routes=ROUTES,
    middleware=MIDDLEWARE,
    exception_handlers=HANDLERS,
)


def keep_house() -> None:
    """What nobody shall wait for: files compressed, the compiler read, memory given back."""
    inspect.stack()  # Streamlit looks at its own once, for which every module's file is looked up
    assets.warm()
    from engine.emit.compiled import compile_nothing

    compile_nothing()
    memory.collect_by_hand()
    memory.give_back_for_ever()


def read_ahead() -> None:
    """Import what the first page takes, before anyone asks for it: the server is healthy when its
    pages are quick. Beside the first reader's script it could meet a module read by half."""
    for module in FIRST:
        importlib.import_module(module)


# A rerun lets others run a hundred times, and comes back after this long: beside one busy thread a
# quick one takes 149 ms with Python's own five, 123 with one, 55 so; the busy one loses nothing.
sys.setswitchinterval(0.0003)
memory.keep_little()
read_ahead()
once.remember_theme()
once.copy_places_plainly()
once.send_to_those_who_wait()
if os.environ.get(LOG) == "json":
    journal.write_json()
Thread(target=keep_house, name="housekeeping", daemon=True).start()

if __name__ == "__main__":
    app.run()
