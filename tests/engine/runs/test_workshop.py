"""The process for long work: what comes back, how it is stopped, ended and replaced."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import engine
from engine import limits
from engine.runs import workshop
from engine.runs.sweeps import SweepCancelled
from engine.studies import fair_race

RATES = {"lr": np.linspace(0.01, 0.3, 20)}
ASKED = ((1.0, 1.0), 50)


def call(function: Callable[..., Any], *args: Any, **how: Any) -> Any:
    """In the workshop, with nobody listening to how far it is."""
    quiet = {"progress": lambda share: None, "cancelled": lambda: False}
    return workshop.call(function, *args, **(quiet | how))


# What is sent there stands in a module, such as this one.


def whose(*, progress: Any, cancelled: Any) -> tuple[int, int]:
    return os.getpid(), os.nice(0)


def greedy(*, progress: Any, cancelled: Any) -> None:
    np.ones(limits.WORKSHOP_MOST // 8)


def deaf(*, progress: Any, cancelled: Any) -> None:
    time.sleep(60)


def dying(*, progress: Any, cancelled: Any) -> None:
    os._exit(3)


def patient(*, progress: Any, cancelled: Any) -> None:
    progress(0.5)
    while not cancelled():
        time.sleep(0.01)
    raise SweepCancelled


def grown(*, progress: Any, cancelled: Any) -> None:
    limits.WORKSHOP_BYTES = 1  # type: ignore[misc]


def tired(*, progress: Any, cancelled: Any) -> None:
    limits.WORKSHOP_REST = 0.0  # type: ignore[misc]


@pytest.fixture(scope="module", autouse=True)
def plain() -> Iterator[None]:
    """A fresh one that compiles nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESCENT_LAB_COMPILE", "0")
        workshop.close()
        yield
        workshop.close()


@pytest.mark.parametrize(
    ("landscape", "rule"),
    [
        (engine.LANDSCAPES["bowl"](condition=7.0), engine.OPTIMIZERS["adam"]),
        (engine.landscape("x**2 + 3*y**2"), engine.optimizer("v = 0.5*v + g\nw = w - lr*v")),
    ],
    ids=["ours", "typed"],
)
def test_a_sweep_comes_back_as_if_it_had_been_made_here(landscape: Any, rule: Any) -> None:
    found = call(engine.sweep, landscape, rule, RATES, *ASKED)
    own = engine.sweep(landscape, rule, RATES, *ASKED)
    np.testing.assert_array_equal(found.final_point, own.final_point)
    assert found.optimizer is rule
    assert found.landscape.function is landscape.function
    assert found.landscape.values == landscape.values


def test_a_fair_race_comes_back_too() -> None:
    task = fair_race.Task(engine.LANDSCAPES["bowl"], None, 20, 0.1)
    entrants = [
        fair_race.Entrant(slug, engine.OPTIMIZERS[slug], {}, {}) for slug in ("sgd", "adam")
    ]
    protocol = fair_race.Protocol(100, 1, 1, 0, 1, 0, 3, 0.1)
    shares: list[float] = []
    found = call(fair_race.hold, task, entrants, protocol, progress=shares.append)
    own = fair_race.hold(task, entrants, protocol)
    assert found.firsts == own.firsts == Counter(own.firsts)
    np.testing.assert_array_equal(found.own.curves, own.own.curves)
    assert shares[-1] == 1.0


def test_it_is_another_process_of_a_low_rank_and_stays_for_the_next() -> None:
    (first, rank), (second, _) = call(whose), call(whose)
    assert first == second != os.getpid()
    assert rank >= limits.WORKSHOP_NICE


def test_what_is_wrong_is_told_where_it_was_asked() -> None:
    with pytest.raises(ValueError, match="steps must lie in"):
        call(engine.sweep, "bowl", "adam", RATES, (1.0, 1.0), -1)
    with pytest.raises(ValueError, match="more memory than there is"):
        call(greedy)


def test_who_is_told_to_stop_stops() -> None:
    shares: list[float] = []
    process = call(whose)[0]
    with pytest.raises(SweepCancelled):
        call(patient, progress=shares.append, cancelled=lambda: bool(shares))
    assert call(whose)[0] == process


def test_who_does_not_stop_is_ended_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WORKSHOP_GRACE", 0.1)
    process = call(whose)[0]
    begin = time.monotonic()
    with pytest.raises(workshop.Ended):
        call(deaf, cancelled=lambda: True)
    assert time.monotonic() - begin < 30
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert call(whose)[0] != process


def test_who_ends_by_himself_is_told_of_and_replaced() -> None:
    with pytest.raises(ValueError, match="ended before it was done"):
        call(dying)
    assert call(whose)[0]


def test_one_piece_of_work_at_a_time() -> None:
    begun, stop = threading.Event(), threading.Event()

    def first() -> None:
        with pytest.raises(SweepCancelled):
            call(patient, progress=lambda share: begun.set(), cancelled=stop.is_set)

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(30)
    other = threading.Thread(target=call, args=(whose,))
    other.start()
    other.join(0.2)
    assert other.is_alive()
    stop.set()
    for each in (thread, other):
        each.join(30)
        assert not each.is_alive()


def test_once_it_has_grown_it_makes_place_for_another() -> None:
    """With it goes the code that was compiled; whoever comes next does not notice."""
    process = call(whose)[0]
    call(grown)
    assert call(whose)[0] != process


def test_once_it_has_rested_it_goes() -> None:
    process = call(whose)[0]
    call(tired)
    assert workshop._now is not None
    assert workshop._now.process.wait(30) == 0
    assert call(whose)[0] != process
