"""More than one server: readers whose server goes are back through their link, and lose nothing.

Three replicas behind nginx, with the very configuration that `deploy/` has, on loopback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from playwright.sync_api import Browser, Page

from tests.browser import ROOT, Visitor, wait_until_lost, wait_until_settled
from tests.reader import Reader, get
from tests.service.replicas import CONF, Replicas, behind_nginx, nginx, site

LINK = "/race?runs=sgd;momentum;adam&lr=0.017&steps=300"
SECONDS = 5.0
# Rooms of the repository that no replica needs.
NOT_SERVED = {"docs", "benchmarks", "tests", "descent_lab"}
# The steps at which the stage's clock stands within a fifth of a second.
STEPS = """
async () => {
  const seen = new Set(), stage = document.querySelector(".dl-stage[data-seq]")
  for (const end = performance.now() + 200; performance.now() < end; ) {
    await new Promise(requestAnimationFrame)
    seen.add(stage.dataset.frame)
  }
  return seen.size
}
"""


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    if nginx() is None:
        if os.environ.get("CI") == "true":
            pytest.fail("nginx is not installed, and CI requires it")
        pytest.skip("nginx is not installed")
    with behind_nginx(tmp_path_factory.mktemp("replicas")) as running:
        yield running


def serving(replicas: Replicas) -> dict[int, int]:
    """How many sessions each replica has open."""
    found = {}
    for port in replicas.ports:
        text = get(f"http://127.0.0.1:{port}/metrics")
        line = next(x for x in text.splitlines() if x.startswith("descent_lab_sessions "))
        found[port] = int(line.split()[1])
    return found


def logged(replicas: Replicas, path: str, count: int) -> list[str]:
    """nginx's lines for a path, so many at least: it writes them after it has answered."""
    end = time.monotonic() + SECONDS
    while True:
        log = (replicas.folder / "access.log").read_text().splitlines()
        found = [line for line in log if f'"{path}"' in line]
        if len(found) >= count or time.monotonic() > end:
            return found
        time.sleep(0.05)


def query(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


@pytest.mark.browser
@pytest.mark.slow
def test_a_killed_server_costs_its_readers_nothing(
    browser: Browser, replicas: Replicas, request: pytest.FixtureRequest
) -> None:
    visit = Visitor(browser, replicas.address)
    page = visit(LINK)
    page.locator(".dl-stage[data-seq]").wait_for()
    before = query(page)
    page.locator('.dl-stage [data-act="loop"]').click()
    if page.evaluate(STEPS) == 1:  # its first turn is over
        page.locator('.dl-stage [data-act="play"]').click()
    assert page.evaluate(STEPS) > 1
    (port,) = (port for port, open_ in serving(replicas).items() if open_)

    replicas.kill(port)
    request.addfinalizer(lambda: replicas.begin(port))
    begin = time.monotonic()
    wait_until_lost(page)
    steps: list[int] = []
    while not page.locator('[data-test-connection-state="CONNECTED"]').count():
        steps.append(page.evaluate(STEPS))
        assert time.monotonic() - begin < SECONDS
    wait_until_settled(page)
    assert time.monotonic() - begin < SECONDS
    assert steps, "nobody looked while the server was away"
    assert min(steps) > 1, f"the picture stood still: {steps}"
    assert query(page) == before
    assert page.locator('[data-testid="stException"]').count() == 0
    # The experiment lives on: what moves now is answered by another server.
    slider = page.locator('[data-name="lr"] .dc-range').first
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: "lr=0.017&" not in f"{url}&")
    assert query(page)["runs"] == before["runs"]
    # Asking a server that is not there is the browser's own complaint, and none of ours.
    visit.close()
    assert [e for e in visit.errors if "WebSocket" not in e and "502" not in e] == []


