"""Work beside the script: told, stopped, ended by time and by the reader's leaving."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from types import SimpleNamespace

import pytest

from engine import limits
from engine.runs.sweeps import SweepCancelled
from pages import background
from pages.background import Work


def waiting(begun: Event) -> Callable[[Callable[[float], None], Callable[[], bool]], str]:
    """A maker that goes on until it is stopped."""
    pause = Event()

    def make(tell: Callable[[float], None], stop: Callable[[], bool]) -> str:
        begun.set()
        while not stop():
            pause.wait(0.01)
        raise SweepCancelled

    return make


def test_all_maps_are_made_and_the_share_is_told() -> None:
    def make(tell: Callable[[float], None], stop: Callable[[], bool]) -> int:
        tell(1.0)
        return 512

    work = Work("a-b", {"a": make, "b": make})
    work.thread.join(10)
    assert work.done
    assert work.made == {"a": 512, "b": 512}
    assert work.share == 1.0


def test_work_that_is_stopped_keeps_what_it_has_and_is_no_error() -> None:
    second = Event()
    work: Work[str] = Work("a-b", {"a": lambda tell, stop: "made", "b": waiting(second)})
    assert second.wait(10)
    work.stop.set()
    work.thread.join(10)
    assert (work.made, work.error, work.late) == ({"a": "made"}, None, False)


def test_work_ends_when_nobody_looks_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LEFT_SECONDS", 0.05)
    work: Work[str] = Work("a", {"a": waiting(Event())})
    work.thread.join(10)
    assert work.done
    assert not work.late


def test_work_ends_when_its_time_is_up_and_says_so() -> None:
    work: Work[str] = Work("a", {"a": waiting(Event())}, 0.05)
    work.thread.join(10)
    assert work.done
    assert work.late


def test_one_reader_at_a_time() -> None:
    """The second's work waits for the first's to end, without having begun."""
    first, second = Event(), Event()
    one: Work[str] = Work("a", {"a": waiting(first)})
    assert first.wait(10)
    other: Work[str] = Work("b", {"b": waiting(second)})
    time.sleep(0.2)
    assert not second.is_set()
    one.stop.set()
    assert second.wait(10)
    other.stop.set()
    other.thread.join(10)


def test_an_error_is_kept_for_the_script() -> None:
    def broken(tell: Callable[[float], None], stop: Callable[[], bool]) -> str:
        raise ValueError("no")

    work: Work[str] = Work("a", {"a": broken})
    work.thread.join(10)
    assert isinstance(work.error, ValueError)


def of(reader: str, used: float) -> Work[str]:
    """Work of a reader who has used so many seconds of late; it waits for its turn."""
    work: Work[str] = Work("a", {"a": waiting(Event())})
    work.reader = reader
    background._turns._used[reader] = (used, time.monotonic())
    return work


def test_next_is_the_work_of_whoever_has_used_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_turns", background.Turns())
    begun = Event()
    first: Work[str] = Work("a", {"a": waiting(begun)})
    assert begun.wait(10)
    greedy, modest = of("greedy", 20.0), of("modest", 1.0)
    ran = Event()
    modest.makers = {"a": waiting(ran)}
    first.stop.set()
    assert ran.wait(10)
    assert not greedy.made
    for work in (modest, greedy):
        work.stop.set()
        work.thread.join(10)


def test_a_readers_new_work_ends_his_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """On whatever page: one piece of work for each reader."""
    who = SimpleNamespace(session_id="somebody")
    monkeypatch.setattr(background, "get_script_run_ctx", lambda **how: who)
    begun = Event()
    old: Work[str] = Work("a", {"a": waiting(begun)})
    assert begun.wait(10)
    new: Work[str] = Work("b", {"b": lambda tell, stop: "made"})
    for work in (old, new):
        work.thread.join(10)
        assert work.done
    assert (old.made, new.made) == ({}, {"b": "made"})
