"""Numbers and lines of the log: what a collector reads, and that nothing of a reader is in them."""

from __future__ import annotations

import json
import logging
import re
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.util import calc_hash

from engine.runs import counts
from service import journal, visits
from service.metrics import BUCKETS, Histogram, Metrics
from tests.browser import app_process
from tests.reader import Reader, get

SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,le="[^"]+")?\})? [0-9.e+-]+')


def asked(**what: str) -> BackMsg:
    message = BackMsg()
    for name, value in what.items():
        setattr(message.rerun_script, name, value)
    return message


def test_a_histogram_adds_up_its_buckets() -> None:
    histogram = Histogram()
    for seconds in (0.01, 0.02, 0.2, 7.0):
        histogram.note("race", seconds)
    lines = list(histogram.lines("t", "page"))
    counts_of = [int(line.rsplit(" ", 1)[1]) for line in lines if "_bucket" in line]
    assert counts_of == [1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4]
    assert len(counts_of) == len(BUCKETS) + 1
    assert lines[-2:] == ['t_sum{page="race"} 7.230000', 't_count{page="race"} 4']


def test_the_text_is_prometheus_own_and_says_what_was_noted() -> None:
    metrics = Metrics(counts.caches, lambda: 3)
    visit = visits.Visit(visits.Pages(["race", "map"]), metrics)
    visit.asked(asked(page_name="race"))
    visit.began()
    visit.finished()
    visit.finished()  # a run that nobody asked for is not counted
    visit.asked(asked(page_script_hash=calc_hash("map")))
    visit.finished()
    visit.asked(asked())  # a fragment: the page is the one of before
    visit.finished()
    visit.asked(asked(page_name='x"}', page_script_hash="none"))  # no label of a stranger's making
    visit.finished()
    visit.refused(1008)
    text = metrics.text()
    assert 'descent_lab_reruns_total{page="race"} 1' in text
    assert 'descent_lab_reruns_total{page="map"} 2' in text
    assert 'descent_lab_reruns_total{page="other"} 1' in text
    assert 'descent_lab_refused_total{code="1008"} 1' in text
    assert "descent_lab_sessions 1" in text
    assert 'descent_lab_cache_hits_total{cache="run_kernels"}' in text
    assert "descent_lab_waiting_work 3" in text
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or SAMPLE.fullmatch(line), line
    visit.ended("its session", gone=False)
    assert "descent_lab_sessions 0" in metrics.text()


def test_the_numbers_under_a_base_path() -> None:
    client = TestClient(Starlette(routes=[Metrics().route("/course/lab/")]))
    answer = client.get("/course/lab/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


def test_a_line_of_the_log_is_one_object() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("a.b", logging.ERROR, "", 0, "it %s", ("broke",), sys.exc_info())
    line = journal.Lines().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert said["level"] == "error"
    assert said["event"] == "it broke"
    assert "ValueError: two" in said["traceback"]


@pytest.mark.parametrize("told", [True, False])
def test_a_server_tells_its_numbers_and_writes_its_log_where_it_is_asked_to(
    tmp_path: Path, told: bool
) -> None:
    settings = {"DESCENT_LAB_METRICS": "1", "DESCENT_LAB_LOG": "json"} if told else {}
    log = tmp_path / "log"
    with app_process("app.py", log, **settings) as (server, _):
        with Reader(server, "/softmax?T=0.7") as reader:
            reader.ask()
            assert reader.answer()
            reader.move(T=0.8)
            assert reader.answer()
            text = get(f"{server}/metrics")
            assert "root" in get(f"{server}/softmax?T=0.7")
        assert ('descent_lab_reruns_total{page="softmax"} 2' in text) == told
        assert ("descent_lab_sessions 1" in text) == told
    assert "T=0.7" not in log.read_text()  # no link of a reader's
    assert "127.0.0.1:" not in log.read_text().replace(server, "")  # and no address
    lines = [line for line in log.read_text().splitlines() if line.startswith("{")]
    reruns = [json.loads(line) for line in lines if '"event": "rerun"' in line]
    assert [(r["page"], r["whole"]) for r in reruns] == (
        [("softmax", True), ("softmax", False)] if told else []
    )
    assert all(0 <= r["wait_ms"] <= r["total_ms"] for r in reruns)
