"""A grid of numbers from a reader's file, which the browser reads and makes small: the file itself
never comes here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from components import assets, wire
from components.files import FILE_BYTES, GRID_SIDE

_COMPONENT: Final = st.components.v2.component(
    "descent_lab.grid_file", js=assets.loader("grid_file/grid_file.js"), isolate_styles=False
)


def grid_file(
    key: str, *, said: str, locked: bool, take: Callable[[str, NDArray[np.float64]], None]
) -> None:
    """A place for a file: `take(its name, its grid)` is called before the script runs; `said` is
    what stands below it."""

    def announce() -> None:
        _, body = wire.payload(wire.state(key), "grid")
        name, grid = wire.text(body.get("name")), _grid(body.get("rows"))
        if name is not None and grid is not None and not locked:
            take(name, grid)

    _COMPONENT(
        key=key,
        data={"said": said, "locked": locked, "most": FILE_BYTES, "side": GRID_SIDE},
        on_grid_change=announce,
        height="content",
    )


def _grid(rows: Any) -> NDArray[np.float64] | None:
    """A grid as a browser sent it; None for anything else."""
    if not isinstance(rows, list) or not 2 <= len(rows) <= GRID_SIDE:
        return None
    width = len(rows[0]) if isinstance(rows[0], list) else 0
    if not 2 <= width <= GRID_SIDE:
        return None
    if not all(isinstance(row, list) and len(row) == width for row in rows):
        return None
    numbers = [[wire.number(cell) for cell in row] for row in rows]
    if any(cell is None for row in numbers for cell in row):
        return None
    return np.array(numbers, dtype=float)