@pytest.mark.slow
def test_replicas_are_restarted_one_after_the_other_and_no_reader_loses_a_thing(
    replicas: Replicas,
) -> None:
    """Readers who move all the time; one whose connection breaks opens its link again."""
    readers = 6
    found: list[str] = []
    again = 0
    tabs = [Reader(replicas.address, LINK).__enter__() for _ in range(readers)]
    for tab in tabs:
        tab.ask()
        assert tab.answer()
    for turn, port in enumerate(replicas.ports):
        replicas.restart(port)
        for k, tab in enumerate(tabs):
            try:
                tab.move(lr=0.01 + 0.001 * turn)
                assert tab.answer()
            except Exception:  # websockets has its own: the line is cut
                begin = time.monotonic()
                tab.__exit__(None, None, None)
                tabs[k] = tab = Reader(replicas.address, LINK).__enter__()
                tab.ask()
                assert tab.answer()
                assert time.monotonic() - begin < SECONDS
                again += 1
                tab.move(lr=0.01 + 0.001 * turn)
                assert tab.answer()
            found += tab.errors
        time.sleep(5.5)  # nginx leaves a replica out for five seconds
    for tab in tabs:
        tab.__exit__(None, None, None)
    assert again >= readers  # each replica went, so each reader lost its line at least once
    assert found == []
    assert '"traceback"' not in replicas.logs()


def test_nginx_keeps_what_never_changes_and_hides_the_numbers(replicas: Replicas) -> None:
    from components import assets

    path = f"/{assets.address(assets.modules(), 'stage/stage.js')}"
    before = len(logged(replicas, path, 0))
    first, second = (get(replicas.address + path) for _ in range(2))
    assert first == second == assets.modules().files["stage/stage.js"].decode()
    asked = logged(replicas, path, before + 2)
    assert '"replica":"127.0.0.1:' in asked[-2]
    assert '"replica":""' in asked[-1]  # from its own store
    for hidden in ("/metrics", "/metrics/", "/_stcore/metrics"):
        assert "descent_lab" not in get(replicas.address + hidden)
        assert "404" in get(replicas.address + hidden)


def test_a_browser_keeps_its_seat(replicas: Replicas) -> None:
    from urllib.request import ProxyHandler, Request, build_opener

    path = "/_stcore/host-config"
    before = len(logged(replicas, path, 0))
    direct = build_opener(ProxyHandler({}))
    with direct.open(replicas.address + path) as answer:
        cookies = [v for k, v in answer.headers.items() if k.lower() == "set-cookie"]
    (seat,) = (cookie for cookie in cookies if cookie.startswith("descent_lab_seat="))
    assert {"Secure", "HttpOnly", "SameSite=None", "Partitioned"} <= set(seat.split("; "))
    asked = Request(replicas.address + path, headers={"Cookie": seat.split(";")[0]})
    for _ in range(6):
        with direct.open(asked) as answer:
            assert "descent_lab_seat" not in str(answer.headers)
    lines = logged(replicas, path, before + 7)
    assert len({line.partition('"replica":')[2] for line in lines[-6:]}) == 1


def test_the_files_name_what_there_is() -> None:
    """Ports, paths and settings stand in several files of `deploy/`: they are the same in all."""
    assert "127.0.0.1:9001" in site([9001, 9002, 9003], 9000, Path("/tmp"))
    unit = (ROOT / "deploy" / "descent-lab@.service").read_text()
    container = (ROOT / "deploy" / "Containerfile").read_text()
    cluster = list(yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text()))
    assert [part["kind"] for part in cluster] == [
        "Deployment", "Service", "PodDisruptionBudget", "Ingress",
    ]  # fmt: skip
    pod = cluster[0]["spec"]["template"]["spec"]["containers"][0]
    assert pod["readinessProbe"]["httpGet"]["path"] == "/_stcore/health"
    assert "/_stcore/health" in container
    source = (ROOT / "app.py").read_text()
    for setting in (*(entry["name"] for entry in pod["env"]), "DESCENT_LAB_FRAME_ANCESTORS"):
        assert f'"{setting}"' in source
        assert setting in unit
    rooms = {p.parent.name for p in ROOT.glob("*/__init__.py")} - NOT_SERVED
    assert all(f"COPY {room} {room}\n" in container for room in rooms | {"lessons"})
    assert "descent_lab_seat" in CONF.read_text()
    for script in ("rolling-restart",):
        subprocess.run(["sh", "-n", ROOT / "deploy" / script], check=True)
    assert sys.version_info >= (3, 11)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """As on a machine where the checkout lies in its place: the one command is stood in for."""
    systemd = shutil.which("systemd-analyze")
    if systemd is None:
        pytest.skip("systemd is not installed")
    text = (ROOT / "deploy" / "descent-lab@.service").read_text()
    unit = tmp_path / "descent-lab@.service"
    unit.write_text(text.replace("/opt/descent-lab/.venv/bin/streamlit", "/bin/true"))
    done = subprocess.run([systemd, "verify", unit], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
