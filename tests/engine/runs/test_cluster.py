"""The one setting for a Dask cluster: absent, wrong, right."""

import numpy as np
import pytest

from engine import sweep
from engine.runs import cluster


def test_without_the_setting_there_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cluster.SETTING, raising=False)
    assert cluster.executor() == (None, "")


def test_an_address_where_nobody_answers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "_SECONDS", 0.5)
    monkeypatch.setenv(cluster.SETTING, "tcp://127.0.0.1:9")  # the discard port: closed
    found, note = cluster.executor()
    assert found is None
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in note


@pytest.mark.slow
def test_the_cluster_at_the_address_does_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    axes = {"lr": np.geomspace(1e-3, 1, 300)}
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as running:
        monkeypatch.setenv(cluster.SETTING, running.scheduler_address)
        found, note = cluster.executor()
        assert note == ""
        assert found is not None
        try:
            there = sweep("booth", "adam", axes, (-7, -5), 50, executor=found)
        finally:
            cluster._client(running.scheduler_address).close()
            cluster._client.cache_clear()
            cluster._attempt.cache_clear()
    here = sweep("booth", "adam", axes, (-7, -5), 50)
    assert np.array_equal(there.final_point, here.final_point)
