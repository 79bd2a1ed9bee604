"""A run of a page that takes too long is ended from outside, with words and nothing else."""

from __future__ import annotations

import threading
import time

import pytest
from streamlit.testing.v1 import AppTest

from engine import limits
from pages import budget


def slow() -> None:
    """A page whose body never ends by itself."""
    import streamlit as st

    from pages import frame

    @frame.fragment
    def body() -> None:
        st.button("Again")
        with st.columns(2)[0]:
            while st.session_state.get("hang", True):
                pass
        st.write("done")

    st.title("Slow")
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
