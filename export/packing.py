"""A captured page in few bytes: what occurs again stands once, and arrays are written so that they
pack well."""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Json = Any

_KINDS: Final = {"f4": "<f4", "f8": "<f8", "u1": "u1", "i4": "<i4"}
_DROPPED: Final = 9  # of 23 bits behind the point, where a surface is only drawn
_SURFACE: Final = 4096  # numbers of an array of two dimensions that is taken for a surface
_WINDOW: Final = 32_768  # bytes that a packer looks back
_SHORT: Final = 60  # characters of JSON that are written again
_TEXT: Final = 2000  # bytes of an array that may be the text of a program


class Blobs:
    """The arrays of all states, each once, numbered as they were met."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, str], int] = {}
        self.named: dict[str, int] = {}
        self.heads: list[list[Json]] = []
        self.bodies: list[bytes] = []
        self.last = b""  # text that a packer still remembers
        self.lines: list[str] = []  # of programs, as they first came
        self.first: dict[str, int] = {}  # where each of them stands

    def take(self, value: Json) -> Json:
        """The same with every array replaced by {"$blob": its number}."""
        if isinstance(value, Mapping):
            if "dtype" in value and "shape" in value and ("b64" in value or "ref" in value):
                return {"$blob": self._place(value)}
            return {name: self.take(entry) for name, entry in value.items()}
        return [self.take(entry) for entry in value] if isinstance(value, list) else value

    def _place(self, blob: Mapping[str, Json]) -> int:
        """The number of an array; a large one is sent once and comes by its name afterwards."""
        if "b64" not in blob:
            return self.named[blob["ref"]]
        key = (blob["dtype"] + str(blob["shape"]), blob["b64"])
        if key not in self.places:
            self.places[key] = len(self.heads)
            raw = np.frombuffer(base64.b64decode(blob["b64"]), _KINDS[blob["dtype"]])
            way, body = self._text(raw) or _pack(raw.reshape(blob["shape"]))
            self.heads.append([blob["dtype"], blob["shape"], len(body), way])
            self.bodies.append(body)
        if "ref" in blob:
            self.named[blob["ref"]] = self.places[key]
        return self.places[key]

    def _text(self, raw: NDArray[Any]) -> tuple[str, bytes] | None:
        """The text of a program by its lines: those that an earlier one had are [where the first
        stands among all, how many], the others stand as they are. None for anything else.

        The programs of a page's states are much alike, farther apart than a packer looks back.
        """
        if raw.dtype != np.uint8 or raw.size < _TEXT or not raw.all():
            return None
        try:
            lines = raw.tobytes().decode().split("\n")
        except UnicodeDecodeError:
            return None
        pieces: list[str | list[int]] = []
        new: list[str] = []
        for line in lines:
            last = pieces[-1] if pieces and not new else None
            if isinstance(last, list) and self.lines[sum(last) : sum(last) + 1] == [line]:
                last[1] += 1
            elif line in self.first:
                pieces += self._kept(new)
                pieces.append([self.first[line], 1])
            else:
                new.append(line)
        pieces += self._kept(new)
        return "lines", json.dumps(pieces, ensure_ascii=False, separators=(",", ":")).encode()

    def _kept(self, new: list[str]) -> list[str]:
        """Lines that are new as one text, remembered from now on; the list is empty then."""
        for line in new:
            self.first.setdefault(line, len(self.lines))
            self.lines.append(line)
        text = ["\n".join(new)] if new else []
        new.clear()
        return text

    def weigh(self, value: Json) -> tuple[Json, int]:
        """The same as `take`, and about how many bytes that adds to a packed file."""
        known = len(self.bodies)
        taken = self.take(value)
        text = json.dumps(taken, ensure_ascii=False, separators=(",", ":")).encode()
        packer = zlib.compressobj(9, zdict=self.last) if self.last else zlib.compressobj(9)
        size = len(packer.compress(text) + packer.flush())
        self.last = text[-_WINDOW:]
        return taken, size + sum(len(zlib.compress(body, 9)) for body in self.bodies[known:])


def shared(value: Json) -> tuple[Json, list[Json]]:
    """The same with each part that occurs again replaced by {"$same": its number}, and these
    parts; a part names such as stand before it.

    The states of a page have much in common, farther apart than a packer looks back.
    """
    seen = Counter(text for _, text in _parts(value))
    places: dict[str, int] = {}
    table: list[Json] = []

    def take(part: Json) -> Json:
        if not isinstance(part, (dict, list)):
            return part
        text = json.dumps(part)
        if text in places:
            return {"$same": places[text]}
        entries = (
            {k: take(v) for k, v in part.items()} if isinstance(part, dict) else [*map(take, part)]
        )
        if len(text) < _SHORT or seen[text] == 1:
            return entries
        places[text] = len(table)
        table.append(entries)
        return {"$same": places[text]}

    return take(value), table


def weight(*values: Json) -> int:
    """How many bytes some values have together, packed."""
    blobs = Blobs()
    text = json.dumps(shared([blobs.take(value) for value in values]), ensure_ascii=False)
    return len(zlib.compress(b"".join([text.encode(), *blobs.bodies]), 9))


def _parts(value: Json) -> Iterator[tuple[Json, str]]:
    """All objects and lists in it with their JSON; those in a part that was met before once."""
    waiting, met = [value], set[str]()
    while waiting:
        part = waiting.pop()
        if isinstance(part, (dict, list)):
            text = json.dumps(part)
            yield part, text
            if text not in met:
                met.add(text)
                waiting += part.values() if isinstance(part, dict) else part


def _pack(array: NDArray[Any]) -> tuple[str, bytes]:
    """How an array is written, and its bytes: those of a place in the number side by side.

    A surface, which nothing but pixels is made of, keeps 14 bits behind the point of each number
    and is written as differences both ways, which are small.
    """
    large = array.ndim == 2 and array.size >= _SURFACE and min(array.shape) > 2
    if large and array.dtype.kind == "f" and np.isfinite(array).all() and abs(array).max() < 1e30:
        with np.errstate(under="ignore"):
            bits = array.astype("<f4").view("<u4").astype(np.int64)
        leading = (bits + (1 << (_DROPPED - 1))) >> _DROPPED
        steps = np.diff(np.diff(leading, axis=0, prepend=0), axis=1, prepend=0)
        return "smooth", _sorted(((steps << 1) ^ (steps >> 63)).astype("<u4"))
    return "", _sorted(array)


def _sorted(array: NDArray[Any]) -> bytes:
    flat = np.ascontiguousarray(array).reshape(-1).view("u1")
    return flat.reshape(-1, array.dtype.itemsize).T.tobytes()
