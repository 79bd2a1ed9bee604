"""What a stranger sends to a real server past the pages: paths, origins, files, huge messages."""

from __future__ import annotations

import gzip
import http.client
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from components import assets, gate
from tests.reader import Reader, stream

PATHS = (
    "/../app.py",
    "/..%2fapp.py",
    "/static/../../app.py",
    "/static/%2e%2e/%2e%2e/app.py",
    "/static/..%5c..%5capp.py",
    "/app/static/../../app.py",
    "/assets/../app.py",
    f"/assets/{assets.modules().digest}/../../app.py",
    f"/assets/{assets.modules().digest}/%2e%2e/%2e%2e/app.py",
    "/media/../../../../etc/passwd",
    "/component/x/../../../../etc/passwd",
    "/_stcore/bidi-components/../../../../etc/passwd",
    "//etc/passwd",
    "/%00",
    "/" + "a" * 8000,
)


def ask(
    server: str, path: str, method: str = "GET", body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer; the path goes out as it stands."""
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=60)
    try:
        connection.request(
            method, path, body or None, {k.replace("_", "-"): v for k, v in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def assert_careful(headers: dict[str, str]) -> None:
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_no_path_leads_outside(server: str, path: str) -> None:
    """Streamlit answers what it does not know with its own page."""
    _, headers, body = ask(server, path)
    assert_careful(headers)
    assert b"root:" not in body
    assert b"st.App" not in body


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/race?lr=0.1", 200),
        ("/_stcore/health", 200),
        ("/_stcore/host-config", 200),
        ("/_stcore/metrics", 404),
        ("/assets/nothing/at.js", 404),
        ("/nowhere", 200),  # Streamlit's own page, which says so
    ],
)
def test_every_answer_has_its_headers(server: str, path: str, status: int) -> None:
    found, headers, _ = ask(server, path)
    assert found == status
    assert_careful(headers)


def test_scripts_go_compressed(server: str) -> None:
    for path in (p for p in assets._frontend() if p.startswith("static/js/index.")):
        status, headers, body = ask(server, f"/{path}", accept_encoding="gzip")
        assert (status, headers["content-encoding"]) == (200, "gzip")
        assert gzip.decompress(body) == assets._frontend()[path].read_bytes()
        assert_careful(headers)


def test_no_page_of_another_origin_may_talk(server: str) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(
            stream(server), subprotocols=["streamlit"], origin="https://evil.example", proxy=None
        ),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_nothing_is_taken_that_was_not_asked_for(server: str) -> None:
    for method, path in [
        ("PUT", "/_stcore/upload_file/session/file"),
        ("POST", "/_stcore/upload_file/session/file"),
        ("DELETE", "/_stcore/upload_file/session/file"),
        ("POST", "/"),
        ("PUT", "/assets/x/y.js"),
    ]:
        status, headers, _ = ask(server, path, method, b"x" * 100_000)
        assert 400 <= status < 500, (method, path)
        assert_careful(headers)


@pytest.mark.parametrize("size", [gate.MESSAGE_BYTES + 1, 2_000_000])
def test_a_message_that_is_too_big_ends_the_connection(server: str, size: int) -> None:
    with Reader(server, "/entropy") as reader:
        reader.ask()
        assert reader.answer()
        reader.socket.send(b"\x00" * size)
        with pytest.raises(ConnectionClosedError) as ended:
            reader.answer(60)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1009
