"""Arrays survive the wire, large ones go once, and nothing from a browser is trusted."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import wire


def decoded(blob: dict[str, Any]) -> np.ndarray:
    raw = base64.b64decode(blob["b64"])
    return np.frombuffer(raw, dtype=f"<{blob['dtype']}").reshape(blob["shape"])


@pytest.mark.parametrize("dtype", ["f4", "f8", "u1", "i4"])
def test_arrays_survive(dtype: wire.DType) -> None:
    values = np.arange(12).reshape(3, 4)
    blob = wire.Wire().array(values.T, dtype)  # not contiguous
    assert blob["dtype"] == dtype
    np.testing.assert_array_equal(decoded(blob), values.T)


def test_single_precision_only_where_no_magnitude_is_lost() -> None:
    encoder = wire.Wire()
    assert encoder.floats([0.0, 1.5, np.nan, np.inf])["dtype"] == "f4"
    assert encoder.floats([1.0, 1e-60])["dtype"] == "f8"
    assert encoder.floats([1.0, -1e40])["dtype"] == "f8"
    assert encoder.floats([])["shape"] == [0]
    assert decoded(encoder.floats([1.0, 1e-60]))[1] == 1e-60


def test_large_arrays_are_sent_once_until_forgotten() -> None:
    encoder = wire.Wire()
    values = np.random.default_rng(0).normal(size=2000)
    first = encoder.array(values, "f4")
    again = encoder.array(values.copy(), "f4")
    assert "b64" in first
    assert again == {name: entry for name, entry in first.items() if name != "b64"}
    assert "b64" in encoder.array(values + 1, "f4")
    encoder.forget(["unknown", 3, first["ref"]])
    assert encoder.array(values, "f4") == first
    assert "ref" not in encoder.array(values[:10], "f4")


def test_same_bytes_of_another_type_have_another_name() -> None:
    encoder = wire.Wire()
    zeros = np.zeros(4096)
    assert encoder.array(zeros, "f8")["ref"] != encoder.array(np.zeros(8192), "f4")["ref"]


def test_memory_of_sent_arrays_is_bounded() -> None:
    encoder = wire.Wire()
    for i in range(200):
        encoder.array(np.full(2000, i), "f4")
    assert len(encoder.sent) == 64


def test_figures_keep_their_shape_and_hold_no_nan() -> None:
    figure = {
        "data": [
            {"z": np.eye(2), "x": [1.0, float("nan")], "n": np.int64(3), "text": np.array(["a"])},
            {"y": {"dtype": "f8", "bdata": base64.b64encode(np.arange(2.0)).decode()}},
        ],
        "layout": {"title": {"text": "p(x|y)"}, "range": (0, np.float64("inf"))},
    }
    coded = wire.Wire().figure(figure)
    json.dumps(coded, allow_nan=False)
    first, second = coded["data"]
    np.testing.assert_array_equal(decoded(first["z"]["$array"]), np.eye(2))
    np.testing.assert_array_equal(decoded(second["y"]["$array"]), [0, 1])
    assert first["x"] == [1.0, None]
    assert first["n"] == 3
    assert first["text"] == ["a"]
    assert coded["layout"] == {"title": {"text": "p(x|y)"}, "range": [0, None]}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(ANYTHING)
def test_no_answer_raises(answer: Any) -> None:
    seq, body = wire.payload({"event": answer}, "event")
    assert seq >= 0
    assert isinstance(body, dict)
    number, text = wire.number(answer), wire.text(answer)
    assert number is None or np.isfinite(number)
    assert text is None or len(text) <= 200
    wire.Wire().forget(answer)


@pytest.mark.parametrize("seq", [True, 0, -1, 1.5, "7", None, 2**60])
def test_a_wrong_seq_is_no_answer(seq: Any) -> None:
    assert wire.payload({"event": {"seq": seq, "x": 1}}, "event") == (0, {})


def test_what_is_packed_is_read_back() -> None:
    from streamlit.proto.BidiComponent_pb2 import BidiComponent

    data = {"a": [1, 0.1, 1e-300, None, True, "η"], "b": {"c": "\ud800"}}
    assert wire.given(BidiComponent(bytes=wire.packed(data))) == {"a": data["a"], "b": data["b"]}
    assert wire.given(BidiComponent(json='{"a": 1}')) == {"a": 1}
    assert wire.given(BidiComponent()) is None
