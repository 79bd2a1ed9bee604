"""What both faces share: arrays and figures as JSON, and answers read without trust.

Arrays travel as base64 typed arrays.  A large one is sent once a session and named by its
hash afterwards; a browser that does not hold it (a message was overtaken, a page reloaded)
asks for it, so leaving it out is never unsafe.  What a component is given goes to it as the bytes
of a JSON text: of a dictionary Streamlit would look at every entry for a table in it, which took
longer than writing it.  Anything that comes back from a browser is checked here; what does not fit
is ignored, never raised.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np
import orjson
import streamlit as st
from numpy.typing import ArrayLike, NDArray

DType: TypeAlias = Literal["f4", "f8", "u1", "i4"]
Json: TypeAlias = Any

_LARGE: Final = 4096  # bytes; below this a name costs about as much as the array
_REMEMBERED: Final = 64  # large arrays a session may refer to by name; the browser keeps more
_NAME_LENGTH: Final = 200
_AS_IT_IS: Final = frozenset({str, bool, int, type(None)})
_FROM_PLOTLY: Final = {"f4": "f4", "f8": "f8", "u1": "u1", "i4": "i4"}


class Moving(Protocol):
    """What knows the leaves that follow the page's values (components.live)."""

    def leaf(self, leaf: Any) -> dict[str, Json] | None:
        """How the browser finds this leaf; None for an ordinary one."""


@dataclass(slots=True)
class Wire:
    """Encodes for one mounted component; `sent` holds the names of large arrays sent before."""

    sent: dict[str, None] = field(default_factory=dict)
    live: Moving | None = None
    named: bool = True  # whether large arrays may be left out once sent
    fresh: bool = False  # whether one has been sent in full since this was last set to False

    def moving(self, leaf: Any) -> dict[str, Json] | None:
        """A leaf of a picture that follows the page's values, as the browser finds it, or None."""
        return None if self.live is None else self.live.leaf(leaf)

    def number(self, value: Any) -> Json:
        """A number that may follow the page's values; None where it is not finite."""
        moving = self.moving(value)
        return moving if moving is not None else _plain(float(value))

    def words(self, value: Any) -> Json:
        """A text that may hold numbers that follow the page's values."""
        moving = self.moving(value)
        return moving if moving is not None else str(value)

    def array(self, values: ArrayLike, dtype: DType) -> dict[str, Json]:
        """Typed array as {dtype, shape, b64} when small, with `ref` when large.

        `b64` is left out of a large one that this session has sent before.
        """
        array = np.ascontiguousarray(values, dtype=f"<{dtype}")
        return self._blob(array.tobytes(), dtype, array.shape)

    def floats(self, values: ArrayLike) -> dict[str, Json]:
        """Float array, in single precision where that loses no magnitude.

        Losses fall below the smallest float32 (and a log axis shows them), so such arrays
        keep double precision.
        """
        if (moving := self.moving(values)) is not None:
            return moving
        array = np.asarray(values, dtype=np.float64)
        size = np.abs(array[np.isfinite(array) & (array != 0)])
        single = not size.size or (size.max() < 1e30 and size.min() > 1e-30)
        return self.array(array, "f4" if single else "f8")

    def text(self, value: str) -> dict[str, Json]:
        """A long text, sent once and named afterwards, as its bytes."""
        return self._blob(value.encode(), "u1", (len(value.encode()),), named=True)

    def figure(self, value: Json) -> Json:
        """A Plotly spec (nested dicts and lists) with its arrays encoded and no NaN in it."""
        kind = type(value)
        if kind in _AS_IT_IS:  # the most of them, of which none can follow the page's values
            return value
        if kind is dict and "bdata" not in value:
            return {str(name): self.figure(entry) for name, entry in value.items()}
        if kind is list:
            return [self.figure(entry) for entry in value]
        if (moving := self.moving(value)) is not None:
            return moving
        if isinstance(value, np.ndarray):
            return self._figure_array(value)
        if isinstance(value, Mapping):
            if "bdata" in value and value.get("dtype") in _FROM_PLOTLY:
                return self._plotly_array(value)
            return {str(name): self.figure(entry) for name, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.figure(entry) for entry in value]
        if isinstance(value, (np.generic, float)):
            return _plain(value)
        return value

    def _figure_array(self, array: NDArray[Any]) -> Json:
        if array.dtype.kind not in "fiub" or array.ndim not in {1, 2}:
            return self.figure(array.tolist())
        if array.dtype.kind == "f":
            return {"$array": self.array(array, "f4" if array.dtype == np.float32 else "f8")}
        return {"$array": self.array(array, "u1" if array.dtype == np.uint8 else "f8")}

    def _plotly_array(self, spec: Mapping[str, Json]) -> Json:
        raw = base64.b64decode(spec["bdata"])
        dtype: DType = spec["dtype"]
        flat = np.frombuffer(raw, dtype=f"<{dtype}")
        shape = str(spec.get("shape", flat.size)).split(",")
        return {"$array": self.array(flat.reshape([int(n) for n in shape]), dtype)}

    def _blob(
        self, raw: bytes, dtype: str, shape: tuple[int, ...], *, named: bool = False
    ) -> dict[str, Json]:
        blob: dict[str, Json] = {"dtype": dtype, "shape": list(shape)}
        if self.named and (named or len(raw) >= _LARGE):
            ref = hashlib.blake2b(raw, digest_size=12, person=dtype.encode()).hexdigest()
            blob["ref"] = ref
            if ref in self.sent:
                return blob
            self.sent[ref] = None
            self.fresh = True
            while len(self.sent) > _REMEMBERED:
                del self.sent[next(iter(self.sent))]
        blob["b64"] = base64.b64encode(raw).decode("ascii")
        return blob

    def forget(self, refs: Json) -> None:
        """Send these large arrays again: the browser says it does not hold them."""
        if isinstance(refs, Sequence) and not isinstance(refs, str):
            for ref in refs:
                if isinstance(ref, str):
                    self.sent.pop(ref, None)


def _plain(value: Any) -> Json:
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def digest(text: str | bytes) -> str:
    """A short name for a text, equal for equal texts."""
    raw = text.encode() if isinstance(text, str) else text
    return hashlib.blake2b(raw, digest_size=8).hexdigest()


def packed(data: Json) -> bytes:
    """What a component is given, as it goes to the browser."""
    try:
        return orjson.dumps(data)
    except TypeError:  # half a surrogate pair, which a browser may say and only `json` writes
        return json.dumps(data).encode()


def given(proto: Any) -> Json:
    """What a component was given, read from its message; None where it was given nothing."""
    text = proto.bytes or proto.json
    return json.loads(text) if text else None


def state(key: str) -> Mapping[str, Json]:
    """What the browser last said to the component `key`; empty before it says anything."""
    stored = st.session_state.get(key)
    return stored if isinstance(stored, Mapping) else {}


def payload(answers: Mapping[str, Json], name: str) -> tuple[int, Mapping[str, Json]]:
    """(seq, body) of the answer called `name`; (0, {}) where there is none or it is malformed."""
    body = answers.get(name)
    if not isinstance(body, Mapping):
        return 0, {}
    seq = body.get("seq")
    if isinstance(seq, bool) or not isinstance(seq, int) or not 0 < seq < 2**53:
        return 0, {}
    return seq, body


def number(value: Json) -> float | None:
    """A finite float, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def text(value: Json) -> str | None:
    """A short string, or None."""
    return value if isinstance(value, str) and len(value) <= _NAME_LENGTH else None
