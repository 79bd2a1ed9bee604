"""A sweep over somebody else's executor: threads, processes, a Dask cluster that loses a worker."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np
import pytest

from engine.problems.formula import landscape as typed
from engine.runs.sweeps import Sweep, SweepCancelled, sweep

AXES = {"lr": np.geomspace(1e-3, 1.0, 40), "beta1": np.linspace(0.0, 0.99, 30)}


@pytest.fixture(autouse=True)
def _no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """The results are the same bits without; worker processes inherit it."""
    monkeypatch.setenv("DESCENT_LAB_COMPILE", "0")


LONG = 1500  # so many steps that tiles are left when the first is done, on a busy machine too


def run(executor: Executor | None, steps: int = 120, **more: Any) -> Sweep:
    formula = typed("(x - 1)**2 + 30*(y + x*y - 2)**2")
    return sweep(formula, "adam", AXES, (3, 2), steps, target=0.1, executor=executor, **more)


def assert_same(a: Sweep, b: Sweep) -> None:
    for name in ("final_point", "final_loss", "diverged_at", "steps_to_target"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


def test_threads() -> None:
    with ThreadPoolExecutor(3) as executor:
        assert_same(run(executor), run(None))


def test_processes() -> None:
    """Fresh processes: all that a tile needs has to arrive with it."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as executor:
        found = run(executor)
    assert found.note == ""
    assert_same(found, run(None))


class Breaking(Executor):
    """A process pool that loses its processes after some tiles."""

    def __init__(self, after: int) -> None:
        self.left = after

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.left -= 1
        if self.left >= 0:
            future.set_result(fn(*args, **kwargs))
        else:
            future.set_exception(BrokenProcessPool("a process was killed"))
        return future


@pytest.mark.parametrize("after", [0, 5])
def test_a_broken_executor_is_said_and_the_sweep_still_complete(after: int) -> None:
    with pytest.warns(RuntimeWarning, match="the executor broke"):
        found = run(Breaking(after))
    assert "tiles were run here instead" in found.note
    assert_same(found, run(None))


def test_a_process_that_is_killed_does_not_lose_the_sweep() -> None:
    """The real thing: the pool is broken for good, and the caller gets all cells and a warning."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as executor:
        victims = [executor.submit(os.getpid).result()]

        def kill(_: float) -> None:
            if victims:  # after the first tile
                os.kill(victims.pop(), signal.SIGKILL)

        with pytest.warns(RuntimeWarning, match="the executor broke"):
            found = run(executor, LONG, progress=kill)
    assert_same(found, run(None, LONG))


def test_a_sweep_over_an_executor_can_be_stopped() -> None:
    with ThreadPoolExecutor(1) as executor, pytest.raises(SweepCancelled):
        run(executor, cancelled=lambda: True)


@pytest.mark.slow
def test_a_dask_cluster_that_loses_a_worker_gives_the_same_sweep() -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        assert len(set(pids.values())) == 2
        victims = [next(iter(pids.values()))]
        done: list[float] = []

        def kill(share: float) -> None:
            done.append(share)
            if victims:  # after the first tile, with nearly all of them still to be done
                os.kill(victims.pop(), signal.SIGKILL)

        with client.get_executor() as executor:
            found = run(executor, steps=1500, progress=kill)
    assert done[0] < 0.1
    assert found.note == ""
    assert_same(found, run(None, steps=1500))
