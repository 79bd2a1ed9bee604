"""The demonstration app of this folder, served once, and a visitor to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import Visitor, serve_app


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("demo") / "streamlit.log"
    with serve_app("tests/components/demo/app.py", log) as address:
        yield address


@pytest.fixture
def demo(browser: Browser, demo_server: str) -> Iterator[Visitor]:
    """Open the demonstration; the test fails if the browser reported an error."""
    visitor = Visitor(browser, demo_server)
    yield visitor
    visitor.close()
    assert not visitor.errors
