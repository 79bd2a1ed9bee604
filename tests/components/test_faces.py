"""The two Python faces: what they send, what they believe, in a fragment and out of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from components import controls as c
from components import stage as s
from components import wire
from tests.components.test_wire import ANYTHING, decoded

TIMEOUT = 20


def sent(app: AppTest) -> list[dict[str, Any]]:
    assert not app.exception
    return [json.loads(element.proto.json) for element in app.get("bidi_component")]


def both() -> None:
    """A page: one stage and one panel of controls, whose results it leaves in the session."""
    import numpy as np
    import streamlit as st

    from components.controls import Action, Choice, Group, Slider, Toggle, controls
    from components.stage import Handle, Panel, Raster, Track, stage

    def page() -> None:
        given = st.session_state.get("given", 0.1)
        st.session_state["controls_result"] = controls(
            "controls",
            [
                Group(
                    id="sgd",
                    items=[
                        Slider(name="lr", label="rate", value=given, minimum=1e-3, maximum=1,
                               scale="log"),
                        Slider(name="steps", label="steps", value=5, minimum=1, maximum=9,
                               integer=True),
                        Toggle(name="noise", label="noise", value=False),
                        Choice(name="kind", label="kind", value="a",
                               options=[("a", "A"), ("b", "B")]),
                    ],
                    actions=[Action(id="remove", label="Remove")],
                )
            ],
            locked=st.session_state.get("locked", ()),
        )  # fmt: skip
        st.session_state["stage_result"] = stage(
            "stage",
            [
                Panel(
                    id="plane",
                    figure={"data": [{"type": "contour", "z": np.zeros((60, 60))}]},
                    tracks=[Track(x=[0, 1, 2], y=[0.5, np.nan, 1e-50], stop=1, label="sgd")],
                    handles=[Handle(id="start", x=np.nan, y=2.0)],
                    rasters=[Raster(values=np.eye(3), palette=["#fff|#000"], x0=0, x1=1, y0=0,
                                    y1=1, readout={"loss": np.eye(3)})],
                )
            ],
            frames=3,
            on_event=lambda event: st.session_state.update(called=event),
        )  # fmt: skip

    if st.session_state.get("fragment"):
        st.fragment(page)()
    else:
        page()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Mapping[str, Any]]:
    """What browsers have said, by component key: fill it before a run."""
    said: dict[str, Mapping[str, Any]] = {}
    monkeypatch.setattr(wire, "state", lambda key: said.get(key, {}))
    return said


@pytest.mark.parametrize("fragment", [False, True])
def test_both_faces_send_their_data(fragment: bool) -> None:
    app = AppTest.from_function(both, default_timeout=TIMEOUT)
    app.session_state["fragment"] = fragment
    panel, picture = sent(app.run())
    slider, steps, toggle, choice = panel["groups"][0]["items"]
    assert (slider["kind"], slider["value"], slider["scale"]) == ("slider", 0.1, "log")
    assert steps["step"] == 1
    assert (toggle["kind"], toggle["value"]) == ("toggle", False)
    assert choice["options"] == [["a", "A"], ["b", "B"]]
    plane = picture["panels"][0]
    track = plane["tracks"][0]
    np.testing.assert_array_equal(decoded(track["y"]), [0.5, np.nan, 1e-50])
    assert track["stop"] == 1
    assert plane["handles"][0]["x"] == 0.0  # a start that is no number is not sent
    assert decoded(plane["rasters"][0]["values"]).tolist() == np.eye(3).tolist()
    assert plane["rasters"][0]["readout"][0][0] == "loss"
    json.dumps(picture, allow_nan=False)


def test_an_unchanged_stage_keeps_its_number_and_spares_its_arrays() -> None:
    app = AppTest.from_function(both, default_timeout=TIMEOUT)
    first = sent(app.run())[1]
    again = sent(app.run())[1]
    assert again["seq"] == first["seq"] == 1
    before, after = (d["panels"][0] for d in (first, again))
    assert "b64" in before["figure"]["data"][0]["z"]["$array"]
    assert "b64" not in after["figure"]["data"][0]["z"]["$array"]
    assert after["hash"] == before["hash"]


def test_a_browser_that_lost_an_array_gets_it_again(answers: dict[str, Any]) -> None:
    app = AppTest.from_function(both, default_timeout=TIMEOUT)
    blob = sent(app.run())[1]["panels"][0]["figure"]["data"][0]["z"]["$array"]
    answers["stage"] = {"need": {"seq": 7, "refs": [blob["ref"]]}}
    data = sent(app.run())[1]
    assert data["panels"][0]["figure"]["data"][0]["z"]["$array"] == blob
    assert data["need"] == 7
    assert "b64" not in sent(app.run())[1]["panels"][0]["figure"]["data"][0]["z"]["$array"]


def test_an_event_is_given_once_and_echoed(answers: dict[str, Any]) -> None:
    app = AppTest.from_function(both, default_timeout=TIMEOUT)
    app.run()
    answers["stage"] = {
        "event": {"seq": 3, "panel": "plane", "id": "start", "kind": "drag", "x": 1, "y": -2.5},
        "cursor": {"seq": 9, "frame": 700},
    }
    data = sent(app.run())[1]
    assert data["echo"] == 9
    result = app.session_state["stage_result"]
    assert result.event == s.Event("plane", "start", "drag", 1.0, -2.5)
    assert result.frame == 2  # there are three
    app.run()
    assert app.session_state["stage_result"].event is None


def test_the_event_can_be_read_ahead_of_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    session: dict[str, Any] = {
        "stage": {"event": {"seq": 5, "panel": "p", "id": "", "kind": "click", "x": 0, "y": 1}}
    }
    monkeypatch.setattr(s.st, "session_state", session)
    assert s.pending_event("stage") == s.Event("p", "", "click", 0.0, 1.0)
    session["_stage:stage"].event = 5
    assert s.pending_event("stage") is None


BODY = {"panel": "p", "id": "h", "kind": "drag", "x": 0.5, "y": 1.0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"panel": "q"},
        {"panel": None},
        {"id": "other"},
        {"id": ""},
        {"id": "x" * 300},
        {"kind": "click"},
        {"kind": ["drag"]},
        {"x": float("nan")},
        {"x": "1"},
        {"y": True},
        {"y": 10**400},
        {"y": None},
    ],
)
def test_malformed_events_are_ignored(wrong: dict[str, Any]) -> None:
    assert s._event(BODY, {"p": {"h"}}) is not None
    assert s._event({**BODY, **wrong}, {"p": {"h"}}) is None


@given(st.fixed_dictionaries(dict.fromkeys(("panel", "id", "kind", "x", "y"), ANYTHING)))
def test_no_event_raises(body: dict[str, Any]) -> None:
    s._event(body, {"p": {"h"}})


SLIDER = c.Slider(name="lr", label="rate", value=0.1, minimum=0.001, maximum=1, scale="log")
COUNT = c.Slider(name="n", label="count", value=3, minimum=1, maximum=9, integer=True)
TOGGLE = c.Toggle(name="on", label="on", value=False)
CHOICE = c.Choice(name="kind", label="kind", value="a", options=[("a", "A"), ("b", "B")])


def settled(
    record: c._Record, *items: c.Item, values: Any = None, locked: frozenset[str] = frozenset()
) -> dict[str, c.Value]:
    answers = {} if values is None else {"values": values}
    c._settle(record, {item.name: item for item in items}, answers, locked)
    return record.held


def given_as(value: float) -> c.Slider:
    return c.Slider(name="lr", label="rate", value=value, minimum=0.001, maximum=1, scale="log")


def test_the_readers_value_stays_until_the_caller_changes_its_own() -> None:
    record = c._Record()
    assert settled(record, given_as(0.1)) == {"lr": 0.1}
    moved = {"seq": 1, "set": {"lr": 0.3}, "committed": False}
    assert settled(record, given_as(0.1), values=moved) == {"lr": 0.3}
    assert record.committed is False
    assert settled(record, given_as(0.1), values=moved) == {"lr": 0.3}
    assert settled(record, given_as(0.3), values=moved) == {"lr": 0.3}  # a caller that stores
    assert settled(record, given_as(0.5), values=moved) == {"lr": 0.5}  # a preset
    assert settled(record, given_as(0.5), values=moved) == {"lr": 0.5}
    done = {"seq": 2, "set": {"lr": 0.2}, "committed": True}
    assert settled(record, given_as(0.5), values=done) == {"lr": 0.2}
    assert record.committed is True


def test_a_caller_that_stores_what_it_is_told_never_fights_the_hand() -> None:
    record, stored = c._Record(), 0.1
    settled(record, given_as(stored))
    for seq, hand in enumerate([0.11, 0.12, 0.13, 0.4], start=1):
        moved = {"seq": seq, "set": {"lr": hand}, "committed": False}
        stored = float(settled(record, given_as(stored), values=moved)["lr"])
        assert stored == hand


def test_values_are_brought_into_range_and_kind() -> None:
    record = c._Record()
    everything = (SLIDER, COUNT, TOGGLE, CHOICE)
    settled(record, *everything)
    wanted = {"lr": 50, "n": 3.7, "on": True, "kind": "b", "unknown": 1}
    values = {"seq": 1, "set": wanted}
    assert settled(record, *everything, values=values) == {
        "lr": 1.0, "n": 4.0, "on": True, "kind": "b",
    }  # fmt: skip


@given(st.fixed_dictionaries({"set": ANYTHING, "committed": ANYTHING}), ANYTHING)
def test_malformed_values_are_ignored(body: dict[str, Any], seq: Any) -> None:
    record = c._Record()
    held = dict(settled(record, SLIDER, TOGGLE, CHOICE))
    values = {**body, "seq": seq}
    if not isinstance(body["set"], dict) or not {"lr", "on", "kind"} & set(body["set"]):
        assert settled(record, SLIDER, TOGGLE, CHOICE, values=values) == held


@pytest.mark.parametrize("value", [None, "0.5", [], {}, True, float("nan"), 10**400])
def test_a_slider_takes_only_numbers(value: Any) -> None:
    record = c._Record()
    settled(record, SLIDER)
    assert settled(record, SLIDER, values={"seq": 1, "set": {"lr": value}}) == {"lr": 0.1}


def test_a_locked_control_cannot_be_moved_from_the_browser() -> None:
    record = c._Record()
    settled(record, SLIDER)
    values = {"seq": 1, "set": {"lr": 0.5}}
    assert settled(record, SLIDER, values=values, locked=frozenset({"lr"})) == {"lr": 0.1}


def test_controls_that_are_gone_are_forgotten() -> None:
    record = c._Record()
    settled(record, SLIDER, TOGGLE)
    settled(record, TOGGLE)
    assert set(record.held) == set(record.given) == {"on"}


def test_an_action_is_given_once_and_only_if_known(answers: dict[str, Any]) -> None:
    app = AppTest.from_function(both, default_timeout=TIMEOUT)
    answers["controls"] = {"action": {"seq": 1, "group": "sgd", "id": "explode"}}
    app.run()
    assert app.session_state["controls_result"].action is None
    answers["controls"] = {"action": {"seq": 2, "group": "sgd", "id": "remove"}}
    assert sent(app.run())[0]["echo"] == 2
    assert app.session_state["controls_result"].action == ("sgd", "remove")
    app.run()
    assert app.session_state["controls_result"].action is None


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        make()
    return str(caught.value)


def test_impossible_scales_are_refused_by_name() -> None:
    def slider(low: float, high: float) -> c.Slider:
        return c.Slider(name="lr", label="", value=1, minimum=low, maximum=high, scale="log")

    assert "lr" in refused(lambda: slider(0.0, 1.0))
    assert "lr" in refused(lambda: slider(2.0, 1.0))
