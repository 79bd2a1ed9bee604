"""A run of a page that takes too long is ended from outside, with words and nothing else."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine import limits
from pages import budget


def slow() -> None:
    """A page whose body never ends by itself."""
    import streamlit as st

    from pages import frame
    from pages.budget import limited

    @frame.fragment
    def body() -> None:
        st.button("Again")
        with st.columns(2)[0]:
            while st.session_state.get("hang", True):
                pass
        st.write("done")

    st.title("Slow")
    with limited():
        body()


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCRIPT_SECONDS", 0.2)


def test_a_page_that_never_ends_is_ended_and_says_so() -> None:
    page = AppTest.from_function(slow, default_timeout=30).run()
    assert not page.exception
    assert [e.value for e in page.error] == [
        (
            "This page was ended: it took more than 0.2 s of the server's time. A shorter formula, "
            "fewer steps or fewer optimizers will do."
        )
    ]
    assert page.title[0].value == "Slow"
    page.session_state["hang"] = False
    page.run()  # and the next run is as good as any
    assert not page.error
    assert page.markdown[0].value == "done"


def test_waiting_is_not_counted() -> None:
    with budget.limited():
        time.sleep(0.5)


def test_the_outermost_counts() -> None:
    with budget.limited():
        with budget.limited():
            pass
        assert threading.get_ident() in budget._watch


def test_a_run_that_ends_in_time_leaves_nothing_behind() -> None:
    """Python's trace function waits for ever where an exception is looked for and none is there."""
    for _ in range(3):
        with budget.limited():
            pass
    lines: list[int] = []

    def follow(frame: Any, event: str, _: Any) -> Any:
        lines.append(frame.f_lineno)
        return follow

    def traced() -> None:
        before = sys.gettrace()
        sys.settrace(follow)
        try:
            lines.extend([0 for _ in range(3)])
        finally:
            sys.settrace(before)

    thread = threading.Thread(target=traced, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert lines


def test_who_is_out_of_time_as_he_ends_is_told_then_and_not_later() -> None:
    thread = threading.get_ident()

    def run() -> None:
        budget._watch.begin(thread)
        try:
            budget._throw(thread)
        finally:
            budget._watch.end(thread)

    with pytest.raises(budget.OutOfTime):
        run()
    budget._watch.end(thread)
    for _ in range(1000):
        str(thread)
