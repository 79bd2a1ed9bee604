"""The state of a page: what a link may say, what it may not, and when it is written."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.state import Choice, Field, Flag, Integer, Number, Numbers, Text, read_number, shorten

finite = st.floats(allow_nan=False, allow_infinity=False)


def even(text: str) -> None:
    """A check as pages have them."""
    if len(text) % 2:
        raise ValueError("an odd number of letters")


# Fields -------------------------------------------------------------------------------------------


@given(finite)
def test_a_number_is_written_short_and_read_back_exactly(value: float) -> None:
    assert read_number(shorten(value)) == value
    assert len(shorten(value)) <= len(repr(value))


@given(st.lists(finite, min_size=1, max_size=8))
def test_numbers_read_back_exactly(values: list[float]) -> None:
    field = Numbers("z", (), -math.inf, math.inf, count=(1, 8))
    assert field.parse(field.format(tuple(values))) == tuple(values)


@given(st.integers(-1000, 1000))
def test_integers_read_back_exactly(value: int) -> None:
    field = Integer("n", 0, -1000, 1000)
    assert field.parse(field.format(value)) == value


@pytest.mark.parametrize("value", [True, False])
def test_flags_read_back(value: bool) -> None:
    field = Flag("on", True)
    assert field.parse(field.format(value)) is value


def test_choices_of_any_kind_read_back() -> None:
    field = Choice("base", 2, [2, math.e, "ten", True])
    for option in (2, math.e, "ten", True):
        assert field.parse(field.format(option)) == option


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        (Number("x", 1, 0, 2), "one", "'one' is not a number"),
        (Number("x", 1, 0, 2), "", "not a number"),
        (Number("x", 1, 0, 2), "nan", "not a finite number"),
        (Number("x", 1, 0, 2), "-inf", "not a finite number"),
        (Number("x", 1, 0, 2), "1e999", "not a finite number"),
        (Number("x", 1, 0, 2), "2.5", "2.5 lies outside 0 … 2"),
        (Integer("n", 1, 0, 9), "1.5", "not a whole number"),
        (Integer("n", 1, 0, 9), "10", "outside"),
        (Choice("c", "a", ["a", "b"]), "A", "'A' is none of a, b"),
        (Flag("f", True), "true", "neither 0 nor 1"),
        (Text("t", "ab", check=even), "abc", "odd number of letters"),
        (Numbers("z", (), 0, 9, count=(2, 3)), "1", "1 of the 2 to 3 numbers"),
        (Numbers("z", (), 0, 9, count=(2, 3)), "1,2,3,4", "4 of the 2 to 3 numbers"),
        (Numbers("z", (), 0, 9, count=(2, 3)), "1,,2", "not a number"),
        (Numbers("z", (), 0, 9, count=(2, 3)), "1,99", "outside"),
    ],
)
def test_what_cannot_be_used_is_said_in_words(field: Field[Any], text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        field.parse(text)


# An experiment ------------------------------------------------------------------------------------


def small_page() -> None:
    """A page as small as they get: one number moved by code, one choice with a native widget."""
    import streamlit as st

    from pages.state import Choice, Number, experiment

    x = experiment("small", [Number("lr", 0.1, 0, 1), Choice("view", "flat", ["flat", "deep"])])
    for name, (lr, held) in {"drag": (0.7, True), "drop": (0.8, False)}.items():
        if st.button(name):
            x.change({"lr": lr}, held=held)
    st.button("preset", on_click=lambda: x.load({"view": "deep"}))
    if not x.hidden("view"):
        st.selectbox("view", ["flat", "deep"], **x.native("view"))
    st.text(f"lr={x['lr']} view={x['view']}")
    for notice in x.notices:
        st.warning(f"{notice}")
    x.publish()


def visit(**link: str) -> AppTest:
    app = AppTest.from_function(small_page, default_timeout=30)
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


def said(app: AppTest) -> str:
    assert not app.exception
    return str(app.text[0].value)


def address(app: AppTest) -> dict[str, Any]:
    values = dict(app.query_params.items())
    return {n: value if isinstance(value, str) else value[0] for n, value in values.items()}


def press(app: AppTest, name: str) -> AppTest:
    return next(button for button in app.button if button.label == name).click().run()


def test_a_link_sets_values_and_their_widgets() -> None:
    app = visit(lr="0.25", view="deep")
    assert said(app) == "lr=0.25 view=deep"
    assert app.selectbox[0].value == "deep"
    assert not app.warning


def test_what_cannot_be_read_is_its_default_and_a_notice_names_it() -> None:
    app = visit(lr="2", view="deep")
    assert said(app).startswith("lr=0.1 view=deep")
    assert "lr" in app.warning[0].value
    assert "2 lies outside 0 … 1" in app.warning[0].value
    assert "characters" in visit(view="x" * 3000).warning[0].value


def test_the_address_says_what_is_not_default_and_no_more() -> None:
    app = visit()
    assert address(app) == {}
    assert address(press(app, "drop")) == {"lr": "0.8"}
    assert address(app.selectbox[0].select("deep").run()) == {"lr": "0.8", "view": "deep"}
    assert address(app.selectbox[0].select("flat").run()) == {"lr": "0.8"}


def test_an_address_is_left_as_it_came_until_something_changes() -> None:
    app = visit(lr="two", view="flat", utm="newsletter")
    assert address(app) == {"lr": "two", "view": "flat", "utm": "newsletter"}
    assert "'utm'" not in app.warning[0].value
    assert "nothing of that name" in app.warning[1].value
    assert address(press(app, "drop")) == {"lr": "0.8"}


def test_nothing_is_written_while_the_hand_is_on_a_control() -> None:
    app = visit()
    assert said(press(app, "drag")) == "lr=0.7 view=flat"
    assert address(app) == {}
    assert said(press(app, "drop")) == "lr=0.8 view=flat"
    assert address(app) == {"lr": "0.8"}


def test_a_preset_sets_every_field_and_the_widgets() -> None:
    app = press(visit(lr="0.25"), "preset")
    assert said(app) == "lr=0.1 view=deep"
    assert app.selectbox[0].value == "deep"
    assert address(app) == {"view": "deep"}


def test_hide_and_lock_come_with_the_link_and_stay_in_it() -> None:
    hidden = visit(hide="view,other")
    assert not hidden.selectbox
    assert address(press(hidden, "drop")) == {"lr": "0.8", "hide": "view,other"}
    assert visit(lock="view").selectbox[0].disabled
    assert visit(lock="all").selectbox[0].disabled
    assert not visit(lock="lr").selectbox[0].disabled


def test_a_widget_that_is_left_out_of_a_run_forgets_nothing() -> None:
    app = visit(view="deep", hide="view")
    assert said(press(app, "drop")) == "lr=0.8 view=deep"
    assert address(app) == {"lr": "0.8", "view": "deep", "hide": "view"}


def test_a_name_that_is_nearly_right_is_guessed() -> None:
    assert "did you mean 'lr'" in visit(LR="0.3").warning[0].value
