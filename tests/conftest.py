"""Fixtures for tests that need the running app: a server, a browser, a visitor.

The server and the browser start once per worker process, on first use, each on a free
port, so the suite runs in parallel as it does alone. Without a browser its tests are
skipped with a reason; where the environment says CI they fail instead.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

# Before NumPy is read, as in app.py: small products take one thread, as on the server.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import FLAGS, Visitor, find_browser, serve_app

PATIENCE_MS = 30_000  # a busy machine is slow, not wrong

# A busy machine is no reason to fail: what a property test asserts is never its own time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Streamlit puts a page's script in the place of `__main__`, which every process that a later
    test starts would run first."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the app, started as the README says, for the whole session."""
    with serve_app("app.py", tmp_path_factory.mktemp("server") / "streamlit.log") as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless, for the whole session."""
    path = find_browser()
    if path is None:
        reason = "no Chromium or Chrome on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}, and CI requires one")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Visitor]:
    """Open pages of the app: `visit("/race?lr=0.1", color_scheme="dark")`.

    The test fails if the browser reported an error or left this machine. A test that
    expects an error asserts on `visit.errors` and clears it.
    """
    visitor = Visitor(browser, server)
    yield visitor
    visitor.close()
    assert visitor.errors == []
