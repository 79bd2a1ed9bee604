"""Fine pictures in the making: told, stopped, and their errors not lost."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from engine.runs.sweeps import SweepCancelled
from pages.refine import FINE, _Work


def test_all_pictures_are_made_finely_and_the_share_is_told() -> None:
    def make(side: int, tell: Callable[[float], None], stop: Callable[[], bool]) -> int:
        tell(1.0)
        return side

    work = _Work("a-b", {"a": make, "b": make})
    work.thread.join(10)
    assert work.done
    assert work.made == {"a": FINE, "b": FINE}
    assert work.share == 1.0


def test_work_that_is_stopped_keeps_what_it_has_and_is_no_error() -> None:
    second, pause = Event(), Event()

    def quick(side: int, tell: Callable[[float], None], stop: Callable[[], bool]) -> str:
        return "made"

    def slow(side: int, tell: Callable[[float], None], stop: Callable[[], bool]) -> str:
        second.set()
        while not stop():
            pause.wait(0.01)
        raise SweepCancelled

    work: _Work[str] = _Work("a-b", {"a": quick, "b": slow})
    assert second.wait(10)
    work.stop.set()
    work.thread.join(10)
    assert (work.made, work.error) == ({"a": "made"}, None)


def test_an_error_is_kept_for_the_script() -> None:
    def broken(side: int, tell: Callable[[float], None], stop: Callable[[], bool]) -> str:
        raise ValueError("no")

    work: _Work[str] = _Work("a", {"a": broken})
    work.thread.join(10)
    assert isinstance(work.error, ValueError)
