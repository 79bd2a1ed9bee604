"""The Python faces: what they send, what they believe, in a fragment and out of it."""

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
from components import store as joined
from components import wire
from tests.components.test_wire import ANYTHING, decoded

TIMEOUT = 20


def sent(app: AppTest) -> list[dict[str, Any]]:
    assert not app.exception
    return [wire.given(element.proto) for element in app.get("bidi_component")]


def both() -> None:
    """A page: a panel of controls, a stage and their store."""
    import numpy as np
    import streamlit as st

    from components.controls import Action, Choice, Group, Slider, Toggle, controls
    from components.stage import Handle, Panel, Raster, Track, stage
    from components.store import store

    def page() -> None:
        given = st.session_state.get("given", 0.1)
        controls(
            "page.controls",
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
            on_action=lambda group, action: None,
        )  # fmt: skip
        st.session_state["shown"] = stage(
            "page.stage",
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
        store("page", {"lr": given, "z": [1.0, 2.0]}, locked=["z"], on_values=lambda *_: None)

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
    panel, picture, joined = sent(app.run())
    slider, steps, toggle, choice = panel["groups"][0]["items"]
    assert (slider["kind"], slider["value"], slider["scale"]) == ("slider", 0.1, "log")
    assert steps["step"] == 1
    assert (toggle["kind"], toggle["value"]) == ("toggle", False)
    assert choice["options"] == [["a", "A"], ["b", "B"]]
    plane = picture["panels"][0]
    track = plane["tracks"][0]
    np.testing.assert_array_equal(decoded(track["y"]), [0.5, np.nan, 1e-50])
    assert track["stop"] == 1
    assert plane["handles"][0]["x"] is None  # a start that is no number is not sent
    assert decoded(plane["rasters"][0]["values"]).tolist() == np.eye(3).tolist()
    assert plane["rasters"][0]["readout"][0][0] == "loss"
    json.dumps(picture, allow_nan=False)
    assert joined["values"] == {"lr": 0.1, "z": [1.0, 2.0]}
    assert joined["locked"] == ["z"]
    assert panel["page"] == picture["page"] == joined["page"] == "page"


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
    answers["page.stage"] = {"need": {"seq": 7, "refs": [blob["ref"]]}}
    data = sent(app.run())[1]
    assert data["panels"][0]["figure"]["data"][0]["z"]["$array"] == blob
    assert data["need"] == 7
    assert "b64" not in sent(app.run())[1]["panels"][0]["figure"]["data"][0]["z"]["$array"]


def test_the_reported_frame_is_one_of_those_there_are(answers: dict[str, Any]) -> None:
    app = AppTest.from_function(both, default_timeout=TIMEOUT)
    app.run()
    assert app.session_state["shown"].frame is None
    answers["page.stage"] = {"cursor": {"seq": 9, "frame": 700}}
    app.run()
    assert app.session_state["shown"].frame == 2


def test_every_answer_of_the_store_is_echoed(answers: dict[str, Any]) -> None:
    app = AppTest.from_function(both, default_timeout=TIMEOUT)
    answers["page.store"] = {"values": {"seq": 4, "set": {"lr": 0.5}, "committed": True}}
    panel, _, joined = sent(app.run())
    assert panel["seq"] == joined["seq"] == 4


BODY = {"panel": "p", "id": "h", "kind": "drop", "x": 0.5, "y": 1.0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"panel": "q"},
        {"panel": None},
        {"id": "other"},
        {"id": ""},
        {"id": "x" * 300},
        {"kind": "click"},
        {"kind": ["drop"]},
        {"kind": "drag"},
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


@given(st.fixed_dictionaries({"set": ANYTHING, "committed": ANYTHING}), ANYTHING)
def test_whatever_a_store_says_is_numbers_texts_and_short_lists(
    body: dict[str, Any], seq: Any
) -> None:
    said = wire.payload({"values": {**body, "seq": seq}}, "values")[1]
    moved, committed = joined.moved_values(said)
    assert committed in (True, False)
    for name, value in moved.items():
        assert len(name) <= 200
        assert isinstance(value, (bool, float, str, list))
        json.dumps(value, allow_nan=False)


def test_an_unknown_action_is_none() -> None:
    known = {("sgd", "remove")}
    assert c._action({"group": "sgd", "id": "remove"}, known) == ("sgd", "remove")
    assert c._action({"group": "sgd", "id": "explode"}, known) is None
    assert c._action({"group": ["sgd"], "id": None}, known) is None


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        make()
    return str(caught.value)


def test_impossible_scales_are_refused_by_name() -> None:
    def slider(low: float, high: float) -> c.Slider:
        return c.Slider(name="lr", label="", value=1, minimum=low, maximum=high, scale="log")

    assert "lr" in refused(lambda: slider(0.0, 1.0))
    assert "lr" in refused(lambda: slider(2.0, 1.0))
