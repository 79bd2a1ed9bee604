"""What a part of the loss gallery is to its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from components.controls import Group
from engine.emit.picture import Picture
from pages.presets import Preset
from pages.state import Experiment, Field


@dataclass(frozen=True, slots=True)
class Part:
    """A part: its name in the link and in the menu, what it declares, and what it shows.

    `show` draws the pictures (small: in a frame of 800 × 500; height in CSS pixels), `notice` is
    what is worth seeing in the present state, `law` the loss in LaTeX, `formula` the same with
    the numbers put in, `code` the same in NumPy, `scripts` in other frameworks, `more` what stands
    below, tables mostly.
    """

    name: str
    fields: tuple[Field[Any], ...]
    presets: tuple[Preset, ...]
    groups: Callable[[Experiment], list[Group]]
    show: Callable[[Experiment, Picture, bool, int], None]
    notice: Callable[[Experiment], str]
    law: Callable[[Experiment], str]
    formula: Callable[[Experiment], str]
    code: Callable[[Experiment], str]
    scripts: Callable[[Experiment], Mapping[str, str]]
    more: Callable[[Experiment], None] = lambda x: None
    height: int = 360


def moved(part: str, **link: str) -> Mapping[str, str]:
    """A preset's link into that part."""
    return {"part": part, **link}
