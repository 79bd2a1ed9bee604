"""Fixtures for tests that need the running app: a server, a browser, a visitor.

The server and the browser start once per worker process, on first use, each on a free
port, so the suite runs in parallel as it does alone. Without a browser its tests are
skipped with a reason; where the environment says CI they fail instead.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import FLAGS, ROOT, Visitor, find_browser

STARTUP_SECONDS = 60


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the app, started as the README says, for the whole session."""
    log = tmp_path_factory.mktemp("server") / "streamlit.log"
    port = _free_port()
    flags = {
        "server.headless": "true",
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.fileWatcherType": "none",
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += [part for name, value in flags.items() for part in (f"--{name}", value)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_healthy(process, f"{address}/_stcore/health", log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
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
