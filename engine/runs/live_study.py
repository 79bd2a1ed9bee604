"""A study as one operation of a picture: found by Python at the values of now, and by the module
that Python printed, beside the page's own thread, at any others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.tape import Operation, Value

_STUDY = Operation("study", lambda *_, _found, **__: _found)
_PART = Operation("part", lambda found, *, name: found[name])


@dataclass(frozen=True, eq=False)
class LiveStudy:
    """What a study finds in a picture, its parts by name."""

    run: Any

    def part(self, name: str) -> Any:
        """A part, which follows the hand where anything of the study is traced."""
        return _PART(self.run, name=name) if isinstance(self.run, Value) else self.run[name]


def live_study(
    inputs: Mapping[tuple[str, ...], Any], text: str, known: Mapping[str, Any]
) -> LiveStudy:
    """The study that the module's `study(given)` makes, whose inputs may be traced.

    An input's name is that of its entry in what is given, or ("runs", number, name) of a run's
    hyper-parameter; known is what was found at the values of now.
    """
    moving = [float(_now(x)) if np.ndim(_now(x)) == 0 else None for x in inputs.values()]
    everything = dict(inputs)
    everything |= {("known", name): value for name, value in known.items()}
    return LiveStudy(
        _STUDY(
            *everything.values(),
            names=[list(name) for name in everything],
            module=text,
            at=moving,
            _found=dict(known),
        )
    )


def _now(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x
