"""The app's own routes, Streamlit's scripts compressed, and the headers on every answer."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

import app
from components import assets

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(assets.modules().files)


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(Starlette(routes=app.ROUTES, middleware=app.MIDDLEWARE))


def url(bundle: assets.Bundle, path: str) -> str:
    return f"/{assets.address(bundle, path)}"


@pytest.mark.parametrize("path", FILES)
def test_every_file_is_served_with_its_type_and_for_ever(client: TestClient, path: str) -> None:
    answer = client.get(url(assets.modules(), path))
    assert answer.status_code == 200
    kind = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}[Path(path).suffix]
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content == (ROOT / "components" / "web" / path).read_bytes()


def test_plotly_is_compressed_and_named_by_its_content(client: TestClient) -> None:
    address = url(assets.plotly(), "plotly.min.js")
    with client.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert len(raw) < 2_000_000
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == gzip.decompress(raw) == assets.plotly().files["plotly.min.js"]


def test_a_known_copy_is_not_sent_again(client: TestClient) -> None:
    address = url(assets.modules(), FILES[0])
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("header", ["", "br", "gzip;q=0", "identity"])
def test_gzip_only_where_it_is_accepted(client: TestClient, header: str) -> None:
    answer = client.get(url(assets.modules(), FILES[0]), headers={"Accept-Encoding": header})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "../app.py",
        "..%2f..%2fapp.py",
        "%2e%2e/%2e%2e/app.py",
        "stage/../../stage.py",
        "/etc/passwd",
        "stage",
        "",
    ],
)
def test_nothing_else_can_be_reached(client: TestClient, path: str) -> None:
    assert client.get(f"/assets/{assets.modules().digest}/{path}").status_code == 404


def test_another_digest_is_not_found(client: TestClient) -> None:
    assert client.get("/assets/0123456789/stage/stage.js").status_code == 404


def test_under_a_base_path() -> None:
    client = TestClient(Starlette(routes=assets.routes("/course/lab/")))
    path = assets.address(assets.modules(), FILES[0])
    assert client.get(f"/course/lab/{path}").status_code == 200
    assert client.get(f"/{path}").status_code == 404


def test_the_loader_is_all_that_a_rerun_carries() -> None:
    text = assets.loader("stage/stage.js")
    assert len(text.strip().splitlines()) == 6
    assert len(text) < 500
    with pytest.raises(FileNotFoundError):
        assets.loader("stage/absent.js")


def broken(request: Request) -> Response:
    raise RuntimeError("nobody caught this")


def test_every_answer_carries_the_headers_of_a_careful_server() -> None:
    routes = [*app.ROUTES, Route("/broken", broken)]
    server = Starlette(routes=routes, middleware=app.MIDDLEWARE, exception_handlers=app.HANDLERS)
    client = TestClient(server, raise_server_exceptions=False)
    for path in (url(assets.modules(), FILES[0]), "/nowhere", "/_stcore/metrics", "/broken"):
        answer = client.get(path)
        assert (answer.status_code == 500) == (path == "/broken")
        assert "nobody caught this" not in answer.text
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "*"
        assert not {"'unsafe-eval'", "'unsafe-inline'", "*"} & {*policy["script-src"].split()}
        assert "http" not in headers["content-security-policy"]


def test_a_header_is_said_once(client: TestClient) -> None:
    answer = client.get(url(assets.modules(), FILES[0]))  # which says nosniff by itself
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]


SCRIPTS = sorted(path for path in assets._frontend() if path.startswith("static/js/index."))


def test_streamlits_scripts_are_compressed_once(client: TestClient) -> None:
    packed = {"Accept-Encoding": "gzip"}
    assert SCRIPTS
    with client.stream("GET", f"/{SCRIPTS[0]}", headers=packed) as answer:
        raw = b"".join(answer.iter_raw())
    body = assets._frontend()[SCRIPTS[0]].read_bytes()
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert gzip.decompress(raw) == body
    assert len(raw) < 0.4 * len(body)
    assert assets._frontend_gzipped(SCRIPTS[0]) is assets._frontend_gzipped(SCRIPTS[0])


def test_streamlits_scripts_go_by_streamlit_where_gzip_is_not_understood() -> None:
    seen = []

    async def streamlit(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])
        await Response("plain")(scope, receive, send)

    client = TestClient(assets.Compressed(streamlit, base_path="/lab/"))
    plain, packed = {"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip"}
    assert client.get(f"/lab/{SCRIPTS[0]}", headers=plain).text == "plain"
    assert client.get("/lab/static/js/../../../app.py", headers=packed).text == "plain"
    assert client.get(f"/{SCRIPTS[0]}", headers=packed).text == "plain"
    assert client.get(f"/lab/{SCRIPTS[0]}", headers=packed).text != "plain"
    assert len(seen) == 3


def test_the_one_script_in_streamlits_page_is_known_by_its_hash() -> None:
    assert len(assets.inline_scripts()) == 1
    assert assets.inline_scripts()[0].startswith("'sha256-")
    assert app.POLICY.count("sha256-") == 1


def test_embedding_is_one_setting() -> None:
    expected = "frame-ancestors 'self' https://course.example"
    assert app.frame_ancestors("  'self'   https://course.example ") == expected
    assert app.frame_ancestors("https://course.example") == expected, "the share panel's preview"
    assert app.frame_ancestors("'none'") == "frame-ancestors 'none'"
    for wrong in ("", " ", "*; script-src *", "a,b", "*\r\nX-Evil: 1"):
        with pytest.raises(ValueError, match=app.FRAME_ANCESTORS):
            app.frame_ancestors(wrong)


def test_assets_are_found_without_importing_plotly() -> None:
    code = "import sys; from components import assets as a; a.plotly(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "plotly" not in done.stdout.split()
