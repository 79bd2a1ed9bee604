"""Pictures that follow the hand: which leaves move, and the program that moves them.

A page hands its tape (`engine.emit.picture.Picture`, known here by its shape alone) to the stage.
Every leaf of a picture that lies on the tape is written as a reference into the program's outputs,
with a few of Python's own numbers beside it: at the same values the browser must find the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from components import wire

Json = Any


class PictureProgram(Protocol):
    """The lines that give some outputs: see engine.emit.picture.PictureProgram."""

    @property
    def lines(self) -> list[list[Any]]: ...

    @property
    def constants(self) -> list[Any]: ...

    def line_of(self, value: Any) -> int: ...


class Tape(Protocol):
    """A page's values on a tape: see engine.emit.picture.Picture."""

    @property
    def values(self) -> Mapping[str, Any]: ...

    def owns(self, leaf: Any) -> bool: ...

    def program(self, outputs: Sequence[Any]) -> PictureProgram: ...

    def samples(self, value: Any) -> list[float | None]: ...


@dataclass(slots=True)
class Live:
    """The moving leaves of one component, gathered while it is encoded."""

    page: str
    tape: Tape
    outputs: list[Any] = field(default_factory=list)
    _place: dict[int, int] = field(default_factory=dict)

    def leaf(self, leaf: Any) -> dict[str, Json] | None:
        """A reference to a traced value, or the pieces of a sentence with traced numbers in it."""
        if self.tape.owns(leaf):
            return {"$live": self._output(leaf)}
        arguments = getattr(leaf, "arguments", None)
        if arguments is None or not hasattr(leaf, "template"):
            return None
        return {
            "$text": leaf.spec(),
            "args": [
                {"$live": self._output(a)} if self.tape.owns(a) else float(a) for a in arguments
            ],
        }

    def _output(self, value: Any) -> int:
        place = self._place.setdefault(value.index, len(self.outputs))
        if place == len(self.outputs):
            self.outputs.append(value)
        return place

    def spec(self, encoder: wire.Wire, seq: int, doubted: Sequence[int]) -> dict[str, Json]:
        """The program as the browser takes it; Python's own arrays for the doubted outputs."""
        program = self.tape.program(self.outputs)
        modules: dict[str, Json] = {}
        lines = []
        for operation, arguments, *how in program.lines:
            if how and "module" in how[0]:
                text = how[0]["module"]
                name = wire.digest(text)
                if name not in modules:  # twice the same: the second would say that it was sent
                    modules[name] = encoder.text(text)
                how = [{**how[0], "module": name}]
            lines.append([operation, arguments, *how])
        values = dict(self.tape.values)
        places = [program.line_of(value) for value in self.outputs]
        return {
            "page": self.page,
            "values": values,
            "seq": seq,
            "lines": lines,
            "constants": [_constant(c, encoder) for c in program.constants],
            "modules": modules,
            "outputs": places,
            "samples": [self.tape.samples(value) for value in self.outputs],
            "given": {
                "values": values,
                "lines": {
                    str(places[k]): encoder.array(self.outputs[k].data, "f8")
                    for k in doubted
                    if k < len(places)
                },
            }
            if doubted
            else None,
        }


def _constant(value: Any, encoder: wire.Wire) -> Json:
    if isinstance(value, (bool, np.bool_)):
        return float(value)
    if isinstance(value, (int, float, np.generic)):
        number = float(value)
        return number if np.isfinite(number) else {"$number": str(number)}
    kinds: dict[Any, wire.DType] = {np.dtype(np.float32): "f4", np.dtype(np.uint8): "u1"}
    return encoder.array(value, kinds.get(np.asarray(value).dtype, "f8"))
