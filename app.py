"""The ASGI entry of Descent Lab: `streamlit run app.py`.

It adds to the Streamlit app what a script cannot: the browser's files under content-hashed
addresses, and the header that says which sites may embed the pages.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

import streamlit as st
from starlette.middleware import Middleware

ROOT: Final = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:  # the pages import engine, figures and components from here
    sys.path.insert(0, str(ROOT))

from components import assets  # noqa: E402

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FRAME_ANCESTORS: Final = "DESCENT_LAB_FRAME_ANCESTORS"


def frame_ancestors(setting: str) -> str:
    """The Content-Security-Policy for a list of sources, such as "'self' https://a.example".

    Raises ValueError where the setting would end the directive or the header.
    """
    sources = setting.split()
    if not sources or not setting.isprintable() or set(setting) & set(";,"):
        raise ValueError(f"{FRAME_ANCESTORS} must be sources separated by spaces, not {setting!r}")
    return f"frame-ancestors {' '.join(sources)}"


class EmbeddingPolicy:
    """ASGI middleware that says on every HTTP response who may embed it."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self.app = app
        self.header = (b"content-security-policy", policy.encode("latin-1"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), self.header]
            await send(message)

        await self.app(scope, receive, send_with_policy if scope["type"] == "http" else send)


ROUTES: Final = assets.routes(str(st.get_option("server.baseUrlPath")))
MIDDLEWARE: Final = [
    Middleware(EmbeddingPolicy, policy=frame_ancestors(os.environ.get(FRAME_ANCESTORS, "*")))
]

app = st.App(ROOT / "pages" / "main.py", routes=ROUTES, middleware=MIDDLEWARE)

Thread(target=assets.warm, name="compress assets", daemon=True).start()

if __name__ == "__main__":
    app.run()
